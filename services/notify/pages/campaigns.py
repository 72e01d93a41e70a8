"""Pages of campaigns: the board with what is missing first and its map sketch, a thing with its proof, places."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict, Field

from services.notify.commands import files
from services.notify.commands.publicity import places, proving
from services.notify.commands.publicity.parts import room_of
from services.notify.domain.publicity import sketch
from services.notify.queries.publicity import board as queries
from services.notify.queries.publicity.board import Filters
from services.notify.queries.publicity.present import target_words
from services.notify.schemas.publicity import Count, Line, Link, Note, Reason
from shared.kit import clock, db
from shared.kit.access import ANONYMOUS, Caller, Requires
from shared.kit.files.answers import download
from shared.kit.files.kinds import TAKEN
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, Outdated, Problem
from shared.rules.calendar import local_day
from shared.rules.plan.publicity import PLACE_KINDS
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page, told
from shared.web.view import for_request

router = APIRouter(tags=["pages"], include_in_schema=False)

Reader = Depends(Requires("publicity.read"))
Doer = Depends(Requires("publicity.do"))
Manager = Depends(Requires("publicity.manage"))
Code = Annotated[str | None, Query(max_length=64)]
A_PAGE = 40
REFUSALS = (Conflict, Forbidden, Invalid, Outdated)
OWNER = "campaign_item"
Show = Literal["missing", "soon", "open", "done", "waived"]


@router.get("/campaigns")
async def board(
    request: Request, caller: Caller = Reader, show: Show | None = None, agency: Code = None, area: Code = None,
    campaign: Code = None, cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:  # fmt: skip
    """What is missing first; how far each area and campaign is; whom it reached."""
    room, now = room_of(request), clock.now()
    plan, given = room.plan_of(caller), Filters(agency or None, area or None, campaign or None)
    async with db.begin(room.service.engine) as conn:
        made = await queries.board(conn, caller, given, now)
        shown: Show = show or ("missing" if made.all.missing else "soon" if made.soon else "open")
        rows, following = await queries.items(conn, caller, shown, given, cursor, A_PAGE, now)
        named = {str(one.id): one.name for one in await queries.places(conn, plan.id)}
    rules = plan.publicity
    return page(
        request,
        "campaigns.html",
        {
            "plan": plan, "board": made, "show": shown, "rows": rows, "next": following, "filters": given,
            "targets": {row.id: target_words(plan, row, named, _language(request)) for row in rows},
            "campaigns": {one.id: one for one in rules.campaigns},
            "spots": sketch.spots(plan, made.by_area) if len(made.by_area) > 1 else [],
            "width": sketch.WIDTH, "height": sketch.HEIGHT, "now": now,
        },
        service="notify",
        caller=caller,
    )  # fmt: skip


def _language(request: Request) -> str:
    return "en" if for_request(request, "notify", ANONYMOUS, clock.now()).locale == "en" else "zh_CN"


async def _item(
    request: Request, caller: Caller, item_id: UUID, problem: Problem | None = None, status: int = 200,
    sent: dict[str, Any] | None = None,
) -> HTMLResponse:  # fmt: skip
    room, now = room_of(request), clock.now()
    async with db.begin(room.service.engine) as conn:
        row = await queries.item(conn, caller, item_id)
        plan = room.plan(row.plan)
        named = {str(one.id): one.name for one in await queries.places(conn, row.plan)}
        records = await queries.records(conn, item_id)
        kept = await files.of_owner(conn, item_id)
        may_do = await queries.may(conn, caller, "publicity.do", item_id)
        may_manage = await queries.may(conn, caller, "publicity.manage", item_id)
        others = await queries.same_days(conn, caller, row, local_day(now)) if may_do else []
        materials, _ = await queries.materials(conn, caller, None, None, 100)
    kind = next((one for one in plan.publicity.kinds if one.id == row.kind), None)
    return page(
        request,
        "campaign_item.html",
        {
            "plan": plan, "item": row, "campaign": plan.publicity.campaign(row.campaign), "kind": kind,
            "target": target_words(plan, row, named, _language(request)), "records": records, "files": kept,
            "may_do": may_do, "may_manage": may_manage, "others": others, "now": now, "today": local_day(now),
            "materials": [one for one in materials if one.current and one.state != "withdrawn"
                          and kind is not None and one.kind == kind.material],
            "names": {one.id: one.name for one in (*plan.publicity.groups, *((kind.figures) if kind else ()))},
            "problem": told(request, problem) if problem else None, "sent": sent or {},
            "largest_mb": room.settings.most_proof_bytes >> 20,
        },
        service="notify",
        caller=caller,
        status=status,
    )  # fmt: skip


@router.get("/campaign-items")
async def of_notice(request: Request, _: Caller = Reader) -> Response:
    """Where a notice about a campaign leads: the board, cut down to it."""
    asked = {name: value for name, value in request.query_params.items() if name in ("campaign", "agency", "show")}
    return see_other(request, f"/campaigns?{urlencode(asked)}" if asked else "/campaigns")


@router.get("/campaign-items/{item_id}")
async def item_of_notice(request: Request, item_id: UUID, _: Caller = Reader) -> Response:
    """Where a notice about one thing leads."""
    return see_other(request, f"/campaigns/items/{item_id}")


@router.get("/campaigns/items/{item_id}")
async def one(request: Request, item_id: UUID, caller: Caller = Reader) -> HTMLResponse:
    """A thing of the schedule: what it needs, what was told of it."""
    return await _item(request, caller, item_id)


class ProveForm(VersionedForm):
    """The proof; figures come as `figure-…` fields, further rounds as `also` = id:version."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=True)

    done_on: date | None = None
    reached: Count | None = None
    groups: list[str] = Field(default=[])
    link: Link = ""
    note: Note = ""
    material_id: UUID | None = None
    also: list[str] = Field(default=[], max_length=60)

    def figures(self) -> dict[str, int]:
        """The figures. Raises `Invalid` for what is no number."""
        found: dict[str, int] = {}
        for name, value in (self.model_extra or {}).items():
            if not name.startswith("figure-"):
                continue
            if not str(value).isdigit():
                raise Invalid("请填整数。 Write whole numbers.", errors=[{"field": name, "code": "no-number", "message": "整数 / a whole number"}])
            found[name.removeprefix("figure-")] = int(str(value))
        return found

    def items(self, item_id: UUID) -> dict[UUID, int]:
        """The rounds it covers, with the versions the page was made from."""
        pairs = [each.partition(":") for each in self.also]
        return {item_id: self.version} | {UUID(one): int(version) for one, _, version in pairs}


@router.post("/campaigns/items/{item_id}/proof")
async def prove(request: Request, item_id: UUID, caller: Caller = Doer) -> Response:
    """Prove that it was done; what is missing is told on the page, with what was typed kept."""
    room = room_of(request)
    sent = await read_form(request, ProveForm)
    try:
        items, figures = sent.items(item_id), sent.figures()
        what = proving.Proved(
            sent.done_on if len(items) == 1 else None, sent.reached, figures, tuple(sent.groups), sent.link, sent.note,
            sent.material_id,
        )  # fmt: skip
        claim = room.claim(caller, "campaign.prove", str(sent.idempotency_key), (sorted(items.items()), what), min(items))
        async with db.begin(room.service.engine) as conn:
            await proving.prove(conn, room, caller, items, what, claim, clock.now())
    except REFUSALS as problem:
        return await _item(request, caller, item_id, problem, int(problem.status), sent.model_dump())
    except ValueError:
        return await _item(request, caller, item_id, status=422)
    return see_other(request, f"/campaigns/items/{item_id}", done="saved")


@router.post("/campaigns/items/{item_id}/files")
async def add_files(request: Request, item_id: UUID, caller: Caller = Doer) -> Response:
    """Photos and papers, from the phone's camera too."""

    async def may(conn: Any) -> None:
        if not await queries.may(conn, caller, "publicity.do", item_id):
            raise proving.no_item()

    try:
        await files.take_request(request, room_of(request), caller, OWNER, item_id, may)
    except Problem as problem:
        if problem.status == 404:
            raise
        return await _item(request, caller, item_id, problem, int(problem.status))
    return see_other(request, f"/campaigns/items/{item_id}", done="saved")


@router.get("/campaigns/items/{item_id}/files/{file_id}")
async def read_file(request: Request, item_id: UUID, file_id: UUID, caller: Caller = Reader) -> Response:
    """The copy without hidden data, as a download; the reading is recorded."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        await queries.item(conn, caller, item_id)
        row, chunks = await files.open_copy(conn, room, caller, item_id, file_id)
    return download(chunks, row.media_type, row.size, f"{str(row.id)[-6:]}.{TAKEN[row.media_type].ending}")


class WhyForm(VersionedForm):
    reason: Reason


@router.post("/campaigns/items/{item_id}/{step}")
async def manage(
    request: Request, item_id: UUID, step: Literal["return", "waive", "restore"], caller: Caller = Manager
) -> Response:
    """Return a proof, waive a thing, or ask for it again."""
    room, now = room_of(request), clock.now()
    sent = await read_form(request, VersionedForm if step == "restore" else WhyForm)
    reason = sent.reason if isinstance(sent, WhyForm) else ""
    asked = (item_id, sent.version, reason)
    claim = room.claim(caller, f"campaign.{step}", str(sent.idempotency_key), asked, item_id)
    try:
        async with db.begin(room.service.engine) as conn:
            if step == "restore":
                await proving.restore(conn, caller, item_id, sent.version, claim, now)
            else:
                work = proving.give_back if step == "return" else proving.waive
                await work(conn, room, caller, item_id, sent.version, reason, claim, now)
    except REFUSALS as problem:
        return await _item(request, caller, item_id, problem, int(problem.status))
    return see_other(request, f"/campaigns/items/{item_id}", done="saved")


class PlaceForm(Form):
    kind: str
    title: Line
    area: str


class SwitchForm(VersionedForm):
    active: bool


async def _places(request: Request, caller: Caller, problem: Problem | None = None) -> HTMLResponse:
    room = room_of(request)
    plan = room.plan_of(caller)
    async with db.begin(room.service.engine) as conn:
        rows = await queries.places(conn, plan.id)
    return page(
        request, "publicity_places.html",
        {"plan": plan, "rows": rows, "kinds": PLACE_KINDS, "problem": told(request, problem) if problem else None},
        service="notify", caller=caller, status=int(problem.status) if problem else 200,
    )  # fmt: skip


@router.get("/campaigns/places")
async def list_places(request: Request, caller: Caller = Manager) -> HTMLResponse:
    """Places that campaigns go to."""
    return await _places(request, caller)


@router.post("/campaigns/places")
async def register_place(request: Request, caller: Caller = Manager) -> Response:
    """Register a place; its schedule begins today."""
    room, made = room_of(request), new_id()
    sent = await read_form(request, PlaceForm)
    if sent.kind not in PLACE_KINDS:
        raise Invalid("没有这种场所。 No such kind of place.", code="unknown-kind")
    claim = room.claim(caller, "publicity.place", str(sent.idempotency_key), (sent.kind, sent.title, sent.area), made)
    try:
        async with db.begin(room.service.engine) as conn:
            await places.register(conn, room, caller, made, sent.kind, sent.title, sent.area, claim, clock.now())
    except REFUSALS as problem:
        return await _places(request, caller, problem)
    return see_other(request, "/campaigns/places", done="saved")


@router.post("/campaigns/places/{place_id}")
async def switch_place(request: Request, place_id: UUID, caller: Caller = Manager) -> Response:
    """Take a place out of the schedule, or in again."""
    room = room_of(request)
    sent = await read_form(request, SwitchForm)
    asked = (place_id, sent.version, sent.active)
    claim = room.claim(caller, "publicity.place.switch", str(sent.idempotency_key), asked, place_id)
    try:
        async with db.begin(room.service.engine) as conn:
            await places.switch(conn, room, caller, place_id, sent.version, sent.active, claim, clock.now())
    except REFUSALS as problem:
        return await _places(request, caller, problem)
    return see_other(request, "/campaigns/places", done="saved")
