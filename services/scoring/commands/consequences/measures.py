"""Rewards, penalties and accountability proposals: proposed, approved by another, carried out, answered (X-S1, X-R2, D-Q2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.booking import book_decisions, take_turn
from services.scoring.commands.consequences import funds
from services.scoring.commands.consequences.basis import (
    Basis,
    Whom,
    another,
    approver,
    current,
    last_event,
    not_now,
    not_own,
    noted,
    sheet_for,
    taken,
    unknown,
    whom,
    words_of,
)
from services.scoring.commands.consequences.tools import must_count
from services.scoring.domain.consequences.funds import Move, left_of
from services.scoring.domain.consequences.measures import (
    BY_APPROVAL,
    DECISIONS,
    NEEDS_WORDS,
    OUTCOMES,
    RIGHTS,
    MeasureRefused,
    MeasureState,
    MeasureStep,
    after,
)
from services.scoring.domain.decisions import Decided
from services.scoring.domain.rulebooks import CHINA, Measure, Rulebook
from services.scoring.queries.consequences import blocking, visible_measures
from services.scoring.tables import fund_moves, kit, ledger, measures
from shared.events import Event
from shared.events.consequences import MeasureStepped
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid

_T = MeasureStep
m = measures.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is proposed: which measure of which rulebook, for whom, on what it rests."""

    rulebook: str
    measure: str
    subject_kind: Literal["town", "community", "agency", "unit", "post"]
    agency: str
    unit: str | None
    post: str | None
    yuan: int | None
    findings: tuple[UUID, ...]
    entries: tuple[UUID, ...]
    reason: str


async def propose(
    conn: AsyncConnection, basis: Basis, caller: Caller, wanted: Wanted, *, claim: Claim, now: datetime
) -> UUID:
    """Propose a reward, a penalty or an accountability proposal.

    Raises `Invalid` (not in the rulebook, no facts), `Conflict` (a tool stands in the way, the score is not such),
    `Forbidden` (their own unit).
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    plan = caller.plan or ""
    view = basis.view(plan, wanted.rulebook, now)
    version: Any = view.source if view is not None else None
    measure = next((one for one in version.measures if one.id == wanted.measure), None) if version is not None else None
    if view is None or version is None or measure is None:
        raise Invalid(
            "现行细则里没有这项奖惩；未保存。 The rulebook in force has no such measure; nothing was kept.",
            code="no-such-measure",
        )
    one = _whom(basis, view, plan, wanted)
    if one.kind not in measure.subjects:
        raise Invalid(
            "这项奖惩不适用于该对象；未保存。 This measure is not for such a subject; nothing was kept.",
            code="not-for-it",
        )
    await _must_rest_on_facts(conn, plan, measure, one, wanted)
    score = None
    if one.kind != "post":
        first, last = version.period_of(now.astimezone(CHINA).date())
        score = (await sheet_for(conn, version, one, plan, first, last)).score
        _must_have_scored(measure, score, bool(wanted.findings))
    if measure.kind == "reward":
        await _nothing_in_the_way(conn, plan, one)
    yuan = wanted.yuan if wanted.yuan is not None else measure.yuan
    if yuan is not None and (measure.yuan is None or yuan > measure.yuan):
        raise Invalid(
            f"金额超过细则所定（{measure.yuan or 0} 元）；未保存。 "
            f"More than the rulebook gives ({measure.yuan or 0} yuan); nothing was kept.",
            code="too-much",
        )
    row = {
        "id": claim.object_id, "plan": plan, "rulebook": version.id, "edition": version.version, "measure": measure.id,
        "kind": measure.kind, "clause": measure.clause, "subject_kind": one.kind, "subject": one.subject,
        "agency": one.agency, "unit": one.unit, "area": one.area, "post": wanted.post if one.kind == "post" else None,
        "state": MeasureState.PROPOSED.value, "yuan": yuan, "fund": measure.fund if yuan else None,
        "sent_to": list(measure.to or version.accountability_to) if measure.kind == "accountability" else [],
        "answers": {}, "findings": [str(one) for one in wanted.findings],
        "entries": [str(one) for one in wanted.entries], "reason": words_of(wanted.reason, True), "score": score,
        "decision": _decision(version, measure), "occurred_at": now, "proposed_by": caller.actor, "proposed_at": now,
        "decided_by": None, "decided_at": None, "version": 1,
        "history": [noted("propose", caller.actor, caller, now, 1, wanted.reason.strip())],
    }  # fmt: skip
    if measure.kind != "accountability" or one.kind != "town":
        not_own(caller, _Made(row))
    await insert_many(conn, measures, [row])
    await _tell(conn, basis, row, "propose", now)
    await audit.record(conn, kit, caller, "measure.propose", "measure", [row["id"]], now, measure=measure.id)
    return claim.object_id


class _Made:
    """A row that is about to be written, read by attribute."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def _whom(basis: Basis, view: Any, plan: str, wanted: Wanted) -> Whom:
    agencies = {one.id: one for one in basis.plans[plan].agencies}
    agency = agencies.get(wanted.agency)
    if agency is None or (wanted.unit is not None and agency.unit(wanted.unit) is None):
        raise Invalid("没有这个单位或科室；未保存。 No such agency or unit; nothing was kept.", code="no-such-agency")
    if wanted.subject_kind == "post":
        if wanted.post not in {one.id for one in basis.plans[plan].posts}:
            raise Invalid(
                "请选方案里的岗位；未保存。 Choose a post of the plan; nothing was kept.", code="no-such-post"
            )
        return Whom("post", f"{wanted.agency}:{wanted.post}", wanted.agency, wanted.unit, agency.area)
    one = whom(view, plan, wanted.subject_kind, wanted.agency, wanted.unit, None)
    if one is None:
        raise Invalid(
            "这份细则不考核该对象；未保存。 This rulebook does not score such a subject; nothing was kept.",
            code="not-for-it",
        )
    return one


async def _must_rest_on_facts(conn: AsyncConnection, plan: str, measure: Measure, one: Whom, wanted: Wanted) -> None:
    """A penalty and an accountability proposal rest on facts: confirmed findings, or entries of the ledger."""
    if wanted.findings:
        await must_count(conn, plan, wanted.findings, one.agency if one.kind != "town" else None)
    if wanted.entries:
        query = select(func.count()).where(
            ledger.c.plan == plan, ledger.c.entry_id.in_(list(wanted.entries)), ledger.c.points < 0
        )
        if one.kind != "town":
            query = query.where(ledger.c.agency == one.agency)
        if (await conn.execute(query)).scalar_one() != len(set(wanted.entries)):
            raise Invalid(
                "有的记分条目不存在、不是扣分，或不是该单位的；未保存。 "
                "Some entries do not exist, take no points, or are another's; nothing was kept.",
                code="entries-do-not-count",
            )
    if measure.kind != "reward" and not wanted.findings and not wanted.entries:
        raise Invalid(
            "处罚和问责须写明所依据的事实（已确认的认定或扣分条目）；未保存。 "
            "Name the facts it rests on: confirmed findings or entries that took points; nothing was kept.",
            code="no-facts",
        )


def _must_have_scored(measure: Measure, score: Decimal, on_findings: bool) -> None:
    least, below = measure.score_at_least, measure.score_below
    short = least is not None and score < least
    good = below is not None and score >= below and not (on_findings and measure.conditions)
    if short or good:
        raise Conflict(
            f"本年度得分 {score}，不符合这项奖惩的条件；未保存。 "
            f"The score of the year is {score}: not what this measure asks for. Nothing was kept.",
            code="score-does-not-fit",
            score=str(score),
        )


async def _nothing_in_the_way(conn: AsyncConnection, plan: str, one: Whom) -> None:
    for what in ("reward", "commendation"):
        standing = await blocking(conn, plan, what, one.kind, one.subject, one.agency)
        if standing:
            raise Conflict(
                "该对象正受政策工具限制，解除前不能奖励；未作更改。 "
                "A tool of the ladder stands in the way of a reward until it is lifted; nothing was changed.",
                code="blocked",
                tools=[str(row.id) for row in standing],
            )


def _decision(version: Rulebook, measure: Measure) -> str | None:
    name = DECISIONS.get(measure.kind)
    return name if name is not None and version.line_for("decision", name) is not None else None


async def take_step(
    conn: AsyncConnection,
    basis: Basis,
    caller: Caller,
    measure_id: UUID,
    step: MeasureStep,
    words: str,
    *,
    outcome: str | None = None,
    version: int,
    claim: Claim,
    now: datetime,
) -> UUID:
    """Do something with a measure; the same request again has its effect once.

    Raises `NotFound`, `Forbidden`, `Conflict` (also when the fund is short), `Outdated`, `Invalid`.
    """
    await take_turn(conn)
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row = (
        await conn.execute(
            select(measures, visible_measures(caller, RIGHTS[step]).label("mine"))
            .where(m.id == measure_id, visible_measures(caller, "consequence.read"))
            .with_for_update(of=measures)
        )
    ).one_or_none()
    if row is None:
        raise unknown("measure")
    if not row.mine:
        raise Forbidden(
            "您可以查看，但无权办理这一步；未作更改。 You may see it; this step is not yours. Nothing was changed.",
            right=RIGHTS[step],
        )
    current(row, version)
    if step is _T.APPROVE and row.kind == "accountability":
        step = _T.SEND
    try:
        state = after(MeasureState(row.state), step)
    except MeasureRefused:
        raise not_now(row.state) from None
    words = words_of(words, step in NEEDS_WORDS)
    measure = _measure(basis, row)
    if step in BY_APPROVAL:
        approver(basis.plans.get(row.plan), caller, measure.approval)
        not_own(caller, row)
    if step in (_T.APPROVE, _T.SEND, _T.REJECT):
        another(caller, row.proposed_by)
    made: dict[str, Any] = {name: row._mapping[name] for name in m.keys()}
    made |= {"state": state.value, "version": row.version + 1}
    if step in (_T.APPROVE, _T.SEND, _T.REJECT):
        made |= {"decided_by": caller.actor, "decided_at": now}
    if step in (_T.RECEIVE, _T.ANSWER):
        made["answers"] = _answers(caller, row, step, outcome, words, now)
        if all(made["answers"].get(to, {}).get("outcome") for to in row.sent_to):
            made["state"] = after(state, _T.CLOSE).value
    if step is _T.APPROVE and row.kind == "reward":
        await _nothing_in_the_way(conn, row.plan, Whom(row.subject_kind, row.subject, row.agency, row.unit, row.area))
    await _money(conn, basis, caller, row, step, now)
    made["history"] = [*row.history, noted(step.value, caller.actor, caller, now, made["version"], words)]
    await conn.execute(update(measures).where(m.id == row.id).values(**{k: v for k, v in made.items() if k != "id"}))
    event = await _tell(conn, basis, made, step.value, now)
    if step in (_T.APPROVE, _T.REVOKE) and row.decision is not None:
        decided = _decided(event, await last_event(conn, event), now)
        if decided is not None:
            await book_decisions(conn, basis.books, [decided], now)
    await audit.record(
        conn, kit, caller, f"measure.{step.value}", "measure", [measure_id], now, state=made["state"], kind=row.kind
    )
    return measure_id


def _measure(basis: Basis, row: Any) -> Measure:
    version = basis.edition(row.rulebook, row.edition)
    found = next((one for one in version.measures if one.id == row.measure), None) if version is not None else None
    if found is None:
        raise Conflict(
            "这份细则的版本现在读不到；未作更改，请联系管理员。 Its rulebook cannot be read now; nothing was changed.",
            code="rulebook-missing",
        )
    return found


def _answers(
    caller: Caller, row: Any, step: MeasureStep, outcome: str | None, words: str, now: datetime
) -> dict[str, Any]:
    """What each addressee has told; only an addressee tells for itself."""
    if caller.agency not in row.sent_to:
        raise Forbidden(
            "此建议不是送交您单位的；未作更改。 This proposal was not sent to your agency; nothing was changed.",
            code="not-sent-to-you",
        )
    mine = dict(row.answers.get(caller.agency, {}))
    if step is _T.RECEIVE:
        mine.setdefault("received_at", now.isoformat())
    else:
        if outcome not in OUTCOMES:
            raise Invalid(
                "请选处理结果；未作更改。 Choose what came of it; nothing was changed.", code="no-outcome",
                outcomes=list(OUTCOMES),
            )  # fmt: skip
        mine |= {"outcome": outcome, "words": words, "answered_at": now.isoformat()}
        mine.setdefault("received_at", now.isoformat())
    return {**row.answers, caller.agency: mine}


async def _money(
    conn: AsyncConnection, basis: Basis, caller: Caller, row: Any, step: MeasureStep, now: datetime
) -> None:
    """Approval commits the sum, carrying out pays it, revoking releases it."""
    if not row.fund or not row.yuan or step not in (_T.APPROVE, _T.CARRY_OUT, _T.REVOKE):
        return
    fund = funds.fund_of(basis, row.plan, row.fund)
    if step is _T.APPROVE:
        made = Move(new_id(), "commit", row.yuan)
    else:
        _, moves = await funds.locked(conn, row.plan, row.fund)
        commitment = next((one.id for one in await _commits(conn, row.id)), None)
        if commitment is None:
            return
        left = left_of(commitment, moves)
        made = Move(new_id(), "pay" if step is _T.CARRY_OUT else "release", left, commitment)
    await funds.put(conn, basis, fund, row.plan, made, row.measure, caller, now, measure_id=row.id)


async def _commits(conn: AsyncConnection, measure_id: UUID) -> Sequence[Any]:
    query = select(fund_moves).where(fund_moves.c.measure_id == measure_id, fund_moves.c.kind == "commit")
    return (await conn.execute(query.order_by(fund_moves.c.seq.desc()))).all()


async def _tell(
    conn: AsyncConnection, basis: Basis, row: Mapping[str, Any], step: str, now: datetime
) -> MeasureStepped:
    event = MeasureStepped(
        plan=row["plan"],
        rulebook=row["rulebook"],
        edition=row["edition"],
        clause=row["clause"],
        dataref=f"{basis.address}/v1/measures/{row['id']}",
        measure_id=row["id"],
        measure=row["measure"],
        kind=row["kind"],
        step=step,
        state=row["state"],
        scored_kind=row["subject_kind"],
        scored=row["subject"],
        agency=row["agency"],
        unit=row["unit"],
        area=row["area"],
        post=row["post"],
        sent_to=tuple(row["sent_to"]) if row["state"] in ("sent", "answered") else (),
        findings=tuple(row["findings"]),
        yuan=row["yuan"],
        fund=row["fund"],
        decision=row["decision"],
        points=None,
        occurred_at=row["occurred_at"],
        at=now,
        version=row["version"],
    )
    await outbox.put(conn, kit.outbox, [event], now)
    return event


def _decided(data: MeasureStepped, event: UUID, recorded_at: datetime) -> Decided | None:
    """What the ledger is asked to book for an approval (or its revoking)."""
    if data.decision is None or data.step not in ("approve", "revoke"):
        return None
    return Decided(
        basis="decision",
        basis_id=data.measure_id,
        plan=data.plan,
        condition_or_line=data.decision,
        subject_kind=data.scored_kind,
        agency=data.agency,
        unit=data.unit,
        area=data.area,
        occurred_at=data.occurred_at,
        recorded_at=recorded_at,
        fact_events=(*data.findings, event),
        confirmed=data.step == "approve",
        taken_back=data.step == "revoke",
        fact_type=MeasureStepped.TYPE,
        subject=data.scored,
        points=data.points,
    )


async def book_again(conn: AsyncConnection, books: Any, events: Sequence[Event[MeasureStepped]], now: datetime) -> int:
    """Approvals read back from their topic: the ledger gets what it lacks."""
    wanted = [one for event in events if (one := _decided(event.data, event.id, event.recordedat)) is not None]
    return await book_decisions(conn, books, wanted, now) if wanted else 0
