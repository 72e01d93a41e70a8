"""`./dachuan procedures check | list`: the tables of proceedings from the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.documents import documents_dir
from deploy.cli.plan import law_dir, plans_dir
from services.casework.domain.documents.catalogue import Catalogue, CatalogueError
from services.casework.domain.guards import GUARDS
from services.casework.domain.procedure_checks import check as check_table
from services.casework.domain.procedures import Procedures
from shared.rules.law import LawBook
from shared.rules.plan import PlanError, load_plans
from shared.rules.yaml_source import YamlProblem

_ROOT = Path(__file__).resolve().parents[2]

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    help="办案程序：检查、列出。Procedures: check the tables of proceedings, list them.",
)  # fmt: skip
out = Console(soft_wrap=True)


def procedures_dir() -> Path:
    """Where the procedures are: `DACHUAN_PROCEDURES_DIR`, else the ones shipped."""
    return Path(os.environ.get("DACHUAN_PROCEDURES_DIR") or _ROOT / "deploy" / "procedures")


def findings_of(folder: Path) -> tuple[Procedures | None, list[dict[str, Any]]]:
    """The procedures, or None where they cannot be read, and everything wrong with them."""
    try:
        law = LawBook.load(law_dir())
        plans = load_plans(plans_dir(), law=law)
        shared = [{limit.id for limit in plan.deadlines.limits} for plan in plans.values()]
        procedures = Procedures.load(folder, law, GUARDS, set.intersection(*shared) if shared else ())
        kinds = Catalogue.load(documents_dir(), law).kinds
    except YamlProblem as problem:
        return None, [_finding(str(problem.where), problem.code, problem.text_zh, problem.text_en)]
    except PlanError as problem:
        return None, [_finding(str(one.where), one.code, one.text_zh, one.text_en) for one in problem.findings]
    except CatalogueError as problem:
        return None, [_finding(str(one.where), one.code, one.text_zh, one.text_en) for one in problem.findings]
    found = [
        _finding(f"{one.procedure} {one.version} {one.about}", one.code, one.zh, one.en)
        for procedure in procedures.by_id.values()
        for one in check_table(procedure, kinds)
    ]
    return procedures, found


def _finding(where: str, code: str, zh: str, en: str) -> dict[str, Any]:
    return {"severity": "error", "where": where, "code": code, "zh": zh, "en": en}


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="机器可读 / machine-readable")] = False) -> None:
    """检查全部程序：引用的规则、文书、单位是否存在，状态能否到达和办结，期限有无遗漏。 Check every procedure."""
    procedures, found = findings_of(procedures_dir())
    if as_json:
        count = len(procedures.by_id) if procedures else 0
        typer.echo(json.dumps({"ok": not found, "procedures": count, "findings": found}, ensure_ascii=False, indent=2))
        raise typer.Exit(int(bool(found)))
    for one in found:
        out.print(f"[red]错误 error[/]  {escape(one['where'])}  {escape(one['zh'])}")
        out.print(f"    [dim]{escape(one['en'])}[/]")
    if procedures is not None and not found:
        out.print(f"[green]✔[/] {len(procedures.by_id)} 种程序可用 / procedures are valid")
    raise typer.Exit(int(bool(found)))


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="机器可读 / machine-readable")] = False) -> None:
    """列出程序：类别、名称、条款、版本、步骤数。 List the procedures."""
    procedures, found = findings_of(procedures_dir())
    if procedures is None:
        out.print(f"[red]✘[/] {escape(found[0]['where'])}  {escape(found[0]['zh'])} {escape(found[0]['en'])}")
        raise typer.Exit(1)
    lines = [
        {
            "procedure": one.procedure, "group": one.group, "zh": one.name.zh, "en": one.name.en,
            "clauses": list(one.clause), "versions": [v.version for v in one.versions],
            "states": len(one.versions[-1].states), "steps": len(one.versions[-1].steps),
        }
        for one in procedures.by_id.values()
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(lines, ensure_ascii=False, indent=2))
        return
    for line in lines:
        out.print(
            f"{line['group']:<12} {escape(line['procedure']):<26} {escape(line['zh'])}  [dim]{escape(line['en'])}[/]  "
            f"{' '.join(line['clauses'])}  {line['states']} 状态 states, {line['steps']} 步骤 steps"
        )
