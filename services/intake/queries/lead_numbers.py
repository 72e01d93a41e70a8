"""A lead by what people call it: the number of its case, or its address copied from the browser."""

import re
import unicodedata
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.tables import lead_parties, leads
from shared.kit.problem import Invalid

LONGEST = 300
"""Characters a form may hold here: a whole address fits."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_BRACKETS = str.maketrans({one: "〔" for one in "[([【（［"} | {one: "〕" for one in "])]】）］"})


def as_written(typed: str) -> str:
    """A case number as the register writes it, whatever brackets, widths and spaces were typed."""
    return "".join(unicodedata.normalize("NFKC", typed).translate(_BRACKETS).split())


async def number_of(conn: AsyncConnection, lead_id: UUID) -> str | None:
    """The number of a lead's newest case; None while it has none."""
    p = lead_parties
    query = select(p.c.number).where(p.c.lead_id == lead_id).order_by(p.c.case_id.desc()).limit(1)
    return (await conn.execute(query)).scalar()


async def find_lead(conn: AsyncConnection, typed: str, plan: str | None, within: ColumnElement[bool]) -> UUID:
    """The lead that `typed` means, among those `within` reach. Raises Invalid when there is none."""
    query = select(leads.c.id).where(within)
    if known := _UUID.search(typed):
        query = query.where(leads.c.id == UUID(known[0]))
    else:
        p = lead_parties
        numbered = select(p.c.lead_id).where(p.c.plan == plan, p.c.number == as_written(typed), p.c.lead_id.is_not(None))
        query = query.where(leads.c.id.in_(numbered))
    lead_id: UUID | None = (await conn.execute(query.limit(1))).scalar()
    if lead_id is None:
        raise Invalid(
            "您的权限内没有这个案号的线索；未保存任何内容。请照线索页上“联合案件”一栏的案号填写。 "
            "No lead of this case number is within your reach; nothing was kept. The number stands on the lead's page.",
            code="unknown-lead",
            errors=[{"field": "lead_id", "code": "unknown", "message": "no such lead"}],
        )
    return lead_id
