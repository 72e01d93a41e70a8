"""What the commands of handovers share: the plan's rules with their clocks, numbers, rows and the published facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.handovers import HandoverState, Place, our_number
from services.intake.tables import kit
from services.intake.tables.handovers import handover_matters, handover_register, handovers
from shared.kit import idempotency
from shared.kit.access import Caller
from shared.kit.etag import etag
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Invalid, Outdated
from shared.kit.service import Service
from shared.rules.calendar import WorkingCalendar, local_day
from shared.rules.deadlines import Deadline, open_deadline
from shared.rules.plan import Plan
from shared.rules.plan.handover import HandoverRules

SEALED_BY = "narrative"
"""The key that notes and questions are sealed under, each bound to its own record."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A service with its working-day calendar; the plan's rules of handovers."""

    service: Service
    calendar: WorkingCalendar

    @classmethod
    def of(cls, service: Service) -> Rules:
        """The rules of a running service. Raises `YamlProblem` for a wrong calendar table."""
        return cls(service, WorkingCalendar.load(service.settings.law_dir / "calendar.yaml"))

    def plan(self, plan_id: str) -> tuple[Plan, HandoverRules]:
        """The plan and its rules of handovers; Invalid when it has none."""
        plan = self.service.plans.get(plan_id)
        if plan is None or plan.handover is None:
            raise Invalid(
                "方案没有写移交规则（handover），请先补充方案；未作更改。 "
                "The plan has no rules of handovers; add them first. Nothing was changed.",
                code="no-handover-rules",
            )
        return plan, plan.handover

    def clock(self, plan: Plan, rule: str, kind: str, start: datetime) -> Deadline:
        """A clock of the plan or the law, started now."""
        limit = plan.limit(rule, local_day(start), self.service.law)
        deadline, _ = open_deadline(id=str(new_id()), kind=kind, rule=limit, start=start, calendar=self.calendar)
        return deadline

    def seal(self, record: UUID, words: str) -> bytes | None:
        """Words as they are kept; None for none."""
        return self.service.settings.keys.seal(SEALED_BY, record.bytes, words.encode()) if words else None

    def open(self, record: UUID, sealed: bytes | None) -> str:
        """Kept words, opened; whoever calls this records the reading."""
        return self.service.settings.keys.open(SEALED_BY, record.bytes, bytes(sealed)).decode() if sealed else ""

    def dataref(self, handover_id: UUID) -> str:
        """Where a caller with rights of their own opens a handover."""
        return f"{self.service.settings.base_url('intake')}/v1/handovers/{handover_id}"


def clock_columns(clock: Deadline) -> dict[str, Any]:
    """The clock of a handover's present stage, as columns."""
    return {
        "rule": clock.rule_id,
        "article": clock.article,
        "certainty": clock.certainty,
        "calendar": clock.calendar_version,
        "start": clock.start,
        "due": clock.due,
        "provisional": clock.provisional,
    }


async def take_key(conn: AsyncConnection, claim: idempotency.Claim, now: datetime) -> UUID | None:
    """The object of the same request sent before, or None. Raises Conflict for a key used otherwise."""
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    return known


async def next_number(conn: AsyncConnection, rules: HandoverRules, plan: str, now: datetime) -> str:
    """The next number of the plan's register of this year."""
    year = local_day(now).year
    statement = insert(handover_register).values(plan=plan, year=year, last=1)
    statement = statement.on_conflict_do_update(
        index_elements=["plan", "year"], set_={"last": handover_register.c.last + 1}
    ).returning(handover_register.c.last)
    return our_number(rules, year, (await conn.execute(statement)).scalar_one())


async def count_matter(conn: AsyncConnection, matter_id: UUID, now: datetime, **more: Any) -> Any:
    """Change what is counted of a matter, and who has it; its row afterwards."""
    changed = update(handover_matters).where(handover_matters.c.id == matter_id)
    return (await conn.execute(changed.values(last_at=now, **more).returning(handover_matters))).one()


async def matter_of(conn: AsyncConnection, matter_id: UUID) -> Any:
    """The counts of a matter."""
    return (await conn.execute(select(handover_matters).where(handover_matters.c.id == matter_id))).one()


def facts(rules: Rules, row: Any, bounces: int) -> dict[str, Any]:
    """What every event of a handover carries."""
    return {
        "lead_id": row.lead_id,
        "tip_id": row.tip_id,
        "plan": row.plan,
        "area": row.area,
        "urgent": row.urgent,
        "handover_id": row.id,
        "number": row.number,
        "from_agency": row.from_agency,
        "from_unit": row.from_unit,
        "to_agency": row.to_agency,
        "to_unit": row.to_unit,
        "distributor": row.distributor,
        "attempt": row.attempt,
        "bounces": bounces,
        "dataref": rules.dataref(row.id),
    }


def step(version: int, now: datetime, name: str, agency: str | None, unit: str | None, **more: Any) -> dict[str, Any]:
    """One line of a handover's history."""
    return {"version": version, "at": now, "step": name, "agency": agency, "unit": unit} | more


async def changed(conn: AsyncConnection, row: Any, state: HandoverState, line: dict[str, Any], **values: Any) -> Any:
    """Save a handover's next state with a line of its history; its row afterwards."""
    saved = (
        update(handovers)
        .where(handovers.c.id == row.id)
        .values(state=state.value, version=row.version + 1, history=[*row.history, line], **values)
        .returning(handovers)
    )
    return (await conn.execute(saved)).one()


def outdated(row: Any, version: int) -> Outdated:
    """The refusal of a change made from an older version, with what happened since."""
    since = [one for one in row.history if one["version"] > version]
    return Outdated(
        "您打开后这件移交已有变动（见 changes），您的操作未保存；请查看最新情况后再提交。 "
        "The handover changed since you read it (see changes); nothing was saved. Look again, then send again.",
        headers={"etag": etag(row.version)},
        current=etag(row.version),
        changes=[{key: one.get(key) for key in ("version", "at", "step", "agency", "unit")} for one in since],
    )


def own_place(caller: Caller, agency: str, unit: str | None) -> Place:
    """The caller's place in a matter that stands with an agency and unit: their own unit, where they have one."""
    return Place(agency, caller.unit or unit) if caller.agency == agency else Place(agency, unit)
