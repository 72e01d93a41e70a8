"""An officer's own account: who the system takes them for, password, one-time code."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup

from services.notify.adapters import passwords, totp
from services.notify.commands import sessions
from services.notify.pages import session_cookie
from services.notify.queries import directory as queries
from shared.kit import clock, db
from shared.kit.access import Caller, SignedIn
from shared.kit.problem import Problem
from shared.kit.service import Service
from shared.web.forms import Form, read_form, see_other
from shared.web.render import page

router = APIRouter(prefix="/account", tags=["pages"], include_in_schema=False)

Somebody = Depends(SignedIn())
ISSUER = "Dachuan 打传"


class NewPassword(Form):
    password: str = ""
    new_password: str = ""
    repeated: str = ""


class Code(Form):
    code: str = ""


@router.get("")
async def account(request: Request, caller: Caller = Somebody) -> Response:
    """The account page."""
    return await _shown(request, caller)


async def _shown(request: Request, caller: Caller, *, fault: str | None = None, status: int = 200) -> Response:
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        row = await queries.account_of(conn, caller)
    context: dict[str, Any] = {
        "login": row.login,
        "display": queries.display_name(svc.settings.keys, row),
        "has_password": row.password_hash is not None,
        "totp_on": row.totp_secret is not None,
        "fault": fault,
        "pending": None,
    }
    pending = sessions.pending_secret(svc, row)
    if pending:
        address = totp.address(pending, row.login, ISSUER)
        context["pending"] = {"secret": pending, "qr": Markup(totp.qr_svg(address))}
    return page(request, "account.html", context, service="notify", caller=caller, status=status)


@router.post("/password")
async def change_password(request: Request, caller: Caller = Somebody) -> Response:
    """A new password; every other session ends, and failed tries count as at the sign-in."""
    svc: Service = request.app.state.service
    sent = await read_form(request, NewPassword)
    async with db.begin(svc.engine) as conn:
        row = await queries.account_of(conn, caller)
    if sent.new_password != sent.repeated:
        return await _shown(request, caller, fault="repeat", status=422)
    try:
        sessions.check_new_password(sent.new_password, row.login)
    except Problem:
        return await _shown(request, caller, fault="weak", status=422)
    async with db.begin(svc.engine) as conn:
        attempt = await sessions.open_attempt(conn, svc, row.login, clock.now())
    if not await passwords.matches(sent.password[:1000], attempt.password_hash):
        return await _shown(request, caller, fault="wrong", status=422)
    new_hash = await passwords.hashed(sent.new_password)
    async with db.begin(svc.engine) as conn:
        changed = await sessions.change_password(conn, caller, attempt.password_hash or "", new_hash, clock.now())
    await svc.directory.refresh(svc.engine)
    response = see_other(request, "/account", done="password")
    session_cookie.start(request, response, changed)
    return response


@router.post("/totp")
async def begin_totp(request: Request, caller: Caller = Somebody) -> Response:
    """A fresh secret, shown until its first code confirms it."""
    svc: Service = request.app.state.service
    await read_form(request, Form)
    async with db.begin(svc.engine) as conn:
        await sessions.begin_totp(conn, svc, caller, clock.now())
    return see_other(request, "/account")


@router.post("/totp/confirm")
async def confirm_totp(request: Request, caller: Caller = Somebody) -> Response:
    """Put the fresh secret in force."""
    svc: Service = request.app.state.service
    sent = await read_form(request, Code)
    async with db.begin(svc.engine) as conn:
        done = await sessions.confirm_totp(conn, svc, caller, sent.code, clock.now())
    if not done:
        return await _shown(request, caller, fault="code", status=422)
    return see_other(request, "/account", done="saved")


@router.post("/totp/end")
async def end_totp(request: Request, caller: Caller = Somebody) -> Response:
    """Do without one-time codes again."""
    svc: Service = request.app.state.service
    sent = await read_form(request, Code)
    async with db.begin(svc.engine) as conn:
        done = await sessions.end_totp(conn, svc, caller, sent.code, clock.now())
    if not done:
        return await _shown(request, caller, fault="code", status=422)
    return see_other(request, "/account", done="saved")
