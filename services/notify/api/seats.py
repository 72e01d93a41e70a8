"""Posts, deputies, leave and contacts for agencies' systems; each reading of a contact is recorded."""

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Header, Request, Response

from services.notify.commands import seats as commands
from services.notify.queries import seats as queries
from services.notify.queries.directory import display_name
from services.notify.schemas.seats import (
    ContactIn,
    ContactOut,
    HolderOut,
    LeaveIn,
    LeaveOut,
    OfficerOut,
    SeatIn,
    SeatOut,
    SeatSet,
)
from services.notify.tables import kit
from shared.kit import audit, clock, db, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.service import Service
from shared.rules.calendar import local_day

router = APIRouter(prefix="/v1", tags=["posts"])

Manager = Depends(Requires(queries.RIGHT))
Key = Annotated[str, Header()]


def _claim(svc: Service, caller: Caller, what: str, key: str, body: Any, *parts: object) -> idempotency.Claim:
    asked = orjson.dumps([body.model_dump(mode="json") if body is not None else None, *map(str, parts)])
    return idempotency.claim(svc.settings.keys, caller, what, idempotency.check_key(key), asked, new_id())


def _row_of(model: Any, row: Any) -> Any:
    return model(**{name: getattr(row, name) for name in model.model_fields})


@router.get("/seats")
async def list_seats(request: Request, caller: Caller = Manager) -> list[SeatOut]:
    """Every post somebody holds within the caller's reach: who, who is away, who stands in."""
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        found = await queries.lines(conn, svc.settings.keys, caller, local_day(now))
        await audit.record(conn, kit, caller, "seat.listed", "plan", [caller.plan or ""], now, seats=len(found))
    return [
        SeatOut(
            agency=one.agency, unit=one.unit, post=one.post, deputy_id=one.deputy_id, deputy=one.deputy,
            manned=one.manned, version=one.version,
            holders=[
                HolderOut(
                    account_id=h.id, display=h.display, away_from=h.leave.first if h.leave else None,
                    away_to=h.leave.last if h.leave else None, instead=h.instead,
                )
                for h in one.holders
            ],
        )
        for one in found
    ]  # fmt: skip


@router.put("/seats")
async def set_deputy(
    request: Request, response: Response, body: SeatIn, idempotency_key: Key, caller: Caller = Manager
) -> SeatSet:
    """Name the standing deputy of a seat. If-Match: the seat's version, "0" where it never had one."""
    svc: Service = request.app.state.service
    version = required_version(request)
    claim = _claim(svc, caller, "seat.set", idempotency_key, body)
    async with db.begin(svc.engine) as conn:
        row = await commands.set_deputy(
            conn, svc, caller, body.agency, body.unit, body.post, body.deputy_id, version, claim, clock.now()
        )
    response.headers["etag"] = etag(row.version)
    return _row_of(SeatSet, row)


@router.post("/leaves", status_code=201)
async def record_leave(
    request: Request, response: Response, body: LeaveIn, idempotency_key: Key, caller: Caller = Manager
) -> LeaveOut:
    """Record that an officer is away."""
    svc: Service = request.app.state.service
    claim = _claim(svc, caller, "leave.record", idempotency_key, body)
    async with db.begin(svc.engine) as conn:
        row = await commands.record_leave(
            conn, caller, body.account_id, body.deputy_id, body.first_day, body.last_day, claim, clock.now()
        )
    response.headers["etag"] = etag(row.version)
    return _row_of(LeaveOut, row)


@router.post("/leaves/{leave_id}/cancellation")
async def cancel_leave(
    request: Request, response: Response, leave_id: UUID, idempotency_key: Key, caller: Caller = Manager
) -> LeaveOut:
    """End a leave at once. Needs If-Match."""
    svc: Service = request.app.state.service
    version = required_version(request)
    claim = _claim(svc, caller, "leave.cancel", idempotency_key, None, leave_id)
    async with db.begin(svc.engine) as conn:
        row = await commands.cancel_leave(conn, caller, leave_id, version, claim, clock.now())
    response.headers["etag"] = etag(row.version)
    return _row_of(LeaveOut, row)


@router.get("/officers/{account_id}")
async def one_officer(request: Request, response: Response, account_id: UUID, caller: Caller = Manager) -> OfficerOut:
    """An officer's card with leave and contacts."""
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        row = await queries.officer(conn, caller, account_id)
        away = await queries.leaves_of(conn, account_id, local_day(now))
        reach = await queries.contacts_of(conn, svc.settings.keys, account_id)
        await audit.record(conn, kit, caller, "contact.read", "account", [account_id], now)
    response.headers["cache-control"] = "no-store"
    return OfficerOut(
        account_id=row.id, display=display_name(svc.settings.keys, row), agency=row.agency, unit=row.unit,
        posts=row.posts, leaves=[_row_of(LeaveOut, one) for one in away],
        contacts=[ContactOut(kind=c.kind, address=c.address or None, version=c.version) for c in reach.values()],  # type: ignore[arg-type]
    )  # fmt: skip


@router.put("/officers/{account_id}/contacts/{kind}")
async def set_contact(
    request: Request, response: Response, account_id: UUID, kind: Literal["mobile", "phone", "email"], body: ContactIn,
    idempotency_key: Key, caller: Caller = Manager,
) -> ContactOut:  # fmt: skip
    """Keep how an officer is reached, sealed. If-Match: the contact's version, "0" where there was none."""
    svc: Service = request.app.state.service
    version = required_version(request)
    claim = _claim(svc, caller, "contact.set", idempotency_key, body, account_id, kind)
    async with db.begin(svc.engine) as conn:
        row = await commands.set_contact(conn, svc, caller, account_id, kind, body.address, version, claim, clock.now())
    response.headers["etag"] = etag(row.version)
    response.headers["cache-control"] = "no-store"
    return ContactOut(kind=kind, address=commands.usable(kind, body.address) if body.address else None, version=row.version)
