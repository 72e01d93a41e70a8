"""Leads become joint cases: a batch of any size in a fixed number of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.parties import apply_early, opening_cases
from services.casework.commands.records import deadline_row, published
from services.casework.domain.cases import Clock, open_parts
from services.casework.domain.numbering import Series, number, series_of, style
from services.casework.domain.parties import Party
from services.casework.domain.states import CaseState
from services.casework.tables import case_parties, cases, deadlines, kit, number_register
from shared.events.casework import CaseOpened
from shared.events.common import PartyFact
from shared.events.intake import LeadOpened
from shared.kit import audit, outbox
from shared.kit.access import service_caller
from shared.kit.db import copy_many, fetch, insert_many
from shared.kit.ids import new_id
from shared.rules.calendar import local_day

Lead = tuple[LeadOpened, str | None]
"""A lead and the traceparent of its event."""

_KNOWN = "SELECT lead_id FROM cases WHERE lead_id = ANY(CAST($1 AS uuid[]))"


async def open_cases(conn: AsyncConnection, basis: Basis, leads: Sequence[Lead], now: datetime) -> list[UUID]:
    """Open a joint case for each lead that has none yet (D-N3); returns the ids of the new cases.

    One case a lead, with the parties that the routing names and police and commerce in any case, and an acceptance
    clock for each party that must accept, started when the tip came in. A lead seen before is skipped. Raises
    `UnknownPlan`, `UnknownParty`, `UnknownRule` or `DeadlineRefused` for a lead that cannot become a case; nothing of
    the batch is written then.
    """
    wanted: dict[UUID, Lead] = {}
    for lead in leads:
        wanted.setdefault(lead[0].lead_id, lead)
    await opening_cases(conn)
    for row in await fetch(conn, _KNOWN, list(wanted)):
        del wanted[row.lead_id]
    if not wanted:
        return []
    made = [_make(basis, lead) for lead in wanted.values()]
    numbers = await _numbers(conn, basis, [lead for lead, _ in wanted.values()], local_day(now).year)
    kept = await insert_many(
        conn,
        cases,
        [
            {
                "id": case_id,
                "number": given,
                "plan": lead.plan,
                "area": lead.area,
                "lead_id": lead.lead_id,
                "kinds": lead.kinds,
                "urgent": lead.urgent,
                "state": CaseState.OPENED,
                "received_at": lead.received_at,
                "opened_at": now,
                "version": 1,
                "history": [],
            }
            for (case_id, lead, _, _, _), given in zip(made, numbers, strict=True)
        ],
        # two consumers may meet the same lead; the first one's case stands
        conflict="ON CONFLICT (lead_id) DO NOTHING",
        returning="id",
    )
    if len(kept) != len(made):
        ids = {row.id for row in kept}
        pairs = [pair for pair in zip(made, numbers, strict=True) if pair[0][0] in ids]
        made, numbers = [m for m, _ in pairs], [n for _, n in pairs]
        if not made:
            return []
    await copy_many(conn, case_parties, [_party_row(one[0], party) for one in made for party in one[3]])
    await copy_many(conn, deadlines, [deadline_row(one[0], clock) for one in made for clock in one[4]])
    await outbox.put(
        conn,
        kit.outbox,
        [_opened(basis, one, given, now) for one, given in zip(made, numbers, strict=True)],
        now,
        traceparents=[one[2] for one in made],
    )
    ids = [one[0] for one in made]
    await audit.record(conn, kit, service_caller("casework"), "case.open", "case", ids, now, count=len(ids))
    await apply_early(conn, basis, [one[1].lead_id for one in made], now)
    return ids


_Made = tuple[UUID, LeadOpened, str | None, tuple[Party, ...], tuple[Clock, ...]]


def _make(basis: Basis, lead: Lead) -> _Made:
    data, traceparent = lead
    parties, clocks = open_parts(
        basis.plan(data.plan),
        basis.law,
        basis.calendar,
        involved=tuple((party.agency, party.unit, party.role) for party in data.parties),
        urgent=data.urgent,
        received_at=data.received_at,
        new_id=new_id,
    )
    return new_id(), data, traceparent, parties, clocks


async def _numbers(conn: AsyncConnection, basis: Basis, leads: Sequence[LeadOpened], year: int) -> list[str]:
    """Reserve a range for each plan and series of the batch in one statement, and hand the numbers out in order."""
    keys: list[tuple[str, Series]] = [(lead.plan, series_of(lead.urgent)) for lead in leads]
    counts = Counter(keys)
    rows = await insert_many(
        conn,
        number_register,
        # in one order, so that two batches cannot wait for each other
        [{"plan": p, "series": s, "year": year, "last": n} for (p, s), n in sorted(counts.items())],
        conflict="ON CONFLICT (plan, series, year) DO UPDATE SET last = number_register.last + excluded.last",
        returning="plan, series, last",
    )
    upcoming = {(row.plan, row.series): row.last - counts[row.plan, row.series] + 1 for row in rows}
    styles = {key: style(basis.plan(key[0]), key[1], year) for key in counts}
    numbers = []
    for key in keys:
        numbers.append(number(styles[key], upcoming[key]))
        upcoming[key] += 1
    return numbers


def _party_row(case_id: UUID, party: Party) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "agency": party.agency,
        "unit": party.unit,
        "units": party.units,
        "role": party.role,
        "state": party.state,
        "accepted_at": None,
        "accepted_by": None,
    }


def _opened(basis: Basis, made: _Made, given: str, now: datetime) -> CaseOpened:
    case_id, lead, _, parties, clocks = made
    return CaseOpened(
        case_id=case_id,
        plan=lead.plan,
        area=lead.area,
        urgent=lead.urgent,
        number=given,
        lead_id=lead.lead_id,
        kinds=lead.kinds,
        parties=_party_facts(lead, parties),
        deadlines=tuple(published(clock) for clock in clocks),
        received_at=lead.received_at,
        opened_at=now,
        dataref=basis.dataref(case_id),
    )


def _party_facts(lead: LeadOpened, parties: Sequence[Party]) -> tuple[PartyFact, ...]:
    """Every unit that the routing named, since each is told; and the agencies that are always parties."""
    named = {fact.agency for fact in lead.parties}
    added = [p for p in parties if p.agency not in named]
    return (*lead.parties, *(PartyFact(agency=p.agency, unit=p.unit, role=p.role) for p in added))
