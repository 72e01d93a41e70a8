"""JSON routes of consequences: the ladder of tools, rewards and penalties, accountability, special funds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.scoring.commands.consequences import funds, measures, tools
from services.scoring.commands.consequences.basis import Basis, unknown
from services.scoring.domain.consequences.measures import MeasureStep
from services.scoring.domain.consequences.tools import ToolStep
from services.scoring.domain.rulebooks.vocabulary import BLOCKS
from services.scoring.queries import consequences as seen
from services.scoring.queries.consequence_present import fund_out, measure_out, move_out, tool_out
from services.scoring.schemas.consequences import (
    BlockOut,
    BlocksOut,
    FundLinesOut,
    FundMoveIn,
    FundMovesOut,
    Kind,
    MeasureFullOut,
    MeasureIn,
    MeasureOut,
    StepWordsIn,
    ToolFullOut,
    ToolIn,
    ToolOut,
)
from services.scoring.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["consequences"])

RIGHT = "consequence.read"
Key = Annotated[str, Header(description="The same key again has its effect once")]
_NEW = {
    403: {"description": "Not yours to do: your own unit's, or your post may not"},
    409: {"description": "There already, something stands in the way, or the key was used for another request"},
    422: {"description": "No facts, not in the rulebook, words are missing"},
}
_CHANGED = {
    **_NEW,
    404: {"description": "Not within reach"},
    412: {"description": "It changed since"},
    428: {"description": "If-Match is missing"},
}


def basis_of(request: Request) -> Basis:
    """What consequences are decided by."""
    return request.app.state.consequences


# -- tools ------------------------------------------------------------------------------------------------------------


@router.get("/tools", response_model=Page[ToolOut], summary="Tools of the ladder in my reach, the newest first")
async def list_tools(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    state: str | None = Query(None, max_length=20, description="A state, `open` (not over) or `stands` (has effect)"),
    agency: str | None = Query(None, max_length=48),
    subject: str | None = Query(None, max_length=130),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page."""
    basis = basis_of(request)
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await seen.list_tools(
            conn, caller, state=state, agency=agency, subject=subject, after=after, limit=limit  # type: ignore[arg-type]
        )
    shown, following = pagination.page(rows, limit, lambda row: (row.opened_at, row.id))
    page = Page[ToolFullOut](
        items=[tool_out(basis.books, row, caller, basis.plans.get(row.plan)) for row in shown], next=following
    )
    return ORJSONResponse(page.model_dump(mode="json", exclude={"items": {"__all__": {"history"}}}))


@router.post("/tools", status_code=201, response_model=ToolFullOut, responses=_NEW, summary="Propose a tool")
async def propose_tool(
    request: Request, body: ToolIn, idempotency_key: Key, caller: Caller = Depends(Requires("consequence.propose"))
) -> Response:
    """One that nothing triggered by itself; it rests on confirmed findings. Needs `Idempotency-Key`."""
    basis = basis_of(request)
    claim = basis.claim(caller, "tool.propose", idempotency_key, body.model_dump(mode="json"), new_id())
    async with db.begin(request.app.state.service.engine) as conn:
        tool_id = await tools.propose(
            conn, basis, caller, rulebook=body.rulebook, tool=body.tool, kind=body.subject_kind, agency=body.agency,
            unit=body.unit, rests_on=body.findings, words=body.words, claim=claim, now=clock.now(),
        )  # fmt: skip
    return await _tool(request, caller, tool_id, 201)


@router.get("/tools/{tool_id}", response_model=ToolFullOut, summary="One tool with its history; its ETag")
async def one_tool(request: Request, tool_id: UUID, caller: Caller = Depends(Requires(RIGHT))) -> Response:
    """What triggered it, what it rests on, what it blocks, until when, what was done."""
    return await _tool(request, caller, tool_id)


async def _take(
    request: Request, caller: Caller, tool_id: UUID, step: ToolStep, body: StepWordsIn, key: str
) -> Response:
    basis, version = basis_of(request), required_version(request)
    claim = basis.claim(caller, f"tool.{step.value}", key, (str(tool_id), version, body.words), tool_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await tools.take_step(
            conn, basis, caller, tool_id, step, body.words, version=version, claim=claim, now=clock.now()
        )
    return await _tool(request, caller, tool_id)


@router.post(
    "/tools/{tool_id}/proposal/{step}", response_model=ToolFullOut, responses=_CHANGED,
    summary="Propose a triggered tool, or drop it with the reason",
)  # fmt: skip
async def decide_trigger(
    request: Request, tool_id: UUID, step: Literal["propose", "drop"], body: StepWordsIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("consequence.propose")),
) -> Response:  # fmt: skip
    """The system says that a trigger holds; a person proposes. Needs `If-Match` and `Idempotency-Key`."""
    return await _take(request, caller, tool_id, ToolStep(step), body, idempotency_key)


@router.post(
    "/tools/{tool_id}/decision/{step}", response_model=ToolFullOut, responses=_CHANGED,
    summary="Approve or reject a proposed tool; lift or annul one that stands",
)  # fmt: skip
async def decide_tool(
    request: Request, tool_id: UUID, step: Literal["approve", "reject", "lift", "annul"], body: StepWordsIn,
    idempotency_key: Key, caller: Caller = Depends(Requires("consequence.decide")),
) -> Response:  # fmt: skip
    """Approved by a second person whose post may. Needs `If-Match` and `Idempotency-Key`."""
    return await _take(request, caller, tool_id, ToolStep(step), body, idempotency_key)


@router.post(
    "/tools/{tool_id}/rectification", response_model=ToolFullOut, responses=_CHANGED, summary="Report a rectification"
)
async def report_rectification(
    request: Request, tool_id: UUID, body: StepWordsIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("consequence.answer")),
) -> Response:  # fmt: skip
    """By the unit concerned. Needs `If-Match` and `Idempotency-Key`."""
    return await _take(request, caller, tool_id, ToolStep.REPORT, body, idempotency_key)


@router.post(
    "/tools/{tool_id}/rectification/{step}", response_model=ToolFullOut, responses=_CHANGED,
    summary="Accept a rectification, or refuse it with the reason",
)  # fmt: skip
async def check_rectification(
    request: Request, tool_id: UUID, step: Literal["accept", "refuse"], body: StepWordsIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("consequence.propose")),
) -> Response:  # fmt: skip
    """By others than the unit. Needs `If-Match` and `Idempotency-Key`."""
    return await _take(request, caller, tool_id, ToolStep(step), body, idempotency_key)


async def _tool(request: Request, caller: Caller, tool_id: UUID, status: int = 200) -> Response:
    basis = basis_of(request)
    async with db.begin(request.app.state.service.engine) as conn:
        row = await seen.one_tool(conn, caller, tool_id)
        if row is None:
            raise unknown("tool")
        await audit.record(conn, kit, caller, "tool.read", "tool", [tool_id], clock.now())
    out = tool_out(basis.books, row, caller, basis.plans.get(row.plan))
    return ORJSONResponse(out.model_dump(mode="json"), status_code=status, headers={"etag": etag(row.version)})


@router.get("/blocks", response_model=BlocksOut, summary="What stands in a subject's way")
async def blocks(
    request: Request,
    subject_kind: Kind,
    agency: str = Query(max_length=48),
    unit: str | None = Query(None, max_length=48),
    caller: Caller = Depends(Requires(RIGHT)),
) -> Response:
    """Certificates, rewards, commendations, … that tools of the ladder keep from it now."""
    plan = caller.plan or ""
    subject = plan if subject_kind == "town" else f"{agency}/{unit}" if subject_kind == "unit" else agency
    found: dict[str, list[BlockOut]] = {}
    async with db.begin(request.app.state.service.engine) as conn:
        for what in BLOCKS:
            rows = await seen.blocking(conn, plan, what, subject_kind, subject, agency)
            found[what] = [
                BlockOut(tool_id=row.id, tool=row.tool, rung=row.rung, clause=row.clause, ends_at=row.ends_at)
                for row in rows
                if caller.reach(RIGHT) in ("plan", "all") or row.agency == caller.agency
            ]
    out = BlocksOut(subject_kind=subject_kind, subject=subject, blocks=found)
    return ORJSONResponse(out.model_dump(mode="json"))


# -- rewards, penalties, accountability -----------------------------------------------------------------------------------


@router.get("/measures", response_model=Page[MeasureOut], summary="Rewards, penalties, accountability proposals in my reach")
async def list_measures(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    kind: Literal["reward", "penalty", "accountability"] | None = None,
    state: str | None = Query(None, max_length=20),
    agency: str | None = Query(None, max_length=48),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page, the newest first."""
    basis = basis_of(request)
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await seen.list_measures(
            conn, caller, kind=kind, state=state, agency=agency, after=after, limit=limit  # type: ignore[arg-type]
        )
    shown, following = pagination.page(rows, limit, lambda row: (row.proposed_at, row.id))
    page = Page[MeasureFullOut](
        items=[measure_out(basis.books, row, caller, basis.plans.get(row.plan)) for row in shown], next=following
    )
    return ORJSONResponse(page.model_dump(mode="json", exclude={"items": {"__all__": {"history"}}}))


@router.post(
    "/measures", status_code=201, response_model=MeasureFullOut, responses=_NEW,
    summary="Propose a reward, a penalty or an accountability proposal",
)  # fmt: skip
async def propose_measure(
    request: Request, body: MeasureIn, idempotency_key: Key, caller: Caller = Depends(Requires("consequence.propose"))
) -> Response:
    """Penalties and accountability rest on facts. Needs `Idempotency-Key`."""
    basis = basis_of(request)
    claim = basis.claim(caller, "measure.propose", idempotency_key, body.model_dump(mode="json"), new_id())
    wanted = measures.Wanted(
        body.rulebook, body.measure, body.subject_kind, body.agency, body.unit, body.post, body.yuan,
        tuple(body.findings), tuple(body.entries), body.reason,
    )  # fmt: skip
    async with db.begin(request.app.state.service.engine) as conn:
        measure_id = await measures.propose(conn, basis, caller, wanted, claim=claim, now=clock.now())
    return await _measure(request, caller, measure_id, 201)


@router.get("/measures/{measure_id}", response_model=MeasureFullOut, summary="One measure with its history; its ETag")
async def one_measure(request: Request, measure_id: UUID, caller: Caller = Depends(Requires(RIGHT))) -> Response:
    """The facts it rests on, who proposed and decided, what came of it."""
    return await _measure(request, caller, measure_id)


async def _step(
    request: Request, caller: Caller, measure_id: UUID, step: MeasureStep, body: StepWordsIn, key: str
) -> Response:
    basis, version = basis_of(request), required_version(request)
    asked = (str(measure_id), version, body.words, body.outcome)
    claim = basis.claim(caller, f"measure.{step.value}", key, asked, measure_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await measures.take_step(
            conn, basis, caller, measure_id, step, body.words, outcome=body.outcome, version=version, claim=claim,
            now=clock.now(),
        )  # fmt: skip
    return await _measure(request, caller, measure_id)


@router.post(
    "/measures/{measure_id}/decision/{step}", response_model=MeasureFullOut, responses=_CHANGED,
    summary="Approve, send (an accountability proposal), reject or revoke",
)  # fmt: skip
async def decide_measure(
    request: Request, measure_id: UUID, step: Literal["approve", "send", "reject", "revoke"], body: StepWordsIn,
    idempotency_key: Key, caller: Caller = Depends(Requires("consequence.decide")),
) -> Response:  # fmt: skip
    """By a second person whose post may; approval commits the money. Needs `If-Match` and `Idempotency-Key`."""
    return await _step(request, caller, measure_id, MeasureStep(step), body, idempotency_key)


@router.post(
    "/measures/{measure_id}/execution/{step}", response_model=MeasureFullOut, responses=_CHANGED,
    summary="Record that it was carried out (and paid), or withdraw a proposal",
)  # fmt: skip
async def carry_out(
    request: Request, measure_id: UUID, step: Literal["carry_out", "withdraw"], body: StepWordsIn,
    idempotency_key: Key, caller: Caller = Depends(Requires("consequence.propose")),
) -> Response:  # fmt: skip
    """Needs `If-Match` and `Idempotency-Key`."""
    return await _step(request, caller, measure_id, MeasureStep(step), body, idempotency_key)


@router.post(
    "/measures/{measure_id}/answer/{step}", response_model=MeasureFullOut, responses=_CHANGED,
    summary="An addressee receives an accountability proposal, or tells what came of it",
)  # fmt: skip
async def answer_measure(
    request: Request, measure_id: UUID, step: Literal["receive", "answer"], body: StepWordsIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("consequence.answer")),
) -> Response:  # fmt: skip
    """Only by those it was sent to. Needs `If-Match` and `Idempotency-Key`."""
    return await _step(request, caller, measure_id, MeasureStep(step), body, idempotency_key)


async def _measure(request: Request, caller: Caller, measure_id: UUID, status: int = 200) -> Response:
    basis = basis_of(request)
    async with db.begin(request.app.state.service.engine) as conn:
        row = await seen.one_measure(conn, caller, measure_id)
        if row is None:
            raise unknown("measure")
        await audit.record(conn, kit, caller, "measure.read", "measure", [measure_id], clock.now())
    out = measure_out(basis.books, row, caller, basis.plans.get(row.plan))
    return ORJSONResponse(out.model_dump(mode="json"), status_code=status, headers={"etag": etag(row.version)})


# -- special funds ----------------------------------------------------------------------------------------------------


@router.get("/funds", response_model=FundLinesOut, summary="Special funds of my plan with their balances")
async def list_funds(request: Request, caller: Caller = Depends(Requires("fund.read"))) -> Response:
    """What the plan gives, what is budgeted here, committed, paid, free."""
    basis, plan = basis_of(request), caller.plan or ""
    items = []
    async with db.begin(request.app.state.service.engine) as conn:
        for fund in basis.plans[plan].funds if plan in basis.plans else ():
            items.append(fund_out(plan, fund, seen.as_moves(await seen.moves_of(conn, plan, fund.id))))
    return ORJSONResponse(FundLinesOut(items=items).model_dump(mode="json"))


@router.get("/funds/{fund}/moves", response_model=FundMovesOut, summary="A fund with every move")
async def fund_moves(
    request: Request, fund: str, caller: Caller = Depends(Requires("fund.read"))
) -> Response:
    """In order; nothing is ever changed or removed."""
    return await _fund(request, caller, fund)


@router.post(
    "/funds/{fund}/moves", status_code=201, response_model=FundMovesOut, responses=_NEW,
    summary="Give a budget, commit a sum, release or pay it",
)  # fmt: skip
async def move_fund(
    request: Request, fund: str, body: FundMoveIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("fund.manage")),
) -> Response:  # fmt: skip
    """Never more than is free; who pays is not who committed. Needs `Idempotency-Key`."""
    basis = basis_of(request)
    claim = basis.claim(caller, "fund.move", idempotency_key, (fund, body.model_dump(mode="json")), new_id())
    async with db.begin(request.app.state.service.engine) as conn:
        await funds.move(
            conn, basis, caller, fund, body.kind, body.yuan, body.purpose, commitment=body.commitment, claim=claim,
            now=clock.now(),
        )  # fmt: skip
    return await _fund(request, caller, fund, 201)


async def _fund(request: Request, caller: Caller, fund: str, status: int = 200) -> Response:
    basis, plan = basis_of(request), caller.plan or ""
    known = next((one for one in basis.plans[plan].funds if one.id == fund), None) if plan in basis.plans else None
    if known is None:
        raise unknown("fund")
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await seen.moves_of(conn, plan, fund)
    moves = seen.as_moves(rows)
    out = FundMovesOut(line=fund_out(plan, known, moves), items=[move_out(row, moves) for row in rows])
    return ORJSONResponse(out.model_dump(mode="json"), status_code=status)
