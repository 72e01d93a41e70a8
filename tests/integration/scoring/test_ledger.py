"""From casework's events to obligations, ledger, standings and the feed's events, in a real PostgreSQL."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.scoring.commands import UnknownPlan
from services.scoring.commands.booking import entry_of
from services.scoring.consumers import handlers
from services.scoring.domain.standings import standings_of
from shared.events.scoring import LedgerEntryRecorded, StandingPublished
from shared.kit import clock, db
from shared.kit.audit import verify
from tests.instances import Databases
from tests.integration.scoring.conftest import Score, case
from tests.sealing import until_sealed

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


async def test_an_opened_case_gives_an_obligation_for_each_deadline_and_no_score(score: Score) -> None:
    one = case()
    await score.tell(one.opened)
    rows = await score.rows("SELECT * FROM obligations ORDER BY agency")
    assert [(row.agency, row.unit, row.state, row.number) for row in rows] == [
        ("commerce", "enforcement", "open", one.number),
        ("police", "economic_crime", "open", one.number),
    ]
    assert rows[0].opened_recordedat == one.opened.recordedat
    assert await score.ledger() == [] and await score.events() == []


async def test_acceptance_in_time_late_and_not_at_all_are_scored__d_q1_3(score: Score) -> None:
    """D-Q1.3 (not taken up in earnest) and D-M2: the unit that owes gets the points of the plan's line."""
    good, late, never = case(), case(), case()
    await score.tell(good.opened, late.opened, never.opened)
    await score.tell(
        good.accepted("police"), late.missed("police"), late.accepted("police", in_time=False), never.missed("commerce")
    )
    points = {
        (row.agency, row.line): row.points
        for row in await score.rows("SELECT agency, line, sum(points) AS points FROM ledger GROUP BY 1, 2")
    }
    assert points == {
        ("police", "acceptance-timely"): 1,
        ("police", "acceptance-missed"): 0,
        ("police", "acceptance-late"): -1,
        ("commerce", "acceptance-missed"): -2,
    }
    standings = await score.rows("SELECT * FROM standings ORDER BY agency")
    assert [(s.agency, s.points, s.in_time, s.late, s.entries) for s in standings] == [
        ("commerce", -2, 0, 1, 1),
        ("police", 0, 1, 1, 4),
    ]


async def test_each_new_entry_is_told_once_with_the_standing_after_it(score: Score) -> None:
    one = case()
    accepted = one.accepted("police")
    await score.tell(one.opened, accepted)
    entry, standing = await score.events()
    assert isinstance(entry, LedgerEntryRecorded) and isinstance(standing, StandingPublished)
    assert (entry.fact_event, entry.case_id, entry.points) == (accepted.id, one.case_id, Decimal(1))
    assert (entry.clause, entry.assumed, entry.recorded_at) == ("D-M2", True, accepted.recordedat)
    assert (standing.points, standing.in_time, standing.version) == (Decimal(1), 1, 1)
    traced = await score.rows("SELECT traceparent FROM outbox ORDER BY seq")
    assert traced[0].traceparent == accepted.traceparent, "the trace goes on from the fact"
    await score.tell_all([accepted])
    await score.tell_all([accepted, one.accepted("police", in_time=False)])
    assert len(await score.events()) == 2, "a fact told again, even under another id, adds nothing"
    assert len(await score.ledger()) == 1


@pytest.mark.parametrize("in_time", [True, False])
async def test_every_order_of_events_gives_the_same_rows(score: Score, databases: Databases, in_time: bool) -> None:
    """All orders of opened, accepted, missed and a repetition, each alone or in one batch: one ledger."""
    seen = []
    template = case(at=T0)
    facts = (
        template.opened,
        template.accepted("police", in_time=in_time, at=T0 + timedelta(days=8)),
        template.missed("police", at=T0 + timedelta(days=7, hours=1)),
    )
    for order in permutations(facts):
        for batched in (True, False):
            await databases.empty("scoring")
            for batch in ([*order, order[0]],) if batched else ([one] for one in (*order, order[0])):
                await score.tell(*batch)
            seen.append((await score.ledger(), await score.standings(), await score.rows("SELECT * FROM obligations "
                         "ORDER BY deadline_id")))  # fmt: skip
    assert len(seen) == 12 and all(one == seen[0] for one in seen)
    [standing] = seen[0][1]
    assert standing[5] == (1 if in_time else -1)


async def test_standings_are_the_sum_of_the_ledger_whatever_the_batches(score: Score) -> None:
    """A hundred cases in random order and random batches: the table equals the pure function of the ledger."""
    chance = random.Random(20260302)
    facts = []
    for number in range(100):
        one = case(number=number, at=T0)
        facts.append(one.opened)
        for agency in ("police", "commerce"):
            how = chance.choice(["in time", "late", "never", "open"])
            if how in ("late", "never"):
                facts.append(one.missed(agency, at=T0 + timedelta(days=8)))
            if how in ("in time", "late"):
                facts.append(one.accepted(agency, in_time=how == "in time", at=T0 + timedelta(days=9)))
    chance.shuffle(facts)
    while facts:
        size = chance.randint(1, 40)
        batch, facts = facts[:size], facts[size:]
        await score.tell(*batch)
    entries = [entry_of(row) for row in await score.rows("SELECT * FROM ledger")]
    summed = standings_of(entries)
    rows = await score.rows("SELECT * FROM standings")
    assert len(rows) == len(summed) == 2
    for row in rows:
        one = summed[row.plan, row.rulebook, row.agency, row.unit, row.subject_kind, row.subject]
        assert (row.points, row.entries, row.in_time, row.late, row.version, row.as_of) == (
            one.points, one.entries, one.in_time, one.late, one.version, one.as_of,
        )  # fmt: skip


async def test_a_correction_takes_back_what_was_booked_even_under_other_points(score: Score) -> None:
    """The plan's points changed between the miss and the act: the miss goes back to the point."""
    one = case()
    await score.tell(one.missed("police"))
    others = []
    for book in score.books.shelf:
        lines = [
            line.model_copy(update={"points": Decimal(-5)}) if line.id == "acceptance-missed" else line
            for line in book.lines
        ]
        others.append(book.model_copy(update={"lines": tuple(lines)}))
    score.books.replace(others)
    await score.tell(one.accepted("police"))
    assert [row.points for row in await score.rows("SELECT points FROM ledger ORDER BY seq")] == [-2, 1, 2]


async def test_an_unknown_plan_is_refused_whole(score: Score) -> None:
    good, strange = case(), case(plan="atlantis")
    with pytest.raises(UnknownPlan):
        await score.tell_all([good.accepted("police"), strange.accepted("police")])
    assert await score.ledger() == [] and await score.rows("SELECT 1 FROM obligations") == []


async def test_the_database_lets_the_service_only_add_to_its_ledger(score: Score) -> None:
    """Append-only is kept by grants: even this service's own role cannot change, remove or empty."""
    one = case()
    await score.tell(one.opened, one.missed("police"))
    for attempt in (
        "UPDATE ledger SET points = 0",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "DROP TABLE ledger",
        "DELETE FROM audit",
        "UPDATE outbox SET data = ''",
    ):
        with pytest.raises(DBAPIError) as refused:
            await score.rows(attempt)
        assert refused.value.orig.sqlstate == "42501", attempt
    assert len(await score.ledger()) == 1


async def test_what_was_recorded_is_in_the_sealed_audit_log(score: Score) -> None:
    one = case()
    await score.tell(one.opened, one.accepted("police"))
    actions = [row.action for row in await score.rows("SELECT action FROM audit ORDER BY seq")]
    assert actions == ["obligation.open", "ledger.record"]
    keys = score.service.settings.keys
    await until_sealed(score.service.engine, score.service.kit, keys, "scoring", 2)
    async with db.begin(score.service.engine) as conn:
        assert await verify(conn, score.service.kit, keys) == []


async def test_a_batch_takes_the_same_number_of_statements_whatever_its_size(score: Score) -> None:
    statements: list[str] = []
    sqlalchemy_event.listen(
        score.service.engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2])
    )

    async def spent(count: int) -> tuple[int, int]:
        made = [case(number=n) for n in range(count)]
        statements.clear()
        await score.tell_all([one.opened for one in made])
        opened = len(statements)
        statements.clear()
        await score.tell_all([one.accepted("police") for one in made])
        return opened, len(statements)

    assert await spent(1) == (2, 7)
    # large batches of events go into the outbox by COPY, which is no statement here
    assert await spent(100) == await spent(200) == (2, 6)


async def test_two_services_at_once_keep_the_numbers_in_the_order_of_commits(score: Score) -> None:
    """A reader that keeps its cursor misses nothing: an entry never appears below one that was already visible."""
    first, second = case(), case()
    async with score.service.engine.connect() as one:
        transaction = await one.begin()
        apply = handlers(score.books)
        accepted = first.accepted("police")
        await apply[accepted.type](one, [accepted], clock.now())
        async with score.service.engine.connect() as two:
            await two.execute(text("SET lock_timeout = '300ms'"))
            other = second.accepted("commerce")
            with pytest.raises(DBAPIError) as waited:
                await apply[other.type](two, [other], clock.now())
            assert waited.value.orig.sqlstate == "55P03", "the second writer waits for the first one's commit"
        await transaction.commit()
    assert len(await score.ledger()) == 1
