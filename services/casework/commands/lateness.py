"""Deadlines that passed without their act are marked missed and told, in batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.records import deadline_changes, deadline_of, published
from services.casework.domain.cases import Clock, decide_miss
from services.casework.tables import cases, deadlines, kit
from shared.events.casework import DeadlineMissed
from shared.kit import audit, outbox
from shared.kit.access import service_caller

# Locked rows are skipped, never waited for: an acceptance that holds the case decides for itself whether it is late.
_DUE = (
    select(deadlines, cases.c.plan, cases.c.area, cases.c.urgent, cases.c.number, cases.c.version.label("case_version"))
    .join(cases, cases.c.id == deadlines.c.case_id)
    .order_by(deadlines.c.due)
    .with_for_update(of=[deadlines, cases], skip_locked=True)
)

_MARK = text(
    """
    UPDATE deadlines AS d SET state = n.state, missed_at = n.missed_at, history = n.history, version = d.version + 1
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (id uuid, state text, missed_at timestamptz, history jsonb)
    WHERE d.id = n.id
    """
)
_BUMP = text(
    """
    UPDATE cases AS c SET version = n.version, missed = c.missed + jsonb_array_length(n.steps), history = c.history || n.steps
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (id uuid, version integer, steps jsonb)
    WHERE c.id = n.id
    """
)


async def mark_missed(conn: AsyncConnection, now: datetime, *, limit: int = 500) -> int:
    """Mark running deadlines of cases whose moment has passed as missed; returns how many, at most `limit`.

    Four statements and one audit entry, whatever their number. Safe to run at the same time elsewhere.
    """
    due = _DUE.where(deadlines.c.state == "running", deadlines.c.due < now, deadlines.c.proceeding_id.is_(None))
    rows = (await conn.execute(due.limit(limit))).all()
    if not rows:
        return 0
    marked: list[dict[str, Any]] = []
    bumped: dict[str, dict[str, Any]] = {}
    events: list[DeadlineMissed] = []
    for row in rows:
        after = decide_miss(deadline_of(row), now)
        changes = deadline_changes(after)
        marked.append({"id": after.id, "state": changes["state"], "missed_at": now, "history": changes["history"]})
        case = bumped.setdefault(str(row.case_id), {"id": str(row.case_id), "version": row.case_version, "steps": []})
        case["version"] += 1
        case["steps"].append(
            {
                "version": case["version"],
                "at": now,
                "step": "deadline.missed",
                "agency": row.agency,
                "unit": row.unit,
                "kind": row.kind,
                "deadline_id": after.id,
            }
        )
        events.append(
            DeadlineMissed(
                case_id=row.case_id,
                plan=row.plan,
                area=row.area,
                urgent=row.urgent,
                number=row.number,
                agency=row.agency,
                unit=row.unit,
                deadline=published(Clock(row.agency, row.unit, after)),
                missed_at=now,
            )
        )
    await conn.execute(_MARK, {"rows": orjson.dumps(marked).decode()})
    await conn.execute(_BUMP, {"rows": orjson.dumps(list(bumped.values())).decode()})
    await outbox.put(conn, kit.outbox, events, now)
    ids = [row.id for row in rows]
    await audit.record(conn, kit, service_caller("casework"), "deadline.miss", "deadline", ids, now, count=len(ids))
    return len(rows)
