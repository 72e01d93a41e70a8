"""Timed work of intake."""

from services.intake import queries
from services.intake.commands import contacts, evidence_upkeep, handovers, retention, trends, verification
from services.intake.commands.evidence import Evidence
from services.intake.commands.handovers import Rules
from services.intake.commands.registers import patrols
from services.intake.commands.rewards import fund
from services.intake.metrics import FILES, FILES_SWEPT, PATROL_TASKS, RETENTION_WAITING, REWARD_FUND_FREE, TIPS
from services.intake.queries.registers.patrols import counts as task_counts
from shared.kit import clock, db
from shared.kit.service import Service


async def measure(service: Service) -> None:
    """Set the gauges of tips on record."""
    async with db.begin(service.engine) as conn:
        for row in await queries.counts(conn):
            TIPS.labels(row.channel, row.state).set(row.n)


async def mark_handovers_late(rules: Rules) -> None:
    """Tell what is late of handovers, bring unanswered ones before the office, end supplements nobody gave."""
    now = clock.now()
    for work in (
        lambda conn: handovers.mark_late(conn, rules, now),
        lambda conn: handovers.expire_supplements(conn, now),
        lambda conn: handovers.hand_back_by_rule(conn, rules, now),
    ):
        async with db.begin(rules.service.engine) as conn:
            await work(conn)


RETAINED_A_BATCH = 200
"""Tips whose words are destroyed in one transaction."""


async def retain(service: Service) -> None:
    """Destroy what reporters said and who they are once the plan's time is over, batch by batch."""
    for plan in service.plans.values():
        for look in (retention.next_batch, retention.waiting_again):
            while True:
                async with db.begin(service.engine) as conn:
                    looked = await look(conn, service, plan, clock.now(), RETAINED_A_BATCH)
                if looked < RETAINED_A_BATCH:
                    break
    async with db.begin(service.engine) as conn:
        held = await retention.waiting(conn)
    for plan_id in service.plans:
        RETENTION_WAITING.labels(plan_id).set(held.get(plan_id, 0))


async def watch_funds(service: Service) -> None:
    """Warn before the money for rewards runs short (D-L)."""
    async with db.begin(service.engine) as conn:
        found = await fund.watch(conn, service, list(service.plans.values()), clock.now())
    for plan, balance in found.items():
        REWARD_FUND_FREE.labels(plan).set(float(balance.available))


async def tend_files(service: Service, evidence: Evidence) -> None:
    """Clean and scan files for which there was no time when they came; count those on record."""
    await evidence_upkeep.clean_waiting(service, evidence)
    await evidence_upkeep.scan_unscanned(service, evidence)
    async with db.begin(service.engine) as conn:
        rows = await queries.file_counts(conn)
    FILES.clear()
    for row in rows:
        FILES.labels(row.kind, row.state, row.scan).set(row.n)


async def sweep_files(service: Service, evidence: Evidence) -> None:
    """Remove bytes whose rows never came (a crash in between) or are gone (retention)."""
    FILES_SWEPT.inc(await evidence_upkeep.sweep(service, evidence, clock.now()))


async def patrol(service: Service) -> None:
    """Make the patrol tasks of the running windows, tell of those whose day passed, count both (D-E2)."""
    for plan in service.plans.values():
        for work in (
            lambda conn, plan=plan: patrols.pass_due_days(conn, service, plan, clock.now()),
            lambda conn, plan=plan: patrols.make_tasks(conn, plan, clock.now()),
        ):
            while True:
                async with db.begin(service.engine) as conn:
                    if not await work(conn):
                        break
    async with db.begin(service.engine) as conn:
        rows = await task_counts(conn)
    PATROL_TASKS.clear()
    for row in rows:
        PATROL_TASKS.labels(row.plan, row.state).set(int(row.n))


async def lapse_reveals(service: Service) -> None:
    """End requests to see a contact that nobody decided in time."""
    async with db.begin(service.engine) as conn:
        await contacts.lapse(conn, service, clock.now())


async def watch_major_leads(rules: Rules) -> None:
    """Mark leads that became major, and tell of those nobody verified in time (D-Q1.4)."""
    for plan in rules.service.plans.values():
        for work in (verification.mark_major, verification.mark_missed):
            while True:
                async with db.begin(rules.service.engine) as conn:
                    if await work(conn, rules, plan, clock.now()) < verification.AT_ONCE:
                        break


async def count_trends(service: Service) -> None:
    """Bring the figures over time up to date."""
    for plan in service.plans.values():
        async with db.begin(service.engine) as conn:
            await trends.count(conn, plan, clock.now())
