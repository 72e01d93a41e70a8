"""Explanations: every figure opens to its lines, entries, events and the cases the reader may see."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.scoring.adapters.explanation import MEDIA, printed
from services.scoring.api.csv_text import HEADERS
from services.scoring.api.filters import ledger_filter
from services.scoring.queries import LedgerFilter
from services.scoring.queries import explaining as queries
from services.scoring.schemas.explaining import (
    ExplainedEntryOut,
    ExplanationOut,
    LineSumOut,
    RestsOnOut,
    RuleLineOut,
    WordsOut,
)
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.clock import CHINA
from shared.kit.documents.press import PressError
from shared.kit.logs import log
from shared.kit.problem import Invalid, NotFound, Unavailable
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["explanations"])

RIGHT = "score.read"
_PRINTED = 500


def _of_one(caller: Caller, wanted: LedgerFilter) -> LedgerFilter:
    if wanted.agency is None and wanted.subject is None:
        raise Invalid("请指明单位（agency）或对象（scored）。 Name the agency, or who is scored.", code="whose")
    return wanted if wanted.plan is not None else replace(wanted, plan=caller.plan)


@router.get("/explain", response_model=ExplanationOut, summary="What a figure is made of")
async def explain(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    wanted: LedgerFilter = Depends(ledger_filter),
    cursor: str | None = Query(None, max_length=100),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Of an agency (`agency`, `unit`) or a subject (`scored`): now, of a period, or as known at a moment (`as_of`)."""
    wanted = _of_one(caller, wanted)
    after = pagination.decode(cursor, (int,))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.explain(
            conn, caller, RIGHT, wanted, after=after[0] if after else None, limit=limit
        )  # fmt: skip
    if not found.lines:
        raise _nothing()
    shown, following = pagination.page(found.entries, limit, lambda row: (row.seq,))
    out = ExplanationOut(
        plan=wanted.plan or "",
        agency=shown[0].agency if shown else wanted.agency or "",
        unit=wanted.unit,
        points=found.total,
        lines=[line_of(request, one) for one in found.lines],
        entries=[entry_of(request, row, found.corrected_by) for row in shown],
        next=following,
    )
    return ORJSONResponse(out.model_dump(mode="json"))


@router.get(
    "/explain/document", summary="The same as a document", response_class=Response,
    responses={200: {"content": {media: {} for media in MEDIA.values()}}},
)  # fmt: skip
async def document(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    wanted: LedgerFilter = Depends(ledger_filter),
    form: Annotated[Literal["docx", "pdf"], Query()] = "docx",
) -> Response:
    """Word or PDF; the newest 500 entries one by one, all of them in the sums."""
    wanted = _of_one(caller, wanted)
    service = request.app.state.service
    async with db.begin(service.engine) as conn:
        found = await queries.explain(conn, caller, RIGHT, wanted, after=None, limit=_PRINTED)
    if not found.lines:
        raise _nothing()
    plan, now = service.plans.get(wanted.plan or ""), clock.now()
    title = f"{_whom(plan, wanted, found.entries)}得分说明"
    lines = [line_of(request, one) for one in found.lines]
    entries = [entry_of(request, row, found.corrected_by) for row in found.entries[:_PRINTED]]
    left = sum(one.entries for one in lines) - len(entries)
    try:
        made = await printed(
            form,
            issuer=plan.name.zh if plan else wanted.plan or "",
            title=title,
            scope=_scope(wanted),
            points=f"{found.total:f}",
            lines=[
                {
                    "rulebook": one.version or one.rulebook, "text": one.text.zh if one.text else one.line,
                    "clause": one.clause or "—", "entries": one.entries, "corrections": one.corrections,
                    "points": f"{one.points:f}" + ("（假定）" if one.assumed else ""),
                }
                for one in lines
            ],
            entries=[
                {
                    "day": one.occurred_on.isoformat(), "points": f"{one.points:f}",
                    "text": ("更正：" if one.corrects else "") + (one.line.text.zh if one.line.text else one.line.line),
                    "basis": one.rests_on.number or f"{one.rests_on.basis} {one.rests_on.basis_id}",
                    "recorded": one.recorded_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"), "entry": str(one.entry_id),
                }
                for one in entries
            ],
            rest=f"另有 {left} 条较早记录未逐条列出，已计入上表。" if left else "",
            made=now,
            made_words=now.astimezone(CHINA).strftime("%Y年%m月%d日"),
        )  # fmt: skip
    except PressError as error:
        log.warning("explain.press", form=form, reason=error.code)
        raise Unavailable(
            "文件暂时无法生成，请稍后再试，或改用 JSON。 The document cannot be made now; try later, or take the JSON."
        ) from error
    disposition = f'attachment; filename="explanation.{form}"'
    return Response(made, media_type=MEDIA[form], headers={**HEADERS, "content-disposition": disposition})


@router.get("/ledger/{entry_id}", response_model=ExplainedEntryOut, summary="One entry, explained")
async def one(request: Request, entry_id: UUID, caller: Caller = Depends(Requires(RIGHT))) -> Response:
    """Its rule line as it was in force, what it rests on, what took it back, and where its proof is."""
    async with db.begin(request.app.state.service.engine) as conn:
        found = await queries.entry(conn, caller, RIGHT, entry_id)
    if found is None:
        raise NotFound("没有这条记分，或不在您的权限内。 No such entry within your reach.")
    return ORJSONResponse(entry_of(request, found.entries[0], found.corrected_by).model_dump(mode="json"))


def _nothing() -> NotFound:
    return NotFound("没有这个对象的记分，或不在您的权限内。 No entries of this kind within your reach.")


def _whom(plan: Any, wanted: LedgerFilter, rows: Any) -> str:
    agency = rows[0].agency if rows else wanted.agency
    try:
        found = plan.agency(agency)
    except (KeyError, AttributeError):
        return str(agency)
    unit = next((one.name.zh for one in found.units if one.id == wanted.unit), wanted.unit or "")
    return f"{found.name.zh}{unit}"


def _scope(wanted: LedgerFilter) -> str:
    words = ""
    if wanted.first or wanted.last:
        words += f"{wanted.first or '—'} 至 {wanted.last or '—'}，"
    if wanted.as_of:
        words += f"按 {wanted.as_of.astimezone(CHINA):%Y-%m-%d %H:%M} 已知的记录，"
    return words


def line_of(request: Request, row: Any) -> LineSumOut:
    """A line's sum, with the words of the version in force when it was last used."""
    return LineSumOut(
        **_rule(request, row, row.newest).model_dump(),
        points=row.points,
        entries=row.entries,
        corrections=row.corrections,
        in_time=row.in_time,
        late=row.late,
    )


def _rule(request: Request, row: Any, day: Any) -> RuleLineOut:
    shelf = request.app.state.books.shelf
    found = shelf.line_of(row.plan, row.rulebook, row.line, day)
    if found is None:
        # the act that takes an entry back may fall on a day when another version is in force
        known = [(one, line) for one in shelf if one.name == row.rulebook and (line := one.line(row.line)) is not None]
        found = max(known, key=lambda pair: pair[0].valid_from, default=None)
    text = found[1].text if found else None
    return RuleLineOut(
        rulebook=row.rulebook,
        version=found[0].ref if found else None,
        line=row.line,
        clause=row.clause,
        assumed=row.assumed,
        text=WordsOut(zh=text.zh, en=text.en) if text else None,
    )


def entry_of(request: Request, row: Any, corrected_by: Any) -> ExplainedEntryOut:
    """An entry as a reader may see it."""
    settings = request.app.state.settings
    casework, scoring = settings.base_url("casework"), settings.base_url("scoring")
    finding = row.basis == "finding" and row.finding_open
    return ExplainedEntryOut(
        entry_id=row.entry_id,
        seq=row.seq,
        plan=row.plan,
        agency=row.agency,
        unit=row.unit,
        area=row.area,
        scored_kind=row.subject_kind,
        scored=row.subject,
        points=row.points,
        outcome=row.outcome,
        occurred_on=row.occurred_on,
        fact_at=row.fact_at,
        recorded_at=row.recorded_at,
        corrects=row.corrects,
        corrected_by=corrected_by.get(row.entry_id),
        line=_rule(request, row, row.occurred_on),
        rests_on=RestsOnOut(
            basis=row.basis,
            basis_id=row.basis_id,
            owed=row.owed,
            rule=row.rule,
            due=row.due,
            provisional=row.provisional,
            state=row.state,
            number=row.number,
            case_id=row.case_id if row.case_open else None,
            case=f"{casework}/v1/cases/{row.case_id}" if row.case_id and row.case_open else None,
            finding=f"{scoring}/v1/findings/{row.basis_id}" if finding else None,
            event_type=row.fact_type,
            events=[*map(UUID, row.facts)] or [row.fact_event],
        ),
        proof=f"{scoring}/v1/ledger/{row.entry_id}/proof",
    )
