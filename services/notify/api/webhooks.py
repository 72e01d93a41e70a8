"""Where an agency's notices are sent: targets, tests, messages, and messages sent again."""

from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.notify.adapters.webhooks import MESSAGE_PREFIX
from services.notify.commands import webhooks as commands
from services.notify.queries import webhooks as queries
from services.notify.schemas import (
    DeliveryOut,
    EndpointChange,
    EndpointIn,
    EndpointOut,
    FiguresOut,
    ReplayIn,
    ReplayOut,
    SecretChange,
)
from shared.kit import clock, db, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import MOST, Page
from shared.kit.problem import Invalid, NotFound
from shared.kit.service import Service

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

Manager = Depends(Requires(queries.RIGHT))
MOST_DAYS = 366


@router.get("")
async def list_endpoints(request: Request, caller: Caller = Manager) -> Page[EndpointOut]:
    """The targets within reach: the agency's own, or for operators all; those that do badly first."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        rows = await queries.list_endpoints(conn, caller)
    return Page(items=[queries.endpoint_out(row, clock.now()) for row in rows])


@router.post("", status_code=201)
async def create(request: Request, response: Response, body: EndpointIn, caller: Caller = Manager) -> EndpointOut:
    """Add a target; a webhook's secret is in this answer and nowhere else. Its address makes a webhook unique (409)."""
    svc: Service = request.app.state.service
    new = await commands.target_of(svc, body)
    async with db.begin(svc.engine) as conn:
        row, secret = await commands.create(conn, svc, caller, new, clock.now())
    response.headers["etag"] = etag(row.version)
    response.headers["cache-control"] = "no-store"
    return queries.endpoint_out(row, clock.now(), secret)


@router.get("/deliveries")
async def all_deliveries(
    request: Request,
    state: Literal["retrying", "delivered", "failed"] | None = None,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=MOST),
    caller: Caller = Manager,
) -> Page[DeliveryOut]:
    """The messages to all targets within reach, the newest first."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        rows, following = await queries.list_deliveries(conn, caller, None, cursor, limit, state)
    return Page(items=[queries.delivery_out(row) for row in rows], next=following)


@router.get("/figures")
async def figures(
    request: Request, first_day: date | None = None, last_day: date | None = None, caller: Caller = Manager
) -> FiguresOut:
    """What went out by each channel on some days (the last thirty, unless told): arrived, waiting, given up, and why."""
    svc: Service = request.app.state.service
    usual = queries.month_until(clock.now())
    last = last_day or usual[1]
    first = first_day or (usual[0] if last_day is None else last - timedelta(days=29))
    if not first <= last <= first + timedelta(days=MOST_DAYS):
        raise Invalid("起止日期须在一年之内。 The days must lie within a year, the first before the last.")
    async with db.begin(svc.engine) as conn:
        found = await queries.figures(conn, caller, first, last)
    return FiguresOut(first_day=first, last_day=last, channels=found)


@router.get("/{endpoint_id}")
async def one(request: Request, response: Response, endpoint_id: UUID, caller: Caller = Manager) -> EndpointOut:
    """One target, with its ETag."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        row = await queries.one(conn, caller, endpoint_id)
    response.headers["etag"] = etag(row.version)
    return queries.endpoint_out(row, clock.now())


@router.patch("/{endpoint_id}")
async def change(
    request: Request, response: Response, endpoint_id: UUID, body: EndpointChange, caller: Caller = Manager
) -> EndpointOut:
    """Switch a target on (its failures forgotten) or off; name it; say whether it gets urgent ones only, and how many."""
    svc: Service = request.app.state.service
    version = required_version(request)
    changes = body.model_dump(exclude_unset=True)
    if not changes or any(changes.get(name, True) is None for name in ("active", "urgent_only")):
        raise Invalid("请写明要改什么。 Say what is to be changed.")
    async with db.begin(svc.engine) as conn:
        row = await commands.change(conn, caller, endpoint_id, version, changes, clock.now())
    response.headers["etag"] = etag(row.version)
    return queries.endpoint_out(row, clock.now())


@router.delete("/{endpoint_id}", status_code=204)
async def remove(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> Response:
    """Forget a target."""
    svc: Service = request.app.state.service
    version = required_version(request)
    async with db.begin(svc.engine) as conn:
        await commands.remove(conn, caller, endpoint_id, version, clock.now())
    return Response(status_code=204)


@router.post("/{endpoint_id}/secret")
async def rotate(
    request: Request,
    response: Response,
    endpoint_id: UUID,
    body: SecretChange,
    idempotency_key: str = Header(),
    caller: Caller = Manager,
) -> EndpointOut:
    """A new signing secret, in this answer only; until the overlap ends messages bear the old one's signature too."""
    svc: Service = request.app.state.service
    version = required_version(request)
    key, asked = idempotency.check_key(idempotency_key), endpoint_id.bytes + body.overlap_hours.to_bytes(2, "big")
    claim = idempotency.claim(svc.settings.keys, caller, "webhook.rotate", key, asked, endpoint_id)
    async with db.begin(svc.engine) as conn:
        row, secret = await commands.rotate(
            conn, svc, caller, endpoint_id, version, timedelta(hours=body.overlap_hours), claim, clock.now()
        )
    response.headers["etag"] = etag(row.version)
    response.headers["cache-control"] = "no-store"
    return queries.endpoint_out(row, clock.now(), secret)


@router.post("/{endpoint_id}/ping", status_code=202)
async def ping(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> DeliveryOut:
    """Send a test message to a target."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        row = await commands.ping(conn, caller, endpoint_id, clock.now())
    return queries.delivery_out(row)


@router.get("/{endpoint_id}/deliveries")
async def list_deliveries(
    request: Request,
    endpoint_id: UUID,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=MOST),
    state: Literal["retrying", "delivered", "failed"] | None = None,
    caller: Caller = Manager,
) -> Page[DeliveryOut]:
    """The messages to a target, the newest first."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        rows, following = await queries.list_deliveries(conn, caller, endpoint_id, cursor, limit, state)
    return Page(items=[queries.delivery_out(row) for row in rows], next=following)


@router.post("/{endpoint_id}/deliveries/{message_id}/redelivery", status_code=202)
async def redeliver(request: Request, endpoint_id: UUID, message_id: str, caller: Caller = Manager) -> DeliveryOut:
    """Send a message again under its id."""
    svc: Service = request.app.state.service
    try:
        delivery_id = UUID(message_id.removeprefix(MESSAGE_PREFIX))
    except ValueError as error:
        raise NotFound("没有这条消息。 No such message.") from error
    async with db.begin(svc.engine) as conn:
        (row,) = await commands.redeliver(conn, caller, endpoint_id, [delivery_id], clock.now())
    return queries.delivery_out(row)


@router.post("/{endpoint_id}/replay", status_code=202)
async def replay(
    request: Request, endpoint_id: UUID, body: ReplayIn, idempotency_key: str = Header(), caller: Caller = Manager
) -> ReplayOut:
    """Send the notices after a cursor of the feed once more, each under its one id, those never sent included."""
    svc: Service = request.app.state.service
    key, asked = idempotency.check_key(idempotency_key), endpoint_id.bytes + body.model_dump_json().encode()
    claim = idempotency.claim(svc.settings.keys, caller, "webhook.replay", key, asked, endpoint_id)
    async with db.begin(svc.engine) as conn:
        queued, following = await commands.replay(
            conn, caller, endpoint_id, body.after, body.limit, body.failed_only, claim, clock.now()
        )
    return ReplayOut(queued=queued, next=following)
