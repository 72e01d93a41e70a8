"""Guards that several procedures use."""

from __future__ import annotations

from datetime import date, datetime

from services.casework.domain.proceedings import Asked, Guard, Refused
from shared.rules.calendar import local_day


def not_the_proposer(asked: Asked) -> None:
    """Four eyes: whoever opened the proceeding, or took the step before, does not approve it."""
    if asked.proceeding.history and asked.proceeding.history[-1].actor == asked.actor.id:
        raise Refused(
            "four-eyes",
            "须由另一人办理：提出的人不能自己批准；未保存。",
            "another person has to do this: who proposes does not approve; nothing was saved",
        )


def not_a_handler(asked: Asked) -> None:
    """Who worked on the case neither reviews it nor decides it (行政处罚法 57, 58): whoever opened it, or took a step of it
    that neither needs an approval nor is itself such a review.
    """
    steps = asked.version.steps
    handlers = {
        taken.actor for taken in asked.proceeding.history
        if (rule := steps.get(taken.step)) is None or (rule.approval is None and "not_a_handler" not in rule.guards)
    }  # fmt: skip
    if asked.actor.id in handlers:
        raise Refused(
            "four-eyes",
            "须由未承办本案的人员办理：承办人不能自己审核、决定；未保存。",
            "somebody who did not work on it has to do this: a handler neither reviews nor decides; nothing was saved",
        )


def no_day_before_the_rule(asked: Asked) -> None:
    """No date given lies before the version of the procedure that governs it (条文施行日)."""
    first = asked.procedure.versions[0].effective_from
    for name, value in asked.given.items():
        if not isinstance(value, str) or len(value) < 10 or value[4:5] != "-":
            continue
        try:
            day = date.fromisoformat(value) if len(value) == 10 else local_day(datetime.fromisoformat(value))
        except ValueError:
            continue
        if day < first:
            raise Refused(
                "before-the-rule",
                f"所填日期 {day} 早于本程序所依条文的施行日 {first}；未保存。",
                f"{name}: {day} lies before {first}, from which the rule is in force; nothing was saved",
                field=name,
            )


def papers_of_article_6(asked: Asked) -> None:
    """A transfer carries its letter, report and list of goods (移送规定 art. 6)."""
    missing = {"letter", "report", "goods_list"} - set(asked.facts.get("papers") or ())
    if missing:
        raise Refused(
            "papers-of-article-6",
            "移送须附移送书、调查报告和涉案物品清单（第六条）；没有物品的也附空白清单。未保存。",
            "a transfer carries its letter, report and list of goods (article 6); nothing was saved",
            missing=sorted(missing),
        )


def defence_heard(asked: Asked) -> None:
    """No decision before the time to ask for a hearing has passed, where the party was told of it (行政处罚法 64)."""
    clock = asked.proceeding.clocks.get("hearing_ask")
    if not asked.facts.get("hearing_right") or clock is None or clock.state.value != "running":
        return
    if asked.ground.now <= clock.due:
        raise Refused(
            "defence-term",
            f"当事人申请听证、陈述申辩的期限到 {clock.due:%Y-%m-%d} 才满；未保存。",
            f"the party may ask for a hearing until {clock.due:%Y-%m-%d}; nothing was saved",
            until=clock.due.isoformat(),
        )


GUARDS: dict[str, Guard] = {
    "papers_of_article_6": papers_of_article_6,
    "defence_heard": defence_heard,
    "not_a_handler": not_a_handler,
    "not_the_proposer": not_the_proposer,
    "no_day_before_the_rule": no_day_before_the_rule,
}
