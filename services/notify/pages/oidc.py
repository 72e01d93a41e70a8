"""Sign-in at an outside OpenID provider: there and back."""

from dataclasses import asdict

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.notify import metrics
from services.notify.adapters.oidc import Pending, Provider, ProviderError
from services.notify.commands import sessions
from services.notify.pages import session_cookie
from services.notify.pages.sign_in import after
from services.notify.settings import Settings
from shared.kit import clock, db
from shared.kit.access import Caller, Public
from shared.kit.crypto import UnreadableSecretError
from shared.kit.logs import log
from shared.kit.problem import NotFound
from shared.kit.service import Service
from shared.web.forms import see_other

router = APIRouter(prefix="/sign-in/oidc", tags=["pages"], include_in_schema=False)

Anyone = Depends(Public("nobody is signed in yet"))

COOKIE = "dachuan_oidc"
_BOUND = b"sign-in at the outside provider"


def _provider(request: Request) -> Provider:
    provider: Provider = request.app.state.oidc
    if not provider.configured:
        raise NotFound("未配置统一身份认证。 No outside sign-in is configured.")
    return provider


@router.get("")
async def begin(request: Request, next: str = "", caller: Caller = Anyone) -> Response:
    """Send the browser to the provider."""
    provider = _provider(request)
    settings: Settings = request.app.state.settings
    try:
        address, pending = await provider.begin(after(request, next))
    except ProviderError as error:
        return _refused(request, error)
    response = RedirectResponse(address, status_code=303)
    sealed = settings.keys.seal("contact", _BOUND, orjson.dumps(asdict(pending)))
    response.set_cookie(
        COOKIE, sealed.hex(), max_age=600, path=f"{settings.root_path}/sign-in/oidc",
        secure=not settings.local_mode, httponly=True, samesite="lax",
    )  # fmt: skip
    return response


@router.get("/callback")
async def callback(request: Request, state: str = "", code: str = "", caller: Caller = Anyone) -> Response:
    """Back from the provider: the subject must be one that an account of ours names."""
    provider = _provider(request)
    svc: Service = request.app.state.service
    try:
        sealed = bytes.fromhex(request.cookies.get(COOKIE, ""))
        pending = Pending(**orjson.loads(svc.settings.keys.open("contact", _BOUND, sealed)))
        subject = await provider.finish(pending, state, code)
    except (UnreadableSecretError, ValueError, TypeError) as error:
        return _refused(request, error)
    except ProviderError as error:
        return _refused(request, error)
    async with db.begin(svc.engine) as conn:
        row = await sessions.of_subject(conn, svc, subject, clock.now())
    if row is None:
        return _refused(request, ProviderError("unknown-subject"))
    metrics.SIGN_INS.labels("ok").inc()
    response = RedirectResponse(after(request, pending.next), status_code=303)
    response.delete_cookie(COOKIE, path=f"{svc.settings.root_path}/sign-in/oidc")
    session_cookie.start(request, response, row)
    return response


def _refused(request: Request, error: Exception) -> Response:
    metrics.SIGN_INS.labels("refused").inc()
    log.warning("oidc.refused", reason=str(error) if isinstance(error, ProviderError) else "cookie")
    response = see_other(request, "/sign-in?why=oidc")
    response.delete_cookie(COOKIE, path=f"{request.app.state.settings.root_path}/sign-in/oidc")
    return response
