"""Routes on hot paths, which leave out what FastAPI would do between a request and its endpoint."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.kit.access import Public, Requires
from shared.kit.problem import Answer, Problem


class DirectRoute(APIRoute):
    """A route on a hot path: the access decision, then the endpoint, and nothing else in between.

    Its endpoint takes `request` and `caller` alone and reads its body by `read_json`; FastAPI's solving of
    dependencies and fields, which would cost more than the work, is left out. The decision is the same
    `Requires` or `Public` as everywhere, declared as the default of `caller`.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint
        decisions_made = [d.call for d in self.dependant.dependencies if isinstance(d.call, (Public, Requires))]
        if len(decisions_made) != 1 or len(self.dependant.dependencies) != 1:
            raise TypeError(f"{self.path}: a direct route has one dependency, its access decision")
        decision = decisions_made[0]

        async def handle(request: Request) -> Response:
            return await endpoint(request=request, caller=await decision(request))

        return handle


class Shortcut:
    """Answers the direct routes before the router: its matching, exit stacks and wrappers cost more than their work."""

    def __init__(self, app: ASGIApp, routes: Mapping[tuple[str, str], DirectRoute], answer: Answer) -> None:
        self._app = app
        self._answer = answer
        self._routes = {place: (route, route.get_route_handler()) for place, route in routes.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = (scope.get("method", ""), scope.get("path", "").removeprefix(scope.get("root_path", "")))
        found = self._routes.get(place)
        if found is None:
            return await self._app(scope, receive, send)
        scope["route"], handle = found
        request = Request(scope, receive)
        try:
            response = await handle(request)
        except (Problem, ValidationError) as error:
            response = await self._answer(request, error)
        await response(scope, receive, send)


def direct_routes(app: FastAPI) -> dict[tuple[str, str], DirectRoute]:
    """The direct routes of an app by method and path."""
    found = {}
    for context in iter_route_contexts(app.routes):
        if isinstance(route := context.original_route, DirectRoute):
            found |= {(method, context.path or ""): route for method in route.methods or ()}
    return found
