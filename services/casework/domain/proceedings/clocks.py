"""What a step does to the clocks of its proceeding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.casework.domain.procedures import ClockWork, Version
from services.casework.domain.proceedings.parts import ClockChange, Ground, Proceeding, Refused, Side
from shared.rules import deadlines
from shared.rules.calendar import local_day
from shared.rules.deadlines import Deadline, State
from shared.rules.law import Unit
from shared.rules.plan import Plan


def clocks_of(
    version: Version, work: ClockWork, proceeding: Proceeding, given: Mapping[str, Any], facts: Mapping[str, Any],
    ground: Ground,
) -> tuple[ClockChange, ...]:  # fmt: skip
    changes: list[ClockChange] = []

    def change(name: str, what: str, deadline: Deadline) -> None:
        changes.append(ClockChange(name, what, deadline, _keeper(version, name, proceeding, ground.plan)))

    def open_one(name: str) -> Deadline | None:
        known = proceeding.clocks.get(name)
        return known if known and known.state in (State.RUNNING, State.SUSPENDED, State.MISSED) else None

    def meet(name: str, known: Deadline) -> None:
        over = version.clocks[name].term and known.state is State.RUNNING
        now = not_before(known, min(ground.now, known.due) if over else ground.now)
        after, _ = deadlines.meet(known, now=now)
        if after.state is State.MET_LATE and known.state is State.RUNNING:
            change(name, "missed", after)
        change(name, "met", after)

    for name in work.meet:
        if known := open_one(name):
            meet(name, known)
    for name in work.cancel:
        if known := open_one(name):
            after, _ = deadlines.cancel(known, reason="", now=not_before(known, ground.now))
            change(name, "cancelled", after)
    for name in work.suspend:
        known = open_one(name)
        if known and known.state is State.RUNNING and ground.now <= known.due:
            after, _ = deadlines.suspend(known, reason="step", now=not_before(known, ground.now))
            change(name, "suspended", after)
    for name in work.resume:
        known = open_one(name)
        if known and known.state is State.SUSPENDED:
            after, _ = deadlines.resume(known, now=not_before(known, ground.now), calendar=ground.calendar)
            change(name, "resumed", after)
    for name in work.extend:
        change(name, "extended", _extended(name, open_one(name), ground))
    for old, new in work.replace.items():
        if known := open_one(old):
            ended, _ = deadlines.cancel(known, reason=new, now=not_before(known, ground.now))
            change(old, "cancelled", ended)
            change(new, "started", _goes_on(known, new, version.clocks[new].rule, ground))
    for name, fact in work.until.items():
        known, day = open_one(name), facts.get(fact)
        if known and day == local_day(known.due).isoformat():
            continue
        if known:
            meet(name, known)
        if day:
            change(name, "started", _up_to(name, version.clocks[name].rule, date.fromisoformat(day), ground))
    start = ground.now
    if work.started_at is not None and (told := given.get(work.started_at)):
        start = datetime.fromisoformat(told) if "T" in told else datetime.fromisoformat(told).replace(tzinfo=deadlines.SHANGHAI)
    for name in work.start:
        rule = version.clocks[name]
        wanted = rule.major if rule.major and facts.get("major") is True else rule.rule
        limit = ground.limit(wanted, local_day(start))
        deadline, _ = deadlines.open_deadline(
            id=str(ground.new_id()), kind=name, rule=limit, start=start, calendar=ground.calendar
        )
        change(name, "started", deadline)
    return tuple(changes)


def _extended(name: str, known: Deadline | None, ground: Ground) -> Deadline:
    if known is None:
        raise Refused("no-clock", "没有正在计算的期限可以延长；未保存。", "no clock is running that could be extended")
    allowed = ground.limit(known.rule_id, local_day(known.start)).limit.extensions
    done = len(known.extensions)
    if done >= len(allowed):
        raise Refused(
            "no-extension",
            f"{known.article}未允许{'再次' if done else ''}延长；未保存。",
            f"{known.article} allows no {'further ' if done else ''}extension; nothing was saved",
        )
    if known.state is State.MISSED or (known.state is State.RUNNING and ground.now > known.due):
        raise Refused("past-due", "期限已过，不能延长；未保存。", "the time has passed and cannot be extended")
    extension = allowed[done]
    after, _ = deadlines.extend(
        known, amount=extension.amount, approver=extension.approver.zh, reason=extension.article or known.article,
        now=not_before(known, ground.now), calendar=ground.calendar,
    )
    return after


def _goes_on(known: Deadline, name: str, rule: str, ground: Ground) -> Deadline:
    """The time of a clock under another rule: from the same start, without what was suspended."""
    if known.state is State.MISSED or (known.state is State.RUNNING and ground.now > known.due):
        raise Refused("past-due", "期限已过，不能延长；未保存。", "the time has passed and cannot be extended")
    limit = ground.limit(rule, local_day(known.start))
    fresh, _ = deadlines.open_deadline(
        id=str(ground.new_id()), kind=name, rule=limit, start=known.start, calendar=ground.calendar
    )
    ended = tuple(pause for pause in known.suspensions if pause.end is not None)
    if not ended:
        return fresh
    after, _ = deadlines.recompute(replace(fresh, suspensions=ended), calendar=ground.calendar, now=ground.now)
    return after


def _up_to(name: str, rule: str, last: date, ground: Ground) -> Deadline:
    """A clock to the end of a day that a decision set, under the rule that lets it."""
    limit = ground.limit(rule, ground.day)
    days = max((last - ground.day).days, 0)
    fixed = replace(limit, limit=limit.limit.model_copy(update={"amount": days, "unit": Unit.CALENDAR_DAYS, "rolls": False}))
    deadline, _ = deadlines.open_deadline(
        id=str(ground.new_id()), kind=name, rule=fixed, start=ground.now, calendar=ground.calendar
    )
    return deadline


def _keeper(version: Version, name: str, proceeding: Proceeding, plan: Plan) -> Side:
    by = version.clocks[name].by
    if by == "office":
        unit = next((one.id for one in plan.agency(plan.office).units if one.id == "office"), None)
        return Side(plan.office, unit)
    if by == "counterpart" and proceeding.counterpart is not None:
        return proceeding.counterpart
    return proceeding.owner


def not_before(deadline: Deadline, at: datetime) -> datetime:
    """A moment that a clock's history can take."""
    # another machine's clock may be a little behind ours: a history never runs backwards
    return max(at, deadline.history[-1].at) if deadline.history else at
