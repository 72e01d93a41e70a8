"""What must agree inside a rulebook, between it and its plans, and between versions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from services.scoring.domain.rulebooks import vocabulary as words
from services.scoring.domain.rulebooks.model import Rulebook
from shared.rules.plan import Plan
from shared.rules.plan.findings import Finding, Spots
from shared.rules.plan.vocabulary import APPROVALS
from shared.rules.yaml_source import Path_, Where


def cross_check(rulebook: Rulebook, spots: Spots, plans: Mapping[str, Plan]) -> list[Finding]:
    """Everything in a rulebook that does not agree, at its line."""
    check = _Check(rulebook, spots, plans)
    for part in (
        check.ids, check.lines, check.conditions, check.ladder, check.standards, check.measures, check.shape, check.plans
    ):  # fmt: skip
        part()
    return check.found


class _Check:
    def __init__(self, rulebook: Rulebook, spots: Spots, plans: Mapping[str, Plan]) -> None:
        self.book, self.spots, self.known_plans = rulebook, spots, plans
        self.found: list[Finding] = []
        self.condition_ids = {one.id for one in rulebook.conditions}

    def say(self, path: Path_, code: str, zh: str, en: str, severity: str = "error") -> None:
        self.found.append(Finding(severity, self.spots.at(path), code, zh, en))  # type: ignore[arg-type]

    def known(self, path: Path_, values: Iterable[str | None], among: Collection[str], zh: str, en: str) -> None:
        """Each of the values must be among these."""
        for value in values:
            if value is not None and value not in among:
                listed = "、".join(sorted(among)) or "—"
                self.say(
                    path,
                    "unknown",
                    f"没有{zh}“{value}”；有：{listed}。",
                    f"there is no {en} “{value}”; known: {listed}",
                )

    def ids(self) -> None:
        """No id twice in a list."""
        for key in ("sections", "lines", "bands", "conditions", "ladder", "standards", "measures"):
            first: dict[str, int] = {}
            for index, one in enumerate(getattr(self.book, key)):
                if one.id in first:
                    earlier = self.spots.at((key, first[one.id], "id"))
                    self.say(
                        (key, index, "id"), "duplicate-id", f"“{one.id}”已在 {earlier} 用过；请换一个。",
                        f"“{one.id}” is already used at {earlier}; choose another",
                    )  # fmt: skip
                first.setdefault(one.id, index)

    def lines(self) -> None:
        """Lines name what there is, can be reached, and rest on something."""
        sections = {one.id for one in self.book.sections}
        all_fit: dict[tuple[str, str], list[tuple[int, frozenset[str]]]] = {}
        for index, line in enumerate(self.book.lines):
            here: Path_ = ("lines", index)
            self.known((*here, "section"), (line.section,), sections, "部分", "section")
            self.known((*here, "condition"), (line.condition,), self.condition_ids, "情形", "condition")
            self.known((*here, "subjects"), line.subjects, self.book.subjects, "考核对象", "subject")
            mine = frozenset(line.subjects or self.book.subjects)
            for before, theirs in all_fit.get(line.matches, ()):
                if mine <= theirs:
                    self.say(
                        here,
                        "never-reached",
                        f"这一行永远用不到：{self.spots.at(('lines', before))} 的“{self.book.lines[before].id}”先适用；"
                        "有条件（where）的写在前面。",
                        f"this line is never reached: “{self.book.lines[before].id}” fits first; put lines with where before",
                    )
                    break
            if not line.where:
                all_fit.setdefault(line.matches, []).append((index, mine))
            if line.clause is None:
                self.say(
                    here, "no-clause", f"“{line.id}”没有写条款（clause）。", f"“{line.id}” names no clause", "warning"
                )
            if line.outcome == "missed" and line.points is not None and line.points > 0:
                self.say(
                    here, "odd-sign", f"“{line.id}”：没办还加分？", f"“{line.id}” gives points for a miss", "warning"
                )
        scored = {line.condition for line in self.book.lines}
        for index, condition in enumerate(self.book.conditions):
            if condition.id not in scored:
                self.say(
                    ("conditions", index), "no-line", f"情形“{condition.id}”没有记分行，只启动政策工具。",
                    f"condition “{condition.id}” has no line: it costs nothing and only starts the ladder", "info",
                )  # fmt: skip

    def conditions(self) -> None:
        for index, one in enumerate(self.book.conditions):
            here: Path_ = ("conditions", index)
            self.known((*here, "subjects"), one.subjects, self.book.subjects, "考核对象", "subject")
            for number, detector in enumerate(one.detectors):
                self.known((*here, "detectors", number, "id"), (detector.id,), words.DETECTORS, "发现方式", "detector")
            if one.found_by != "person" and not one.detectors:
                self.say(
                    here, "no-detector", f"情形“{one.id}”要从事件发现，却没有写 detectors。",
                    f"condition “{one.id}” is to be found from events but names no detectors",
                )  # fmt: skip
            if one.clause is None:
                self.say(here, "no-clause", f"“{one.id}”没有写条款。", f"“{one.id}” names no clause", "warning")

    def ladder(self) -> None:
        tools = [one.id for one in self.book.ladder]
        for index, one in enumerate(self.book.ladder):
            here: Path_ = ("ladder", index)
            self.known((*here, "subjects"), one.subjects, self.book.subjects, "考核对象", "subject")
            self.known((*here, "approval"), (one.approval,), APPROVALS, "审批事项", "approval")
            self.known((*here, "blocks"), one.blocks, words.BLOCKS, "限制事项", "thing to block")
            if not one.triggers:
                self.say(
                    (*here, "id"), "no-trigger", f"“{one.id}”没有触发条件：只能由人提出。",
                    f"“{one.id}” has no trigger: only a person can propose it", "info",
                )  # fmt: skip
            for number, trigger in enumerate(one.triggers):
                self.known((*here, "triggers", number, "of"), trigger.of, self.condition_ids, "情形", "condition")
                self.known(
                    (*here, "triggers", number, "after"), (trigger.after,), tools[:index], "较轻的工具", "milder tool"
                )

    def standards(self) -> None:
        for index, one in enumerate(self.book.standards):
            here: Path_ = ("standards", index)
            self.known((*here, "decided_by"), (one.decided_by,), APPROVALS, "审批事项", "approval")
            self.known((*here, "suspended_by"), one.suspended_by, self.condition_ids, "情形", "condition")
            ids = [item.id for item in one.indicators]
            for number, item in enumerate(one.indicators):
                self.known(
                    (*here, "indicators", number, "evidence"), item.evidence, words.EVIDENCE, "佐证来源", "evidence"
                )
                if item.id in ids[:number]:
                    self.say(
                        (*here, "indicators", number, "id"), "duplicate-id", f"“{item.id}”用过了；请换一个。",
                        f"“{item.id}” is already used; choose another",
                    )  # fmt: skip
            total = sum((item.points for item in one.indicators), start=one.indicators[0].points * 0)
            if one.pass_mark is not None and one.pass_mark > total:
                self.say(
                    (*here, "pass_mark"), "out-of-reach", f"及格线 {one.pass_mark} 高于指标总分 {total}。",
                    f"the pass mark {one.pass_mark} is above the sum of the indicators {total}",
                )  # fmt: skip

    def measures(self) -> None:
        for index, one in enumerate(self.book.measures):
            self.known(("measures", index, "approval"), (one.approval,), APPROVALS, "审批事项", "approval")
            self.known(("measures", index, "conditions"), one.conditions, self.condition_ids, "情形", "condition")

    def shape(self) -> None:
        """Dates, bands, bounds."""
        book = self.book
        if book.valid_to is not None and book.valid_to < book.valid_from:
            self.say(("valid_to",), "order", "valid_to 早于 valid_from。", "valid_to is before valid_from")
        bounds = [band.at_least for band in book.bands]
        closed = [bound for bound in bounds if bound is not None]
        if None in bounds[:-1] or closed != sorted(closed, reverse=True):
            self.say(
                ("bands",), "order", "等次从高到低排，没有 at_least 的放最后。",
                "order bands from high to low, the open one last",
            )  # fmt: skip
        scale = book.scale
        if scale.least is not None and scale.most is not None and scale.least > scale.most:
            self.say(("scale",), "order", "least 大于 most。", "least is above most")
        if book.weight is not None and book.weight.points > book.weight.out_of:
            self.say(("weight",), "order", "points 大于 out_of。", "points are above out_of")
        if book.period.starts == "02-29":
            self.say(("period",), "no-day", "不是每年都有 2 月 29 日。", "not every year has a 29 February")
        if not book.lines and not book.standards:
            self.say(("id",), "empty", "既没有记分行也没有标准。", "there are neither lines nor standards")

    def plans(self) -> None:
        """Agencies, duties and funds are the plan's."""
        for index, name in enumerate(self.book.plans):
            plan = self.known_plans.get(name)
            if plan is None:
                self.say(
                    ("plans", index), "no-plan-here", f"这里没有运行方案“{name}”；细则可读，不会生效。",
                    f"plan “{name}” is not run here; the rulebook can be read but scores nothing", "warning",
                )  # fmt: skip
                continue
            agencies = {one.id for one in plan.agencies}
            kinds = {one.kind for one in plan.agencies}
            duties = {one.id for one in plan.duties}
            self.known(("accountability_to",), self.book.accountability_to, agencies, "单位", "agency")
            for number, one in enumerate(self.book.departments):
                here: Path_ = ("departments", number)
                self.known((*here, "agency"), (one.agency,), agencies, "单位", "agency")
                self.known((*here, "kind"), (one.kind,), kinds, "单位类别", "agency kind")
                self.known((*here, "duties"), one.duties, duties, "职责", "duty")
            for number, one in enumerate(self.book.measures):
                self.known(("measures", number, "fund"), (one.fund,), {fund.id for fund in plan.funds}, "经费", "fund")
                self.known(("measures", number, "to"), one.to, agencies, "单位", "agency")
            if self.book.self_score is not None:
                self.known(("self_score", "to"), (self.book.self_score.to,), agencies, "单位", "agency")


def together(found: Iterable[Rulebook], plans: Mapping[str, Plan]) -> list[Finding]:
    """What does not agree between rulebooks: versions that begin on one day, two that entries call by one name."""
    told: list[Finding] = []
    days: dict[tuple[str, object], Rulebook] = {}
    names: dict[tuple[str, str], Rulebook] = {}
    own = {(plan.id, f"v{plan.version}") for plan in plans.values() if plan.scoring.lines}
    for one in found:
        where = Where(f"{one.id}/{one.version}.yaml", 1)
        other = days.setdefault((one.id, one.valid_from), one)
        if other is not one:
            told.append(Finding(
                "error", where, "same-day", f"与 {other.ref} 同一天生效；请改其中一个的 valid_from。",
                f"begins on the same day as {other.ref}; change valid_from of one",
            ))  # fmt: skip
        for plan in one.plans:
            other = names.setdefault((plan, one.name), one)
            if other.id != one.id:
                told.append(Finding(
                    "error", where, "same-name", f"台账名“{one.name}”已由 {other.ref} 使用；请换 ledger_name。",
                    f"the ledger name “{one.name}” is used by {other.ref}; choose another ledger_name",
                ))  # fmt: skip
            if (plan, one.name) in own:
                told.append(Finding(
                    "info", where, "plan-lines", f"方案“{plan}”自带的记分行不再使用：以本细则为准。",
                    f"the lines in plan “{plan}” are no longer used: this rulebook stands for them",
                ))  # fmt: skip
    return told
