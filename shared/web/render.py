"""Pages: `page` renders a template of a service within the shared layout; `error_page` tells a problem to a person."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from shared.kit import clock
from shared.kit.access import ANONYMOUS, Caller, authenticate, sign_in_address
from shared.kit.problem import NotFound, Problem
from shared.web import i18n, wording
from shared.web.static_files import mount_static
from shared.web.view import View, current, for_request, showing, shown

__all__ = ["environment", "error_page", "mount_static", "page", "told"]

_ROOT = Path(__file__).resolve().parents[2]
_LANGUAGE_KEPT = int(timedelta(days=365).total_seconds())
_BOTH = re.compile(r"^(?P<zh>.*?[。！？；）])\s+(?P<en>[A-Z\"“].*)$", re.DOTALL)

_OF_THE_VIEW = (
    "url", "static", "dt", "day", "remaining", "span", "clock_tone", "limit", "interval", "badge", "word", "words", "plan_name", "area_name",
    "agency_name", "post_name", "has_right", "here", "new_key", "field_id", "icon",
)  # fmt: skip


def _asking(name: str) -> Any:
    """A template function that asks the view of the request being rendered."""

    def ask(*args: Any, **kwargs: Any) -> Any:
        return getattr(current(), name)(*args, **kwargs)

    return ask


@cache
def environment(service: str) -> Environment:
    """The templates of a service: its own folder first, then the shared ones. Autoescape, no undefined names."""
    env = Environment(
        loader=ChoiceLoader(
            [
                FileSystemLoader(_ROOT / "services" / service / "templates"),
                FileSystemLoader(Path(__file__).parent / "templates"),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: current().gettext(text),
        lambda one, many, number: current().ngettext(one, many, number),
        newstyle=True,
    )
    for name in _OF_THE_VIEW:
        env.globals[name] = env.filters[name] = _asking(name)
    env.globals["view"] = current
    return env


def page(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    service: str,
    status: int = 200,
    public: bool = False,
    caller: Caller | None = None,
) -> HTMLResponse:
    """A page of a service.

    The caller is found from the request unless given. A `public` page knows nobody: it reads and sets no cookie.
    No page is kept by a cache, since what it shows may be protected.
    """
    known = ANONYMOUS if public else (caller or authenticate(request) or ANONYMOUS)
    view = for_request(request, service, known, clock.now(), public=public)
    return _answer(view, template, context, status)


def error_page(request: Request, problem: Any) -> Response:
    """A problem as a page: what happened, what was kept, what next, and a number to quote."""
    settings = request.app.state.settings
    view = for_request(request, settings.service, _caller_if_any(request), clock.now())
    wrong = problem.extras.get("errors", [])
    if wrong and all(str(one["field"]).startswith("path.") for one in wrong):
        problem = NotFound("没有这个页面，请核对网址。 There is no such page; check the address.")
    status = int(problem.status)
    happened, then = wording.WENT_WRONG.get(status, wording.UNEXPECTED)
    detail = _in_language(problem.detail, view.locale) if isinstance(problem, Problem) else None
    sign_in = None
    if status == 401:
        sign_in = sign_in_address(view.url("notify", ""), view.url("notify", "/"))
    answer = _answer(
        view,
        "error.html",
        {
            "status": status,
            "happened": view.gettext(happened),
            "detail": detail or view.gettext(then),
            "fields": [dict(field) for field in problem.extras.get("errors", [])][:20],
            "sign_in": sign_in,
        },
        status,
    )
    for name, value in (problem.headers or {}).items():
        answer.headers[name] = value
    return answer


def told(request: Request, problem: Problem) -> str:
    """What a problem says, in the language of a public page."""
    view = for_request(request, request.app.state.settings.service, ANONYMOUS, clock.now(), public=True)
    happened, then = wording.WENT_WRONG.get(int(problem.status), wording.UNEXPECTED)
    return _in_language(problem.detail, view.locale) or f"{view.gettext(happened)} {view.gettext(then)}"


def _caller_if_any(request: Request) -> Caller:
    try:
        return authenticate(request) or ANONYMOUS
    except Problem:
        return ANONYMOUS


def _in_language(text: str | None, locale: str) -> str | None:
    """The half of a bilingual sentence in the page's language."""
    found = _BOTH.match(text or "")
    return found["zh" if locale == "zh_CN" else "en"] if found else text


def _answer(view: View, template: str, context: Mapping[str, Any], status: int) -> HTMLResponse:
    token = showing(view)
    try:
        html = environment(view.service).get_template(template).render(**context)
    finally:
        shown(token)
    answer = HTMLResponse(html, status_code=status, headers={"cache-control": "no-store"})
    asked = i18n.known(view.request.query_params.get("lang"))
    if asked and not view.public:
        answer.set_cookie(i18n.LANGUAGE_COOKIE, asked, max_age=_LANGUAGE_KEPT, samesite="lax", path="/")
    return answer
