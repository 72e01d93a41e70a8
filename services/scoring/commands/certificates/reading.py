"""A certification read in full, its words opened; that it was read is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates.basis import Desk
from services.scoring.domain.rulebooks import Standard
from services.scoring.queries import certificates as queries
from services.scoring.queries import certificates_present as present
from services.scoring.schemas.certificates import CertificationFull, DrawOut, EvidenceOut
from services.scoring.tables import kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.problem import NotFound
from shared.rules.plan import Plan

MOST_EVENTS = 2000
"""Events of one item in a package; more are counted, not listed."""


@dataclass(frozen=True, slots=True)
class PackageContents:
    """What goes into an inspection package."""

    full: CertificationFull
    plan: Plan
    standard: Standard
    evidence: dict[str, list[EvidenceOut]]
    draws: list[DrawOut]
    made_at: datetime


async def _read(
    conn: AsyncConnection, desk: Desk, caller: Caller, certification_id: UUID, now: datetime
) -> tuple[Any, Any, CertificationFull]:
    row = await queries.one(conn, caller, certification_id)
    if row is None:
        raise NotFound(
            "没有这项认定，或不在您的权限内。 No such certification within your reach.", code="certification-not-found"
        )
    rulebook, standard = desk.governing(row)
    parts = await queries.parts(conn, row)
    checklist = await queries.checklist(conn, desk.plan(row.plan), rulebook, standard, row, now)
    await audit.record(conn, kit, caller, "certification.read", "certification", [certification_id], now)
    return row, parts, present.certification_full(desk, caller, row, parts, checklist)


async def full_of(
    conn: AsyncConnection, desk: Desk, caller: Caller, certification_id: UUID, now: datetime
) -> CertificationFull:
    """A certification in full. Raises `NotFound`."""
    return (await _read(conn, desk, caller, certification_id, now))[2]


async def package_of(
    conn: AsyncConnection, desk: Desk, caller: Caller, certification_id: UUID, now: datetime
) -> PackageContents:
    """What goes into the inspection package of a certification. Raises `NotFound`."""
    row, parts, full = await _read(conn, desk, caller, certification_id, now)
    _, standard = desk.governing(row)
    plan = desk.plan(row.plan)
    evidence = {
        item.id: [
            present.evidence_out(one)
            for one in (await queries.behind(conn, plan, row, item, now, limit=MOST_EVENTS))[:MOST_EVENTS]
        ]
        for item in standard.indicators
    }
    return PackageContents(full, plan, standard, evidence, [present.draw_out(one) for one in parts["draws"]], now)
