"""Pages of persons: the list with its search, one person with their network, a part in a case, a new one."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import NaiveDatetime

from services.casework.commands import merging, person_steps
from services.casework.commands import persons as commands
from services.casework.commands.reach import claim_of, refused
from services.casework.domain import persons as domain
from services.casework.domain.persons import IdKind, PersonRefused, Role, StepKind
from services.casework.queries import network as networks
from services.casework.queries import persons as queries
from services.casework.queries import places as place_queries
from services.casework.queries.cases import get_case
from services.casework.schemas.persons import EntryBody, MergeBody, PersonBody, PersonSearch, RoleBody, StepBody
from services.casework.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.clock import CHINA
from shared.kit.ids import new_id
from shared.kit.problem import NotFound
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

A_PAGE = 30
_NO_PERSON = "没有这个人员，或不在您的权限内。 No such person within your reach."


def claim(request: Request, caller: Caller, operation: str, form: Form, object_id: UUID) -> Any:
    """The claim of a form: its own key, and what it says."""
    asked = form.model_dump_json(exclude={"idempotency_key"}).encode()
    keys = request.app.state.basis.keys
    return claim_of(keys, caller, operation, str(form.idempotency_key), asked + request.url.path.encode(), object_id)


def moment(given: NaiveDatetime) -> Any:
    """What a form's clock says is China time."""
    return given.replace(tzinfo=CHINA)


def now_field() -> str:
    """This minute, as a form's field shows it."""
    return clock.now().astimezone(CHINA).strftime("%Y-%m-%dT%H:%M")


class SearchForm(Form):
    """One of the three."""

    name: str | None = None
    id_number: str | None = None
    phone: str | None = None


@router.get("/persons")
async def persons_page(
    request: Request,
    caller: Caller = Depends(Requires("person.read")),
    role: Role | Literal[""] | None = None,
    area: str | None = Query(None, max_length=48),
    open: Literal["entry", "disposition", "follow_up", ""] | None = None,
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """Persons of cases in my reach, newest first, narrowed to what is still to be done."""
    now = clock.now()
    after = pagination.decode(cursor, (UUID,))
    filters = queries.PartFilters(role or None, area or None, open or None)
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.list_parts(conn, caller, filters, after=after[0] if after else None, limit=A_PAGE)
        rows, following = pagination.page(found, A_PAGE, lambda row: (row.id,))
        if rows:
            await audit.record(conn, kit, caller, "person.list", "case_person", [row.id for row in rows], now)
    people = request.app.state.people
    return _list(
        request, caller, rows=[people.part(row, now) for row in rows], next=following,
        filters={"role": role or "", "area": area or "", "open": open or ""}, found=None, elsewhere=0,
    )  # fmt: skip


@router.post("/persons/search")
async def search_page(request: Request, caller: Caller = Depends(Requires("person.read"))) -> HTMLResponse:
    """By POST, so that no name or number stands in an address; that it was asked is recorded, not what for."""
    form = await read_form(request, SearchForm)
    asked = PersonSearch(**form.model_dump(exclude={"idempotency_key"}))
    now = clock.now()
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            found, _, elsewhere = await queries.search(conn, caller, request.app.state.basis.keys, asked, now)
            await audit.record(
                conn, kit, caller, "person.search", "person", [one["record"].id for one in found], now,
                by=next(name for name in ("id_number", "phone", "name") if getattr(asked, name)),
            )  # fmt: skip
    except PersonRefused as error:
        raise refused(error) from None
    people = request.app.state.people
    return _list(
        request, caller, rows=[], next=None, filters={"role": "", "area": "", "open": ""},
        found=[people.found(one) for one in found], elsewhere=elsewhere,
    )  # fmt: skip


def _list(request: Request, caller: Caller, **shown: Any) -> HTMLResponse:
    plan = request.app.state.service.plans.get(caller.plan or "")
    shown |= {"areas": plan.areas if plan else (), "roles": [one.value for one in Role]}
    return page(request, "persons.html", shown, service="casework", caller=caller)


@router.get("/persons/{person_id}")
async def person_page(
    request: Request, person_id: UUID, caller: Caller = Depends(Requires("person.read"))
) -> HTMLResponse:
    """One person: who, in which cases as what, what was done, and the network around them."""
    now = clock.now()
    basis = request.app.state.basis
    async with db.begin(request.app.state.service.engine) as conn:
        person = await request.app.state.people.person(conn, caller, person_id, now)
        if person is None:
            raise NotFound(_NO_PERSON, code="person-not-found")
        net = await networks.around(conn, caller, ("person", person_id), 2)
        assert net is not None
        network = await networks.shown(conn, caller, basis.keys, net, basis.address)
        await audit.record(conn, kit, caller, "person.read", "person", [person["person_id"]], now)
    return page(
        request, "person.html", {"person": person, "network": network, "reasons": list(MERGE_REASONS)},
        service="casework", caller=caller,
    )  # fmt: skip


MERGE_REASONS = ("recognised", "admitted", "same_phone", "same_identity", "other")


class MergeForm(VersionedForm):
    """The other record, by its page's address or its id, and why."""

    into: str
    reason: Literal["same_identity", "same_phone", "recognised", "admitted", "other"]


@router.post("/persons/{person_id}/merges")
async def merge_from_page(
    request: Request, person_id: UUID, caller: Caller = Depends(Requires("person.merge"))
) -> Response:
    """This record and another are one person."""
    form = await read_form(request, MergeForm)
    body = MergeBody(into=form.into.rstrip("/").rpartition("/")[2], reason=form.reason)  # type: ignore[arg-type]
    async with db.begin(request.app.state.service.engine) as conn:
        claimed = claim(request, caller, "person.merge", form, new_id())
        await merging.merge_persons(conn, caller, person_id, body, form.version, claimed, clock.now())
    return see_other(request, f"/persons/{person_id}", done="saved")


@router.post("/merges/{merge_id}/undoing")
async def undo_from_page(
    request: Request, merge_id: UUID, caller: Caller = Depends(Requires("person.merge"))
) -> Response:
    """The two are told apart again."""
    form = await read_form(request, Form)
    async with db.begin(request.app.state.service.engine) as conn:
        await merging.undo_merge(
            conn, caller, merge_id, claim(request, caller, "person.unmerge", form, merge_id), clock.now()
        )
    return see_other(request, "/persons", done="saved")


class PersonForm(Form):
    """A new person of a case; several phones apart by spaces or commas."""

    name: str
    id_kind: IdKind = IdKind.NONE
    id_number: str | None = None
    phones: str = ""
    home_area: str | None = None
    role: Role
    found_at: NaiveDatetime
    place_id: UUID | None = None


@router.get("/cases/{case_id}/persons/new")
async def new_person(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("person.record"))
) -> HTMLResponse:
    """The form for one more person."""
    async with db.begin(request.app.state.service.engine) as conn:
        case = await get_case(conn, caller, case_id)
        dens = await place_queries.dens_of_case(conn, caller, case_id)
    if case is None:
        raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    people = request.app.state.people
    shown = {
        "case": {"case_id": case_id, "number": case.case.number},
        "places": [(str(row.place_id), people.address(row.place_id, row.details)) for row in dens],
        "roles": [one.value for one in Role],
        "id_kinds": [one.value for one in IdKind],
        "now": now_field(),
    }
    return page(request, "person_new.html", shown, service="casework", caller=caller)


@router.post("/cases/{case_id}/persons")
async def add_person(request: Request, case_id: UUID, caller: Caller = Depends(Requires("person.record"))) -> Response:
    """Record, and show at once whether the person was seen before."""
    form = await read_form(request, PersonForm)
    body = PersonBody(
        name=form.name, id_kind=IdKind.RESIDENT if form.id_number and form.id_kind is IdKind.NONE else form.id_kind,
        id_number=form.id_number, phones=form.phones.replace("，", " ").replace(",", " ").split(),
        home_area=form.home_area, role=form.role, found_at=moment(form.found_at), place_id=form.place_id,
    )  # fmt: skip
    async with db.begin(request.app.state.service.engine) as conn:
        claimed = claim(request, caller, f"person.record:{case_id}", form, new_id())
        part_id, _ = await commands.record_person(
            conn, request.app.state.basis, caller, case_id, body, claimed, clock.now()
        )
    return see_other(request, f"/case-persons/{part_id}", done="saved")


@router.get("/case-persons/{part_id}")
async def part_page(request: Request, part_id: UUID, caller: Caller = Depends(Requires("person.read"))) -> HTMLResponse:
    """A person's part in one case, with the forms for what is done with them."""
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        row = await queries.get_part(conn, caller, part_id)
        if row is None:
            raise NotFound(_NO_PERSON, code="person-not-found")
        [part] = await request.app.state.people.full_parts(conn, caller, [row], now)
        await audit.record(conn, kit, caller, "person.read", "case_person", [part_id], now)
    plan = request.app.state.service.plans.get(part["plan"])
    own = plan.agency(caller.agency).kind if plan and caller.agency else None
    shown = {
        "part": part,
        "steps": [
            (f"{kind.value}:{line.id}", {"zh": line.zh, "en": line.en})
            for kind in (StepKind.IDENTITY_CHECK, StepKind.DISPOSITION, StepKind.SAMPLING, StepKind.FOLLOW_UP)
            for line in domain.codes(kind).values()
            if line.by in (None, own)
        ],
        "questioning": [
            (kind.value, queries.words_of(kind.value, ""))
            for kind in (StepKind.QUESTIONING, StepKind.QUESTIONING_LONGER, StepKind.QUESTIONING_ENDED)
            if own == "police"
        ],
        "agencies": [(agency.id, agency.name) for agency in plan.agencies] if plan else [],
        "roles": [one.value for one in Role],
        "id_kinds": [one.value for one in IdKind if one is not IdKind.NONE],
        "now": now_field(),
        "today": clock.now().astimezone(CHINA).date().isoformat(),
    }
    return page(request, "case_person.html", shown, service="casework", caller=caller)


class StepForm(VersionedForm):
    """What was done: kind and code in one choice."""

    what: str
    at: NaiveDatetime
    officers: int | None = None
    basis: str | None = None
    follow_up: date | None = None
    home_area: str | None = None
    to_agency: str | None = None
    id_kind: IdKind | None = None
    id_number: str | None = None


@router.post("/case-persons/{part_id}/steps")
async def step_from_page(request: Request, part_id: UUID, caller: Caller = Depends(Requires("person.record"))) -> Response:
    """Put what was done on record."""
    form = await read_form(request, StepForm)
    kind, _, code = form.what.partition(":")
    given = form.model_dump(exclude={"idempotency_key", "version", "what", "at"})
    body = StepBody(kind=kind, code=code or None, at=moment(form.at), **given)  # type: ignore[arg-type]
    async with db.begin(request.app.state.service.engine) as conn:
        claimed = claim(request, caller, "person.step", form, part_id)
        await person_steps.record_step(
            conn, request.app.state.basis, caller, part_id, body, form.version, claimed, clock.now()
        )
    return see_other(request, f"/case-persons/{part_id}", done="saved")


class RoleForm(VersionedForm):
    """The role that it proved to be."""

    role: Role
    since: date


@router.post("/case-persons/{part_id}/role")
async def role_from_page(request: Request, part_id: UUID, caller: Caller = Depends(Requires("person.record"))) -> Response:
    """Another role."""
    form = await read_form(request, RoleForm)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.change_role(
            conn, request.app.state.basis, caller, part_id, RoleBody(role=form.role, since=form.since), form.version,
            claim(request, caller, "person.role", form, part_id), clock.now(),
        )  # fmt: skip
    return see_other(request, f"/case-persons/{part_id}", done="saved")


class EntryForm(Form):
    """The receipt of the information system."""

    version: int | None = None
    number: str
    entry_at: NaiveDatetime


@router.post("/case-persons/{part_id}/entry")
async def entry_from_page(request: Request, part_id: UUID, caller: Caller = Depends(Requires("person.enter"))) -> Response:
    """The police system's receipt (录入警综)."""
    form = await read_form(request, EntryForm)
    body = EntryBody(number=form.number, at=moment(form.entry_at))
    async with db.begin(request.app.state.service.engine) as conn:
        claimed = claim(request, caller, "person.enter", form, part_id)
        await person_steps.enter_person(
            conn, request.app.state.basis, caller, part_id, body, form.version or 0, claimed, clock.now()
        )
    return see_other(request, f"/case-persons/{part_id}", done="saved")


@router.post("/cases/{case_id}/entry")
async def case_entry_from_page(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("person.record"))
) -> Response:
    """The information system's receipt for the case (D-M7)."""
    form = await read_form(request, EntryForm)
    body = EntryBody(number=form.number, at=moment(form.entry_at))
    async with db.begin(request.app.state.service.engine) as conn:
        claimed = claim(request, caller, "case.enter", form, case_id)
        await person_steps.enter_case(conn, request.app.state.basis, caller, case_id, body, claimed, clock.now())
    return see_other(request, f"/cases/{case_id}", done="saved")
