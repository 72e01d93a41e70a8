"""Pages of proceedings: the work desk, opening one, and one with its clocks, its steps and the law beside each."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict

from services.casework.commands.basis import Basis
from services.casework.commands.proceedings import Wanted, open_proceeding, read_proceeding, take_step
from services.casework.domain.procedures import Procedure, UnknownProcedure
from services.casework.queries import get_case
from services.casework.queries.measures import lapsing
from services.casework.queries.measures_present import warning_days
from services.casework.queries.places import places_found
from services.casework.queries.proceedings import Narrowed, list_proceedings, waiting_proceedings
from services.casework.schemas.proceedings import Category
from shared.kit import clock, db, idempotency, pagination
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated, Problem
from shared.rules.calendar import local_day
from shared.rules.law import Text
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

A_PAGE = 30
FIELD = "v_"
"""Before each field of a step in a page's form, so that no field can be taken for the form's own."""
Show = Literal["waiting", "late", "all"]
GROUPS = ("track", "transfer", "measure", "penalty", "request", "operation", "supervision", "report")
"""In the order in which a case comes to them."""


class StepForm(VersionedForm):
    """A step's form: its fields come by the procedure's names."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=True)


class OpenForm(Form):
    """The form that opens a proceeding."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=True)

    kind: str
    agency: str = ""
    area: str = ""


def _values(form: Form) -> dict[str, Any]:
    return {name.removeprefix(FIELD): value for name, value in (form.model_extra or {}).items() if name.startswith(FIELD)}


@router.get("/proceedings")
async def desk(
    request: Request,
    caller: Caller = Depends(Requires("proceeding.read")),
    show: Show | None = None,
    category: Category | Literal[""] | None = None,
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """The work desk: what waits for my agency first, then what is late, then all."""
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        waiting, late = await waiting_proceedings(conn, caller)
        days, _ = warning_days(request.app.state.basis, caller, now)
        ending = await lapsing(conn, caller, now, days, limit=A_PAGE)
        shown: Show = show or ("waiting" if waiting else "all")
        narrowed = Narrowed(category=category or None, waiting=shown == "waiting", late=shown == "late")
        found = await list_proceedings(
            conn, caller, narrowed, after=pagination.decode(cursor, (UUID,)), limit=A_PAGE
        )
    rows, following = pagination.page(found, A_PAGE, lambda full: (full.row.id,))
    present = request.app.state.proceedings
    return page(
        request,
        "proceedings.html",
        {
            "rows": [present.out(full, now) for full in rows],
            "next": following,
            "show": shown,
            "waiting": waiting,
            "late": late,
            "category": category or "",
            "ending": len(ending),
            "categories": sorted(request.app.state.basis.procedures.groups),
            "agency": caller.agency,
            "text": Text.model_validate,
        },
        service="casework",
        caller=caller,
    )


@router.get("/proceedings/{proceeding_id}")
async def one(
    request: Request, proceeding_id: UUID, caller: Caller = Depends(Requires("proceeding.read"))
) -> HTMLResponse:
    """One proceeding: its state and clocks, what can be done now and by whom, and what has been done."""
    return await proceeding_page(request, caller, proceeding_id)


@router.post("/proceedings/{proceeding_id}/steps/{step}")
async def take(
    request: Request, proceeding_id: UUID, step: str, caller: Caller = Depends(Requires("proceeding.act"))
) -> Response:
    """Take a step from the page; a refusal shows the page again with the reason and what was typed."""
    form = await read_form(request, StepForm)
    service, basis = request.app.state.service, request.app.state.basis
    values = _values(form)
    asked = f"{proceeding_id}:{form.version}:{step}\n{sorted(values.items())}".encode()
    claim = idempotency.claim(
        service.settings.keys, caller, "proceeding.step", str(form.idempotency_key), asked, proceeding_id
    )
    try:
        async with db.begin(service.engine) as conn:
            await take_step(
                conn, basis, caller, proceeding_id, step, values, version=form.version, claim=claim, now=clock.now()
            )
    except (Outdated, Conflict, Invalid, Forbidden) as refused:
        return await proceeding_page(request, caller, proceeding_id, refused, step, values)
    return see_other(request, f"/proceedings/{proceeding_id}", done="step_taken")


async def proceeding_page(
    request: Request,
    caller: Caller,
    proceeding_id: UUID,
    refused: Problem | None = None,
    step: str = "",
    values: dict[str, Any] | None = None,
) -> HTMLResponse:
    service = request.app.state.service
    async with db.begin(service.engine) as conn:
        shown = await read_proceeding(conn, request.app.state.proceedings, caller, proceeding_id, clock.now())
        named = [str(v) for name, v in shown["facts"].items() if shown["labels"].get(name, {}).get("type") == "place"]
        pages_of = await places_found(conn, named)
    papers = []
    if shown["case_id"] is not None and caller.reach("document.read") is not None:
        with suppress(NotFound):
            papers = await request.app.state.documents.of_case(caller, shown["case_id"])
    kinds = request.app.state.documents.desk.catalogue.kinds
    plan = service.plans.get(shown["plan"])
    return page(
        request,
        "proceeding.html",
        {
            "one": shown,
            "refused": said(refused),
            "tried": step,
            "values": values or {},
            "agencies": plan.agencies if plan else (),
            "areas": plan.areas if plan else (),
            "agency": caller.agency,
            "text": Text.model_validate,
            "moment": datetime.fromisoformat,
            "document_name": lambda kind: kinds[kind].name if kind in kinds else Text(zh=kind, en=kind),
            "pages_of": pages_of,
            "papers": [one for one in papers if one["proceeding_id"] == proceeding_id],
        },
        service="casework",
        status=refused.status if refused else 200,
        caller=caller,
    )


@router.get("/cases/{case_id}/proceedings/new")
async def new_in_case(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("proceeding.act")),
    kind: str | None = Query(None, max_length=48),
) -> HTMLResponse:
    """Choose what to open in a case, then fill in what it asks."""
    return await _new_page(request, caller, case_id, kind)


@router.get("/proceedings-new")
async def new_alone(
    request: Request, caller: Caller = Depends(Requires("proceeding.act")), kind: str | None = Query(None, max_length=48)
) -> HTMLResponse:
    """Choose what to open that belongs to no case."""
    return await _new_page(request, caller, None, kind)


@router.post("/cases/{case_id}/proceedings/new")
async def open_in_case(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("proceeding.act"))
) -> Response:
    """Open it, and go to its page."""
    return await _open(request, caller, case_id)


@router.post("/proceedings-new")
async def open_alone(request: Request, caller: Caller = Depends(Requires("proceeding.act"))) -> Response:
    """Open one without a case, and go to its page."""
    return await _open(request, caller, None)


async def _open(request: Request, caller: Caller, case_id: UUID | None) -> Response:
    form = await read_form(request, OpenForm)
    service, basis = request.app.state.service, request.app.state.basis
    values = _values(form)
    asked = f"{case_id}\n{form.kind}\n{form.agency}\n{form.area}\n{sorted(values.items())}".encode()
    claim = idempotency.claim(
        service.settings.keys, caller, "proceeding.open", str(form.idempotency_key), asked, new_id()
    )
    wanted = Wanted(
        form.kind, case_id, (form.agency, None) if form.agency else None, None, form.area or None, values
    )
    try:
        async with db.begin(service.engine) as conn:
            made = await open_proceeding(conn, basis, caller, wanted, claim=claim, now=clock.now())
    except (Conflict, Invalid, Forbidden) as refused:
        return await _new_page(request, caller, case_id, form.kind, refused, values, form.agency)
    return see_other(request, f"/proceedings/{made}", done="proceeding_opened")


async def _new_page(
    request: Request,
    caller: Caller,
    case_id: UUID | None,
    kind: str | None,
    refused: Problem | None = None,
    values: dict[str, Any] | None = None,
    agency: str = "",
) -> HTMLResponse:
    service, basis = request.app.state.service, request.app.state.basis
    today = local_day(clock.now())
    try:
        chosen = basis.procedures.get(kind) if kind else None
    except UnknownProcedure:
        chosen = None
    case, held = None, {}
    if case_id is not None:
        async with db.begin(service.engine) as conn:
            case = await get_case(conn, caller, case_id)
            if case is not None and chosen and _names_what_is_held(chosen, today):
                held = await request.app.state.people.of_case(conn, caller, case_id, clock.now())
        if case is None:
            raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    plan = basis.plan(case.case.plan if case else caller.plan or next(iter(basis.plans)))
    mine = _openable(basis, caller, plan, today, in_case=case is not None)
    present = request.app.state.proceedings
    to = chosen.counterpart if chosen else None
    kinds = to.kinds if to else ()
    shown = present.procedure_out(plan, chosen, today) if chosen else None
    fields = shown["open"]["fields"] if shown else []
    picks = _picks(fields, held)
    return page(
        request,
        "proceeding_new.html",
        {
            "case": case.case if case else None,
            "kinds": {group: ones for group in GROUPS if (ones := [one for one in mine if one.group == group])},
            "chosen": shown,
            "picks": picks,
            "no_place": case is not None and any(one["type"] == "place" and not picks.get(one["field"]) for one in fields),
            "receivers": [one for one in plan.agencies if not kinds or one.kind in kinds] if to else [],
            "others": to.others if to else {},
            "refused": said(refused),
            "values": values or {},
            "to": agency,
            "agencies": plan.agencies,
            "areas": plan.areas,
            "text": Text.model_validate,
        },
        service="casework",
        status=refused.status if refused else 200,
        caller=caller,
    )


def _openable(basis: Basis, caller: Caller, plan: Any, today: Any, *, in_case: bool) -> list[Procedure]:
    """The kinds that the caller's agency may open here."""
    try:
        kind = plan.agency(caller.agency or "").kind
    except KeyError:
        return []
    found = []
    for one in basis.procedures.by_id.values():
        rule = one.in_force(today).open
        if rule.right is not None and caller.reach(rule.right) is None:
            continue
        if (not rule.by or kind in rule.by) and (in_case or one.case == "optional"):
            found.append(one)
    return found


def _names_what_is_held(chosen: Procedure, today: date) -> bool:
    return any(rule.type in ("place", "object") for rule in chosen.in_force(today).open.fields.values())


def _picks(fields: Sequence[dict[str, Any]], of_case: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """What the case holds, for fields that name one of it: places and persons by what people call them."""
    held = {
        "place": [(str(one["place_id"]), one["address"]) for one in of_case.get("dens", ())],
        "person_id": [(str(one["case_person_id"]), one["name"]) for one in of_case.get("persons", ())],
    }
    named = {one["field"]: held.get("place" if one["type"] == "place" else one["field"], []) for one in fields}
    return {name: list(dict.fromkeys(choices)) for name, choices in named.items() if choices}


def said(refused: Problem | None) -> dict[str, Any] | None:
    """A refusal as its page tells it."""
    if refused is None:
        return None
    extras = refused.extras or {}
    return {
        "outdated": isinstance(refused, Outdated),
        "detail": refused.detail,
        "fields": extras.get("fields", {}),
        "documents": extras.get("documents", []),
        "code": refused.type.rpartition(":")[2],
    }
