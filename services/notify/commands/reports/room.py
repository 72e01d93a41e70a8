"""What every command on reports and bulletins is given, and what it checks first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.matters import Clocks
from services.notify.commands.notices import make
from services.notify.domain.matters import Own, Told, own_rows
from services.notify.domain.notices import State, Template
from services.notify.settings import Settings
from services.notify.tables import kit, notices
from shared.events.reports import ReportDropped, ReportMissed, ReportOwed, ReportSubmitted
from shared.kit import idempotency
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, NotFound, Outdated
from shared.kit.service import Service
from shared.rules.plan import Plan

KEY = "report"
"""The key that what reports and bulletins say is sealed under: their words may name people."""


@dataclass(frozen=True, slots=True)
class Room:
    """The service, its settings, and its clocks."""

    service: Service
    settings: Settings
    clocks: Clocks

    @classmethod
    def of(cls, service: Service, settings: Settings) -> Room:
        return cls(service, settings, Clocks.of(service))

    def plan(self, plan_id: str | None) -> Plan:
        """A plan that runs here. Raises `NotFound`."""
        plan = self.service.plans.get(plan_id or "")
        if plan is None:
            raise NotFound("没有这个方案。 No such plan runs here.")
        return plan

    def dataref(self, kind: str, object_id: UUID) -> str:
        """Where an object is read: `reports` or `bulletins`."""
        return f"{self.settings.base_url('notify')}/v1/{kind}/{object_id}"

    def seal(self, object_id: UUID, contents: Mapping[str, Any]) -> bytes:
        return self.settings.keys.seal(KEY, object_id.bytes, orjson.dumps(dict(contents)))

    def open(self, object_id: UUID, sealed: bytes | None) -> dict[str, Any]:
        """What a report or bulletin says; nothing of one that was never written."""
        if sealed is None:
            return {}
        kept: dict[str, Any] = orjson.loads(self.settings.keys.open(KEY, object_id.bytes, bytes(sealed)))
        return kept

    async def tell(self, conn: AsyncConnection, own: Own, told: Sequence[Told], now: datetime) -> None:
        """Make notices of our own, on the way of all notices."""
        await make(conn, own_rows(own, told, self.plan(own.plan), self.clocks.sign_by, now), now)

    def facts(self, row: Any) -> dict[str, Any]:
        """What every event of a report tells."""
        plan = self.service.plans.get(row.plan)
        area = next((one.area for one in plan.agencies if one.id == row.agency), None) if plan else None
        return {
            "report_id": row.id, "plan": row.plan, "agency": row.agency, "area": area, "to_agency": row.to_agency,
            "kind": row.kind, "origin": row.origin, "clause": row.clause, "first_day": row.first_day, "day": row.day,
            "due": row.due, "dataref": self.dataref("reports", row.id),
        }  # fmt: skip

    def owed(self, row: Any, now: datetime) -> ReportOwed:
        return ReportOwed(**self.facts(row), counts=row.counts, owed_at=now)

    def submitted(self, row: Any, *, late: bool, now: datetime) -> ReportSubmitted:
        return ReportSubmitted(**self.facts(row), late=late, submitted_at=now)

    def missed(self, row: Any, now: datetime) -> ReportMissed:
        return ReportMissed(**self.facts(row), missed_at=now)

    def dropped(self, row: Any, now: datetime) -> ReportDropped:
        return ReportDropped(**self.facts(row), dropped_at=now)


async def end_notices(
    conn: AsyncConnection, matters: Sequence[UUID], templates: Sequence[Template], now: datetime, *, in_time: bool = True
) -> None:
    """What some notices asked for has happened: nobody is reminded of it any more."""
    n = notices.c
    await conn.execute(
        update(notices)
        .where(
            n.matter_id == func.any(list(matters)), n.template.in_([one.value for one in templates]),
            n.state != State.DONE.value,
        )
        .values(state=State.DONE.value, done_at=now, in_time=in_time, version=n.version + 1)
    )  # fmt: skip


async def taken(conn: AsyncConnection, claim: Claim, now: datetime) -> UUID | None:
    """The object of the first request under this key, or None when it is new. Raises `Conflict` for another content."""
    found = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(found, Conflict):
        raise found
    return found


def same_version(row: Any, version: int) -> None:
    """Refuse a change made from an older state."""
    if row.version != version:
        raise Outdated(
            "内容已被他人更改；您的操作没有保存，请重新打开后再办。 "
            "Somebody changed it meanwhile; yours was not saved. Open it again.",
            version=row.version,
        )


def entry(step: str, caller: Caller | None, now: datetime) -> dict[str, Any]:
    """One line of an object's history: what was done, by whom (an account's id), when."""
    return {"step": step, "by": caller.actor if caller else "service:notify", "at": now.isoformat()}


def claim(room: Room, caller: Caller, operation: str, key: str, asked: object, object_id: UUID) -> Claim:
    """A claim on an Idempotency-Key for one operation."""
    return idempotency.claim(
        room.settings.keys, caller, operation, idempotency.check_key(key), repr(asked).encode(), object_id
    )
