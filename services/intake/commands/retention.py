"""Retention: after the plan's time the keys of what reporters said and who they are get destroyed; the figures stay.

Every sealed column holds its own data key, wrapped; writing a tombstone over it leaves nothing that opens the old
words, in this database. What is still in its write-ahead log and in backups, docs/ops/retention.md tells.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    Table,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.rewards.asking import known, same_version
from services.intake.domain.retention import GONE_ZH, cutoff
from services.intake.queries.rewards import lead_in_reach
from services.intake.tables import (
    closing_contests,
    closing_ratings,
    contact_reveals,
    kit,
    leads,
    legal_holds,
    reporter_contacts,
    retention_progress,
    retention_waiting,
    reward_claims,
    reward_shares,
    tip_files,
    tip_messages,
    tips,
)
from services.intake.tables.handovers import lead_parties
from shared.kit import audit
from shared.kit.access import Caller, scope, service_caller
from shared.kit.clock import CHINA
from shared.kit.crypto import KeyRing
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, NotFound
from shared.kit.service import Service
from shared.rules.plan import Plan

CLOCK = "retention"
"""The name of the plan's clock: how long reporters' words are kept."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed column: the key it is sealed by, what a row's seal is bound to, and what is put in its place."""

    table: Table
    column: Column[Any]
    tip: Column[Any]
    row: Column[Any]
    key: str
    bound: Callable[[Any], bytes]
    tombstone: Callable[[], bytes]


def _gone() -> bytes:
    return GONE_ZH.encode()


def _message(table: Table) -> Sealed:
    return Sealed(
        table, table.c.sealed, table.c.tip_id, table.c.id, "narrative", lambda r: r.tip_id.bytes + r.id.bytes, _gone
    )


SEALED: tuple[Sealed, ...] = (
    Sealed(
        tips, tips.c.narrative, tips.c.id, tips.c.id, "narrative", lambda r: r.id.bytes,
        lambda: orjson.dumps({"subject": "", "text": GONE_ZH, "place": None, "words": []}),
    ),
    _message(tip_messages),
    _message(closing_contests),
    _message(closing_ratings),
    Sealed(
        reporter_contacts, reporter_contacts.c.sealed, reporter_contacts.c.tip_id, reporter_contacts.c.tip_id,
        "reporter", lambda r: r.tip_id.bytes,
        lambda: orjson.dumps({"name": GONE_ZH, "phone": "", "address": ""}),
    ),
    _message(contact_reveals),
    Sealed(
        tip_files, tip_files.c.data_key, tip_files.c.tip_id, tip_files.c.id, "file", lambda r: r.id.bytes,
        lambda: os.urandom(64),
    ),
)  # fmt: skip
"""Every column that holds words of a reporter, who they are, or the key of what they sent."""


def due_before(service: Service, plan: Plan, now: datetime) -> datetime | None:
    """What came in before this moment has been kept for the plan's time; None when the plan sets no time."""
    rule = plan.clock(CLOCK)
    if rule is None:
        return None
    limit = plan.limit(rule, now.astimezone(CHINA).date(), service.law)
    assert limit.value is not None
    return cutoff(now, limit.unit, int(limit.value))


def held(before: datetime) -> ColumnElement[bool]:
    """Tips whose words are still needed: a hold stands, their case is open or closed lately, a reward is open."""
    lead_needs = exists().where(
        leads.c.id == tips.c.lead_id,
        or_(
            and_(leads.c.closed_at.is_(None), exists().where(lead_parties.c.lead_id == leads.c.id)),
            leads.c.closed_at >= before,
            exists().where(legal_holds.c.lead_id == leads.c.id, legal_holds.c.lifted_at.is_(None)),
        ),
    )
    share, claim = reward_shares.c, reward_claims.c
    open_share = exists().where(share.tip_id == tips.c.id, share.live, share.paid_at.is_(None))
    open_claim = exists().where(
        claim.tip_id == tips.c.id, claim.state == "open", ~exists().where(share.tip_id == tips.c.id, share.paid_at.is_not(None))
    )
    return or_(lead_needs, open_share, open_claim)


async def next_batch(conn: AsyncConnection, service: Service, plan: Plan, now: datetime, limit: int) -> int:
    """Look at the next tips of a plan whose time is over; how many were looked at (fewer than `limit`: no more now).

    Those still needed wait and are looked at again; a round that breaks off goes on where its last batch ended.
    """
    before = due_before(service, plan, now)
    if before is None:
        return 0
    p = retention_progress
    await conn.execute(
        insert(p)
        .values(plan=plan.id, received_at=datetime.fromtimestamp(0, now.tzinfo), tip_id=UUID(int=0), anonymised=0)
        .on_conflict_do_nothing()
    )
    at = (await conn.execute(select(p).where(p.c.plan == plan.id).with_for_update())).one()
    query = (
        select(tips.c.id, tips.c.received_at, held(before).label("held"))
        .where(
            tips.c.plan == plan.id,
            tips.c.received_at < before,
            tuple_(tips.c.received_at, tips.c.id) > tuple_(at.received_at, at.tip_id),
        )
        .order_by(tips.c.received_at, tips.c.id)
        .limit(limit)
        .with_for_update(of=tips)
    )
    rows = (await conn.execute(query)).all()
    if not rows:
        return 0
    waiting = [{"tip_id": row.id, "since": now} for row in rows if row.held]
    if waiting:
        await conn.execute(insert(retention_waiting).on_conflict_do_nothing(), waiting)
    free = [row.id for row in rows if not row.held]
    await _destroy(conn, service, plan, free, now)
    await conn.execute(
        update(p)
        .where(p.c.plan == plan.id)
        .values(received_at=rows[-1].received_at, tip_id=rows[-1].id, anonymised=p.c.anonymised + len(free))
    )
    return len(rows)


async def waiting_again(conn: AsyncConnection, service: Service, plan: Plan, now: datetime, limit: int) -> int:
    """Look again at tips that waited; how many are free now and were anonymised."""
    before = due_before(service, plan, now)
    if before is None:
        return 0
    w = retention_waiting
    query = (
        select(tips.c.id)
        .join(w, w.c.tip_id == tips.c.id)
        .where(tips.c.plan == plan.id, ~held(before))
        .limit(limit)
        .with_for_update(of=tips, skip_locked=True)
    )
    free = list((await conn.execute(query)).scalars())
    if free:
        await _destroy(conn, service, plan, free, now)
        await conn.execute(w.delete().where(w.c.tip_id.in_(free)))
        p = retention_progress
        await conn.execute(
            update(p).where(p.c.plan == plan.id).values(anonymised=p.c.anonymised + len(free))
        )
    return len(free)


async def waiting(conn: AsyncConnection) -> dict[str, int]:
    """How many tips of each plan are past their time and still needed."""
    query = (
        select(tips.c.plan, func.count().label("n"))
        .join(retention_waiting, retention_waiting.c.tip_id == tips.c.id)
        .group_by(tips.c.plan)
    )
    return {row.plan: row.n for row in await conn.execute(query)}


async def _destroy(conn: AsyncConnection, service: Service, plan: Plan, ids: Sequence[UUID], now: datetime) -> None:
    """Write tombstones over every sealed column of these tips: new keys, no words, the same rows and figures."""
    if not ids:
        return
    for sealed in SEALED:
        await _tombstones(conn, service.settings.keys, sealed, ids)
    await conn.execute(update(tips).where(tips.c.id.in_(ids)).values(anonymised_at=now, brought_by=None))
    await audit.record(
        conn, kit, service_caller("intake"), "retention.anonymise", "tip", ids, now, plan=plan.id, rule=plan.clock(CLOCK)
    )


async def _tombstones(conn: AsyncConnection, keys: KeyRing, sealed: Sealed, ids: Sequence[UUID]) -> None:
    wanted = {column.name: column for column in (sealed.row, sealed.tip)}
    rows = (
        await conn.execute(select(*wanted.values()).where(sealed.tip.in_(ids), sealed.column.is_not(None)))
    ).all()
    if not rows:
        return
    fresh = func.unnest(
        bindparam("rows", [row._mapping[sealed.row] for row in rows], type_=ARRAY(PgUUID)),
        bindparam("new", [keys.seal(sealed.key, sealed.bound(row), sealed.tombstone()) for row in rows], type_=ARRAY(LargeBinary)),
    ).table_valued("row_id", "fresh").render_derived()
    await conn.execute(
        update(sealed.table).where(sealed.row == fresh.c.row_id).values({sealed.column: fresh.c.fresh})
    )


async def place_hold(
    conn: AsyncConnection, caller: Caller, lead_id: UUID, document_no: str, claim: Claim, now: datetime
) -> Any:
    """Keep the words of a lead's reporters until the hold is lifted. NotFound for a lead out of reach."""
    h = legal_holds
    before = await known(conn, claim, now)
    if before is None:
        lead = (
            await conn.execute(select(leads.c.plan).where(leads.c.id == lead_id, lead_in_reach(caller, "retention.hold")))
        ).one_or_none()
        if lead is None:
            raise NotFound("没有这条线索，或不在您的权限内。 No such lead within your reach.")
        await conn.execute(
            insert(h).values(
                id=claim.object_id, plan=lead.plan, lead_id=lead_id, document_no=document_no,
                placed_by=caller.actor, placed_at=now, version=1,
            )
        )  # fmt: skip
        await audit.record(conn, kit, caller, "retention.hold", "lead", [lead_id], now, document=document_no)
    return (await conn.execute(select(h).where(h.c.id == (before or claim.object_id)))).one()


async def lift_hold(
    conn: AsyncConnection, caller: Caller, hold_id: UUID, version: int, claim: Claim, now: datetime
) -> Any:
    """Lift a hold; from then on the plan's time decides again. NotFound out of reach, Conflict when lifted before."""
    h = legal_holds
    query = select(h).where(
        h.c.id == hold_id, scope(caller, "retention.hold", plan=h.c.plan, agency=lambda _agency: h.c.placed_by == caller.actor)
    )
    row = (await conn.execute(query.with_for_update())).one_or_none()
    if row is None:
        raise NotFound("没有这项留存，或不在您的权限内。 No such hold within your reach.")
    if await known(conn, claim, now) is not None:
        return row
    if row.lifted_at is not None:
        raise Conflict("这项留存已经解除，未作任何改动。 This hold was lifted before; nothing was changed.", code="lifted")
    same_version(row, version)
    await conn.execute(
        update(h).where(h.c.id == hold_id).values(lifted_by=caller.actor, lifted_at=now, version=row.version + 1)
    )
    await audit.record(conn, kit, caller, "retention.lift", "lead", [row.lead_id], now)
    return (await conn.execute(select(h).where(h.c.id == hold_id))).one()
