"""Pages of consequences: the desk of tools, rewards, penalties and accountability; one of each; special funds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.scoring.commands.consequences import funds, measures, tools
from services.scoring.commands.consequences.basis import Basis, unknown
from services.scoring.domain.consequences.measures import NEEDS_WORDS as MEASURE_WORDS
from services.scoring.domain.consequences.measures import OUTCOMES, MeasureStep
from services.scoring.domain.consequences.tools import NEEDS_WORDS, ToolStep
from services.scoring.domain.detectors import CONDITIONS
from services.scoring.queries import consequences as seen
from services.scoring.queries.consequence_present import fund_out, measure_out, move_out, tool_out
from services.scoring.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, Outdated, Problem
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.i18n import N_
from shared.web.render import page

router = APIRouter(include_in_schema=False, tags=["pages"])

RIGHT = "consequence.read"
_ROWS = 100
_REFUSED = (Invalid, Forbidden, Conflict, Outdated)

TOOL_STEPS = {
    ToolStep.PROPOSE: (N_("Propose it"), N_("Why it fits"), "send"),
    ToolStep.DROP: (N_("Drop it"), N_("Why it is not proposed"), "x"),
    ToolStep.APPROVE: (N_("Approve it"), N_("Remarks"), "check"),
    ToolStep.REJECT: (N_("Do not approve it"), N_("Why not"), "x"),
    ToolStep.REPORT: (N_("Report the rectification"), N_("What was put right"), "list-check"),
    ToolStep.ACCEPT: (N_("Accept the rectification"), N_("Remarks"), "check"),
    ToolStep.REFUSE: (N_("Do not accept it"), N_("What is missing"), "refresh"),
    ToolStep.LIFT: (N_("Lift it"), N_("Why it is lifted"), "checks"),
    ToolStep.ANNUL: (N_("Annul it"), N_("Why it never should have stood"), "x"),
}
"""Step → its words on the button, the label of its field, its picture."""

MEASURE_STEPS = {
    MeasureStep.APPROVE: (N_("Approve it"), N_("Remarks"), "check"),
    MeasureStep.SEND: (N_("Approve and send it"), N_("Remarks"), "send"),
    MeasureStep.REJECT: (N_("Do not approve it"), N_("Why not"), "x"),
    MeasureStep.WITHDRAW: (N_("Withdraw it"), N_("Why it is withdrawn"), "x"),
    MeasureStep.CARRY_OUT: (N_("Record that it was carried out"), N_("How and when"), "check"),
    MeasureStep.REVOKE: (N_("Revoke it"), N_("Why it is revoked"), "refresh"),
    MeasureStep.RECEIVE: (N_("Receive it"), N_("Remarks"), "check"),
    MeasureStep.ANSWER: (N_("Tell what came of it"), N_("Remarks"), "send"),
}


def _basis(request: Request) -> Basis:
    return request.app.state.consequences


@router.get("/consequences")
async def desk(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    show: Literal["open", "all"] = "open",
    agency: Annotated[str | None, Query(max_length=48)] = None,
) -> HTMLResponse:
    """What the caller can act on first; then what stands, unit by unit; then rewards, penalties, accountability, funds."""
    basis = _basis(request)
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await seen.list_tools(conn, caller, state="open" if show == "open" else None, agency=agency, limit=_ROWS)
        other = await seen.list_measures(conn, caller, agency=agency, limit=_ROWS)
        plan = basis.plans.get(caller.plan or "")
        lines = []
        if caller.reach("fund.read") is not None and plan is not None:
            for fund in plan.funds:
                lines.append(fund_out(plan.id, fund, seen.as_moves(await seen.moves_of(conn, plan.id, fund.id))))
    found = [tool_out(basis.books, row, caller, basis.plans.get(row.plan)) for row in rows[:_ROWS]]
    proposed = [measure_out(basis.books, row, caller, basis.plans.get(row.plan)) for row in other[:_ROWS]]
    if show == "open":
        proposed = [one for one in proposed if one.state in ("proposed", "approved", "sent")]
    return page(
        request,
        "consequences.html",
        {
            "show": show,
            "tools": sorted(found, key=lambda one: (not one.can, not one.stands, -one.rung)),
            "measures": sorted(proposed, key=lambda one: not one.can),
            "funds": lines,
            "agency": agency,
        },
        service="scoring",
        caller=caller,
    )


@router.get("/consequences/tools/{tool_id}")
async def tool(request: Request, tool_id: UUID, caller: Caller = Depends(Requires(RIGHT))) -> HTMLResponse:
    """One tool: why, until when, what it keeps back, what was done and can be done."""
    return await _tool(request, caller, tool_id)


async def _tool(
    request: Request, caller: Caller, tool_id: UUID, refused: Problem | None = None, words: str = "", tried: str = ""
) -> HTMLResponse:
    basis = _basis(request)
    async with db.begin(request.app.state.service.engine) as conn:
        row = await seen.one_tool(conn, caller, tool_id)
        if row is None:
            raise unknown("tool")
        rests_on = await seen.findings_of(conn, row.findings)
        await audit.record(conn, kit, caller, "tool.read", "tool", [tool_id], clock.now())
    one = tool_out(basis.books, row, caller, basis.plans.get(row.plan))
    return page(
        request,
        "tool.html",
        {
            "one": one,
            "rests_on": rests_on,
            "conditions": CONDITIONS,
            "moment_of": datetime.fromisoformat,
            "can": [(step, *TOOL_STEPS[step], step in NEEDS_WORDS) for step in TOOL_STEPS if step.value in one.can],
            "refused": refused,
            "words_kept": words,
            "tried": tried,
            "now": clock.now(),
        },
        service="scoring",
        status=refused.status if refused else 200,
        caller=caller,
    )


class StepForm(VersionedForm):
    """A step with its words; `outcome` of an accountability proposal."""

    words: str = Field("", max_length=2000)
    outcome: str | None = Field(None, max_length=48)


@router.post("/consequences/tools/{tool_id}/{step}")
async def take_tool_step(
    request: Request, tool_id: UUID, step: ToolStep, caller: Caller = Depends(Requires(RIGHT))
) -> Response:
    """When it cannot be done, the page comes again and says why, with what was typed."""
    if step not in TOOL_STEPS:
        raise unknown("step")
    basis = _basis(request)
    sent = await read_form(request, StepForm)
    claim = basis.claim(
        caller, f"tool.{step.value}", str(sent.idempotency_key), (str(tool_id), sent.version, sent.words), tool_id
    )
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await tools.take_step(
                conn, basis, caller, tool_id, step, sent.words, version=sent.version, claim=claim, now=clock.now()
            )
    except _REFUSED as refused:
        return await _tool(request, caller, tool_id, refused, sent.words, step.value)
    return see_other(request, f"/consequences/tools/{tool_id}", done="tool_done")


class MeasureForm(Form):
    """A reward, penalty or accountability proposal. `measure` is `rulebook/measure`, `whom` is `kind/agency/unit`."""

    measure: str = Field(max_length=100)
    agency: str = Field(max_length=48)
    unit: str | None = Field(None, max_length=48)
    post: str | None = Field(None, max_length=48)
    yuan: int | None = Field(None, ge=0, le=10_000_000)
    findings: list[UUID] = Field(default_factory=list)
    reason: str = Field("", max_length=2000)


@router.get("/consequences/measures/new")
async def new_measure(
    request: Request,
    caller: Caller = Depends(Requires("consequence.propose")),
    agency: Annotated[str | None, Query(max_length=48)] = None,
) -> HTMLResponse:
    """First whom, then what: the findings that stand against an agency can be ticked."""
    return await _new(request, caller, agency)


async def _new(
    request: Request,
    caller: Caller,
    agency: str | None,
    refused: Problem | None = None,
    sent: MeasureForm | None = None,
) -> HTMLResponse:
    basis = _basis(request)
    plan = basis.plans[caller.plan or ""]
    versions = [one for one in basis.books.shelf.in_force(plan.id, clock.now()) if one.measures]
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await seen.confirmed_of(conn, plan.id, agency) if agency else []
    return page(
        request,
        "measure_new.html",
        {
            "plan": plan,
            "agency": agency,
            "versions": versions,
            "found": rows,
            "conditions": CONDITIONS,
            "refused": refused,
            "sent": sent,
        },
        service="scoring",
        status=refused.status if refused else 200,
        caller=caller,
    )


@router.post("/consequences/measures")
async def propose_measure(request: Request, caller: Caller = Depends(Requires("consequence.propose"))) -> Response:
    """Propose it; when it cannot be, the page comes again and says why."""
    basis = _basis(request)
    sent = await read_form(request, MeasureForm)
    rulebook, _, measure = sent.measure.partition("/")
    communities = basis.books[caller.plan or ""].communities
    kind: Any = (
        "post" if sent.post else "unit" if sent.unit else "community" if sent.agency in communities else "agency"
    )
    wanted = measures.Wanted(
        rulebook, measure, kind, sent.agency, sent.unit, sent.post, sent.yuan, tuple(sent.findings), (), sent.reason
    )
    claim = basis.claim(
        caller, "measure.propose", str(sent.idempotency_key), sent.model_dump(mode="json", exclude={"idempotency_key"}),
        new_id(),
    )  # fmt: skip
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            measure_id = await measures.propose(conn, basis, caller, wanted, claim=claim, now=clock.now())
    except _REFUSED as refused:
        return await _new(request, caller, sent.agency, refused, sent)
    return see_other(request, f"/consequences/measures/{measure_id}", done="measure_proposed")


@router.get("/consequences/measures/{measure_id}")
async def measure(request: Request, measure_id: UUID, caller: Caller = Depends(Requires(RIGHT))) -> HTMLResponse:
    """One reward, penalty or accountability proposal with its facts."""
    return await _measure(request, caller, measure_id)


async def _measure(
    request: Request, caller: Caller, measure_id: UUID, refused: Problem | None = None, words: str = "", tried: str = ""
) -> HTMLResponse:
    basis = _basis(request)
    async with db.begin(request.app.state.service.engine) as conn:
        row = await seen.one_measure(conn, caller, measure_id)
        if row is None:
            raise unknown("measure")
        rests_on = await seen.findings_of(conn, row.findings)
        await audit.record(conn, kit, caller, "measure.read", "measure", [measure_id], clock.now())
    one = measure_out(basis.books, row, caller, basis.plans.get(row.plan))
    return page(
        request,
        "measure.html",
        {
            "one": one,
            "rests_on": rests_on,
            "conditions": CONDITIONS,
            "outcomes": OUTCOMES,
            "moment_of": datetime.fromisoformat,
            "can": [
                (step, *MEASURE_STEPS[step], step in MEASURE_WORDS) for step in MEASURE_STEPS if step.value in one.can
            ],
            "refused": refused,
            "words_kept": words,
            "tried": tried,
        },
        service="scoring",
        status=refused.status if refused else 200,
        caller=caller,
    )


@router.post("/consequences/measures/{measure_id}/{step}")
async def take_measure_step(
    request: Request, measure_id: UUID, step: MeasureStep, caller: Caller = Depends(Requires(RIGHT))
) -> Response:
    """When it cannot be done, the page comes again and says why, with what was typed."""
    if step not in MEASURE_STEPS:
        raise unknown("step")
    basis = _basis(request)
    sent = await read_form(request, StepForm)
    asked = (str(measure_id), sent.version, sent.words, sent.outcome)
    claim = basis.claim(caller, f"measure.{step.value}", str(sent.idempotency_key), asked, measure_id)
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await measures.take_step(
                conn, basis, caller, measure_id, step, sent.words, outcome=sent.outcome, version=sent.version,
                claim=claim, now=clock.now(),
            )  # fmt: skip
    except _REFUSED as refused:
        return await _measure(request, caller, measure_id, refused, sent.words, step.value)
    return see_other(request, f"/consequences/measures/{measure_id}", done="measure_done")


@router.get("/consequences/funds/{fund}")
async def fund(request: Request, fund: str, caller: Caller = Depends(Requires("fund.read"))) -> HTMLResponse:
    """A fund with its balance and every move."""
    return await _fund(request, caller, fund)


async def _fund(request: Request, caller: Caller, fund: str, refused: Problem | None = None) -> HTMLResponse:
    basis = _basis(request)
    plan = basis.plans.get(caller.plan or "")
    known = next((one for one in plan.funds if one.id == fund), None) if plan is not None else None
    if known is None or plan is None:
        raise unknown("fund")
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await seen.moves_of(conn, plan.id, fund)
    moves = seen.as_moves(rows)
    return page(
        request,
        "fund_line.html",
        {
            "line": fund_out(plan.id, known, moves),
            "note_of": known.note,
            "moves": [move_out(row, moves) for row in reversed(rows)],
            "actor": caller.actor,
            "refused": refused,
        },
        service="scoring",
        status=refused.status if refused else 200,
        caller=caller,
    )


class MoveForm(Form):
    """A move of money."""

    kind: Literal["budget", "commit", "release", "pay"]
    yuan: int = Field(gt=0, le=100_000_000)
    purpose: str = Field("", max_length=500)
    commitment: UUID | None = None


@router.post("/consequences/funds/{fund}")
async def move(request: Request, fund: str, caller: Caller = Depends(Requires("fund.manage"))) -> Response:
    """When it cannot be done, the page comes again and says why."""
    basis = _basis(request)
    sent = await read_form(request, MoveForm)
    asked = (fund, sent.model_dump(mode="json", exclude={"idempotency_key"}))
    claim = basis.claim(caller, "fund.move", str(sent.idempotency_key), asked, new_id())
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await funds.move(
                conn, basis, caller, fund, sent.kind, sent.yuan, sent.purpose, commitment=sent.commitment, claim=claim,
                now=clock.now(),
            )  # fmt: skip
    except _REFUSED as refused:
        return await _fund(request, caller, fund, refused)
    return see_other(request, f"/consequences/funds/{fund}", done="fund_moved")
