"""Leads in lists, by search, and one in full: its tips, targets, history, what is suggested, where signals gather."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.aims import aim_from
from services.intake.queries.tips import seen_lead, seen_tip, visible_leads, visible_tips
from services.intake.tables import gatherings, lead_joins, lead_suggestions, leads, tip_corrections, tips
from services.intake.tables.handovers import lead_parties
from shared.kit.access import Caller, scope
from shared.kit.problem import Invalid

MOST_TIPS = 200
"""Tips of a lead shown at once, the earliest first."""
# made once: an alias copies every column
_NEWER, _OLDER, _OTHER = (leads.alias(name) for name in ("newer", "older", "other"))


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of leads is narrowed to; None leaves a side open."""

    agency: str | None = None
    area: str | None = None
    kind: str | None = None
    urgent: bool | None = None
    several: bool | None = None
    gathering: bool | None = None


_FOUND = text(
    """
    SELECT DISTINCT t.lead_id FROM (
        SELECT DISTINCT plan, key FROM target_names
        WHERE bigrams @> bigrams_of(:words) AND lower(name) LIKE :pattern AND (CAST(:plan AS text) IS NULL OR plan = :plan)
        LIMIT 60
    ) n CROSS JOIN LATERAL (
        SELECT lead_id FROM lead_targets WHERE plan = n.plan AND key = n.key ORDER BY seen_at DESC LIMIT 200
    ) t
    """
)


async def list_leads(
    conn: AsyncConnection,
    caller: Caller,
    filters: Filters,
    *,
    words: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Sequence[Row[Any]]:
    """Leads within reach, newest first, one more than `limit` when there is a next page; merged ones stand in theirs.

    `words` finds names of places, organisations and apps that hold them, from two characters on.
    """
    c = leads.c
    query = select(leads).where(visible_leads(caller), c.merged_into.is_(None))
    for column, value in ((c.agency, filters.agency), (c.area, filters.area), (c.urgent, filters.urgent)):
        if value is not None:
            query = query.where(column if value is True else column.is_(False) if value is False else column == value)
    if filters.kind is not None:
        query = query.where(c.kinds.contains([filters.kind]))
    if filters.several:
        query = query.where(c.tips > 1)
    if filters.gathering:
        query = query.where(c.gathering_at.is_not(None))
    if words:
        plan = None if caller.reach("lead.read") == "all" else caller.plan
        given = {"words": words.lower(), "pattern": f"%{like(words.lower())}%", "plan": plan}
        ids = [row.lead_id for row in await conn.execute(_FOUND, given)]
        query = query.where(c.id == func.any(ids))
    if after:
        query = query.where(tuple_(c.received_at, c.id) < tuple_(*after))
    query = query.order_by(c.received_at.desc(), c.id.desc()).limit(limit + 1)
    return (await conn.execute(query)).all()


def search_words(q: str | None) -> str | None:
    """What is searched for; Invalid for less than two characters."""
    words = (q or "").strip()
    if not words:
        return None
    if len(words) < 2:
        raise Invalid(
            "请至少输入两个字。 Give at least two characters.",
            code="search-too-short",
            errors=[{"field": "q", "code": "too_short", "message": "at least two characters"}],
        )
    return words


def like(words: str) -> str:
    """Words as part of a LIKE pattern."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


@dataclass(frozen=True, slots=True)
class LeadFull:
    """One lead with all that is known of it; `shown_tips` are those whose words the caller may open."""

    lead: Any
    tips: Sequence[Any]
    shown_tips: frozenset[UUID]
    joins: Sequence[Any]
    suggestions: Sequence[Any]
    gatherings: Sequence[Any]
    parties: Sequence[Any]
    merged: Sequence[Any]
    mine: bool


async def lead_full(conn: AsyncConnection, caller: Caller, lead_id: UUID) -> LeadFull | None:
    """One lead within the caller's reach; a fixed number of statements however much is known of it."""
    mine = visible_leads(caller, "lead.join")
    row = (
        await conn.execute(select(leads, mine.label("mine")).where(leads.c.id == lead_id, seen_lead(caller)))
    ).one_or_none()
    if row is None:
        return None
    seen = seen_tip(caller).label("seen")
    told = select(tips, seen).where(tips.c.lead_id == lead_id).order_by(tips.c.received_at, tips.c.id).limit(MOST_TIPS)
    its_tips = (await conn.execute(told)).all()
    j, s, g = lead_joins.c, lead_suggestions.c, gatherings.c
    joins = await conn.execute(
        select(lead_joins).where(or_(j.lead_id == lead_id, j.other_id == lead_id)).order_by(j.at, j.id).limit(MOST_TIPS)
    )
    other = _OTHER.c
    suggestions = await conn.execute(
        select(
            lead_suggestions, other.area, other.kinds, other.tips.label("tips"), other.received_at,
            other.urgent, other.id.label("about"), other.targets, other.merged_into, other.closed_at,
        )
        .join(_OTHER, or_(and_(s.lead_id == lead_id, other.id == s.other_id), and_(s.other_id == lead_id, other.id == s.lead_id)))
        .where(or_(s.lead_id == lead_id, s.other_id == lead_id), s.score > 0)
        .order_by(s.score.desc(), s.made_at)
        .limit(50)
    )  # fmt: skip
    keys = [f"{level}:{name}" for level, _, name in aim_from(tuple(row.targets)).crowds]
    around = await conn.execute(
        select(gatherings).where(g.plan == row.plan, g.key == func.any(keys)).order_by(g.found_at.desc()).limit(20)
    )
    merged = await conn.execute(select(leads.c.id, leads.c.received_at).where(leads.c.merged_into == lead_id))
    gone = merged.all()
    parties = await conn.execute(
        select(lead_parties)
        .where(lead_parties.c.lead_id == func.any([lead_id, *(one.id for one in gone)]))
        .order_by(lead_parties.c.lead_id, lead_parties.c.role.desc(), lead_parties.c.agency)
    )
    return LeadFull(
        lead=row,
        tips=its_tips,
        shown_tips=frozenset(one.id for one in its_tips if one.seen),
        joins=joins.all(),
        suggestions=suggestions.all(),
        gatherings=around.all(),
        parties=parties.all(),
        merged=gone,
        mine=bool(row.mine),
    )


async def unreviewed(
    conn: AsyncConnection, caller: Caller, *, after: tuple[datetime, UUID] | None = None, limit: int = 30
) -> Sequence[Row[Any]]:
    """Tips whose reading waits for an officer's word, the oldest first, since theirs is due first."""
    c = tips.c
    query = select(tips).where(visible_tips(caller, "tip.triage"), c.reviewed_at.is_(None), c.state == "lead")
    if after:
        query = query.where(tuple_(c.received_at, c.id) > tuple_(*after))
    return (await conn.execute(query.order_by(c.received_at, c.id).limit(limit + 1))).all()


async def unreviewed_urgent(conn: AsyncConnection, caller: Caller, limit: int = 10) -> Sequence[Row[Any]]:
    """Urgent tips whose reading waits, the newest first."""
    c = tips.c
    query = select(tips).where(
        visible_tips(caller, "tip.triage"), c.reviewed_at.is_(None), c.state == "lead", c.urgent
    )
    return (await conn.execute(query.order_by(c.received_at.desc(), c.id.desc()).limit(limit))).all()


async def open_suggestions(conn: AsyncConnection, caller: Caller, limit: int = 30) -> Sequence[Row[Any]]:
    """Suggestions that two leads are one which the caller may decide, the oldest first, with both leads."""
    newer, older, s = _NEWER, _OLDER, lead_suggestions.c
    query = (
        select(
            lead_suggestions,
            newer.c.area.label("area"), newer.c.kinds.label("kinds"), newer.c.received_at.label("received_at"),
            newer.c.urgent.label("urgent"), newer.c.tips.label("tips"), newer.c.targets.label("targets"),
            older.c.area.label("other_area"), older.c.kinds.label("other_kinds"),
            older.c.received_at.label("other_received_at"), older.c.urgent.label("other_urgent"),
            older.c.tips.label("other_tips"), older.c.targets.label("other_targets"),
        )
        .join(newer, newer.c.id == s.lead_id)
        .join(older, older.c.id == s.other_id)
        .where(s.state == "open", newer.c.merged_into.is_(None), older.c.merged_into.is_(None))
        .where(*(_reach(caller, side) for side in (newer, older)))
    )  # fmt: skip
    if caller.reach("lead.join") != "all":
        query = query.where(s.plan == caller.plan)
    return (await conn.execute(query.order_by(s.made_at, s.id).limit(limit))).all()


def _reach(caller: Caller, side: Any) -> Any:
    return scope(
        caller,
        "lead.join",
        plan=side.c.plan,
        agency=lambda agency: side.c.agency == agency,
        unit=lambda agency, unit: (side.c.agency == agency) & (side.c.unit == unit),
        area=side.c.area,
    )


async def suggestion(conn: AsyncConnection, caller: Caller, suggestion_id: UUID) -> Row[Any] | None:
    """One suggestion of which the caller sees the newer lead."""
    s = lead_suggestions.c
    query = select(lead_suggestions).join(leads, leads.c.id == s.lead_id).where(s.id == suggestion_id, visible_leads(caller))
    return (await conn.execute(query)).one_or_none()


async def corrections_of(conn: AsyncConnection, tip_id: UUID) -> Sequence[Row[Any]]:
    """What officers said of a tip's reading, in order."""
    c = tip_corrections.c
    return (await conn.execute(select(tip_corrections).where(c.tip_id == tip_id).order_by(c.at, c.id))).all()


async def examples(
    conn: AsyncConnection, caller: Caller, *, agreed: bool | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """Confirmed and corrected readings of tips that the caller may review, oldest first: labels, never words."""
    c = tip_corrections.c
    query = select(tip_corrections, tips.c.channel).join(tips, tips.c.id == c.tip_id).where(visible_tips(caller, "tip.triage"))
    if agreed is not None:
        query = query.where(c.agreed.is_(agreed))
    if after:
        query = query.where(tuple_(c.at, c.id) > tuple_(*after))
    return (await conn.execute(query.order_by(c.at, c.id).limit(limit + 1))).all()


async def waiting_counts(conn: AsyncConnection, caller: Caller, *, most: int = 300) -> tuple[int, int]:
    """How many readings and how many suggestions wait for the caller; counted up to `most`."""
    readings = await unreviewed(conn, caller, limit=most)
    return min(len(readings), most), len(await open_suggestions(conn, caller, limit=most))
