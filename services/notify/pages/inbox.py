"""The home page: what waits for the caller, what is late first; one tap signs."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.notify.commands import notices as commands
from services.notify.commands import transit
from services.notify.domain.notices import State, is_late
from services.notify.queries import notices as queries
from services.notify.queries.clocks import rule_in_words
from services.notify.queries.roster import stands_in_for
from services.notify.tables import kit
from shared.kit import audit, clock, db, idempotency
from shared.kit.access import Caller, Requires, SignedIn
from shared.kit.problem import Conflict
from shared.kit.service import Service
from shared.web.forms import VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter(tags=["pages"], include_in_schema=False)

Somebody = Depends(SignedIn())
Signer = Depends(Requires("notice.sign"))
SHOWN = 30


@router.get("/")
async def inbox(
    request: Request, show: str = "waiting", cursor: str | None = None, caller: Caller = Somebody
) -> Response:
    """The inbox; whoever may see no notices is told what they can do instead."""
    svc: Service = request.app.state.service
    now = clock.now()
    context: dict[str, Any] = {"show": show, "rows": [], "following": None, "counts": None, "now": now, "instead": False}
    if caller.reach("notice.read") is None:
        return page(request, "inbox.html", context, service="notify", caller=caller)
    async with db.begin(svc.engine) as conn:
        standing_in = await stands_in_for(conn, caller, now)
        if show == "waiting":
            rows, following = await queries.waiting(conn, caller, cursor, SHOWN, standing_in)
        else:
            state = show if show in (State.SIGNED, State.DONE) else None
            rows, following = await queries.newest_first(conn, caller, state, cursor, SHOWN, standing_in)
        context["counts"] = await queries.counts(conn, caller, now, standing_in)
        rows = await transit.shown(conn, caller, rows, standing_in)
        signable = await queries.signable(conn, caller, [row.id for row in rows], standing_in)
        await audit.record(conn, kit, caller, "notice.listed", "notice", [row.id for row in rows], now)
    context |= {
        "rows": [_Line(svc, row, now, row.id in signable) for row in rows],
        "following": following,
        "own": lambda n: n.agency == caller.agency and n.unit in (None, caller.unit),
        "most": queries.COUNT_UP_TO,
        "instead": bool(standing_in.away),
    }
    return page(request, "inbox.html", context, service="notify", caller=caller)


class _Line:
    """A notice as the inbox shows it: for a reminder the rule it rests on, for a rung the notice below."""

    def __init__(self, svc: Service, row: Any, now: Any, may_sign: bool) -> None:
        self.notice = row
        self.late = is_late(row._mapping, now)
        self.page = queries.page_of(row)
        self.may_sign = row.signed_at is None and may_sign
        self.below = None
        if row.ladder:
            self.below = SimpleNamespace(template=row.parts["template"], number=row.number, items=row.items, parts=row.parts)
        self.reason = rule_in_words(svc, row.plan, row.rule, row.created_at) if row.reminds or row.ladder else None


@router.post("/notices/{notice_id}/sign")
async def sign(request: Request, notice_id: UUID, caller: Caller = Signer) -> Response:
    """One tap: sign for a notice."""
    svc: Service = request.app.state.service
    sent = await read_form(request, VersionedForm)
    key = str(sent.idempotency_key)
    claim = idempotency.claim(svc.settings.keys, caller, "notice.sign", key, notice_id.bytes, notice_id)
    try:
        async with db.begin(svc.engine) as conn:
            await commands.sign(conn, caller, notice_id, sent.version, claim, clock.now())
    except Conflict as error:
        if error.type != "urn:dachuan:problem:already-signed":
            raise
    return see_other(request, "/", done="signed")
