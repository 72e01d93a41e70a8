"""Notices made from what casework tells, and signed by those they are for."""

import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify import metrics
from services.notify.commands import deliveries, ladder, rings
from services.notify.domain import notices as domain
from services.notify.domain.notices import State
from services.notify.queries.notices import visible
from services.notify.queries.roster import stands_in_for
from services.notify.tables import acceptances, kit, notices
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
from shared.kit import audit, idempotency
from shared.kit.access import Caller, service_caller
from shared.kit.db import fetch, insert_many
from shared.kit.problem import Conflict, NotFound, Outdated
from shared.kit.service import Service

_ACTOR = service_caller("notify")

_END = (
    update(notices)
    .where(
        notices.c.case_id == acceptances.c.case_id,
        notices.c.agency == acceptances.c.agency,
        notices.c.case_id == func.any(bindparam("cases")),
        notices.c.template.in_([t.value for t in domain.ENDED_BY_ACCEPTANCE]),
        notices.c.role.is_distinct_from("coordinator"),
        notices.c.state != State.DONE.value,
    )
    .values(
        state=State.DONE.value,
        done_at=acceptances.c.accepted_at,
        in_time=acceptances.c.in_time,
        version=notices.c.version + 1,
    )
)

_ACCEPTED = "SELECT case_id FROM acceptances WHERE case_id = ANY(CAST($1 AS uuid[])) LIMIT 1"
_LISTENING = "SELECT DISTINCT plan, agency FROM endpoints WHERE active"
_URGENT_LOCK = zlib.crc32(b"notify:urgent-cases")


async def _one_lane_at_a_time(conn: AsyncConnection, urgent: bool) -> None:
    """News of one urgent case comes over two topics, so two transactions could each miss what the other writes."""
    if urgent:
        await conn.execute(select(func.pg_advisory_xact_lock(_URGENT_LOCK)))


async def tell_opened(conn: AsyncConnection, svc: Service, cases: Sequence[CaseOpened], now: datetime) -> None:
    """Tell every party of new cases."""
    await _one_lane_at_a_time(conn, any(case.urgent for case in cases))
    await make(conn, [row for case in cases for row in domain.of_opened(case, now)], now, svc)
    urgent = [case for case in cases if case.urgent]
    if urgent:
        await rings.start(conn, svc, urgent, now)


async def tell_missed(conn: AsyncConnection, svc: Service, missed: Sequence[DeadlineMissed], now: datetime) -> None:
    """Tell those who let a deadline pass, and the office."""
    rows = [row for event in missed for row in domain.of_missed(event, svc.plans.get(event.plan), now)]
    await make(conn, rows, now, svc)


async def note_accepted(conn: AsyncConnection, accepted: Sequence[CaseAccepted], now: datetime) -> None:
    """End the notices of agencies that have accepted; remembered, since the notice may come later than this."""
    await _one_lane_at_a_time(conn, any(event.urgent for event in accepted))
    rows = {
        (event.case_id, event.agency): {
            "case_id": event.case_id,
            "agency": event.agency,
            "accepted_at": event.accepted_at,
            "in_time": event.in_time,
        }
        for event in accepted
    }
    await insert_many(conn, acceptances, list(rows.values()), conflict="ON CONFLICT DO NOTHING")
    cases = list({event.case_id for event in accepted})
    await conn.execute(_END, {"cases": cases})
    await rings.answer_accepted(conn, [event.case_id for event in accepted if event.urgent], now)
    await audit.record(conn, kit, _ACTOR, "notice.ended", "case", cases, now)


async def make(
    conn: AsyncConnection, rows: list[dict[str, Any]], now: datetime, svc: Service | None = None
) -> None:
    """Write notices that are not there yet, for their readers and for their agencies' systems.

    With the service they climb when nobody signs by the plan's time; without it, when what they ask for is due. What
    needs a right of its reader goes to no system: an agency's system stands for all its officers.
    """
    if not rows:
        return
    if svc is not None:
        ladder.begin(svc, rows, now)
    await insert_many(conn, notices, rows, conflict="ON CONFLICT (id) DO NOTHING")
    cases = list({row["case_id"] for row in rows if row["case_id"]})
    if await fetch(conn, _ACCEPTED, cases):
        await conn.execute(_END, {"cases": cases})
    wanted = {(row.plan, row.agency) for row in await fetch(conn, _LISTENING)}
    ids = [row["id"] for row in rows if (row["plan"], row["agency"]) in wanted]
    await deliveries.put(conn, ids, now)
    await audit.record(conn, kit, _ACTOR, "notice.created", "notice", [row["id"] for row in rows], now)
    for template, count in Counter(row["template"] for row in rows).items():
        metrics.NOTICES.labels(str(template)).inc(count)


async def sign(
    conn: AsyncConnection,
    caller: Caller,
    notice_id: UUID,
    version: int,
    claim: idempotency.Claim,
    now: datetime,
) -> Any:
    """Sign for a notice (签收). The same key again gives the signed notice; NotFound when it is not the caller's.

    Raises:
        Outdated: somebody changed it meanwhile. Conflict: it is signed already, or the key was used otherwise.
    """
    earlier = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(earlier, Conflict):
        raise earlier
    mine = (notices.c.id == notice_id) & visible(caller, "notice.sign", await stands_in_for(conn, caller, now))
    row = (await conn.execute(select(notices).where(mine).with_for_update())).one_or_none()
    if row is None:
        raise NotFound("没有这份通知，或不归您签收。 No such notice, or not yours to sign.")
    if earlier is not None:
        return row
    if row.signed_at is not None:
        raise Conflict(
            "这份通知已经签收过，原签收记录不变。 It is signed already; the first signature stands.",
            code="already-signed",
        )
    if row.version != version:
        raise Outdated("通知已有变化，请重新打开后再签收。 It has changed; open it again.", version=row.version)
    state = State.DONE if row.state == State.DONE else State.SIGNED
    signed = (
        await conn.execute(
            update(notices)
            .where(notices.c.id == notice_id)
            .values(state=state.value, signed_at=now, signed_by=caller.actor, version=row.version + 1)
            .returning(notices)
        )
    ).one()
    await rings.answer_signed(conn, signed, caller.actor, now)
    await ladder.signed(conn, signed, caller.actor, now)
    await audit.record(conn, kit, caller, "notice.signed", "notice", [notice_id], now)
    return signed
