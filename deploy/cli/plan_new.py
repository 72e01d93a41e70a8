"""`./dachuan plan new`: writes a plan for another town from the template, asking only what it cannot know."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console
from rich.markup import escape

from shared.kit import clock
from shared.rules.calendar import local_day
from shared.rules.plan import check_plan

_ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = _ROOT / "deploy" / "plans" / "template"

AGENCIES: dict[str, tuple[str, str]] = {
    "commerce": ("市场监督管理分局", "Market supervision branch"),
    "police": ("公安分局", "Public security branch"),
    "politics_law": ("政法综治办", "Public security and stability office"),
    "rental_mgmt": ("流管办", "Floating population and rental office"),
    "food_drug": ("食品药品监管所", "Food and drug station"),
    "social_affairs": ("社会事务办", "Social affairs office"),
    "labour": ("人力资源和社会保障分局", "Human resources and social security branch"),
    "education": ("教育办", "Education office"),
    "propaganda": ("宣传办", "Publicity office"),
    "finance": ("财政所", "Finance office"),
}
ALWAYS = ("commerce", "police")
HOSTS = ("commerce", "politics_law", "office")
PHASES = (
    ("mobilise", "动员部署", "Mobilisation", 14),
    ("implement", "推进实施", "Implementation", 60),
    ("recognition", "申报认定", "Application and recognition", 30),
)

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


def new(
    plan_id: Annotated[str | None, typer.Option("--id", help="方案编号，小写拼音 / id, a–z 0–9 -")] = None,
    area: Annotated[str | None, typer.Option(help="镇街名称，如 某某镇 / name of the town")] = None,
    area_en: Annotated[str | None, typer.Option(help="英文或拼音名 / name in English")] = None,
    name: Annotated[str | None, typer.Option(help="方案名称 / name of the plan")] = None,
    level: Annotated[str, typer.Option(help="town 或 subdistrict")] = "town",
    communities: Annotated[str | None, typer.Option(help="社区名称，用逗号隔开 / communities, comma-separated")] = None,
    agencies: Annotated[str | None, typer.Option(help=f"成员单位编号，逗号隔开；可选 {', '.join(AGENCIES)}")] = None,
    host: Annotated[str, typer.Option(help=f"办公室设在 / office sits in: {', '.join(HOSTS)}")] = "commerce",
    start: Annotated[str | None, typer.Option("--from", help="开始日期 2027-03-01 / first day")] = None,
    report_weeks: Annotated[int, typer.Option(help="每几周报送一次 / report every n weeks")] = 2,
    fund: Annotated[int, typer.Option(help="经费（元），0 为未定 / fund in yuan, 0 = open")] = 0,
    directory: Annotated[Path | None, typer.Option("--dir", help="写到哪里 / where to write")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不提问，没写的用默认值 / ask nothing")] = False,
) -> None:
    """新建方案：回答几个问题，生成一份能通过检查的方案。 Make a plan for another town by answering a few questions."""
    plan_id = plan_id or _ask("方案编号（小写拼音，如 shaxi）/ plan id", "my-town", yes)
    area = area or _ask("镇街名称 / name of the town", "示例镇", yes)
    area_en = area_en or plan_id.replace("-", " ").title()
    name = name or _ask("方案名称 / name of the plan", f"{area}打击传销工作方案", yes)
    told = communities or _ask("社区名称，用逗号隔开 / communities, comma-separated", "第一社区,第二社区", yes)
    chosen = agencies or _ask("成员单位编号，逗号隔开 / member agencies", ",".join(AGENCIES), yes)
    today = local_day(clock.now())
    start = start or _ask("开始日期 / first day", str(today + timedelta(days=7)), yes)
    answers = _answers(plan_id, area, area_en, name, level, told, chosen, host, start, report_weeks, fund, today)
    base = directory or Path(os.environ.get("DACHUAN_PLANS_DIR") or _ROOT / "deploy" / "plans")
    target = base / plan_id
    if target.exists():
        _refuse(f"{target} 已存在；请换一个编号或先移走 / already exists")
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / plan_id
        _write(draft, answers)
        findings = [finding for finding in check_plan(draft) if finding.severity == "error"]
        if findings:
            for finding in findings:
                err.print(f"[red]错误 error[/] {escape(str(finding.where))} {escape(finding.text_zh)}")
            _refuse("按这些回答写不出有效方案，没有写入任何文件 / these answers give no valid plan; nothing was written")
        base.mkdir(parents=True, exist_ok=True)
        shutil.copytree(draft, target)
    out.print(f"[green]✔[/] 已写入 {target}（{len(list(target.glob('*.yaml')))} 个文件）/ written")
    out.print(f"下一步 next：逐个文件改成本地的内容，再运行 ./dachuan plan check {plan_id}；说明见 docs/plans.md")


def _ask(question: str, default: str, yes: bool) -> str:
    return default if yes else str(typer.prompt(question, default=default)).strip()


def _refuse(text: str) -> None:
    err.print(f"[red]✘[/] {escape(text)}")
    raise typer.Exit(1)


def _answers(
    plan_id: str, area: str, area_en: str, name: str, level: str, communities: str, agencies: str, host: str,
    start: str, report_weeks: int, fund: int, today: date,
) -> dict[str, Any]:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", plan_id) or plan_id == "template":
        _refuse(f"编号“{plan_id}”不行：只用小写字母、数字、- 和 _ / the id takes a–z, 0–9, - and _")
    if level not in ("town", "subdistrict"):
        _refuse("level 只能是 town 或 subdistrict / level is town or subdistrict")
    if host not in HOSTS:
        _refuse(f"办公室只能设在 {', '.join(HOSTS)} / unknown host")
    try:
        first = date.fromisoformat(start)
    except ValueError:
        _refuse(f"“{start}”不是日期，请写 2027-03-01 / not a date; write 2027-03-01")
    wanted = list(dict.fromkeys([*ALWAYS, *_parts(agencies), *([host] if host != "office" else [])]))
    unknown = [one for one in wanted if one not in AGENCIES]
    if unknown:
        _refuse(f"没有这些单位：{', '.join(unknown)}；可选 {', '.join(AGENCIES)} / unknown agencies")
    members = [{"id": one, "zh": AGENCIES[one][0], "en": AGENCIES[one][1]} for one in wanted]
    if host == "office":
        members.insert(0, {"id": "office", "zh": "打传办", "en": "Office of the joint conference"})
    names = list(dict.fromkeys(_parts(communities)))
    if not names:
        _refuse("至少要有一个社区 / at least one community")
    phases, day = [], first
    for phase_id, zh, en, days in PHASES:
        last = day + timedelta(days=days - 1)
        phases.append({"id": phase_id, "zh": zh, "en": en, "first": day, "last": last})
        day = last + timedelta(days=1)
    return {
        "id": plan_id, "name_zh": name, "name_en": f"{area_en} plan against pyramid selling", "level": level,
        "issued": str(min(today, first)), "area_zh": area, "area_en": area_en, "host": host, "agencies": members,
        "ids": {member["id"] for member in members}, "office_unit": "office", "phases": phases,
        "report_weeks": report_weeks, "fund_yuan": fund,
        "communities": [
            {"zh": zh, "en": f"Community {number}", "area": f"{plan_id}-c{number:02}", "agency": f"c-{number:02}"}
            for number, zh in enumerate(names, 1)
        ],
    }


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,，、;；\s]+", text) if part.strip()]


def _write(folder: Path, answers: dict[str, Any]) -> None:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    environment.filters["q"] = lambda text: json.dumps(text, ensure_ascii=False)
    folder.mkdir(parents=True)
    for path in sorted(TEMPLATE.glob("*.yaml.j2")):
        rendered = environment.get_template(path.name).render(answers)
        (folder / path.name.removesuffix(".j2")).write_text(rendered, encoding="utf-8")
