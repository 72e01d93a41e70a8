"""JSON routes of campaigns: the board, what is missing, proofs, places (X-G3, D-E1, D-G, D-H, D-I, D-J, D-K1, D-K2b)."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify.api.publicity_parts import CHANGED, REFUSED, Key, tagged
from services.notify.commands import files
from services.notify.commands.publicity import places, proving
from services.notify.commands.publicity.parts import PublicityRoom, room_of
from services.notify.queries.publicity import board as queries
from services.notify.queries.publicity.board import Filters
from services.notify.queries.publicity.present import target_words
from services.notify.schemas.publicity import (
    CampaignBoardOut,
    CampaignFigureOut,
    CampaignItemFullOut,
    CampaignItemOut,
    CampaignProofIn,
    CampaignProofsIn,
    CampaignReasonIn,
    CampaignRecordOut,
    KeptFileOut,
    PublicityPlaceChange,
    PublicityPlaceIn,
    PublicityPlaceOut,
    TallyOut,
)
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.etag import required_version
from shared.kit.files.answers import download
from shared.kit.files.kinds import TAKEN
from shared.kit.ids import new_id
from shared.kit.pagination import MOST, Page

router = APIRouter(prefix="/v1", tags=["campaigns"])

Reader = Depends(Requires("publicity.read"))
Doer = Depends(Requires("publicity.do"))
Manager = Depends(Requires("publicity.manage"))
Code = Annotated[str | None, Query(max_length=64)]
OWNER = "campaign_item"


def item_out(room: PublicityRoom, row: Any, named: dict[str, str], now: Any) -> CampaignItemOut:
    """A thing for an agency's system."""
    plan = room.plan(row.plan)
    same = {name: getattr(row, name) for name in CampaignItemOut.model_fields if hasattr(row, name)}
    return CampaignItemOut(
        **same, item_id=row.id, target_words=target_words(plan, row, named), href=room.address(f"campaign-items/{row.id}"),
        missing=row.state == "missed" or (row.state == "open" and row.due < now),
    )  # fmt: skip


async def _full(request: Request, response: Response, caller: Caller, item_id: UUID) -> CampaignItemFullOut:
    room, now = room_of(request), clock.now()
    async with db.begin(room.service.engine) as conn:
        row = await queries.item(conn, caller, item_id)
        named = {str(one.id): one.name for one in await queries.places(conn, row.plan)}
        records = await queries.records(conn, item_id)
        kept = await files.of_owner(conn, item_id)
    tagged(response, row.version)
    rules = room.plan(row.plan).publicity
    kind = next((one for one in rules.kinds if one.id == row.kind), None)
    return CampaignItemFullOut(
        **item_out(room, row, named, now).model_dump(),
        needs=list(kind.needs) + (["reached"] if kind.reach else []) if kind else [],
        one_of=list(kind.one_of) if kind else [],
        figures_asked=[one.id for one in kind.figures] if kind else [],
        records=[
            CampaignRecordOut(
                record_id=one.id, **{n: getattr(one, n) for n in CampaignRecordOut.model_fields if n != "record_id"}
            )
            for one in records
        ],
        files=[file_out(room, one) for one in kept],
    )


def file_out(room: PublicityRoom, row: Any) -> KeptFileOut:
    """A kept file."""
    return KeptFileOut(
        file_id=row.id, kind=row.kind, media_type=row.media_type, size=row.size, received_at=row.received_at,
        href=room.address(f"campaign-items/{row.owner_id}/files/{row.id}"),
    )  # fmt: skip


@router.get("/campaigns/board", summary="What is missing, what comes, whom it reached")
async def board(
    request: Request, caller: Caller = Reader, agency: Code = None, area: Code = None, campaign: Code = None,
    kind: Code = None,
) -> CampaignBoardOut:  # fmt: skip
    """Figures computed from the schedule, within reach."""
    async with db.begin(room_of(request).service.engine) as conn:
        made = await queries.board(conn, caller, Filters(agency, area, campaign, kind), clock.now())

    def told(many: dict[str, queries.Tally]) -> dict[str, TallyOut]:
        return {code: TallyOut(**asdict(one)) for code, one in many.items()}

    return CampaignBoardOut(
        all=TallyOut(**asdict(made.all)), soon=made.soon, by_area=told(made.by_area), by_campaign=told(made.by_campaign),
        by_agency=told(made.by_agency),
    )  # fmt: skip


@router.get("/campaigns/figures", summary="Reach and figures of what was done, by campaign and area")
async def figures(
    request: Request, caller: Caller = Reader, agency: Code = None, area: Code = None, campaign: Code = None,
    kind: Code = None, first: date | None = None, last: date | None = None,
) -> list[CampaignFigureOut]:  # fmt: skip
    """Text messages sent and delivered, people trained, copies handed out: what the proofs told."""
    async with db.begin(room_of(request).service.engine) as conn:
        rows = await queries.figures(conn, caller, Filters(agency, area, campaign, kind), first, last)
    return [CampaignFigureOut(**row) for row in rows]


@router.get("/campaign-items", summary="Things of the schedule")
async def items(
    request: Request, caller: Caller = Reader,
    show: Literal["missing", "soon", "open", "done", "waived", "all"] = "missing",
    agency: Code = None, area: Code = None, campaign: Code = None, kind: Code = None, target: Code = None,
    cursor: str | None = None, limit: int = Query(50, ge=1, le=MOST),
) -> Page[CampaignItemOut]:  # fmt: skip
    """Missing ones by default, in the order in which they were due."""
    room, now = room_of(request), clock.now()
    async with db.begin(room.service.engine) as conn:
        given = Filters(agency, area, campaign, kind, target)
        rows, following = await queries.items(conn, caller, show, given, cursor, limit, now)
        named = {str(one.id): one.name for one in await queries.places(conn, caller.plan)}
    return Page(items=[item_out(room, row, named, now) for row in rows], next=following)


@router.get("/campaign-items/{item_id}", responses=REFUSED, summary="A thing with its proofs")
async def one(request: Request, response: Response, item_id: UUID, caller: Caller = Reader) -> CampaignItemFullOut:
    """What it needs, what was told of it, its files."""
    return await _full(request, response, caller, item_id)


async def _prove(
    request: Request, caller: Caller, found: dict[UUID, int], body: CampaignProofIn, key: str | None
) -> UUID:
    room = room_of(request)
    claim = room.claim(caller, "campaign.prove", key, (sorted(found.items()), body.model_dump_json()), min(found))
    told = proving.Proved(
        body.done_on, body.reached, dict(body.figures), tuple(dict.fromkeys(body.groups)), body.link, body.note,
        body.material_id,
    )  # fmt: skip
    async with db.begin(room.service.engine) as conn:
        return await proving.prove(conn, room, caller, found, told, claim, clock.now())


@router.post("/campaign-items/{item_id}/proof", responses=CHANGED, summary="Prove that it was done")
async def prove(
    request: Request, response: Response, item_id: UUID, body: CampaignProofIn, key: Key = None, caller: Caller = Doer
) -> CampaignItemFullOut:
    """Needs `If-Match` and `Idempotency-Key`. What is missing for the proof is told, all at once."""
    done = await _prove(request, caller, {item_id: required_version(request)}, body, key)
    return await _full(request, response, caller, done)


@router.post("/campaign-items/proofs", responses=REFUSED, summary="One proof for several rounds")
async def prove_many(
    request: Request, response: Response, body: CampaignProofsIn, key: Key = None, caller: Caller = Doer
) -> CampaignItemFullOut:
    """A week of daily broadcasts with one proof of broadcast. Each round's version stands in the body."""
    done = await _prove(request, caller, {one.item_id: one.version for one in body.items}, body, key)
    return await _full(request, response, caller, done)


@router.post("/campaign-items/{item_id}/return", responses=CHANGED, summary="Return a proof that proves nothing")
async def give_back(
    request: Request, response: Response, item_id: UUID, body: CampaignReasonIn, key: Key = None, caller: Caller = Manager
) -> CampaignItemFullOut:
    """It is open again, and missed where its time has passed."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "campaign.return", key, (item_id, version, body.reason), item_id)
    async with db.begin(room.service.engine) as conn:
        await proving.give_back(conn, room, caller, item_id, version, body.reason, claim, clock.now())
    return await _full(request, response, caller, item_id)


@router.post("/campaign-items/{item_id}/waive", responses=CHANGED, summary="No longer ask for it, with a reason")
async def waive(
    request: Request, response: Response, item_id: UUID, body: CampaignReasonIn, key: Key = None, caller: Caller = Manager
) -> CampaignItemFullOut:
    """It then counts neither as done nor as missed."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "campaign.waive", key, (item_id, version, body.reason), item_id)
    async with db.begin(room.service.engine) as conn:
        await proving.waive(conn, room, caller, item_id, version, body.reason, claim, clock.now())
    return await _full(request, response, caller, item_id)


@router.post("/campaign-items/{item_id}/restore", responses=CHANGED, summary="Ask for it again after all")
async def restore(
    request: Request, response: Response, item_id: UUID, key: Key = None, caller: Caller = Manager
) -> CampaignItemFullOut:
    """After it was waived."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "campaign.restore", key, (item_id, version), item_id)
    async with db.begin(room.service.engine) as conn:
        await proving.restore(conn, caller, item_id, version, claim, clock.now())
    return await _full(request, response, caller, item_id)


@router.post(
    "/campaign-items/{item_id}/files", status_code=201, responses=REFUSED, summary="Add a photo or paper as proof",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)  # fmt: skip
async def add_files(request: Request, item_id: UUID, caller: Caller = Doer) -> list[KeptFileOut]:
    """One file as the body, or several as multipart/form-data. Only a copy without hidden data (place, device) is kept."""
    room = room_of(request)

    async def may(conn: Any) -> None:
        if not await queries.may(conn, caller, "publicity.do", item_id):
            raise proving.no_item()

    taken = await files.take_request(request, room, caller, OWNER, item_id, may)
    return [file_out(room, one.row) for one in taken]


@router.get("/campaign-items/{item_id}/files/{file_id}", responses=REFUSED, summary="A file of a proof")
async def read_file(request: Request, item_id: UUID, file_id: UUID, caller: Caller = Reader) -> Response:
    """As a download; the reading is recorded."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        await queries.item(conn, caller, item_id)
        row, chunks = await files.open_copy(conn, room, caller, item_id, file_id)
    return download(chunks, row.media_type, row.size, f"{str(row.id)[-6:]}.{TAKEN[row.media_type].ending}")


def _place(row: Any) -> PublicityPlaceOut:
    return PublicityPlaceOut(
        place_id=row.id, kind=row.kind, title=row.name, area=row.area, active=row.active, version=row.version
    )


@router.get("/publicity/places", summary="Registered places that campaigns go to")
async def list_places(request: Request, caller: Caller = Reader) -> list[PublicityPlaceOut]:
    """Beside those of the plan."""
    async with db.begin(room_of(request).service.engine) as conn:
        return [_place(row) for row in await queries.places(conn, caller.plan)]


@router.post("/publicity/places", status_code=201, responses=REFUSED, summary="Register a place")
async def register_place(
    request: Request, body: PublicityPlaceIn, key: Key = None, caller: Caller = Manager
) -> PublicityPlaceOut:
    """What its kind is asked for appears in the schedule at once."""
    room, made = room_of(request), new_id()
    claim = room.claim(caller, "publicity.place", key, body.model_dump_json(), made)
    async with db.begin(room.service.engine) as conn:
        kept = await places.register(conn, room, caller, made, body.kind, body.title, body.area, claim, clock.now())
        return _place(next(row for row in await queries.places(conn, caller.plan) if row.id == kept))


@router.patch("/publicity/places/{place_id}", responses=CHANGED, summary="Take a place out of the schedule, or in again")
async def switch_place(
    request: Request, place_id: UUID, body: PublicityPlaceChange, key: Key = None, caller: Caller = Manager
) -> PublicityPlaceOut:
    """Needs `If-Match` and `Idempotency-Key`."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "publicity.place.switch", key, (place_id, version, body.active), place_id)
    async with db.begin(room.service.engine) as conn:
        await places.switch(conn, room, caller, place_id, version, body.active, claim, clock.now())
        return _place(next(row for row in await queries.places(conn, caller.plan) if row.id == place_id))


