"""This service's part of a journey."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.casework import queries
from services.casework.domain.cases import ACCEPTANCE
from services.casework.queries import CaseFull
from services.casework.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.trace import TraceAnswer, TraceRequest, TraceStep
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["trace"])


@router.post("/trace", response_model=TraceAnswer, summary="Steps of a case")
async def trace(request: Request, body: TraceRequest, caller: Caller = Depends(Requires("trace.read"))) -> Response:
    """Steps by lead id, case id, deadline id or case number; ids that say nothing here are passed over."""
    ids, numbers = [], []
    for given in body.ids:
        try:
            ids.append(UUID(given))
        except ValueError:
            numbers.append(given)
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.journey(conn, caller, ids, numbers)
        await audit.record(conn, kit, caller, "case.trace", "case", [one.case.id for one in found], clock.now())
    present = request.app.state.present
    steps = sorted((step for one in found for step in _steps(present, one)), key=lambda step: step.at)
    related = dict.fromkeys(
        str(value)
        for one in found
        for value in (one.case.id, one.case.lead_id, one.case.number, *(d.id for d in one.deadlines))
    )
    return ORJSONResponse(TraceAnswer(steps=steps, related=list(related)).model_dump(mode="json"))


def _steps(present: Any, full: CaseFull) -> list[TraceStep]:
    case = full.case
    plan = present.plan(case.plan)

    def step(at: datetime, code: str, zh: str, en: str, kind: str, id: Any, **facts: Any) -> TraceStep:
        return TraceStep(
            at=at, service="casework", step=code, title_zh=zh, title_en=en,
            object_type=kind, object_id=str(id), facts=facts,
        )  # fmt: skip

    names = {party.agency: present.agency_name(plan, party.agency) for party in full.parties}
    steps = [
        step(
            case.opened_at,
            "case.opened",
            f"立为联合案件 {case.number}",
            f"Joint case {case.number} opened",
            "case",
            case.id,
            number=case.number,
            plan=case.plan,
            area=case.area,
            urgent=case.urgent,
            parties=",".join(party.agency for party in full.parties),
            lead_id=str(case.lead_id),
        )
    ]
    for clock_row in full.deadlines:
        if clock_row.kind != ACCEPTANCE:
            continue
        name = names[clock_row.agency]
        facts = {
            "agency": clock_row.agency,
            "unit": clock_row.unit,
            "rule": clock_row.rule,
            "due": clock_row.due.isoformat(),
            "case_id": str(case.id),
        }
        if clock_row.missed_at:
            steps.append(
                step(
                    clock_row.missed_at,
                    "deadline.missed",
                    f"{name['zh']}逾期未受理",
                    f"{name['en']} missed the acceptance deadline",
                    "deadline",
                    clock_row.id,
                    **facts,
                )
            )
        if clock_row.met_at:
            in_time = clock_row.state == "met"
            steps.append(
                step(
                    clock_row.met_at,
                    "party.accepted",
                    f"{name['zh']}{'按时' if in_time else '逾期'}受理",
                    f"{name['en']} accepted {'in time' if in_time else 'late'}",
                    "deadline",
                    clock_row.id,
                    in_time=in_time,
                    **facts,
                )
            )
    return steps
