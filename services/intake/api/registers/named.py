"""Estates with their managers, agents with their visits, venues with their bookings and checks."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.api.registers.common import entered, own_plan, required_key
from services.intake.commands.registers.named import upsert_named
from services.intake.commands.registers.rows import open_contact
from services.intake.commands.registers.venues import book_venue, cancel_booking, check_venue, visit_agent
from services.intake.queries.registers import places, plain
from services.intake.schemas.registers import AgentRow, AgentVisit, Booking, EstateRow, VenueCheck, VenueRow
from services.intake.tables import kit
from shared.kit import audit, clock, db, idempotency, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["registers"])


async def _list(
    request: Request, caller: Caller, register: str, q: str, area: str | None, cursor: str | None, limit: int
) -> Response:
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await places.listed(
            conn, caller, register, words=q, area=area, after=after[0] if after else None, limit=limit
        )
    rows, following = pagination.page(found, limit, lambda row: (row["id"],))
    return ORJSONResponse({"items": [places.shown(row) for row in rows], "next": following})


async def _enter(request: Request, caller: Caller, register: str, right: str, row: Any, plan: str | None) -> Response:
    service: Service = request.app.state.service
    own = own_plan(service, caller, right, plan)
    async with db.begin(service.engine) as conn:
        outcome = (await upsert_named(conn, service, caller, own, register, [(1, row)], clock.now()))[0]
    return entered(outcome)


async def _contact(request: Request, caller: Caller, register: str, place_id: UUID) -> Response:
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        row = await places.one(conn, caller, register, place_id)
        await audit.record(conn, kit, caller, f"{register}.contact.read", register, [place_id], clock.now())
    told = open_contact(service.settings.keys, place_id, row["contact"])
    return ORJSONResponse(told, headers={"cache-control": "no-store"})


_Q = Query("", max_length=60)
_Area = Query(None, max_length=48)
_Cursor = Query(None, max_length=300)
_Limit = Query(50, ge=1, le=pagination.MOST)
_Plan = Query(None, max_length=48)


@router.get("/estates", summary="Estates (小区) with their property managers")
async def estates(
    request: Request, caller: Caller = Depends(Requires("rental.read")), q: str = _Q, area: str | None = _Area,
    cursor: str | None = _Cursor, limit: int = _Limit,
) -> Response:  # fmt: skip
    """One page of estates."""
    return await _list(request, caller, "estates", q, area, cursor, limit)


@router.post("/estates", status_code=201, summary="Enter one estate, or bring a known one up to date")
async def enter_estate(
    request: Request, body: EstateRow, plan: str | None = _Plan, caller: Caller = Depends(Requires("rental.manage"))
) -> Response:
    """Its number or name makes repeating safe."""
    return await _enter(request, caller, "estates", "rental.manage", body, plan)


@router.get("/estates/{estate_id}/contact", summary="An estate's contact; the reading is recorded")
async def estate_contact(
    request: Request, estate_id: UUID, caller: Caller = Depends(Requires("rental.manage"))
) -> Response:
    """Name and phone of whom to call."""
    return await _contact(request, caller, "estates", estate_id)


@router.get("/agents", summary="Rental agents (中介)")
async def agents(
    request: Request, caller: Caller = Depends(Requires("venue.read")), q: str = _Q, area: str | None = _Area,
    cursor: str | None = _Cursor, limit: int = _Limit,
) -> Response:  # fmt: skip
    """One page of agents, with when each was last visited and signed."""
    return await _list(request, caller, "agents", q, area, cursor, limit)


@router.post("/agents", status_code=201, summary="Enter one agent, or bring a known one up to date")
async def enter_agent(
    request: Request, body: AgentRow, plan: str | None = _Plan, caller: Caller = Depends(Requires("venue.manage"))
) -> Response:
    """Its number or name makes repeating safe."""
    return await _enter(request, caller, "agents", "venue.manage", body, plan)


@router.get("/agents/{agent_id}", summary="One agent with its visits")
async def agent(request: Request, agent_id: UUID, caller: Caller = Depends(Requires("venue.read"))) -> Response:
    """One agent; who signed is not told."""
    async with db.begin(request.app.state.service.engine) as conn:
        row = await places.one(conn, caller, "agents", agent_id)
        visits = await places.visits(conn, agent_id)
    body = {**places.shown(row), "visits": [plain(visit) for visit in visits]}
    return ORJSONResponse(body, headers={"etag": etag(row["version"])})


@router.get("/agents/{agent_id}/contact", summary="An agent's contact; the reading is recorded")
async def agent_contact(
    request: Request, agent_id: UUID, caller: Caller = Depends(Requires("venue.manage"))
) -> Response:
    """Name and phone of whom to call."""
    return await _contact(request, caller, "agents", agent_id)


@router.post("/agents/{agent_id}/visits", status_code=201, summary="An agent was visited and signed (Idempotency-Key)")
async def visit(
    request: Request, agent_id: UUID, body: AgentVisit, caller: Caller = Depends(Requires("venue.manage"))
) -> Response:
    """What was handed over and whether it was signed for (D-A1)."""
    made = await visit_agent(
        request.app.state.service, caller, agent_id, body, required_key(request), clock.now()
    )
    return ORJSONResponse({"id": made}, status_code=201)


@router.get("/venues", summary="Meeting and exhibition venues")
async def venues(
    request: Request, caller: Caller = Depends(Requires("venue.read")), q: str = _Q, area: str | None = _Area,
    cursor: str | None = _Cursor, limit: int = _Limit,
) -> Response:  # fmt: skip
    """One page of venues, with when each was last checked."""
    return await _list(request, caller, "venues", q, area, cursor, limit)


@router.post("/venues", status_code=201, summary="Enter one venue, or bring a known one up to date")
async def enter_venue(
    request: Request, body: VenueRow, plan: str | None = _Plan, caller: Caller = Depends(Requires("venue.manage"))
) -> Response:
    """Its number or name makes repeating safe."""
    return await _enter(request, caller, "venues", "venue.manage", body, plan)


@router.get("/venues/{venue_id}", summary="One venue with its bookings and checks")
async def venue(request: Request, venue_id: UUID, caller: Caller = Depends(Requires("venue.read"))) -> Response:
    """One venue; an organiser is told to those who manage venues, with how often they booked in the plan."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        row = await places.one(conn, caller, "venues", venue_id)
        booked = await places.bookings(conn, venue_id, service.settings.keys)
        checked = await places.checks(conn, venue_id)
        if caller.reach("venue.manage") is None:
            booked = [{**one, "organiser": None} for one in booked]
        else:
            await audit.record(conn, kit, caller, "venue.bookings.read", "venue", [venue_id], clock.now())
    body = {**places.shown(row), "bookings": booked, "checks": [plain(one) for one in checked]}
    return ORJSONResponse(body, headers={"etag": etag(row["version"])})


@router.get("/venues/{venue_id}/contact", summary="A venue's contact; the reading is recorded")
async def venue_contact(
    request: Request, venue_id: UUID, caller: Caller = Depends(Requires("venue.manage"))
) -> Response:
    """Name and phone of whom to call."""
    return await _contact(request, caller, "venues", venue_id)


@router.post("/venues/{venue_id}/bookings", status_code=201, summary="A venue is booked (Idempotency-Key)")
async def book(
    request: Request, venue_id: UUID, body: Booking, caller: Caller = Depends(Requires("venue.manage"))
) -> Response:
    """A time that is taken is refused."""
    made = await book_venue(request.app.state.service, caller, venue_id, body, required_key(request), clock.now())
    return ORJSONResponse({"id": made}, status_code=201)


@router.post("/bookings/{booking_id}/cancellation", status_code=204, summary="Cancel a booking (If-Match, Idempotency-Key)")
async def cancel(
    request: Request, booking_id: UUID, caller: Caller = Depends(Requires("venue.manage"))
) -> Response:
    """Only one that was neither cancelled nor checked."""
    service: Service = request.app.state.service
    version, key, now = required_version(request), required_key(request), clock.now()
    claim = idempotency.claim(
        service.settings.keys, caller, "venue.cancel", key, str(booking_id).encode(), booking_id
    )
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        if known is None:
            await cancel_booking(conn, caller, booking_id, version, now)
        elif not isinstance(known, UUID):
            raise known
    return Response(status_code=204)


@router.post("/venues/{venue_id}/checks", status_code=201, summary="A venue was checked (Idempotency-Key)")
async def check(
    request: Request, venue_id: UUID, body: VenueCheck, caller: Caller = Depends(Requires("venue.manage"))
) -> Response:
    """A finding opens a lead at once (D-A2)."""
    row = await check_venue(request.app.state.service, caller, venue_id, body, required_key(request), clock.now())
    return ORJSONResponse(
        {name: row[name] for name in ("id", "result", "signs", "booking_id", "lead_id", "tip_id", "at")},
        status_code=201,
    )
