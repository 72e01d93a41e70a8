"""Officers' side of the conversation: messages, contested closings, reveals, what became of what one brought in."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake import queries
from services.intake.commands import contacts, conversation
from services.intake.queries import contacts as reveals_shown
from services.intake.queries import conversation as shown
from services.intake.queries.tips import visible_tips
from services.intake.queries.told import brought_page, contest_out, reveal_out, thread
from services.intake.schemas.conversation import (
    AnswersOut,
    AskIn,
    BroughtOut,
    ContactIn,
    ContestDecisionIn,
    ContestOut,
    MadeOut,
    MessagesOut,
    RevealDecisionIn,
    RevealIn,
    RevealOut,
)
from services.intake.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import Page
from shared.kit.problem import BadRequest, NotFound
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["conversation"])

_Cursor = Annotated[str | None, Query(max_length=300)]
_Limit = Annotated[int, Query(ge=1, le=pagination.MOST)]


def needed_key(request: Request) -> str:
    """The Idempotency-Key of a change; BadRequest without one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        raise BadRequest(
            "请携带 Idempotency-Key，重发时用同一个键；未保存任何内容。 Send an Idempotency-Key; nothing was kept.",
            code="idempotency-key-required",
        )
    return key


@router.get("/tips/{tip_id}/messages", response_model=MessagesOut, summary="What was said after a tip")
async def messages(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.read"))) -> Response:
    """All messages of a tip, oldest first; the reading is recorded, and what the reporter wrote counts as read."""
    service: Service = request.app.state.service
    now = clock.now()
    async with db.begin(service.engine) as conn:
        tip = await queries.tip(conn, caller, tip_id)
        if tip is None:
            raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
        items = await thread(conn, service.settings.keys, tip, "officer")
        await shown.mark_read(conn, tip_id, "reporter", now)
        await audit.record(conn, kit, caller, "message.read", "tip", [tip_id], now)
    return ORJSONResponse(MessagesOut(items=items).model_dump())


@router.post("/tips/{tip_id}/messages", status_code=201, response_model=MadeOut, summary="Ask or tell the reporter")
async def ask(request: Request, tip_id: UUID, body: AskIn, caller: Caller = Depends(Requires("tip.ask"))) -> Response:
    """The reporter reads it by receipt and answers there; nobody learns who they are. Needs `Idempotency-Key`."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        made = await conversation.ask_within_reach(
            conn, service, caller, tip_id, body.text, clock.now(), question=body.question, key=needed_key(request)
        )
    return ORJSONResponse({"id": made}, status_code=201)


@router.get("/answers", response_model=AnswersOut, summary="Tips whose reporters wrote something nobody has read")
async def answers(request: Request, caller: Caller = Depends(Requires("tip.read")), limit: _Limit = 50) -> Response:
    """Newest first; the words are read with the tip's messages."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await shown.answered(conn, visible_tips(caller), limit=limit)
        unread = await shown.unread(conn, [row.id for row in rows], "reporter")
    items = [{"tip_id": row.id, "lead_id": row.lead_id, "urgent": row.urgent, "unread": unread.get(row.id, 0)} for row in rows]
    return ORJSONResponse({"items": items})


@router.get("/contests", response_model=Page[ContestOut], summary="Contested closings in my reach, oldest first")
async def contests(
    request: Request,
    caller: Caller = Depends(Requires("outcome.review")),
    state: Literal["open", "upheld", "confirmed"] = "open",
    cursor: _Cursor = None,
    limit: _Limit = 50,
) -> Response:
    """One page of contests; words are in none of them."""
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await shown.contests(conn, caller, state=state, after=after, limit=limit)  # type: ignore[arg-type]
    rows, following = pagination.page(found, limit, lambda row: (row.contested_at, row.id))
    return ORJSONResponse({"items": [contest_out(row, caller) for row in rows], "next": following})


@router.get("/contests/{contest_id}", response_model=ContestOut, summary="One contest with its words")
async def contest(
    request: Request, contest_id: UUID, caller: Caller = Depends(Requires("outcome.review"))
) -> Response:
    """The reporter's words and the report's; the reading is recorded. Its ETag is the version to decide on."""
    service: Service = request.app.state.service
    told = await conversation.read_contest(service, caller, contest_id)
    return ORJSONResponse(told, headers={"etag": etag(told["version"])})


@router.post("/contests/{contest_id}/decision", response_model=ContestOut, summary="Look a second time")
async def decide_contest(
    request: Request,
    contest_id: UUID,
    body: ContestDecisionIn,
    caller: Caller = Depends(Requires("outcome.review")),
) -> Response:
    """Uphold or confirm, by another person than the one who closed. Needs `If-Match` and `Idempotency-Key`."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        await conversation.decide(
            conn, service, caller, contest_id, body.decision, body.text, clock.now(),
            version=required_version(request), key=needed_key(request),
        )  # fmt: skip
    async with db.begin(service.engine) as conn:
        row = await shown.contest(conn, caller, contest_id)
    assert row is not None
    return ORJSONResponse(contest_out(row, caller), headers={"etag": etag(row.version)})


@router.post("/tips/{tip_id}/reveals", status_code=201, response_model=MadeOut, summary="Ask to see a contact")
async def request_reveal(
    request: Request, tip_id: UUID, body: RevealIn, caller: Caller = Depends(Requires("reporter.request"))
) -> Response:
    """The first of two persons. Needs `Idempotency-Key`; the reporter will read that it was revealed, if it is."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        made = await contacts.request_reveal(
            conn, service, caller, tip_id, body.category, body.reason, clock.now(), key=needed_key(request)
        )
    return ORJSONResponse({"id": made}, status_code=201)


@router.get("/reveals", response_model=Page[RevealOut], summary="Requests I made or may decide on, newest first")
async def reveals(
    request: Request, caller: Caller = Depends(Requires("plan.read")), cursor: _Cursor = None, limit: _Limit = 50
) -> Response:
    """One page of requests; no contact and no reason is in them."""
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await reveals_shown.reveals(conn, caller, after=after, limit=limit)  # type: ignore[arg-type]
    rows, following = pagination.page(found, limit, lambda row: (row.requested_at, row.id))
    return ORJSONResponse({"items": [reveal_out(row, caller) for row in rows], "next": following})


@router.get("/reveals/{reveal_id}", response_model=RevealOut, summary="One request with its reason")
async def reveal(request: Request, reveal_id: UUID, caller: Caller = Depends(Requires("plan.read"))) -> Response:
    """Its ETag is the version to decide on."""
    return await _reveal(request, caller, reveal_id)


async def _reveal(request: Request, caller: Caller, reveal_id: UUID) -> Response:
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        row = await reveals_shown.reveal(conn, caller, reveal_id)
        if row is None:
            raise NotFound("没有这件申请，或不在您的权限内。 No such request within your reach.")
    told = reveal_out(row, caller) | {"reason": shown.opened(service.settings.keys, row)}
    return ORJSONResponse(told, headers={"etag": etag(row.version)})


@router.post("/reveals/{reveal_id}/decision", response_model=RevealOut, summary="Approve, refuse or withdraw")
async def decide_reveal(
    request: Request, reveal_id: UUID, body: RevealDecisionIn, caller: Caller = Depends(Requires("plan.read"))
) -> Response:
    """The second person approves or refuses, the first may withdraw. Needs `If-Match` and `Idempotency-Key`."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        await contacts.decide(
            conn, service, caller, reveal_id, body.decision, clock.now(),
            version=required_version(request), key=needed_key(request),
        )  # fmt: skip
    return await _reveal(request, caller, reveal_id)


@router.post("/reveals/{reveal_id}/contact", response_model=ContactIn, summary="See an approved contact")
async def contact(
    request: Request, reveal_id: UUID, caller: Caller = Depends(Requires("reporter.request"))
) -> Response:
    """For the person who asked, while the approval lasts; every look is on record, so this is a POST."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        told = await contacts.view(conn, service, caller, reveal_id, clock.now())
    answer = {"name": told.name, "phone": told.phone, "address": told.address}
    return ORJSONResponse(answer, headers={"cache-control": "no-store"})


@router.get("/brought", response_model=Page[BroughtOut], summary="What became of the tips I brought in")
async def brought(
    request: Request, caller: Caller = Depends(Requires("tip.submit")), cursor: _Cursor = None, limit: _Limit = 30
) -> Response:
    """Own tips only, newest first, in plain words (D-E4)."""
    service: Service = request.app.state.service
    rows, following = await brought_page(service, caller, cursor, limit)
    return ORJSONResponse({"items": [row.model_dump() for row in rows], "next": following})
