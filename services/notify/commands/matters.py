"""Notices about what is no case and no handover: made, ended by the act they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.notices import make
from services.notify.domain import matters as domain
from services.notify.domain.notices import State, Template
from services.notify.tables import kit, matters_ended, notices
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.db import insert_many
from shared.kit.service import Service
from shared.rules.calendar import WorkingCalendar, local_day
from shared.rules.deadlines import open_deadline
from shared.rules.plan import Plan

_ACTOR = service_caller("notify")
_CLOCK = "notice_sign"

_END = (
    update(notices)
    .where(
        notices.c.matter_id == matters_ended.c.matter_id,
        notices.c.template == matters_ended.c.template,
        notices.c.matter_id == func.any(bindparam("matters")),
        notices.c.state != State.DONE.value,
    )
    .values(
        state=State.DONE.value,
        done_at=matters_ended.c.ended_at,
        in_time=matters_ended.c.in_time,
        version=notices.c.version + 1,
    )
)
_MORE = text(
    """
    UPDATE notices n SET items = n.items + m.more, state = 'waiting', transit = 'queued', version = n.version + 1,
        signed_at = NULL, signed_by = NULL
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS m (id uuid, more integer)
    WHERE n.id = m.id
    """
)


@dataclass(frozen=True, slots=True)
class Clocks:
    """When a notice must be signed by the plan's time."""

    service: Service
    calendar: WorkingCalendar

    @classmethod
    def of(cls, service: Service) -> Clocks:
        """The clocks of a running service. Raises `YamlProblem` for a wrong calendar table."""
        return cls(service, WorkingCalendar.load(service.settings.law_dir / "calendar.yaml"))

    def sign_by(self, plan: Plan, start: datetime) -> tuple[str | None, datetime | None, bool]:
        """Rule, moment and whether it is provisional; nothing where the plan sets no time to sign."""
        rule = plan.clock(_CLOCK)
        if rule is None:
            return None, None, False
        limit = plan.limit(rule, local_day(start), self.service.law)
        made, _ = open_deadline(id="", kind=_CLOCK, rule=limit, start=start, calendar=self.calendar)
        return rule, made.due, made.provisional


async def tell(conn: AsyncConnection, clocks: Clocks, events: Sequence[domain.News], now: datetime) -> None:
    """Make the notices of some events and end those whose act has happened, in whatever order they come.

    The turns of one proceeding come in order: they stand on one partition.
    """
    await _turns(conn, [turn for event in events if (turn := domain.turn_taken(event))])
    made: dict[Any, dict[str, Any]] = {}
    more: dict[Any, int] = {}
    ended: dict[tuple[Any, str], dict[str, Any]] = {}
    for event in events:
        plan = clocks.service.plans.get(event.plan)
        for row in domain.rows_of(event, plan, clocks.sign_by, now):
            if row["id"] in made:
                more[row["id"]] = more.get(row["id"], 0) + (row["items"] or 0)
            else:
                made[row["id"]] = row
        over = domain.ended_by(event)
        if over is not None:
            matter_id, templates, at, in_time = over
            for template in templates:
                ended.setdefault(
                    (matter_id, template.value),
                    {"matter_id": matter_id, "template": template.value, "ended_at": at, "in_time": in_time},
                )
    await insert_many(conn, matters_ended, list(ended.values()), conflict="ON CONFLICT DO NOTHING")
    await _add(conn, clocks, made, more, now)
    matters = list({row["matter_id"] for row in made.values()} | {row["matter_id"] for row in ended.values()})
    if matters:
        await conn.execute(_END, {"matters": matters})
    if ended:
        await audit.record(conn, kit, _ACTOR, "notice.ended", "matter", [key[0] for key in ended], now)


async def _turns(conn: AsyncConnection, taken: Sequence[tuple[Any, datetime]]) -> None:
    """End the notices of whoever was awaited before the latest step of each proceeding."""
    latest: dict[Any, datetime] = {}
    for proceeding, at in taken:
        latest[proceeding] = max(at, latest.get(proceeding, at))
    for proceeding, at in latest.items():
        n = notices.c
        await conn.execute(
            update(notices)
            .where(
                n.matter_id == proceeding,
                n.template.in_((Template.PROCEEDING_AWAITS.value, Template.PROCEEDING_MISSED.value)),
                n.state != State.DONE.value,
            )
            .values(
                state=State.DONE.value, done_at=at, in_time=func.coalesce(n.due >= at, True), version=n.version + 1
            )
        )


async def _add(
    conn: AsyncConnection, clocks: Clocks, made: dict[Any, dict[str, Any]], more: dict[Any, int], now: datetime
) -> None:
    """Write new notices; one that stands for many things (patrols of one day) grows by those that come later."""
    if not made:
        return
    grouped = [row["id"] for row in made.values() if row["template"] == Template.PATROL_OVERDUE]
    there: set[Any] = set()
    if grouped:
        known = select(notices.c.id).where(notices.c.id == func.any(grouped))
        there = set((await conn.execute(known)).scalars())
    for row_id, number in more.items():
        if row_id not in there:
            made[row_id]["items"] += number
    growing = [{"id": str(one), "more": made[one]["items"] + more.get(one, 0)} for one in there]
    if growing:
        await conn.execute(_MORE, {"rows": orjson.dumps(growing).decode()})
    await make(conn, [row for row in made.values() if row["id"] not in there], now, clocks.service)
