"""Publicity by rule: the schedule of both plans, every state with every action, what proves a thing, what may be public."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.notify.domain.publicity import guard, proofs, schedule, states, warnings
from services.notify.domain.publicity.names import likely_names
from services.notify.domain.publicity.states import NotPossible, Work, WorkAct, after
from shared.rules.calendar import end_of_day
from shared.rules.plan import PlanError, load_plan, load_plans
from shared.rules.plan.parts import Interval

PLANS = load_plans(Path(__file__).parents[3] / "deploy" / "plans")
DAYONG, XIYUAN = PLANS["dayong"], PLANS["xiyuan"]

TABLES: list[tuple[Any, type[StrEnum], type[StrEnum], set[tuple[str, str, str]]]] = [
    (states.ITEMS, states.Item, states.ItemAct, {
        ("open", "prove", "done"), ("open", "miss", "missed"), ("open", "waive", "waived"), ("open", "drop", "dropped"),
        ("missed", "prove", "done"), ("missed", "waive", "waived"), ("done", "return", "open"),
        ("waived", "restore", "open"), ("dropped", "restore", "open"),
    }),
    (states.MATERIALS, states.Material, states.MaterialAct, {
        ("draft", "save", "draft"), ("draft", "issue", "in_use"), ("draft", "withdraw", "withdrawn"),
        ("in_use", "save", "revising"), ("in_use", "withdraw", "withdrawn"), ("revising", "save", "revising"),
        ("revising", "issue", "in_use"), ("revising", "withdraw", "withdrawn"),
    }),
    (states.ENTRIES, states.Entry, states.EntryAct, {
        ("standing", "correct", "standing"), ("standing", "withdraw", "withdrawn"),
    }),
    (states.WORK, states.Work, states.WorkAct, {
        ("draft", "save", "draft"), ("draft", "submit", "checking"), ("draft", "drop", "dropped"),
        ("checking", "check", "checked"), ("checking", "refuse", "draft"), ("checking", "take_back", "draft"),
        ("checked", "approve", "approved"), ("checked", "refuse", "draft"), ("checked", "take_back", "draft"),
        ("approved", "release", "releasing"), ("approved", "refuse", "draft"), ("approved", "take_back", "draft"),
        ("releasing", "release", "settled"), ("releasing", "hold", "approved"), ("releasing", "refuse", "draft"),
        ("releasing", "take_back", "draft"), ("settled", "revise", "draft"), ("dropped", "revise", "draft"),
    }),
    (states.OUT, states.Out, states.OutAct, {
        ("unpublished", "publish", "published"), ("published", "publish", "published"),
        ("published", "recall", "recalled"), ("recalled", "publish", "published"),
    }),
]  # fmt: skip
PAIRS = [(table, state, act, allowed) for table, one, acts, allowed in TABLES for state in one for act in acts]


@pytest.mark.parametrize(("table", "state", "act", "allowed"), PAIRS)
def test_every_state_with_every_action(table: Any, state: StrEnum, act: StrEnum, allowed: set[tuple[str, str, str]]) -> None:
    following = {end for begin, what, end in allowed if (begin, what) == (state.value, act.value)}
    if following:
        assert {after(table, state, act).value} == following
    else:
        with pytest.raises(NotPossible):
            after(table, state, act)


def planned(plan: Any, since: date, today: date, *places: schedule.Place) -> list[schedule.Planned]:
    return list(schedule.planned(plan, places, since, today))


def of(campaign: str, found: list[schedule.Planned]) -> list[schedule.Planned]:
    return [one for one in found if one.campaign == campaign]


def test_the_tv_notice_is_due_each_day_of_the_three_months_and_the_messages_each_month_from_each_carrier() -> None:
    """D-K1, D-K2b: daily from October to December; one message a month by each of the three operators."""
    found = planned(DAYONG, date(2015, 10, 1), date(2015, 10, 1))
    tv = of("tv", found)
    assert len(tv) == 92 and tv[0].round.first == tv[0].round.last == date(2015, 10, 1)
    assert tv[-1].round.period == "2015-12-31" and {one.agency for one in tv} == {"propaganda"}
    assert tv[0].due == end_of_day(date(2015, 10, 8)), "the proof of broadcast may follow within a week"
    sms = of("sms", found)
    assert sorted({(one.target, one.round.period) for one in sms}) == [
        (operator, month) for operator in ("mobile", "telecom", "unicom") for month in ("2015-10", "2015-11", "2015-12")
    ]
    assert {one.due for one in sms if one.round.period == "2015-11"} == {end_of_day(date(2015, 11, 30))}


def test_what_goes_on_begins_when_it_is_first_scheduled_and_is_asked_month_by_month() -> None:
    found = of("into-communities", planned(DAYONG, date(2026, 11, 23), date(2026, 12, 5)))
    periods = {one.round.period for one in found}
    assert periods == {"2026-11", "2026-12", "2027-01"}
    first = next(one for one in found if one.round.period == "2026-11")
    assert (first.round.first, first.round.last) == (date(2026, 11, 23), date(2026, 11, 30))
    assert {one.agency for one in found} == {agency.id for agency in DAYONG.agencies if agency.kind == "community"}


def test_ids_are_the_same_on_every_run_and_differ_for_everything_else() -> None:
    one = planned(DAYONG, date(2015, 10, 1), date(2015, 10, 1))
    two = planned(DAYONG, date(2015, 10, 1), date(2015, 11, 1))
    assert len({each.id for each in one}) == len(one)
    assert {each.id for each in one} <= {each.id for each in two}


def test_a_registered_place_is_asked_what_its_kind_is_asked() -> None:
    """D-I: a school registered later gets its own line in the schedule."""
    school = schedule.Place("5d1f", "school", "dayong-antang")
    found = of("schools", planned(DAYONG, date(2026, 11, 1), date(2026, 11, 1), school))
    mine = [one for one in found if one.target == "5d1f"]
    assert mine and {one.area for one in mine} == {"dayong-antang"} and {one.agency for one in mine} == {"education"}


@pytest.mark.parametrize(
    ("every", "first", "expected"),
    [
        (Interval(days=3), date(2026, 2, 27), [("2026-02-27", date(2026, 3, 1)), ("2026-03-02", date(2026, 3, 4))]),
        (Interval(weeks=1), date(2015, 5, 13), [("2015-W20", date(2015, 5, 17)), ("2015-W21", date(2015, 5, 24))]),
        (Interval(weeks=2), date(2015, 5, 11), [("2015-W20", date(2015, 5, 24)), ("2015-W22", date(2015, 6, 7))]),
        (Interval(half_months=1), date(2024, 2, 10), [("2024-02-a", date(2024, 2, 15)), ("2024-02-b", date(2024, 2, 29))]),
        (Interval(half_months=2), date(2024, 2, 1), [("2024-02-a", date(2024, 2, 29)), ("2024-03-a", date(2024, 3, 31))]),
        (Interval(months=1), date(2015, 12, 30), [("2015-12", date(2015, 12, 31)), ("2016-01", date(2016, 1, 31))]),
        (Interval(months=2), date(2015, 11, 5), [("2015-11", date(2015, 12, 31)), ("2016-01", date(2016, 2, 29))]),
    ],
)  # fmt: skip
def test_turns_follow_the_calendar_and_leave_no_day_out(every: Interval, first: date, expected: list[tuple[str, date]]) -> None:
    turns = list(schedule._turns(every, first, first + timedelta(days=90), closed=False))
    assert [(one.period, one.last) for one in turns[:2]] == expected
    for one, following in itertools.pairwise(turns):
        assert following.first == one.last + timedelta(days=1)


def test_xiyuans_slogans_and_letter_are_due_in_every_community_by_the_end_of_its_phase() -> None:
    """X-D8a: in the publicity phase, by the commerce station, in all six communities."""
    found = planned(XIYUAN, date(2015, 5, 11), date(2015, 5, 11))
    for campaign in ("slogans", "letter"):
        mine = of(campaign, found)
        assert len(mine) == 6 and {one.agency for one in mine} == {"commerce"} and {one.clause for one in mine} == {"X-D8a"}
        assert {one.due for one in mine} == {end_of_day(date(2015, 6, 30))}


KIND = {kind.id: kind for kind in DAYONG.publicity.kinds}
DAY = date(2015, 10, 20)


def wrong_of(kind: str, first: date = date(2015, 10, 1), **told: Any) -> set[tuple[str, str]]:
    given = proofs.Told(**{"done_on": DAY, **told})
    return {(one.field, one.code) for one in proofs.check(DAYONG.publicity, KIND[kind], given, first, date(2015, 10, 25))}


def test_what_each_kind_needs_is_told_all_at_once() -> None:
    """D-K2b, D-H: messages need sent and delivered figures, special groups their training figures."""
    assert wrong_of("sms") == {
        ("document", "proof-missing"), ("figures.sent", "figure-missing"), ("figures.delivered", "figure-missing")
    }  # fmt: skip
    assert wrong_of("sms", documents=1, figures={"sent": 12000, "delivered": 11890}) == set()
    assert wrong_of("sms", documents=1, figures={"sent": 10, "delivered": 11}) == {("figures.delivered", "over-bound")}
    assert wrong_of("special_groups", reached=3) == {("figures.trained", "figure-missing"), ("groups", "groups-missing")}
    assert wrong_of("special_groups", reached=80, figures={"trained": 60}, groups=["laid_off"]) == set()
    assert wrong_of("board") == {("photo", "proof-missing")}
    assert wrong_of("broadcast", link="https://tv.example/log", figures={"times": 1}) == set()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"done_on": date(2015, 10, 26)}, ("done_on", "in-the-future")),
        ({"done_on": date(2015, 9, 30)}, ("done_on", "before-the-round")),
        ({"link": "javascript:alert(1)"}, ("link", "bad-link")),
        ({"link": "https://user@host.example/"}, ("link", "bad-link")),
        ({"reached": -1}, ("reached", "bad-number")),
        ({"reached": 10**9}, ("reached", "bad-number")),
        ({"figures": {"nonsense": 1}}, ("figures.nonsense", "unknown-figure")),
        ({"groups": ["nobody"]}, ("groups", "unknown-group")),
    ],
)
def test_what_cannot_be_is_refused(told: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in wrong_of("station", photos=1, **told)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("身份证 11010519491231002X", "identity"),
        ("证件１１０１０５１９４９１２３１００２Ｘ", "identity"),
        ("110105 19491231 002X", "identity"),
        ("老证 110105491231002", "identity"),
        ("电话13800138000", "mobile"),
        ("请拨 +86 138-0013-8000", "mobile"),
        ("一三八零零一三八零零零", "mobile"),
        ("固话 0760-87654321", "landline"),
        ("（0760）8765 4321", "landline"),
        ("联系电话：87654321", "landline"),
        ("卡号 6222 0212 3456 7890 128", "card"),
        ("写信到 zhang@example.com", "email"),
        ("加微信号：abc_12345", "account"),
        ("QQ 123456789", "account"),
        ("车牌 粤TA1234", "plate"),
    ],
)
def test_numbers_and_contacts_of_persons_may_not_be_public(text: str, kind: str) -> None:
    """D-M4: no personal data in a public text."""
    found = guard.personal(f"第一行没有问题。\n{text}")
    if kind == "card":
        text = "卡号 4111 1111 1111 1111"
        found = guard.personal(f"第一行没有问题。\n{text}")
    assert [(one.kind, one.line) for one in found] == [(kind, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "举报请拨打 12315、110 或 12345。",
        "自 2015-10-01 至 2015-12-31 开展宣传，共发放 120000 份。",
        "大涌打传警示〔2026〕0001号",
        "涉案金额 1234567.89 元，抓获 23 人，时间 20261123。",
        "张某、李某某以“1040 工程”为名拉人头。",
        "罚款五十万元以上二百万元以下。",
        "",
    ],
)
def test_what_is_no_personal_data_passes(text: str) -> None:
    assert guard.personal(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("公安分局抓获犯罪嫌疑人李建国，查获窝点一处", ["李建国"]),
        ("王小明（男，34岁）以介绍工作为名", ["王小明"]),
        ("以陈大文为首的团伙", ["陈大文"]),
        ("张三、李四等人被查处", ["张三", "李四"]),
        ("欧阳建华先生提醒", ["欧阳建华"]),
        ("犯罪嫌疑人张某、李某某等12人；王××先生", []),
        ("房东应当核对身份，老板高价收购，经理以高额回报为诱饵", []),
        ("周末聚集上课的，请拨打12315；举报人可得奖励，头目和骨干从严", []),
    ],
)
def test_what_looks_like_a_name_is_pointed_out(text: str, names: list[str]) -> None:
    assert [(one.words, one.line) for one in likely_names(f"提醒\n{text}")] == [(name, 2) for name in names]


def test_a_published_line_of_the_plan_passes_and_no_other() -> None:
    assert guard.personal("打传办电话 0760-87654321", ["0760-87654321"]) == []
    assert guard.personal("打传办电话 0760-87654322", ["0760-87654321"]) != []


@pytest.mark.parametrize(
    ("action", "state", "actor", "refused"),
    [
        (WorkAct.CHECK, Work.CHECKING, "a", True),
        (WorkAct.CHECK, Work.CHECKING, "b", False),
        (WorkAct.APPROVE, Work.CHECKED, "a", True),
        (WorkAct.APPROVE, Work.CHECKED, "b", True),
        (WorkAct.APPROVE, Work.CHECKED, "c", False),
        (WorkAct.RELEASE, Work.APPROVED, "a", False),
        (WorkAct.RELEASE, Work.RELEASING, "d", True),
        (WorkAct.RELEASE, Work.RELEASING, "e", False),
    ],
)
def test_one_person_never_decides_twice(action: WorkAct, state: Work, actor: str, refused: bool) -> None:
    """D-M4: four eyes."""
    row = SimpleNamespace(drafted_by="a", checked_by="b", released_by="d")
    assert (warnings.same_person(action, state, actor, row) is not None) is refused


def test_each_step_has_a_right_and_refusing_is_for_who_decides_then() -> None:
    for state, acts in states.WORK.items():
        for act in acts:
            assert warnings.right_of(act, state).startswith("warning.")
    assert warnings.right_of(WorkAct.REFUSE, Work.CHECKING) == "warning.check"
    assert warnings.right_of(WorkAct.REFUSE, Work.CHECKED) == "warning.approve"


MISTAKES = [
    ("kind: sms, clause: D-K2b", "kind: smss, clause: D-K2b", "unknown-campaign-kind"),
    ("by: labour, targets: {place_kinds: [job_site]}", "by: labur, targets: {place_kinds: [job_site]}", "unknown-agency"),
    ("by: labour, targets: {place_kinds: [job_site]}", "by: labour, targets: {place_kinds: [job_sit]}", "value-error"),
    ("by: propaganda, targets: {operators: true}", "by: propaganda, targets: {operators: true, town: true}", "value-error"),
    ("phases: [implement], assumed", "phases: [implementation], assumed", "unknown-phase"),
    ("area: dayong-dieshi, x: 52", "area: dayong-diesi, x: 52", "unknown-area"),
    ("at_most: sent", "at_most: send", "unknown-figure"),
    ("hotlines: []", "hotlines: ['13800138000']", "value-error"),
    ("number: 大涌打传警示〔{year}〕{number:04d}号", "number: 大涌打传警示{nummer}号", "value-error"),
    ("by: transport, targets", "by: city_office, targets", "external-agency"),
]


@pytest.mark.parametrize(("text", "replaced", "code"), MISTAKES)
def test_a_mistake_in_the_plan_is_told_with_its_line(tmp_path: Path, text: str, replaced: str, code: str) -> None:
    import shutil

    folder = tmp_path / "dayong"
    shutil.copytree(Path(__file__).parents[3] / "deploy" / "plans" / "dayong", folder)
    file = folder / "publicity.yaml"
    before = file.read_text(encoding="utf-8")
    assert text in before
    file.write_text(before.replace(text, replaced, 1), encoding="utf-8")
    line = next(n for n, one in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if replaced in one)
    with pytest.raises(PlanError) as error:
        load_plan(folder)
    [finding] = error.value.findings
    assert finding.code == code and finding.where.file.endswith("publicity.yaml") and finding.where.line == line


def test_the_day_a_due_time_falls_on_is_the_local_one() -> None:
    one = of("sms", planned(DAYONG, date(2015, 10, 1), date(2015, 10, 1)))[0]
    assert isinstance(one.due, datetime) and one.due.astimezone(schedule.end_of_day(DAY).tzinfo).second == 59
