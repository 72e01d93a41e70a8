"""Leads: lists, search, one in full; merge, split, suggestions; officers' word on readings, and the examples it leaves."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.commands import leads as commands
from services.intake.commands import reviews
from services.intake.commands.leads import Change
from services.intake.domain.leads import SuggestionAct
from services.intake.domain.reading.model import Kind
from services.intake.queries import leads as queries
from services.intake.queries.lead_view import REVIEWED, full_out, lead_out
from services.intake.schemas.leads import (
    ChangeOut,
    ExampleOut,
    LeadFullOut,
    LeadOut,
    MergeIn,
    ReviewIn,
    ReviewOut,
    SplitIn,
)
from services.intake.tables import leads as lead_table
from services.intake.tables import tips as tip_table
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import Page
from shared.kit.problem import BadRequest, NotFound
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["leads"])

@router.get("/leads", response_model=Page[LeadOut], summary="Leads in my reach, newest first")
async def list_leads(
    request: Request,
    caller: Caller = Depends(Requires("lead.read")),
    q: str | None = Query(None, max_length=60, description="Part of a place's, organisation's or app's name, from 2 characters on; or a lead's id"),
    agency: str | None = Query(None, max_length=48),
    area: str | None = Query(None, max_length=48),
    kind: Kind | None = None,
    urgent: bool | None = None,
    several: bool | None = Query(None, description="Only leads of more than one tip"),
    gathering: bool | None = Query(None, description="Only leads at places where signals gather"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page of leads; those merged into another stand in that one."""
    words = queries.search_words(q)
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    filters = queries.Filters(agency, area, kind, urgent, several, gathering)
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.list_leads(conn, caller, filters, words=words, after=after, limit=limit)  # type: ignore[arg-type]
    shown, following = pagination.page(found, limit, lambda row: (row.received_at, row.id))
    return ORJSONResponse({"items": [lead_out(row) for row in shown], "next": following})


@router.get("/leads/{lead_id}", response_model=LeadFullOut, summary="One lead in full")
async def get_lead(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.read"))) -> Response:
    """Its tips, targets, timeline, suggestions with their reasons, and the routing rules tried, matched, skipped."""
    service = request.app.state.service
    async with db.begin(service.engine) as conn:
        full = await queries.lead_full(conn, caller, lead_id)
    if full is None:
        raise NotFound("没有这条线索，或不在您的权限内。 No such lead within your reach.")
    return ORJSONResponse(full_out(service, full), headers={"etag": etag(full.lead.version)})


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key")
    if not key:
        raise BadRequest(
            "请携带 Idempotency-Key；未作更改。 Send an Idempotency-Key; nothing was changed.", code="no-idempotency-key"
        )
    return key


async def _changed(conn: Any, change: Change, status: int = 200) -> Response:
    version = (await conn.execute(lead_table.select().where(lead_table.c.id == change.lead_id))).one().version
    out = {"lead_id": change.lead_id, "version": version, "number": change.join_id}
    return ORJSONResponse(out, status_code=status, headers={"etag": etag(version)})


@router.post("/leads/{lead_id}/merges", response_model=ChangeOut, summary="Take another lead into this one")
async def merge(
    request: Request, lead_id: UUID, body: MergeIn, caller: Caller = Depends(Requires("lead.join"))
) -> Response:
    """The other lead's tips come along with receipt, number and date; the earliest reporter stays. It can be undone."""
    service, version = request.app.state.service, required_version(request)
    taken = commands.claim(service, caller, "lead.merge", lead_id, version, body.lead_id.bytes, _key(request))
    async with db.begin(service.engine) as conn:
        change = await commands.merge(
            conn, service, caller, lead_id, body.lead_id, version=version, taken=taken, now=clock.now()
        )
        return await _changed(conn, change)


@router.post("/leads/{lead_id}/splits", response_model=ChangeOut, summary="Undo a joining, or split tips off")
async def split(
    request: Request, lead_id: UUID, body: SplitIn, caller: Caller = Depends(Requires("lead.join"))
) -> Response:
    """An undone joining brings the other lead back under its own number; split tips become a lead of their own."""
    service, version = request.app.state.service, required_version(request)
    taken = commands.claim(
        service, caller, "lead.split", lead_id, version, body.model_dump_json().encode(), _key(request)
    )
    async with db.begin(service.engine) as conn:
        if body.undoes is not None:
            change = await commands.unmerge(
                conn, service, caller, lead_id, body.undoes, version=version, taken=taken, now=clock.now()
            )
        else:
            change = await commands.split(
                conn, service, caller, lead_id, body.tip_ids, version=version, taken=taken, now=clock.now()
            )
        return await _changed(conn, change)


@router.post(
    "/suggestions/{suggestion_id}/{decision}", response_model=ChangeOut, summary="Decide whether two leads are one"
)
async def decide(
    request: Request,
    suggestion_id: UUID,
    decision: Literal["accept", "reject"],
    caller: Caller = Depends(Requires("lead.join")),
) -> Response:
    """Accepted, the two leads merge (it can be undone); rejected, they are not suggested again."""
    service, version = request.app.state.service, required_version(request)
    act = SuggestionAct(decision)
    taken = commands.claim(service, caller, "lead.suggestion", suggestion_id, version, act.encode(), _key(request))
    async with db.begin(service.engine) as conn:
        change = await commands.decide_suggestion(
            conn, service, caller, suggestion_id, act, version=version, taken=taken, now=clock.now()
        )
        return await _changed(conn, change)


@router.post("/tips/{tip_id}/reviews", response_model=ReviewOut, summary="Confirm or correct the reading of a tip")
async def review(
    request: Request, tip_id: UUID, body: ReviewIn, caller: Caller = Depends(Requires("tip.triage"))
) -> Response:
    """An empty body confirms. A correction is kept as an example; it may open, join or leave a lead, and never
    moves a lead to another agency by itself."""
    service, version = request.app.state.service, required_version(request)
    taken = commands.claim(
        service, caller, "tip.review", tip_id, version, body.model_dump_json().encode(), _key(request)
    )
    given = body.model_dump(exclude_unset=True)
    async with db.begin(service.engine) as conn:
        done = await reviews.review(
            conn, service, caller, tip_id, given, version=version, taken=taken, now=clock.now()
        )
        row = (await conn.execute(tip_table.select().where(tip_table.c.id == tip_id))).one()
    zh, en = REVIEWED[done.effect]
    out = {
        "tip_id": tip_id,
        "version": row.version,
        "effect": done.effect.value,
        "lead_id": row.lead_id,
        "elsewhere": done.elsewhere,
        "words": {"zh": zh, "en": en},
    }
    return ORJSONResponse(out, headers={"etag": etag(row.version)})


@router.get("/reading-examples", response_model=Page[ExampleOut], summary="Confirmed and corrected readings")
async def list_examples(
    request: Request,
    caller: Caller = Depends(Requires("tip.triage")),
    agreed: bool | None = Query(None, description="Only confirmed (true) or corrected (false) ones"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(100, ge=1, le=pagination.MOST),
) -> Response:
    """Training examples, oldest first: labels before and after, and where the sealed words are; no words, no names."""
    service = request.app.state.service
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(service.engine) as conn:
        found = await queries.examples(conn, caller, agreed=agreed, after=after, limit=limit)  # type: ignore[arg-type]
    shown, following = pagination.page(found, limit, lambda row: (row.at, row.id))
    base = service.settings.base_url("intake")
    items = [
        {
            "example_id": row.id,
            "tip_id": row.tip_id,
            "dataref": f"{base}/v1/tips/{row.tip_id}",
            "channel": row.channel,
            "lexicon": row.lexicon,
            "agreed": row.agreed,
            "before": row.before,
            "after": row.after,
            "at": row.at,
        }
        for row in shown
    ]
    return ORJSONResponse({"items": items, "next": following})
