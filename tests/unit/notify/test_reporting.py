"""The reporting calendar by the plans, the lives of reports and bulletins, figures."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path

import pytest

from services.notify.domain.bulletins import (
    BULLETIN_TRANSITIONS,
    KINDS,
    MEASURE_WORDS,
    BulletinAction,
    BulletinRefusedError,
    BulletinState,
    SamePersonError,
    Source,
    check_two_persons,
    compiled,
    next_bulletin_state,
    number_of,
    numeral,
    said_period,
)
from services.notify.domain.figures import MEASURES, folded, summed
from services.notify.domain.reports import (
    TRANSITIONS,
    ReportAction,
    ReportRefusedError,
    ReportState,
    may_report,
    next_report_state,
    owed_on,
    turns_of,
)
from shared.events import Event
from shared.events.casework import CaseClosed, CaseOpened
from shared.rules.law import LawBook
from shared.rules.plan import Plan, load_plans

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return load_plans(ROOT / "deploy" / "plans", None, LawBook.load(ROOT / "deploy" / "law"))


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc]


@pytest.mark.parametrize(("state", "action"), list(product(ReportState, ReportAction)))
def test_a_report_goes_only_where_the_table_says(state: ReportState, action: ReportAction) -> None:
    """Every pair: what is listed leads there, what is not is refused; what is withdrawn stays so."""
    if (state, action) in TRANSITIONS:
        assert state is not ReportState.WITHDRAWN
        assert next_report_state(state, action) is TRANSITIONS[state, action]
    else:
        with pytest.raises(ReportRefusedError):
            next_report_state(state, action)


@pytest.mark.parametrize(("state", "action"), list(product(BulletinState, BulletinAction)))
def test_a_bulletin_goes_only_where_the_table_says(state: BulletinState, action: BulletinAction) -> None:
    """Every pair; only what was proposed is issued, and what is issued is never edited again."""
    if (state, action) in BULLETIN_TRANSITIONS:
        after = next_bulletin_state(state, action)
        assert after is BULLETIN_TRANSITIONS[state, action]
        assert after is not BulletinState.ISSUED or (state, action) == (BulletinState.PROPOSED, BulletinAction.RELEASE)
        assert action is not BulletinAction.EDIT or state is BulletinState.DRAFT
    else:
        with pytest.raises(BulletinRefusedError):
            next_bulletin_state(state, action)


def test_explicit_dates_win_over_the_rule(plans: dict[str, Plan]) -> None:
    """D-R: the four listed Thursdays, not the Fridays of the rule; each tells of the days since the one before."""
    turns = [turn for turn in turns_of(plans["dayong"]) if turn.kind == "regular"]
    assert [turn.day for turn in turns] == [date(2015, 10, 15), date(2015, 10, 29), date(2015, 11, 12), date(2015, 11, 26)]
    assert [turn.first_day for turn in turns] == [date(2015, 10, 1), date(2015, 10, 16), date(2015, 10, 30), date(2015, 11, 13)]
    assert all("commerce" not in turn.by and "labour" in turn.by and turn.to == "commerce" for turn in turns)


def test_the_rule_gives_the_days_where_none_are_listed(plans: dict[str, Plan]) -> None:
    """X-R3: every Friday from the plan's start; the situation report by 5 July and the summary by 10 July upward."""
    turns = turns_of(plans["xiyuan"])
    assert all(turn.day.weekday() == 4 for turn in turns if turn.kind == "regular")
    upward = {turn.kind: (turn.day, turn.by, turn.to) for turn in turns if turn.kind != "regular"}
    assert upward == {
        "situation": (date(2015, 7, 5), ("office",), "district_office"),
        "summary": (date(2015, 7, 10), ("office",), "district_office"),
    }


def test_a_day_counts_only_if_it_had_not_passed_when_known(plans: dict[str, Plan]) -> None:
    """D-R: not before the plan was issued (19 October), and not where it was known here only afterwards."""
    owed = owed_on(plans["dayong"], date(2015, 10, 20), at(2015, 10, 20, 1))
    assert {one.day: one.counts for one in owed if one.kind == "regular"} == {date(2015, 10, 15): False, date(2015, 10, 29): True}
    assert {one.kind for one in owed} == {"regular", "summary"}
    later = owed_on(plans["dayong"], date(2026, 11, 23), at(2026, 11, 23, 1))
    assert len({one.day for one in later}) == 5 and not any(one.counts for one in later)
    assert {one.id for one in owed} <= {one.id for one in later}


def test_its_last_second_is_still_in_time(plans: dict[str, Plan]) -> None:
    """D-R: a report is due at the end of its day in China."""
    one = next(one for one in owed_on(plans["dayong"], date(2015, 10, 20), at(2015, 10, 20, 1)) if one.counts)
    assert one.due == at(2015, 10, 29, 15, 59, 59)


def test_only_the_named_reporter_reports(plans: dict[str, Plan]) -> None:
    """X-R3: 定人报告; while nobody is named, who holds the post. Dayong asks for no name."""
    xiyuan = plans["xiyuan"]
    assert may_report(xiyuan, "a", ("desk",), "a") and not may_report(xiyuan, "b", ("reporter",), "a")
    assert may_report(xiyuan, "b", ("reporter",), None) and not may_report(xiyuan, "b", ("desk", "head"), None)
    assert may_report(plans["dayong"], "b", ("desk",), "a")


def test_two_persons_release() -> None:
    """D-N2: neither who edited nor who proposed it."""
    check_two_persons("officer:c", "officer:a", "officer:b")
    for same in ("officer:a", "officer:b"):
        with pytest.raises(SamePersonError):
            check_two_persons(same, "officer:a", "officer:b")


def opened(n: int, day: int) -> Event[CaseOpened]:
    data = CaseOpened.model_validate(
        {
            "case_id": uuid.UUID(int=n), "plan": "dayong", "area": "dayong-nanwen", "urgent": False, "number": f"案{n}",
            "lead_id": uuid.UUID(int=n), "kinds": ["headcount"], "deadlines": [], "received_at": at(2026, 11, day, 1),
            "parties": [{"agency": "police", "role": "lead"}, {"agency": "commerce", "role": "co"}],
            "opened_at": at(2026, 11, day, 1), "dataref": "x",
        }
    )  # fmt: skip
    return Event(uuid.UUID(int=1000 + n), CaseOpened.TYPE, "/x", data.key, data.opened_at, data.opened_at, None, data)


def sums_of(*batches: list[Event[CaseOpened]]) -> list[tuple[str, str, str, int, int]]:
    sums: dict[tuple[str, str, str], list[int]] = {}
    for batch in batches:
        for row in folded(batch):
            entry = sums.setdefault((row["area"], row["agency"], row["measure"]), [0, 0])
            entry[0] += row["number"]
            entry[1] += row["mark"]
    return [(*key, *value) for key, value in sums.items()]


def test_the_same_events_give_the_same_figures_in_any_order_and_batches() -> None:
    """D-N2: order and batching change nothing; another event changes the digest even where the number is equal."""
    events = [opened(n, 1 + n % 20) for n in range(60)]
    shuffled = events[:]
    random.Random(7).shuffle(shuffled)
    first, last = date(2026, 11, 1), date(2026, 11, 30)
    once = summed(first, last, 5, sums_of(events))
    again = summed(first, last, 5, sums_of(shuffled[:13], shuffled[13:41], shuffled[41:]))
    assert once == again
    assert once.total == {"cases_opened": 60, "cases_joined": 120}
    assert once.by_agency == {"police": {"cases_joined": 60}, "commerce": {"cases_joined": 60}}
    other = summed(first, last, 5, sums_of([*events[:-1], opened(99, 3)]))
    assert other.total == once.total and other.digest != once.digest


def test_a_bulletin_says_what_came_who_was_late_and_who_is_missing(plans: dict[str, Plan]) -> None:
    """D-N2: practice, results, problems and suggestions of every agency, with the figures; D-R: late and missing."""
    sources = [
        Source("labour", True, True, {"done": "设宣传栏", "results": "覆盖两处", "problems": "", "suggestions": "加印"}),
        Source("education", False, True, {"done": "进校园", "results": "", "problems": "课时少", "suggestions": ""}),
    ]
    made = compiled(
        plans["dayong"], "bulletin", date(2015, 10, 16), date(2015, 10, 29), {"cases_opened": 3, "cases_joined": 6},
        sources, ["transport", "transport"],
    )  # fmt: skip
    says = {one["heading"]: one["body"] for one in made.sections}
    names = {one.id: one.name.zh for one in plans["dayong"].agencies}
    assert says["总体情况"].startswith("2015年10月16日至10月29日") and says["总体情况"].endswith("共新立联合案件3件。")
    assert says["主要做法"].splitlines() == [f"{names['labour']}：设宣传栏", f"{names['education']}：进校园"]
    assert says["取得成果"] == f"{names['labour']}：覆盖两处" and says["存在问题"] == f"{names['education']}：课时少"
    assert f"迟报：{names['education']}。" in says["报送情况"] and f"未报：{names['transport']}。" in says["报送情况"]
    assert says["报送情况"].startswith("应报4份，已报2份。")


def test_words_of_bulletins() -> None:
    assert set(MEASURE_WORDS) == set(MEASURES) and {"bulletin", "situation", "summary", "progress"} == set(KINDS)
    assert [numeral(n) for n in (1, 10, 11, 20)] == ["一", "十", "十一", "二十"]
    assert number_of("bulletin", 2026, 3) == "2026年第3期" and number_of("summary", 2026, 3) == "打传报〔2026〕3号"
    assert said_period(date(2015, 12, 30), date(2016, 1, 2)) == "2015年12月30日至2016年1月2日"
    assert said_period(date(2015, 12, 30), date(2015, 12, 30)) == "2015年12月30日"


def test_a_case_closed_counts_for_its_agency() -> None:
    data = CaseClosed.model_construct(plan="dayong", area=None, agency="police", closed_at=at(2026, 11, 30, 17))
    event = Event(uuid.UUID(int=1), CaseClosed.TYPE, "/x", "k", data.closed_at, data.closed_at, None, data)
    [row] = folded([event])
    # half past midnight in China is the next day
    assert (row["day"], row["area"], row["agency"], row["measure"]) == (date(2026, 12, 1), "", "police", "cases_closed")
