"""JSON routes of places: dens found, cleared, sealed, revisited; what came back; the network."""

from datetime import date
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.casework.api.parts import basis_of, claim, no_place, nobody, people_of
from services.casework.commands import dens as commands
from services.casework.commands import links as link_commands
from services.casework.commands import revisits as revisit_commands
from services.casework.domain.places import PlaceKind
from services.casework.queries import network as networks
from services.casework.queries import places as queries
from services.casework.schemas.places import (
    DenBody,
    DenOut,
    DenStep,
    LandlordBody,
    LinkBody,
    NetworkOut,
    PlaceFullOut,
    PlaceOut,
    PlaceSearch,
    RegisteredOut,
    RevisitBody,
    RevisitOut,
    TrendOut,
)
from services.casework.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.problem import BadRequest, NotFound
from shared.kit.web import ORJSONResponse
from shared.rules.calendar import local_day

router = APIRouter(tags=["places"])

_CHANGES = {
    404: {"description": "Nothing within reach"},
    409: {"description": "Does not fit what is on record, or the key was used for another request"},
    412: {"description": "Changed since; `changes` says what"},
    422: {"description": "A field is wrong: which, and what to do"},
    428: {"description": "If-Match is missing"},
}


@router.post(
    "/cases/{case_id}/dens", response_model=DenOut, status_code=201, summary="Record a place found in a case (窝点)",
    responses={404: _CHANGES[404], 409: _CHANGES[409], 422: _CHANGES[422]},
)  # fmt: skip
async def record(
    request: Request, case_id: UUID, body: DenBody, caller: Caller = Depends(Requires("place.record"))
) -> Response:
    """Needs `Idempotency-Key`. `again` in the answer: the place had been cleared before (死灰复燃)."""
    claimed = claim(request, caller, "den.record", (case_id, body.model_dump_json()), new_id())
    async with db.begin(request.app.state.service.engine) as conn:
        den_id, replayed = await commands.record_den(
            conn, basis_of(request), caller, case_id, body, claimed, clock.now()
        )
    return await _den(request, caller, den_id, status=200 if replayed else 201)


@router.get("/cases/{case_id}/dens", response_model=list[DenOut], summary="The places found in a case")
async def of_case(request: Request, case_id: UUID, caller: Caller = Depends(Requires("place.read"))) -> Response:
    """The reading is recorded."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.dens_of_case(conn, caller, case_id)
        if rows:
            await audit.record(conn, kit, caller, "place.list", "case", [case_id], clock.now(), count=len(rows))
    return ORJSONResponse([people_of(request).den(row) for row in rows])


@router.get("/dens/{den_id}", response_model=DenOut, summary="One den; its ETag is the version to change")
async def one_den(request: Request, den_id: UUID, caller: Caller = Depends(Requires("place.read"))) -> Response:
    """The reading is recorded."""
    return await _den(request, caller, den_id)


@router.post("/dens/{den_id}/steps", response_model=DenOut, summary="Clear, seal, unseal", responses=_CHANGES)
async def step(
    request: Request, den_id: UUID, body: DenStep, caller: Caller = Depends(Requires("place.record"))
) -> Response:
    """Needs `If-Match` and `Idempotency-Key`. Clearing plans the revisits that the plan asks for (X-D9)."""
    version = required_version(request)
    claimed = claim(request, caller, "den.step", (den_id, version, body.model_dump_json()), den_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.den_step(conn, basis_of(request), caller, den_id, body, version, claimed, clock.now())
    return await _den(request, caller, den_id)


@router.get("/places", response_model=Page[PlaceOut], summary="Places of cases in my reach")
async def listed(
    request: Request,
    caller: Caller = Depends(Requires("place.read")),
    kind: PlaceKind | None = None,
    area: str | None = Query(None, max_length=48),
    again: bool = Query(False, description="Only those that came back after they were cleared"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Newest first. The reading is recorded."""
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.list_places(
            conn, caller, queries.PlaceFilters(kind, area, again), after=after[0] if after else None, limit=limit
        )
        rows, following = pagination.page(found, limit, lambda row: (row.id,))
        if rows:
            await audit.record(conn, kit, caller, "place.list", "place", [row.id for row in rows], clock.now())
    return ORJSONResponse({"items": [people_of(request).place(row) for row in rows], "next": following})


@router.post("/places/search", response_model=list[PlaceOut], summary="Find places by part of their address")
async def search(request: Request, body: PlaceSearch, caller: Caller = Depends(Requires("place.read"))) -> Response:
    """By POST, so that no address stands in an address line. That it was asked is recorded."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.search(conn, caller, basis_of(request).keys, body.words)
        await audit.record(conn, kit, caller, "place.search", "place", [row.id for row in rows], clock.now())
    return ORJSONResponse([people_of(request).place(row) for row in rows])


@router.get("/places/{place_id}", response_model=PlaceFullOut, summary="One place; its ETag is the version to change")
async def one(request: Request, place_id: UUID, caller: Caller = Depends(Requires("place.read"))) -> Response:
    """Every case it was found in within reach, its revisits, its landlord, and how it came back. Reading is recorded."""
    return await _place(request, caller, place_id)


@router.put("/places/{place_id}/landlord", response_model=PlaceFullOut, summary="Who let it", responses=_CHANGES)
async def landlord(
    request: Request, place_id: UUID, body: LandlordBody, caller: Caller = Depends(Requires("place.record"))
) -> Response:
    """Needs `If-Match` and `Idempotency-Key`."""
    version = required_version(request)
    claimed = claim(request, caller, "place.landlord", (place_id, version, body.model_dump_json()), place_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.set_landlord(conn, basis_of(request), caller, place_id, body, version, claimed, clock.now())
    return await _place(request, caller, place_id)


@router.get("/revisits", response_model=Page[RevisitOut], summary="Revisits of cleared dens that I may do (X-D9)")
async def revisits(
    request: Request,
    caller: Caller = Depends(Requires("revisit.do")),
    area: str | None = Query(None, max_length=48),
    done: bool = False,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """The longest due first."""
    after = pagination.decode(cursor, (date.fromisoformat, UUID))
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.list_revisits(conn, caller, area=area, done=done, after=after, limit=limit)  # type: ignore[arg-type]
        rows, following = pagination.page(found, limit, lambda row: (row.due, row.id))
        if rows:
            await audit.record(conn, kit, caller, "revisit.list", "revisit", [row.id for row in rows], now)
    people, today = people_of(request), local_day(now)
    return ORJSONResponse({"items": [people.revisit(row, today) for row in rows], "next": following})


@router.post("/revisits/{revisit_id}/outcome", summary="What a revisit found", responses=_CHANGES)
async def revisited(
    request: Request, revisit_id: UUID, body: RevisitBody, caller: Caller = Depends(Requires("revisit.do"))
) -> Response:
    """Needs `If-Match` and `Idempotency-Key`. People back, or a broken seal, is told at once."""
    version = required_version(request)
    claimed = claim(request, caller, "den.revisit", (revisit_id, version, body.model_dump_json()), revisit_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await revisit_commands.do_revisit(
            conn, basis_of(request), caller, revisit_id, body, version, claimed, clock.now()
        )
    return ORJSONResponse({"revisit_id": revisit_id, "outcome": body.outcome, "done_at": body.at})


@router.get("/registered-places", response_model=Page[RegisteredOut], summary="Ids of intake's registers known here")
async def registered(
    request: Request,
    caller: Caller = Depends(Requires("place.record")),
    area: str | None = Query(None, max_length=48),
    kind: Literal["rental", "venue"] | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Ids, areas and kinds, as intake's events named them; the address stands on the register's own page."""
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.registered(
            conn, caller, area=area, kind=kind, after=after[0] if after else None, limit=limit
        )
    rows, following = pagination.page(found, limit, lambda row: (row.id,))
    people = people_of(request)
    items = [
        {"registered_id": row.id, "area": row.area, "kind": row.kind, "page": people.register_page(row.kind, row.id)}
        for row in rows
    ]
    return ORJSONResponse({"items": items, "next": following})


@router.get("/recurrences", response_model=list[TrendOut], summary="死灰复燃 by community and month (X-G2)")
async def recurrences(
    request: Request,
    caller: Caller = Depends(Requires("recurrence.read")),
    months: int = Query(12, ge=1, le=60),
) -> Response:
    """Counts alone: dens found and cleared; places, landlords and persons that came back."""
    async with db.begin(request.app.state.service.engine) as conn:
        return ORJSONResponse(await queries.monthly(conn, caller, clock.now(), months))


@router.get("/network", response_model=NetworkOut, summary="The network around a person or place (关系网)")
async def network(
    request: Request,
    caller: Caller = Depends(Requires("person.read")),
    person: UUID | None = None,
    place: UUID | None = None,
    depth: int = Query(2, ge=1, le=3),
) -> Response:
    """Persons, places, landlords, phones and organisations up to three steps away. The reading is recorded."""
    if (person is None) == (place is None):
        raise BadRequest("person 和 place 请给一个。 Give either person or place.", code="one-only")
    start = ("person", person) if person else ("place", place)
    async with db.begin(request.app.state.service.engine) as conn:
        net = await networks.around(conn, caller, start, depth)
        if net is None:
            raise nobody() if person else no_place()
        answer = await networks.shown(conn, caller, basis_of(request).keys, net, basis_of(request).address)
        await audit.record(conn, kit, caller, "network.read", "person", answer.pop("persons"), clock.now())
    return ORJSONResponse(answer)


@router.post("/cases/{case_id}/links", status_code=201, summary="State a relation in a case", responses=_CHANGES)
async def link(
    request: Request, case_id: UUID, body: LinkBody, caller: Caller = Depends(Requires("person.record"))
) -> Response:
    """Needs `Idempotency-Key`."""
    claimed = claim(request, caller, "link.state", (case_id, body.model_dump_json()), new_id())
    async with db.begin(request.app.state.service.engine) as conn:
        link_id = await link_commands.state_link(conn, caller, case_id, body, claimed, clock.now())
    return ORJSONResponse({"link_id": link_id}, status_code=201)


@router.post("/links/{link_id}/removal", summary="A relation proved wrong", responses=_CHANGES)
async def unlink(request: Request, link_id: UUID, caller: Caller = Depends(Requires("person.record"))) -> Response:
    """Needs `Idempotency-Key`. It stays on record as removed."""
    claimed = claim(request, caller, "link.remove", link_id, link_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await link_commands.remove_link(conn, caller, link_id, claimed, clock.now())
    return ORJSONResponse({"link_id": link_id})


async def _den(request: Request, caller: Caller, den_id: UUID, *, status: int = 200) -> Response:
    async with db.begin(request.app.state.service.engine) as conn:
        row = await queries.get_den(conn, caller, den_id)
        if row is None:
            raise NotFound("没有这个窝点，或不在您的权限内。 No such den within your reach.", code="den-not-found")
        await audit.record(conn, kit, caller, "place.read", "den", [den_id], clock.now())
    return ORJSONResponse(people_of(request).den(row), status_code=status, headers={"etag": etag(row.version)})


async def _place(request: Request, caller: Caller, place_id: UUID) -> Response:
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        full = await queries.get_place(conn, caller, place_id)
        if full is None:
            raise no_place()
        await audit.record(conn, kit, caller, "place.read", "place", [place_id], now)
    answer = people_of(request).place_full(full, caller, now)
    return ORJSONResponse(answer, headers={"etag": etag(full.place.version)})

