"""What officers see of tips and leads: the desk, one tip, one lead."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape

from services.intake import queries
from services.intake.commands import tips as commands
from services.intake.commands.reviews import labels
from services.intake.domain.reading import KINDS, TOPICS
from services.intake.pages.evidence import panel
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.rules.plan.vocabulary import CHANNELS
from shared.web.render import page

router = APIRouter()

_ROWS = 30
_RINGING = timedelta(hours=24)
"""How long an urgent tip stands above the list."""
_MOST_RINGING = 5


@router.get("/desk")
async def desk(
    request: Request,
    caller: Caller = Depends(Requires("tip.read")),
    state: Literal["lead", "referred", "urgent", ""] = "",
    channel: Annotated[str, Query(max_length=20)] = "",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """Tips in reach, newest first; urgent ones of the last day stand above them."""
    service: Service = request.app.state.service
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    plain = not (state or channel or cursor)
    async with db.begin(service.engine) as conn:
        found = await queries.list_tips(
            conn,
            caller,
            state=state if state in ("lead", "referred") else None,
            channel=channel or None,
            urgent=True if state == "urgent" else None,
            after=after,  # type: ignore[arg-type]
            limit=_ROWS,
        )
        urgent = (
            await queries.list_tips(
                conn, caller, state=None, channel=None, urgent=True, after=None, limit=_MOST_RINGING - 1
            )
            if plain
            else []
        )
    rows, following = pagination.page(found, _ROWS, lambda row: (row.received_at, row.id))
    since = clock.now() - _RINGING
    ringing = [row for row in urgent if row.received_at >= since]
    above = {row.id for row in ringing}
    return page(
        request,
        "desk.html",
        {
            "ringing": ringing,
            "rows": [row for row in rows if row.id not in above],
            "next": following,
            "state": state,
            "channel": channel,
            "channels": CHANNELS,
            "filtered": bool(state or channel),
        },
        service="intake",
        caller=caller,
    )


@router.get("/tips/{tip_id}")
async def tip(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.read"))) -> HTMLResponse:
    """One tip with its words, which are protected: that they were read is recorded."""
    service: Service = request.app.state.service
    told = await commands.read_tip(service, caller, tip_id, clock.now())
    signs = [word for reason in told["words"] for word in reason["words"].split("、") if word]
    async with db.begin(service.engine) as conn:
        row = await queries.tip(conn, caller, tip_id)
        reviewable = await queries.reviewable(conn, caller, [tip_id])
    assert row is not None, "it was read a moment ago, and tips are not deleted"
    plan = service.plans[row.plan]
    rules = {rule.id: rule for rule in plan.routing}
    return page(
        request,
        "tip.html",
        {
            "tip": told,
            "plan": plan,
            "subject": marked(told["subject"], signs),
            "narrative": marked(told["text"], signs),
            "signs": longest(signs),
            "steps": [(step, rules.get(step["rule"])) for step in told["steps"]],
            "labels": labels(row),
            "kind_codes": KINDS,
            "topics": TOPICS,
            "line": plan.handover.distributor(row.channel) if plan.handover and row.state == "referred" else None,
            "handed_back_at": row.handed_back_at,
            "may_hand_back": caller.reach("handover.propose") is not None and not row.urgent,
            "may_review": row.id in reviewable,
            "evidence": await panel(request, tip_id),
        },
        service="intake",
        caller=caller,
    )


def longest(words: Sequence[str]) -> list[str]:
    """Each word once, and none that another one holds."""
    once = dict.fromkeys(words)
    return [word for word in once if not any(word != other and word in other for other in once)]


def marked(text: str, words: Sequence[str]) -> Markup:
    """A text with the given words marked, everything else escaped."""
    wanted = sorted({word for word in words if word}, key=len, reverse=True)
    if not wanted:
        return escape(text)
    pieces = re.split(f"({'|'.join(map(re.escape, wanted))})", text)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(piece) if at % 2 else escape(piece) for at, piece in enumerate(pieces)
    )
