"""The working-day calendar: holidays, make-up days, overrides, and years that are not published."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.calendar import WorkingCalendar, end_of_day, local_day
from shared.rules.yaml_source import YamlProblem

CALENDAR = WorkingCalendar()
PUBLISHED = st.dates(date(2004, 1, 1), date(2026, 9, 1))
ANY_DAY = st.dates(date(1990, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2015, 10, 1), False),  # 国庆
        (date(2015, 10, 10), True),  # a Saturday worked in lieu
        (date(2015, 10, 15), True),
        (date(2026, 2, 17), False),  # 春节
        (date(2026, 2, 14), True),  # a Saturday worked in lieu
        (date(2026, 11, 22), False),  # a Sunday
    ],
)
def test_holidays_and_make_up_days(day: date, working: bool) -> None:
    assert CALENDAR.is_working(day) is working


def test_seven_working_days_over_the_national_holiday() -> None:
    # from 28 September 2015: 29, 30, (1–7 off), 8, 9, 10 (a worked Saturday), 12, 13
    assert CALENDAR.add_working_days(date(2015, 9, 28), 7).day == date(2015, 10, 13)


@given(PUBLISHED, st.integers(0, 60))
def test_exactly_n_working_days_lie_after_the_start(start: date, n: int) -> None:
    found = CALENDAR.add_working_days(start, n).day
    days = [start + timedelta(days=step) for step in range(1, (found - start).days + 1)]
    assert sum(CALENDAR.is_working(day) for day in days) == n
    assert n == 0 or CALENDAR.is_working(found)


@given(ANY_DAY, st.integers(0, 40), st.integers(0, 40))
def test_adding_in_two_steps_is_adding_at_once(start: date, first: int, second: int) -> None:
    middle = CALENDAR.add_working_days(start, first).day
    assert CALENDAR.add_working_days(middle, second).day == CALENDAR.add_working_days(start, first + second).day


@given(ANY_DAY)
def test_rolling_forward_gives_the_first_working_day_not_before(day: date) -> None:
    rolled = CALENDAR.roll_forward(day).day
    assert CALENDAR.is_working(rolled)
    assert not any(CALENDAR.is_working(day + timedelta(days=step)) for step in range((rolled - day).days))


@given(ANY_DAY, st.integers(0, 60))
def test_a_result_is_provisional_exactly_when_it_touches_an_unpublished_year(start: date, n: int) -> None:
    found = CALENDAR.add_working_days(start, n)
    touched = range(start.year, found.day.year + 1)
    assert found.provisional is any(not CALENDAR.published(year) for year in touched)


def test_a_deadline_reaching_an_unpublished_year_is_provisional_and_no_error() -> None:
    found = CALENDAR.add_working_days(date(2026, 12, 28), 7)
    assert found.provisional and found.day.year == 2027
    assert not CALENDAR.add_working_days(date(2026, 12, 1), 7).provisional


def test_an_override_wins_and_publishes_a_further_year(tmp_path: Path) -> None:
    table = tmp_path / "calendar.yaml"
    table.write_text(
        "version: 7\npublished_years: [2027]\ndays:\n  - {day: 2027-01-01, working: false}\n"
        "  - {day: 2027-01-02, working: true}\n",
        encoding="utf-8",
    )
    calendar = WorkingCalendar.load(table)
    assert calendar.published(2027)
    assert not calendar.is_working(date(2027, 1, 1)) and calendar.is_working(date(2027, 1, 2))
    found = calendar.add_working_days(date(2026, 12, 31), 1)
    assert (found.day, found.provisional) == (date(2027, 1, 2), False)
    assert calendar.version != CALENDAR.version and "7." in calendar.version


def test_the_version_tells_two_tables_apart_even_with_the_same_label() -> None:
    one = WorkingCalendar({date(2027, 1, 4): False}, label="3")
    other = WorkingCalendar({date(2027, 1, 5): False}, label="3")
    assert one.version != other.version


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version: 1\ndays:\n  - {day: 2027-02-30, working: false}\n", 3),
        ("version: 1\ndays:\n  - {day: 2027-02-01}\n", 3),
        ("version: 1\ndays:\n  - {day: 2027-02-01, working: 放假}\n", 3),
        ("days:\n  - {day: 2027-02-01, working: true}\n  - {day: 2027-02-01, working: false}\n", 3),
        ("version: 1\npublished_years: [明年]\n", 2),
        ("version: 1\ndays: [\n", 3),
    ],
)
def test_a_mistake_in_the_table_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    table = tmp_path / "calendar.yaml"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(YamlProblem) as problem:
        WorkingCalendar.load(table)
    assert str(problem.value.where) == f"calendar.yaml:{line}"


def test_no_table_means_no_overrides(tmp_path: Path) -> None:
    assert WorkingCalendar.load(tmp_path / "absent.yaml").version == CALENDAR.version


def test_days_are_days_in_shanghai() -> None:
    assert local_day(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == date(2026, 11, 23)
    assert end_of_day(date(2026, 11, 23)).isoformat() == "2026-11-23T23:59:59+08:00"
    with pytest.raises(ValueError):
        local_day(datetime(2026, 11, 22))


def test_absurd_spans_are_refused() -> None:
    for n in (-1, 4001):
        with pytest.raises(ValueError):
            CALENDAR.add_working_days(date(2026, 1, 1), n)
