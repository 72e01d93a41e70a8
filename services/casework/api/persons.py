"""JSON routes of persons: recorded in a case, found, what is done with them, entered, merged."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.casework.api.parts import basis_of, claim, nobody, people_of
from services.casework.commands import merging, person_steps
from services.casework.commands import persons as commands
from services.casework.commands.reach import refused
from services.casework.domain.persons import PersonRefused, Role
from services.casework.queries import persons as queries
from services.casework.schemas.persons import (
    CasePersonFullOut,
    CasePersonOut,
    EntryBody,
    FoundListOut,
    MergeBody,
    PersonBody,
    PersonChange,
    PersonOut,
    PersonSearch,
    RoleBody,
    StepBody,
)
from services.casework.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.problem import NotFound
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["persons"])

_CHANGES = {
    404: {"description": "Nothing within reach"},
    409: {"description": "Does not fit what is on record, or the key was used for another request"},
    412: {"description": "Changed since; `changes` says what"},
    422: {"description": "A field is wrong: which, and what to do"},
    428: {"description": "If-Match is missing"},
}


@router.post(
    "/cases/{case_id}/persons", response_model=CasePersonFullOut, status_code=201,
    summary="Record a person in a case; whether they were seen before is in the answer",
    responses={404: _CHANGES[404], 409: _CHANGES[409], 422: _CHANGES[422]},
)  # fmt: skip
async def record(
    request: Request, case_id: UUID, body: PersonBody, caller: Caller = Depends(Requires("person.record"))
) -> Response:
    """Needs `Idempotency-Key`. The same identity number, or the same name with a phone in common, is the same person."""
    claimed = claim(request, caller, "person.record", (case_id, body.model_dump_json()), new_id())
    async with db.begin(request.app.state.service.engine) as conn:
        part_id, replayed = await commands.record_person(
            conn, basis_of(request), caller, case_id, body, claimed, clock.now()
        )
    return await _part(request, caller, part_id, status=200 if replayed else 201)


@router.get("/cases/{case_id}/persons", response_model=list[CasePersonFullOut], summary="The persons of a case")
async def of_case(request: Request, case_id: UUID, caller: Caller = Depends(Requires("person.read"))) -> Response:
    """With every step and where each was seen before. The reading is recorded."""
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.parts_of_case(conn, caller, case_id)
        items = await people_of(request).full_parts(conn, caller, rows, now)
        if rows:
            await audit.record(conn, kit, caller, "person.list", "case", [case_id], now, count=len(rows))
    return ORJSONResponse(items)


@router.get("/persons", response_model=Page[CasePersonOut], summary="Persons of cases in my reach")
async def listed(
    request: Request,
    caller: Caller = Depends(Requires("person.read")),
    role: Role | None = None,
    area: str | None = Query(None, max_length=48),
    open: Literal["entry", "disposition", "follow_up"] | None = Query(None, description="What is still to be done"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Newest first. The reading is recorded."""
    now = clock.now()
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.list_parts(
            conn, caller, queries.PartFilters(role, area, open), after=after[0] if after else None, limit=limit
        )
        rows, following = pagination.page(found, limit, lambda row: (row.id,))
        if rows:
            await audit.record(conn, kit, caller, "person.list", "case_person", [row.id for row in rows], now)
    people = people_of(request)
    return ORJSONResponse({"items": [people.part(row, now) for row in rows], "next": following})


@router.post("/persons/search", response_model=FoundListOut, summary="Find persons by number, phone or name")
async def search(
    request: Request, body: PersonSearch, caller: Caller = Depends(Requires("person.read"))
) -> Response:
    """By POST, so that nobody's name or number stands in an address. That it was asked is recorded, not what for."""
    now = clock.now()
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            found, more, elsewhere = await queries.search(conn, caller, basis_of(request).keys, body, now)
            await audit.record(
                conn, kit, caller, "person.search", "person", [one["record"].id for one in found], now,
                by=next(name for name in ("id_number", "phone", "name") if getattr(body, name)),
            )  # fmt: skip
    except PersonRefused as error:
        raise refused(error) from None
    people = people_of(request)
    return ORJSONResponse({"items": [people.found(one) for one in found], "more": more, "elsewhere": elsewhere})


@router.get("/persons/{person_id}", response_model=PersonOut, summary="One person; its ETag is the version to change")
async def one(request: Request, person_id: UUID, caller: Caller = Depends(Requires("person.read"))) -> Response:
    """With every part in cases within reach; how many cases lie beyond it, and nothing of those. Reading is recorded."""
    return await _person(request, caller, person_id)


@router.patch("/persons/{person_id}", response_model=PersonOut, summary="Correct a person's details", responses=_CHANGES)
async def correct(
    request: Request, person_id: UUID, body: PersonChange, caller: Caller = Depends(Requires("person.record"))
) -> Response:
    """Needs `If-Match` and `Idempotency-Key`. The former name stays as an alias."""
    version = required_version(request)
    claimed = claim(request, caller, "person.correct", (person_id, version, body.model_dump_json()), person_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.correct_person(conn, basis_of(request), caller, person_id, body, version, claimed, clock.now())
    return await _person(request, caller, person_id)


@router.get("/case-persons/{part_id}", response_model=CasePersonFullOut, summary="A person's part in one case")
async def part(request: Request, part_id: UUID, caller: Caller = Depends(Requires("person.read"))) -> Response:
    """Its ETag is the version to change. The reading is recorded."""
    return await _part(request, caller, part_id)


@router.post("/case-persons/{part_id}/role", response_model=CasePersonFullOut, summary="Another role", responses=_CHANGES)
async def role(
    request: Request, part_id: UUID, body: RoleBody, caller: Caller = Depends(Requires("person.record"))
) -> Response:
    """Needs `If-Match` and `Idempotency-Key`. The former role stays in the history."""
    version = required_version(request)
    claimed = claim(request, caller, "person.role", (part_id, version, body.model_dump_json()), part_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.change_role(conn, basis_of(request), caller, part_id, body, version, claimed, clock.now())
    return await _part(request, caller, part_id)


@router.post(
    "/case-persons/{part_id}/steps", response_model=CasePersonFullOut, status_code=201, responses=_CHANGES,
    summary="Identity check, questioning, sampling, disposition, follow-up",
)  # fmt: skip
async def step(
    request: Request, part_id: UUID, body: StepBody, caller: Caller = Depends(Requires("person.record"))
) -> Response:
    """Needs `If-Match` and `Idempotency-Key`. A sample is only recorded as taken, with its legal basis."""
    version = required_version(request)
    claimed = claim(request, caller, "person.step", (part_id, version, body.model_dump_json()), part_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await person_steps.record_step(conn, basis_of(request), caller, part_id, body, version, claimed, clock.now())
    return await _part(request, caller, part_id, status=201)


@router.post(
    "/case-persons/{part_id}/entry", response_model=CasePersonFullOut, responses=_CHANGES,
    summary="Receipt of the police information system (录入警综)",
)  # fmt: skip
async def enter(
    request: Request, part_id: UUID, body: EntryBody, caller: Caller = Depends(Requires("person.enter"))
) -> Response:
    """Needs `If-Match` and `Idempotency-Key`."""
    version = required_version(request)
    claimed = claim(request, caller, "person.enter", (part_id, version, body.model_dump_json()), part_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await person_steps.enter_person(conn, basis_of(request), caller, part_id, body, version, claimed, clock.now())
    return await _part(request, caller, part_id)


@router.post("/cases/{case_id}/entry", summary="Receipt of the information system for a case", responses=_CHANGES)
async def enter_case(
    request: Request, case_id: UUID, body: EntryBody, caller: Caller = Depends(Requires("person.record"))
) -> Response:
    """Needs `Idempotency-Key`. A second receipt is refused."""
    claimed = claim(request, caller, "case.enter", (case_id, body.model_dump_json()), case_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await person_steps.enter_case(conn, basis_of(request), caller, case_id, body, claimed, clock.now())
        row = await queries.case_entry(conn, case_id)
    answer = {"case_id": case_id, "entered_at": row.entered_at, "number": row.number, "due": row.due}
    return ORJSONResponse(answer | {"late": row.entered_at > row.due, "rule": row.rule})


@router.post("/persons/{person_id}/merges", status_code=201, summary="Two records are one person", responses=_CHANGES)
async def merge(
    request: Request, person_id: UUID, body: MergeBody, caller: Caller = Depends(Requires("person.merge"))
) -> Response:
    """Needs `If-Match` and `Idempotency-Key`. Two different identity numbers are never merged. Can be undone."""
    version = required_version(request)
    claimed = claim(request, caller, "person.merge", (person_id, version, body.model_dump_json()), new_id())
    async with db.begin(request.app.state.service.engine) as conn:
        merge_id = await merging.merge_persons(conn, caller, person_id, body, version, claimed, clock.now())
    return ORJSONResponse({"merge_id": merge_id, "person_id": person_id, "into": body.into}, status_code=201)


@router.post("/merges/{merge_id}/undoing", summary="Tell two merged persons apart again", responses=_CHANGES)
async def undo(request: Request, merge_id: UUID, caller: Caller = Depends(Requires("person.merge"))) -> Response:
    """Needs `Idempotency-Key`. What was recorded under either returns to it."""
    claimed = claim(request, caller, "person.unmerge", merge_id, merge_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await merging.undo_merge(conn, caller, merge_id, claimed, clock.now())
    return ORJSONResponse({"merge_id": merge_id})


async def _part(request: Request, caller: Caller, part_id: UUID, *, status: int = 200) -> Response:
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        row = await queries.get_part(conn, caller, part_id)
        if row is None:
            raise NotFound("没有这条登记，或不在您的权限内。 No such entry within your reach.", code="not-found")
        [answer] = await people_of(request).full_parts(conn, caller, [row], now)
        await audit.record(conn, kit, caller, "person.read", "case_person", [part_id], now)
    return ORJSONResponse(answer, status_code=status, headers={"etag": etag(row.version)})


async def _person(request: Request, caller: Caller, person_id: UUID) -> Response:
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        answer = await people_of(request).person(conn, caller, person_id, now)
        if answer is None:
            raise nobody()
        await audit.record(conn, kit, caller, "person.read", "person", [answer["person_id"]], now)
    return ORJSONResponse(answer, headers={"etag": etag(answer["version"])})
