"""Certifications within a caller's reach; the figures and events behind each item of a checklist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.certificates.checklist import Checklist, check, figure_of, since, sources_of
from services.scoring.domain.certificates.figures import CERTIFIED, POINTS, Tally
from services.scoring.domain.certificates.states import ENDED, WATCHED, CertificationState
from services.scoring.domain.rulebooks import Rulebook, Standard
from services.scoring.domain.rulebooks.parts import Indicator
from services.scoring.tables import (
    certification_draws,
    certification_proofs,
    certification_reasons,
    certification_samples,
    certification_steps,
    certifications,
    evidence_facts,
    ledger,
)
from shared.kit.access import Caller, scope
from shared.rules.plan import Plan

READ = "certificate.read"
c, e = certifications.c, evidence_facts.c


def reach(caller: Caller, right: str = READ) -> ColumnElement[bool]:
    """Certifications within a caller's reach."""
    return scope(caller, right, plan=c.plan, agency=lambda agency: c.agency == agency, area=c.area)


async def one(conn: AsyncConnection, caller: Caller, certification_id: UUID) -> Any | None:
    """A certification the caller may see, or None."""
    return (await conn.execute(select(certifications).where(c.id == certification_id, reach(caller)))).one_or_none()


async def listed(
    conn: AsyncConnection, caller: Caller, *, plan: str | None = None, standard: str | None = None, holder: str | None = None,
    states: Iterable[str] = (), after: tuple[Any, ...] | None = None, limit: int = 50,
) -> Sequence[Any]:  # fmt: skip
    """Up to `limit + 1` certifications, the newest first."""
    wanted = [reach(caller)]
    for column, value in ((c.plan, plan), (c.standard, standard), (c.holder, holder)):
        if value is not None:
            wanted.append(column == value)
    if named := list(states):
        wanted.append(c.state.in_(named))
    if after is not None:
        wanted.append(or_(c.started_at < after[0], and_(c.started_at == after[0], c.id < after[1])))
    found = select(certifications).where(*wanted).order_by(c.started_at.desc(), c.id.desc()).limit(limit + 1)
    return (await conn.execute(found)).all()


async def parts(conn: AsyncConnection, row: Any) -> dict[str, Sequence[Any]]:
    """Steps, proofs, draws, samples and reasons of a certification."""
    found: dict[str, Sequence[Any]] = {}
    for name, table, order in (
        ("steps", certification_steps, (certification_steps.c.position,)),
        ("proofs", certification_proofs, (certification_proofs.c.shown_at,)),
        ("draws", certification_draws, (certification_draws.c.round, certification_draws.c.part)),
        ("samples", certification_samples, (certification_samples.c.part, certification_samples.c.position)),
        ("reasons", certification_reasons, (certification_reasons.c.since, certification_reasons.c.id)),
    ):
        wanted = select(table).where(table.c.certification_id == row.id).order_by(*order)
        found[name] = (await conn.execute(wanted)).all()
    return found


async def steps_of(conn: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, list[Any]]:
    """The programme's steps of several certifications."""
    wanted = list(ids)
    found: dict[UUID, list[Any]] = defaultdict(list)
    if wanted:
        s = certification_steps.c
        for row in await conn.execute(
            select(certification_steps).where(s.certification_id.in_(wanted)).order_by(s.position)
        ):
            found[row.certification_id].append(row)
    return found


def areas_of(plan: Plan, area: str) -> tuple[str, ...]:
    """An area and all that lie in it."""
    return tuple(one.id for one in plan.areas if plan.within(one.id, area))


def concerns(plan: Plan, holder_kind: str, area: str) -> ColumnElement[bool]:
    """Facts of a holder: all of the town's plan, or those in a community's area."""
    return true() if holder_kind == "town" else e.area.in_(areas_of(plan, area))


async def tallies(
    conn: AsyncConnection, plan: Plan, row: Any, standard: Standard, now: datetime, *, until: datetime | None = None
) -> dict[str, Tally]:
    """What the events tell for each indicator: source → told of an object → of how many objects."""
    windows: dict[datetime | None, list[Indicator]] = defaultdict(list)
    for indicator in standard.indicators:
        if figure_of(indicator) is not None:
            windows[since(indicator, now)].append(indicator)
    found: dict[str, Tally] = {}
    for first, indicators in windows.items():
        sources = {figure.source for one in indicators if (figure := figure_of(one)) is not None}
        told = await _told(conn, plan, row, sources, first, until)
        found |= {one.id: told for one in indicators}
    return found


async def _told(
    conn: AsyncConnection, plan: Plan, row: Any, sources: Iterable[str], first: datetime | None, until: datetime | None
) -> Tally:
    wanted = [e.plan == plan.id, e.source.in_(list(sources)), concerns(plan, row.holder_kind, row.area)]
    if first is not None:
        wanted.append(e.at >= first)
    if until is not None:
        wanted.append(e.heard_at <= until)
    whats = func.string_agg(e.what.distinct(), aggregate_order_by(cast(",", Text), e.what)).label("whats")
    by_object = select(e.source, whats).where(*wanted).group_by(e.source, e.object_id).subquery()
    rows = await conn.execute(
        select(by_object.c.source, by_object.c.whats, func.count()).group_by(by_object.c.source, by_object.c.whats)
    )
    found: dict[str, dict[frozenset[str], int]] = {source: {} for source in sources}
    for source, told, number in rows:
        found[source][frozenset(told.split(","))] = number
    return found


async def others(
    conn: AsyncConnection, plan: Plan, rulebook: Rulebook, row: Any, now: datetime
) -> dict[str, Decimal | None]:
    """Figures that no single event tells."""
    found: dict[str, Decimal | None] = {}
    named = {one.needs.figure for std in rulebook.standards for one in std.indicators if one.needs is not None}
    if POINTS in named:
        first, last = rulebook.period_of(now.date())
        subject = [ledger.c.subject_kind == row.holder_kind, ledger.c.subject == row.holder]
        if row.holder_kind == "agency":
            subject = [ledger.c.agency == row.holder]
        points = select(func.sum(ledger.c.points)).where(
            ledger.c.plan == plan.id, *subject, ledger.c.occurred_on.between(first, last)
        )
        found[POINTS] = (await conn.execute(points)).scalar_one()
    if CERTIFIED in named:
        communities = [one.id for one in plan.agencies if one.kind == "community" and one.area]
        held = select(func.count(c.holder.distinct())).where(
            c.plan == plan.id, c.holder_kind == "community", c.holder.in_(communities),
            c.state == CertificationState.GRANTED.value,
        )  # fmt: skip
        began = select(func.count()).where(c.plan == plan.id, c.holder_kind == "community")
        # where no community certificates are kept here, a person shows how many there are
        if (await conn.execute(began)).scalar_one() and communities:
            found[CERTIFIED] = Decimal(100 * (await conn.execute(held)).scalar_one()) / len(communities)
    return found


async def checklist(
    conn: AsyncConnection, plan: Plan, rulebook: Rulebook, standard: Standard, row: Any, now: datetime
) -> Checklist:
    """The checklist of a certification as it stands now."""
    shown = await conn.execute(
        select(certification_proofs.c.indicator).distinct().where(certification_proofs.c.certification_id == row.id)
    )
    return check(
        standard,
        await tallies(conn, plan, row, standard, now),
        set(shown.scalars()),
        await others(conn, plan, rulebook, row, now),
    )


async def behind(
    conn: AsyncConnection, plan: Plan, row: Any, indicator: Indicator, now: datetime, *,
    after: tuple[Any, ...] | None = None, limit: int = 50,
) -> Sequence[Any]:  # fmt: skip
    """Up to `limit + 1` events behind an item, the newest first."""
    first, figure = since(indicator, now), figure_of(indicator)
    wanted = [e.plan == plan.id, e.source.in_(sources_of(indicator)), concerns(plan, row.holder_kind, row.area)]
    if first is not None:
        wanted.append(e.at >= first)
    if figure is not None and figure.shown is not None:
        wanted.append(or_(e.source != figure.source, e.what.in_(figure.shown)))
    if after is not None:
        wanted.append(or_(e.at < after[0], and_(e.at == after[0], e.event_id < after[1])))
    found = select(evidence_facts).where(*wanted).order_by(e.at.desc(), e.event_id.desc()).limit(limit + 1)
    return (await conn.execute(found)).all()


async def watched_in(conn: AsyncConnection, plans: Iterable[str]) -> Sequence[Any]:
    """Certifications that facts still act on, locked."""
    wanted = select(certifications).where(c.plan.in_(list(plans)), c.state.in_([s.value for s in WATCHED]))
    return (await conn.execute(wanted.order_by(c.id).with_for_update())).all()


async def population(conn: AsyncConnection, plan: Plan, row: Any, of: str) -> list[str] | None:
    """The codes of what can be inspected of a kind; None for a kind that scoring does not know."""
    if of in ("community", "estate"):
        return [one.id for one in plan.areas if one.level == of and plan.within(one.id, row.area)]
    known = {
        "rental": ("rentals", "rental"),
        "patrol": ("patrols", None),
        "den": ("dens", "found"),
        "case": ("cases", None),
    }
    if of.rstrip("s") not in known:
        return None
    source, what = known[of.rstrip("s")]
    wanted = [e.plan == plan.id, e.source == source, concerns(plan, row.holder_kind, row.area)]
    if what is not None:
        wanted.append(e.what == what)
    return [str(one) for one in (await conn.execute(select(e.object_id).distinct().where(*wanted))).scalars()]


async def public(conn: AsyncConnection) -> Sequence[Any]:
    """Every certificate that was ever granted, for anyone to read: no persons, no words."""
    return (
        await conn.execute(
            select(certifications)
            .where(c.number.is_not(None))
            .order_by(c.plan, c.granted_at.desc(), c.number)
            .limit(5000)
        )
    ).all()


async def reasons_of(conn: AsyncConnection, ids: Iterable[UUID]) -> Mapping[UUID, list[Any]]:
    """Open reasons of suspension."""
    wanted = list(ids)
    found: dict[UUID, list[Any]] = defaultdict(list)
    r = certification_reasons.c
    if wanted:
        for row in await conn.execute(
            select(certification_reasons).where(r.certification_id.in_(wanted), r.lifted_at.is_(None)).order_by(r.since)
        ):
            found[row.certification_id].append(row)
    return found


OPEN = [state.value for state in CertificationState if state not in ENDED]
"""States in which a round is under way or a certificate stands."""
