"""Leads between their rows, their index and what joining needs of them."""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.aims import Aim, searchable
from services.intake.domain.joining import Known
from services.intake.tables import lead_targets, target_names
from shared.events.leads import LeadMerged
from shared.kit.db import insert_many, put_many
from shared.kit.service import Service

_SAVED = (
    "area", "kinds", "urgent", "received_at", "tips", "first_tip", "last_at", "urgent_at", "targets", "merged_into",
    "gathering_at",
)  # fmt: skip
_SAVE = text(
    f"""
    UPDATE leads SET {", ".join(f"{c} = n.{c}::jsonb" if c in ("kinds", "targets") else f"{c} = n.{c}" for c in _SAVED)},
        version = leads.version + 1
    FROM unnest(
        CAST(:id AS uuid[]), CAST(:area AS text[]), CAST(:kinds AS text[]), CAST(:urgent AS boolean[]),
        CAST(:received_at AS timestamptz[]), CAST(:tips AS integer[]), CAST(:first_tip AS uuid[]),
        CAST(:last_at AS timestamptz[]), CAST(:urgent_at AS timestamptz[]), CAST(:targets AS text[]),
        CAST(:merged_into AS uuid[]), CAST(:gathering_at AS timestamptz[])
    ) AS n (id, {", ".join(_SAVED)})
    WHERE leads.id = n.id
    """
)


COLUMNS = (
    "id", "plan", "area", "kinds", "urgent", "agency", "unit", "rule", "received_at", "tips", "first_tip", "last_at",
    "urgent_at", "targets", "closed_at", "merged_into", "gathering_at",
)  # fmt: skip
"""What `known` reads."""


def known(row: Any) -> Known:
    """A row of `leads` as joining needs it."""
    return Known(
        id=row.id,
        plan=row.plan,
        area=row.area,
        kinds=tuple(row.kinds),
        urgent=row.urgent,
        agency=row.agency,
        unit=row.unit,
        rule=row.rule,
        received_at=row.received_at,
        tips=row.tips,
        first_tip=row.first_tip,
        last_at=row.last_at or row.received_at,
        urgent_at=row.urgent_at,
        targets=tuple(row.targets),
        closed_at=row.closed_at,
        merged_into=row.merged_into,
        gathering_at=row.gathering_at,
    )


def lead_row(lead: Known) -> dict[str, Any]:
    """A new lead as a row of `leads`."""
    return {
        "id": lead.id,
        "plan": lead.plan,
        "area": lead.area,
        "kinds": lead.kinds,
        "urgent": lead.urgent,
        "agency": lead.agency,
        "unit": lead.unit,
        "rule": lead.rule,
        "received_at": lead.received_at,
        "tips": lead.tips,
        "version": 1,
        "first_tip": lead.first_tip,
        "last_at": lead.last_at,
        "urgent_at": lead.urgent_at,
        "merged_into": lead.merged_into,
        "gathering_at": lead.gathering_at,
        "targets": lead.targets,
    }


async def save_leads(conn: AsyncConnection, changed: Sequence[Known]) -> None:
    """Write locked leads back, all in one statement; each one's version rises by one."""
    if not changed:
        return
    values: dict[str, list[Any]] = {"id": [lead.id for lead in changed]}
    for column in _SAVED:
        given = [getattr(lead, column) for lead in changed]
        values[column] = [orjson.dumps(one).decode() for one in given] if column in ("kinds", "targets") else given
    await conn.execute(_SAVE, values)


async def index_targets(
    conn: AsyncConnection, entries: Iterable[tuple[UUID, str, Aim, datetime]], fresh: Set[UUID] = frozenset()
) -> None:
    """Make leads findable by the aims of their tips (lead, plan, aim, when it was said), and by name.

    Leads in `fresh` stand under no key yet, so theirs can be written the cheaper way.
    """
    rows: dict[tuple[UUID, str], dict[str, Any]] = {}
    names: dict[tuple[str, str, str], None] = {}
    for lead_id, plan, aim, moment in entries:
        for key in aim.keys:
            row = rows.get((lead_id, key))
            if row is None:
                rows[lead_id, key] = {"lead_id": lead_id, "key": key, "plan": plan, "tips": 1, "seen_at": moment}
            else:
                row["tips"] += 1
                row["seen_at"] = max(row["seen_at"], moment)
        for key, name in searchable(aim.targets):
            names[plan, key, name] = None
    await put_many(conn, lead_targets, [row for (lead_id, _), row in rows.items() if lead_id in fresh])
    await insert_many(
        conn,
        lead_targets,
        [rows[where] for where in sorted(rows) if where[0] not in fresh],
        conflict="ON CONFLICT (lead_id, key) DO UPDATE SET tips = lead_targets.tips + excluded.tips, "
        "seen_at = greatest(lead_targets.seen_at, excluded.seen_at)",
    )
    await insert_many(
        conn,
        target_names,
        [{"plan": plan, "key": key, "name": name} for plan, key, name in sorted(names)],
        conflict="ON CONFLICT DO NOTHING",
    )


def merged(
    service: Service, join_id: UUID, into: Known, other: UUID, now: datetime, *, automatic: bool
) -> LeadMerged:
    """The event of one lead joining another."""
    return LeadMerged(
        **about(service, into),
        join_id=join_id,
        merged_lead_id=other,
        automatic=automatic,
        urgent=into.urgent,
        tips=into.tips,
        first_received_at=into.received_at,
        merged_at=now,
    )


def about(service: Service, lead: Known) -> dict[str, Any]:
    """What every event about a lead carries."""
    return {
        "lead_id": lead.id,
        "plan": lead.plan,
        "area": lead.area,
        "agency": lead.agency,
        "unit": lead.unit,
        "dataref": f"{service.settings.base_url('intake')}/v1/leads/{lead.id}",
    }
