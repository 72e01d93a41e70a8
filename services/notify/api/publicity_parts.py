"""What the routes of publicity share."""

from typing import Annotated, Any

from fastapi import Header, Request, Response

from services.notify.commands.publicity.parts import PublicityRoom
from services.notify.domain.publicity.schedule import top_area
from shared.kit.etag import etag
from shared.rules.plan import Plan

Key = Annotated[str | None, Header(alias="idempotency-key", description="The same key again has its effect once")]

REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"description": "Not the caller's to do"},
    404: {"description": "Not within reach"},
    409: {"description": "Not possible now, or the key was used for another request"},
    422: {"description": "Fields are missing or wrong; personal data in a public text"},
}
CHANGED = REFUSED | {
    412: {"description": "It changed since it was read"},
    428: {"description": "If-Match is missing"},
}


def room_of(request: Request) -> PublicityRoom:
    """Where publicity is kept."""
    room: PublicityRoom = request.app.state.publicity
    return room


def tagged(response: Response, version: int) -> None:
    """Tell the version that was answered."""
    response.headers["etag"] = etag(version)


def target_words(plan: Plan, row: Any, places: dict[str, str], locale: str = "zh_CN") -> str:
    """The place, community or operator that a thing is for, in words."""
    rules = plan.publicity
    for one in (*rules.operators, *rules.places, *plan.areas):
        if one.id == row.target:
            return one.name.en if locale == "en" else one.name.zh
    return places.get(row.target) or (row.target if row.target != top_area(plan) else plan.name.zh)
