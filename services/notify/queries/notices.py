"""Notices as their addressees see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, literal_column, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.matters import NEEDS, Matter
from services.notify.domain.notices import State, is_late
from services.notify.domain.progress import progress_of
from services.notify.queries.roster import NOBODY, Desk, StandIn
from services.notify.schemas import NoticeOut
from services.notify.settings import Settings
from services.notify.tables import notices
from shared.kit import pagination
from shared.kit.access import Caller, scope
from shared.kit.problem import NotFound

n = notices.c
SETTLED = n.xid < literal_column("(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")
"""Only rows that no running transaction can precede: a reader that goes on from its cursor misses nothing."""

COUNT_UP_TO = 1000

NO_CASE = UUID(int=0)
"""The case of a notice that is about a handover: the field was promised to be an id, and stays one."""


def visible(caller: Caller, right: str, standing_in: StandIn = NOBODY) -> ColumnElement[bool]:
    """The notices within a caller's reach; of a unit's own and of the whole agency where the reach is the unit.

    A notice to a post is for those who hold the post, and for whoever stands in for one of them (`standing_in`); the
    office, which reads every notice of the plan, reads those too. A notice that needs a right is for those who hold it,
    as far as it reaches, and for nobody else: the office does not see that a reporter's contact was asked for.
    """

    def within(held: str) -> ColumnElement[bool]:
        return scope(
            caller,
            held,
            plan=n.plan,
            agency=lambda agency: n.agency == agency,
            unit=lambda agency, unit: (n.agency == agency) & or_(n.unit == unit, n.unit.is_(None)),
            area=n.area,
        )

    reach = caller.reach(right)
    if reach is None:
        return false()
    mine = within(right)
    if caller.kind == "officer" and reach not in ("plan", "all"):
        to_deputy = n.ladder.is_not_distinct_from("deputy")
        mine &= or_(n.post.is_(None), n.post.in_(caller.posts) & ~to_deputy)
        mine = or_(mine, *(_instead(caller, desk, ~to_deputy) for desk in standing_in.away))
        mine = or_(mine, *(_instead(caller, seat, to_deputy) for seat in standing_in.seats))
    held = [held for held in NEEDS if caller.reach(held) is not None]
    return or_(n.needs.is_(None) & mine, *((n.needs == one) & within(one) for one in held))


def _instead(caller: Caller, desk: Desk, which: ColumnElement[bool]) -> ColumnElement[bool]:
    """What whoever sits at a desk would read."""
    there = (n.plan == caller.plan) & (n.agency == desk.agency) & which & or_(n.post.is_(None), n.post.in_(desk.posts))
    return there & or_(n.unit == desk.unit, n.unit.is_(None)) if desk.unit else there


async def newest_first(
    conn: AsyncConnection, caller: Caller, state: str | None, cursor: str | None, limit: int,
    standing_in: StandIn = NOBODY,
) -> tuple[list[Any], str | None]:
    """A page of what the caller may see, the newest first."""
    shown = select(notices).where(visible(caller, "notice.read", standing_in)).order_by(n.xid.desc(), n.seq.desc()).limit(limit + 1)
    if state:
        shown = shown.where(n.state == state)
    after = pagination.decode(cursor, [int, int])
    if after:
        shown = shown.where(tuple_(n.xid, n.seq) < tuple_(*after))
    rows, following = pagination.page((await conn.execute(shown)).all(), limit, lambda row: [row.xid, row.seq])
    return list(rows), following


async def feed(
    conn: AsyncConnection, caller: Caller, cursor: str | None, limit: int, standing_in: StandIn = NOBODY
) -> tuple[list[Any], str | None]:
    """What came after a cursor, in order of creation, and the cursor to go on from (the given one when none came)."""
    shown = select(notices).where(visible(caller, "notice.read", standing_in), SETTLED).order_by(n.xid, n.seq).limit(limit)
    after = pagination.decode(cursor, [int, int])
    if after:
        shown = shown.where(tuple_(n.xid, n.seq) > tuple_(*after))
    rows = list((await conn.execute(shown)).all())
    return rows, pagination.encode([rows[-1].xid, rows[-1].seq]) if rows else cursor


async def waiting(
    conn: AsyncConnection, caller: Caller, cursor: str | None, limit: int, standing_in: StandIn = NOBODY
) -> tuple[list[Any], str | None]:
    """What waits for the caller's signature, the most overdue first, what has no deadline last."""
    mine = [visible(caller, "notice.sign", standing_in), n.state == State.WAITING.value]
    after = pagination.decode(cursor, [lambda v: datetime.fromisoformat(v) if v else None, UUID])
    dated = select(notices).where(*mine, n.due.is_not(None)).order_by(n.due, n.id).limit(limit + 1)
    undated = select(notices).where(*mine, n.due.is_(None)).order_by(n.id).limit(limit + 1)
    rows: list[Any] = []
    if after is None or after[0] is not None:
        if after:
            dated = dated.where(tuple_(n.due, n.id) > tuple_(*after))
        rows = list((await conn.execute(dated)).all())
    if len(rows) <= limit:
        if after is not None and after[0] is None:
            undated = undated.where(n.id > after[1])
        rows += (await conn.execute(undated.limit(limit + 1 - len(rows)))).all()
    shown, following = pagination.page(rows, limit, lambda row: [row.due.isoformat() if row.due else None, str(row.id)])
    return list(shown), following


async def signable(
    conn: AsyncConnection, caller: Caller, ids: Sequence[UUID], standing_in: StandIn = NOBODY
) -> set[UUID]:
    """Those of some notices that the caller may sign for."""
    if not ids:
        return set()
    mine = select(n.id).where(n.id == func.any(list(ids)), visible(caller, "notice.sign", standing_in))
    return set((await conn.execute(mine)).scalars())


@dataclass(frozen=True, slots=True)
class Counts:
    """How much waits for the caller, counted up to 1,000."""

    waiting: int
    late: int


async def counts(conn: AsyncConnection, caller: Caller, now: datetime, standing_in: StandIn = NOBODY) -> Counts:
    """The numbers at the head of the inbox."""
    mine = [visible(caller, "notice.sign", standing_in), n.state == State.WAITING.value]
    some = select(literal_column("1")).where(*mine).limit(COUNT_UP_TO).subquery()
    late = select(literal_column("1")).where(*mine, n.due < now).limit(COUNT_UP_TO).subquery()
    return Counts(
        (await conn.execute(select(func.count()).select_from(some))).scalar_one(),
        (await conn.execute(select(func.count()).select_from(late))).scalar_one(),
    )


async def one(conn: AsyncConnection, caller: Caller, notice_id: UUID, standing_in: StandIn = NOBODY) -> Any:
    """A notice the caller may see; NotFound otherwise."""
    shown = select(notices).where(n.id == notice_id, visible(caller, "notice.read", standing_in))
    row = (await conn.execute(shown)).one_or_none()
    if row is None:
        raise NotFound("没有这份通知，或不归您查看。 No such notice, or not yours to see.")
    return row


def case_address(settings: Settings, case_id: UUID) -> str:
    """Where the case of a notice is opened."""
    return f"{settings.base_url('casework')}/cases/{case_id}"


def handover_address(settings: Settings, handover_id: UUID) -> str:
    """Where the handover of a notice is opened."""
    return f"{settings.base_url('intake')}/handovers/{handover_id}"


def page_of(row: Any) -> str | None:
    """The path of a matter's page at intake, beside its JSON; None for a notice of a case or a handover."""
    if row.matter is None:
        return None
    if row.matter == Matter.TARGET:
        return "/webhooks/" + row.dataref.rpartition("/")[2]
    if row.matter == Matter.PATROL:
        return "/patrol/overdue"
    base, found, path = row.dataref.partition("/v1/")
    return f"/{path}" if found else "/funds/" + base.partition("/funds/")[2]


def notice_out(settings: Settings, row: Any, now: datetime) -> NoticeOut:
    """A notice for an agency's system."""
    fields = {name: getattr(row, name) for name in NoticeOut.model_fields if hasattr(row, name)}
    fields["case_id"] = row.case_id or NO_CASE
    return NoticeOut(
        **fields,
        progress=progress_of(row.state, row.transit).value,
        late=is_late(row._mapping, now),
        href=f"{settings.base_url('notify')}/v1/notices/{row.id}",
        case_href=case_address(settings, row.case_id) if row.case_id else "",
        matter_href=row.dataref,
        handover_href=handover_address(settings, row.handover_id) if row.handover_id else None,
    )
