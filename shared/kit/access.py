"""Who may see and do what: one decision, made by agency × area × duty, turned into SQL filters.

Every route depends on `Requires(right)` or `Public(why)`; a guard test refuses a route that has neither.
A right's *reach* says on which objects: `own_unit`, `own_agency`, `own_area`, `plan` or `all`; no reach, no right.
Reaches come from the plan's grants for the caller's agency and posts; an agency's system has the rights of its
OAuth scopes, within its agency.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from fastapi import Request
from sqlalchemy import ColumnElement, false, true

from shared.kit.problem import Forbidden, NotAuthenticated

SESSION_COOKIE = "dachuan_session"
"""One sign-in for one host: the cookie is the token, and every service verifies it alone."""

Kind = Literal["anonymous", "officer", "system", "service"]
Reach = Literal["own_unit", "own_agency", "own_area", "plan", "all"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an officer, an agency's system, one of our services, or nobody known."""

    kind: Kind
    id: str
    plan: str | None = None
    agency: str | None = None
    unit: str | None = None
    posts: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    rights: Mapping[str, Reach] = field(default_factory=dict, hash=False)
    by_cookie: bool = False

    @property
    def actor(self) -> str:
        """How the caller stands in the audit log."""
        return f"{self.kind}:{self.id}" if self.id else self.kind

    def reach(self, right: str) -> Reach | None:
        """On which objects the caller has a right; None: on none."""
        return self.rights.get(right)


ANONYMOUS = Caller("anonymous", "")
"""A citizen: nothing is known, and nothing is asked."""


def service_caller(name: str) -> Caller:
    """The actor behind what a service does by itself (an event applied, a deadline passed)."""
    return Caller("service", name, rights={})


def scope(
    caller: Caller,
    right: str,
    *,
    plan: ColumnElement[Any],
    agency: Callable[[str], ColumnElement[bool]],
    area: ColumnElement[Any] | None = None,
    unit: Callable[[str, str], ColumnElement[bool]] | None = None,
) -> ColumnElement[bool]:
    """The SQL condition for the objects within a caller's reach: the same for lists, counts, links and exports.

    `agency` (and `unit`) make the condition that an object concerns the caller's agency (and unit).
    """
    reach = caller.reach(right)
    if reach is None:
        return false()
    if reach == "all":
        return true()
    within = plan == caller.plan
    if reach == "plan":
        return within
    if reach == "own_area":
        return within & area.in_(caller.areas) if area is not None else false()
    if caller.agency is None:
        return false()
    if reach == "own_unit" and unit is not None and caller.unit:
        return within & unit(caller.agency, caller.unit)
    return within & agency(caller.agency)


class Public:
    """A route open to anyone; `why` says why that is right.

    `reads_caller=False` leaves credentials alone, for a route that judges them itself (the token endpoint).
    """

    def __init__(self, why: str, *, reads_caller: bool = True) -> None:
        self.why = why
        self._reads_caller = reads_caller

    async def __call__(self, request: Request) -> Caller:
        return (authenticate(request) if self._reads_caller else None) or ANONYMOUS


class Requires:
    """A route for callers who hold a right, on some objects at least; which ones, `scope` says."""

    def __init__(self, right: str) -> None:
        self.right = right

    async def __call__(self, request: Request) -> Caller:
        caller = authenticate(request)
        if caller is None:
            raise NotAuthenticated(
                "请登录后重试，或携带有效的访问令牌。 Sign in, or send a valid access token.",
                headers={"www-authenticate": 'Bearer realm="dachuan"'},
            )
        if caller.reach(self.right) is None:
            raise Forbidden(
                "您的岗位没有此项权限；如工作需要，请联系打传办。 Your post does not have this right; ask the office.",
                right=self.right,
            )
        return caller


class SignedIn(Requires):
    """A route for anyone signed in, about themselves alone (their own session, their own settings)."""

    def __init__(self) -> None:
        super().__init__("")

    async def __call__(self, request: Request) -> Caller:
        caller = authenticate(request)
        if caller is None:
            raise NotAuthenticated("请登录后重试。 Sign in and try again.")
        return caller


def authenticate(request: Request) -> Caller | None:
    """The caller of a request, or None without credentials; bad credentials are NotAuthenticated.

    A cookie alone is not enough to change anything from another site: unsafe methods need the browser's word
    that the request comes from our own pages.
    """
    header = request.headers.get("authorization")
    authenticator = request.app.state.authenticator
    if header:
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise NotAuthenticated("只接受 Bearer 令牌。 Only Bearer tokens are accepted.")
        return authenticator.caller(token.strip(), by_cookie=False)
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    try:
        caller = authenticator.caller(token, by_cookie=True)
    except NotAuthenticated:
        return None
    if request.method not in ("GET", "HEAD", "OPTIONS") and not same_origin(request):
        raise Forbidden("请求不是从本系统页面发出的，已拒绝。 The request did not come from our own pages.")
    return caller


def same_origin(request: Request) -> bool:
    """Whether the browser says that the request comes from a page of this very service."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def sign_in_address(notify_url: str, here: str) -> str:
    """Where a browser signs in and comes back from."""
    return f"{notify_url.rstrip('/')}/sign-in?next={quote(here, safe='')}"
