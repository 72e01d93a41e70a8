"""The cookie that is an officer's sign-in for all services of one host."""

from datetime import timedelta
from typing import Any

from fastapi import Request, Response

from services.notify.commands import sessions
from services.notify.settings import Settings
from shared.kit import clock
from shared.kit.access import SESSION_COOKIE


def start(request: Request, response: Response, row: Any) -> None:
    """Give the browser a session of this account."""
    settings: Settings = request.app.state.settings
    response.set_cookie(
        SESSION_COOKIE,
        sessions.session_token(settings, row, clock.now()),
        max_age=int(timedelta(hours=settings.session_hours).total_seconds()),
        path="/",
        secure=not settings.local_mode,
        httponly=True,
        samesite="lax",
    )


def end(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(
        SESSION_COOKIE, path="/", secure=not request.app.state.settings.local_mode, httponly=True, samesite="lax"
    )
