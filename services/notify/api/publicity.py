"""JSON routes of materials (X-D8a), the publicity log (X-D2) and exposures by media and superiors (D-Q1.3)."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify.api.publicity_parts import CHANGED, REFUSED, Key, tagged
from services.notify.commands.publicity import materials, register
from services.notify.commands.publicity.materials import Words
from services.notify.commands.publicity.parts import room_of
from services.notify.queries.publicity import board as queries
from services.notify.queries.publicity import register as entries
from services.notify.queries.publicity.present import exposure_out
from services.notify.schemas.publicity import (
    ExposureIn,
    ExposureOut,
    ExposureWithdrawIn,
    LogEntryIn,
    LogEntryOut,
    LogWithdrawIn,
    MaterialFullOut,
    MaterialIn,
    MaterialOut,
    MaterialSpreadOut,
    MaterialVersionOut,
    MaterialWordsIn,
)
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.etag import required_version
from shared.kit.ids import new_id
from shared.kit.pagination import MOST, Page

router = APIRouter(prefix="/v1", tags=["publicity"])

Reader = Depends(Requires("publicity.read"))
Manager = Depends(Requires("publicity.manage"))
Logger = Depends(Requires("publicity.log"))
Exposer = Depends(Requires("publicity.expose"))
Limit = Annotated[int, Query(ge=1, le=MOST)]
Month = Annotated[str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


def material_out(row: Any) -> MaterialOut:
    """A material with its draft."""
    return MaterialOut(
        material_id=row.id, **{name: getattr(row, name) for name in MaterialOut.model_fields if name != "material_id"}
    )


async def _material(request: Request, response: Response, caller: Caller, material_id: UUID) -> MaterialFullOut:
    async with db.begin(room_of(request).service.engine) as conn:
        row = await queries.material(conn, caller, material_id)
        versions = await materials.versions(conn, material_id)
        spread = await queries.spread(conn, material_id)
    tagged(response, row.version)
    return MaterialFullOut(
        **material_out(row).model_dump(),
        versions=[
            MaterialVersionOut(**{name: getattr(one, name) for name in MaterialVersionOut.model_fields}) for one in versions
        ],
        spread=[MaterialSpreadOut(number=n, area=area, times=times, reached=got) for n, area, times, got in spread],
    )


@router.get("/publicity/materials", summary="Slogans, letters, messages, films")
async def list_materials(
    request: Request, caller: Caller = Reader, kind: Annotated[str | None, Query(max_length=20)] = None,
    cursor: str | None = None, limit: Limit = 50,
) -> Page[MaterialOut]:  # fmt: skip
    """Those in use, for all members; drafts for who manages them."""
    async with db.begin(room_of(request).service.engine) as conn:
        rows, following = await queries.materials(conn, caller, kind, cursor, limit)
    return Page(items=[material_out(row) for row in rows], next=following)


@router.get("/publicity/materials/{material_id}", responses=REFUSED, summary="A material with its versions and reach")
async def one_material(
    request: Request, response: Response, material_id: UUID, caller: Caller = Reader
) -> MaterialFullOut:
    """`spread`: how often and to how many each version was brought, by area."""
    return await _material(request, response, caller, material_id)


@router.post("/publicity/materials", status_code=201, responses=REFUSED, summary="Draft a material")
async def draft_material(
    request: Request, response: Response, body: MaterialIn, key: Key = None, caller: Caller = Manager
) -> MaterialFullOut:
    """Numbers and contacts of persons are refused."""
    room, made = room_of(request), new_id()
    claim = room.claim(caller, "material.draft", key, body.model_dump_json(), made)
    words = Words(body.title, body.body, tuple(dict.fromkeys(body.areas)))
    async with db.begin(room.service.engine) as conn:
        kept = await materials.draft(conn, room, caller, made, body.kind, words, claim, clock.now())
    return await _material(request, response, caller, kept)


@router.put("/publicity/materials/{material_id}", responses=CHANGED, summary="Change the draft")
async def save_material(
    request: Request, response: Response, material_id: UUID, body: MaterialWordsIn, key: Key = None,
    caller: Caller = Manager,
) -> MaterialFullOut:  # fmt: skip
    """The version in use stays until the next is issued."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "material.save", key, (material_id, version, body.model_dump_json()), material_id)
    words = Words(body.title, body.body, tuple(dict.fromkeys(body.areas)))
    async with db.begin(room.service.engine) as conn:
        await materials.save(conn, room, caller, material_id, version, words, claim, clock.now())
    return await _material(request, response, caller, material_id)


@router.post("/publicity/materials/{material_id}/{step}", responses=CHANGED, summary="Issue the draft, or withdraw it all")
async def step_material(
    request: Request, response: Response, material_id: UUID, step: Literal["issue", "withdraw"], key: Key = None,
    caller: Caller = Manager,
) -> MaterialFullOut:  # fmt: skip
    """Issuing makes the next version; it never changes."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, f"material.{step}", key, (material_id, version), material_id)
    work = materials.issue if step == "issue" else materials.withdraw
    async with db.begin(room.service.engine) as conn:
        await work(conn, caller, material_id, version, claim, clock.now())
    return await _material(request, response, caller, material_id)


def log_out(row: Any) -> LogEntryOut:
    """An entry of the log."""
    return LogEntryOut(
        entry_id=row.id, **{name: getattr(row, name) for name in LogEntryOut.model_fields if name != "entry_id"}
    )


@router.get("/publicity/log", summary="What was published about the work")
async def list_log(
    request: Request, caller: Caller = Reader, month: Month = None, cursor: str | None = None, limit: Limit = 50
) -> Page[LogEntryOut]:
    """The last published first."""
    async with db.begin(room_of(request).service.engine) as conn:
        day = date.fromisoformat(f"{month}-01") if month else None
        rows, following = await entries.log(conn, caller, day, cursor, limit)
    return Page(items=[log_out(row) for row in rows], next=following)


@router.post("/publicity/log", status_code=201, responses=REFUSED, summary="Enter something published")
async def enter_log(
    request: Request, response: Response, body: LogEntryIn, key: Key = None, caller: Caller = Logger
) -> LogEntryOut:
    """Reports, features, columns, briefings (宣传报道, X-D2)."""
    room, made = room_of(request), new_id()
    claim = room.claim(caller, "log.enter", key, body.model_dump_json(), made)
    async with db.begin(room.service.engine) as conn:
        kept = await register.enter(conn, room, caller, "log", made, body.model_dump(), claim, clock.now())
        row = await entries.log_entry(conn, caller, kept)
    tagged(response, row.version)
    return log_out(row)


@router.put("/publicity/log/{entry_id}", responses=CHANGED, summary="Correct an entry of the log")
async def correct_log(
    request: Request, response: Response, entry_id: UUID, body: LogEntryIn, key: Key = None, caller: Caller = Logger
) -> LogEntryOut:
    """Needs `If-Match` and `Idempotency-Key`."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "log.correct", key, (entry_id, version, body.model_dump_json()), entry_id)
    async with db.begin(room.service.engine) as conn:
        await register.correct(conn, room, caller, "log", entry_id, version, body.model_dump(), claim, clock.now())
        row = await entries.log_entry(conn, caller, entry_id)
    tagged(response, row.version)
    return log_out(row)


@router.post("/publicity/log/{entry_id}/withdraw", responses=CHANGED, summary="Withdraw an entry made by mistake")
async def withdraw_log(
    request: Request, response: Response, entry_id: UUID, body: LogWithdrawIn, key: Key = None, caller: Caller = Logger
) -> LogEntryOut:
    """It stays on record as withdrawn."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "log.withdraw", key, (entry_id, version, body.reason), entry_id)
    async with db.begin(room.service.engine) as conn:
        await register.withdraw(conn, room, caller, "log", entry_id, version, body.reason, claim, clock.now())
        row = await entries.log_entry(conn, caller, entry_id)
    tagged(response, row.version)
    return log_out(row)


async def _exposure(request: Request, response: Response, conn: Any, caller: Caller, entry_id: UUID) -> ExposureOut:
    row = await entries.exposure(conn, caller, entry_id)
    tagged(response, row.version)
    return exposure_out(room_of(request).settings, row)


@router.get("/exposures", summary="What media and superiors made known")
async def list_exposures(
    request: Request, caller: Caller = Exposer, cursor: str | None = None, limit: Limit = 50
) -> Page[ExposureOut]:
    """The last first; the reading is recorded."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        rows, following = await entries.exposed(conn, caller, cursor, limit)
        await audit.record(conn, kit, caller, "exposure.listed", "exposure", [row.id for row in rows], clock.now())
    return Page(items=[exposure_out(room.settings, row) for row in rows], next=following)


@router.get("/exposures/{entry_id}", responses=REFUSED, summary="An exposure")
async def one_exposure(request: Request, response: Response, entry_id: UUID, caller: Caller = Exposer) -> ExposureOut:
    """The reading is recorded."""
    async with db.begin(room_of(request).service.engine) as conn:
        await audit.record(conn, kit, caller, "exposure.read", "exposure", [entry_id], clock.now())
        return await _exposure(request, response, conn, caller, entry_id)


@router.post("/exposures", status_code=201, responses=REFUSED, summary="Record an exposure")
async def record_exposure(
    request: Request, response: Response, body: ExposureIn, key: Key = None, caller: Caller = Exposer
) -> ExposureOut:
    """Whether the area had found it itself before is told apart: discovering never hurts."""
    room, made = room_of(request), new_id()
    claim = room.claim(caller, "exposure.enter", key, body.model_dump_json(), made)
    async with db.begin(room.service.engine) as conn:
        kept = await register.enter(conn, room, caller, "exposure", made, body.model_dump(), claim, clock.now())
        return await _exposure(request, response, conn, caller, kept)


@router.put("/exposures/{entry_id}", responses=CHANGED, summary="Correct an exposure")
async def correct_exposure(
    request: Request, response: Response, entry_id: UUID, body: ExposureIn, key: Key = None, caller: Caller = Exposer
) -> ExposureOut:
    """Tells the correction to those who score. Needs `If-Match` and `Idempotency-Key`."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "exposure.correct", key, (entry_id, version, body.model_dump_json()), entry_id)
    async with db.begin(room.service.engine) as conn:
        await register.correct(conn, room, caller, "exposure", entry_id, version, body.model_dump(), claim, clock.now())
        return await _exposure(request, response, conn, caller, entry_id)


@router.post("/exposures/{entry_id}/withdraw", responses=CHANGED, summary="Withdraw an exposure made by mistake")
async def withdraw_exposure(
    request: Request, response: Response, entry_id: UUID, body: ExposureWithdrawIn, key: Key = None,
    caller: Caller = Exposer,
) -> ExposureOut:  # fmt: skip
    """It never was, for those who score."""
    room, version = room_of(request), required_version(request)
    claim = room.claim(caller, "exposure.withdraw", key, (entry_id, version, body.reason), entry_id)
    async with db.begin(room.service.engine) as conn:
        await register.withdraw(conn, room, caller, "exposure", entry_id, version, body.reason, claim, clock.now())
        return await _exposure(request, response, conn, caller, entry_id)
