"""Cross references of a plan: every id that is named exists, is given once, and codes come from the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.rules.law import CLOCK_UNITS, LawBook, Unit
from shared.rules.plan import vocabulary as words
from shared.rules.plan.findings import Finding, Spots
from shared.rules.plan.ladder import RUNGS
from shared.rules.plan.model import Plan
from shared.rules.plan.publicity_checks import check_publicity
from shared.rules.yaml_source import Path_


def cross_check(plan: Plan, spots: Spots, law: LawBook | None = None) -> list[Finding]:
    """Every broken reference, duplicate and unknown code, each at its line; rule ids only when the law is given."""
    found = _Check(plan, spots, law)
    for part in (
        found.duplicates, found.bodies, found.areas, found.duty_lines, found.time, found.prevention, found.routing,
        found.deadlines, found.rewards, found.handover, found.ladder, found.access,
    ):
        part()
    check_publicity(found)
    return found.findings


class _Check:
    def __init__(self, plan: Plan, spots: Spots, law: LawBook | None) -> None:
        self.plan, self.spots, self.law, self.findings = plan, spots, law, list[Finding]()
        self.agency_ids = {agency.id for agency in plan.agencies}
        self.area_ids = {area.id for area in plan.areas}
        self.phase_ids = {phase.id for phase in plan.phases}
        self.post_ids = {post.id for post in plan.posts}

    def say(self, path: Path_, code: str, zh: str, en: str) -> None:
        self.findings.append(Finding("error", self.spots.at(path), code, zh, en))

    def known(self, path: Path_, value: str | None, ids: Iterable[str], what_zh: str, what_en: str) -> bool:
        pool = set(ids)
        if value is None or value in pool:
            return True
        near = _near(value, pool)
        self.say(
            path, f"unknown-{what_en.replace(' ', '-')}",
            f"没有这个{what_zh}：“{value}”{f'；是不是“{near}”？' if near else '；请先定义或改正。'}",
            f"there is no {what_en} “{value}”" + (f"; did you mean “{near}”?" if near else "; define or correct it"),
        )
        return False

    def known_all(self, path: Path_, values: Iterable[str], ids: Iterable[str], zh: str, en: str) -> None:
        for index, value in enumerate(values):
            self.known((*path, index), value, ids, zh, en)

    def agency(self, path: Path_, value: str | None) -> bool:
        return self.known(path, value, self.agency_ids, "单位", "agency")

    def agencies(self, path: Path_, values: Iterable[str]) -> None:
        self.known_all(path, values, self.agency_ids, "单位", "agency")

    def kinds(self, path: Path_, values: Iterable[str]) -> None:
        self.known_all(path, values, words.AGENCY_KINDS, "单位类别", "agency kind")

    def duplicates(self) -> None:
        plan = self.plan
        lists: dict[str, Iterable[Any]] = {
            "bodies": plan.bodies, "posts": plan.posts, "agencies": plan.agencies, "areas": plan.areas,
            "duties": plan.duties, "goals": plan.goals, "phases": plan.phases, "milestones": plan.milestones,
            "activities": plan.activities, "patrol_tiers": plan.patrol_tiers, "funds": plan.funds,
            "routing": plan.routing, "grants": plan.grants, "control_levels": plan.control_levels,
        }
        for key, items in lists.items():
            self.once((key,), (item.id for item in items))
        for index, agency in enumerate(plan.agencies):
            self.once(("agencies", index, "units"), (unit.id for unit in agency.units))
        self.once(("scoring", "lines"), (line.id for line in plan.scoring.lines))
        self.once(("referrals",), (line.topic for line in plan.referrals), "topic")

    def once(self, path: Path_, ids: Iterable[str], key: str = "id") -> None:
        first: dict[str, int] = {}
        for index, value in enumerate(ids):
            if value in first:
                earlier = self.spots.at((*path, first[value], key))
                self.say(
                    (*path, index, key), "duplicate-id", f"“{value}”已在 {earlier} 用过；请换一个。",
                    f"“{value}” is already used at {earlier}; choose another",
                )
            first.setdefault(value, index)

    def bodies(self) -> None:
        plan = self.plan
        offices = [index for index, body in enumerate(plan.bodies) if body.kind == "office"]
        if len(offices) != 1 or plan.bodies[offices[0]].host is None:
            self.say(
                ("bodies", *offices[:1]), "office",
                "要有且只有一个 kind: office 的机构，并写 host（办公室设在哪个单位）。",
                "there must be exactly one body of kind office, with host (the agency it sits in)",
            )
        for index, body in enumerate(plan.bodies):
            self.agency(("bodies", index, "host"), body.host)
            self.agencies(("bodies", index, "members"), body.members)
        body_ids = {body.id for body in plan.bodies}
        for index, post in enumerate(plan.posts):
            self.known(("posts", index, "body"), post.body, body_ids, "机构", "body")
            self.known_all(("posts", index, "approves"), post.approves, words.APPROVALS, "审批事项", "approval")
        for index, agency in enumerate(plan.agencies):
            self.known(("agencies", index, "kind"), agency.kind, words.AGENCY_KINDS, "单位类别", "agency kind")
            self.known(("agencies", index, "area"), agency.area, self.area_ids, "地区", "area")

    def areas(self) -> None:
        spoken: dict[str, int] = {}
        for index, area in enumerate(self.plan.areas):
            if self.known(("areas", index, "parent"), area.parent, self.area_ids, "地区", "area"):
                self._no_loop(index)
            for word in {area.name.zh, *area.aliases, *([area.code] if area.code else [])}:
                if word in spoken:
                    other = self.plan.areas[spoken[word]].id
                    self.say(
                        ("areas", index), "area-word", f"“{word}”也是“{other}”的叫法，认地方时会分不清；请删去一处。",
                        f"“{word}” also names “{other}”; remove one so that places are told apart",
                    )
                spoken.setdefault(word, index)

    def _no_loop(self, index: int) -> None:
        by_id = {area.id: area for area in self.plan.areas}
        current, seen = self.plan.areas[index], set[str]()
        while current.parent in by_id:
            if current.id in seen:
                self.say(
                    ("areas", index, "parent"), "area-loop", "上级地区绕成了圈。", "the parents form a circle"
                )
                return
            seen.add(current.id)
            current = by_id[current.parent]

    def duty_lines(self) -> None:
        for key, duties in (("duties", self.plan.duties), ("goals", self.plan.goals)):
            for index, duty in enumerate(duties):
                here: Path_ = (key, index)
                self.agencies((*here, "agencies"), duty.agencies)
                self.kinds((*here, "kinds"), duty.kinds)
                self.known_all((*here, "phases"), duty.phases, self.phase_ids, "阶段", "phase")
                units = {
                    unit.id for agency in self.plan.agencies if agency.id in duty.agencies for unit in agency.units
                }
                self.known_all((*here, "units"), duty.units, units, "内设机构", "unit")

    def time(self) -> None:
        plan = self.plan
        for index, milestone in enumerate(plan.milestones):
            self.agency(("milestones", index, "to"), milestone.to)
            self.agencies(("milestones", index, "by"), milestone.by)
        for index, activity in enumerate(plan.activities):
            self.agency(("activities", index, "by"), activity.by)
        if plan.reporting:
            self.agency(("reporting", "to"), plan.reporting.to)
            self.agencies(("reporting", "agencies"), plan.reporting.agencies)
            if list(plan.reporting.dates) != sorted(set(plan.reporting.dates)):
                self.say(
                    ("reporting", "dates"), "dates-order", "报送日期要从早到晚，且不重复。",
                    "reporting dates go from early to late, each once",
                )

    def prevention(self) -> None:
        plan = self.plan
        for index, tier in enumerate(plan.patrol_tiers):
            self.agency(("patrol_tiers", index, "by"), tier.by)
            self.agency(("patrol_tiers", index, "report_to"), tier.report_to)
        for index, fund in enumerate(plan.funds):
            self.agency(("funds", index, "keeper"), fund.keeper)
        for index, level in enumerate(plan.control_levels):
            self.agencies(("control_levels", index, "agencies"), level.agencies)
            self.kinds(("control_levels", index, "kinds"), level.kinds)
        if plan.scoring.assessment:
            path: Path_ = ("scoring", "assessment", "accountability_to")
            self.agencies(path, plan.scoring.assessment.accountability_to)

    def _target(self, path: Path_, agency_id: str, unit: str | None) -> None:
        if not self.agency((*path, "agency"), agency_id):
            return
        agency = self.plan.agency(agency_id)
        if agency.external:
            self.say(
                (*path, "agency"), "external-agency", f"“{agency_id}”不属于本方案，不能分办给它。",
                f"“{agency_id}” is outside the plan and cannot be routed to",
            )
        self.known((*path, "unit"), unit, (item.id for item in agency.units), "内设机构", "unit")

    def routing(self) -> None:
        plan = self.plan
        for index, rule in enumerate(plan.routing):
            here: Path_ = ("routing", index)
            for key, values in (("kinds_any", rule.when.kinds_any), ("kinds_all", rule.when.kinds_all)):
                self.known_all((*here, "when", key), values, words.TIP_KINDS, "线索种类", "tip kind")
            self.known_all((*here, "when", "channels"), rule.when.channels, words.CHANNELS, "来源渠道", "channel")
            self.known_all((*here, "when", "areas"), rule.when.areas, self.area_ids, "地区", "area")
            if rule.to:
                self._target((*here, "to"), rule.to.agency, rule.to.unit)
                if rule.to.agency in self.agency_ids:
                    units = [unit.id for unit in plan.agency(rule.to.agency).units]
                    self.known((*here, "dispatch"), rule.dispatch, units, "内设机构", "unit")
            self.once((*here, "parties"), (party.agency for party in rule.parties), "agency")
            for number, party in enumerate(rule.parties):
                self._target((*here, "parties", number), party.agency, party.unit)
        if not plan.routing or plan.routing[-1].when.model_dump(exclude_defaults=True) or plan.routing[-1].refer:
            self.say(
                ("routing", max(len(plan.routing) - 1, 0)), "no-last-rule",
                "最后一条分办规则不能有 when 条件，并要写 to，否则有的线索无人接。",
                "the last routing rule must have no when and must have to, or some tip finds nobody",
            )
        for index, referral in enumerate(plan.referrals):
            self.known(("referrals", index, "topic"), referral.topic, words.REFERRAL_TOPICS, "事项", "referral topic")
        given = {referral.topic for referral in plan.referrals}
        for topic in words.REFERRAL_TOPICS:
            if topic not in given:
                self.say(
                    ("referrals",), "referral-missing",
                    f"缺少“{topic}”类事项的去处。", f"no place is given for “{topic}”",
                )

    def deadlines(self) -> None:
        lines = self.plan.deadlines.acceptance
        for index, line in enumerate(lines):
            self.agency(("deadlines", "acceptance", index, "agency"), line.agency)
            path: Path_ = ("deadlines", "acceptance", index, "kind")
            self.known(path, line.kind, words.AGENCY_KINDS, "单位类别", "agency kind")
        last = lines[-1] if lines else None
        if last is None or (last.agency, last.kind, last.urgent) != (None, None, None):
            self.say(
                ("deadlines", "acceptance"), "no-last-acceptance",
                "acceptance 最后一条只写 rule，作为其余单位的受理时限。",
                "the last acceptance line gives only rule: the limit for all others",
            )
        for index, limit in enumerate(self.plan.deadlines.limits):
            if limit.unit not in CLOCK_UNITS:
                self.say(
                    ("deadlines", "limits", index, "unit"), "no-clock", "方案的时限要用时间单位。",
                    "a limit of the plan must count time",
                )
        if self.law is None:
            return
        rules = {*self.law.ids, *(limit.id for limit in self.plan.deadlines.limits)}
        for index, line in enumerate(lines):
            self.known(("deadlines", "acceptance", index, "rule"), line.rule, rules, "时限规则", "time rule")
        for name, rule in self.plan.deadlines.clocks.items():
            self.known(("deadlines", "clocks", name), rule, rules, "时限规则", "time rule")

    def rewards(self) -> None:
        rewards = self.plan.rewards
        self.once(("rewards", "schemes"), (scheme.id for scheme in rewards.schemes))
        self.known_all(("rewards", "channels"), rewards.channels, words.CHANNELS, "来源渠道", "channel")
        if rewards.schemes and self.plan.reward_fund is None:
            self.say(
                ("rewards", "schemes"), "no-reward-fund",
                "有奖励办法，却没有 pays_rewards: true 的经费；请在 funds 写明由哪笔经费支付。",
                "there are reward schemes but no fund with pays_rewards: true; say in funds what pays them",
            )
        for index, limit in enumerate(rewards.limits):
            if limit.unit not in (Unit.YUAN, Unit.PERCENT):
                self.say(
                    ("rewards", "limits", index, "unit"), "no-money", "奖励的数额要用 yuan 或 percent。",
                    "a number of a reward is in yuan or percent",
                )
        for index, scheme in enumerate(rewards.schemes):
            self.once(("rewards", "schemes", index, "levels"), (level.id for level in scheme.levels))
            if self.law is not None:
                rules = {*self.law.ids, *(limit.id for limit in rewards.limits)}
                for rule in scheme.rules:
                    self.known(("rewards", "schemes", index), rule, rules, "数额规则", "reward rule")

    def handover(self) -> None:
        rules = self.plan.handover
        if rules is None:
            return
        self.once(("handover", "reasons"), (reason.id for reason in rules.reasons))
        self.once(("handover", "distributors"), (one.channel for one in rules.distributors), "channel")
        for index, one in enumerate(rules.distributors):
            path: Path_ = ("handover", "distributors", index, "channel")
            self.known(path, one.channel, words.CHANNELS, "来源渠道", "channel")
            usable = {reason.id for reason in rules.reasons if "hand_over" in reason.uses}
            self.known(("handover", "distributors", index, "reason"), one.reason, usable, "移交理由", "reason to hand over")
        named: list[tuple[Path_, str]] = []
        for key, lines in (("answer", rules.answer), ("decide", rules.decide)):
            last = lines[-1] if lines else None
            if last is None or (last.agency, last.kind, last.urgent) != (None, None, None):
                self.say(
                    ("handover", key), "no-last-line", f"{key} 最后一条只写 rule，作为其余情形的时限。",
                    f"the last line of {key} gives only rule: the limit for all others",
                )
            for index, line in enumerate(lines):
                self.agency(("handover", key, index, "agency"), line.agency)
                self.kinds(("handover", key, index, "kind"), [line.kind] if line.kind else [])
                named.append((("handover", key, index, "rule"), line.rule))
        if rules.supplement:
            named.append((("handover", "supplement", "rule"), rules.supplement.rule))
            named += [(("handover", "supplement", "suspends", i), r) for i, r in enumerate(rules.supplement.suspends)]
        if self.law is not None:
            known = {*self.law.ids, *(limit.id for limit in self.plan.deadlines.limits)}
            for path, rule in named:
                self.known(path, rule, known, "时限规则", "time rule")

    def ladder(self) -> None:
        rules = self.plan.ladder
        if rules is None:
            return
        self.known(("ladder", "desk"), rules.desk, self.post_ids, "岗位", "post")
        order, highest = RUNGS.index, -1
        limits = {limit.id: limit for limit in self.plan.deadlines.limits}
        known = {*limits, *(self.law.ids if self.law else ())}
        for index, rung in enumerate(rules.rungs):
            here: Path_ = ("ladder", "rungs", index)
            if order(rung.to) <= highest:
                self.say(
                    (*here, "to"), "rung-order",
                    f"“{rung.to}”的位置不对；升级次序是 {' → '.join(RUNGS)}，每级只写一次。",
                    f"“{rung.to}” is out of order; the ladder goes {' → '.join(RUNGS)}, each rung once",
                )
            highest = max(highest, order(rung.to))
            self.known((*here, "post"), rung.post, self.post_ids, "岗位", "post")
            for key, rule in (("rule", rung.rule), ("urgent", rung.urgent)):
                if self.law is not None:
                    self.known((*here, key), rule, known, "时限规则", "time rule")
                if key == "rule" and rule in limits and limits[rule].unit is not Unit.WORKING_DAYS:
                    self.say(
                        (*here, key), "rung-unit", "非紧急通知的升级时限要用 working_days（工作日）。",
                        "the time of a rung that is not urgent is counted in working_days",
                    )

    def access(self) -> None:
        for index, grant in enumerate(self.plan.grants):
            here: Path_ = ("grants", index)
            self.agencies((*here, "to", "agencies"), grant.to.agencies)
            self.kinds((*here, "to", "kinds"), grant.to.kinds)
            self.known_all((*here, "to", "posts"), grant.to.posts, self.post_ids, "岗位", "post")
            clauses = {duty.clause for duty in self.plan.duties}
            self.known_all((*here, "to", "duties"), grant.to.duties, clauses, "职责条款", "duty clause")
            for right, reach in grant.rights.items():
                self.known((*here, "rights", right), right, words.RIGHTS, "权限", "right")
                self.known((*here, "rights", right), reach, words.REACHES, "范围", "reach")


def _near(value: str, pool: set[str]) -> str | None:
    from difflib import get_close_matches

    close = get_close_matches(value, pool, n=1, cutoff=0.6)
    return close[0] if close else None
