"""The triage desk (研判台): what waits for an officer's word, the urgent and the late first; all of it by keyboard alone."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from services.intake.commands import leads as commands
from services.intake.commands import reviews
from services.intake.commands.handovers import Rules
from services.intake.queries import leads as queries
from services.intake.queries.lead_view import reason_words
from services.intake.schemas.leads import ReviewIn
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.rules.deadlines import DeadlineRefused
from shared.rules.law import UnknownRule
from shared.web.forms import VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

_ROWS = 30


@router.get("/triage")
async def triage(request: Request, caller: Caller = Depends(Requires("tip.triage"))) -> HTMLResponse:
    """Readings that wait for confirmation and pairs of leads that may be one; the oldest is due first."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        urgent = await queries.unreviewed_urgent(conn, caller)
        rows = await queries.unreviewed(conn, caller, limit=_ROWS)
        pairs = await queries.open_suggestions(conn, caller, limit=_ROWS) if caller.reach("lead.join") else []
    now = clock.now()
    above = {row.id for row in urgent}
    readings = [
        {"tip": row, "due": due, "late": due is not None and due < now}
        for row in rows[:_ROWS]
        if row.id not in above
        for due in (triage_due(request.app.state.handover_rules, row.plan, row.received_at),)
    ]
    return page(
        request,
        "triage.html",
        {
            "urgent": urgent,
            "readings": readings,
            "more_readings": len(rows) > _ROWS,
            "pairs": [
                {"row": row, "reasons": [reason_words(reason) for reason in row.reasons]} for row in pairs[:_ROWS]
            ],
            "late": sum(one["late"] for one in readings),
        },
        service="intake",
        caller=caller,
    )


def triage_due(rules: Rules, plan_id: str, start: datetime) -> datetime | None:
    """Until when a reading is to be confirmed, by the plan's triage clock; None where the plan sets none."""
    plan = rules.service.plans[plan_id]
    rule = plan.clock("triage")
    if rule is None:
        return None
    try:
        return rules.clock(plan, rule, "triage", start).due
    except (UnknownRule, DeadlineRefused):
        return None


class ReviewForm(VersionedForm):
    """An officer's word on a reading: confirmed as it is, or corrected to what the fields say."""

    act: Literal["confirm", "correct"]
    relevant: Literal["yes", "no"] = "yes"
    urgent: Literal["yes", "no"] = "no"
    kinds: tuple[str, ...] = ()
    area: str = ""
    belongs_to: str = ""
    places: str = ""


@router.post("/tips/{tip_id}/reviews")
async def review(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.triage"))) -> Response:
    """Confirm or correct, then back to what waits next; a correction that moves the tip shows its lead."""
    sent = await read_form(request, ReviewForm)
    service: Service = request.app.state.service
    given: dict[str, Any] = {}
    if sent.act == "correct":
        given = {
            "relevant": sent.relevant == "yes",
            "urgent": sent.urgent == "yes",
            "kinds": sent.kinds,
            "area": sent.area or None,
            "belongs_to": sent.belongs_to or None,
            "places": [part for part in sent.places.replace("；", ";").split(";") if part.strip()],
        }
    body = ReviewIn.model_validate(given)
    taken = commands.claim(
        service, caller, "tip.review", tip_id, sent.version, body.model_dump_json().encode(), str(sent.idempotency_key)
    )
    async with db.begin(service.engine) as conn:
        done = await reviews.review(
            conn, service, caller, tip_id, body.model_dump(exclude_unset=True), version=sent.version, taken=taken,
            now=clock.now(),
        )  # fmt: skip
    if sent.act == "confirm":
        return see_other(request, "/triage", done="confirmed")
    target = f"/leads/{done.lead_id}" if done.lead_id and caller.reach("lead.read") else "/triage"
    return see_other(request, target, done="corrected")
