"""`Plan`: one town's or subdistrict's plan as the services read it. Built by `load_plan`, never changed after."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Literal

from ahocorasick_rs import AhoCorasick
from pydantic import BaseModel, ConfigDict, Field

from shared.rules.law import LawBook, LimitInForce, LimitTable, Text
from shared.rules.plan import parts as p
from shared.rules.plan.conditions import FindingRules
from shared.rules.plan.dates import FromDate
from shared.rules.plan.delivery import DeliveryRules
from shared.rules.plan.documents import DocumentRules
from shared.rules.plan.handover import HandoverRules
from shared.rules.plan.ladder import LadderRules, Reminders
from shared.rules.plan.leads import LeadRules
from shared.rules.plan.major import MajorRules
from shared.rules.plan.publicity import PublicityRules
from shared.rules.plan.revisits import Revisits
from shared.rules.plan.rewards import Rewards
from shared.rules.plan.routing import Routing, RoutingFacts, decide
from shared.rules.plan.vocabulary import REACHES

_REACH_ORDER = {reach: index for index, reach in enumerate(REACHES)}
_CACHE_LIMIT = 10_000


class Plan(BaseModel):
    """A validated plan: cross references hold, so the look-ups below do not fail on ids taken from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: p.Id
    name: Text
    level: Literal["town", "subdistrict", "district", "city"]
    version: str = "1"
    issued: FromDate | None = None
    year: int | None = Field(default=None, ge=1990, le=2100)
    year_assumed: bool = False
    time_zone: Literal["Asia/Shanghai"] = "Asia/Shanghai"
    source: Text | None = None
    goals: tuple[p.Duty, ...] = ()
    assumptions: tuple[p.Assumption, ...] = ()
    bodies: tuple[p.Body, ...]
    posts: tuple[p.Post, ...]
    agencies: tuple[p.Agency, ...]
    areas: tuple[p.Area, ...]
    duties: tuple[p.Duty, ...]
    phases: tuple[p.Phase, ...]
    milestones: tuple[p.Milestone, ...] = ()
    reporting: p.Reporting | None = None
    activities: tuple[p.Activity, ...] = ()
    patrol_tiers: tuple[p.PatrolTier, ...] = ()
    patrol: p.PatrolRules = p.PatrolRules()
    control_levels: tuple[p.ControlLevel, ...] = ()
    funds: tuple[p.Fund, ...] = ()
    routing: tuple[p.RoutingRule, ...]
    referrals: tuple[p.Referral, ...]
    deadlines: p.Deadlines
    rewards: Rewards = Rewards()
    scoring: p.Scoring = p.Scoring()
    handover: HandoverRules | None = None
    leads: LeadRules = LeadRules()
    documents: DocumentRules = DocumentRules()
    revisits: Revisits = Revisits()
    major: MajorRules = MajorRules()
    delivery: DeliveryRules = DeliveryRules()
    ladder: LadderRules | None = None
    reminders: Reminders = Reminders()
    publicity: PublicityRules = PublicityRules()
    findings: FindingRules = FindingRules()
    grants: tuple[p.Grant, ...]

    # -- agencies and bodies ------------------------------------------------------------------------------------

    @cached_property
    def _agencies(self) -> dict[str, p.Agency]:
        return {agency.id: agency for agency in self.agencies}

    def agency(self, agency_id: str) -> p.Agency:
        """The agency with this id. Raises `KeyError`."""
        return self._agencies[agency_id]

    def agencies_of_kind(self, kind: str) -> tuple[p.Agency, ...]:
        """The plan's own agencies of a kind (outside ones are left out), in the plan's order."""
        return tuple(agency for agency in self.agencies if agency.kind == kind and not agency.external)

    @cached_property
    def members(self) -> tuple[p.Agency, ...]:
        """The plan's own agencies, communities included; those above or outside it left out."""
        return tuple(agency for agency in self.agencies if not agency.external)

    @cached_property
    def office_body(self) -> p.Body:
        """The office of the joint conference or leading group."""
        return next(body for body in self.bodies if body.kind == "office")

    @cached_property
    def office(self) -> str:
        """Id of the agency that hosts the office."""
        host = self.office_body.host
        assert host is not None
        return host

    def may_approve(self, posts: Iterable[str], approval: str) -> bool:
        """Whether any of the posts may approve this (X-O1). Unknown posts approve nothing."""
        held = set(posts)
        return any(post.id in held and approval in post.approves for post in self.posts)

    # -- areas --------------------------------------------------------------------------------------------------

    @cached_property
    def _areas(self) -> dict[str, p.Area]:
        return {area.id: area for area in self.areas}

    def area(self, area_id: str) -> p.Area:
        """The area with this id. Raises `KeyError`."""
        return self._areas[area_id]

    @cached_property
    def communities(self) -> tuple[p.Area, ...]:
        return tuple(area for area in self.areas if area.level == "community")

    @cached_property
    def _area_words(self) -> dict[str, str]:
        words: dict[str, str] = {}
        for area in self.areas:
            for word in (area.id, area.code, area.name.zh, area.name.en, *area.aliases):
                if word:
                    words.setdefault(word.lower(), area.id)
        return words

    @cached_property
    def _area_depth(self) -> dict[str, int]:
        depth: dict[str, int] = {}
        for area in self.areas:
            level, current = 0, area
            while current.parent and level < 10:
                current, level = self._areas[current.parent], level + 1
            depth[area.id] = level
        return depth

    @cached_property
    def _spoken_areas(self) -> tuple[AhoCorasick, tuple[tuple[int, str, str], ...]]:
        """What finds every word that can stand in a text, and each word's depth, the word and its area."""
        spoken = tuple(
            (self._area_depth[area], word, area) for word, area in self._area_words.items() if not word.isdigit()
        )
        return AhoCorasick([word for _, word, _ in spoken]), spoken

    def area_of(self, text_or_code: str | None) -> str | None:
        """The plan's area that a code, name or text names: the deepest, the earliest on a tie; None when none."""
        if not text_or_code:
            return None
        text = text_or_code.lower()
        exact = self._area_words.get(text.strip())
        if exact:
            return exact
        automaton, spoken = self._spoken_areas
        best: tuple[int, int, int, str] | None = None
        for number, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
            depth, word, area = spoken[number]
            rank = (-depth, start, -len(word), area)
            if (best is None or rank < best) and (not word.isascii() or _is_whole_word(text, start, end)):
                best = rank
        return best[3] if best else None

    def within(self, area_id: str, outer: str) -> bool:
        """Whether an area is the other one or lies in it. Unknown ids are in nothing."""
        current = self._areas.get(area_id)
        while current is not None:
            if current.id == outer:
                return True
            current = self._areas.get(current.parent) if current.parent else None
        return False

    # -- routing ------------------------------------------------------------------------------------------------

    @cached_property
    def _referrals(self) -> dict[str, p.Referral]:
        return {referral.topic: referral for referral in self.referrals}

    @cached_property
    def _routes(self) -> dict[RoutingFacts, Routing]:
        return {}

    def route(self, facts: RoutingFacts) -> Routing:
        """The agency and unit, the rule and its reason, every step, and the parties of the case that follows."""
        known = self._routes.get(facts)
        if known is None:
            if len(self._routes) > _CACHE_LIMIT:
                self._routes.clear()
            known = self._routes[facts] = decide(self.routing, self._referrals, facts)
        return known

    def referral(self, topic: str | None) -> p.Referral:
        """Where an irrelevant matter of this topic belongs; an unknown topic gives the general one."""
        return self._referrals.get(topic or "other") or self._referrals["other"]

    # -- rewards ------------------------------------------------------------------------------------------------

    @cached_property
    def _reward_numbers(self) -> LimitTable:
        return LimitTable.of(self.rewards.limits)

    def reward_number(self, rule_id: str, day: date, law: LawBook) -> LimitInForce:
        """The number of a reward scheme in force on a day: the plan's own, else the law's. Raises `UnknownRule`."""
        if rule_id in self._reward_numbers.by_id:
            return self._reward_numbers.in_force(rule_id, day)
        return law.in_force(rule_id, day)

    @cached_property
    def reward_fund(self) -> p.Fund | None:
        """The fund line that pays informant rewards (D-L), or None."""
        return next((fund for fund in self.funds if fund.pays_rewards), None)

    # -- time ---------------------------------------------------------------------------------------------------

    @cached_property
    def _limits(self) -> LimitTable:
        return LimitTable.of(self.deadlines.limits)

    def limit(self, rule_id: str, day: date, law: LawBook) -> LimitInForce:
        """The rule in force on a day: the plan's own limit of that id, else the law's. Raises `UnknownRule`."""
        if rule_id in self._limits.by_id:
            return self._limits.in_force(rule_id, day)
        return law.in_force(rule_id, day)

    def acceptance_rule(self, agency_id: str, urgent: bool = False) -> str:
        """The id of the rule that governs how fast an agency accepts; look it up with `limit`."""
        kind = self.agency(agency_id).kind
        for line in self.deadlines.acceptance:
            if (
                line.agency in (None, agency_id)
                and line.kind in (None, kind)
                and line.urgent in (None, urgent)
            ):
                return line.rule
        raise LookupError("no acceptance line fits; a valid plan ends with one for all")

    def clock(self, name: str) -> str | None:
        """The rule id of a named clock of the plan (triage, verification, …), or None."""
        return self.deadlines.clocks.get(name)

    def phases_on(self, day: date) -> tuple[p.Phase, ...]:
        """The phases that run on a day; they may overlap, and none may run."""
        return tuple(phase for phase in self.phases if phase.first <= day <= phase.last)

    def phase_state(self, phase_id: str, day: date) -> Literal["future", "running", "over"]:
        """Whether a phase is still to come, runs, or is over on a day. Raises `KeyError`."""
        for phase in self.phases:
            if phase.id == phase_id:
                return "future" if day < phase.first else "over" if day > phase.last else "running"
        raise KeyError(phase_id)

    def duties_of(self, agency_id: str, day: date | None = None) -> tuple[p.Duty, ...]:
        """The duties of an agency; with a day, only standing ones and those of the phases that run then."""
        kind = self.agency(agency_id).kind
        running = {phase.id for phase in self.phases_on(day)} if day else None
        return tuple(
            duty
            for duty in self.duties
            if (agency_id in duty.agencies or kind in duty.kinds)
            and (running is None or not duty.phases or running.intersection(duty.phases))
        )

    def report_dates(self) -> tuple[date, ...]:
        """The days on which members report: the explicit dates; only without any, those of the rule."""
        if self.reporting is None:
            return ()
        if self.reporting.dates:
            return self.reporting.dates
        return rule_dates(self.reporting.rule, self.phases[-1].last) if self.reporting.rule else ()

    def reporters(self) -> tuple[str, ...]:
        """Ids of the agencies that report."""
        if self.reporting is None:
            return ()
        if self.reporting.by == "listed":
            return self.reporting.agencies
        return tuple(agency.id for agency in self.members if agency.id != self.reporting.to)

    # -- scores and rights --------------------------------------------------------------------------------------

    def score_line(self, on: str, outcome: str) -> p.ScoreLine | None:
        """The scoring line for an outcome of a clock, or None when it is worth nothing."""
        return next((line for line in self.scoring.lines if line.on == on and line.outcome == outcome), None)

    @cached_property
    def _grant_cache(self) -> dict[tuple[str, frozenset[str]], dict[str, str]]:
        return {}

    def grants_for(self, agency_id: str, posts: Iterable[str]) -> dict[str, str]:
        """Right → reach for a member of an agency with these posts; what is not in it is denied.

        Unknown agencies and unknown posts get nothing from the plan; an external agency gets only what names it or its
        kind (a procurator who is party of a case), never what is for all posts.
        """
        key = (agency_id, frozenset(posts))
        cached = self._grant_cache.get(key)
        if cached is None:
            if len(self._grant_cache) > _CACHE_LIMIT:
                self._grant_cache.clear()
            cached = self._grant_cache[key] = self._grants(*key)
        return dict(cached)

    def _grants(self, agency_id: str, posts: frozenset[str]) -> dict[str, str]:
        agency = self._agencies.get(agency_id)
        result: dict[str, str] = {}
        if agency is None:
            return result
        clauses = {duty.clause for duty in self.duties_of(agency_id)}
        for grant in self.grants:
            to = grant.to
            fits = (
                (not agency.external or agency_id in to.agencies or agency.kind in to.kinds)
                and (not to.agencies or agency_id in to.agencies)
                and (not to.kinds or agency.kind in to.kinds)
                and (not to.posts or bool(posts.intersection(to.posts)))
                and (not to.duties or bool(clauses.intersection(to.duties)))
            )
            for right, reach in grant.rights.items() if fits else ():
                if right not in result or _REACH_ORDER[reach] > _REACH_ORDER[result[right]]:
                    result[right] = reach
        return result


def _is_whole_word(text: str, start: int, end: int) -> bool:
    beside = text[start - 1 : start] + text[end : end + 1]
    return not any(char.isascii() and char.isalnum() for char in beside)


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def weekday_name(day: date) -> str:
    """monday … sunday."""
    return _WEEKDAYS[day.weekday()]


def rule_dates(rule: p.ReportingRule, until: date, at_least: int = 0) -> tuple[date, ...]:
    """The dates a rule gives by itself: the first such weekday from its start, then every n weeks.

    They end with ``until``, but not before there are ``at_least`` of them; 60 at most.
    """
    ahead = (_WEEKDAYS.index(rule.weekday) - rule.starts.weekday()) % 7
    first = rule.starts.toordinal() + ahead
    days = [date.fromordinal(first + 7 * rule.every_weeks * step) for step in range(60)]
    return tuple(day for index, day in enumerate(days) if day <= until or index < at_least)
