"""`./dachuan plan check | show | route | new`: the plans of towns and cities from the command line."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.plan_new import new
from shared.kit import clock
from shared.rules.calendar import SHANGHAI, WorkingCalendar, local_day
from shared.rules.deadlines import open_deadline
from shared.rules.law import LawBook
from shared.rules.plan import Finding, Plan, PlanError, check_plan, load_plan
from shared.rules.plan.vocabulary import CHANNELS, KIND_NAMES
from shared.rules.yaml_source import YamlProblem

_ROOT = Path(__file__).resolve().parents[2]
_SEVERITY = {"error": ("错误 error", "red"), "warning": ("注意 warning", "yellow"), "info": ("说明 info", "cyan")}
_ROLES = {"lead": "主办 leads", "co": "协办 assists", "coordinator": "协调 coordinates"}
_STATES = {"future": "未开始 future", "running": "进行中 running", "over": "已结束 over"}

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    help="方案：检查、查看、试分办、新建。Plans: check, show, try the routing, make a new one.",
)
app.command("new")(new)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


def plans_dir() -> Path:
    """Where the plans are: `DACHUAN_PLANS_DIR`, else the ones shipped."""
    return Path(os.environ.get("DACHUAN_PLANS_DIR") or _ROOT / "deploy" / "plans")


def law_dir() -> Path:
    """Where the law is: `DACHUAN_LAW_DIR`, else the one shipped."""
    return Path(os.environ.get("DACHUAN_LAW_DIR") or _ROOT / "deploy" / "law")


def _law() -> LawBook:
    try:
        return LawBook.load(law_dir())
    except YamlProblem as problem:
        err.print(f"[red]错误 error[/] {escape(str(problem.where))}  {escape(problem.text_zh)}\n"
                  f"  {escape(problem.text_en)}")
        raise typer.Exit(1) from problem


def _folder(target: str) -> Path:
    """The folder of a plan named by id or path."""
    direct = Path(target)
    folder = direct if direct.is_dir() else plans_dir() / target
    if not folder.is_dir():
        known = "、".join(_known()) or "—"
        err.print(f"[red]✘[/] 没有方案“{escape(target)}”；有：{known} / no such plan; make one with ./dachuan plan new")
        raise typer.Exit(1)
    return folder


def _load(target: str, law: LawBook | None = None) -> Plan:
    try:
        return load_plan(_folder(target), law)
    except PlanError as problem:
        for finding in problem.findings:
            _tell(finding, err)
        raise typer.Exit(1) from problem


def _known() -> list[str]:
    return sorted(path.parent.name for path in plans_dir().glob("*/plan.yaml"))


def _tell(finding: Finding, where: Console) -> None:
    word, colour = _SEVERITY[finding.severity]
    where.print(f"[{colour}]{word}[/]  {escape(str(finding.where))}  {escape(finding.text_zh)}")
    where.print(f"    [dim]{escape(finding.text_en)}[/]")


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@app.command()
def check(
    targets: Annotated[list[str] | None, typer.Argument(metavar="[ID|DIR]…", help="方案编号或文件夹；不写查全部 / all")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 / machine-readable")] = False,
) -> None:
    """检查方案：错误指到文件和行，并说明原文的出入与假定。 Check plans; mistakes point at file:line."""
    law = _law()
    names = targets or _known()
    if not names:
        err.print(f"没有找到方案：{plans_dir()} / no plans found. 可用 ./dachuan plan new 新建。")
        raise typer.Exit(1)
    results = {name: check_plan(_folder(name), law) for name in names}
    bad = any(finding.severity == "error" for findings in results.values() for finding in findings)
    if as_json:
        _print_json([
            {"plan": name, "ok": not any(f.severity == "error" for f in findings), "findings": [
                {"severity": f.severity, "where": str(f.where), "file": f.where.file, "line": f.where.line,
                 "code": f.code, "zh": f.text_zh, "en": f.text_en} for f in findings
            ]}
            for name, findings in results.items()
        ])
        raise typer.Exit(int(bad))
    for name, findings in results.items():
        counts = {key: sum(f.severity == key for f in findings) for key in _SEVERITY}
        verdict = "[red]✘ 不能用 unusable[/]" if counts["error"] else "[green]✔ 可用 valid[/]"
        out.print(
            f"\n[bold]{escape(name)}[/]  {verdict}  错误 {counts['error']}，注意 {counts['warning']}，说明 {counts['info']}"
            f"  [dim]({counts['error']} errors, {counts['warning']} warnings, {counts['info']} notes)[/]"
        )
        for finding in findings:
            _tell(finding, out)
    raise typer.Exit(int(bad))


@app.command()
def show(
    plan_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="方案编号或文件夹；不写则列出全部 / plan id or folder; without: all")
    ] = None,
    on: Annotated[str | None, typer.Option(help="按哪一天看阶段（2015-11-01） / the day to look at")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 / machine-readable")] = False,
) -> None:
    """查看方案：单位、地区、阶段、报送日、职责。 Show a plan; without an id, list them."""
    if plan_id is None:
        _list(as_json)
        return
    plan = _load(plan_id)
    try:
        day = date.fromisoformat(on) if on else local_day(clock.now())
    except ValueError as problem:
        raise typer.BadParameter("日期要写成 2015-11-01 / write the date as 2015-11-01") from problem
    if as_json:
        _print_json({
            "plan": plan.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            "office": plan.office, "day": day,
            "phases": {phase.id: plan.phase_state(phase.id, day) for phase in plan.phases},
            "report_dates": plan.report_dates(),
            "duties": {agency.id: [duty.id for duty in plan.duties_of(agency.id)] for agency in plan.members},
        })
        return
    out.print(f"[bold]{plan.name.zh}[/]  [dim]{plan.name.en}[/]  ({plan.id})")
    issued = f"{plan.issued} 印发" if plan.issued else "未写印发日期 / no date of issue"
    out.print(f"{issued}  办公室 office：{plan.agency(plan.office).name.zh} ({plan.office})\n")
    agencies = _table("单位 agency", "编号 id", "内设机构 units", "职责 duties", title="成员单位 Members")
    for agency in plan.members:
        if agency.kind != "community":
            clauses = dict.fromkeys(duty.clause for duty in plan.duties_of(agency.id))
            agencies.add_row(
                agency.name.zh, agency.id, "、".join(unit.name.zh for unit in agency.units),
                " ".join(clauses) or "[yellow]无 none[/]",
            )
    out.print(agencies)
    marks = "、".join(area.name.zh + ("（假定）" if area.assumed else "") for area in plan.communities)
    out.print(f"社区 communities：{marks or '无 none'}\n")
    phases = _table("阶段 phase", "起 from", "止 to", f"{day} 的状态 state", title="阶段 Phases")
    for phase in plan.phases:
        phases.add_row(phase.name.zh, str(phase.first), str(phase.last), _STATES[plan.phase_state(phase.id, day)])
    out.print(phases)
    dates = plan.report_dates()
    more = f" …（共 {len(dates)} 次）" if len(dates) > 8 else ""
    out.print("报送日 report dates：" + ("、".join(map(str, dates[:8])) + more or "无 none"))
    for milestone in plan.milestones:
        out.print(f"{milestone.name.zh}  {milestone.due}  [dim]{milestone.name.en}[/]")


def _list(as_json: bool) -> None:
    plans = [_load(name) for name in _known()]
    if as_json:
        _print_json([{"plan": one.id, "zh": one.name.zh, "en": one.name.en, "issued": one.issued} for one in plans])
        return
    table = _table("编号 id", "方案 plan", "社区 communities", "单位 agencies")
    for one in plans:
        members = sum(agency.kind != "community" for agency in one.members)
        table.add_row(one.id, f"{one.name.zh}\n{one.name.en}", str(len(one.communities)), str(members))
    out.print(table)
    out.print("查看一个 one of them：./dachuan plan show ID")


@app.command()
def route(
    text: Annotated[str, typer.Option(help="线索文字 / what the tip says")],
    subject: Annotated[str, typer.Option(help="标题 / subject")] = "",
    area: Annotated[str | None, typer.Option(help="地区编号、代码或名称；不写则从文字里认 / area")] = None,
    channel: Annotated[str, typer.Option(help="来源渠道 / channel")] = "web",
    plan_id: Annotated[str, typer.Option("--plan", help="方案编号 / plan id")] = "dayong",
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 / machine-readable")] = False,
) -> None:
    """试分办：一段文字会分给谁，经过了哪些规则。 Simulate where a tip would go and why."""
    from services.intake.domain.reading import read, reason_name
    from services.intake.domain.tips import triage

    law = _law()
    plan = _load(plan_id, law)
    if channel not in CHANNELS:
        raise typer.BadParameter(f"没有渠道“{channel}” / unknown channel; {', '.join(CHANNELS)}")
    place = plan.area_of(area) if area else plan.area_of(f"{subject} {text}")
    if area and place is None:
        names = "、".join(one.name.zh for one in plan.areas)
        raise typer.BadParameter(f"方案里没有“{area}”这个地区；有：{names} / unknown area")
    reading = read(subject, text)
    routing = triage(plan, reading, area=place, text=f"{subject} {text}", channel=channel).routing
    due = None
    if routing.agency:
        now = clock.now()
        rule = plan.limit(plan.acceptance_rule(routing.agency, reading.urgent), local_day(now), law)
        calendar = WorkingCalendar.load(law_dir() / "calendar.yaml")
        deadline, _ = open_deadline(id="simulated", kind="acceptance", rule=rule, start=now, calendar=calendar)
        due = {"rule": rule.rule_id, "article": rule.article, "certainty": rule.certainty, "due": deadline.due.isoformat(),
               "provisional": deadline.provisional}
    reasons = [{"code": reason.code, "words": list(reason.words)} for reason in reading.reasons]
    if as_json:
        _print_json({
            "plan": plan.id, "relevant": reading.relevant, "kinds": sorted(reading.kinds), "urgent": reading.urgent,
            "area": place, "channel": channel, "reading": reasons, "routing": asdict(routing), "acceptance": due,
        })
        return
    shown_kinds = "、".join(KIND_NAMES[kind][0] for kind in reading.kinds) or "—"
    out.print(
        f"与传销{'有关 relevant' if reading.relevant else '无关 not relevant'}；种类 kinds：{shown_kinds}；"
        f"{'紧急 urgent' if reading.urgent else '不紧急 not urgent'}；"
        f"地点 area：{plan.area(place).name.zh if place else '不明 unknown'}"
    )
    for reason in reading.reasons:
        name = f"{reason_name(reason.code)} {reason_name(reason.code, english=True)}"
        out.print(f"    [dim]{escape(name)}：{escape('、'.join(reason.words))}[/]")
    table = _table("规则 rule", "结果 outcome", "原因 why")
    for step in routing.steps:
        if step.outcome != "not_reached":
            word, colour = ("✔ 命中 matched", "green") if step.outcome == "matched" else ("– 跳过 skipped", "yellow")
            table.add_row(step.rule, f"[{colour}]{word}[/]", f"{step.why}\n[dim]{step.why_en}[/]")
    left = [step.rule for step in routing.steps if step.outcome == "not_reached"]
    if left:
        table.add_row(f"[dim]其余 {len(left)} 条[/]", "[dim]未到 not reached[/]", f"[dim]{' '.join(left)}[/]")
    out.print(table)
    if routing.agency is None:
        out.print(f"[bold]不属于打传事项，请到：{routing.referral_zh}[/]  [dim]{routing.referral_en}[/]")
        return
    out.print(f"[bold]→ {_unit_name(plan, routing.agency, routing.unit)}[/]：{routing.reason_zh}  [dim]{routing.reason_en}[/]")
    if routing.dispatch:
        out.print(f"  同时通知 also alerted：{_unit_name(plan, routing.agency, routing.dispatch)}")
    for party in routing.parties:
        out.print(f"  {_ROLES.get(party.role, party.role)}：{_unit_name(plan, party.agency, party.unit)}")
    if due:
        shown = deadline.due.astimezone(SHANGHAI)
        loose = "（待定 provisional）" if due["provisional"] else ""
        out.print(f"  受理期限 acceptance due：{shown:%Y-%m-%d %H:%M}{loose}  [dim]{due['article']} ({due['certainty']})[/]")


def _unit_name(plan: Plan, agency_id: str, unit_id: str | None) -> str:
    agency = plan.agency(agency_id)
    unit = agency.unit(unit_id) if unit_id else None
    return f"{agency.name.zh} {unit.name.zh}" if unit else agency.name.zh
