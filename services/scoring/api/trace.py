"""Scoring's steps of a tip's journey."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.scoring import queries
from shared.kit import db
from shared.kit.access import Caller, Requires
from shared.kit.trace import TraceAnswer, TraceRequest, TraceStep
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["trace"])

_ENDED = {
    "met": ("按时受理计分", "Scored: done in time"),
    "met_late": ("逾期受理计分", "Scored: done late"),
    "missed": ("到期未办计分", "Scored: not done by its time"),
    "found": ("认定后计分", "Scored: a finding was confirmed"),
    "decided": ("决定计分", "Scored by decision"),
}


@router.post("/trace", response_model=TraceAnswer, summary="Steps of a case at scoring")
async def trace(request: Request, body: TraceRequest, caller: Caller = Depends(Requires("trace.read"))) -> Response:
    """Steps by case id, deadline id or entry id; other ids are not known here and are passed over."""
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.for_trace(conn, caller, _uuids(body.ids))
    steps = [_opened(row) for row in found.obligations if row.opened_recordedat] + [
        _scored(row) for row in found.entries
    ]
    related = dict.fromkeys(
        str(one)
        for one in (
            *(row.case_id for row in found.obligations if row.case_id),
            *(row.deadline_id for row in found.obligations),
            *(row.entry_id for row in found.entries),
        )
    )
    answer = TraceAnswer(steps=sorted(steps, key=lambda step: step.at), related=list(related))
    return ORJSONResponse(answer.model_dump(mode="json"))


def _uuids(given: list[str]) -> list[UUID]:
    found = []
    for one in given:
        try:
            found.append(UUID(one))
        except ValueError:
            continue
    return found


def _opened(row: Any) -> TraceStep:
    return TraceStep(
        at=row.opened_recordedat,
        service="scoring",
        step="obligation.opened",
        title_zh="登记时限义务",
        title_en="Obligation registered",
        object_type="deadline",
        object_id=str(row.deadline_id),
        facts={
            "case_id": _id(row.case_id), "agency": row.agency, "unit": row.unit, "kind": row.kind, "rule": row.rule,
            "due": row.due.isoformat(), "provisional": row.provisional, "state": row.state,
        },
    )  # fmt: skip


def _scored(row: Any) -> TraceStep:
    zh, en = ("更正：撤回原分", "Corrected: taken back") if row.corrects else _ENDED[row.outcome]
    return TraceStep(
        at=row.recorded_at,
        service="scoring",
        step="score.corrected" if row.corrects else "score.recorded",
        title_zh=f"{zh} {row.points:+f}",
        title_en=f"{en} {row.points:+f}",
        object_type="ledger_entry",
        object_id=str(row.entry_id),
        facts={
            "case_id": _id(row.case_id), "basis": row.basis, "basis_id": str(row.basis_id), "agency": row.agency, "unit": row.unit,
            "points": f"{row.points:f}", "line": row.line, "clause": row.clause, "rulebook": row.rulebook,
            "assumed": row.assumed, "fact_event": str(row.fact_event), "fact_type": row.fact_type,
            "occurred_on": row.occurred_on.isoformat(),
        },
    )  # fmt: skip


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None
