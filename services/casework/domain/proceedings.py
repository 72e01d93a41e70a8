"""Decisions about a proceeding: opening it and taking a step, by the table of its procedure. Pure; the caller saves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from services.casework.domain.procedures import ClockWork, FieldRule, OpenRule, Procedure, StepRule, Version
from shared.rules import deadlines
from shared.rules.calendar import WorkingCalendar, local_day
from shared.rules.deadlines import Deadline, State
from shared.rules.law import LawBook, LimitInForce, UnknownRule
from shared.rules.plan import Plan

LONGEST_TEXT = 20_000
AHEAD = timedelta(minutes=5)
"""How far another machine's clock may be ahead of ours."""


class Refused(ValueError):
    """A step that cannot be taken: `code` for programs, `zh` and `en` for people; nothing was changed."""

    def __init__(self, code: str, zh: str, en: str, **more: Any) -> None:
        super().__init__(en)
        self.code, self.zh, self.en, self.more = code, zh, en, more


class Incomplete(ValueError):
    """What was sent misses or mistakes fields: name → what is wrong, in both languages."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = dict(fields)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a proceeding; `outside`: without an account here, the owner records what it answers."""

    agency: str
    unit: str | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another proceeding of the same case, as guards see it."""

    id: UUID
    kind: str
    state: str
    final: bool
    outcome: str | None
    facts: Mapping[str, Any]
    agency: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A step taken before: which, and by whom."""

    step: str
    actor: str


@dataclass(frozen=True, slots=True)
class Proceeding:
    """A proceeding as it stands. `clocks` are by their names in the procedure: for each name the latest."""

    id: UUID
    state: str
    owner: Side
    counterpart: Side | None
    facts: Mapping[str, Any]
    clocks: Mapping[str, Deadline] = field(default_factory=dict)
    history: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step: an agency (unit) with posts and rights; `office` when it acts for the plan's office; or the system."""

    id: str
    agency: str | None
    unit: str | None = None
    posts: tuple[str, ...] = ()
    office: bool = False
    party: bool = False
    system: bool = False
    rights: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a decision rests on beside the proceeding itself.

    `documents` are kinds issued for this proceeding; `siblings` the case's other proceedings; `day` the day whose law
    governs. `urgent` and `area` are the case's; `tallies` count what is kept in rows beside the proceeding (items of a
    measure by what became of them, fen of a penalty paid).
    """

    plan: Plan
    law: LawBook
    calendar: WorkingCalendar
    new_id: Callable[[], UUID]
    now: datetime
    siblings: tuple[Sibling, ...] = ()
    documents: frozenset[str] = frozenset()
    urgent: bool = False
    area: str | None = None
    tallies: Mapping[str, int] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The local day of the decision."""
        return local_day(self.now)

    def limit(self, rule: str, day: date | None = None) -> LimitInForce:
        """The rule in force. Raises `Refused` where it no longer is."""
        try:
            return self.plan.limit(rule, day or self.day, self.law)
        except UnknownRule as error:
            raise Refused(
                "no-rule", f"没有可适用的规定（{rule}），未保存。", f"no rule {rule} is in force; nothing was saved"
            ) from error


@dataclass(frozen=True, slots=True)
class Asked:
    """What a guard judges: the proceeding before the step, the facts after it, who asks, and the ground.

    `words` is the prose that is given with the step, by field.
    """

    procedure: Procedure
    version: Version
    proceeding: Proceeding
    step: str
    given: Mapping[str, Any]
    facts: Mapping[str, Any]
    actor: Actor
    ground: Ground
    words: Mapping[str, str] = field(default_factory=dict)


Guard = Callable[[Asked], "Mapping[str, Any] | None"]
"""Raises `Refused` for what may not be; what it finds out becomes facts, where the step declares them as derived."""


@dataclass(frozen=True, slots=True)
class ClockChange:
    """What became of a clock: `started`, `met`, `missed`, `cancelled`, `suspended`, `resumed` or `extended`."""

    name: str
    change: str
    deadline: Deadline
    side: Side


@dataclass(frozen=True, slots=True)
class Decision:
    """The state after the step, all facts, the prose of this step, and what became of the clocks."""

    state: str
    facts: Mapping[str, Any]
    words: Mapping[str, str]
    given: Mapping[str, Any]
    clocks: tuple[ClockChange, ...]


def decide_opening(
    procedure: Procedure, version: Version, proceeding: Proceeding, values: Mapping[str, Any], actor: Actor,
    ground: Ground, guards: Mapping[str, Guard],
) -> Decision:  # fmt: skip
    """Open a proceeding. Raises `Incomplete` or `Refused`."""
    rule = version.open
    owner_kind = ground.plan.agency(proceeding.owner.agency).kind
    if rule.by and owner_kind not in rule.by and not actor.system:
        raise Refused(
            "not-yours-to-open",
            f"{procedure.name.zh}不由本单位提出，未保存；可请 {'、'.join(_agencies(ground.plan, rule.by))} 办理。",
            f"{procedure.name.en} is not your agency's to open; nothing was saved",
        )
    if rule.right is not None and rule.right not in actor.rights and not actor.system:
        raise Refused(
            "not-yours-to-open", f"{procedure.name.zh}由打传办或领导小组提出，您的岗位没有这项权限；未保存。",
            f"{procedure.name.en} is for the office or the leaders to open; nothing was saved", right=rule.right,
        )
    _check_counterpart(procedure, proceeding, ground.plan)
    if procedure.single and any(one.kind == procedure.procedure and not one.final for one in ground.siblings):
        raise Refused(
            "open-already", f"本案已有正在办理的{procedure.name.zh}，未重复建立。",
            f"the case has an open {procedure.name.en} already; no second one was made",
        )
    given, words = _values(rule.fields, values, ground, lenient=actor.system)
    _approved(rule, actor, ground.plan)
    asked = Asked(procedure, version, proceeding, "open", given, dict(given), actor, ground, words)
    asked = _guarded(rule, guards, asked)
    given, facts = dict(asked.given), asked.facts
    clocks = _clocks(version, rule.clocks, proceeding, given, facts, ground)
    return Decision(version.initial, facts, words, given, clocks)


def decide_step(
    procedure: Procedure, version: Version, proceeding: Proceeding, step_id: str, values: Mapping[str, Any],
    actor: Actor, ground: Ground, guards: Mapping[str, Guard],
) -> Decision:  # fmt: skip
    """Take a step. Raises `Refused` (unknown, not possible now, another's, not approved, papers missing, a guard's
    reason) or `Incomplete`."""
    step = version.steps.get(step_id)
    if step is None:
        raise Refused("no-such-step", f"{procedure.name.zh}没有这一步。", f"{procedure.name.en} has no step {step_id}")
    if proceeding.state not in step.sources:
        said = version.states[proceeding.state].name
        raise Refused(
            "not-possible-now",
            f"现在是“{said.zh}”，不能“{step.name.zh}”；可办的有：{_names(version, proceeding.state, zh=True)}。",
            f"it is “{said.en}” and cannot “{step.name.en}”; possible: {_names(version, proceeding.state, zh=False)}",
            state=proceeding.state,
            possible=sorted(version.steps_from(proceeding.state)),
        )
    if not may_take(step, proceeding, actor):
        raise Refused(
            "not-yours", f"“{step.name.zh}”由另一方办理，未保存。",
            f"“{step.name.en}” is another side's step; nothing was saved",
        )
    _approved(step, actor, ground.plan)
    # what follows from another step rests on that one's papers
    missing = [] if actor.system else [one for one in step.needs if one not in ground.documents]
    if missing:
        raise Refused(
            "papers-missing", f"还缺文书：{'、'.join(missing)}；请先制作并签发。",
            f"documents are missing: {', '.join(missing)}; issue them first", documents=missing,
        )
    given, words = _values(step.fields, values, ground, lenient=actor.system)
    facts = {**proceeding.facts, **given}
    asked = Asked(procedure, version, proceeding, step_id, given, facts, actor, ground, words)
    asked = _guarded(step, guards, asked)
    given, facts = dict(asked.given), dict(asked.facts)
    clocks = _clocks(version, step.clocks, proceeding, given, facts, ground)
    return Decision(step.to or proceeding.state, facts, words, given, clocks)


def may_take(step: StepRule, proceeding: Proceeding, actor: Actor) -> bool:
    """Whether the step is this actor's; the owner records what a side without an account here answers."""
    if actor.system:
        return True

    def of(side: Side | None) -> bool:
        return side is not None and side.agency == actor.agency

    for by in step.by:
        if by == "owner" and of(proceeding.owner):
            return True
        if by == "counterpart" and (
            of(proceeding.counterpart)
            or (proceeding.counterpart is not None and proceeding.counterpart.outside and of(proceeding.owner))
        ):
            return True
        if (by == "office" and actor.office) or (by == "party" and actor.party):
            return True
        if by == "approver":  # whether the post may approve it is asked next, with an answer of its own
            return True
    return False


def side_of(plan: Plan, agency: str, unit: str | None = None) -> Side:
    """An agency as a side: what stands outside the plan has no account here."""
    inside = any(one.id == agency for one in plan.members)
    return Side(agency, unit, outside=not inside)


def decide_miss(
    version: Version, proceeding: Proceeding, name: str, now: datetime
) -> tuple[Deadline, str | None]:
    """A clock passed: the deadline after it, and the step the system takes then. Raises `DeadlineRefused`.

    A term is over at its last moment, and not missed.
    """
    rule = version.clocks.get(name)
    if rule is not None and rule.term:
        after, _ = deadlines.meet(proceeding.clocks[name], now=_not_before(proceeding.clocks[name], proceeding.clocks[name].due))
    else:
        after, _ = deadlines.miss(proceeding.clocks[name], now=now)
    step = rule.on_miss if rule else None
    return after, step if step and proceeding.state in version.steps[step].sources else None


def _check_counterpart(procedure: Procedure, proceeding: Proceeding, plan: Plan) -> None:
    rule, other = procedure.counterpart, proceeding.counterpart
    if rule is None:
        if other is not None:
            raise Refused("no-counterpart", f"{procedure.name.zh}没有对方单位。", f"{procedure.name.en} has no other side")
        return
    if other is None:
        if rule.required:
            raise Refused("counterpart-missing", "请写明对方单位；未保存。", "say which agency it goes to; nothing was saved")
        return
    if other.agency not in rule.others:
        try:
            kind = plan.agency(other.agency).kind
        except KeyError:
            raise Refused(
                "unknown-agency", "方案中没有这个单位；未保存。", "the plan has no such agency; nothing was saved"
            ) from None
        if (rule.kinds or rule.others) and kind not in rule.kinds:
            to = [*_agencies(plan, rule.kinds), *(one.zh for one in rule.others.values())]
            raise Refused(
                "wrong-counterpart", f"{procedure.name.zh}应送：{'、'.join(to) or '（方案中没有）'}；未保存。",
                f"{procedure.name.en} goes to {', '.join((*rule.kinds, *rule.others))}; nothing was saved",
            )
    if other.agency == proceeding.owner.agency and other.unit == proceeding.owner.unit:
        raise Refused("same-side", "对方就是本单位；未保存。", "both sides are the same; nothing was saved")


def _agencies(plan: Plan, kinds: tuple[str, ...]) -> list[str]:
    return [agency.name.zh for agency in plan.agencies if agency.kind in kinds]


def _names(version: Version, state: str, *, zh: bool) -> str:
    steps = version.steps_from(state).values()
    return ("、" if zh else ", ").join(step.name.zh if zh else step.name.en for step in steps) or ("无" if zh else "none")


def _approved(rule: StepRule | OpenRule, actor: Actor, plan: Plan) -> None:
    if rule.approval is None or actor.system:
        return
    if not plan.may_approve(actor.posts, rule.approval):
        posts = [post for post in plan.posts if rule.approval in post.approves]
        raise Refused(
            "approval-needed",
            f"这一步须由有审批权的岗位办理（{'、'.join(post.name.zh for post in posts) or '方案未设'}）；未保存。",
            f"this step is for a post that may approve it ({', '.join(post.name.en for post in posts) or 'none in the plan'})",
            approval=rule.approval,
        )


def _guarded(rule: StepRule | OpenRule, guards: Mapping[str, Guard], asked: Asked) -> Asked:
    """What was asked, with what the guards found out; each guard sees what those before it found."""
    for name in rule.guards:
        found = guards[name](asked) or {}
        kept = {k: v for k, v in found.items() if (known := rule.fields.get(k)) is not None and known.derived}
        if kept:
            asked = replace(asked, given={**asked.given, **kept}, facts={**asked.facts, **kept})
    return asked


def _values(
    rules: Mapping[str, FieldRule], values: Mapping[str, Any], ground: Ground, *, lenient: bool = False
) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts and the prose among what was sent, each in its plain form. Raises `Incomplete`."""
    wrong: dict[str, str] = {}
    given: dict[str, Any] = {}
    words: dict[str, str] = {}
    for name in values.keys() - rules.keys():
        wrong[name] = "没有这一项 / there is no such field"
    for name, rule in rules.items():
        value = values.get(name)
        if rule.derived:
            if value not in (None, ""):
                wrong[name] = "这一项由系统得出，不用填 / this is worked out, not typed in"
            continue
        if value is None or value == "" or value == []:
            if rule.required and not lenient:
                wrong[name] = f"请填写{rule.name.zh} / {rule.name.en} is missing"
            continue
        try:
            if rule.many:
                items = value if isinstance(value, list) else [value]
                if len(items) > 500:
                    raise ValueError("最多 500 项 / at most 500")
                plain: Any = [_plain(rule, one, ground) for one in items]
            else:
                plain = _plain(rule, value, ground)
        except (ValueError, TypeError, InvalidOperation) as error:
            wrong[name] = str(error) if "/" in str(error) else "格式不对 / not a value of this kind"
            continue
        if rule.type == "text":
            words[name] = plain
        else:
            given[name] = plain
    if wrong:
        raise Incomplete(wrong)
    return given, words


def _plain(rule: FieldRule, value: Any, ground: Ground) -> Any:
    if rule.type == "bool":
        said = {"true": True, "on": True, "1": True, "false": False, "0": False}.get(str(value).lower())
        return said if said is not None else _wrong("是或否 / yes or no")
    if rule.type == "int":
        if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
            _wrong("请填整数 / a whole number")
        number = int(str(value).strip()) if not isinstance(value, int) else value
        _in_range(rule, Decimal(number), ground)
        return number
    if rule.type == "yuan":
        amount = Decimal(str(value).strip())
        if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15 or amount != amount.quantize(Decimal("0.01")):
            _wrong("金额以元计，最多两位小数 / yuan with at most two decimals")
        _in_range(rule, amount, ground, least=Decimal(0))
        return str(amount.quantize(Decimal("0.01")))
    if rule.type in ("date", "datetime"):
        return _moment(rule, str(value).strip(), ground)
    text = str(value).strip() if isinstance(value, (str, UUID)) else _wrong("请填文字 / text")
    if "\0" in text:
        _wrong("有不能保存的字符 / a character that cannot be kept")
    if rule.type == "text":
        if len(text) > LONGEST_TEXT:
            _wrong(f"最多 {LONGEST_TEXT} 字 / at most {LONGEST_TEXT} characters")
        return text
    if rule.type == "code":
        if text not in rule.choices:
            _wrong(f"请从所列选项中选择：{'、'.join(rule.choices)} / one of {', '.join(rule.choices)}")
        return text
    if rule.type == "agency":
        kind = next((agency.kind for agency in ground.plan.agencies if agency.id == text), None)
        if kind is None:
            _wrong("方案中没有这个单位 / no such agency in the plan")
        if rule.kinds and kind not in rule.kinds:
            may = "、".join(_agencies(ground.plan, rule.kinds)) or "（方案中没有）"
            _wrong(f"应是：{may} / an agency of kind {', '.join(rule.kinds)}")
        return text
    if rule.type == "area":
        if text not in {area.id for area in ground.plan.areas}:
            _wrong("方案中没有这个地区 / no such area in the plan")
        return text
    if rule.type in ("object", "place"):
        return str(UUID(text))
    if len(text) > 80:
        _wrong("最多 80 字 / at most 80 characters")
    return text


def _wrong(what: str) -> Any:
    raise ValueError(what)


def _in_range(rule: FieldRule, value: Decimal, ground: Ground, least: Decimal | None = None) -> None:
    low = Decimal(rule.at_least) if rule.at_least is not None else least
    high = Decimal(rule.at_most) if rule.at_most is not None else None
    if rule.limit is not None:
        limit = ground.limit(rule.limit).limit
        low = Decimal(str(limit.at_least)) if limit.at_least is not None else low
        high = Decimal(str(limit.at_most)) if limit.at_most is not None else high
    if low is not None and value < low:
        _wrong(f"不能少于 {low} / not below {low}")
    if high is not None and value > high:
        _wrong(f"不能多于 {high} / not above {high}")


def _moment(rule: FieldRule, text: str, ground: Ground) -> str:
    if rule.type == "date":
        day = date.fromisoformat(text)
        if day.year < 1949:
            _wrong("日期太早 / too early")
        if rule.past and day > ground.day:
            _wrong("日期不能晚于今天 / not later than today")
        return day.isoformat()
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=deadlines.SHANGHAI)
    if at.year < 1949:
        _wrong("时间太早 / too early")
    if rule.past and at > ground.now + AHEAD:
        _wrong("时间不能晚于现在 / not later than now")
    return at.isoformat()


def _clocks(
    version: Version, work: ClockWork, proceeding: Proceeding, given: Mapping[str, Any], facts: Mapping[str, Any],
    ground: Ground,
) -> tuple[ClockChange, ...]:  # fmt: skip
    changes: list[ClockChange] = []

    def change(name: str, what: str, deadline: Deadline) -> None:
        changes.append(ClockChange(name, what, deadline, _keeper(version, name, proceeding, ground.plan)))

    def open_one(name: str) -> Deadline | None:
        known = proceeding.clocks.get(name)
        return known if known and known.state in (State.RUNNING, State.SUSPENDED, State.MISSED) else None

    for name in work.meet:
        if known := open_one(name):
            over = version.clocks[name].term and known.state is State.RUNNING
            now = _not_before(known, min(ground.now, known.due) if over else ground.now)
            after, _ = deadlines.meet(known, now=now)
            if after.state is State.MET_LATE and known.state is State.RUNNING:
                change(name, "missed", after)
            change(name, "met", after)
    for name in work.cancel:
        if known := open_one(name):
            after, _ = deadlines.cancel(known, reason="", now=_not_before(known, ground.now))
            change(name, "cancelled", after)
    for name in work.suspend:
        known = open_one(name)
        if known and known.state is State.RUNNING and ground.now <= known.due:
            after, _ = deadlines.suspend(known, reason="step", now=_not_before(known, ground.now))
            change(name, "suspended", after)
    for name in work.resume:
        known = open_one(name)
        if known and known.state is State.SUSPENDED:
            after, _ = deadlines.resume(known, now=_not_before(known, ground.now), calendar=ground.calendar)
            change(name, "resumed", after)
    for name in work.extend:
        change(name, "extended", _extended(name, open_one(name), ground))
    for old, new in work.replace.items():
        if known := open_one(old):
            ended, _ = deadlines.cancel(known, reason=new, now=_not_before(known, ground.now))
            change(old, "cancelled", ended)
            change(new, "started", _goes_on(known, new, version.clocks[new].rule, ground))
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
        now=_not_before(known, ground.now), calendar=ground.calendar,
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


def _keeper(version: Version, name: str, proceeding: Proceeding, plan: Plan) -> Side:
    by = version.clocks[name].by
    if by == "office":
        unit = next((one.id for one in plan.agency(plan.office).units if one.id == "office"), None)
        return Side(plan.office, unit)
    if by == "counterpart" and proceeding.counterpart is not None:
        return proceeding.counterpart
    return proceeding.owner


def _not_before(deadline: Deadline, at: datetime) -> datetime:
    # another machine's clock may be a little behind ours: a history never runs backwards
    return max(at, deadline.history[-1].at) if deadline.history else at


__all__ = [
    "Actor", "Asked", "ClockChange", "Decision", "Ground", "Guard", "Incomplete", "Proceeding", "Refused", "Sibling",
    "Side", "Taken", "decide_miss", "decide_opening", "decide_step", "may_take", "side_of",
]
