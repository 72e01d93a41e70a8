"""Things worth knowing about a valid plan: what its text contradicts, leaves open, or overlooked."""

from __future__ import annotations

from datetime import date

from shared.rules.plan.findings import Finding, Spots
from shared.rules.plan.model import Plan, rule_dates, weekday_name
from shared.rules.yaml_source import Path_

_ZH = {
    "monday": "星期一", "tuesday": "星期二", "wednesday": "星期三", "thursday": "星期四", "friday": "星期五",
    "saturday": "星期六", "sunday": "星期日",
}


def observe(plan: Plan, spots: Spots) -> list[Finding]:
    """All observations, in the order of the plan's parts."""
    found: list[Finding] = []

    def say(severity: str, path: Path_, code: str, zh: str, en: str) -> None:
        found.append(Finding(severity, spots.at(path), code, zh, en))  # type: ignore[arg-type]

    if plan.year_assumed:
        say(
            "warning", ("year",), "year-assumed",
            f"方案原文没有写年份，暂按 {plan.year} 年计（假定），日期均据此推算。",
            f"the plan's text gives no year; {plan.year} is assumed and all dates follow from it",
        )
    _dates(plan, say)
    _issue(plan, say)
    with_duty = {agency.id for agency in plan.members if plan.duties_of(agency.id)}
    for index, agency in enumerate(plan.agencies):
        if not agency.external and agency.id not in with_duty:
            say(
                "warning", ("agencies", index), "no-duty",
                f"{agency.name.zh}是成员单位，但方案没有给它任何职责。",
                f"{agency.name.en} ({agency.id}) is a member but the plan gives it no duty",
            )
    for index, phase in enumerate(plan.phases):
        if phase.as_written and "旬" in phase.as_written:
            say(
                "info", ("phases", index), "third-of-month",
                f"“{phase.as_written}”按上旬 1–10 日、中旬 11–20 日、下旬 21 日至月底理解："
                f"{phase.first} 至 {phase.last}。",
                f"“{phase.as_written}” is read as {phase.first} to {phase.last} "
                "(上旬 1–10, 中旬 11–20, 下旬 21 to the end of the month)",
            )
    for index, assumption in enumerate(plan.assumptions):
        say(
            "info", ("assumptions", index), "assumed", f"假定：{assumption.what.zh}（{assumption.why.zh}）",
            f"assumed: {assumption.what.en} ({assumption.why.en})",
        )
    return found


def _dates(plan: Plan, say: object) -> None:
    reporting = plan.reporting
    if reporting is None or reporting.rule is None or not reporting.dates:
        return
    wanted = reporting.rule.weekday
    off = [day for day in reporting.dates if weekday_name(day) != wanted]
    if not off:
        return
    weekdays = sorted({weekday_name(day) for day in off})
    shown = "、".join(str(day) for day in off)
    by_rule = ", ".join(str(day) for day in rule_dates(reporting.rule, max(reporting.dates), len(reporting.dates)))
    say(  # type: ignore[operator]
        "warning", ("reporting", "dates"), "weekday-mismatch",
        f"方案说逢{_ZH[wanted]}报送，但列出的 {shown} 是{'、'.join(_ZH[day] for day in weekdays)}，不是{_ZH[wanted]}"
        f"（按规则应为 {by_rule}）；以列明的日期为准。",
        f"the rule says {wanted.capitalize()}s, but {len(off)} listed dates ({', '.join(map(str, off))}) are "
        f"{' and '.join(day.capitalize() + 's' for day in weekdays)}, not {wanted.capitalize()}s (the rule would give "
        f"{by_rule}); the explicit dates win",
    )


def _issue(plan: Plan, say: object) -> None:
    issued: date | None = plan.issued
    if issued is None:
        return
    over = [phase for phase in plan.phases if phase.last < issued]
    early = [day for day in plan.report_dates() if day < issued]
    if not over and not early:
        return
    zh, en = [], []
    if over:
        zh.append("阶段“" + "”“".join(phase.name.zh for phase in over) + "”")
        en.append("phase " + ", ".join(f"“{phase.name.en}”" for phase in over))
    if early:
        zh.append("报送日 " + "、".join(map(str, early)))
        en.append("report date " + ", ".join(map(str, early)))
    say(  # type: ignore[operator]
        "warning", ("issued",), "issued-late",
        f"方案 {issued} 才印发，晚于{'和'.join(zh)}；印发前的事项不按迟报、迟办计分。",
        f"the plan was issued on {issued}, after {' and '.join(en)}; what fell due before is not scored as late",
    )
