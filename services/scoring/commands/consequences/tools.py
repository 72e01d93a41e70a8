"""Tools of the ladder: triggered by findings, proposed, approved, told, rectified, lifted (D-C1, D-Q1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.consequences.basis import (
    Basis,
    Whom,
    another,
    approver,
    current,
    days_after,
    not_now,
    not_own,
    noted,
    record_of,
    taken,
    unknown,
    whom,
    words_of,
)
from services.scoring.commands.findings.effects import Effect
from services.scoring.domain.consequences.ladder import Triggered, called_for, still_holds
from services.scoring.domain.consequences.tools import (
    BY_APPROVAL,
    NEEDS_WORDS,
    RIGHTS,
    STANDS,
    ToolRefused,
    ToolState,
    ToolStep,
    after,
)
from services.scoring.domain.findings import COUNTS, FindingStep, Settled
from services.scoring.domain.rulebooks import CHINA, LadderStep, Rulebook
from services.scoring.queries.consequences import visible_tools
from services.scoring.tables import findings, kit, tools
from shared.events.consequences import ToolStepped
from shared.kit import audit, outbox
from shared.kit.access import Caller, service_caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid

_SYSTEM = service_caller("scoring")
_T = ToolStep
t = tools.c


async def weigh(conn: AsyncConnection, basis: Basis, settled: Settled, now: datetime) -> None:
    """A finding was confirmed or fell: propose the tool its subject's record calls for, drop what nothing bears any more.

    Called within the decision's transaction, after its entries are booked.
    """
    finding = settled.finding
    if finding.plan not in basis.books:
        return
    for view in basis.books[finding.plan].at(finding.occurred_at):
        version: Rulebook = view.source  # type: ignore[assignment]
        if version is None or not version.ladder or version.condition(finding.condition) is None:
            continue
        one = whom(view, finding.plan, finding.subject_kind, finding.agency, finding.unit, finding.area)
        if one is None:
            continue
        first, last = version.period_of(finding.occurred_at.astimezone(CHINA).date())
        record = await record_of(conn, view, version, one, finding.plan, first, last)
        mine = (
            await conn.execute(
                select(tools)
                .where(
                    t.plan == finding.plan, t.rulebook == version.id, t.subject_kind == one.kind,
                    t.subject == one.subject, t.period == first,
                )
                .with_for_update()
            )
        ).all()  # fmt: skip
        if settled.step is FindingStep.CONFIRM:
            begun = [row.tool for row in mine if row.state not in ("lapsed", "annulled")]
            found = called_for(version, record, begun)
            if found is not None:
                await _begin(conn, basis, finding.plan, version, one, found, first, now)
        elif settled.step is FindingStep.OVERTURN:
            for row in mine:
                if str(finding.finding_id) in row.findings:
                    await _fell(conn, basis, version, row, finding.finding_id, record, now)


def weigher(basis: Basis) -> Effect:
    """What follows from a decided finding here, for the list of effects."""

    async def effect(conn: AsyncConnection, settled: Settled, now: datetime) -> None:
        await weigh(conn, basis, settled, now)

    return effect


async def _begin(
    conn: AsyncConnection, basis: Basis, plan: str, version: Rulebook, one: Whom, found: Triggered, period: Any,
    now: datetime,
) -> None:  # fmt: skip
    row = _row(
        new_id(), plan, version, found.tool, found.rung, one, ToolState.TRIGGERED, found.findings, period, now,
        cause=found.trigger.model_dump(mode="json", exclude_none=True, exclude_defaults=True),
    )  # fmt: skip
    row["history"] = [noted("trigger", _SYSTEM.actor, None, now, 1)]
    await insert_many(conn, tools, [row])
    await _tell(conn, basis, row, "trigger", now)
    await audit.record(conn, kit, _SYSTEM, "tool.trigger", "tool", [row["id"]], now, tool=found.tool.id)


def _row(
    tool_id: UUID, plan: str, version: Rulebook, tool: LadderStep, rung: int, one: Whom, state: ToolState,
    rests_on: Sequence[UUID], period: Any, now: datetime, *, cause: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": tool_id, "plan": plan, "rulebook": version.id, "edition": version.version, "tool": tool.id, "rung": rung,
        "clause": tool.clause, "subject_kind": one.kind, "subject": one.subject, "agency": one.agency,
        "unit": one.unit, "area": one.area, "state": state.value, "cause": cause,
        "findings": [str(finding) for finding in rests_on], "blocks": list(tool.blocks), "public": tool.public,
        "reason": None, "period": period, "opened_at": now, "proposed_by": None, "decided_by": None,
        "decided_at": None, "starts_at": None, "ends_at": None, "rectify_by": None, "reported_at": None,
        "overdue_at": None, "closed_at": None, "version": 1, "history": [],
    }  # fmt: skip


async def _fell(
    conn: AsyncConnection, basis: Basis, version: Rulebook, row: Any, finding: UUID, record: Any, now: datetime
) -> None:
    """A finding behind a tool was overturned. What nobody approved yet lapses by itself; what stands is for a person."""
    left = [one for one in row.findings if one != str(finding)]
    state = ToolState(row.state)
    lapses = state in (ToolState.TRIGGERED, ToolState.PROPOSED) and (
        not left or (row.cause.get("by") != "person" and not still_holds(version, row.tool, record))
    )
    if lapses:
        state = after(state, _T.LAPSE)
    made = dict(row._mapping) | {"findings": left, "state": state.value, "version": row.version + 1}
    step = "lapse" if lapses else "finding_fell"
    made["history"] = [*row.history, noted(step, _SYSTEM.actor, None, now, made["version"], finding=str(finding))]
    if lapses:
        made["closed_at"] = now
    await _save(conn, made)
    await _tell(conn, basis, made, step, now)


async def propose(
    conn: AsyncConnection,
    basis: Basis,
    caller: Caller,
    *,
    rulebook: str,
    tool: str,
    kind: Any,
    agency: str,
    unit: str | None,
    rests_on: Sequence[UUID],
    words: str,
    claim: Claim,
    now: datetime,
) -> UUID:
    """A person proposes a tool that nothing triggered by itself; it rests on confirmed findings all the same.

    Raises `Invalid`, `Conflict` (there is one already), `Forbidden` (their own unit).
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    plan = caller.plan or ""
    view = basis.view(plan, rulebook, now)
    version: Any = view.source if view is not None else None
    step = version.tool(tool) if version is not None else None
    if view is None or version is None or step is None:
        raise Invalid(
            "现行细则里没有这种政策工具；未保存。 The rulebook in force has no such tool; nothing was kept.",
            code="no-such-tool",
        )
    if agency not in {one.id for one in basis.plans[plan].agencies}:
        raise Invalid("没有这个单位；未保存。 No such agency; nothing was kept.", code="no-such-agency")
    one = whom(view, plan, kind, agency, unit, None)
    if one is None or (step.subjects and one.kind not in step.subjects):
        raise Invalid(
            "这种工具不适用于该对象；未保存。 This tool is not for such a subject; nothing was kept.", code="not-for-it"
        )
    await must_count(conn, plan, rests_on, agency if one.kind != "town" else None)
    rung = [other.id for other in version.ladder].index(tool) + 1
    first, _ = version.period_of(now.astimezone(CHINA).date())
    row = _row(
        claim.object_id, plan, version, step, rung, one, ToolState.PROPOSED, rests_on, first, now,
        cause={"by": "person"},
    )  # fmt: skip
    not_own(caller, _Made(row))
    row |= {"proposed_by": caller.actor, "reason": words_of(words, True)}
    row["history"] = [noted("propose", caller.actor, caller, now, 1, row["reason"])]
    made = await insert_many(conn, tools, [row], conflict="ON CONFLICT DO NOTHING", returning="id")
    if not made:
        raise Conflict(
            "该对象已有未了结的同一工具；未保存。 The subject has one of these that is not over; nothing was kept.",
            code="there-already",
        )
    await _tell(conn, basis, row, "propose", now)
    await audit.record(conn, kit, caller, "tool.propose", "tool", [row["id"]], now, tool=tool)
    return claim.object_id


async def must_count(conn: AsyncConnection, plan: str, ids: Sequence[UUID], agency: str | None) -> None:
    """Refuse findings that are not confirmed, or are another agency's. Raises `Invalid`."""
    if not ids:
        raise Invalid(
            "请选定所依据的、已确认的认定；未保存。 Name the confirmed findings it rests on; nothing was kept.",
            code="no-findings",
        )
    f = findings.c
    query = select(f.finding_id).where(
        f.plan == plan, f.finding_id.in_(list(ids)), f.state.in_([state.value for state in COUNTS])
    )
    if agency is not None:
        query = query.where(f.agency == agency)
    if set((await conn.execute(query)).scalars()) != set(ids):
        raise Invalid(
            "有的认定未经确认、已撤销，或不是该单位的；未保存。 "
            "Some findings are not confirmed, or are another's; nothing was kept.",
            code="findings-do-not-count",
        )


class _Made:
    """A row that is about to be written, read by attribute."""

    def __init__(self, values: Any) -> None:
        self.__dict__.update(values)


async def take_step(
    conn: AsyncConnection,
    basis: Basis,
    caller: Caller,
    tool_id: UUID,
    step: ToolStep,
    words: str,
    *,
    version: int,
    claim: Claim,
    now: datetime,
) -> UUID:
    """Do something about a tool; the same request again has its effect once.

    Raises `NotFound`, `Forbidden` (not the caller's to do, or a second person must), `Conflict`, `Outdated`, `Invalid`.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row = (
        await conn.execute(
            select(tools, visible_tools(caller, RIGHTS[step]).label("mine"))
            .where(t.id == tool_id, visible_tools(caller, "consequence.read"))
            .with_for_update(of=tools)
        )
    ).one_or_none()
    if row is None:
        raise unknown("tool")
    if not row.mine:
        raise Forbidden(
            "您可以查看，但无权办理这一步；未作更改。 You may see it; this step is not yours. Nothing was changed.",
            right=RIGHTS[step],
        )
    current(row, version)
    rung = _rung(basis, row)
    try:
        state = after(ToolState(row.state), step)
    except ToolRefused:
        raise not_now(row.state) from None
    words = words_of(words, step in NEEDS_WORDS)
    _may(basis, caller, row, rung, step)
    made: dict[str, Any] = {name: row._mapping[name] for name in tools.c.keys()}
    made |= {"state": state.value, "version": row.version + 1}
    match step:
        case ToolStep.PROPOSE:
            made |= {"proposed_by": caller.actor, "reason": words}
        case ToolStep.APPROVE:
            made |= {"decided_by": caller.actor, "decided_at": now, "starts_at": now}
            made["ends_at"] = days_after(now, rung.days) if rung.days else None
            made["rectify_by"] = days_after(now, rung.rectification.days) if rung.rectification else None
        case ToolStep.REJECT:
            made |= {"decided_by": caller.actor, "decided_at": now, "closed_at": now}
        case ToolStep.REPORT:
            made |= {"reported_at": now}
        case ToolStep.DROP | ToolStep.LIFT | ToolStep.ANNUL:
            made |= {"closed_at": now}
        case _:
            pass
    made["history"] = [*row.history, noted(step.value, caller.actor, caller, now, made["version"], words)]
    await _save(conn, made)
    await _tell(conn, basis, made, step.value, now)
    await audit.record(conn, kit, caller, f"tool.{step.value}", "tool", [tool_id], now, state=state.value)
    return tool_id


def _rung(basis: Basis, row: Any) -> LadderStep:
    version = basis.edition(row.rulebook, row.edition)
    found = version.tool(row.tool) if version is not None else None
    if found is None:
        raise Conflict(
            "这份细则的版本现在读不到；未作更改，请联系管理员。 Its rulebook cannot be read now; nothing was changed.",
            code="rulebook-missing",
        )
    return found


def _may(basis: Basis, caller: Caller, row: Any, rung: LadderStep, step: ToolStep) -> None:
    """Refuse who may not take a step: not their post's, their own matter, or a second person must."""
    if step is not _T.REPORT:
        not_own(caller, row)
    if step in BY_APPROVAL:
        approver(basis.plans.get(row.plan), caller, rung.approval)
    if step in (_T.APPROVE, _T.REJECT):
        another(caller, row.proposed_by)
    if step is _T.LIFT and rung.lifting == "by-inspection" and rung.rectification and row.state != ToolState.RECTIFIED:
        raise Conflict(
            "须先整改并验收合格才能解除；未作更改。 It is lifted only after its rectification was accepted; nothing was changed.",
            code="not-rectified",
        )


async def _save(conn: AsyncConnection, made: Any) -> None:
    values = {name: made[name] for name in tools.c.keys() if name != "id"}
    await conn.execute(update(tools).where(t.id == made["id"]).values(**values))


async def _tell(conn: AsyncConnection, basis: Basis, row: Any, step: str, now: datetime) -> None:
    version = basis.edition(row["rulebook"], row["edition"])
    rung = version.tool(row["tool"]) if version is not None else None
    event = ToolStepped(
        plan=row["plan"],
        rulebook=row["rulebook"],
        edition=row["edition"],
        clause=row["clause"],
        dataref=f"{basis.address}/v1/tools/{row['id']}",
        tool_id=row["id"],
        tool=row["tool"],
        rung=row["rung"],
        step=step,
        state=row["state"],
        stands=row["state"] in STANDS,
        scored_kind=row["subject_kind"],
        scored=row["subject"],
        agency=row["agency"],
        unit=row["unit"],
        area=row["area"],
        blocks=tuple(row["blocks"]),
        findings=tuple(row["findings"]),
        public=row["public"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        rectify_by=row["rectify_by"],
        at=now,
        version=row["version"],
        notice_to=rung.notice_to if rung is not None else (),
    )
    await outbox.put(conn, kit.outbox, [event], now)


async def look_at_dues(conn: AsyncConnection, basis: Basis, now: datetime, most: int = 200) -> int:
    """Tools whose time is over end; a rectification that was not reported in time is told once. Returns how many.

    One that is to be rectified does not end before its rectification was accepted.
    """
    rows = (
        await conn.execute(
            select(tools)
            .where(
                t.state.in_([state.value for state in STANDS]),
                (t.ends_at <= now) | ((t.rectify_by <= now) & t.overdue_at.is_(None)),
            )
            .order_by(t.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
    ).all()
    count = 0
    for row in rows:
        made: dict[str, Any] = dict(row._mapping) | {"version": row.version + 1}
        settled = row.rectify_by is None or row.state == ToolState.RECTIFIED
        if row.ends_at is not None and row.ends_at <= now and settled and row.state != ToolState.REPORTED:
            made |= {"state": after(ToolState(row.state), _T.EXPIRE).value, "closed_at": now}
            step = "expire"
        elif (
            row.rectify_by is not None and row.rectify_by <= now and row.overdue_at is None and row.reported_at is None
        ):
            made |= {"overdue_at": now}
            step = "rectification_missed"
        else:
            continue
        made["history"] = [*row.history, noted(step, _SYSTEM.actor, None, now, made["version"])]
        await _save(conn, made)
        await _tell(conn, basis, made, step, now)
        count += 1
    if count:
        await audit.record(conn, kit, _SYSTEM, "tool.due", "tool", [row.id for row in rows], now, count=count)
    return count
