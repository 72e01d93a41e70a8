"""Signing in and out of all services at once."""

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.notify import metrics
from services.notify.adapters import passwords
from services.notify.commands import sessions
from services.notify.domain.redirects import safe_next
from services.notify.pages import session_cookie
from services.notify.settings import Settings
from shared.kit import clock, db
from shared.kit.access import Caller, Public, SignedIn, same_origin
from shared.kit.problem import Forbidden, Problem
from shared.kit.service import Service
from shared.web.forms import Form, read_form, see_other
from shared.web.render import page

router = APIRouter(tags=["pages"], include_in_schema=False)

Anyone = Depends(Public("nobody is signed in yet"))
Somebody = Depends(SignedIn())


class SignIn(Form):
    login: str = ""
    password: str = ""
    code: str = ""
    next: str = ""
    new_password: str | None = None
    repeated: str | None = None


def after(request: Request, wanted: str | None) -> str:
    """Where to go after signing in."""
    settings: Settings = request.app.state.settings
    return safe_next(wanted, settings.bases, f"{settings.root_path}/")


@router.get("/sign-in")
async def form(request: Request, next: str = "", why: str = "", caller: Caller = Anyone) -> Response:
    """The sign-in page."""
    return _shown(request, next, refused="oidc" if why == "oidc" else None)


@router.post("/sign-in")
async def sign_in(request: Request, caller: Caller = Anyone) -> Response:
    """Take login, password and one-time code; the answer to a wrong one tells nothing about which it was."""
    if not same_origin(request):
        raise Forbidden("请求不是从本系统页面发出的，已拒绝。 The request did not come from our own pages.")
    svc: Service = request.app.state.service
    sent = await read_form(request, SignIn)
    fault = _fault_of(sent)
    if fault:
        return _shown(request, sent.next, sent.login, refused=fault, change=True, status=422)
    async with db.begin(svc.engine) as conn:
        attempt = await sessions.open_attempt(conn, svc, sent.login, clock.now())
    right = await passwords.matches(sent.password[:1000], attempt.password_hash)
    new_hash = await passwords.hashed(sent.new_password) if right and sent.new_password is not None else None
    async with db.begin(svc.engine) as conn:
        row = await sessions.close_attempt(conn, svc, attempt, right, sent.code, clock.now(), new_hash=new_hash)
    if row is None:
        metrics.SIGN_INS.labels("locked" if attempt.locked else "refused").inc()
        return _shown(request, sent.next, sent.login, refused="wrong", change=sent.new_password is not None, status=401)
    if row.must_change:
        return _shown(request, sent.next, row.login, change=True)
    metrics.SIGN_INS.labels("ok").inc()
    response = RedirectResponse(after(request, sent.next), status_code=303)
    session_cookie.start(request, response, row)
    return response


def _fault_of(sent: SignIn) -> str | None:
    if sent.new_password is None:
        return None
    if sent.new_password != sent.repeated:
        return "repeat"
    try:
        sessions.check_new_password(sent.new_password, sent.login.strip().lower())
    except Problem:
        return "weak"
    return "same" if sent.new_password == sent.password else None


def _shown(
    request: Request,
    next: str,
    login: str = "",
    *,
    refused: str | None = None,
    change: bool = False,
    status: int = 200,
) -> Response:
    settings: Settings = request.app.state.settings
    target = after(request, next)
    context = {
        "next": target if target != f"{settings.root_path}/" else "",
        "login": login[:64],
        "refused": refused,
        "change": change,
        "oidc": settings.oidc_label if request.app.state.oidc.configured else None,
    }
    return page(request, "sign_in.html", context, service="notify", status=status)


@router.get("/sign-out")
async def asked_to_sign_out(request: Request, caller: Caller = Anyone) -> Response:
    """A page with the button: a link alone must not end a session."""
    if caller.kind != "officer":
        return see_other(request, "/sign-in", done="signed-out")
    return page(request, "sign_out.html", {}, service="notify", caller=caller)


@router.post("/sign-out")
async def sign_out(request: Request, caller: Caller = Somebody) -> Response:
    """End all sessions of the account, on every device and at every service."""
    svc: Service = request.app.state.service
    if caller.kind == "officer":
        async with db.begin(svc.engine) as conn:
            await sessions.withdraw(conn, caller, clock.now())
        await svc.directory.refresh(svc.engine)
    response = see_other(request, "/sign-in", done="signed-out")
    session_cookie.end(request, response)
    return response
