"""Pages of joint operations, made for phones: who is here, what was found, what it adds up to."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict, Field

from services.casework.commands import operations as commands
from services.casework.commands.operations import Force, Named, Result
from services.casework.commands.reach import claim_of
from services.casework.domain.operations import COUNTS, GATHERING, ON_THE_SCENE, PLANNED, ROLL_CALL_OPENS
from services.casework.pages.proceedings import said
from services.casework.queries.operations import entries_of, list_operations
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, Problem
from shared.rules.deadlines import SHANGHAI
from shared.rules.law import Text
from shared.web.forms import Form, read_form, see_other
from shared.web.i18n import N_
from shared.web.render import page

router = APIRouter()

A_PAGE = 30
COUNT = "c_"
"""Before each count in an entry's form."""
REFUSALS = (Conflict, Forbidden, Invalid)

NAMES = {
    "places": N_("Places visited"),
    "dens": N_("Dens closed"),
    "persons": N_("Persons found"),
    "organiser": N_("Organisers"),
    "backbone": N_("Core members"),
    "participant": N_("Participants"),
    "deceived": N_("Deceived persons"),
    "landlord": N_("Landlords"),
    "facilitator": N_("Facilitators"),
    "minors": N_("Minors and students among them"),
    "rescued": N_("Rescued among them"),
    "phones": N_("Mobile phones"),
    "computers": N_("Computers"),
    "papers": N_("Papers and books"),
    "vehicles": N_("Vehicles"),
    "cards": N_("Bank cards"),
    "cash_yuan": N_("Cash in yuan"),
    "other_items": N_("Other items"),
}
KINDS = {
    "place": N_("A place visited"),
    "den": N_("A den closed"),
    "persons": N_("Persons found here"),
    "items": N_("Items found"),
}


class PresenceForm(Form):
    """How many of a force are here."""

    force_id: UUID
    people: int = Field(ge=0, le=5000)


class EntryForm(Form):
    """A result; its counts come as c_<name>."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=True)

    kind: str = Field(pattern="^(place|den|persons|items)$")
    at: str = ""
    force_id: UUID | None = None
    area: str | None = None
    place: str | None = Field(None, max_length=300)
    note: str | None = Field(None, max_length=2000)


class ForceForm(Form):
    """A force; `whose` is agency or agency/unit."""

    whose: str = Field(max_length=100)
    people: int = Field(ge=1, le=5000)
    vehicles: int = Field(0, ge=0, le=500)
    task: str | None = Field(None, max_length=2000)
    meeting_point: str | None = Field(None, max_length=300)


class MemberForm(Form):
    """Who is let in; `where` is agency or agency/unit."""

    where: str = ""
    post: str | None = None
    principal: str | None = Field(None, max_length=80)


@router.get("/operations")
async def listed(
    request: Request,
    caller: Caller = Depends(Requires("operation.read")),
    show: str | None = Query(None, pattern="^(open|ended)$"),
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """The operations that I may know of."""
    now = clock.now()
    shown = show or "open"
    after = pagination.decode(cursor, (UUID,))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await list_operations(
            conn, caller, ended=shown == "ended", after=after[0] if after else None, limit=A_PAGE
        )
    rows, following = pagination.page(found, A_PAGE, lambda line: (line.row.id,))
    present = request.app.state.operations
    return page(
        request,
        "operations.html",
        {
            "rows": [_timed(present.out(line, now)) for line in rows],
            "next": following,
            "show": shown,
            "text": Text.model_validate,
        },
        service="casework",
        caller=caller,
    )


@router.get("/operations/{operation_id}")
async def one(
    request: Request,
    operation_id: UUID,
    caller: Caller = Depends(Requires("operation.read")),
    figure: str | None = Query(None, max_length=40),
    enter: Literal["place", "den", "persons", "items"] = "den",
) -> HTMLResponse:
    """One operation: the roll-call, results from the scene, figures and the entries behind them, the plan, who knows."""
    return await _page(request, caller, operation_id, figure=figure, enter=enter)


@router.post("/operations/{operation_id}/presence")
async def presence(
    request: Request, operation_id: UUID, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """Answer the roll-call."""
    form = await read_form(request, PresenceForm)
    made = _claim(request, caller, "operation.presence", form, (operation_id, form.force_id, form.people), form.force_id)
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await commands.confirm_presence(
                conn, caller, operation_id, form.force_id, form.people, claim=made, now=clock.now()
            )
    except REFUSALS as refused:
        return await _page(request, caller, operation_id, refused=refused)
    return see_other(request, f"/operations/{operation_id}", done="present")


@router.post("/operations/{operation_id}/entries")
async def add_entry(
    request: Request, operation_id: UUID, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """Enter a result; a phone that sends the form twice has entered it once."""
    form = await read_form(request, EntryForm)
    now = clock.now()
    sent = form.model_dump(mode="json", exclude={"idempotency_key"})
    made = _claim(request, caller, "operation.entry", form, (operation_id, sorted(sent.items(), key=str)), new_id())
    try:
        counts = _counts(form.model_extra or {})
        wanted = Result(
            form.kind, _moment(form.at) or now, counts, form.force_id, form.area or None, form.place, form.note
        )
        async with db.begin(request.app.state.service.engine) as conn:
            await commands.add_entry(
                conn, request.app.state.basis, caller, operation_id, wanted, claim=made, now=now
            )
    except REFUSALS as refused:
        return await _page(request, caller, operation_id, refused=refused, tried=sent)
    return see_other(request, f"/operations/{operation_id}", done="entered")


@router.post("/operations/{operation_id}/entries/{entry_id}/withdrawal")
async def withdraw_entry(
    request: Request, operation_id: UUID, entry_id: UUID, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """Take a wrong entry out of the figures."""
    form = await read_form(request, Form)
    made = _claim(request, caller, "operation.entry.withdraw", form, (operation_id, entry_id), entry_id)
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await commands.withdraw_entry(conn, caller, operation_id, entry_id, claim=made, now=clock.now())
    except REFUSALS as refused:
        return await _page(request, caller, operation_id, refused=refused)
    return see_other(request, f"/operations/{operation_id}", done="saved")


@router.post("/operations/{operation_id}/forces")
async def add_force(
    request: Request, operation_id: UUID, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """Add a force; its unit then knows of the operation."""
    form = await read_form(request, ForceForm)
    agency, unit = _where(form.whose)
    wanted = Force(agency or "", unit, form.people, form.vehicles, form.task, form.meeting_point)
    made = _claim(request, caller, "operation.force", form, (operation_id, wanted), new_id())
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await commands.add_force(
                conn, request.app.state.basis, caller, operation_id, wanted, claim=made, now=clock.now()
            )
    except REFUSALS as refused:
        return await _page(request, caller, operation_id, refused=refused)
    return see_other(request, f"/operations/{operation_id}", done="saved")


@router.post("/operations/{operation_id}/members")
async def name_member(
    request: Request, operation_id: UUID, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """Let somebody into the operation."""
    form = await read_form(request, MemberForm)
    agency, unit = _where(form.where)
    wanted = Named(agency, unit, form.post or None, form.principal or None)
    made = _claim(request, caller, "operation.name", form, (operation_id, wanted), new_id())
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await commands.name_member(
                conn, request.app.state.basis, caller, operation_id, wanted, claim=made, now=clock.now()
            )
    except REFUSALS as refused:
        return await _page(request, caller, operation_id, refused=refused)
    return see_other(request, f"/operations/{operation_id}", done="saved")


@router.post("/operations/{operation_id}/members/{member_id}/strike")
async def strike_member(
    request: Request, operation_id: UUID, member_id: UUID, caller: Caller = Depends(Requires("operation.act"))
) -> Response:
    """Take somebody out again."""
    form = await read_form(request, Form)
    made = _claim(request, caller, "operation.strike", form, (operation_id, member_id), member_id)
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await commands.strike_member(conn, caller, operation_id, member_id, claim=made, now=clock.now())
    except REFUSALS as refused:
        return await _page(request, caller, operation_id, refused=refused)
    return see_other(request, f"/operations/{operation_id}", done="saved")


async def _page(
    request: Request, caller: Caller, operation_id: UUID, *, figure: str | None = None, refused: Problem | None = None,
    tried: dict[str, Any] | None = None, enter: str = "den",
) -> HTMLResponse:  # fmt: skip
    service, now = request.app.state.service, clock.now()
    present = request.app.state.operations
    async with db.begin(service.engine) as conn:
        shown = _timed(await commands.read_operation(conn, present, caller, operation_id, now))
    behind = None
    if figure in shown["figures"]:
        async with db.begin(service.engine) as conn:
            rows = await entries_of(conn, operation_id, figure=figure, limit=200)
        behind = [present.entry(caller, _Plan(shown), row) for row in rows]
    plan = service.plans[shown["plan"]]
    act = caller.reach("operation.act") is not None
    forces = [one["agency"] for one in shown["forces"]]
    meets = shown["meets_at"] or shown["starts_at"]
    return page(
        request,
        "operation.html",
        {
            "one": shown,
            "behind": behind,
            "figure_asked": figure if behind is not None else None,
            "names": NAMES,
            "kinds": KINDS,
            "counts": COUNTS,
            "calls": act and shown["state"] in GATHERING and meets is not None and now >= meets - ROLL_CALL_OPENS,
            "enters": act and shown["state"] in ON_THE_SCENE and caller.agency in (shown["agency"], *forces),
            "plans": act and caller.agency == shown["agency"] and shown["state"] in (*PLANNED, "running"),
            "wheres": [
                (f"{agency.id}/{unit.id}" if unit else agency.id, agency.id, unit.id if unit else None)
                for agency in plan.agencies
                for unit in (None, *agency.units)
            ],
            "posts": [(post.id, post.name) for post in plan.posts],
            "areas": plan.areas,
            "refused": said(refused),
            "tried": tried or {},
            "enter": (tried or {}).get("kind", enter),
            "text": Text.model_validate,
        },
        service="casework",
        status=refused.status if refused else 200,
        caller=caller,
    )


class _Plan:
    """What an entry's presenter needs of its operation."""

    def __init__(self, shown: dict[str, Any]) -> None:
        self.id, self.plan, self.agency = shown["operation_id"], shown["plan"], shown["agency"]


def _timed(shown: dict[str, Any]) -> dict[str, Any]:
    """The hours as moments."""
    return shown | {
        name: datetime.fromisoformat(shown[name]) if shown[name] else None for name in ("starts_at", "meets_at")
    }


def _claim(request: Request, caller: Caller, operation: str, form: Form, asked: Any, object_id: UUID) -> Any:
    keys = request.app.state.basis.keys
    return claim_of(keys, caller, operation, str(form.idempotency_key), repr(asked).encode(), object_id)


def _where(text: str) -> tuple[str | None, str | None]:
    agency, _, unit = text.partition("/")
    return agency or None, unit or None


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("时间格式不对，未保存。 This is no time; nothing was kept.", code="bad-time") from error
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _counts(extra: dict[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, value in extra.items():
        if not name.startswith(COUNT):
            raise Invalid("表单有多余的内容，未保存。 The form holds too much; nothing was kept.", code="unknown-field")
        try:
            counts[name.removeprefix(COUNT)] = int(str(value))
        except ValueError as error:
            raise Invalid("数目请填整数，未保存。 Counts are whole numbers; nothing was kept.", code="bad-count") from error
    return counts


