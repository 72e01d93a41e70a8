"""The delivery console: where notices are sent, how each target does, what failed, and messages sent again by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from services.notify.commands import webhooks as commands
from services.notify.domain.channels import ROBOTS, Channel
from services.notify.domain.circuits import Circuit
from services.notify.queries import webhooks as queries
from services.notify.schemas import EndpointIn, EndpointOut
from services.notify.tables import kit
from shared.kit import audit, clock, db, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.problem import Conflict, Invalid, NotFound, Outdated, Problem
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page, told

router = APIRouter(prefix="/webhooks", tags=["pages"], include_in_schema=False)

Manager = Depends(Requires(queries.RIGHT))
REFUSALS = (Conflict, Invalid, Outdated)
A_PAGE = 20
MOST_AGAIN = 1000
State = Literal["retrying", "delivered", "failed"]
BAD = (Circuit.FAILING, Circuit.OPEN, Circuit.PROBING)


class TargetForm(Form):
    """A target to be added."""

    channel: Channel = Channel.WEBHOOK
    url: str = Field(max_length=1000)
    robot_secret: str | None = Field(None, min_length=6, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")
    name: str | None = Field(None, max_length=80)
    unit: str | None = Field(None, max_length=48)
    urgent_only: bool = False
    per_minute: int | None = Field(None, ge=1, le=6000)


class ChangeForm(VersionedForm):
    name: str | None = Field(None, max_length=80)
    urgent_only: bool = False
    per_minute: int | None = Field(None, ge=1, le=6000)


class SwitchForm(VersionedForm):
    active: bool


class SecretForm(VersionedForm):
    overlap_hours: int = Field(24, ge=0, le=168)


class MessageForm(Form):
    message: UUID


class AgainForm(Form):
    """`day` begins, `after` goes on from where the last thousand ended."""

    day: date | None = None
    after: str | None = Field(None, max_length=200)
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A target in the list, with how much waits for it and how much it never got."""

    target: EndpointOut
    plan: str
    numbers: queries.Waiting


@router.get("")
async def console(
    request: Request, state: State | None = None, cursor: Annotated[str | None, Query(max_length=300)] = None, caller: Caller = Manager
) -> Response:
    """The targets within reach, those that do badly first; what failed; and the month's figures by channel."""
    return await _console(request, caller, state, cursor)


async def _console(
    request: Request, caller: Caller, state: State | None = None, cursor: str | None = None, refused: Problem | None = None,
    tried: dict[str, Any] | None = None,
) -> Response:  # fmt: skip
    svc: Service = request.app.state.service
    now = clock.now()
    shown = state or "failed"
    async with db.begin(svc.engine) as conn:
        rows = await queries.list_endpoints(conn, caller)
        numbers = await queries.waiting(conn, [row.id for row in rows])
        messages, following = await queries.list_deliveries(conn, caller, None, cursor, A_PAGE, shown)
        month = queries.month_until(now)
        figures = await queries.figures(conn, caller, *month)
        await audit.record(conn, kit, caller, "webhook.listed", "plan", [caller.plan or ""], now, targets=len(rows))
    lines = [Line(queries.endpoint_out(row, now), row.plan, numbers[row.id]) for row in rows]
    plan = svc.plans.get(caller.plan or "")
    context = {
        "lines": lines,
        "targets": {line.target.id: line for line in lines},
        "several": any(line.target.agency != caller.agency for line in lines),
        "bad": sum(line.target.circuit in BAD for line in lines),
        "off": sum(line.target.circuit is Circuit.OFF for line in lines),
        "waiting": sum(line.numbers.waiting for line in lines),
        "failed": sum(line.numbers.failed for line in lines),
        "most": queries.COUNT_UP_TO,
        "state": shown,
        "messages": [queries.delivery_out(row) for row in messages],
        "next": following,
        "figures": figures,
        "month": month,
        "channels": [channel.value for channel in Channel],
        "units": [unit.id for unit in plan.agency(caller.agency).units] if plan and caller.agency else [],
        "own": caller.agency is not None,
        "refused": _why(request, refused),
        "tried": tried or {},
    }
    return page(request, "webhooks.html", context, service="notify", caller=caller, status=refused.status if refused else 200)


def _why(request: Request, refused: Problem | None) -> tuple[str, str | None] | None:
    """What a refusal says, and the code of the first wrong field."""
    if refused is None:
        return None
    errors = (refused.extras or {}).get("errors") or []
    return told(request, refused), errors[0]["code"] if errors else None


@router.post("")
async def add(request: Request, caller: Caller = Manager) -> Response:
    """Add a target; a webhook's secret is on the page that answers and nowhere else."""
    svc: Service = request.app.state.service
    sent = await read_form(request, TargetForm)
    tried = sent.model_dump(mode="json", exclude={"idempotency_key"})
    try:
        new = await commands.target_of(svc, EndpointIn(**tried))
        async with db.begin(svc.engine) as conn:
            row, secret = await commands.create(conn, svc, caller, new, clock.now())
    except REFUSALS as refused:
        return await _console(request, caller, refused=refused, tried=tried)
    if secret is None:
        return see_other(request, f"/webhooks/{row.id}", done="saved")
    return await _one(request, caller, row.id, secret=secret)


@router.get("/{endpoint_id}")
async def one(
    request: Request, endpoint_id: UUID, state: State | None = None, cursor: Annotated[str | None, Query(max_length=300)] = None,
    queued: Annotated[int | None, Query(ge=0, le=MOST_AGAIN)] = None, after: Annotated[str | None, Query(max_length=200)] = None,
    everything: bool = False, caller: Caller = Manager,
) -> Response:  # fmt: skip
    """One target: how it does, its messages, and what can be done about it."""
    more = {"queued": queued, "after": after, "everything": everything}
    return await _one(request, caller, endpoint_id, state, cursor, more=more)


async def _one(
    request: Request, caller: Caller, endpoint_id: UUID, state: State | None = None, cursor: str | None = None, *,
    refused: Problem | None = None, secret: str | None = None, more: dict[str, Any] | None = None,
) -> Response:  # fmt: skip
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        row = await queries.one(conn, caller, endpoint_id)
        numbers = (await queries.waiting(conn, [endpoint_id]))[endpoint_id]
        messages, following = await queries.list_deliveries(conn, caller, endpoint_id, cursor, A_PAGE, state)
        await audit.record(conn, kit, caller, "webhook.read", "endpoint", [endpoint_id], now)
    context = {
        "t": queries.endpoint_out(row, now),
        "plan": row.plan,
        "robot": row.channel in ROBOTS,
        "numbers": numbers,
        "most": queries.COUNT_UP_TO,
        "state": state,
        "messages": [queries.delivery_out(one) for one in messages],
        "next": following,
        "secret": secret,
        "refused": _why(request, refused),
        "today": local_day(now),
        "most_again": MOST_AGAIN,
        **({"queued": None, "after": None, "everything": False} | (more or {})),
    }
    status = refused.status if refused else 200
    answer = page(request, "webhook.html", context, service="notify", caller=caller, status=status)
    if secret is not None:
        answer.headers["cache-control"] = "no-store"
    return answer


@router.post("/{endpoint_id}/settings")
async def change(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> Response:
    """Name it, say whether it gets urgent ones only, and how many."""
    sent = await read_form(request, ChangeForm)
    return await _changed(request, caller, endpoint_id, sent.version, sent.model_dump(exclude={"idempotency_key", "version"}))


@router.post("/{endpoint_id}/switch")
async def switch(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> Response:
    """On, its failures forgotten, or off."""
    sent = await read_form(request, SwitchForm)
    return await _changed(request, caller, endpoint_id, sent.version, {"active": sent.active})


async def _changed(request: Request, caller: Caller, endpoint_id: UUID, version: int, changes: dict[str, Any]) -> Response:
    svc: Service = request.app.state.service
    try:
        async with db.begin(svc.engine) as conn:
            await commands.change(conn, caller, endpoint_id, version, changes, clock.now())
    except REFUSALS as refused:
        return await _one(request, caller, endpoint_id, refused=refused)
    return see_other(request, f"/webhooks/{endpoint_id}", done="saved")


@router.post("/{endpoint_id}/secret")
async def rotate(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> Response:
    """A new signing secret, on the page that answers only; sent again by a reload, the same one."""
    svc: Service = request.app.state.service
    sent = await read_form(request, SecretForm)
    asked = endpoint_id.bytes + sent.overlap_hours.to_bytes(2, "big")
    claim = idempotency.claim(svc.settings.keys, caller, "webhook.rotate", str(sent.idempotency_key), asked, endpoint_id)
    try:
        async with db.begin(svc.engine) as conn:
            _, secret = await commands.rotate(
                conn, svc, caller, endpoint_id, sent.version, timedelta(hours=sent.overlap_hours), claim, clock.now()
            )
    except REFUSALS as refused:
        return await _one(request, caller, endpoint_id, refused=refused)
    return await _one(request, caller, endpoint_id, secret=secret)


@router.post("/{endpoint_id}/ping")
async def ping(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> Response:
    """Send a test message."""
    svc: Service = request.app.state.service
    await read_form(request, Form)
    async with db.begin(svc.engine) as conn:
        await commands.ping(conn, caller, endpoint_id, clock.now())
    return see_other(request, f"/webhooks/{endpoint_id}", done="queued")


@router.post("/{endpoint_id}/redelivery")
async def redeliver(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> Response:
    """Send one message again under its id."""
    svc: Service = request.app.state.service
    sent = await read_form(request, MessageForm)
    async with db.begin(svc.engine) as conn:
        await commands.redeliver(conn, caller, endpoint_id, [sent.message], clock.now())
    return see_other(request, f"/webhooks/{endpoint_id}", done="queued")


@router.post("/{endpoint_id}/replay")
async def replay(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> Response:
    """Send what came since a day once more, a thousand at a time; what arrived only when everything is asked for."""
    svc: Service = request.app.state.service
    sent = await read_form(request, AgainForm)
    asked = endpoint_id.bytes + orjson.dumps(sent.model_dump(mode="json", exclude={"idempotency_key"}))
    claim = idempotency.claim(svc.settings.keys, caller, "webhook.replay", str(sent.idempotency_key), asked, endpoint_id)
    async with db.begin(svc.engine) as conn:
        cursor = sent.after
        if cursor is None and sent.day is not None:
            cursor = await queries.before_day(conn, await queries.one(conn, caller, endpoint_id), sent.day)
            if cursor is None:
                return see_other(request, f"/webhooks/{endpoint_id}?queued=0")
        queued, following = await commands.replay(
            conn, caller, endpoint_id, cursor, MOST_AGAIN, not sent.everything, claim, clock.now()
        )
    on = f"&after={following}&everything={str(sent.everything).lower()}" if following else ""
    return see_other(request, f"/webhooks/{endpoint_id}?queued={queued}{on}")


@router.post("/{endpoint_id}/removal")
async def remove(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> Response:
    """Forget a target."""
    svc: Service = request.app.state.service
    sent = await read_form(request, VersionedForm)
    try:
        async with db.begin(svc.engine) as conn:
            await commands.remove(conn, caller, endpoint_id, sent.version, clock.now())
    except NotFound:
        pass  # it is gone, as wanted
    except REFUSALS as refused:
        return await _one(request, caller, endpoint_id, refused=refused)
    return see_other(request, "/webhooks", done="removed")
