"""`./dachuan documents check | templates`: kinds of documents and their Word templates from the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.plan import law_dir, plans_dir
from services.casework.adapters.documents.defaults import default_template
from services.casework.adapters.documents.templates import check as check_template
from services.casework.domain.documents.catalogue import Catalogue, CatalogueError
from services.casework.domain.documents.kinds import Kind
from shared.rules.law import LawBook
from shared.rules.plan import PlanError, load_plans
from shared.rules.yaml_source import YamlProblem

_ROOT = Path(__file__).resolve().parents[2]

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    help="文书：检查种类和 Word 模板，恢复默认模板。Documents: check kinds and templates, restore defaults.",
)  # fmt: skip
out = Console(soft_wrap=True)


def documents_dir() -> Path:
    """Where kinds and templates are: `DACHUAN_DOCUMENTS_DIR`, else the ones shipped."""
    return Path(os.environ.get("DACHUAN_DOCUMENTS_DIR") or _ROOT / "deploy" / "documents")


def findings_of(folder: Path, law: LawBook) -> tuple[Catalogue | None, list[dict[str, Any]]]:
    """The kinds, or None where they cannot be read, and everything wrong or doubtful about them and their templates."""
    try:
        catalogue = Catalogue.load(folder, law)
    except CatalogueError as problem:
        return None, [
            _finding("error", str(one.where), one.code, one.text_zh, one.text_en, line=one.where.line)
            for one in problem.findings
        ]
    found: list[dict[str, Any]] = []
    for kind in catalogue.kinds.values():
        path = folder / "templates" / f"{kind.id}.docx"
        if not path.is_file():
            found.append(_finding(
                "error", path.name, "no-template", "没有模板；可用 ./dachuan documents templates 生成默认模板",
                "there is no template; ./dachuan documents templates makes the default", kind=kind.id,
            ))  # fmt: skip
            continue
        for fault in check_template(path.read_bytes(), kind):
            found.append(_finding(
                "warning" if fault.warning else "error", f"{path.name} {fault.where}", fault.code, fault.zh, fault.en,
                kind=kind.id, placeholder=fault.placeholder,
            ))  # fmt: skip
    known = {f"{name}.docx" for name in catalogue.kinds}
    for path in sorted((folder / "templates").glob("*.docx")):
        if path.name not in known:
            found.append(_finding("error", path.name, "no-kind", "没有这个种类的文书", "there is no kind of this name"))
    try:
        for plan in load_plans(plans_dir(), law=law).values():
            for zh, en in catalogue.check_plan(plan):
                found.append(_finding("error", f"plans/{plan.id}", "plan", zh, en))
    except PlanError as problem:
        found += [_finding("error", str(one.where), one.code, one.text_zh, one.text_en) for one in problem.findings]
    return catalogue, found


def _finding(severity: str, where: str, code: str, zh: str, en: str, **more: Any) -> dict[str, Any]:
    return {"severity": severity, "where": where, "code": code, "zh": zh, "en": en} | more


def _law() -> LawBook:
    try:
        return LawBook.load(law_dir())
    except YamlProblem as problem:
        out.print(f"[red]错误 error[/] {escape(str(problem.where))}  {escape(problem.text_zh)} / {escape(problem.text_en)}")
        raise typer.Exit(1) from problem


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 / machine-readable")] = False,
) -> None:
    """检查文书种类、模板和方案里的编号设置。 Check kinds, templates and the plans' settings; mistakes point at their place."""
    folder = documents_dir()
    catalogue, found = findings_of(folder, _law())
    wrong = any(one["severity"] == "error" for one in found)
    kinds = list(catalogue.kinds.values()) if catalogue else []
    if as_json:
        typer.echo(json.dumps(
            {"ok": not wrong, "kinds": len(kinds), "unverified": [one.id for one in kinds if one.doubtful], "findings": found},
            ensure_ascii=False, indent=2,
        ))  # fmt: skip
        raise typer.Exit(int(wrong))
    for one in found:
        colour = "red" if one["severity"] == "error" else "yellow"
        out.print(f"[{colour}]{one['severity']}[/]  {escape(one['where'])}  {escape(one['zh'])}\n    [dim]{escape(one['en'])}[/]")
    mark = "[red]✘[/]" if wrong else "[green]✔[/]"
    doubtful = sum(one.doubtful for one in kinds)
    out.print(f"{mark} {len(kinds)} 种文书，{doubtful} 种的依据待核 / {len(kinds)} kinds, the basis of {doubtful} still to be checked")
    raise typer.Exit(int(wrong))


@app.command()
def templates(
    kinds: Annotated[list[str] | None, typer.Argument(metavar="[KIND]…", help="文书编号；不写为全部 / all when absent")] = None,
    to: Annotated[Path | None, typer.Option(help="写到哪个文件夹 / folder to write to")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="覆盖已改过的模板 / replace edited ones")] = False,
) -> None:
    """写出默认的 Word 模板；已有的不覆盖。 Write default Word templates; existing ones stay unless --overwrite."""
    catalogue, found = findings_of(documents_dir(), _law())
    if catalogue is None:
        for one in found:
            out.print(f"[red]error[/]  {escape(one['where'])}  {escape(one['zh'])} / {escape(one['en'])}")
        raise typer.Exit(1)
    unknown = [name for name in kinds or () if name not in catalogue.kinds]
    if unknown:
        out.print(f"[red]✘[/] 没有这种文书：{escape(unknown[0])} / no such kind; 有 {escape('、'.join(catalogue.kinds))}")
        raise typer.Exit(1)
    folder = to or documents_dir() / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    chosen: list[Kind] = [catalogue.kinds[name] for name in kinds or catalogue.kinds]
    written = 0
    for kind in chosen:
        path = folder / f"{kind.id}.docx"
        if path.exists() and not overwrite:
            continue
        path.write_bytes(default_template(kind))
        written += 1
    out.print(f"[green]✔[/] 写出 {written} 个，保留 {len(chosen) - written} 个：{escape(str(folder))} / written, kept")
