"""What is known of a case that may make it major, beside the plan's bounds."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.queries.visibility import within_reach
from services.casework.tables import case_fact_notes, case_facts, cases, proceedings
from shared.kit.access import Caller
from shared.rules.plan import Plan


async def major_of(conn: AsyncConnection, caller: Caller, case_id: UUID, plan: Plan, day: date) -> dict[str, Any] | None:
    """The facts, bounds, notes and the report of one case within reach, as `MajorOut`; None beyond it."""
    seen = select(cases.c.id).where(cases.c.id == case_id, within_reach(caller, "proceeding.read"))
    if (await conn.execute(seen)).one_or_none() is None:
        return None
    p = proceedings.c
    found = select(case_facts, p.state, p.missed).outerjoin(proceedings, p.id == case_facts.c.report_id)
    row = (await conn.execute(found.where(case_facts.c.case_id == case_id))).one_or_none()
    facts = row.facts if row else {}
    n = case_fact_notes.c
    notes = select(n.source, n.facts, n.known_at, n.at, n.agency).where(n.case_id == case_id).order_by(n.seq.desc())
    return {
        "case_id": case_id,
        "major": bool(row and row.major),
        "because": list(row.because) if row else [],
        "major_since": row.major_since if row else None,
        "report_id": row.report_id if row else None,
        "report_state": row.state if row else None,
        "report_late": bool(row and row.missed),
        "rule": "plan.major_report",
        "bounds": [
            {
                "fact": one.fact,
                "at_least": one.at_least,
                "known": facts.get(one.fact, 0),
                "reached": facts.get(one.fact, 0) >= one.at_least,
                "assumed": one.assumed,
                "clause": one.clause,
            }
            for one in plan.major.bounds
            if one.governs(day)
        ],
        "notes": [
            {"source": one.source, "facts": one.facts, "known_at": one.known_at, "at": one.at, "agency": one.agency}
            for one in await conn.execute(notes.limit(100))
        ],
    }
