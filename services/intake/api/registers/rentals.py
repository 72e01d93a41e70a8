"""Rental units (出租屋): list, search, one, entered, changed, imported, exported; the picture of a community."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.adapters.sheets import XLSX, write_csv, write_xlsx
from services.intake.api.registers.common import entered, own_plan, required_key, take_file
from services.intake.commands.registers.units import change_unit, upsert_units
from services.intake.queries.registers import places, plain
from services.intake.schemas.registers import ImportOut, PersonSearch, Register, UnitChange, UnitRow
from services.intake.tables import kit
from shared.kit import audit, clock, db, idempotency, pagination
from shared.kit.access import Caller, Requires, SignedIn
from shared.kit.etag import etag, required_version
from shared.kit.problem import Forbidden
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["registers"])

EXPORTED = ("number", "area", "estate", "building", "room", "tier", "registration", "state", "occupants", "agent")
"""What an export holds: no landlord, for a file travels."""
MOST_EXPORTED = 250_000


@router.get("/rentals", summary="Rental units in my reach; two characters are enough to search")
async def rentals(
    request: Request,
    caller: Caller = Depends(Requires("rental.read")),
    plan: str | None = Query(None, max_length=48),
    q: str = Query("", max_length=60, description="Parts of estate, building, room or number; never a person"),
    area: str | None = Query(None, max_length=48),
    estate: UUID | None = None,
    tier: str | None = Query(None, max_length=48),
    registration: Literal["registered", "unregistered"] | None = None,
    state: Literal["active", "ended"] | None = None,
    den: bool | None = None,
    agent: UUID | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page of units, in order of entry."""
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await places.listed(
            conn, caller, "rentals", plan=plan, words=q, area=area, estate=estate, tier=tier,
            registration=registration, state=state, den=den, agent=agent, after=after[0] if after else None,
            limit=limit,
        )  # fmt: skip
    rows, following = pagination.page(found, limit, lambda row: (row["id"],))
    return ORJSONResponse({"items": [places.shown(row) for row in rows], "next": following})


@router.get("/rentals/picture", summary="Per community: units, registered, the rate, tiers")
async def picture(request: Request, caller: Caller = Depends(Requires("rental.read"))) -> Response:
    """The rental picture (出租屋底数), the police's too (D-B3); each figure is the list of the same filters."""
    async with db.begin(request.app.state.service.engine) as conn:
        return ORJSONResponse({"areas": await places.picture(conn, caller)})


@router.post("/rentals", status_code=201, summary="Enter one unit, or bring a known one up to date")
async def enter(
    request: Request,
    body: UnitRow,
    plan: str | None = Query(None, max_length=48),
    caller: Caller = Depends(Requires("rental.manage")),
) -> Response:
    """Its number or its address makes repeating safe; what is left empty stays as it is."""
    service: Service = request.app.state.service
    own = own_plan(service, caller, "rental.manage", plan)
    async with db.begin(service.engine) as conn:
        outcome = (await upsert_units(conn, service, caller, own, [(1, body)], clock.now()))[0]
    return entered(outcome)


@router.post("/rentals/landlord-search", summary="The units of one landlord, by name, phone or identity number")
async def landlord_search(
    request: Request, body: PersonSearch, caller: Caller = Depends(Requires("rental.personal"))
) -> Response:
    """Found by a keyed token; that it was asked is recorded."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        rows = await places.of_person(
            conn, caller, service.settings.keys, name=body.name, phone=body.phone, id_number=body.id_number,
            now=clock.now(),
        )  # fmt: skip
    return ORJSONResponse({"items": [places.shown(row) for row in rows]})


@router.get("/rentals/export", summary="The units in my reach as CSV or XLSX, without landlords")
async def export(
    request: Request,
    caller: Caller = Depends(Requires("rental.read")),
    form: Literal["csv", "xlsx"] = Query("xlsx", alias="format"),
    area: str | None = Query(None, max_length=48),
    template: bool = Query(False, description="Only the headings, all of them, to fill in"),
) -> Response:
    """A file to work with elsewhere; a changed one can be imported again. The export is recorded."""
    service: Service = request.app.state.service
    write = write_csv if form == "csv" else write_xlsx
    if template:
        rows: list[list[object]] = []
        content = write("rentals", list(UnitRow.model_fields), rows)
    else:
        rows = await _exported(service, caller, area)
        content = write("rentals", EXPORTED, rows)
    name = "template" if template else "rentals"
    return Response(
        content,
        media_type=XLSX if form == "xlsx" else "text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}.{form}"', "cache-control": "no-store"},
    )


async def _exported(service: Service, caller: Caller, area: str | None) -> list[list[object]]:
    said = {"registered": "已备案", "unregistered": "未备案", "active": "出租中", "ended": "停租"}
    rows: list[list[object]] = []
    after: UUID | None = None
    async with db.begin(service.engine) as conn:
        while len(rows) < MOST_EXPORTED:
            found = await places.listed(conn, caller, "rentals", area=area, after=after, limit=5000)
            for unit in found[:5000]:
                plan = service.plans.get(unit["plan"])
                tier = next((t.name.zh for t in plan.patrol_tiers if t.id == unit["tier"]), "") if plan else ""
                rows.append(
                    [
                        unit["number"], plan.area(unit["area"]).name.zh if plan else unit["area"], unit["estate"],
                        unit["building"], unit["room"], tier, said[unit["registration"]], said[unit["state"]],
                        unit["occupants"], None,
                    ]
                )  # fmt: skip
            if len(found) <= 5000:
                break
            after = found[4999]["id"]
        await audit.record(conn, kit, caller, "rental.export", "rental", [], clock.now(), rows=len(rows))
    return rows


@router.get("/rentals/{unit_id}", summary="One unit with its latest patrols")
async def rental(request: Request, unit_id: UUID, caller: Caller = Depends(Requires("rental.read"))) -> Response:
    """One unit; its landlord is told apart, under a right of its own."""
    async with db.begin(request.app.state.service.engine) as conn:
        unit = await places.one(conn, caller, "rentals", unit_id)
        past = await places.history(conn, unit_id)
    body = {**places.shown(unit), "check_ins": [plain(row) for row in past]}
    return ORJSONResponse(body, headers={"etag": etag(unit["version"])})


@router.get("/rentals/{unit_id}/landlord", summary="A unit's landlord; the reading is recorded")
async def landlord(
    request: Request, unit_id: UUID, caller: Caller = Depends(Requires("rental.personal"))
) -> Response:
    """Name, phone and identity number, as far as known."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        told = await places.landlord(conn, caller, service.settings.keys, unit_id, clock.now())
    return ORJSONResponse(told, headers={"cache-control": "no-store"})


@router.patch("/rentals/{unit_id}", status_code=204, summary="Change one unit (If-Match, Idempotency-Key)")
async def change(
    request: Request, unit_id: UUID, body: UnitChange, caller: Caller = Depends(Requires("rental.manage"))
) -> Response:
    """What is left out stays. Lowering the tier of a unit in which a den was found needs `patrol.manage`."""
    service: Service = request.app.state.service
    version, key, now = required_version(request), required_key(request), clock.now()
    claim = idempotency.claim(
        service.settings.keys, caller, "rental.change", key, f"{unit_id}\n{body.model_dump_json()}".encode(), unit_id
    )
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        if known is None:
            await change_unit(conn, service, caller, unit_id, body, version, now)
        elif not isinstance(known, UUID):
            raise known
    return Response(status_code=204)


@router.post("/registers/{register}/import", response_model=ImportOut, summary="Bring in a register from XLSX or CSV")
async def bring_in(
    request: Request,
    register: Register,
    dry_run: bool = Query(True, description="Check every row and keep nothing"),
    plan: str | None = Query(None, max_length=48),
    caller: Caller = Depends(SignedIn()),
) -> Response:
    """The body is the file. Wrong rows come back with field and reason, the others are kept; repeating is safe."""
    if caller.reach("rental.manage") is None and caller.reach("venue.manage") is None:
        raise Forbidden("您的岗位不能导入名录。 Your post may not import registers.")
    return ORJSONResponse(await take_file(request, caller, register, plan, dry_run))
