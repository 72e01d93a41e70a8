"""HTML pages of casework."""

from fastapi import APIRouter

from services.casework.pages import (
    cases,
    documents,
    downline,
    evidence,
    evidence_handovers,
    measures,
    operations,
    persons,
    places,
    proceedings,
    relations,
    statistics,
    supervision,
)

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (documents, downline, relations, persons, places, evidence_handovers, evidence, measures, operations, supervision, statistics, proceedings, cases):
    router.include_router(_part.router)
