"""Leads on pages: the list with its search, one lead with its same-target panel, joining and taking apart."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import StringConstraints

from services.intake.commands import leads as commands
from services.intake.domain.leads import SuggestionAct
from services.intake.pages import handovers, verification
from services.intake.queries import leads as queries
from services.intake.queries.lead_numbers import LONGEST, find_lead
from services.intake.queries.lead_view import full_out, lead_out
from services.intake.queries.tips import visible_leads
from services.intake.schemas.leads import SplitIn
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.problem import Conflict, Invalid, NotFound, Outdated, Problem
from shared.kit.service import Service
from shared.rules.plan import Plan
from shared.rules.plan.vocabulary import TIP_KINDS
from shared.web.forms import VersionedForm, read_form, see_other
from shared.web.render import page, told

router = APIRouter()

_ROWS = 30
_ACROSS = 3
"""Communities in a row of the sketch."""


@router.get("/leads")
async def leads_page(
    request: Request,
    caller: Caller = Depends(Requires("lead.read")),
    show: Literal["urgent", "several", "gathering", ""] = "",
    q: Annotated[str, Query(max_length=60)] = "",
    area: Annotated[str, Query(max_length=48)] = "",
    kind: Annotated[str, Query(max_length=40)] = "",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """Leads in reach, newest first; a search finds parts of names of places, organisations and apps."""
    service: Service = request.app.state.service
    problem: Problem | None = None
    words = None
    try:
        words = queries.search_words(q)
    except Problem as short:
        problem = short
    filters = queries.Filters(
        area=area or None,
        kind=kind or None,
        urgent=True if show == "urgent" else None,
        several=show == "several" or None,
        gathering=show == "gathering" or None,
    )
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(service.engine) as conn:
        found = await queries.list_leads(conn, caller, filters, words=words, after=after, limit=_ROWS)  # type: ignore[arg-type]
    rows, following = pagination.page(found, _ROWS, lambda row: (row.received_at, row.id))
    plan = service.plans.get(caller.plan or "")
    return page(
        request,
        "leads.html",
        {
            "rows": [lead_out(row) for row in rows],
            "next": following,
            "show": show,
            "q": q,
            "area": area,
            "kind": kind,
            "kind_codes": TIP_KINDS,
            "areas": plan.areas if plan else (),
            "problem": told(request, problem) if problem else None,
            "filtered": bool(show or q or area or kind),
        },
        service="intake",
        caller=caller,
    )


@router.get("/leads/{lead_id}")
async def lead_page(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.read"))) -> HTMLResponse:
    """One lead: what is known, its tips without their words, what may be the same, what happened, why it is here."""
    return await _lead_page(request, caller, lead_id)


class MergeForm(VersionedForm):
    """Which lead goes into this one."""

    lead_id: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


class SplitForm(VersionedForm):
    """The joining to undo, or the tips to split off."""

    undoes: UUID | None = None
    tip_ids: tuple[UUID, ...] = ()


class SuggestionForm(VersionedForm):
    """A decision on a suggestion; `back` is the lead it was decided from, empty for the triage desk."""

    decision: Literal["accept", "reject"]
    back: UUID | None = None


@router.post("/leads/{lead_id}/merges")
async def merge(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.join"))) -> Response:
    """Take another lead into this one."""
    sent = await read_form(request, MergeForm)
    service: Service = request.app.state.service
    try:
        async with db.begin(service.engine) as conn:
            other = await find_lead(conn, sent.lead_id, caller.plan, visible_leads(caller, "lead.join"))
            taken = commands.claim(
                service, caller, "lead.merge", lead_id, sent.version, other.bytes, str(sent.idempotency_key)
            )
            await commands.merge(
                conn, service, caller, lead_id, other, version=sent.version, taken=taken, now=clock.now()
            )
    except (Outdated, Conflict, Invalid) as refused:
        return await _lead_page(request, caller, lead_id, refused)
    return see_other(request, f"/leads/{lead_id}", done="joined")


@router.post("/leads/{lead_id}/splits")
async def split(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.join"))) -> Response:
    """Undo a joining, or split tips off."""
    sent = await read_form(request, SplitForm)
    service: Service = request.app.state.service
    body = SplitIn(undoes=sent.undoes, tip_ids=sent.tip_ids)
    taken = commands.claim(
        service, caller, "lead.split", lead_id, sent.version, body.model_dump_json().encode(), str(sent.idempotency_key)
    )
    try:
        async with db.begin(service.engine) as conn:
            if body.undoes is not None:
                await commands.unmerge(
                    conn, service, caller, lead_id, body.undoes, version=sent.version, taken=taken, now=clock.now()
                )
            else:
                await commands.split(
                    conn, service, caller, lead_id, body.tip_ids, version=sent.version, taken=taken, now=clock.now()
                )
    except (Outdated, Conflict) as refused:
        return await _lead_page(request, caller, lead_id, refused)
    return see_other(request, f"/leads/{lead_id}", done="split")


@router.post("/suggestions/{suggestion_id}")
async def decide(request: Request, suggestion_id: UUID, caller: Caller = Depends(Requires("lead.join"))) -> Response:
    """Say that two leads are one, or that they are not."""
    sent = await read_form(request, SuggestionForm)
    service: Service = request.app.state.service
    act = SuggestionAct(sent.decision)
    taken = commands.claim(
        service, caller, "lead.suggestion", suggestion_id, sent.version, act.encode(), str(sent.idempotency_key)
    )
    async with db.begin(service.engine) as conn:
        change = await commands.decide_suggestion(
            conn, service, caller, suggestion_id, act, version=sent.version, taken=taken, now=clock.now()
        )
    done = "joined" if act is SuggestionAct.ACCEPT else "apart"
    home = change.lead_id if act is SuggestionAct.ACCEPT else sent.back
    return see_other(request, f"/leads/{home}" if sent.back else "/triage", done=done)


async def _lead_page(
    request: Request, caller: Caller, lead_id: UUID, refused: Problem | None = None
) -> HTMLResponse:
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        full = await queries.lead_full(conn, caller, lead_id)
    if full is None:
        raise NotFound("没有这条线索，或不在您的权限内。 No such lead within your reach.")
    plan = service.plans[full.lead.plan]
    return page(
        request,
        "lead.html",
        {
            "lead": full_out(service, full),
            "plan": plan,
            "mine": full.mine,
            "rules": {rule.id: rule for rule in plan.routing},
            "tiles": tiles(plan, full.lead.area),
            "refused": told(request, refused) if refused else None,
            "verification": await verification.panel(request, caller, lead_id),
            "handover_panel": await handovers.panel(request, caller, lead_id, plan),
        },
        service="intake",
        caller=caller,
        status=int(refused.status) if refused else 200,
    )


def tiles(plan: Plan, area: str | None) -> list[dict[str, object]]:
    """The communities as tiles of a sketch, the lead's own marked: where in the town, not to scale."""
    return [
        {
            "name": community.name,
            "x": (number % _ACROSS) * 110 + 4,
            "y": (number // _ACROSS) * 44 + 4,
            "here": area is not None and plan.within(area, community.id),
        }
        for number, community in enumerate(plan.communities)
    ]
