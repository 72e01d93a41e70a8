"""What is kept summed up says what the entries say, whatever is asked and in whatever order they came."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.instances import Databases
from tests.integration.scoring.conftest import Score, case

T0 = datetime(2025, 11, 27, 14, 0, tzinfo=UTC)
AREAS = ("dayong-antang", "dayong-nanwen", None)

_WHERE = (
    "(CAST(:area AS text) IS NULL OR area = :area) AND (CAST(:first AS date) IS NULL OR occurred_on >= :first) AND "
    "(CAST(:last AS date) IS NULL OR occurred_on <= :last) AND "
    "(CAST(:as_of AS timestamptz) IS NULL OR recorded_at <= :as_of) AND plan = 'dayong'"
)
_SIGNED = "coalesce(sum(CASE WHEN corrects IS NULL THEN 1 ELSE -1 END) FILTER (WHERE outcome"
_FIGURES = (
    "sum(points) AS points, count(*) AS entries, "
    f"{_SIGNED} = 'met'), 0) AS in_time, {_SIGNED} IN ('met_late', 'missed')), 0) AS late"
)


async def _filled(score: Score, chance: random.Random) -> None:
    """A ledger over half a year: some facts are recorded months after they happened, some before."""
    events = []
    for number in range(60):
        at = T0 + timedelta(hours=chance.randrange(200 * 24))
        one = case(number=number, at=at, area=AREAS[number % 3])
        for fact in one.opened.data.deadlines:
            lag = timedelta(minutes=chance.choice((1, 1, 90, 60 * 24 * 3, 60 * 24 * 70, -60 * 24 * 2)))
            done = one.accepted(fact.agency, in_time=chance.random() < 0.5, at=at + timedelta(hours=chance.randrange(90)))
            missed = one.missed(fact.agency, at=at + timedelta(hours=50))
            events += [replace(done, recordedat=done.recordedat + lag), replace(missed, recordedat=missed.recordedat + lag)][
                : chance.choice((1, 2))
            ]
    chance.shuffle(events)
    for event in events:
        await score.tell(event)


async def test_any_standing_and_explanation_is_the_sum_of_its_entries(score: Score) -> None:
    """Beyond 9: as of any day, as known on any day."""
    chance = random.Random(11)
    await _filled(score, chance)
    straddling = 0
    for asked in range(40):
        first = (T0 + timedelta(days=chance.randrange(-5, 210))).date() if chance.random() < 0.6 else None
        last = (T0 + timedelta(days=chance.randrange(-5, 215))).date() if chance.random() < 0.6 else None
        as_of = T0 + timedelta(minutes=chance.randrange(60 * 24 * 230)) if asked % 3 else None
        area = chance.choice((None, None, "dayong-antang"))
        values = {"first": first, "last": last, "as_of": as_of, "area": area}
        query = {
            "from": first and first.isoformat(), "to": last and last.isoformat(), "as_of": as_of and as_of.isoformat(),
            "area": area,
        }  # fmt: skip
        query = {name: value for name, value in query.items() if value is not None} | {"plan": "dayong"}
        if len(query) == 1:
            continue
        told = (await score.get("/v1/standings", score.office(), **query)).json()["items"]
        wanted = await score.rows(
            f"SELECT rulebook, agency, unit, subject, {_FIGURES}, max(recorded_at) AS as_of FROM ledger WHERE {_WHERE} "
            "GROUP BY rulebook, agency, unit, subject", **values
        )  # fmt: skip
        assert sorted(map(_told, told)) == sorted(map(_row, wanted)), query
        for agency in ("police", "commerce"):
            lines = await score.rows(
                f"SELECT rulebook, line, {_FIGURES}, count(corrects) AS corrections FROM ledger WHERE {_WHERE} "
                "AND agency = :agency GROUP BY rulebook, line", agency=agency, **values
            )  # fmt: skip
            answer = await score.get("/v1/explain", score.office(), agency=agency, **query)
            found = answer.json().get("lines", [])
            assert sorted(
                (one["rulebook"], one["line"], _plain(one["points"]), one["entries"], one["in_time"], one["late"], one["corrections"])
                for one in found
            ) == sorted(
                (one.rulebook, one.line, _plain(one.points), one.entries, one.in_time, one.late, one.corrections)
                for one in lines
            ), query  # fmt: skip
        straddling += bool(wanted) and as_of is not None
    assert straddling > 5


@pytest.fixture
async def owner(databases: Databases) -> AsyncIterator[AsyncEngine]:
    """Every right on the database."""
    engine = create_async_engine(databases.owner_url("scoring"))
    yield engine
    await engine.dispose()


async def test_the_sums_made_anew_are_those_that_were_kept(score: Score, owner: AsyncEngine) -> None:
    await _filled(score, random.Random(4))
    kept = {
        table: sorted(await score.rows(f"SELECT * FROM {table}"), key=str) for table in ("sums", "line_sums")
    }  # fmt: skip
    assert len(kept["sums"]) > 100
    async with owner.begin() as conn:
        await conn.execute(text("SELECT ledger_sum_up_anew()"))
    for table, rows in kept.items():
        assert sorted(await score.rows(f"SELECT * FROM {table}"), key=str) == rows
    async with owner.begin() as conn:
        await conn.execute(text("TRUNCATE ledger"))
    assert not await score.rows("SELECT level FROM sums UNION ALL SELECT level FROM line_sums")


def _plain(points: Any) -> str:
    return f"{float(points):.4f}"


def _told(one: Any) -> tuple[Any, ...]:
    return (
        one["rulebook"], one["agency"], one["unit"] or "", one["scored"], _plain(one["points"]), one["entries"],
        one["in_time"], one["late"], datetime.fromisoformat(one["as_of"]),
    )  # fmt: skip


def _row(one: Any) -> tuple[Any, ...]:
    return (
        one.rulebook, one.agency, one.unit or "", one.subject, _plain(one.points), one.entries, one.in_time, one.late,
        one.as_of,
    )  # fmt: skip
