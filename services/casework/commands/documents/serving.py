"""Service (送达) of what was issued, and its withdrawal (撤销)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.documents.desk import Desk, approving_post
from services.casework.commands.documents.drafting import save, step, taken, to_change
from services.casework.commands.documents.issuing import facts_of
from services.casework.commands.records import deadline_changes, deadline_of, published
from services.casework.domain.cases import Clock
from services.casework.domain.documents.states import DocumentAction
from services.casework.tables import cases, deadlines, document_services, kit
from shared.events.casework import DeadlineMissed
from shared.events.common import DeadlineFact
from shared.events.documents import DocumentServed, DocumentWithdrawn
from shared.kit import outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Forbidden, Invalid
from shared.rules import deadlines as rules
from shared.rules.deadlines import State

_OPEN = (State.RUNNING.value, State.SUSPENDED.value, State.MISSED.value)
_SLACK = timedelta(minutes=1)


async def serve(
    conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID, *, served_at: datetime, way: str, receiver: str,
    version: int, claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Record that a document was served: when, how, on what kind of receiver. The first service ends its clock.

    Raises `NotFound`, `Forbidden`, `Conflict` (not issued, withdrawn), `Outdated`, or `Invalid` for a moment before it
    was issued or still to come.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, _ = await to_change(conn, desk, caller, document_id, version, "document.issue")
    state = step(row, DocumentAction.SERVE)
    if served_at > now + _SLACK or served_at < row.issued_at - _SLACK:
        raise Invalid(
            "送达时间须在签发之后、现在之前；未保存。 Service lies after the issue and not in the future; nothing was kept.",
            code="bad-moment",
            errors=[{"field": "served_at", "code": "bad-moment", "message": "签发之后、现在之前 / after the issue, not in the future"}],
        )
    clock, in_time = await _end_clock(conn, row, served_at)
    await insert_many(conn, document_services, [{
        "id": new_id(), "document_id": row.id, "served_at": served_at, "way": way, "receiver": receiver,
        "in_time": in_time, "recorded_at": now, "recorded_by": caller.actor,
    }])  # fmt: skip
    await save(
        conn, caller, row, "served", now, facts={"way": way, "receiver": receiver, "in_time": in_time},
        state=state.value, served_at=min(row.served_at or served_at, served_at),
    )  # fmt: skip
    events: list[Any] = []
    if clock is not None and clock[1]:
        case = (await conn.execute(select(cases).where(cases.c.id == row.case_id))).one()
        events.append(DeadlineMissed(
            case_id=case.id, plan=case.plan, area=case.area, urgent=case.urgent, number=case.number, agency=row.agency,
            unit=row.unit, deadline=clock[0], missed_at=now,
        ))  # fmt: skip
    events.append(DocumentServed(
        **facts_of(desk, row, row.number), way=way, receiver=receiver, deadline=clock[0] if clock else None,
        in_time=in_time, served_at=served_at,
    ))  # fmt: skip
    await outbox.put(conn, kit.outbox, events, now)
    return row.id


async def withdraw(
    conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID, *, reason: str, version: int, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Withdraw what was issued, for a reason that is kept sealed with it; its number stays used.

    Where its kind needs an approval, so does its withdrawal. Raises as `serve`.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, plan = await to_change(conn, desk, caller, document_id, version, "document.issue")
    state = step(row, DocumentAction.WITHDRAW)
    if row.approval is not None and approving_post(plan, caller, row.agency, row.approval) is None:
        raise Forbidden(
            "撤销这种文书须由有权审批的岗位办理；文书未变。 Withdrawing this kind is for a post that may approve it; nothing was changed.",
            code="post-may-not-approve",
            approval=row.approval,
        )
    contents = desk.open(row) | {"withdrawn": {"reason": reason}}
    await save(conn, caller, row, "withdrawn", now, state=state.value, contents=desk.seal(row.id, contents), withdrawn_at=now)
    if row.deadline_id is not None:
        kept = await _clock(conn, row.deadline_id)
        if kept is not None:
            after, _ = rules.cancel(deadline_of(kept), reason="withdrawn", now=max(now, _last(kept)))
            await _save_clock(conn, row, kept, after)
    told = DocumentWithdrawn(
        **facts_of(desk, row, row.number), was_served=row.served_at is not None, withdrawn_at=now
    )
    await outbox.put(conn, kit.outbox, [told], now)
    return row.id


async def _end_clock(
    conn: AsyncConnection, row: Any, served_at: datetime
) -> tuple[tuple[DeadlineFact, bool] | None, bool | None]:
    """The clock until service, ended: as told and whether it was missed just now; and whether it was kept."""
    if row.deadline_id is None:
        return None, None
    kept = await _clock(conn, row.deadline_id)
    if kept is None:
        return None, None
    after, facts = rules.meet(deadline_of(kept), now=max(served_at, _last(kept)))
    await _save_clock(conn, row, kept, after)
    fact = published(Clock(kept.agency, kept.unit, after))
    return (fact, any(one.name == "missed" for one in facts)), served_at <= kept.due


async def _clock(conn: AsyncConnection, deadline_id: UUID) -> Any:
    query = select(deadlines).where(deadlines.c.id == deadline_id, deadlines.c.state.in_(_OPEN)).with_for_update()
    return (await conn.execute(query)).one_or_none()


def _last(kept: Any) -> datetime:
    # a clock's history never runs backwards, whichever machine wrote it last
    return max(datetime.fromisoformat(str(one["at"])) for one in kept.history)


async def _save_clock(conn: AsyncConnection, row: Any, kept: Any, after: rules.Deadline) -> None:
    await conn.execute(
        update(deadlines).where(deadlines.c.id == kept.id).values(**deadline_changes(after), version=kept.version + 1)
    )
    if kept.state == State.MISSED.value:
        await conn.execute(update(cases).where(cases.c.id == row.case_id).values(missed=cases.c.missed - 1))
