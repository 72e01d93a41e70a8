"""Handovers on pages: the board of what is waiting, late, bounced; one handover; the panel on a lead's page."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ValidationError

from services.intake.commands import handovers as commands
from services.intake.commands.asking import ask_for_more
from services.intake.commands.handovers import Rules
from services.intake.commands.handovers.requests import act, claim_of
from services.intake.domain.handovers import PERIOD
from services.intake.queries import handovers as queries
from services.intake.queries import handovers_present as present
from services.intake.schemas.handovers import (
    DeclineIn,
    HandoverAcceptIn,
    HandoverAnswerIn,
    HandoverDecisionIn,
    HandoverIn,
    HandoverNoteIn,
    SupplementIn,
)
from services.intake.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.problem import NotFound, Problem, invalid_input
from shared.rules.plan import Plan
from shared.rules.plan.vocabulary import REFERRAL_TOPICS
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

_ROWS = 30
def rules_of(request: Request) -> Rules:
    """The service with its calendar."""
    return request.app.state.handover_rules


Show = Literal["waiting", "late", "handovers", "handovers-late", "bounced", "bounced-twice"]


@router.get("/handovers")
async def board(
    request: Request,
    caller: Caller = Depends(Requires("handover.read")),
    show: Show = "waiting",
    agency: str | None = Query(None, max_length=48),
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """What waits for acceptance, what is late, what was bounced; every number opens to its list."""
    service, now = request.app.state.service, clock.now()
    plan = service.plans.get(caller.plan or "")
    async with db.begin(service.engine) as conn:
        by_agency = await queries.waiting_by_agency(conn, caller, now)
        figures = await queries.figures(conn, caller, now - PERIOD, now)
        bounced, twice = await queries.bounce_counts(conn, caller)
        waiting, late = await queries.open_counts(conn, caller)
        rows, following = await _list(conn, caller, show, agency, cursor, now)
    counts = {
        "waiting": sum(row.waiting for row in by_agency),
        "late": sum(row.late for row in by_agency),
        "handovers": waiting,
        "handovers-late": late,
        "bounced": bounced,
        "bounced-twice": twice,
    }
    is_handover = show in ("handovers", "handovers-late")
    matters = show in ("bounced", "bounced-twice")
    return page(
        request,
        "handovers.html",
        {
            "show": show,
            "counts": counts,
            "by_agency": by_agency,
            "agency": agency,
            "figures": [present.figure_out(plan, row) for row in figures],
            "handovers": [present.handover_out(service, caller, row, now) for row in rows] if is_handover else [],
            "matters": [present.matter_out(service, row) for row in rows] if matters else [],
            "acceptances": [] if is_handover or matters else rows,
            "next": following,
            "now": now,
            "seconds": lambda value: timedelta(seconds=value),
        },
        service="intake",
        caller=caller,
    )


async def _list(
    conn: Any, caller: Caller, show: Show, agency: str | None, cursor: str | None, now: Any
) -> tuple[Any, str | None]:
    if show in ("handovers", "handovers-late"):
        found = await queries.list_handovers(
            conn, caller, waiting=show == "handovers", late=show == "handovers-late", agency=agency,
            after=pagination.decode(cursor, (UUID,)), limit=_ROWS,  # type: ignore[arg-type]
        )  # fmt: skip
        return pagination.page(found, _ROWS, lambda row: (row.id,))
    after: Any = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    if show in ("bounced", "bounced-twice"):
        least = 2 if show == "bounced-twice" else 1
        found = await queries.bounced_matters(conn, caller, least=least, after=after, limit=_ROWS)
        return pagination.page(found, _ROWS, lambda row: (row.last_at, row.id))
    found = await queries.acceptances(
        conn, caller, now, late=show == "late", agency=agency, after=after, limit=_ROWS
    )
    return pagination.page(found, _ROWS, lambda row: (row.due, row.case_id))


@router.get("/handovers/{handover_id}")
async def one(
    request: Request, handover_id: UUID, caller: Caller = Depends(Requires("handover.read"))
) -> HTMLResponse:
    """One handover with its words, whose reading is recorded, and what the caller may do with it."""
    return await _page(request, caller, handover_id)


async def _page(
    request: Request, caller: Caller, handover_id: UUID, refused: Problem | None = None
) -> HTMLResponse:
    rules, now = rules_of(request), clock.now()
    async with db.begin(rules.service.engine) as conn:
        row = await queries.one_handover(conn, caller, handover_id)
        if row is None:
            raise NotFound(
                "没有这件移交，或不在您的权限内。 No such handover within your reach.", code="handover-not-found"
            )
        await audit.record(conn, kit, caller, "handover.read", "handover", [handover_id], now)
    note, said = rules.open(row.id, row.note), rules.open(row.id, row.answer_note)
    plan, own = rules.plan(row.plan)
    return page(
        request,
        "handover.html",
        {
            "handover": present.handover_full(rules.service, caller, row, now, note, said),
            "plan": plan,
            "reasons": own.reasons,
            "places": places(plan),
            "refused": refused.detail if refused else None,
        },
        service="intake",
        status=refused.status if refused else 200,
        caller=caller,
    )


class AnswerForm(VersionedForm):
    """Every step of a handover: which fields it needs, the step's own body says."""

    number: str | None = None
    reason: str | None = None
    note: str = ""
    place: str | None = None


_STEPS: dict[str, tuple[str, Any, type[BaseModel]]] = {
    "accept": ("handover.answer", commands.accept, HandoverAcceptIn),
    "refuse": ("handover.answer", commands.refuse, HandoverAnswerIn),
    "return": ("handover.answer", commands.send_back, HandoverAnswerIn),
    "withdraw": ("handover.propose", commands.withdraw, HandoverNoteIn),
    "escalate": ("handover.propose", commands.escalate, HandoverNoteIn),
    "decide": ("handover.decide", commands.decide, HandoverDecisionIn),
}


@router.post("/handovers/{handover_id}/{step}")
async def do(
    request: Request,
    handover_id: UUID,
    step: Literal["accept", "refuse", "return", "withdraw", "escalate", "decide"],
    caller: Caller = Depends(Requires("handover.read")),
) -> Response:
    """One step from the page; when it cannot be done, the page comes again and says why."""
    _, work, model = _STEPS[step]
    sent = await read_form(request, AnswerForm)
    fields: dict[str, Any] = {"note": sent.note}
    if model is HandoverAcceptIn:
        fields["number"] = sent.number
    elif model is HandoverAnswerIn:
        fields["reason"] = sent.reason
    elif model is HandoverDecisionIn:
        fields |= dict(zip(("agency", "unit"), _place(sent.place), strict=True))
    try:
        body = model.model_validate(fields)
        await act(rules_of(request), caller, handover_id, str(sent.idempotency_key), body, work, sent.version)
    except ValidationError as error:
        return await _page(request, caller, handover_id, invalid_input(error))
    except Problem as problem:
        if problem.status == 404:
            raise
        return await _page(request, caller, handover_id, problem)
    return see_other(request, f"/handovers/{handover_id}", done="saved")


def _place(text: str | None) -> tuple[str | None, str | None]:
    agency, _, unit = (text or "").partition("/")
    return agency or None, unit or None


def places(plan: Plan) -> list[tuple[str, Any]]:
    """Agencies of the plan and their units, as a page offers them: `agency/unit` and its name."""
    found: list[tuple[str, Any]] = []
    for agency in plan.members:
        found.append((agency.id, agency.name))
        found += [
            (f"{agency.id}/{unit.id}", {"zh": f"{agency.name.zh} · {unit.name.zh}", "en": f"{agency.name.en} · {unit.name.en}"})
            for unit in agency.units
        ]
    return found


async def panel(request: Request, caller: Caller, lead_id: UUID, plan: Plan) -> dict[str, Any] | None:
    """What `handovers_panel.html` shows on a lead's page; None for whoever may see no handovers."""
    if caller.reach("handover.read") is None or plan.handover is None:
        return None
    service, now = request.app.state.service, clock.now()
    async with db.begin(service.engine) as conn:
        rows = await queries.of_matter(conn, caller, lead_id)
        asked = await queries.supplements_of(conn, lead_id)
    return {
        "lead_id": lead_id,
        "rows": [present.handover_out(service, caller, row, now) for row in rows],
        "supplements": [present.supplement_out(row) for row in asked if row.agency == caller.agency],
        "may_propose": caller.reach("handover.propose") is not None,
        "may_decide": caller.reach("lead.decide") is not None,
        "reasons": plan.handover.reasons,
        "places": places(plan),
        "topics": REFERRAL_TOPICS,
    }


@router.post("/tips/{tip_id}/hand-back")
async def hand_back(
    request: Request, tip_id: UUID, caller: Caller = Depends(Requires("handover.propose"))
) -> Response:
    """Give a tip back to the line that sent it, from its page."""
    sent = await read_form(request, VersionedForm)
    rules = rules_of(request)
    claim = claim_of(
        rules, caller, "tip.hand_back", str(sent.idempotency_key), tip_id, HandoverNoteIn(), sent.version
    )
    async with db.begin(rules.service.engine) as conn:
        await commands.hand_back(conn, rules, caller, tip_id, sent.version, claim, clock.now())
    return see_other(request, f"/tips/{tip_id}", done="sent")


class HandForm(Form):
    """Handing a lead over: `place` is `agency/unit`, or `@` for its distributor."""

    place: str
    reason: str
    note: str = ""


class DeclineForm(Form):
    """Not accepting a lead."""

    reason: str
    note: str = ""
    place: str | None = None
    belongs_to: str | None = None


class AskForm(Form):
    """Asking its reporter for more."""

    question: str


@router.post("/leads/{lead_id}/handovers")
async def hand_over(
    request: Request, lead_id: UUID, caller: Caller = Depends(Requires("handover.propose"))
) -> Response:
    """Offer a lead to another agency from its page."""
    sent = await read_form(request, HandForm)
    agency, unit = _place(None if sent.place == "@" else sent.place)
    body = HandoverIn(
        to_agency=agency, to_unit=unit, to_distributor=sent.place == "@", reason=sent.reason, note=sent.note
    )
    rules = rules_of(request)
    claim = claim_of(rules, caller, "handover.propose", str(sent.idempotency_key), lead_id, body)
    async with db.begin(rules.service.engine) as conn:
        made = await commands.propose_lead(conn, rules, caller, lead_id, body, claim, clock.now())
    return see_other(request, f"/handovers/{made}", done="sent")


@router.post("/leads/{lead_id}/decline")
async def decline(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.decide"))) -> Response:
    """Not accept a lead from its page."""
    sent = await read_form(request, DeclineForm)
    agency, unit = _place(sent.place)
    body = DeclineIn(reason=sent.reason, note=sent.note, belongs_to=sent.belongs_to, to_agency=agency, to_unit=unit)
    rules = rules_of(request)
    claim = claim_of(rules, caller, "lead.decline", str(sent.idempotency_key), lead_id, body)
    async with db.begin(rules.service.engine) as conn:
        await commands.decline(conn, rules, caller, lead_id, body, claim, clock.now())
    return see_other(request, f"/leads/{lead_id}", done="saved")


@router.post("/leads/{lead_id}/supplement-requests")
async def ask(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.decide"))) -> Response:
    """Ask a lead's reporter for more from its page."""
    sent = await read_form(request, AskForm)
    body = SupplementIn(question=sent.question)
    rules = rules_of(request)
    claim = claim_of(rules, caller, "supplement.request", str(sent.idempotency_key), lead_id, body)
    async with db.begin(rules.service.engine) as conn:
        await ask_for_more(conn, rules, caller, lead_id, body, claim, clock.now())
    return see_other(request, f"/leads/{lead_id}", done="sent")
