"""Estates, agents and venues: lists with search, visits, bookings, checks (X-D3, D-A1, D-A2)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from services.intake.commands.registers.venues import book_venue, check_venue, visit_agent
from services.intake.domain.registers.signs import signs_at
from services.intake.queries.registers import places
from services.intake.schemas.registers import AgentVisit, Booking, VenueCheck
from services.intake.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.web.forms import Form, read_form, see_other
from shared.web.render import page

router = APIRouter()
_ROWS = 40
_Words = Annotated[str, Query(max_length=60)]
_Cursor = Annotated[str | None, Query(max_length=300)]


async def _list(request: Request, caller: Caller, register: str, q: str, cursor: str | None) -> HTMLResponse:
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await places.listed(
            conn, caller, register, words=q, after=after[0] if after else None, limit=_ROWS
        )
    rows, following = pagination.page(found, _ROWS, lambda row: (row["id"],))
    return page(
        request,
        "registers/named.html",
        {"register": register, "rows": [places.shown(row) for row in rows], "next": following, "q": q},
        service="intake",
        caller=caller,
    )


@router.get("/estates")
async def estates(
    request: Request, caller: Caller = Depends(Requires("rental.read")), q: _Words = "", cursor: _Cursor = None
) -> HTMLResponse:
    """Estates with their property managers."""
    return await _list(request, caller, "estates", q, cursor)


@router.get("/agents")
async def agents(
    request: Request, caller: Caller = Depends(Requires("venue.read")), q: _Words = "", cursor: _Cursor = None
) -> HTMLResponse:
    """Rental agents."""
    return await _list(request, caller, "agents", q, cursor)


@router.get("/venues")
async def venues(
    request: Request, caller: Caller = Depends(Requires("venue.read")), q: _Words = "", cursor: _Cursor = None
) -> HTMLResponse:
    """Meeting and exhibition venues."""
    return await _list(request, caller, "venues", q, cursor)


@router.get("/agents/{agent_id}")
async def agent(request: Request, agent_id: UUID, caller: Caller = Depends(Requires("venue.read"))) -> HTMLResponse:
    """One agent and its visits."""
    async with db.begin(request.app.state.service.engine) as conn:
        row = await places.one(conn, caller, "agents", agent_id)
        visits = await places.visits(conn, agent_id)
    return page(
        request, "registers/agent.html", {"agent": places.shown(row), "visits": visits}, service="intake", caller=caller
    )


class VisitForm(Form):
    """A visit to an agent."""

    materials: list[str] = Field(default_factory=list)
    signed: bool = False
    signer: str | None = None


@router.post("/agents/{agent_id}/visits")
async def visit(request: Request, agent_id: UUID, caller: Caller = Depends(Requires("venue.manage"))) -> Response:
    """Record a visit."""
    sent = await read_form(request, VisitForm)
    body = AgentVisit(materials=sent.materials, signed=sent.signed, signer=sent.signer)
    await visit_agent(request.app.state.service, caller, agent_id, body, str(sent.idempotency_key), clock.now())
    return see_other(request, f"/agents/{agent_id}", done="saved")


@router.get("/venues/{venue_id}")
async def venue(request: Request, venue_id: UUID, caller: Caller = Depends(Requires("venue.read"))) -> HTMLResponse:
    """One venue with its bookings and checks."""
    service: Service = request.app.state.service
    manages = caller.reach("venue.manage") is not None
    async with db.begin(service.engine) as conn:
        row = await places.one(conn, caller, "venues", venue_id)
        booked: list[dict[str, Any]] = await places.bookings(conn, venue_id, service.settings.keys)
        checked = await places.checks(conn, venue_id)
        if manages:
            await audit.record(conn, kit, caller, "venue.bookings.read", "venue", [venue_id], clock.now())
    if not manages:
        booked = [{**one, "organiser": None} for one in booked]
    return page(
        request,
        "registers/venue.html",
        {"venue": places.shown(row), "bookings": booked, "checks": checked, "signs": signs_at("venue")},
        service="intake",
        caller=caller,
    )


class BookingForm(Form):
    """A booking; times are China time."""

    starts_at: datetime
    ends_at: datetime
    purpose: str
    attendees: str | None = None
    organiser: str | None = None


@router.post("/venues/{venue_id}/bookings")
async def book(request: Request, venue_id: UUID, caller: Caller = Depends(Requires("venue.manage"))) -> Response:
    """Record a booking."""
    sent = await read_form(request, BookingForm)
    body = Booking.model_validate(
        {
            "starts_at": sent.starts_at.replace(tzinfo=clock.CHINA),
            "ends_at": sent.ends_at.replace(tzinfo=clock.CHINA),
            "purpose": sent.purpose,
            "attendees": sent.attendees,
            "organiser": sent.organiser,
        }
    )
    await book_venue(request.app.state.service, caller, venue_id, body, str(sent.idempotency_key), clock.now())
    return see_other(request, f"/venues/{venue_id}", done="saved")


class CheckForm(Form):
    """A check of a venue."""

    result: str
    signs: list[str] = Field(default_factory=list)
    booking_id: UUID | None = None
    note: str = ""


@router.post("/venues/{venue_id}/checks")
async def check(request: Request, venue_id: UUID, caller: Caller = Depends(Requires("venue.manage"))) -> Response:
    """Record a check; a finding opens a lead."""
    sent = await read_form(request, CheckForm)
    body = VenueCheck.model_validate(sent.model_dump(exclude={"idempotency_key"}))
    await check_venue(request.app.state.service, caller, venue_id, body, str(sent.idempotency_key), clock.now())
    return see_other(request, f"/venues/{venue_id}", done="saved")
