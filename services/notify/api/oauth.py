"""Tokens for agencies' systems: OAuth 2.0 client credentials (RFC 6749 §4.4), metadata (RFC 8414), keys (RFC 7517)."""

import base64
import binascii
import json
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from services.notify import metrics
from services.notify.adapters import passwords
from services.notify.domain.credentials import CLIENT_ID
from services.notify.domain.standing import stamp
from services.notify.queries import directory as queries
from services.notify.schemas import TokenOut
from services.notify.settings import Settings
from services.notify.tables import kit
from shared.kit import audit, clock, db, tokens
from shared.kit.access import Caller, Public
from shared.kit.service import Service
from shared.rules.plan.vocabulary import RIGHTS

router = APIRouter(tags=["tokens"])

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
_NOBODY = b"\0" * 32


class TokenError(Exception):
    """An error answer of RFC 6749 §5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        self.error, self.description, self.status = error, description, status


@router.post(
    "/oauth2/token",
    response_model=TokenOut,
    dependencies=[Depends(Public("this is where a system proves who it is", reads_caller=False))],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "required": ["grant_type"],
                        "properties": {
                            "grant_type": {"type": "string", "enum": ["client_credentials"]},
                            "scope": {"type": "string"},
                            "client_id": {"type": "string"},
                            "client_secret": {"type": "string"},
                        },
                    }
                }
            },
        }
    },
)
async def token(request: Request) -> Response:
    """A token for an agency's system; the client proves itself by HTTP Basic or in the form, not both."""
    try:
        answer = await _grant(request)
    except TokenError as error:
        metrics.TOKENS.labels(error.error).inc()
        headers = dict(_NO_STORE)
        if error.status == 401:
            headers["www-authenticate"] = 'Basic realm="dachuan", charset="UTF-8"'
        body = {"error": error.error, "error_description": error.description}
        return JSONResponse(body, status_code=error.status, headers=headers)
    metrics.TOKENS.labels("ok").inc()
    return JSONResponse(answer.model_dump(), headers=_NO_STORE)


async def _grant(request: Request) -> TokenOut:
    form = await _form(request)
    client_id, secret = _credentials(request, form)
    grant_type = form.get("grant_type")
    if not grant_type:
        raise TokenError("invalid_request", "grant_type is missing")
    svc: Service = request.app.state.service
    settings: Settings = request.app.state.settings
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        row = await queries.client(conn, client_id) if CLIENT_ID.fullmatch(client_id) else None
        right = passwords.secret_matches(secret, row.secret_hash if row is not None else _NOBODY)
        if row is None or not right or not _works(row) or row.plan not in svc.plans:
            raise TokenError("invalid_client", "unknown client, wrong secret, or client no longer active", 401)
        if row.demo and not settings.local_mode:
            raise TokenError("invalid_client", "demo clients exist only in the local mode", 401)
        if grant_type != "client_credentials":
            raise TokenError("unsupported_grant_type", "only client_credentials is offered")
        scopes = _scopes(form.get("scope"), row.scopes)
        caller = Caller("system", str(row.id), plan=row.plan, agency=row.agency)
        await audit.record(conn, kit, caller, "token.issued", "system", [row.id], now, scopes=scopes)
    lifetime = timedelta(minutes=settings.token_minutes)
    made = tokens.issue(
        settings.token_key,
        issuer=settings.base_url("notify"),
        principal_id=str(row.id),
        kind="system",
        plan=row.plan,
        agency=row.agency,
        unit=None,
        posts=(),
        areas=(),
        scopes=scopes,
        now=stamp(now, row.valid_from),
        lifetime=lifetime,
    )
    return TokenOut(access_token=made, expires_in=int(lifetime.total_seconds()), scope=" ".join(scopes))


def _works(row: Any) -> bool:
    return row.active and row.asked_by is None


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise TokenError("invalid_request", "send application/x-www-form-urlencoded")
    async with request.form(max_files=0, max_fields=20) as sent:
        found: dict[str, str] = {}
        for name, value in sent.multi_items():
            if name in found:
                raise TokenError("invalid_request", "a parameter is given more than once")
            found[name] = str(value)
    return found


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    header = request.headers.get("authorization")
    in_form = form.get("client_id"), form.get("client_secret")
    if header is None:
        if not in_form[0] or not in_form[1]:
            raise TokenError("invalid_client", "no client authentication", 401)
        return in_form[0], in_form[1]
    if in_form[1] is not None:
        raise TokenError("invalid_request", "use one way of client authentication, not two")
    kind, _, value = header.partition(" ")
    try:
        if kind.lower() != "basic":
            raise ValueError
        raw = base64.b64decode(value.strip(), validate=True).decode()
        client_id, colon, secret = raw.partition(":")
        if not colon:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        raise TokenError("invalid_client", "the Authorization header is not HTTP Basic", 401) from error
    client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    if in_form[0] is not None and in_form[0] != client_id:
        raise TokenError("invalid_request", "two different client ids")
    return client_id, secret


def _scopes(asked: str | None, granted: list[str]) -> list[str]:
    if asked is None or not asked.strip():
        return list(granted)
    wanted = asked.split()
    if any(scope not in granted for scope in wanted):
        raise TokenError("invalid_scope", "the client may not have one of these scopes")
    return sorted(set(wanted))


@router.get("/.well-known/jwks.json", dependencies=[Depends(Public("public keys are public"))])
async def jwks(request: Request) -> dict[str, Any]:
    """The public keys that verify our tokens."""
    settings: Settings = request.app.state.settings
    keys = json.loads(settings.jwks_file.read_text())["keys"]
    return {"keys": [{k: v for k, v in key.items() if k != "d"} for key in keys]}


@router.get("/.well-known/oauth-authorization-server", dependencies=[Depends(Public("published metadata"))])
async def metadata(request: Request) -> dict[str, Any]:
    """Where tokens are had and how (RFC 8414)."""
    base = request.app.state.settings.base_url("notify")
    return {
        "issuer": base,
        "token_endpoint": f"{base}/oauth2/token",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": list(RIGHTS),
        "service_documentation": f"{base}/openapi.json",
    }
