"""Verifications of leads, within what the caller may see of leads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.queries.leads import seen_lead
from services.intake.tables import lead_verifications, leads
from shared.kit.access import Caller

v = lead_verifications.c
_ORDER = {"waiting": v.due, "missed": v.missed_at}


async def listed(
    conn: AsyncConnection, caller: Caller, state: Literal["waiting", "missed"], *,
    after: tuple[datetime, UUID] | None, limit: int,
) -> Sequence[Row[Any]]:  # fmt: skip
    """Major leads whose verification is owed, what is due (or was missed) first, first."""
    by = _ORDER[state]
    query = (
        select(lead_verifications, leads.c.area, leads.c.agency, leads.c.unit, leads.c.urgent)
        .join(leads, leads.c.id == v.lead_id)
        .where(
            seen_lead(caller), v.state == state, by.is_not(None), leads.c.merged_into.is_(None),
            leads.c.closed_at.is_(None),
        )
    )  # fmt: skip
    if caller.reach("lead.read") != "all":
        # what is seen is of one plan; said here too, the index gives the order
        query = query.where(v.plan == caller.plan)
    if after:
        query = query.where(tuple_(by, v.lead_id) > tuple_(*after))
    return (await conn.execute(query.order_by(by, v.lead_id).limit(limit + 1))).all()


async def of_lead(conn: AsyncConnection, lead_id: UUID) -> Row[Any] | None:
    """A lead's verification, or None; the caller has shown that they may see the lead."""
    return (await conn.execute(select(lead_verifications).where(v.lead_id == lead_id))).one_or_none()


async def visible(conn: AsyncConnection, caller: Caller, lead_id: UUID) -> bool:
    """Whether the caller may see the lead."""
    query = select(leads.c.id).where(leads.c.id == lead_id, seen_lead(caller))
    return (await conn.execute(query)).first() is not None


def out(lead_id: UUID, row: Any, now: datetime) -> dict[str, Any]:
    """A verification as `VerificationOut`; without a row: none is owed and none was made."""
    if row is None:
        return {
            "lead_id": lead_id, "major": False, "causes": [], "state": "none", "rule": None, "article": None,
            "certainty": None, "start": None, "due": None, "provisional": False, "late": False, "outcome": None,
            "in_time": None, "verified_at": None, "verified_agency": None, "version": 0,
        }  # fmt: skip
    names = (
        "lead_id", "causes", "state", "rule", "article", "certainty", "start", "due", "provisional", "outcome",
        "in_time", "verified_at", "verified_agency", "version",
    )  # fmt: skip
    late = row.due is not None and ((row.verified_at or now) > row.due or row.missed_at is not None)
    return {name: getattr(row, name) for name in names} | {"major": row.due is not None, "late": late}
