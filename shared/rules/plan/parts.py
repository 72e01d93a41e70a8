"""The parts a plan is made of. All frozen; unknown keys are refused; ids are short lower-case codes.

``clause`` names the row of the clause list (X… Xiyuan, D… Dayong) that a part comes from. ``assumed`` marks what the
plan's text does not say.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.rules.law import Limit, Text
from shared.rules.plan.dates import FromDate, ToDate

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Named(Part):
    id: Id
    name: Text
    clause: str | None = None
    assumed: bool = False
    note: Text | None = None


class Assumption(Part):
    """Something the plan's text leaves open, what was taken instead, and why."""

    what: Text
    why: Text


class Post(Named):
    """A function in a body or an agency, never a person's name. ``approves``: see vocabulary.APPROVALS."""

    body: Id | None = None
    approves: tuple[Code, ...] = ()


class Body(Named):
    """Leading group, joint conference, its office, or a squad. ``host``: the agency that hosts an office."""

    kind: Literal["leading_group", "joint_conference", "office", "squad", "mechanism"]
    host: Id | None = None
    members: tuple[Id, ...] = ()


class AgencyUnit(Named):
    """A unit inside an agency. ``role`` says what the plan gives it to do."""

    role: Text | None = None


class Agency(Named):
    """A department, station or community. ``external``: above or outside the plan's own bodies, never routed to."""

    kind: Code
    aliases: tuple[str, ...] = ()
    units: tuple[AgencyUnit, ...] = ()
    area: Id | None = None
    external: bool = False

    def unit(self, unit_id: str) -> AgencyUnit | None:
        """The unit with this id, or None."""
        return next((unit for unit in self.units if unit.id == unit_id), None)


class Area(Named):
    """Town or subdistrict, community, estate. ``code``: GB/T 2260 style where known. ``aliases``: as people write."""

    level: Literal["city", "district", "town", "subdistrict", "community", "estate"]
    parent: Id | None = None
    code: Annotated[str, StringConstraints(pattern=r"^\d{6}(\d{3}(\d{3})?)?$")] | None = None
    aliases: tuple[Annotated[str, StringConstraints(min_length=2)], ...] = ()


class Duty(Part):
    """What a clause asks of agencies (by id or kind), of which unit, and in which phases (none = at all times)."""

    id: Id
    clause: str
    text: Text
    agencies: tuple[Id, ...] = ()
    kinds: tuple[Code, ...] = ()
    units: tuple[Id, ...] = ()
    phases: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _someone(self) -> Duty:
        if not self.agencies and not self.kinds:
            raise ValueError("要写 agencies 或 kinds：谁来做 / give agencies or kinds: whose duty it is")
        return self


class Phase(Named):
    """A phase with its first and last day, both inclusive. ``as_written``: the plan's own words for the dates."""

    first: FromDate = Field(alias="from")
    last: ToDate = Field(alias="to")
    as_written: str | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Phase:
        if self.first > self.last:
            raise ValueError("from 晚于 to / from is after to")
        return self


class Milestone(Named):
    """A single dated thing: a summary, a recognition. ``to``: who receives it."""

    due: ToDate
    by: tuple[Id, ...] = ()
    to: Id | None = None


class ReportingRule(Part):
    """The rule as written; `Reporting.dates` win over it."""

    every_weeks: int = Field(gt=0)
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    starts: FromDate


class Reporting(Part):
    """Who reports to whom and when. ``dates`` are explicit and win; ``rule`` is kept as the plan words it.

    ``remind_days``: so many days before a report is due, who owes it is told.
    """

    clause: str | None = None
    by: Literal["members", "listed"] = "members"
    agencies: tuple[Id, ...] = ()
    to: Id
    dates: tuple[FromDate, ...] = ()
    rule: ReportingRule | None = None
    named_reporter: bool = False
    late_counts_from: FromDate | None = None
    remind_days: int = Field(default=3, ge=0, le=30)
    assumed: bool = False


class Interval(Part):
    """How often: every so many days, weeks, half months or months (one of them)."""

    days: int | None = Field(default=None, gt=0)
    weeks: int | None = Field(default=None, gt=0)
    half_months: int | None = Field(default=None, gt=0)
    months: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one(self) -> Interval:
        if sum(value is not None for value in (self.days, self.weeks, self.half_months, self.months)) != 1:
            raise ValueError("days、weeks、half_months、months 只写一个 / give exactly one of them")
        return self


class PatrolTier(Named):
    """A tier of rental units and how often it is patrolled. ``after_den``: the tier a unit falls to."""

    every: Interval
    by: Id
    report_to: Id
    after_den: bool = False


class PatrolRules(Part):
    """``offline_hours``: how long a check-in may wait in a phone without a net and still count when it was made."""

    offline_hours: int = Field(default=72, ge=0, le=720)
    clause: str | None = None
    assumed: bool = False


class Activity(Named):
    """A recurring thing the plan schedules: meeting, broadcast, text message, campaign."""

    kind: Literal["meeting", "broadcast", "sms", "campaign", "survey", "creation"]
    every: Interval | None = None
    times: int = 1
    first: FromDate | None = Field(default=None, alias="from")
    last: ToDate | None = Field(default=None, alias="to")
    by: Id
    places: tuple[Text, ...] = ()


class Fund(Named):
    """A fund line. ``yuan`` is empty when the plan names no sum."""

    yuan: int | None = Field(default=None, ge=0)
    keeper: Id
    purposes: tuple[Text, ...] = ()
    pays_rewards: bool = False


class ControlLevel(Named):
    """One level of the three-level prevention system (D-M3): which areas, which agencies, which patrol forces."""

    area_level: Literal["town", "subdistrict", "community", "estate"]
    agencies: tuple[Id, ...] = ()
    kinds: tuple[Code, ...] = ()
    forces: tuple[Text, ...] = ()


class When(Part):
    """Conditions of a routing rule; all that are given must hold. None given = always."""

    relevant: bool | None = None
    urgent: bool | None = None
    kinds_any: tuple[Code, ...] = ()
    kinds_all: tuple[Code, ...] = ()
    channels: tuple[Code, ...] = ()
    area: Literal["missing", "known"] | None = None
    areas: tuple[Id, ...] = ()


class Target(Part):
    agency: Id
    unit: Id | None = None


class PartyLine(Target):
    role: Literal["lead", "co", "coordinator"]


class RoutingRule(Part):
    """An ordered rule: the first whose conditions hold decides. ``refer`` sends an irrelevant matter to its place.

    ``dispatch``: a further unit of the same agency that is alerted at once (the police command centre).
    """

    id: Id
    clause: str | None = None
    when: When = When()
    to: Target | None = None
    dispatch: Id | None = None
    refer: bool = False
    parties: tuple[PartyLine, ...] = ()
    reason: Text
    assumed: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> RoutingRule:
        if self.refer == (self.to is not None):
            raise ValueError("to 与 refer: true 二选一 / give either to or refer: true")
        return self


class Referral(Part):
    """Where a matter belongs that is not pyramid selling, in plain words."""

    topic: Code
    place: Text


class AcceptanceLine(Part):
    """Which rule governs acceptance by an agency (or kind; neither = all others), urgent or not (empty = both)."""

    agency: Id | None = None
    kind: Code | None = None
    urgent: bool | None = None
    rule: Code


class Deadlines(Part):
    """Rules of acceptance, further clocks by name, and the plan's own limits (dated like the law's)."""

    acceptance: tuple[AcceptanceLine, ...] = ()
    clocks: dict[str, Code] = {}
    limits: tuple[Limit, ...] = ()


class ScoreLine(Part):
    """What one outcome of a clock is worth to the unit. ``on``: acceptance, triage, report, …"""

    id: Id
    on: Code
    outcome: Literal["met", "met_late", "missed"]
    points: int
    text: Text
    clause: str | None = None
    assumed: bool = False


class Condition(Named):
    """One of the situations that cost assessment points and start the ladder (D-Q1)."""

    found_by: Literal["events", "person", "both"] = "both"


class LadderStep(Named):
    """One tool of the ladder, from mild to grave (D-Q1)."""


class Assessment(Part):
    """What the plan says of assessment: its weight, the situations, the ladder, who follows up accountability."""

    clause: str | None = None
    weight: int | None = None
    out_of: int | None = None
    conditions: tuple[Condition, ...] = ()
    ladder: tuple[LadderStep, ...] = ()
    accountability_to: tuple[Id, ...] = ()
    indicators_assumed: bool = False


class Scoring(Part):
    lines: tuple[ScoreLine, ...] = ()
    assessment: Assessment | None = None


class Grantee(Part):
    """Who a grant is for; all that are given must hold. ``everyone`` stands alone for every signed-in member."""

    everyone: bool = False
    agencies: tuple[Id, ...] = ()
    kinds: tuple[Code, ...] = ()
    posts: tuple[Id, ...] = ()
    duties: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _somebody(self) -> Grantee:
        given = bool(self.agencies or self.kinds or self.posts or self.duties)
        if given == self.everyone:
            raise ValueError(
                "写明给谁：agencies、kinds、posts、duties，或单独写 everyone: true"
                " / say to whom, or everyone: true alone"
            )
        return self


class Grant(Part):
    """Rights given to those who fit; anything not given is denied."""

    id: Id
    to: Grantee
    rights: dict[str, str] = Field(min_length=1)
    clause: str | None = None
    assumed: bool = False
