"""`./dachuan rules check | diff | try`: rulebooks (考核细则) from the command line."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.client import Client, ClientError, problem_text
from deploy.cli.plan import law_dir, plans_dir
from services.scoring.domain.rulebooks import CHINA, Rulebook, RulebookError, check_text, check_tree, read_rulebook
from services.scoring.domain.rulebooks.difference import changes
from shared.kit import clock
from shared.rules.law import LawBook
from shared.rules.plan import Plan, PlanError, load_plans
from shared.rules.plan.findings import Finding
from shared.rules.yaml_source import YamlProblem

_ROOT = Path(__file__).resolve().parents[2]
_SEVERITY = {"error": ("错误 error", "red"), "warning": ("注意 warning", "yellow"), "info": ("说明 info", "cyan")}

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    help="考核细则：检查、比较、试算。Rulebooks: check them, compare versions, try one on what happened.",
)  # fmt: skip
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


def rulebooks_dir() -> Path:
    """Where the rulebooks are: `DACHUAN_RULEBOOKS_DIR`, else the ones shipped."""
    return Path(os.environ.get("DACHUAN_RULEBOOKS_DIR") or _ROOT / "deploy" / "rulebooks")


def _plans() -> dict[str, Plan]:
    try:
        return load_plans(plans_dir(), law=LawBook.load(law_dir()))
    except (PlanError, YamlProblem) as problem:
        err.print(f"[red]✘[/] 方案读不出来，请先运行 ./dachuan plan check / the plans cannot be read: {escape(str(problem))}")
        raise typer.Exit(2) from None


def _fact(one: Finding) -> dict[str, Any]:
    return {
        "severity": one.severity, "where": str(one.where), "file": one.where.file, "line": one.where.line,
        "code": one.code, "zh": one.text_zh, "en": one.text_en,
    }  # fmt: skip


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]…", help="细则文件；不写查全部 / all")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 / machine-readable")] = False,
) -> None:
    """检查细则：错误指到文件和行。 Check rulebooks; mistakes point at file:line. Ends with 1 when one has errors."""
    plans = _plans()
    if files:
        found: list[Finding] = []
        count = 0
        for path in files:
            try:
                text = path.read_text(encoding="utf-8")
            except OSError as problem:
                err.print(f"[red]✘[/] 读不到文件 / cannot read: {escape(str(problem))}")
                raise typer.Exit(2) from None
            rulebook, told = check_text(text, str(path), plans)
            count += rulebook is not None
            found += told
    else:
        rulebooks, found = check_tree(rulebooks_dir(), plans)
        count = len(rulebooks)
    bad = any(one.severity == "error" for one in found)
    if as_json:
        typer.echo(json.dumps(
            {"ok": not bad, "rulebooks": count, "findings": [_fact(one) for one in found]}, ensure_ascii=False, indent=2
        ))  # fmt: skip
        raise typer.Exit(int(bad))
    for one in found:
        word, colour = _SEVERITY[one.severity]
        out.print(f"[{colour}]{word}[/]  {escape(str(one.where))}  {escape(one.text_zh)}")
        out.print(f"    [dim]{escape(one.text_en)}[/]")
    if not bad:
        out.print(f"[green]✔[/] {count} 份细则可用 / rulebooks are valid")
    raise typer.Exit(int(bad))


def _read(named: str) -> Rulebook:
    """A version by file, or by `id@version` among the shipped ones; an id alone is its newest."""
    path = Path(named)
    if path.suffix == ".yaml" and path.is_file():
        rulebook, told = check_text(path.read_text(encoding="utf-8"), str(path), _plans())
        if rulebook is None:
            for one in told:
                err.print(f"[red]错误 error[/]  {escape(str(one.where))}  {escape(one.text_zh)} / {escape(one.text_en)}")
            raise typer.Exit(1)
        return rulebook
    rulebook_id, _, version = named.partition("@")
    files = sorted((rulebooks_dir() / rulebook_id).glob(f"{version}.yaml" if version else "*.yaml"))
    if not files:
        known = "、".join(f"{one.parent.name}@{one.stem}" for one in sorted(rulebooks_dir().glob("*/*.yaml")))
        err.print(f"[red]✘[/] 没有细则“{escape(named)}”；有：{escape(known)} / no such rulebook")
        raise typer.Exit(2)
    try:
        return max((read_rulebook(one) for one in files), key=lambda one: one.valid_from)
    except RulebookError as problem:
        err.print(f"[red]✘[/] {escape(str(problem))}")
        raise typer.Exit(1) from None


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="文件或 id@version / a file, or id@version")],
    after: Annotated[str, typer.Argument(help="文件或 id@version / a file, or id@version")],
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 / machine-readable")] = False,
) -> None:
    """比较两版细则：哪些条目新增、删去、改动。 Compare two versions. Ends with 1 when they differ."""
    left, right = _read(before), _read(after)
    found = changes(left, right)
    if as_json:
        typer.echo(json.dumps(
            {"before": left.ref, "after": right.ref, "changes": [
                {"where": one.where, "kind": one.kind, "before": one.before, "after": one.after} for one in found
            ]}, ensure_ascii=False, indent=2,
        ))  # fmt: skip
        raise typer.Exit(int(bool(found)))
    out.print(f"{escape(left.ref)} → {escape(right.ref)}")
    marks = {"added": "[green]+[/]", "removed": "[red]-[/]", "changed": "[yellow]~[/]"}
    for one in found:
        old, new = (json.dumps(value, ensure_ascii=False) for value in (one.before, one.after))
        told = new if one.kind == "added" else old if one.kind == "removed" else f"{old} → {new}"
        out.print(f"{marks[one.kind]} {escape(one.where)}: {escape(told)}")
    if not found:
        out.print("没有差别 / no difference")
    raise typer.Exit(int(bool(found)))


@app.command("try")
def try_(
    rulebook: Annotated[str, typer.Argument(help="新细则：文件或 id@version / the version to try: a file, or id@version")],
    plan: Annotated[str, typer.Option(help="哪个方案的事实 / whose facts")] = "",
    against: Annotated[str, typer.Option(help="和哪一版比（id@version） / compare with; default: in force then")] = "",
    first: Annotated[str, typer.Option("--from", help="起始日；不写是上一年 / first day; default: last year")] = "",
    last: Annotated[str, typer.Option("--to", help="截止日 / last day")] = "",
    causes: Annotated[int, typer.Option(help="每个单位最多列几条 / entries shown for each unit")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 / machine-readable")] = False,
) -> None:
    """试算：把已发生的事按另一版细则算一遍，列出各单位的差别和造成差别的条目；不保存。 What if: keeps nothing.

    The running instance is asked, so what counts is what it knows. Ends with 0, or 2 when it cannot be asked.
    """
    year = clock.now().astimezone(CHINA).year - 1
    body: dict[str, Any] = {
        "from": first or f"{year}-01-01", "to": last or f"{year}-12-31", "causes": causes,
        "plan": plan or None, "against": against or None,
    }  # fmt: skip
    path = Path(rulebook)
    body |= {"source": path.read_text(encoding="utf-8")} if path.is_file() else {"rulebook": rulebook}
    try:
        told = asyncio.run(_asked(body))
    except ClientError as error:
        err.print(f"[red]✘[/] {escape(str(error))}")
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    out.print(
        f"{escape(told['plan'])}  {told['from']} — {told['to']}  {escape(told['before'])} → {escape(told['after'])}  "
        f"{told['obligations']} 项义务 obligations, {told['decisions']} 项决定 decisions"
    )
    table = Table(show_lines=False)
    for column in ("对象 subject", "原 before", "新 after", "差 difference", "等次 band", "原因 causes"):
        table.add_column(column, overflow="fold")
    for unit in told["units"]:
        why = "\n".join(
            f"{one['occurred_on']} {one['line_before'] or '—'} {one['points_before']} → "
            f"{one['line_after'] or '—'} {one['points_after']}"
            for one in unit["causes"]
        )
        more = unit["causes_count"] - len(unit["causes"])
        table.add_row(
            f"{unit['subject_kind']} {unit['subject']}", unit["score_before"], unit["score_after"], unit["difference"],
            f"{unit['band_before'] or '—'} → {unit['band_after'] or '—'}", why + (f"\n… {more}" if more else ""),
        )  # fmt: skip
    out.print(table)


async def _asked(body: dict[str, Any]) -> dict[str, Any]:
    client = Client.here()
    try:
        answer = await client.call("scoring", "/v1/rulebooks/trial", body)
        if answer.status_code != 200:
            raise ClientError(problem_text(answer))
        return answer.json()
    finally:
        await client.close()
