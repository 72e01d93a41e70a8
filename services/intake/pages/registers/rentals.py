"""Rental units: the list with its search, one unit, its landlord, a change."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from services.intake.commands.registers.units import change_unit, upsert_units
from services.intake.queries.registers import places
from services.intake.schemas.registers import UnitChange, UnitRow
from services.intake.tables import agents, kit
from shared.kit import clock, db, idempotency, pagination
from shared.kit.access import Caller, Requires
from shared.kit.problem import Invalid, NotFound
from shared.kit.service import Service
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()
_ROWS = 40


@router.get("/rentals")
async def rentals(
    request: Request,
    caller: Caller = Depends(Requires("rental.read")),
    q: Annotated[str, Query(max_length=60)] = "",
    area: Annotated[str, Query(max_length=48)] = "",
    tier: Annotated[str, Query(max_length=48)] = "",
    registration: Annotated[str, Query(pattern="^(registered|unregistered|)$")] = "",
    den: bool = False,
    estate: str = "",
    agent: str = "",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """Units in reach; two characters of estate, building, room or number find them."""
    service: Service = request.app.state.service
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(service.engine) as conn:
        found = await places.listed(
            conn, caller, "rentals", words=q, area=area or None, tier=tier or None, registration=registration or None,
            den=den or None, estate=_id(estate), agent=_id(agent), after=after[0] if after else None, limit=_ROWS,
        )  # fmt: skip
    rows, following = pagination.page(found, _ROWS, lambda row: (row["id"],))
    return page(
        request,
        "registers/rentals.html",
        {
            "rows": rows,
            "next": following,
            "q": q,
            "area": area,
            "tier": tier,
            "registration": registration,
            "den": den,
            "plan": service.plans.get(caller.plan or ""),
            "filtered": bool(q or area or tier or registration or den or estate or agent),
        },
        service="intake",
        caller=caller,
    )


def _id(words: str) -> UUID | None:
    try:
        return UUID(words) if words else None
    except ValueError:
        raise NotFound("没有这个对象。 There is no such entry.") from None


class EntryForm(Form):
    """One unit entered by hand."""

    number: str | None = None
    area: str = ""
    estate: str = ""
    building: str = ""
    room: str = ""
    tier: str | None = None
    registration: str | None = None
    occupants: str | None = None
    agent: str | None = None
    landlord_name: str | None = None
    landlord_phone: str | None = None
    landlord_id_number: str | None = None


@router.get("/rentals/new")
async def new(request: Request, caller: Caller = Depends(Requires("rental.manage"))) -> HTMLResponse:
    """Enter one unit."""
    plan = request.app.state.service.plans.get(caller.plan or "")
    areas = [a for a in plan.communities if caller.reach("rental.manage") != "own_area" or a.id in caller.areas]
    return page(request, "registers/rental_new.html", {"plan": plan, "areas": areas}, service="intake", caller=caller)


@router.post("/rentals")
async def enter(request: Request, caller: Caller = Depends(Requires("rental.manage"))) -> Response:
    """Its number or its address makes sending twice harmless."""
    service: Service = request.app.state.service
    sent = await read_form(request, EntryForm)
    row = UnitRow.model_validate(sent.model_dump(exclude={"idempotency_key"}))
    async with db.begin(service.engine) as conn:
        plan = service.plans[caller.plan or ""]
        outcome = (await upsert_units(conn, service, caller, plan, [(1, row)], clock.now()))[0]
    if outcome.status == "rejected":
        raise Invalid(
            "请返回改正；未保存任何内容。 Go back and correct it; nothing was kept.",
            errors=[error.model_dump() for error in outcome.errors],
        )
    return see_other(request, f"/rentals/{outcome.id}", done="saved")


@router.get("/rentals/{unit_id}")
async def rental(request: Request, unit_id: UUID, caller: Caller = Depends(Requires("rental.read"))) -> HTMLResponse:
    """One unit with its latest patrols; not its landlord."""
    return await _unit(request, unit_id, caller, None)


@router.post("/rentals/{unit_id}/landlord")
async def landlord(
    request: Request, unit_id: UUID, caller: Caller = Depends(Requires("rental.personal"))
) -> HTMLResponse:
    """The same page with the landlord on it; the reading is recorded."""
    service: Service = request.app.state.service
    await read_form(request, Form)
    async with db.begin(service.engine) as conn:
        told = await places.landlord(conn, caller, service.settings.keys, unit_id, clock.now())
    return await _unit(request, unit_id, caller, told)


async def _unit(request: Request, unit_id: UUID, caller: Caller, told: dict[str, str] | None) -> HTMLResponse:
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        unit = await places.one(conn, caller, "rentals", unit_id)
        past = await places.history(conn, unit_id)
        agent = await places.names(conn, agents, [unit["agent_id"]])
    return page(
        request,
        "registers/rental.html",
        {
            "unit": places.shown(unit),
            "past": past,
            "plan": service.plans.get(unit["plan"]),
            "agent": agent.get(unit["agent_id"]),
            "landlord": told,
        },
        service="intake",
        caller=caller,
    )


class ChangeForm(VersionedForm):
    """What changes about a unit."""

    tier: str | None = None
    registration: str | None = None
    state: str | None = None
    occupants: str | None = None


@router.post("/rentals/{unit_id}")
async def change(request: Request, unit_id: UUID, caller: Caller = Depends(Requires("rental.manage"))) -> Response:
    """Change one unit as its reader saw it."""
    service: Service = request.app.state.service
    sent, now = await read_form(request, ChangeForm), clock.now()
    body = UnitChange.model_validate(sent.model_dump(exclude={"idempotency_key", "version"}))
    claim = idempotency.claim(
        service.settings.keys, caller, "rental.change", str(sent.idempotency_key),
        f"{unit_id}\n{body.model_dump_json()}".encode(), unit_id,
    )  # fmt: skip
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        if known is None:
            await change_unit(conn, service, caller, unit_id, body, sent.version, now)
        elif not isinstance(known, UUID):
            raise known
    return see_other(request, f"/rentals/{unit_id}", done="saved")
