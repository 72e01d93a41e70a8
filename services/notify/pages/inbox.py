"""The home page: what waits for the caller, what is late first; one tap signs."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.notify.commands import notices as commands
from services.notify.domain.notices import State, is_late
from services.notify.queries import notices as queries
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
    context: dict[str, Any] = {"show": show, "rows": [], "following": None, "counts": None, "now": now}
    if caller.reach("notice.read") is None:
        return page(request, "inbox.html", context, service="notify", caller=caller)
    async with db.begin(svc.engine) as conn:
        if show == "waiting":
            rows, following = await queries.waiting(conn, caller, cursor, SHOWN)
        else:
            state = show if show in (State.SIGNED, State.DONE) else None
            rows, following = await queries.newest_first(conn, caller, state, cursor, SHOWN)
        context["counts"] = await queries.counts(conn, caller, now)
        await audit.record(conn, kit, caller, "notice.listed", "notice", [row.id for row in rows], now)
    context |= {
        "rows": [_Line(row, now, caller) for row in rows],
        "following": following,
        "own": lambda n: n.agency == caller.agency and n.unit in (None, caller.unit),
        "most": queries.COUNT_UP_TO,
    }
    return page(request, "inbox.html", context, service="notify", caller=caller)


class _Line:
    """A notice as the inbox shows it."""

    def __init__(self, row: Any, now: Any, caller: Caller) -> None:
        self.notice = row
        self.late = is_late(row._mapping, now)
        self.page = queries.page_of(row)
        self.may_sign = row.signed_at is None and _reaches(row, caller)


def _reaches(row: Any, caller: Caller) -> bool:
    reach = caller.reach("notice.sign")
    if reach is None:
        return False
    if row.needs is not None:
        # shown only to those who hold the right, and theirs to sign
        return row.plan == caller.plan
    if reach in ("plan", "all") or row.agency != caller.agency or row.plan != caller.plan:
        return reach == "all" or (reach == "plan" and row.plan == caller.plan)
    return reach != "own_unit" or caller.unit is None or row.unit in (None, caller.unit)


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
