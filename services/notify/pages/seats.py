"""Posts, deputies, leave and contacts: for the office all of the plan, for a head their agency."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.notify.commands import seats as commands
from services.notify.queries import seats as queries
from services.notify.queries.directory import display_name
from services.notify.tables import kit
from shared.kit import audit, clock, db, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated, Problem
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page, told

router = APIRouter(prefix="/posts", tags=["pages"], include_in_schema=False)

Manager = Depends(Requires(queries.RIGHT))
REFUSALS = (Conflict, Forbidden, Invalid, Outdated)


class DeputyForm(VersionedForm):
    agency: str = Field(max_length=48)
    unit: str | None = Field(None, max_length=48)
    post: str = Field(max_length=48)
    deputy: UUID | None = None


class LeaveForm(Form):
    first_day: date
    last_day: date
    deputy: UUID | None = None


class ContactForm(VersionedForm):
    kind: Literal["mobile", "phone", "email"]
    address: str | None = Field(None, max_length=254)


def _claim(svc: Service, caller: Caller, what: str, sent: Form, *parts: object) -> idempotency.Claim:
    asked = orjson.dumps([sent.model_dump(mode="json"), *map(str, parts)])
    return idempotency.claim(svc.settings.keys, caller, what, str(sent.idempotency_key), asked, new_id())


@router.get("")
async def posts(request: Request, caller: Caller = Manager) -> Response:
    """Every post somebody holds: who is away, who stands in, and which post nobody reads."""
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        lines = await queries.lines(conn, svc.settings.keys, caller, local_day(now))
        await audit.record(conn, kit, caller, "seat.listed", "plan", [caller.plan or ""], now, seats=len(lines))
    plan = svc.plans.get(caller.plan or "")
    order = {one.id: index for index, one in enumerate(plan.agencies)} if plan else {}
    agencies: dict[str, list[queries.SeatLine]] = {}
    for line in sorted(lines, key=lambda one: order.get(one.agency, 999)):
        agencies.setdefault(line.agency, []).append(line)
    today = local_day(now)
    context = {
        "agencies": agencies,
        "away": len({h.id for line in lines for h in line.holders if h.leave and h.leave.covers(today)}),
        "unmanned": sum(not line.manned for line in lines if line.holders),
        "without": sum(line.deputy_id is None for line in lines),
        "today": today,
    }
    return page(request, "posts.html", context, service="notify", caller=caller)


@router.get("/seat")
async def seat(
    request: Request, agency: str, post: str, unit: str | None = None, caller: Caller = Manager
) -> Response:
    """One post: who stands in for it."""
    return await _seat(request, caller, agency, unit or None, post)


async def _seat(
    request: Request, caller: Caller, agency: str, unit: str | None, post: str, refused: Problem | None = None
) -> Response:
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        lines = await queries.lines(conn, svc.settings.keys, caller, local_day(clock.now()))
        people = await queries.officers(conn, caller)
    line = next((one for one in lines if (one.agency, one.unit, one.post) == (agency, unit, post)), None)
    if line is None:
        raise NotFound("没有这个岗位，或不归您安排。 No such post, or not yours to arrange.")
    held = {holder.id for holder in line.holders}
    context = {
        "line": line,
        "people": _choices(svc, [one for one in people if one.id not in held], agency),
        "refused": told(request, refused) if refused else None,
    }
    return page(request, "post.html", context, service="notify", caller=caller, status=refused.status if refused else 200)


def _choices(svc: Service, people: list[Any], first: str) -> list[dict[str, Any]]:
    """Officers to choose a deputy from, those of the same agency first."""
    return [
        {"id": one.id, "display": display_name(svc.settings.keys, one), "agency": one.agency, "unit": one.unit}
        for one in sorted(people, key=lambda one: one.agency != first)
    ]


@router.post("/seat")
async def set_deputy(request: Request, caller: Caller = Manager) -> Response:
    """Name the standing deputy, or nobody."""
    svc: Service = request.app.state.service
    sent = await read_form(request, DeputyForm)
    claim = _claim(svc, caller, "seat.set", sent)
    try:
        async with db.begin(svc.engine) as conn:
            await commands.set_deputy(
                conn, svc, caller, sent.agency, sent.unit, sent.post, sent.deputy, sent.version, claim, clock.now()
            )
    except REFUSALS as refused:
        return await _seat(request, caller, sent.agency, sent.unit, sent.post, refused)
    return see_other(request, "/posts", done="saved")


@router.get("/officers/{account_id}")
async def officer(request: Request, account_id: UUID, caller: Caller = Manager) -> Response:
    """An officer's card: leave and contacts; reading the contacts is recorded."""
    return await _officer(request, caller, account_id)


async def _officer(request: Request, caller: Caller, account_id: UUID, refused: Problem | None = None) -> Response:
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        row = await queries.officer(conn, caller, account_id)
        away = await queries.leaves_of(conn, account_id, local_day(now))
        reach = await queries.contacts_of(conn, svc.settings.keys, account_id)
        people = await queries.officers(conn, caller)
        await audit.record(conn, kit, caller, "contact.read", "account", [account_id], now)
    others = _choices(svc, [one for one in people if one.id != account_id], row.agency)
    context = {
        "officer": row,
        "display": display_name(svc.settings.keys, row),
        "leaves": away,
        "people": others,
        "displays": {one["id"]: one["display"] for one in others},
        "contacts": {kind: reach.get(kind) for kind in commands.KINDS},
        "today": local_day(now),
        "refused": told(request, refused) if refused else None,
    }
    return page(request, "officer.html", context, service="notify", caller=caller, status=refused.status if refused else 200)


@router.post("/officers/{account_id}/leaves")
async def record_leave(request: Request, account_id: UUID, caller: Caller = Manager) -> Response:
    """The officer is away."""
    svc: Service = request.app.state.service
    sent = await read_form(request, LeaveForm)
    claim = _claim(svc, caller, "leave.record", sent, account_id)
    try:
        async with db.begin(svc.engine) as conn:
            await commands.record_leave(
                conn, caller, account_id, sent.deputy, sent.first_day, sent.last_day, claim, clock.now()
            )
    except REFUSALS as refused:
        return await _officer(request, caller, account_id, refused)
    return see_other(request, f"/posts/officers/{account_id}", done="saved")


@router.post("/officers/{account_id}/leaves/{leave_id}/cancellation")
async def cancel_leave(request: Request, account_id: UUID, leave_id: UUID, caller: Caller = Manager) -> Response:
    """The officer is back, or stays."""
    svc: Service = request.app.state.service
    sent = await read_form(request, VersionedForm)
    claim = _claim(svc, caller, "leave.cancel", sent, leave_id)
    try:
        async with db.begin(svc.engine) as conn:
            await commands.cancel_leave(conn, caller, leave_id, sent.version, claim, clock.now())
    except REFUSALS as refused:
        return await _officer(request, caller, account_id, refused)
    return see_other(request, f"/posts/officers/{account_id}", done="saved")


@router.post("/officers/{account_id}/contacts")
async def set_contact(request: Request, account_id: UUID, caller: Caller = Manager) -> Response:
    """Keep a number or address, or take it off the list."""
    svc: Service = request.app.state.service
    sent = await read_form(request, ContactForm)
    claim = _claim(svc, caller, "contact.set", sent, account_id)
    try:
        async with db.begin(svc.engine) as conn:
            await commands.set_contact(
                conn, svc, caller, account_id, sent.kind, sent.address, sent.version, claim, clock.now()
            )
    except REFUSALS as refused:
        return await _officer(request, caller, account_id, refused)
    return see_other(request, f"/posts/officers/{account_id}", done="saved")
