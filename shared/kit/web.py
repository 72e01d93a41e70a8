"""The web frame of every service: pure ASGI middleware, problem documents, health, metrics."""

import time
from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.routing import iter_route_contexts
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kit import metrics, problem, tracing
from shared.kit.access import Public, Requires, sign_in_address
from shared.kit.direct import Shortcut, direct_routes
from shared.kit.health import Health
from shared.kit.logs import log
from shared.kit.problem import BadRequest, NotAuthenticated, Problem, TooLarge, UnsupportedType
from shared.kit.settings import ServiceSettings

_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; "
        b"base-uri 'none'; object-src 'none'",
    ),
]


class ORJSONResponse(JSONResponse):
    """JSON written by orjson."""

    def render(self, content: Any) -> bytes:
        # asyncpg's UUIDs are a subclass, which orjson leaves to `default`
        return orjson.dumps(content, default=str)


class Observe:
    """Trace context, request metrics, security headers; keeps no address, agent or cookie of anyone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        given = dict(scope["headers"])
        # only a caller who says who they are may bring a trace along: an anonymous one's would mark them in our records
        header = given.get(b"traceparent") if b"authorization" in given else None
        tracing.set_current(tracing.continued(header.decode("latin-1") if header else None))
        started = time.perf_counter()
        status = 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_added(message["headers"])]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            seconds = time.perf_counter() - started
            route = _template(scope)
            metrics.HTTP_REQUESTS.labels(route, scope["method"], str(status)).inc()
            metrics.HTTP_SECONDS.labels(route, scope["method"]).observe(seconds)
            # not being ready is an answer, asked for several times a second while a service starts
            if status >= 500 and route != "/healthz/ready":
                log.warning(
                    "http.failed",
                    route=route,
                    method=scope["method"],
                    status=status,
                    seconds=round(seconds, 3),
                    trace_id=tracing.trace_id(),
                )


def _added(given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The security headers of an answer. One that says itself who may frame it keeps its own policy."""
    for name, value in given:
        if name == b"content-security-policy" and b"frame-ancestors" in value:
            return _SECURITY_HEADERS[:2]
    return _SECURITY_HEADERS


def _template(scope: Scope) -> str:
    """The route's template, so that no id or typed path becomes a label."""
    if "route" not in scope:
        return "unmatched"
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(str(value), f"{{{name}}}", 1)
    return path


class BodyGuard:
    """Refuses what no route wants: bodies over the limit, NUL and lone surrogates in JSON, NUL in addresses."""

    def __init__(self, app: ASGIApp, max_bytes: int, larger: "Larger") -> None:
        self._app = app
        self._max = max_bytes
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        refusal = self._bad_address(scope)
        headers = Headers(scope=scope)
        is_json = headers.get("content-type", "").partition(";")[0].strip().endswith("json")
        length = headers.get("content-length")
        most = (None if is_json else self._larger(scope["path"].removeprefix(scope.get("root_path", "")))) or self._max
        if refusal is None and length is not None and length.isdigit() and int(length) > most:
            refusal = self._too_large(most)
        if refusal is None and is_json and scope["method"] not in ("GET", "HEAD"):
            body, refusal = await self._read(receive)
            if refusal is None:
                refusal = self._bad_text(body)
            receive = _replay(body, receive)
        if refusal is not None:
            response = ORJSONResponse(
                refusal.marshal(), status_code=refusal.status, media_type="application/problem+json"
            )
            return await response(scope, receive, send)
        return await self._app(scope, receive if is_json else self._limited(receive, most), send)

    @staticmethod
    def _bad_address(scope: Scope) -> Problem | None:
        raw = scope.get("raw_path") or b""
        if b"%00" in raw or b"%00" in scope["query_string"] or "\0" in scope["path"]:
            return BadRequest("地址含有非法字符（NUL）。 The address holds a NUL character.", code="bad-text")
        return None

    @staticmethod
    def _too_large(most: int) -> Problem:
        return TooLarge(
            f"内容超过 {most} 字节的上限，未保存任何内容；请分批提交。 "
            f"Over the limit of {most} bytes; nothing was kept. Send it in parts.",
            limit=most,
        )

    async def _read(self, receive: Receive) -> tuple[bytes, Problem | None]:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b"", BadRequest("连接中断。 The request was cut off.")
            part = message.get("body", b"")
            size += len(part)
            if size > self._max:
                return b"", self._too_large(self._max)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts), None

    @staticmethod
    def _bad_text(body: bytes) -> Problem | None:
        if b"\\u" not in body and b"\0" not in body:
            return None
        lowered = body.lower()
        if b"\\u0000" not in lowered and b"\\ud" not in lowered and b"\0" not in body:
            return None
        wrong = BadRequest(
            "文字含有非法字符（NUL 或不成对的代理码），未保存任何内容。 "
            "The text holds NUL or a lone surrogate; nothing was kept.",
            code="bad-text",
        )
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            # unreadable JSON is told by the route; a lone surrogate is what orjson also refuses
            return wrong if b"\\ud" in lowered else None
        return wrong if b"\0" in body or _holds_nul(parsed) else None

    def _limited(self, receive: Receive, most: int) -> Receive:
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise self._too_large(most)
            return message

        return limited


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(k) or _holds_nul(v) for k, v in value.items())
    if isinstance(value, list):
        return any(_holds_nul(v) for v in value)
    return False


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


M = TypeVar("M", bound=BaseModel)


async def read_json(request: Request, model: type[M]) -> M:
    """The body as a model, parsed and validated once from its bytes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedType("请以 application/json 提交，未保存任何内容。 Send application/json; nothing was kept.")
    return model.model_validate_json(await request.body())


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI part for a route that reads its body by `read_json`."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": model.model_json_schema(ref_template="#/components/schemas/{model}")}
            },
        }
    }


def wants_page(request: Request) -> bool:
    """Whether the caller is a browser asking for a page."""
    return "text/html" in request.headers.get("accept", "")


ErrorPage = Callable[[Request, Problem], Response]
Larger = Callable[[str], int | None]
"""How many bytes a path may take, other than JSON, where that is more than everywhere; None elsewhere."""


def create_app(
    settings: ServiceSettings,
    *,
    title: str,
    routers: list[APIRouter],
    health: Health,
    error_page: ErrorPage | None = None,
    lifespan: Any = None,
    state: MutableMapping[str, Any] | None = None,
    larger_bodies: Larger = lambda _path: None,
) -> FastAPI:
    """A service's app: its routers within the common frame."""
    app = FastAPI(
        title=title,
        version="1.0.0",
        root_path=settings.root_path,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    answer = problem.install(app, page=_page_answer(settings, error_page))
    _guard_unhandled(app)
    app.state.settings = settings
    for name, value in (state or {}).items():
        setattr(app.state, name, value)
    for router in routers:
        app.router.routes.extend(_prepared(router))
    app.include_router(_frame_routes(app, health))
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    app.add_middleware(Shortcut, routes=direct_routes(app), answer=answer)
    app.add_middleware(BodyGuard, max_bytes=settings.max_json_bytes, larger=larger_bodies)
    app.add_middleware(Observe)
    return app


_PREPARED: dict[int, tuple[APIRouter, list[BaseRoute]]] = {}


def _prepared(router: APIRouter) -> list[BaseRoute]:
    """A router's routes with all that FastAPI works out about them: once a process, however many apps it builds."""
    if id(router) not in _PREPARED:
        holder = APIRouter()
        holder.include_router(router)
        _PREPARED[id(router)] = (router, holder.routes)
    return _PREPARED[id(router)][1]


def decisions(app: FastAPI) -> list[tuple[str, str, Public | Requires | None]]:
    """Every route's method, path and access decision (None where it has none, which a guard test refuses)."""
    found = []
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        calls = [one.call for one in dependant.dependencies] if dependant else []
        decision = next((call for call in calls if isinstance(call, (Public, Requires))), None)
        for method in sorted(route.methods or {"*"}):
            found.append((method, route.path or "", decision))
    return found


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the right each route needs."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        document.setdefault("components", {})["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
        for method, path, decision in decisions(app):
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation is not None and isinstance(decision, Requires):
                operation["security"] = [{"token": []}]
                operation["x-right"] = decision.right
        app.openapi_schema = document
    return app.openapi_schema


def _guard_unhandled(app: FastAPI) -> None:
    """An unhandled error is answered outside all middleware: give that answer the security headers too."""
    answer: Any = app.exception_handlers[Exception]

    async def guarded(request: Request, error: Exception) -> Response:
        response = await answer(request, error)
        response.raw_headers.extend(_SECURITY_HEADERS)
        return response

    app.add_exception_handler(Exception, guarded)


def _page_answer(settings: ServiceSettings, error_page: ErrorPage | None) -> Callable[[Request, Any], Response | None]:
    def answer(request: Request, error: Any) -> Response | None:
        if not wants_page(request):
            return None
        if isinstance(error, NotAuthenticated) and request.method == "GET":
            here = settings.base_url(settings.service) + request.url.path.removeprefix(settings.root_path)
            if request.url.query:
                here += f"?{request.url.query}"
            return RedirectResponse(sign_in_address(settings.notify_url, here), status_code=303)
        return error_page(request, error) if error_page else None

    return answer


def _frame_routes(app: FastAPI, health: Health) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/healthz/live", dependencies=[Depends(Public("an orchestrator's probe; tells nothing but alive"))])
    async def live() -> Response:
        """200 while the process can do its work at all; 503 asks the supervisor to start it anew."""
        alive = health.alive()
        return ORJSONResponse({"alive": alive}, status_code=200 if alive else 503)

    @router.get("/healthz/ready", dependencies=[Depends(Public("an orchestrator's probe; parts and reasons as codes"))])
    async def ready() -> Response:
        """200 while every required part is well; 503 with the parts and reasons otherwise."""
        well = health.ready()
        return ORJSONResponse({"ready": well, "components": health.report()}, status_code=200 if well else 503)

    @router.get("/metrics", dependencies=[Depends(Public("scraped by Prometheus; numbers only"))])
    async def prometheus() -> Response:
        """Metrics in Prometheus text format; docs/ops/metrics.md explains each."""
        health.ready()
        return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    @router.get("/openapi.json", include_in_schema=False, dependencies=[Depends(Public("the published contract"))])
    async def openapi() -> Response:
        return ORJSONResponse(app.openapi())

    return router
