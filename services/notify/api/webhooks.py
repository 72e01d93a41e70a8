"""Where an agency's notices are sent: targets, tests, messages."""

from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify.adapters.webhooks import MESSAGE_PREFIX, checked_address
from services.notify.commands import webhooks as commands
from services.notify.domain.targets import BadTargetError
from services.notify.queries import webhooks as queries
from services.notify.schemas import DeliveryOut, EndpointChange, EndpointIn, EndpointOut
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import MOST, Page
from shared.kit.problem import Forbidden, Invalid, NotFound
from shared.kit.service import Service

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class _ForTheAgency(Requires):
    """`notice.read` on the whole agency: whoever sees only a unit's notices may not send the agency's elsewhere."""

    async def __call__(self, request: Request) -> Caller:
        caller = await super().__call__(request)
        if not queries.may_manage(caller):
            raise Forbidden("只有能查看全单位通知的人员可以管理推送。 Only those who see all of the agency's notices.")
        return caller


Manager = Depends(_ForTheAgency("notice.read"))


@router.get("")
async def list_endpoints(request: Request, caller: Caller = Manager) -> Page[EndpointOut]:
    """The agency's targets."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        rows = await queries.list_endpoints(conn, caller)
    return Page(items=[queries.endpoint_out(row) for row in rows])


@router.post("", status_code=201)
async def create(request: Request, response: Response, body: EndpointIn, caller: Caller = Manager) -> EndpointOut:
    """Add a target; its secret is in this answer and nowhere else. The address makes it unique (409)."""
    svc: Service = request.app.state.service
    try:
        await checked_address(body.url, local=svc.settings.local_mode)
    except BadTargetError as error:
        raise Invalid(
            "推送地址须为可解析的公网 https 地址，未保存任何内容。 "
            "The target must be a public https address that resolves; nothing was kept.",
            errors=[{"field": "url", "code": str(error), "message": str(error)}],
        ) from error
    async with db.begin(svc.engine) as conn:
        row, secret = await commands.create(conn, svc, caller, body.url, clock.now())
    response.headers["etag"] = etag(row.version)
    response.headers["cache-control"] = "no-store"
    return queries.endpoint_out(row, secret)


@router.get("/{endpoint_id}")
async def one(request: Request, response: Response, endpoint_id: UUID, caller: Caller = Manager) -> EndpointOut:
    """One target, with its ETag."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        row = await queries.one(conn, caller, endpoint_id)
    response.headers["etag"] = etag(row.version)
    return queries.endpoint_out(row)


@router.patch("/{endpoint_id}")
async def change(
    request: Request, response: Response, endpoint_id: UUID, body: EndpointChange, caller: Caller = Manager
) -> EndpointOut:
    """Switch a target on or off."""
    svc: Service = request.app.state.service
    version = required_version(request)
    async with db.begin(svc.engine) as conn:
        row = await commands.change(conn, caller, endpoint_id, version, body.active, clock.now())
    response.headers["etag"] = etag(row.version)
    return queries.endpoint_out(row)


@router.delete("/{endpoint_id}", status_code=204)
async def remove(request: Request, endpoint_id: UUID, caller: Caller = Manager) -> Response:
    """Forget a target."""
    svc: Service = request.app.state.service
    version = required_version(request)
    async with db.begin(svc.engine) as conn:
        await commands.remove(conn, caller, endpoint_id, version, clock.now())
    return Response(status_code=204)


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
    caller: Caller = Manager,
) -> Page[DeliveryOut]:
    """The messages to a target, the newest first."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        rows, following = await queries.list_deliveries(conn, caller, endpoint_id, cursor, limit)
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
        row = await commands.redeliver(conn, caller, endpoint_id, delivery_id, clock.now())
    return queries.delivery_out(row)
