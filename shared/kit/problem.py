"""Problem documents (RFC 9457): what happened, what was kept, what to do next.

Problem
├── BadRequest 400         the request is not readable
├── NotAuthenticated 401   no valid sign-in or token
├── Forbidden 403          signed in, but not entitled
├── NotFound 404           not there, or not for this caller
├── Conflict 409           clashes with what is recorded
├── Outdated 412           somebody changed it meanwhile
├── TooLarge 413           over a limit
├── UnsupportedType 415    another content type is needed
├── Invalid 422            a field is wrong
├── PreconditionRequired 428  If-Match is missing
├── TooMany 429            over a rate
├── Unavailable 503        cannot be done now; nothing was kept
└── NoRoom 507             there is no room left to keep it
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_problem.handler import ExceptionHandler, add_exception_handler, http_exception_handler_
from pydantic import ValidationError
from rfc9457 import Problem as _Problem
from starlette.exceptions import HTTPException

from shared.kit import db
from shared.kit.logs import log

TYPE_PREFIX = "urn:dachuan:problem:"


class Problem(_Problem):
    """Base of every refusal: a stable code, a title in Chinese and English, and what to do."""

    status_code_: int = 500
    code_: str = "internal"
    title_: str = "系统出错 / Internal error"

    def __init__(self, detail: str, *, code: str | None = None, headers: dict[str, str] | None = None, **extras: Any):
        super().__init__(
            title=self.title_,
            type_=TYPE_PREFIX + (code or self.code_),
            detail=detail,
            status=self.status_code_,
            headers=headers,
            **extras,
        )


class BadRequest(Problem):
    status_code_, code_, title_ = 400, "bad-request", "请求无法读取 / The request cannot be read"


class NotAuthenticated(Problem):
    status_code_, code_, title_ = 401, "not-authenticated", "请先登录 / Sign in first"


class Forbidden(Problem):
    status_code_, code_, title_ = 403, "forbidden", "没有权限 / Not permitted"


class NotFound(Problem):
    status_code_, code_, title_ = 404, "not-found", "没有找到 / Not found"


class Conflict(Problem):
    status_code_, code_, title_ = 409, "conflict", "与已有记录冲突 / Conflicts with what is recorded"


class Outdated(Problem):
    status_code_, code_, title_ = 412, "outdated", "内容已被他人更改 / Changed by somebody else meanwhile"


class TooLarge(Problem):
    status_code_, code_, title_ = 413, "too-large", "内容过大 / Too large"


class UnsupportedType(Problem):
    status_code_, code_, title_ = 415, "unsupported-type", "内容类型不对 / Wrong content type"


class Invalid(Problem):
    status_code_, code_, title_ = 422, "invalid", "内容有误 / Some fields are wrong"


class PreconditionRequired(Problem):
    status_code_, code_, title_ = 428, "if-match-required", "缺少版本号 / If-Match is missing"


class TooMany(Problem):
    status_code_, code_, title_ = 429, "too-many", "请求太频繁 / Too many requests"


class Unavailable(Problem):
    status_code_, code_, title_ = 503, "unavailable", "暂时无法处理 / Not possible right now"


class NoRoom(Problem):
    status_code_, code_, title_ = 507, "no-room", "存储空间不足 / No room left"


def field_errors(errors: list[Any]) -> list[dict[str, Any]]:
    """Validation errors as place, code and message; the submitted input is never echoed."""
    return [
        {"field": ".".join(str(p) for p in e["loc"] if p != "body"), "code": e["type"], "message": e["msg"]}
        for e in errors
    ]


def invalid_input(error: ValidationError | RequestValidationError) -> Problem:
    """A validation error of ours or FastAPI's as the right problem: unreadable JSON is 400, wrong fields 422."""
    errors = (
        error.errors(include_input=False, include_url=False, include_context=False)
        if isinstance(error, ValidationError)
        else error.errors()
    )
    if any(e["type"] == "json_invalid" for e in errors):
        return BadRequest(
            "内容不是有效的 JSON，未保存任何内容。 The body is not valid JSON; nothing was kept.", code="bad-json"
        )
    return Invalid(
        "请改正所列字段后重新提交，未保存任何内容。 Correct the listed fields and send again; nothing was kept.",
        errors=field_errors(list(errors)),
    )


def _unhandled(_eh: ExceptionHandler, _request: Request, error: Exception) -> _Problem:
    if isinstance(error, _Problem):
        return error
    if db.unavailable(error):
        return Unavailable(
            "系统暂时无法保存，未保存任何内容，请稍后重试。 Nothing was kept; please try again shortly.",
            headers={"retry-after": "5"},
        )
    log.error("http.unhandled", exc_info=error)
    return Problem("系统出错，已记录。请稍后重试。 The error was recorded; please try again later.")


Answer = Callable[[Request, Exception], Awaitable[Response]]


def install(app: FastAPI, *, page: Callable[[Request, Any], Response | None] = lambda _r, _e: None) -> Answer:
    """Answer every error of an app with a problem document, or with what `page` makes of it for a browser.

    Returns what makes the answer, for errors that are met outside the router.
    """
    handler = ExceptionHandler(
        handlers={
            RequestValidationError: lambda _eh, _r, e: invalid_input(e),
            ValidationError: lambda _eh, _r, e: invalid_input(e),
            HTTPException: http_exception_handler_,
            Exception: _unhandled,
        }
    )

    async def answer(request: Request, error: Exception) -> Response:
        told = (
            error
            if isinstance(error, _Problem)
            else next(
                (make(handler, request, error) for kind, make in handler.handlers.items() if isinstance(error, kind)),
                error,
            )
        )
        return page(request, told) or handler(request, told)

    add_exception_handler(app, handler)
    for kind in (Exception, _Problem, HTTPException, RequestValidationError, ValidationError):
        app.add_exception_handler(kind, answer)
    return answer
