"""Pages of duties: what an agency must do in this phase, shown with proof; for the office, how each agency stands."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.notify.commands import duties as commands
from services.notify.commands import files
from services.notify.commands.duties import Shown
from services.notify.commands.telling import Desk, claim_of
from services.notify.domain.duties import STEPS, DutyState, DutyStep, Proof
from services.notify.queries import duties as queries
from services.notify.queries.duties_present import DutyPresenter
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.files.answers import download
from shared.kit.files.kinds import TAKEN
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, Outdated, Problem
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page, told

router = APIRouter(tags=["pages"], include_in_schema=False)

Reader = Depends(Requires("duty.read"))
Actor = Depends(Requires("duty.act"))
Manager = Depends(Requires("duty.manage"))
A_PAGE = 50
REFUSALS = (Conflict, Forbidden, Invalid, Outdated)
Show = Literal["late", "open", "done", "past", "dropped"]


def desk_of(request: Request) -> Desk:
    """What the commands work with."""
    return request.app.state.duty_desk


def present_of(request: Request) -> DutyPresenter:
    """What opens the words."""
    return request.app.state.present_duties


class ProofForm(Form):
    """A count or a link with words."""

    kind: Literal["link", "count"]
    note: str = Field("", max_length=2000)
    number: int | None = Field(None, ge=0, le=10**12)
    link: str | None = Field(None, max_length=1000, pattern=r"^https?://\S+$")


class ReasonForm(VersionedForm):
    """Why a duty is given back or dropped."""

    reason: str = Field("", max_length=2000)


@router.get("/duties")
async def listed(
    request: Request,
    caller: Caller = Reader,
    show: Show | None = None,
    agency: Annotated[str | None, Query(max_length=48)] = None,
    phase: Annotated[str | None, Query(max_length=48)] = None,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """One page an agency: late first. Who sees several agencies is shown how each stands."""
    now = clock.now()
    async with db.begin(desk_of(request).service.engine) as conn:
        standing = await queries.counts(conn, caller, now)
        several = len({(row.plan, row.agency) for row in standing}) > 1
        mine = [row for row in standing if agency in (None, row.agency)]
        shown: Show = show or ("late" if any(row.late for row in mine) else "open" if any(row.open for row in mine) else "past")
        rows, following = await queries.listed(
            conn, caller, now, show=shown, agency=agency, phase=phase, cursor=cursor, limit=A_PAGE
        )
    present = present_of(request)
    plan = desk_of(request).service.plans.get(caller.plan or "")
    context = {
        "rows": [present.duty(row, now) for row in rows],
        "next": following,
        "show": shown,
        "agency": agency,
        "phase": phase,
        "phases": plan.phases if plan else (),
        "standing": standing if several else [],
        "sums": {name: sum(getattr(row, name) for row in mine) for name in ("late", "open", "done", "past")},
    }
    return page(request, "duties.html", context, service="notify", caller=caller)


@router.get("/duties/{duty_id}")
async def one(request: Request, duty_id: UUID, caller: Caller = Reader) -> HTMLResponse:
    """One duty: what is asked, by when, and what shows that it is done."""
    return await _page(request, caller, duty_id)


@router.post("/duties/{duty_id}/proofs")
async def show(request: Request, duty_id: UUID, caller: Caller = Actor) -> Response:
    """Add a proof."""
    form = await read_form(request, ProofForm)
    desk = desk_of(request)
    sent = form.model_dump(exclude={"idempotency_key"})
    claim = claim_of(desk, caller, "duty.show", str(form.idempotency_key), (duty_id, sent), new_id())
    shown = Shown(Proof(form.kind), form.note, form.number, form.link)
    try:
        async with db.begin(desk.service.engine) as conn:
            await commands.show(conn, desk, caller, duty_id, shown, claim=claim, now=clock.now())
    except REFUSALS as refused:
        return await _page(request, caller, duty_id, refused=refused, tried=sent)
    return see_other(request, f"/duties/{duty_id}", done="saved")


@router.post("/duties/{duty_id}/files")
async def add_files(request: Request, duty_id: UUID, caller: Caller = Actor) -> Response:
    """Add photos or papers."""
    try:
        await commands.show_files(request, desk_of(request), request.app.state.publicity, caller, duty_id)
    except Problem as refused:
        return await _page(request, caller, duty_id, refused=refused)
    return see_other(request, f"/duties/{duty_id}", done="saved")


@router.get("/duties/{duty_id}/files/{file_id}")
async def read_file(request: Request, duty_id: UUID, file_id: UUID, caller: Caller = Reader) -> Response:
    """A photo or paper."""
    room = request.app.state.publicity
    async with db.begin(room.service.engine) as conn:
        await queries.one(conn, caller, duty_id)
        row, chunks = await files.open_copy(conn, room, caller, duty_id, file_id)
    return download(chunks, row.media_type, row.size, f"{str(row.id)[-6:]}.{TAKEN[row.media_type].ending}")


@router.post("/duties/{duty_id}/proofs/{proof_id}/removal")
async def take_away(request: Request, duty_id: UUID, proof_id: UUID, caller: Caller = Actor) -> Response:
    """Take a wrong proof away."""
    form = await read_form(request, Form)
    desk = desk_of(request)
    claim = claim_of(desk, caller, "duty.take-away", str(form.idempotency_key), (duty_id, proof_id), proof_id)
    try:
        async with db.begin(desk.service.engine) as conn:
            await commands.take_away(conn, desk, caller, duty_id, proof_id, claim=claim, now=clock.now())
    except REFUSALS as refused:
        return await _page(request, caller, duty_id, refused=refused)
    return see_other(request, f"/duties/{duty_id}", done="saved")


@router.post("/duties/{duty_id}/finish")
async def finish(request: Request, duty_id: UUID, caller: Caller = Actor) -> Response:
    """Say that the duty is done."""
    return await _step(request, caller, duty_id, DutyStep.FINISH)


@router.post("/duties/{duty_id}/give-back")
async def give_back(request: Request, duty_id: UUID, caller: Caller = Manager) -> Response:
    """Find that it is not done after all."""
    return await _step(request, caller, duty_id, DutyStep.GIVE_BACK)


@router.post("/duties/{duty_id}/drop")
async def drop(request: Request, duty_id: UUID, caller: Caller = Manager) -> Response:
    """Take a meeting's decision back."""
    return await _step(request, caller, duty_id, DutyStep.DROP)


async def _step(request: Request, caller: Caller, duty_id: UUID, step: DutyStep) -> Response:
    form = await read_form(request, ReasonForm)
    desk = desk_of(request)
    claim = claim_of(
        desk, caller, f"duty.{step.value}", str(form.idempotency_key), (duty_id, form.reason or None), duty_id
    )
    try:
        async with db.begin(desk.service.engine) as conn:
            await commands.step(
                conn, desk, caller, duty_id, step, version=form.version, reason=form.reason or None, claim=claim,
                now=clock.now(),
            )  # fmt: skip
    except REFUSALS as refused:
        return await _page(request, caller, duty_id, refused=refused, tried=form.model_dump())
    return see_other(request, f"/duties/{duty_id}", done="saved")


async def _page(
    request: Request, caller: Caller, duty_id: UUID, *, refused: Problem | None = None, tried: dict[str, Any] | None = None
) -> HTMLResponse:
    now = clock.now()
    async with db.begin(desk_of(request).service.engine) as conn:
        row = await queries.one(conn, caller, duty_id)
        proofs = await queries.proofs_of(conn, [duty_id])
        acts = await _reaches(conn, caller, duty_id, "duty.act")
        manages = await _reaches(conn, caller, duty_id, "duty.manage")
        await audit.record(conn, kit, caller, "duty.read", "duty", [duty_id], now)
    state = DutyState(row.state)
    context = {
        "one": present_of(request).full(row, proofs, now),
        "acts": acts and (state, DutyStep.FINISH) in STEPS,
        "gives_back": manages and (state, DutyStep.GIVE_BACK) in STEPS,
        "drops": manages and row.origin == "meeting" and (state, DutyStep.DROP) in STEPS,
        "history": row.history,
        "refused": told(request, refused) if refused else None,
        "now": now,
        "tried": tried or {},
    }
    status = getattr(refused, "status", 200) if refused else 200
    return page(request, "duty.html", context, service="notify", caller=caller, status=status)


async def _reaches(conn: Any, caller: Caller, duty_id: UUID, right: str) -> bool:
    if caller.reach(right) is None:
        return False
    try:
        await queries.one(conn, caller, duty_id, right)
    except Problem:
        return False
    return True
