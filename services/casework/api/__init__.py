"""JSON routes of casework."""

from fastapi import APIRouter

from services.casework.api import (
    cases,
    document_register,
    documents,
    downline,
    evidence,
    evidence_moves,
    major,
    measures,
    operations,
    persons,
    places,
    proceedings,
    statistics,
    trace,
)

router = APIRouter(prefix="/v1")
for _part in (
    documents.router, measures.router, operations.router, major.router, downline.router, document_register.router,
    evidence_moves.router, evidence.router, cases.router, persons.router, places.router, proceedings.router, statistics.router, trace.router,
):
    router.include_router(_part)
