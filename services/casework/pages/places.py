"""Pages of places: the list with its search, one place with its network, dens, revisits, and what came back."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import NaiveDatetime
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands import dens as commands
from services.casework.commands import revisits as revisit_commands
from services.casework.domain.places import DEN_TRANSITIONS, DenAction, DenState, PlaceKind
from services.casework.pages.persons import claim, moment, now_field
from services.casework.queries import network as networks
from services.casework.queries import places as queries
from services.casework.queries.cases import get_case
from services.casework.queries.persons import parts_of_case
from services.casework.schemas.places import DenBody, DenStep, PlaceSearch, RevisitBody
from services.casework.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import NotFound
from shared.rules.calendar import local_day
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

A_PAGE = 30
_CASES_OF_A_PLACE = 3
_NO_PLACE = "没有这个场所，或不在您的权限内。 No such place within your reach."


class SearchForm(Form):
    """Part of an address."""

    words: str


@router.get("/places")
async def places_page(
    request: Request,
    caller: Caller = Depends(Requires("place.read")),
    kind: PlaceKind | Literal[""] | None = None,
    area: str | None = Query(None, max_length=48),
    again: Literal["1", ""] | None = None,
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """Places of cases in my reach, newest first; those that came back can be had alone."""
    after = pagination.decode(cursor, (UUID,))
    filters = queries.PlaceFilters(kind or None, area or None, bool(again))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.list_places(conn, caller, filters, after=after[0] if after else None, limit=A_PAGE)
        rows, following = pagination.page(found, A_PAGE, lambda row: (row.id,))
        if rows:
            await audit.record(conn, kit, caller, "place.list", "place", [row.id for row in rows], clock.now())
    return _list(request, caller, rows, following, {"kind": kind or "", "area": area or "", "again": again or ""}, False)


@router.post("/places/search")
async def search_page(request: Request, caller: Caller = Depends(Requires("place.read"))) -> HTMLResponse:
    """By POST, so that no address stands in an address line."""
    asked = PlaceSearch(words=(await read_form(request, SearchForm)).words)
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.search(conn, caller, request.app.state.basis.keys, asked.words)
        await audit.record(conn, kit, caller, "place.search", "place", [row.id for row in rows], clock.now())
    return _list(request, caller, rows, None, {"kind": "", "area": "", "again": ""}, True)


def _list(
    request: Request, caller: Caller, rows: Any, following: str | None, filters: dict[str, str], searched: bool
) -> HTMLResponse:
    plan = request.app.state.service.plans.get(caller.plan or "")
    shown = {
        "rows": [request.app.state.people.place(row) for row in rows], "next": following, "filters": filters,
        "areas": plan.areas if plan else (), "kinds": [one.value for one in PlaceKind], "searched": searched,
    }  # fmt: skip
    return page(request, "places.html", shown, service="casework", caller=caller)


@router.get("/places/{place_id}")
async def place_page(request: Request, place_id: UUID, caller: Caller = Depends(Requires("place.read"))) -> HTMLResponse:
    """One place: where it was found when, its revisits, how it came back, and the network around it."""
    now = clock.now()
    basis = request.app.state.basis
    network = None
    async with db.begin(request.app.state.service.engine) as conn:
        full = await queries.get_place(conn, caller, place_id)
        if full is None:
            raise NotFound(_NO_PLACE, code="place-not-found")
        if caller.reach("person.read") is not None:
            net = await networks.around(conn, caller, ("place", place_id), 2)
            network = await networks.shown(conn, caller, basis.keys, net, basis.address) if net else None
        known = await _persons_known(request, conn, caller, full, now) if caller.reach("place.record") else []
        await audit.record(conn, kit, caller, "place.read", "place", [place_id], now)
    place = request.app.state.people.place_full(full, caller, now)
    shown = {"place": place, "network": network, "known": known}
    return page(request, "place.html", shown, service="casework", caller=caller)


async def _persons_known(
    request: Request, conn: AsyncConnection, caller: Caller, full: queries.PlaceFull, now: datetime
) -> list[tuple[str, str]]:
    """Who can be named as its landlord: the persons of the latest cases it was found in, landlords first."""
    if caller.reach("person.read") is None:
        return []
    cases = list(dict.fromkeys(row.case_id for row in full.dens))[:_CASES_OF_A_PLACE]
    found = [request.app.state.people.part(row, now) for one in cases for row in await parts_of_case(conn, caller, one)]
    found.sort(key=lambda one: one["role"] != "landlord")
    return list(dict.fromkeys((str(one["person_id"]), one["name"]) for one in found))


class DenForm(Form):
    """A place found in a case. `registered`: the address of its page in the registers, or its id."""

    kind: PlaceKind
    address: str
    area: str | None = None
    registered: str | None = None
    found_at: NaiveDatetime
    officers: int
    persons: int = 0


@router.get("/cases/{case_id}/dens/new")
async def new_den(request: Request, case_id: UUID, caller: Caller = Depends(Requires("place.record"))) -> HTMLResponse:
    """The form for one more place."""
    async with db.begin(request.app.state.service.engine) as conn:
        case = await get_case(conn, caller, case_id)
    if case is None:
        raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    plan = request.app.state.service.plans.get(case.case.plan)
    shown = {
        "case": {"case_id": case_id, "number": case.case.number, "area": case.case.area or ""},
        "areas": plan.areas if plan else (),
        "kinds": [one.value for one in PlaceKind],
        "now": now_field(),
    }
    return page(request, "den_new.html", shown, service="casework", caller=caller)


@router.post("/cases/{case_id}/dens")
async def add_den(request: Request, case_id: UUID, caller: Caller = Depends(Requires("place.record"))) -> Response:
    """Record, and show at once whether the place had been cleared before."""
    form = await read_form(request, DenForm)
    registered = form.registered.rstrip("/").rpartition("/")[2] if form.registered else None
    body = DenBody(
        kind=form.kind, address=form.address, area=form.area, registered_id=registered,  # type: ignore[arg-type]
        found_at=moment(form.found_at), officers=form.officers, persons=form.persons,
    )  # fmt: skip
    async with db.begin(request.app.state.service.engine) as conn:
        claimed = claim(request, caller, f"den.record:{case_id}", form, new_id())
        den_id, _ = await commands.record_den(
            conn, request.app.state.basis, caller, case_id, body, claimed, clock.now()
        )
    return see_other(request, f"/dens/{den_id}", done="saved")


@router.get("/dens/{den_id}")
async def den_page(request: Request, den_id: UUID, caller: Caller = Depends(Requires("place.read"))) -> HTMLResponse:
    """One den with what may be done next."""
    async with db.begin(request.app.state.service.engine) as conn:
        row = await queries.get_den(conn, caller, den_id)
        if row is None:
            raise NotFound(_NO_PLACE, code="place-not-found")
        await audit.record(conn, kit, caller, "place.read", "den", [den_id], clock.now())
    steps = [
        action.value
        for action in (DenAction.CLEAR, DenAction.SEAL, DenAction.UNSEAL)
        if (DenState(row.state), action) in DEN_TRANSITIONS
    ]
    shown = {"den": request.app.state.people.den(row), "steps": steps, "now": now_field(), "moment": datetime.fromisoformat}
    return page(request, "den.html", shown, service="casework", caller=caller)


class DenStepForm(VersionedForm):
    """Cleared, sealed, unsealed."""

    step: Literal["clear", "seal", "unseal"]
    at: NaiveDatetime
    officers: int = 1


@router.post("/dens/{den_id}/steps")
async def den_step_from_page(request: Request, den_id: UUID, caller: Caller = Depends(Requires("place.record"))) -> Response:
    """Put the step on record."""
    form = await read_form(request, DenStepForm)
    body = DenStep(step=form.step, at=moment(form.at), officers=form.officers)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.den_step(
            conn, request.app.state.basis, caller, den_id, body, form.version,
            claim(request, caller, "den.step", form, den_id), clock.now(),
        )  # fmt: skip
    return see_other(request, f"/dens/{den_id}", done="saved")


@router.get("/revisits")
async def revisits_page(
    request: Request,
    caller: Caller = Depends(Requires("revisit.do")),
    done: Literal["1", ""] | None = None,
) -> HTMLResponse:
    """The revisits of my community: the longest due first (X-D9)."""
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.list_revisits(conn, caller, done=bool(done), limit=100)
        if rows:
            await audit.record(conn, kit, caller, "revisit.list", "revisit", [row.id for row in rows], now)
    people, today = request.app.state.people, local_day(now)
    shown = {"rows": [people.revisit(row, today) for row in rows], "done": done or ""}
    return page(request, "revisits.html", shown, service="casework", caller=caller)


@router.get("/revisits/{revisit_id}")
async def revisit_page(
    request: Request, revisit_id: UUID, caller: Caller = Depends(Requires("revisit.do"))
) -> HTMLResponse:
    """One revisit with its form."""
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        row = await queries.get_revisit(conn, caller, revisit_id)
        if row is None:
            raise NotFound("没有这项回访，或不在您的权限内。 No such revisit within your reach.", code="revisit-not-found")
        await audit.record(conn, kit, caller, "revisit.read", "revisit", [revisit_id], now)
    shown = {"task": request.app.state.people.revisit(row, local_day(now)), "now": now_field()}
    return page(request, "revisit.html", shown, service="casework", caller=caller)


class RevisitForm(VersionedForm):
    """What was found."""

    outcome: Literal["quiet", "let_again", "people_back", "seal_broken", "nobody_there"]
    at: NaiveDatetime


@router.post("/revisits/{revisit_id}/outcome")
async def revisit_from_page(
    request: Request, revisit_id: UUID, caller: Caller = Depends(Requires("revisit.do"))
) -> Response:
    """Put it on record."""
    form = await read_form(request, RevisitForm)
    body = RevisitBody(outcome=form.outcome, at=moment(form.at))
    async with db.begin(request.app.state.service.engine) as conn:
        await revisit_commands.do_revisit(
            conn, request.app.state.basis, caller, revisit_id, body, form.version,
            claim(request, caller, "den.revisit", form, revisit_id), clock.now(),
        )  # fmt: skip
    return see_other(request, "/revisits", done="saved")


@router.get("/recurrences")
async def recurrences_page(
    request: Request,
    caller: Caller = Depends(Requires("recurrence.read")),
    months: int = Query(12, ge=1, le=60),
) -> HTMLResponse:
    """死灰复燃 by community and month (X-G2)."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.monthly(conn, caller, clock.now(), months)
    return page(request, "recurrences.html", {"rows": rows, "months": months}, service="casework", caller=caller)
