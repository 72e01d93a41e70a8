"""What casework tells of leads' cases, kept on the lead: number, parties, who accepted when, and what is late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables.handovers import lead_parties
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed, DeadlineMoved, PartyJoined, PartyLeft
from shared.kit.db import insert_many

_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_FILL = """
ON CONFLICT (case_id, agency) DO UPDATE SET lead_id = excluded.lead_id, role = coalesce(lead_parties.role, excluded.role),
    unit = coalesce(lead_parties.unit, excluded.unit), due = coalesce(lead_parties.due, excluded.due)
"""
"""An opening only fills what is missing: an acceptance may have come before it, over another topic."""

_NEWER = """
ON CONFLICT (case_id, agency) DO UPDATE SET {sets}, seen_at = excluded.seen_at
    WHERE lead_parties.seen_at <= excluded.seen_at
"""
_ACCEPTED = _NEWER.format(
    sets="state = 'accepted', accepted_at = excluded.accepted_at, in_time = excluded.in_time, "
    "unit = coalesce(lead_parties.unit, excluded.unit), due = coalesce(lead_parties.due, excluded.due)"
)
_JOINED = _NEWER.format(
    sets="lead_id = excluded.lead_id, state = excluded.state, role = excluded.role, unit = excluded.unit, "
    "due = excluded.due, accepted_at = NULL, in_time = NULL, late_at = NULL, ended_at = NULL"
)
_LEFT = _NEWER.format(
    sets="lead_id = excluded.lead_id, state = excluded.state, unit = excluded.unit, ended_at = excluded.ended_at"
)
# A lateness belongs to a clock and not to the party's state: it is noted whenever it comes.
_MISSED = """
ON CONFLICT (case_id, agency) DO UPDATE SET late_at = excluded.late_at,
    due = coalesce(lead_parties.due, excluded.due)
"""
_MOVED = text(
    """
    UPDATE lead_parties AS l SET due = n.due
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (case_id uuid, agency text, due timestamptz)
    WHERE l.case_id = n.case_id AND l.agency = n.agency AND l.state = 'pending'
    """
)


def _row(event: Any, agency: str, unit: str | None, state: str, seen_at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "case_id": event.case_id,
        "agency": agency,
        "lead_id": None,
        "number": event.number,
        "plan": event.plan,
        "area": event.area,
        "urgent": event.urgent,
        "unit": unit,
        "role": None,
        "state": state,
        "due": None,
        "accepted_at": None,
        "in_time": None,
        "late_at": None,
        "ended_at": None,
        "seen_at": seen_at,
    } | more


async def cases_opened(conn: AsyncConnection, events: Sequence[Event[CaseOpened]], now: datetime) -> None:
    """Note the case of each lead and its parties; one statement for a batch of any size."""
    rows: dict[tuple[Any, str], dict[str, Any]] = {}
    for event in events:
        data = event.data
        due = {clock.agency: clock.due for clock in data.deadlines}
        for party in data.parties:
            # an agency named by several of its units is one party, with its first
            rows.setdefault(
                (data.case_id, party.agency),
                _row(
                    data, party.agency, party.unit, "pending" if party.agency in due else "following", _LONG_AGO,
                    lead_id=data.lead_id, role=party.role, due=due.get(party.agency),
                ),
            )  # fmt: skip
    await insert_many(conn, lead_parties, list(rows.values()), conflict=_FILL)


async def cases_accepted(conn: AsyncConnection, events: Sequence[Event[CaseAccepted]], now: datetime) -> None:
    """Note who accepted, when and whether in time."""
    await _last(
        conn,
        [
            _row(
                e.data, e.data.agency, e.data.unit, "accepted", e.data.accepted_at, due=e.data.deadline.due,
                accepted_at=e.data.accepted_at, in_time=e.data.in_time,
            )
            for e in events
        ],
        _ACCEPTED,
    )  # fmt: skip


async def deadlines_missed(conn: AsyncConnection, events: Sequence[Event[DeadlineMissed]], now: datetime) -> None:
    """Note what is late: the owner of the clock says so, nobody else (design: time, law and rules)."""
    rows = [
        _row(
            e.data, e.data.agency, e.data.unit, "pending", _LONG_AGO, due=e.data.deadline.due, late_at=e.data.missed_at
        )
        for e in events
        if e.data.deadline.kind == "acceptance"
    ]
    await _last(conn, rows, _MISSED)


async def parties_joined(conn: AsyncConnection, events: Sequence[Event[PartyJoined]], now: datetime) -> None:
    """A party that came by a handover, a decision, or because a lead was taken up again."""
    await _last(
        conn,
        [
            _row(
                e.data, e.data.agency, e.data.unit, "pending", e.data.joined_at, lead_id=e.data.lead_id,
                role=e.data.role, due=e.data.deadline.due,
            )
            for e in events
            if e.data.deadline is not None
        ],
        _JOINED,
    )  # fmt: skip


async def parties_left(conn: AsyncConnection, events: Sequence[Event[PartyLeft]], now: datetime) -> None:
    """A party whose obligation ended: handed over, or declined."""
    await _last(
        conn,
        [
            _row(
                e.data, e.data.agency, e.data.unit, e.data.cause, e.data.left_at, lead_id=e.data.lead_id,
                ended_at=e.data.left_at,
            )
            for e in events
        ],
        _LEFT,
    )  # fmt: skip


async def deadlines_moved(conn: AsyncConnection, events: Sequence[Event[DeadlineMoved]], now: datetime) -> None:
    """A clock that stood still runs to a later moment; while it stands still, none is due."""
    rows = [
        {
            "case_id": str(e.data.case_id),
            "agency": e.data.agency,
            "due": e.data.deadline.due.isoformat() if e.data.change == "resumed" else None,
        }
        for e in events
    ]
    # one after the other: the same clock may stop and run again within a batch
    for row in rows:
        await conn.execute(_MOVED, {"rows": orjson.dumps([row]).decode()})


async def _last(conn: AsyncConnection, rows: Sequence[dict[str, Any]], conflict: str) -> None:
    """Write the last row of each party: one statement cannot change a row twice."""
    last = {(row["case_id"], row["agency"]): row for row in rows}
    await insert_many(conn, lead_parties, list(last.values()), conflict=conflict)
