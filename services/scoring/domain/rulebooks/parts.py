"""The parts a rulebook is made of. All frozen; unknown keys are refused.

`clause` names the row of the plan's clauses or the article that a part rests on; `assumed` marks what no text gives.
Points are decimal numbers; what a figure line gives is in `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, model_validator

from services.scoring.domain.rulebooks.vocabulary import NOT_DEADLINES
from shared.rules.law import Text
from shared.rules.plan.parts import Code, Id, Named, Part


def _decimal(value: Any) -> Any:
    """0.1 in a file means one tenth, not its binary neighbour."""
    if isinstance(value, bool):
        raise ValueError("应是数字 / must be a number")
    return Decimal(repr(value)) if isinstance(value, int | float) else value


Points = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    PlainSerializer(lambda value: f"{value:f}", return_type=str, when_used="json"),
    Field(allow_inf_nan=False, max_digits=12, decimal_places=4),
]
Subject = Literal["town", "community", "agency", "unit", "post"]
MonthDay = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]


class Bound(Part):
    """A bound on a number among the facts: at least, and below."""

    at_least: Points | None = None
    below: Points | None = None

    @model_validator(mode="after")
    def _something(self) -> Bound:
        if self.at_least is None and self.below is None:
            raise ValueError("要写 at_least 或 below / give at_least or below")
        return self

    def holds(self, value: Any) -> bool:
        """Whether the number is within; what is no number is not."""
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return False
        number = _decimal(value)
        return (self.at_least is None or number >= self.at_least) and (self.below is None or number < self.below)


Wanted = Bound | bool | int | str | tuple[str, ...]


class FigureStep(Part):
    """What a figure of at least so much is worth; without `at_least`: all others."""

    at_least: Points | None = None
    points: Points


class Line(Part):
    """One line: what an outcome, a confirmed condition or a figure gives or takes.

    `on` is the kind of a deadline (acceptance, report, …) with its `outcome`, or finding with its `condition`, or
    figure with its `figure` and `steps`, or decision with its `decision`. `where`: facts that must hold, too (`found:
    self`); the first line that fits counts. `cap`: the most it gives or takes in a period. `veto`: the whole is lost.
    `bonus`: stands outside its section's cap.
    """

    id: Id
    on: Code
    text: Text
    points: Points | None = None
    section: Id | None = None
    subjects: tuple[Subject, ...] = ()
    outcome: Literal["met", "met_late", "missed"] | None = None
    condition: Id | None = None
    figure: Code | None = None
    decision: Code | None = None
    steps: tuple[FigureStep, ...] = ()
    where: Mapping[str, Wanted] = {}
    cap: Points | None = None
    veto: bool = False
    bonus: bool = False
    clause: str | None = None
    assumed: bool = False
    note: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Line:
        needed = {"finding": "condition", "figure": "figure", "decision": "decision"}.get(self.on, "outcome")
        given = [name for name in ("outcome", "condition", "figure", "decision") if getattr(self, name) is not None]
        if given != [needed]:
            raise ValueError(f"on: {self.on} 要写 {needed}，且只写它 / on: {self.on} needs {needed} and nothing else")
        if bool(self.steps) == (self.points is not None) or (self.steps and self.on != "figure"):
            raise ValueError("写 points；on: figure 时写 steps / give points, or steps with on: figure")
        if self.cap is not None and self.cap < 0:
            raise ValueError("cap 写成正数 / cap is a positive number")
        bounds = [step.at_least for step in self.steps[:-1]]
        if None in bounds or bounds != sorted(bounds, reverse=True):  # type: ignore[type-var]
            raise ValueError(
                "steps 从高到低排，没有 at_least 的放最后 / order steps from high to low, the open one last"
            )
        return self

    @property
    def matches(self) -> tuple[str, str]:
        """What it answers to: the kind and the outcome, condition, figure or decision."""
        return self.on, str(self.outcome or self.condition or self.figure or self.decision)

    @property
    def of_deadline(self) -> bool:
        """Whether it scores obligations."""
        return self.on not in NOT_DEADLINES

    def fits(self, facts: Mapping[str, Any]) -> bool:
        """Whether the facts are those it asks for."""
        for name, wanted in self.where.items():
            value = facts.get(name)
            if isinstance(wanted, Bound):
                if not wanted.holds(value):
                    return False
            elif isinstance(wanted, tuple):
                if value not in wanted:
                    return False
            elif value != wanted or isinstance(value, bool) != isinstance(wanted, bool):
                return False
        return True

    def worth(self, facts: Mapping[str, Any] | None = None) -> Decimal:
        """The points; of a figure line by the fact `value` (0 where no step fits)."""
        if self.points is not None:
            return self.points
        value = _decimal((facts or {}).get("value"))
        if value is None:
            return Decimal(0)
        return next((step.points for step in self.steps if step.at_least is None or value >= step.at_least), Decimal(0))


class Section(Named):
    """A part of the whole. `cap` and `floor` bound what its lines add up to; `base` is where it starts; `weight` is its factor."""

    weight: Points = Decimal(1)
    base: Points = Decimal(0)
    cap: Points | None = None
    floor: Points | None = None


class Scale(Part):
    """Where a score starts, its bounds, and how it is rounded (half up, to `places` decimals)."""

    base: Points = Decimal(0)
    least: Points | None = None
    most: Points | None = None
    places: int = Field(default=2, ge=0, le=4)
    after_veto: Points | None = None
    clause: str | None = None
    assumed: bool = False


class Weight(Part):
    """What the score counts for in a whole that others keep (1 of 100 points of the yearly assessment, D-C1)."""

    points: Points
    out_of: Points
    whole: Text
    clause: str | None = None
    assumed: bool = False


class Period(Part):
    """The year of the assessment: from `starts` (month-day) to the day before the next."""

    starts: MonthDay = "01-01"
    clause: str | None = None
    assumed: bool = False


class SelfScore(Part):
    """Who scores himself first: by when, and by when it is handed in; both month-day of the period's last year."""

    by: MonthDay
    submit_by: MonthDay
    to: Code
    clause: str | None = None
    assumed: bool = False


class Band(Named):
    """A grade: scores of at least so much (none: all others)."""

    at_least: Points | None = None


class Detector(Part):
    """What finds a condition in the event log, with the numbers it goes by (`hours`, `days`, `count`)."""

    id: Code
    by: Mapping[str, bool | int | str | tuple[str, ...]] = {}
    clause: str | None = None
    assumed: bool = False


class Condition(Named):
    """A situation that costs points and starts the ladder. `subjects`: who answers for it."""

    found_by: Literal["events", "person", "both"] = "both"
    detectors: tuple[Detector, ...] = ()
    subjects: tuple[Subject, ...] = ()


class Procedure(Part):
    """How a finding is heard: days to answer, days to appeal after a decision, days to decide an appeal."""

    answer_days: int = Field(default=5, gt=0)
    appeal_days: int = Field(default=15, gt=0)
    decide_days: int = Field(default=10, gt=0)
    clause: str | None = None
    assumed: bool = False


class Trigger(Part):
    """What proposes a tool; all that is given must hold. `findings`: so many confirmed in the period, `of` these
    conditions (none: any); `score_below`; `after`: the subject has had that tool in the period; `veto`: a veto line."""

    findings: int | None = Field(default=None, gt=0)
    of: tuple[Id, ...] = ()
    score_below: Points | None = None
    after: Id | None = None
    veto: bool = False

    @model_validator(mode="after")
    def _something(self) -> Trigger:
        if self.findings is None and self.score_below is None and self.after is None and not self.veto:
            raise ValueError("触发条件是空的 / the trigger is empty")
        return self


class Rectification(Part):
    """What must be put right and by when; `report_to`: who checks it."""

    days: int = Field(gt=0)
    report_to: Code | None = None
    clause: str | None = None
    assumed: bool = False


class LadderStep(Named):
    """One tool (政策工具). The order of the ladder is the order of the list. Any one of `triggers` proposes it.

    `approval`: a word of the plan's approvals; `days`: how long it stands (none: until lifted); `blocks`: what is kept
    from the subject meanwhile.
    """

    subjects: tuple[Subject, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    approval: Code = "sanction.decide"
    notice_to: tuple[Code, ...] = ()
    days: int | None = Field(default=None, gt=0)
    rectification: Rectification | None = None
    blocks: tuple[Code, ...] = ()
    public: bool = False
    lifting: Literal["by-time", "by-inspection", "by-decision"] = "by-decision"


class Needed(Part):
    """What a figure must reach: `at_least` or `at_most`, over so many months back where that matters."""

    figure: Code
    at_least: Points | None = None
    at_most: Points | None = None
    months: int | None = Field(default=None, gt=0)


class Indicator(Named):
    """One item of a standard. `evidence`: where it comes from; `needs`: what its figure must reach; `veto`: no pass without it."""

    section: Id | None = None
    points: Points = Decimal(0)
    evidence: tuple[Code, ...] = ()
    needs: Needed | None = None
    veto: bool = False


class Programme(Named):
    """A step of the creation programme: whose it is, and how many days after the start it is due."""

    by: Code
    days: int | None = Field(default=None, gt=0)


class Sample(Part):
    """How many are inspected: a percentage, but at least so many, of what."""

    of: Code
    percent: Points
    at_least: int = Field(ge=1)
    clause: str | None = None
    assumed: bool = False


class Standard(Named):
    """A certificate's standard (无传销社区、无传销镇区): its indicators, pass mark, programme, sample, what suspends it."""

    subject: Subject
    due: MonthDay | None = None
    months: int | None = Field(default=None, gt=0)
    pass_mark: Points | None = None
    indicators: tuple[Indicator, ...] = Field(min_length=1)
    programme: tuple[Programme, ...] = ()
    sample: tuple[Sample, ...] = ()
    suspended_by: tuple[Id, ...] = ()
    restored_after_days: int | None = Field(default=None, gt=0)
    decided_by: Code = "report.issue"
    to: Code | None = None


class Department(Part):
    """A department's own sheet: the duties it is assessed by (ids of the plan), and its weight among departments."""

    agency: Id | None = None
    kind: Code | None = None
    weight: Points = Decimal(1)
    duties: tuple[Id, ...] = ()
    clause: str | None = None
    assumed: bool = False

    @model_validator(mode="after")
    def _one(self) -> Department:
        if (self.agency is None) == (self.kind is None):
            raise ValueError("agency 与 kind 二选一 / give agency or kind")
        return self


class Measure(Named):
    """A reward or penalty (奖惩). `when`: in words; `score_at_least`, `score_below`, `conditions`: what the system can tell."""

    kind: Literal["reward", "penalty", "accountability"]
    subjects: tuple[Subject, ...]
    when: Text
    score_at_least: Points | None = None
    score_below: Points | None = None
    conditions: tuple[Id, ...] = ()
    yuan: int | None = Field(default=None, ge=0)
    fund: Id | None = None
    approval: Code = "sanction.decide"
    to: tuple[Id, ...] = ()
