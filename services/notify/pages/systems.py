"""Clients of agencies' systems for the account manager: make one, say what it may, give it a new secret, end it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.notify.commands import directory as commands
from services.notify.domain import credentials
from services.notify.domain.standing import Standing
from services.notify.pages.account_parts import REFUSALS, Manager, Refused, first_time, plan_asked, plans_of, why
from services.notify.queries import directory as queries
from services.notify.schemas.base import Code
from services.notify.tables import kit, systems
from shared.kit import audit, clock, db
from shared.kit.access import Caller
from shared.kit.problem import Problem
from shared.kit.service import Service
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter(prefix="/accounts/systems", tags=["pages"], include_in_schema=False)

SCOPES = (
    "tip.submit", "tip.read", "lead.read", "case.read", "case.accept", "notice.read", "notice.sign", "webhook.manage",
    "report.read", "score.read", "feed.read", "trace.read",
)  # fmt: skip
"""What agencies' systems are made for; any other right is given through the directory API."""

Chosen = Annotated[list[Annotated[str, Field(max_length=48)]], Field(max_length=30)]


class NewForm(Form):
    client_id: str = Field(max_length=64)
    plan: str = Field(max_length=48)
    agency: Code
    scopes: Chosen = Field(default=[])


class ScopesForm(VersionedForm):
    scopes: Chosen = Field(default=[])


class SwitchForm(VersionedForm):
    active: bool


@router.get("/new")
async def new(
    request: Request, plan: Annotated[str | None, Query(max_length=48)] = None, caller: Caller = Manager
) -> Response:
    """An empty form."""
    return _new(request, caller, plan)


def _new(
    request: Request, caller: Caller, plan: str | None, refused: Refused | None = None, tried: dict[str, Any] | None = None
) -> Response:
    svc: Service = request.app.state.service
    known = plan_asked(svc, caller, plan)
    context = {
        "plan": known.id,
        "plans": plans_of(svc, caller),
        "agencies": [one.id for one in known.agencies],
        "scopes": SCOPES,
        "tried": tried or {},
        "refused": refused,
        "missed": [],
    }
    status = refused.status if refused else 200
    return page(request, "directory_system_new.html", context, service="notify", caller=caller, status=status)


@router.post("")
async def make(request: Request, caller: Caller = Manager) -> Response:
    """Make a client; its secret is on the page that answers and nowhere else."""
    svc: Service = request.app.state.service
    sent = await read_form(request, NewForm)
    standing = Standing(sent.plan, sent.agency, None, (), ())
    secret = credentials.client_secret()
    try:
        commands.check_standing(svc, caller, "directory.manage", standing)
        client_id = commands.usable_client_id(sent.client_id)
        async with db.begin(svc.engine) as conn:
            first, key = await first_time(conn, svc, caller, "system.create", sent)
            if first:
                await commands.create_system(
                    conn, svc, caller, client_id, secret, standing, tuple(sent.scopes), clock.now(), system_id=key
                )
    except REFUSALS as problem:
        return _new(request, caller, sent.plan, why(request, problem), sent.model_dump(exclude={"idempotency_key"}))
    if not first:
        return see_other(request, f"/accounts/systems/{key}", done="sent_before")
    return await _one(request, caller, key, secret=secret)


@router.get("/{system_id}")
async def one(request: Request, system_id: UUID, caller: Caller = Manager) -> Response:
    """One client: what it may, and what was done with it."""
    return await _one(request, caller, system_id)


async def _one(
    request: Request, caller: Caller, system_id: UUID, *, secret: str | None = None, refused: Refused | None = None
) -> Response:
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        row = await queries.one(conn, caller, systems, system_id)
        changes = await queries.history(conn, svc.settings.keys, system_id)
        await audit.record(conn, kit, caller, "system.read", "system", [row.id], clock.now())
    context = {
        "s": queries.system_out(row),
        "created_at": row.created_at,
        "scopes": [*SCOPES, *(scope for scope in row.scopes if scope not in SCOPES)],
        "secret": secret,
        "refused": refused,
        "missed": refused.missed(changes) if refused else [],
        "history": changes,
    }
    status = refused.status if refused else 200
    return page(request, "directory_system.html", context, service="notify", caller=caller, status=status)


async def _changed(
    request: Request, caller: Caller, system_id: UUID, sent: VersionedForm, what: str, changes: dict[str, Any]
) -> tuple[bool, Problem | None]:
    """Change the client by the command of the API: whether this was the first time, and the refusal if there is one."""
    svc: Service = request.app.state.service
    try:
        async with db.begin(svc.engine) as conn:
            first, _ = await first_time(conn, svc, caller, what, sent, system_id)
            if first:
                await commands.change_system(conn, svc, caller, system_id, sent.version, changes, clock.now())
    except REFUSALS as problem:
        return False, problem
    await svc.directory.refresh(svc.engine)
    return first, None


async def _change(
    request: Request, caller: Caller, system_id: UUID, sent: VersionedForm, what: str, changes: dict[str, Any]
) -> Response:
    _, problem = await _changed(request, caller, system_id, sent, what, changes)
    if problem is not None:
        return await _one(request, caller, system_id, refused=why(request, problem, sent.version))
    return see_other(request, f"/accounts/systems/{system_id}", done="saved")


@router.post("/{system_id}/scopes")
async def change_scopes(request: Request, system_id: UUID, caller: Caller = Manager) -> Response:
    """Other things it may do; tokens it holds end."""
    sent = await read_form(request, ScopesForm)
    return await _change(request, caller, system_id, sent, "system.scopes", {"scopes": sent.scopes})


@router.post("/{system_id}/switch")
async def switch(request: Request, system_id: UUID, caller: Caller = Manager) -> Response:
    """Off: its tokens end; or on again."""
    sent = await read_form(request, SwitchForm)
    return await _change(request, caller, system_id, sent, "system.switch", {"active": sent.active})


@router.post("/{system_id}/secret")
async def rotate(request: Request, system_id: UUID, caller: Caller = Manager) -> Response:
    """A new secret, on the page that answers and nowhere else; the old one ends."""
    sent = await read_form(request, VersionedForm)
    secret = credentials.client_secret()
    first, problem = await _changed(request, caller, system_id, sent, "system.secret", {"secret": secret})
    if problem is not None:
        return await _one(request, caller, system_id, refused=why(request, problem, sent.version))
    if not first:
        return see_other(request, f"/accounts/systems/{system_id}", done="sent_before")
    return await _one(request, caller, system_id, secret=secret)
