"""Reading a plan's folder: all its ``*.yaml`` together make one plan; every mistake is told as ``file:line``.

A top-level key belongs to one file only. `load_plan` raises `PlanError` with all findings; `check_plan` returns them,
together with the things worth knowing that are no mistakes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.rules.law import LawBook
from shared.rules.plan.checks import cross_check
from shared.rules.plan.findings import Finding, Spots, mistake_of
from shared.rules.plan.model import Plan
from shared.rules.plan.observations import observe
from shared.rules.yaml_source import Stamp, Where, YamlProblem, read_yaml, stamp


class PlanError(Exception):
    """A plan that cannot be used; ``findings`` says where, what is wrong and what to do."""

    def __init__(self, directory: Path, findings: list[Finding]) -> None:
        self.directory, self.findings = directory, findings
        lines = "\n".join(f"  {finding.where}: {finding.text_zh} / {finding.text_en}" for finding in findings)
        super().__init__(f"方案 {directory} 不能用 / the plan cannot be used:\n{lines}")


def load_plan(directory: Path | str, law: LawBook | None = None) -> Plan:
    """Read and validate one plan; with the law, its rule ids too. Raises `PlanError` with every mistake found."""
    folder = Path(directory).absolute()
    return _loaded(folder, stamp(folder), law)


@lru_cache(16)
def _loaded(folder: Path, _stamp: Stamp, law: LawBook | None) -> Plan:
    plan, findings, _ = _read(folder, law)
    if plan is None:
        raise PlanError(folder, findings)
    return plan


def load_plans(
    root: Path | str, ids: Iterable[str] | None = None, law: LawBook | None = None
) -> dict[str, Plan]:
    """Every plan below ``root`` (folders with a `plan.yaml`, except `template`), or only those named, by id.

    Raises `PlanError` for a bad plan, for an id that is not there, and for a folder not named like its plan.
    """
    base = Path(root)
    wanted = None if ids is None else list(ids)
    if wanted is None:
        names = sorted(path.parent.name for path in base.glob("*/plan.yaml") if path.parent.name != "template")
    else:
        names = wanted
    plans: dict[str, Plan] = {}
    for name in names:
        folder = base / name
        plan = load_plan(folder, law)
        if plan.id != name:
            raise PlanError(folder, [Finding(
                "error", Where(f"{name}/plan.yaml", 1), "folder-name",
                f"文件夹叫“{name}”，方案 id 却是“{plan.id}”；请改成一致。",
                f"the folder is “{name}” but the plan's id is “{plan.id}”; make them equal",
            )])
        plans[name] = plan
    return plans


def check_plan(directory: Path | str, law: LawBook | None = None) -> list[Finding]:
    """Everything wrong with a plan (errors), doubtful (warnings) or worth knowing (info), worst first."""
    plan, findings, spots = _read(Path(directory), law)
    if plan is not None:
        findings += observe(plan, spots)
    rank = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda finding: rank[finding.severity])


def _read(folder: Path, law: LawBook | None) -> tuple[Plan | None, list[Finding], Spots]:
    spots = Spots(f"{folder.name}/plan.yaml")
    findings: list[Finding] = []
    data: dict[str, Any] = {}
    files = sorted(folder.glob("*.yaml"))
    if not (folder / "plan.yaml").is_file():
        return None, [Finding(
            "error", Where(f"{folder.name}/plan.yaml", 1), "no-plan",
            "没有 plan.yaml；请用 ./dachuan plan new 建一个方案。",
            "there is no plan.yaml; make a plan with ./dachuan plan new",
        )], spots
    for path in files:
        shown = f"{folder.name}/{path.name}"
        try:
            source = read_yaml(path, shown)
        except YamlProblem as problem:
            findings.append(
                Finding("error", problem.where, problem.code, problem.text_zh, problem.text_en)
            )
            continue
        if not isinstance(source.value, dict):
            findings.append(Finding(
                "error", Where(shown, 1), "not-a-mapping", "文件最外层应是“键: 值”。", "the file must be a mapping"
            ))
            continue
        for key, value in source.value.items():
            if key in data:
                findings.append(Finding(
                    "error", source.places[(key,)], "duplicate-key",
                    f"“{key}”已写在 {spots.at((key,))}；一项只能写在一个文件里。",
                    f"“{key}” is already at {spots.at((key,))}; a part belongs to one file",
                ))
                continue
            data[key] = value
            spots.take(key, source.places)
    if findings:
        return None, findings, spots
    year = data.get("year")
    try:
        plan = Plan.model_validate(data, context={"year": year if isinstance(year, int) else None})
    except ValidationError as error:
        return None, [mistake_of(item, spots) for item in error.errors(include_url=False)], spots
    findings = cross_check(plan, spots, law)
    return (None if findings else plan), findings, spots
