"""What facts make of a case: major, so that it is reported upward in hours (D-Q1.8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.domain.proceedings import Side
from services.casework.tables import case_fact_notes, case_facts, case_parties, cases, proceedings
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from shared.rules.plan.major import MAJOR_FACTS

OFFICER = "officer"
"""The bound of a case that its agency holds to be major, whatever the figures."""

_c = case_facts.c

Open = Callable[..., Awaitable[UUID]]
"""`open_by_system`, handed in by those who may import it."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Facts of a case as they became known: counts and yuan by `MAJOR_FACTS`; `declared`: held to be major."""

    facts: Mapping[str, int]
    source: str
    known_at: datetime
    declared: bool = False
    actor: str = "service:casework"
    agency: str | None = None


async def note(
    conn: AsyncConnection, basis: Basis, case: Any, noted: Noted, now: datetime, make: tuple[Open, type]
) -> UUID | None:
    """Keep the highest known of each fact; where that makes the case major, open the report that is due from then on.

    Returns the report opened now, or None. A report found “not major” is opened again by a further bound only.
    """
    given = {name: int(noted.facts[name]) for name in MAJOR_FACTS if noted.facts.get(name)}
    empty = {
        "case_id": case.id, "plan": case.plan, "facts": {}, "because": [], "major": False, "major_since": None,
        "report_id": None, "version": 0,
    }  # fmt: skip
    await conn.execute(insert(case_facts).values(empty).on_conflict_do_nothing())
    row = (await conn.execute(select(case_facts).where(_c.case_id == case.id).with_for_update())).one()
    line = {
        "case_id": case.id, "source": noted.source, "facts": given | ({OFFICER: 1} if noted.declared else {}),
        "known_at": noted.known_at, "at": now, "actor": noted.actor, "agency": noted.agency,
    }  # fmt: skip
    await insert_many(conn, case_fact_notes, [line])
    facts = {
        name: max(row.facts.get(name, 0), given.get(name, 0))
        for name in MAJOR_FACTS
        if name in row.facts or name in given
    }
    held = noted.declared or OFFICER in row.because
    because = [*basis.plan(case.plan).major.reached(facts, local_day(noted.known_at)), *([OFFICER] if held else [])]
    because = [*because, *(one for one in row.because if one not in because)]
    opened: UUID | None = None
    if because and (row.report_id is None or await _dropped(conn, row, because)):
        opened = await _open(conn, basis, case, facts, because, noted.known_at, now, make)
    await conn.execute(
        update(case_facts)
        .where(_c.case_id == case.id)
        .values(
            facts=facts,
            because=because,
            major=bool(because),
            major_since=(row.major_since or noted.known_at) if because else None,
            report_id=opened or row.report_id,
            version=_c.version + 1,
        )
    )
    return opened


async def note_incident(
    conn: AsyncConnection, basis: Basis, row: Mapping[str, Any], case: Any | None, facts: Mapping[str, Any], actor: Any,
    now: datetime, make: tuple[Open, type],
) -> None:  # fmt: skip
    """What an incident (突发事件) of a case tells of the case."""
    if case is None or row["kind"] != "incident":
        return
    told = {name: facts[name] for name in ("deaths", "injured", "minors", "confined") if facts.get(name)}
    if facts.get("influence") in ("media", "serious") or facts.get("source") == "media":
        told["media"] = 1
    if told:
        known_at = datetime.fromisoformat(facts["known_at"])
        await note(conn, basis, case, Noted(told, "incident", known_at, False, actor.id, actor.agency), now, make)


async def _dropped(conn: AsyncConnection, row: Any, because: list[str]) -> bool:
    outcome = await conn.scalar(select(proceedings.c.outcome).where(proceedings.c.id == row.report_id))
    return outcome == "not_major" and bool(set(because) - set(row.because))


async def _open(
    conn: AsyncConnection, basis: Basis, case: Any, facts: Mapping[str, int], because: list[str], known_at: datetime,
    now: datetime, make: tuple[Open, type],
) -> UUID:  # fmt: skip
    open_by_system, wanted = make
    p = case_parties.c
    lead = (
        await conn.execute(
            select(p.agency, p.units).where(p.case_id == case.id, p.role == "lead").order_by(p.agency).limit(1)
        )
    ).one_or_none()
    units = lead.units if lead else []
    owner = Side(lead.agency, units[0] if len(units) == 1 else None) if lead else Side(basis.plan(case.plan).office)
    values = {name: facts[name] for name in ("persons", "deaths", "injured", "confined") if name in facts}
    values |= {"because": because, "known_at": known_at.isoformat()}
    await conn.execute(select(cases.c.id).where(cases.c.id == case.id).with_for_update())
    return await open_by_system(
        conn, basis, wanted("major_report", case.id, values=values), case, owner, new_id(), now, plan=case.plan
    )
