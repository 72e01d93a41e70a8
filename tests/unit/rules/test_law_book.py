"""The shipped law files: numbers with article and certainty, dated, and honest about what is not on file."""

from datetime import date
from pathlib import Path

import pytest

from shared.rules.law import LawBook, NotInForce, UnknownRule
from shared.rules.yaml_source import YamlProblem

FOLDER = Path(__file__).parents[3] / "deploy" / "law"
LAW = LawBook.load(FOLDER)
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("rule", "amount", "unit", "certainty", "article"),
    [
        ("prohibition.seal_period", 30, "calendar_days", "T", "第十八条"),
        ("prohibition.seal_papers", 24, "hours", "T", "第十七条"),
        ("transfer.decide", 3, "calendar_days", "T", "第五条"),
        ("transfer.send", 24, "hours", "T", "第五条"),
        ("transfer.forward", 24, "hours", "T", "第七条"),
        ("transfer.police_review", 3, "calendar_days", "T", "第八条"),
        ("transfer.supply_materials", 3, "calendar_days", "T", "第一百八十条"),
        ("transfer.reconsider_decision", 3, "calendar_days", "T", "第九条"),
        ("transfer.hand_over_goods", 3, "calendar_days", "T", "第十二条"),
        ("transfer.prosecutor_reply", 7, "calendar_days", "T", "第一百八十二条"),
        ("transfer.prosecutor_filing", 15, "calendar_days", "T", "第一百八十二条"),
        ("economic.transfer_review_latest", 10, "calendar_days", "S", "第十六条"),
        ("penalty.verify", 15, "working_days", "S", "第十八条"),
        ("penalty.decide", 90, "calendar_days", "S", "第六十四条"),
        ("penalty.serve", 7, "working_days", "T", "第六十一条"),
        ("penalty.hearing_ask", 5, "working_days", "T", "第六十四条"),
        ("penalty.limitation", 2, "years", "T", "第三十六条"),
        ("publish.decision", 20, "working_days", "T", "第九条"),
        ("publish.withdraw", 3, "working_days", "T", "第十一条"),
        ("complaint.accept", 7, "working_days", "T", "第十五条"),
        ("complaint.mediation_end", 60, "calendar_days", "T", "第二十三条"),
        ("complaint.clue_verify", 15, "working_days", "T", "第二十七条"),
        ("complaint.jurisdiction", 7, "working_days", "T", "第三十三条"),
        ("police.pass_on", 24, "hours", "T", "第六十一条"),
        ("police.seizure", 30, "calendar_days", "T", "第一百一十二条"),
        ("police.case", 30, "calendar_days", "S", "第一百一十八条"),
        ("criminal.refusal_notice", 3, "calendar_days", "T", "第一百七十八条"),
        ("criminal.reconsider_decide", 30, "calendar_days", "T", "第一百七十九条"),
        ("economic.review", 7, "calendar_days", "S", "第十五条"),
        ("reward.percent_1", 5, "percent", "S", "第十一条"),
        ("reward.floor_3", 1000, "yuan", "S", "第十一条"),
        ("reward.cap", 1000000, "yuan", "S", "第十二条"),
        ("data.share_deliver", 20, "working_days", "T", "第二十二条"),
    ],
)
def test_a_number_stands_with_its_article_and_certainty(
    rule: str, amount: int, unit: str, certainty: str, article: str
) -> None:
    found = LAW.in_force(rule, TODAY)
    assert (found.value, found.unit, found.certainty) == (amount, unit, certainty)
    assert article in found.article and found.article.startswith("《") and not found.provisional


@pytest.mark.parametrize(
    ("rule", "low", "high"),
    [
        ("prohibition.fine_organise", 500_000, 2_000_000),
        ("prohibition.fine_lure", 100_000, 500_000),
        ("prohibition.fine_join", None, 2000),
        ("prohibition.fine_premises", 50_000, 500_000),
        ("prohibition.fine_tamper", 5, 20),
        ("prohibition.fine_tamper_refuses", 1, 3),
        ("crime.filing_persons", 30, None),
        ("crime.filing_levels", 3, None),
        ("crime.grave_persons", 120, None),
        ("crime.grave_yuan", 2_500_000, None),
        ("crime.grave_prior_persons", 60, None),
        ("crime.leader_prior_persons", 15, None),
        ("police.detain_organise", 10, 15),
        ("police.detain_lure", 5, 10),
        ("penalty.hearing_person", 10_000, None),
        ("reward.finance", 500_000, None),
    ],
)
def test_ranges_and_thresholds(rule: str, low: int | None, high: int | None) -> None:
    limit = LAW.in_force(rule, TODAY).limit
    assert (limit.at_least, limit.at_most) == (low, high)


def test_trap_1_the_five_days_to_tell_informants_are_gone() -> None:
    last = LAW.in_force("complaint.tell_reporter", date(2026, 4, 14))
    assert last.value == 5 and not last.provisional
    with pytest.raises(NotInForce):
        LAW.in_force("complaint.tell_reporter", date(2026, 4, 15))


def test_trap_2_the_public_security_law_of_the_day_governs() -> None:
    old, new = (LAW.in_force("police.case", day) for day in (date(2025, 12, 31), date(2026, 1, 1)))
    assert "2012" in old.article and len(old.limit.extensions) == 1
    assert "2025" in new.article and [one.amount for one in new.limit.extensions] == [30, 30]


def test_trap_3_a_seal_is_thirty_and_fifteen_days() -> None:
    limit = LAW.in_force("prohibition.seal_period", TODAY).limit
    assert (limit.amount, [one.amount for one in limit.extensions]) == (30, [15])
    assert "主要负责人" in limit.extensions[0].approver.zh


def test_trap_4_the_three_days_of_transfers_are_calendar_days() -> None:
    three = [rule for rule in LAW.ids if rule.startswith("transfer.") and LAW.in_force(rule, TODAY).value == 3]
    assert len(three) >= 6
    assert {LAW.in_force(rule, TODAY).unit.value for rule in three} == {"calendar_days"}


def test_the_mediation_term_changed_with_the_rule_of_2026() -> None:
    old, new = (LAW.in_force("complaint.mediation_end", day) for day in (date(2026, 4, 14), date(2026, 4, 15)))
    assert (old.value, old.unit, new.value, new.unit) == (45, "working_days", 60, "calendar_days")


def test_a_day_without_text_on_file_is_told_and_provisional() -> None:
    found = LAW.in_force("transfer.decide", date(2015, 10, 20))
    assert found.provisional and "2015-10-20" in found.reason and found.value == 3
    assert not LAW.in_force("prohibition.fine_organise", date(2015, 10, 20)).provisional


def test_no_time_limit_for_rewards_is_invented() -> None:
    units = {LAW.in_force(rule, TODAY).unit for rule in LAW.ids if rule.startswith("reward.")}
    assert units == {"percent", "yuan"}


def test_every_line_is_readable_and_none_claims_a_lawyer_checked_it() -> None:
    for rule in LAW.ids:
        for line in LAW.lines(rule):
            assert line.what.zh and line.article and line.instrument, rule
            assert line.certainty in {"T", "S", "M"} and line.verified is False, rule
            assert line.certainty != "M" or line.note or "旧" in line.what.zh or line.instrument, rule


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(UnknownRule):
        LAW.in_force("no.such_rule", TODAY)
    assert "no.such_rule" not in LAW and "transfer.decide" in LAW


GOOD = "instrument: 《某规定》\ncertainty: T\nlimits:\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (GOOD + "  - id: a.b\n    what: {zh: 甲, en: a}\n    amount: 3\n    unit: 天\n    article: 第一条\n", 7),
        (GOOD + "  - id: a.b\n    what: {zh: 甲, en: a}\n    unit: hours\n    article: 第一条\n", 4),
        (GOOD + "  - id: a.b\n    what: {zh: 甲, en: a}\n    amount: -3\n    unit: hours\n    article: 第一条\n", 4),
        (GOOD + "  - id: a.b\n    what: {zh: 甲, en: a}\n    amount: 3\n    unit: hours\n", 4),
        (
            GOOD + "  - {id: a.b, what: {zh: 甲, en: a}, amount: 3, unit: hours, article: 一, from: 2020-01-01}\n"
            "  - {id: a.b, what: {zh: 甲, en: a}, amount: 4, unit: hours, article: 一, from: 2021-01-01}\n", 5,
        ),
        (GOOD + "  - {id: a.b, what: {zh: 甲, en: a}, amount: 3, unit: hours, article: 一, from: 2020-13-01}\n", 4),
        ("limits: []\n", 1),
    ],
)
def test_a_mistake_in_a_law_file_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "law.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(YamlProblem) as problem:
        LawBook.load(tmp_path)
    assert str(problem.value.where) == f"law.yaml:{line}"
