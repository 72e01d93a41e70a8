"""Access tokens: JWT (RFC 7519) signed with Ed25519 (RFC 8037) by notify, verified by every service alone."""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.events import Event
from shared.events.notify import PrincipalPublished
from shared.kit import clock
from shared.kit.access import Caller
from shared.kit.db import begin, insert_many
from shared.kit.problem import NotAuthenticated
from shared.rules.plan import Plan
from shared.rules.plan.vocabulary import scope_parts

ISSUER = "dachuan"
"""The issuer of tokens that tools of this house sign themselves; those that notify gives out name its address, as its
metadata does (RFC 8414)."""
_CACHED = 20_000


def issue(
    key: OKPKey,
    *,
    principal_id: str,
    kind: str,
    plan: str,
    agency: str,
    unit: str | None,
    posts: Sequence[str],
    areas: Sequence[str],
    scopes: Sequence[str],
    now: datetime,
    lifetime: timedelta,
    issuer: str = ISSUER,
) -> str:
    """A signed token; notify alone holds the key."""
    claims = {
        "iss": issuer,
        "sub": principal_id,
        "kind": kind,
        "plan": plan,
        "agency": agency,
        "unit": unit,
        "posts": list(posts),
        "areas": list(areas),
        "scope": " ".join(scopes),
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    return jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key, algorithms=["Ed25519"])


class Directory:
    """What this service last heard of who exists: the `principal` table, held in memory."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._standing: dict[str, tuple[bool, float]] = {}

    async def refresh(self, engine: AsyncEngine) -> None:
        """Reload from the table."""
        p = self._table
        async with begin(engine) as conn:
            rows = (await conn.execute(select(p.c.id, p.c.active, p.c.valid_from))).all()
        self._standing = {row.id: (bool(row.active), row.valid_from.timestamp()) for row in rows}

    def refuses(self, principal_id: str, issued_at: float) -> bool:
        """True when the principal is known to be gone, or signed out everywhere since the token was issued.

        One not heard of yet is admitted on the signature: the directory may arrive after the first token.
        """
        standing = self._standing.get(principal_id)
        return standing is not None and (not standing[0] or issued_at < int(standing[1]))


class Authenticator:
    """Turns a token into a Caller with the rights that the plan grants."""

    def __init__(
        self, jwks_file: Path, plans: Mapping[str, Plan], directory: Directory, issuer: str = ISSUER
    ) -> None:
        self._issuers = (issuer, ISSUER)
        self._keys = KeySet.import_key_set(json.loads(jwks_file.read_text()))
        self._plans = plans
        self._directory = directory
        self._known: OrderedDict[tuple[str, bool], tuple[Caller, float, float]] = OrderedDict()

    def caller(self, token: str, *, by_cookie: bool) -> Caller:
        """The caller a token speaks for; NotAuthenticated when it is forged, expired or withdrawn."""
        known = self._known.get((token, by_cookie))
        if known is None:
            known = self._verify(token, by_cookie)
            self._known[token, by_cookie] = known
            if len(self._known) > _CACHED:
                self._known.popitem(last=False)
        caller, issued_at, expires_at = known
        if clock.now().timestamp() >= expires_at or self._directory.refuses(caller.id, issued_at):
            raise NotAuthenticated("登录已过期或已注销，请重新登录。 The sign-in has ended; sign in again.")
        return caller

    def _verify(self, token: str, by_cookie: bool) -> tuple[Caller, float, float]:
        try:
            claims: dict[str, Any] = jwt.decode(token, self._keys, algorithms=["Ed25519"]).claims
            if claims["iss"] not in self._issuers:
                raise ValueError
            issued_at, expires_at = float(claims["iat"]), float(claims["exp"])
            plan = self._plans.get(claims["plan"])
            posts = tuple(claims["posts"])
            rights = self._rights(plan, claims, posts)
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise NotAuthenticated("令牌无效。 The token is not valid.") from error
        return (
            Caller(
                kind=claims["kind"],
                id=claims["sub"],
                plan=claims["plan"],
                agency=claims["agency"],
                unit=claims.get("unit"),
                posts=posts,
                areas=tuple(claims["areas"]),
                rights=rights,
                by_cookie=by_cookie,
            ),
            issued_at,
            expires_at,
        )

    @staticmethod
    def _rights(plan: Plan | None, claims: Mapping[str, Any], posts: tuple[str, ...]) -> dict[str, Any]:
        if plan is None:
            return {}
        granted = dict(plan.grants_for(claims["agency"], posts))
        if claims["kind"] == "officer":
            return granted
        scopes = map(scope_parts, claims["scope"].split())
        return {right: reach or granted.get(right, "own_agency") for right, reach in scopes}


async def apply_directory(conn: AsyncConnection, table: Table, events: Sequence[Event[PrincipalPublished]]) -> None:
    """Keep the newest standing of each principal."""
    newest = {event.data.principal_id: event.data for event in events}
    await insert_many(
        conn,
        table,
        [principal_row(data) for data in newest.values()],
        conflict=(
            "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, plan = excluded.plan, agency = excluded.agency, "
            "unit = excluded.unit, posts = excluded.posts, areas = excluded.areas, scopes = excluded.scopes, "
            "active = excluded.active, valid_from = greatest(principal.valid_from, excluded.valid_from)"
        ),
    )


def principal_row(data: PrincipalPublished) -> dict[str, Any]:
    """A published principal as a row of the `principal` table."""
    return {
        "id": data.principal_id,
        "kind": data.kind,
        "plan": data.plan,
        "agency": data.agency,
        "unit": data.unit,
        "posts": list(data.posts),
        "areas": list(data.areas),
        "scopes": list(data.scopes),
        "active": int(data.active),
        "valid_from": data.valid_from.astimezone(UTC),
    }
