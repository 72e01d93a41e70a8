"""The kinds of documents as officials keep them in `deploy/documents/`: read and checked, mistakes told as file:line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from services.casework.domain.documents.kinds import OFFICE, DocumentField, Kind, Series
from shared.rules.law import LawBook
from shared.rules.plan import Plan
from shared.rules.plan.findings import Finding, Spots, mistake_of
from shared.rules.yaml_source import Path_, Source, Stamp, Where, YamlProblem, read_yaml, stamp


class CatalogueError(Exception):
    """Kinds that cannot be used; ``findings`` says where, what is wrong and what to do."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        lines = "\n".join(f"  {one.where}: {one.text_zh} / {one.text_en}" for one in findings)
        super().__init__(f"文书种类不能用 / the kinds of documents cannot be used:\n{lines}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All kinds and number series; ``marks``: 发文机关代字 by kind of agency where the plan names none."""

    kinds: Mapping[str, Kind]
    series: Mapping[str, Series]
    marks: Mapping[str, str]

    @classmethod
    def load(cls, directory: Path, law: LawBook | None = None) -> Catalogue:
        """Read `fields.yaml`, `series.yaml` and `kinds/*.yaml`. Raises `CatalogueError` with every mistake."""
        folder = Path(directory).absolute()
        return cls._loaded(folder, stamp(folder), law)

    @classmethod
    @lru_cache(8)
    def _loaded(cls, folder: Path, _stamp: Stamp, law: LawBook | None) -> Catalogue:
        reader = _Reader(law)
        catalogue = reader.read(folder)
        if reader.findings:
            raise CatalogueError(reader.findings)
        return catalogue

    def issued_by(self, plan: Plan, agency: str, *, in_office: bool) -> tuple[Kind, ...]:
        """The kinds that a member of an agency may draft; `in_office`: they hold a post of the office."""
        kind_of = plan.agency(agency).kind
        return tuple(
            kind for kind in self.kinds.values()
            if kind_of in kind.issuers or (in_office and agency == plan.office and OFFICE in kind.issuers)
        )  # fmt: skip

    def check_plan(self, plan: Plan) -> list[tuple[str, str]]:
        """What is wrong with a plan's own settings for documents, in Chinese and English; empty when nothing is."""
        wrong = []
        for name in plan.documents.series:
            if name not in self.series:
                wrong.append((f"没有编号序列“{name}”", f"no such number series “{name}”"))
        for name in plan.documents.approvals:
            if name not in self.kinds:
                wrong.append((f"没有文书种类“{name}”", f"no such kind of document “{name}”"))
        known = {agency.id for agency in plan.members} | {OFFICE}
        for name in plan.documents.marks:
            if name not in known:
                wrong.append((f"没有单位“{name}”", f"no such agency “{name}”"))
        return wrong


class _Reader:
    def __init__(self, law: LawBook | None) -> None:
        self.law = law
        self.findings: list[Finding] = []
        self.shared: dict[str, dict[str, Any]] = {}

    def read(self, directory: Path) -> Catalogue:
        shared = self._file(directory / "fields.yaml", "fields")
        for index, entry in enumerate(shared.value.get("fields", []) if shared else []):
            if self._parse(DocumentField, entry, shared, ("fields", index)) is not None:
                self.shared[entry["id"]] = entry
        series, marks = self._series(directory / "series.yaml")
        kinds: dict[str, Kind] = {}
        for path in sorted((directory / "kinds").glob("*.yaml")):
            source = self._file(path, "kinds")
            for index, entry in enumerate(source.value.get("kinds", []) if source else []):
                kind = self._kind(entry, source, ("kinds", index))
                if kind is None:
                    continue
                if kind.id in kinds:
                    self._wrong(source.places[("kinds", index)], "twice", f"文书“{kind.id}”写了两次", f"“{kind.id}” is given twice")
                kinds[kind.id] = kind
                self._check(kind, series, source, ("kinds", index))
        if not kinds and not self.findings:
            self._wrong(Where(f"{directory.name}/kinds", 1), "no-kinds", "没有文书种类", "there are no kinds of documents")
        return Catalogue(kinds, series, marks)

    def _series(self, path: Path) -> tuple[dict[str, Series], dict[str, str]]:
        source = self._file(path, "series")
        if source is None:
            return {}, {}
        found: dict[str, Series] = {}
        for index, entry in enumerate(source.value.get("series") or []):
            one = self._parse(Series, entry, source, ("series", index))
            if one is not None:
                found[one.id] = one
        marks = source.value.get("marks") or {}
        if "default" not in marks:
            self._wrong(Where(source.file, 1), "no-default-mark", "marks 要有 default", "marks needs a default")
        return found, {str(key): str(value) for key, value in marks.items()}

    def _kind(self, entry: Any, source: Source, at: Path_) -> Kind | None:
        if isinstance(entry, dict) and isinstance(entry.get("fields"), list):
            fields = []
            for index, one in enumerate(entry["fields"]):
                fields.append(one)
                if isinstance(one, dict) and "use" in one:
                    known = self.shared.get(one["use"])
                    if known is None:
                        self._wrong(
                            source.places[(*at, "fields", index)], "no-such-field",
                            f"fields.yaml 里没有“{one['use']}”", f"fields.yaml has no “{one['use']}”",
                        )  # fmt: skip
                        return None
                    fields[-1] = known | {key: value for key, value in one.items() if key != "use"}
            entry = entry | {"fields": fields}
        return self._parse(Kind, entry, source, at)

    def _check(self, kind: Kind, series: Mapping[str, Series], source: Source, at: Path_) -> None:
        where = source.places[at]
        if kind.series not in series:
            self._wrong(where, "no-such-series", f"没有编号序列“{kind.series}”", f"no such number series “{kind.series}”")
        rules: list[str] = [one.rule for one in kind.basis if one.rule]
        rules += [one.within.rule for one in kind.fields if one.within] + [one.rule for one in kind.fields if one.rule]
        rules += [kind.serve] if kind.serve else []
        rules += [one.source.partition(":")[2] for one in kind.fields if (one.source or "").startswith("limit:")]
        for rule in rules:
            if self.law is not None and rule not in self.law:
                self._wrong(
                    where, "no-such-rule", f"“{kind.id}”：法规文件里没有“{rule}”", f"“{kind.id}”: the law files have no “{rule}”"
                )

    def _parse(self, model: Any, entry: Any, source: Source, at: Path_) -> Any:
        try:
            return TypeAdapter(model).validate_python(entry)
        except ValidationError as error:
            spots = Spots(source.file)
            spots.take(str(at[0]), source.places)
            self.findings += [
                mistake_of(dict(one) | {"loc": (*at, *one["loc"])}, spots) for one in error.errors(include_url=False)
            ]
            return None

    def _file(self, path: Path, key: str) -> Source | None:
        try:
            source = read_yaml(path, f"{path.parent.name}/{path.name}")
        except YamlProblem as problem:
            self.findings.append(Finding("error", problem.where, problem.code, problem.text_zh, problem.text_en))
            return None
        if not isinstance(source.value, dict) or not isinstance(source.value.get(key), list):
            self._wrong(Where(source.file, 1), "no-list", f"文件要有列表 {key}", f"the file needs a list {key}")
            return None
        return source

    def _wrong(self, where: Where, code: str, zh: str, en: str) -> None:
        self.findings.append(Finding("error", where, code, zh, en))


def tell(findings: Iterable[Finding]) -> list[str]:
    """Findings as lines for a log."""
    return [f"{one.where}: {one.text_en}" for one in findings]
