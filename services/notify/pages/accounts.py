"""Officers' accounts for their manager: who needs something, make one, change one. Agencies' systems: systems.py."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StringConstraints

from services.notify.commands import directory as commands
from services.notify.domain.standing import Standing
from services.notify.pages.account_parts import (
    REFUSALS,
    Manager,
    Refused,
    choices,
    first_time,
    plan_asked,
    plans_of,
    why,
)
from services.notify.queries import directory as queries
from services.notify.queries.roster import account_id as own_account
from services.notify.schemas.base import Codes, Name
from services.notify.tables import accounts, kit, systems
from shared.kit import audit, clock, db
from shared.kit.access import Caller
from shared.kit.problem import Problem
from shared.kit.service import Service
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter(prefix="/accounts", tags=["pages"], include_in_schema=False)

SHOWN = 50
Place = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}(/[a-z0-9][a-z0-9_-]{0,47})?$")]
"""An agency, or one of its units: `police`, `police/command_centre`."""


class NewForm(Form):
    """An account to be made."""

    login: str = Field(max_length=64)
    display: Name
    plan: str = Field(max_length=48)
    place: Place
    posts: Codes = Field(default=[])
    areas: Codes = Field(default=[])
    oidc_subject: str | None = Field(None, max_length=255)
    outside_only: bool = False


class StandingForm(VersionedForm):
    place: Place
    posts: Codes = Field(default=[])
    areas: Codes = Field(default=[])


class SwitchForm(VersionedForm):
    active: bool


@router.get("")
async def list_accounts(
    request: Request,
    q: Annotated[str | None, Query(max_length=80)] = None,
    needs: queries.State | None = None,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    caller: Caller = Manager,
) -> Response:
    """The accounts, those that need something first; on the first page the clients of agencies' systems too."""
    svc: Service = request.app.state.service
    now, words = clock.now(), (q or "").strip()
    async with db.begin(svc.engine) as conn:
        following = None
        if words:
            rows = await queries.named(conn, svc.settings.keys, caller, words, SHOWN, now)
        else:
            rows, following = await queries.by_need(conn, caller, needs, cursor, SHOWN, now)
        numbers = await queries.counts(conn, caller, now)
        clients = []
        if cursor is None and not words and needs is None:
            clients, _ = await queries.list_rows(conn, caller, systems, systems.c.client_id, None, 200)
        await audit.record(conn, kit, caller, "account.listed", "account", [row.id for row in rows], now)
    context = {
        "lines": [(queries.account_out(svc.settings.keys, row), queries.state_of(row, now)) for row in rows],
        "systems": [queries.system_out(row) for row in clients],
        "numbers": numbers,
        "needs": needs,
        "q": words,
        "cut": bool(words) and len(rows) == SHOWN,
        "first": cursor is None,
        "following": following,
        "several": len(plans_of(svc, caller)) > 1,
    }
    return page(request, "accounts.html", context, service="notify", caller=caller)


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
        "choices": choices(known),
        "tried": tried or {},
        "refused": refused,
        "missed": [],
    }
    status = refused.status if refused else 200
    return page(request, "directory_account_new.html", context, service="notify", caller=caller, status=status)


@router.post("")
async def make(request: Request, caller: Caller = Manager) -> Response:
    """Make an account; its first password is on the page that answers and nowhere else."""
    svc: Service = request.app.state.service
    sent = await read_form(request, NewForm)
    standing = _standing(sent.plan, sent.place, sent.posts, sent.areas)
    try:
        commands.check_standing(svc, caller, "directory.manage", standing)
        login = commands.usable_login(sent.login)
        password, hashed = (None, None) if sent.outside_only else await commands.fresh_password()
        async with db.begin(svc.engine) as conn:
            first, key = await first_time(conn, svc, caller, "account.create", sent)
            if first:
                made = commands.NewAccount(login, sent.display, standing, hashed, sent.oidc_subject, id=key)
                await commands.create_account(conn, svc, caller, made, clock.now())
    except REFUSALS as problem:
        return _new(request, caller, sent.plan, why(request, problem), sent.model_dump(exclude={"idempotency_key"}))
    if not first:
        return see_other(request, f"/accounts/{key}", done="sent_before")
    if password is None:
        return see_other(request, f"/accounts/{key}", done="saved")
    return await _one(request, caller, key, password=password)


def _standing(plan: str, place: str, posts: list[str], areas: list[str]) -> Standing:
    agency, _, unit = place.partition("/")
    return Standing(plan, agency, unit or None, tuple(posts), tuple(areas))


@router.get("/{account_id}")
async def one(request: Request, account_id: UUID, caller: Caller = Manager) -> Response:
    """One account: what it may, how it signs in, what was done with it."""
    return await _one(request, caller, account_id)


async def _one(
    request: Request, caller: Caller, account_id: UUID, *, password: str | None = None, refused: Refused | None = None
) -> Response:
    svc: Service = request.app.state.service
    now, keys = clock.now(), svc.settings.keys
    async with db.begin(svc.engine) as conn:
        row = await queries.one(conn, caller, accounts, account_id)
        changes = await queries.history(conn, keys, account_id)
        await audit.record(conn, kit, caller, "account.read", "account", [row.id], now)
    plan = svc.plans.get(row.plan)
    context = {
        "a": queries.account_out(keys, row),
        "state": queries.state_of(row, now),
        "failed": row.failed,
        "has_password": row.password_hash is not None,
        "must_change": row.must_change,
        "created_at": row.created_at,
        "own": own_account(caller) == row.id,
        "choices": choices(plan, row) if plan else None,
        "password": password,
        "refused": refused,
        "missed": refused.missed(changes) if refused else [],
        "history": changes,
    }
    status = refused.status if refused else 200
    return page(request, "directory_account.html", context, service="notify", caller=caller, status=status)


async def _changed(
    request: Request, caller: Caller, account_id: UUID, sent: VersionedForm, what: str, changes: dict[str, Any]
) -> tuple[bool, Problem | None]:
    """Change the account by the command of the API: whether this was the first time, and the refusal if there is one."""
    svc: Service = request.app.state.service
    try:
        async with db.begin(svc.engine) as conn:
            first, _ = await first_time(conn, svc, caller, what, sent, account_id)
            if first:
                await commands.change_account(conn, svc, caller, account_id, sent.version, changes, clock.now())
    except REFUSALS as problem:
        return False, problem
    await svc.directory.refresh(svc.engine)
    return first, None


async def _change(
    request: Request, caller: Caller, account_id: UUID, sent: VersionedForm, what: str, changes: dict[str, Any]
) -> Response:
    _, problem = await _changed(request, caller, account_id, sent, what, changes)
    if problem is not None:
        return await _one(request, caller, account_id, refused=why(request, problem, sent.version))
    return see_other(request, f"/accounts/{account_id}", done="saved")


@router.post("/{account_id}/standing")
async def change_standing(request: Request, account_id: UUID, caller: Caller = Manager) -> Response:
    """Another agency, unit, other posts or areas."""
    sent = await read_form(request, StandingForm)
    agency, _, unit = sent.place.partition("/")
    changes = {"agency": agency, "unit": unit or None, "posts": sent.posts, "areas": sent.areas}
    return await _change(request, caller, account_id, sent, "account.standing", changes)


@router.post("/{account_id}/switch")
async def switch(request: Request, account_id: UUID, caller: Caller = Manager) -> Response:
    """Off: nobody signs in by it any more; or on again."""
    sent = await read_form(request, SwitchForm)
    return await _change(request, caller, account_id, sent, "account.switch", {"active": sent.active})


@router.post("/{account_id}/unlock")
async def unlock(request: Request, account_id: UUID, caller: Caller = Manager) -> Response:
    """Forget the failed tries."""
    sent = await read_form(request, VersionedForm)
    return await _change(request, caller, account_id, sent, "account.unlock", {"unlock": True})


@router.post("/{account_id}/totp")
async def remove_totp(request: Request, account_id: UUID, caller: Caller = Manager) -> Response:
    """Take the one-time code away, for whoever lost the phone."""
    sent = await read_form(request, VersionedForm)
    return await _change(request, caller, account_id, sent, "account.totp", {"reset_totp": True})


@router.post("/{account_id}/password")
async def reset_password(request: Request, account_id: UUID, caller: Caller = Manager) -> Response:
    """A new first password, on the page that answers and nowhere else."""
    sent = await read_form(request, VersionedForm)
    password, hashed = await commands.fresh_password()
    first, problem = await _changed(request, caller, account_id, sent, "account.password", {"password_hash": hashed})
    if problem is not None:
        return await _one(request, caller, account_id, refused=why(request, problem, sent.version))
    if not first:
        return see_other(request, f"/accounts/{account_id}", done="sent_before")
    return await _one(request, caller, account_id, password=password)
