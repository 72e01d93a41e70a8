"""Reading rulebooks: `deploy/rulebooks/<id>/<version>.yaml`, or a draft's text. Every mistake is told as `file:line`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from services.scoring.domain.rulebooks.checks import cross_check, together
from services.scoring.domain.rulebooks.model import Rulebook
from shared.rules.plan import Plan
from shared.rules.plan.findings import Finding, Spots, mistake_of
from shared.rules.yaml_source import Source, Where, YamlProblem, read_yaml, read_yaml_text


class RulebookError(Exception):
    """A rulebook that cannot be used; `findings` says where, what is wrong and what to do."""

    def __init__(self, name: str, findings: list[Finding]) -> None:
        self.name, self.findings = name, findings
        lines = "\n".join(f"  {finding.where}: {finding.text_zh} / {finding.text_en}" for finding in findings)
        super().__init__(f"细则 {name} 不能用 / the rulebook cannot be used:\n{lines}")


def read_rulebook(path: Path) -> Rulebook:
    """One file, without looking at the plans. Raises `RulebookError` with every mistake in it."""
    name = f"{path.parent.name}/{path.name}"
    try:
        source = read_yaml(path, name)
    except YamlProblem as problem:
        raise RulebookError(name, [_of_yaml(problem)]) from problem
    rulebook, findings, _ = _validated(source)
    findings += _misplaced(path, rulebook, name)
    if rulebook is None or any(one.severity == "error" for one in findings):
        raise RulebookError(name, findings)
    return rulebook


def load_tree(root: Path) -> tuple[Rulebook, ...]:
    """All rulebooks below a folder, in the order of their paths. Raises `RulebookError` for the first bad one."""
    return tuple(read_rulebook(path) for path in sorted(root.glob("*/*.yaml")))


def read_text(text: str, name: str) -> Rulebook:
    """A published version's text, as it was checked then. Raises `RulebookError`."""
    try:
        source = read_yaml_text(text, name)
    except YamlProblem as problem:
        raise RulebookError(name, [_of_yaml(problem)]) from problem
    rulebook, findings, _ = _validated(source)
    if rulebook is None:
        raise RulebookError(name, findings)
    return rulebook


def check_text(text: str, name: str, plans: Mapping[str, Plan]) -> tuple[Rulebook | None, list[Finding]]:
    """The rulebook a text makes (None where it makes none), and everything wrong or doubtful in it, worst first."""
    try:
        source = read_yaml_text(text, name)
    except YamlProblem as problem:
        return None, [_of_yaml(problem)]
    rulebook, findings, spots = _validated(source)
    if rulebook is not None:
        findings += cross_check(rulebook, spots, plans)
    return rulebook, _sorted(findings)


def check_tree(root: Path, plans: Mapping[str, Plan]) -> tuple[tuple[Rulebook, ...], list[Finding]]:
    """Every rulebook below a folder that can be read, and all findings, also of versions against each other."""
    found: list[Rulebook] = []
    findings: list[Finding] = []
    for path in sorted(root.glob("*/*.yaml")):
        name = f"{path.parent.name}/{path.name}"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            try:
                read_yaml(path, name)
            except YamlProblem as problem:
                findings.append(_of_yaml(problem))
            continue
        rulebook, told = check_text(text, name, plans)
        told += _misplaced(path, rulebook, name)
        findings += told
        if rulebook is not None:
            found.append(rulebook)
    findings += together(found, plans)
    return tuple(found), _sorted(findings)


def _validated(source: Source) -> tuple[Rulebook | None, list[Finding], Spots]:
    spots = Spots(source.file)
    if not isinstance(source.value, dict):
        finding = Finding(
            "error", Where(source.file, 1), "not-a-mapping", "文件最外层应是“键: 值”。", "the file must be a mapping"
        )
        return None, [finding], spots
    for key in source.value:
        spots.take(key, source.places)
    try:
        return Rulebook.model_validate(source.value), [], spots
    except ValidationError as error:
        return None, [mistake_of(item, spots) for item in error.errors(include_url=False)], spots


def _misplaced(path: Path, rulebook: Rulebook | None, name: str) -> list[Finding]:
    if rulebook is None or (path.parent.name, path.stem) == (rulebook.id, rulebook.version):
        return []
    return [Finding(
        "error", Where(name, 1), "file-name",
        f"文件应放在 {rulebook.id}/{rulebook.version}.yaml：文件夹同 id，文件名同 version。",
        f"the file belongs at {rulebook.id}/{rulebook.version}.yaml: folder as id, name as version",
    )]  # fmt: skip


def _of_yaml(problem: YamlProblem) -> Finding:
    return Finding("error", problem.where, problem.code, problem.text_zh, problem.text_en)


def _sorted(findings: list[Finding]) -> list[Finding]:
    rank = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda one: (rank[one.severity], one.where.file, one.where.line))
