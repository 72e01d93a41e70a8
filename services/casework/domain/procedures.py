"""Procedures (办案程序) as dated data: one table a kind, read from `deploy/procedures/*.yaml`.

A procedure says who may open a proceeding of its kind and with what, which states it has, which step leads from where
to where, who takes it (and with whose approval), by which article, with which documents and fields, and which clocks
it starts and ends. A version governs the proceedings opened from its day on; running ones keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.rules.law import LawBook, Text
from shared.rules.plan.vocabulary import AGENCY_KINDS, APPROVALS, RIGHTS
from shared.rules.yaml_source import Source, Stamp, YamlProblem, read_yaml, stamp

Actor = Literal["owner", "counterpart", "office", "party", "approver", "system"]
"""Whose step it is: the side that opened it, the other side, the plan's office, any party of the case, whoever may give
the step's approval, nobody's."""

FieldType = Literal[
    "text", "code", "bool", "int", "yuan", "date", "datetime", "agency", "area", "place", "reference", "object"
]
"""`text` is prose and sealed; `reference` another side's number (文号); `place` the id of a place or a registered one
(no personal datum: it may be published); `object` the id of a person, file, …"""

Name = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldRule(_Part):
    """One thing that a step asks for.

    `limit` names a rule of the law or the plan whose range (inclusive) the number must keep; `publish` puts it into
    the event (never prose, references or objects). `past`: a moment that cannot lie ahead. `derived`: nobody is asked
    for it, a guard finds it out (what a guard finds and no field of the step declares is dropped). `kinds`: the kinds of
    agencies that an agency may be of; none: any.
    """

    name: Text
    type: FieldType
    required: bool = False
    choices: Mapping[str, Text] = Field(default_factory=dict)
    at_least: int | None = None
    at_most: int | None = None
    limit: str | None = None
    many: bool = False
    past: bool = False
    publish: bool = False
    derived: bool = False
    kinds: tuple[str, ...] = ()
    help: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kinds and (self.type != "agency" or not set(self.kinds) <= set(AGENCY_KINDS)):
            raise ValueError("kinds 只用于 agency，且须是单位类别 / kinds belong to agencies, and must be kinds of them")
        if (self.type == "code") != bool(self.choices):
            raise ValueError("choices 只用于 code，且 code 必须有 / choices belong to code, and code needs them")
        if self.publish and self.type in ("text", "reference", "object"):
            raise ValueError("文字、文号和对象编号不进事件 / prose, references and objects are never published")
        if self.limit and self.type not in ("int", "yuan"):
            raise ValueError("limit 只用于数字 / limit belongs to numbers")
        if self.derived and (self.required or self.type == "text"):
            raise ValueError("derived 由系统得出，不能必填，也不能是文字 / what is derived is never asked for, nor prose")
        return self


class ClockRule(_Part):
    """A clock of the procedure: the rule it runs by, and who has to keep it.

    `major`: the rule that governs where the fact `major` (重大案件) is true. `on_miss`: the step the system takes when
    it passes, such as a deemed lifting. `term`: time that is given to a party (to defend itself, to pay) and is waited
    for: when it passes it is over, and nobody is late.
    """

    rule: str
    major: str | None = None
    by: Literal["owner", "counterpart", "office"]
    on_miss: str | None = None
    term: bool = False


class ClockWork(_Part):
    """What a step does to clocks. `started_at`: the field with the moment they start from, else the step's own.

    `replace` (old: new): the same time goes on under another rule, counted from the old one's start, such as the ten
    days for a review whose three do not suffice. `until` (clock: fact): it runs to the end of the day that the fact names,
    such as the next instalment's; another day ends it and starts it anew, none ends it.
    """

    start: tuple[str, ...] = ()
    meet: tuple[str, ...] = ()
    cancel: tuple[str, ...] = ()
    suspend: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    replace: Mapping[str, str] = Field(default_factory=dict)
    until: Mapping[str, str] = Field(default_factory=dict)
    started_at: str | None = None

    @property
    def ending(self) -> frozenset[str]:
        """Clocks that are over after it."""
        return frozenset((*self.meet, *self.cancel))

    @property
    def named(self) -> frozenset[str]:
        """Every clock it names."""
        lists = (self.start, self.meet, self.cancel, self.suspend, self.resume, self.extend)
        return frozenset((*(one for names in lists for one in names), *self.replace, *self.replace.values(), *self.until))


class Opening(_Part):
    """A proceeding that a step opens by itself, such as the criminal track when police file a transferred case."""

    procedure: str
    owner: Literal["owner", "counterpart"] = "owner"
    carry: tuple[str, ...] = ()


class Moving(_Part):
    """A step that the system takes in the case's other proceedings of a kind, where their state allows it."""

    procedure: str
    step: str
    parent: bool = False


class StateRule(_Part):
    """A state: its name, whom it waits for, and whether it ends the proceeding (`outcome`: how)."""

    name: Text
    awaits: Literal["owner", "counterpart", "office"] | None = None
    final: bool = False
    outcome: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")


class StepRule(_Part):
    """A step from one of the states `from` to `to` (absent: it stays); out of an end only where it `reopens`.

    `approval` is a word of the plan's posts (X-O1): who takes the step holds a post that may approve it. `basis` are
    rules of the law or the plan, `article` what stands in no file; `needs` document kinds that must be issued. `joins`:
    who becomes party of the case by it: a side, or the agency in the field of that name.
    """

    name: Text
    sources: tuple[str, ...] = Field(alias="from")
    to: str | None = None
    by: tuple[Actor, ...] = ("owner",)
    approval: str | None = None
    basis: tuple[str, ...] = ()
    article: Text | None = None
    needs: tuple[str, ...] = ()
    fields: Mapping[str, FieldRule] = Field(default_factory=dict)
    guards: tuple[str, ...] = ()
    clocks: ClockWork = ClockWork()
    opens: tuple[Opening, ...] = ()
    moves: tuple[Moving, ...] = ()
    joins: str | None = None
    reopens: bool = False
    help: Text | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        field = self.fields.get(self.joins or "")
        if self.joins not in (None, "owner", "counterpart") and (field is None or field.type != "agency" or field.many):
            raise ValueError("joins 写 owner、counterpart 或一个单位字段 / joins: owner, counterpart or a field with an agency")
        if self.approval is not None and self.approval not in APPROVALS:
            raise ValueError(f"没有这个审批事项 {self.approval} / no such approval; one of {', '.join(APPROVALS)}")
        if "approver" in self.by and self.approval is None:
            raise ValueError("by: approver 须写 approval / a step of the approver names its approval")
        return self


class OpenRule(_Part):
    """Who may open a proceeding of this kind, and with what; `by` are kinds of agencies, empty: any party.

    `right`: a right that whoever opens it holds, such as the office's to supervise.
    """

    by: tuple[str, ...] = ()
    right: str | None = None
    approval: str | None = None
    basis: tuple[str, ...] = ()
    article: Text | None = None
    fields: Mapping[str, FieldRule] = Field(default_factory=dict)
    guards: tuple[str, ...] = ()
    clocks: ClockWork = ClockWork()


class Counterpart(_Part):
    """The other side: kinds of agencies, or `others` that stand in no plan (a family, a school, the home area).

    Those, and agencies outside the plan, have no account here: the owner records what they answer.
    """

    kinds: tuple[str, ...] = ()
    others: Mapping[str, Text] = Field(default_factory=dict)
    required: bool = True


class Version(_Part):
    """The table that governs proceedings opened from a day on."""

    version: str = Field(min_length=1, max_length=20)
    effective_from: date = Field(alias="from")
    initial: str
    states: Mapping[str, StateRule]
    open: OpenRule = OpenRule()
    steps: Mapping[str, StepRule]
    clocks: Mapping[str, ClockRule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _closed(self) -> Self:
        """Every name that is used is defined, and every state can be reached."""
        wrong: list[str] = []
        if self.initial not in self.states:
            wrong.append(f"initial {self.initial}")
        reached = {self.initial}
        for step_id, step in self.steps.items():
            wrong += [f"{step_id}.from {one}" for one in step.sources if one not in self.states]
            ends = [one for one in step.sources if one in self.states and self.states[one].final]
            if ends and step.to not in (None, *ends) and not step.reopens:
                wrong.append(f"{step_id}.from {', '.join(ends)} (final; reopens: true)")
            if step.to is not None:
                reached.add(step.to)
                if step.to not in self.states:
                    wrong.append(f"{step_id}.to {step.to}")
        for where, work in [("open", self.open.clocks), *((s, r.clocks) for s, r in self.steps.items())]:
            wrong += [f"{where}.clocks {one}" for one in sorted(work.named - self.clocks.keys())]
        wrong += [f"clocks.{n}.on_miss {c.on_miss}" for n, c in self.clocks.items() if c.on_miss and c.on_miss not in self.steps]
        wrong += [f"states.{one} (never reached)" for one in self.states if one not in reached]
        if wrong:
            raise ValueError(f"未定义 / not defined: {'; '.join(wrong)}")
        return self

    def steps_from(self, state: str) -> dict[str, StepRule]:
        """The steps that lead from a state, the system's own left out."""
        return {k: s for k, s in self.steps.items() if state in s.sources and s.by != ("system",)}


class Procedure(_Part):
    """One kind of proceeding with its dated versions.

    `group` says which room of the case file it stands in; `confidential` which further right reads it: the criminal
    track (`criminal.read`) or an operation before its hour (`operation.read`); `sides`: its two sides and the office.
    """

    procedure: str = Name
    group: Literal["track", "transfer", "request", "measure", "penalty", "operation", "supervision", "report"]
    name: Text
    clause: tuple[str, ...]
    case: Literal["required", "optional"] = "required"
    single: bool = False
    urgent: bool = False
    confidential: Literal["criminal", "operation", "sides"] | None = None
    counterpart: Counterpart | None = None
    number: str = "{place}传案〔{year}〕{n:04d}号"
    versions: tuple[Version, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _dated(self) -> Self:
        days = [one.effective_from for one in self.versions]
        if days != sorted(set(days)) or len({one.version for one in self.versions}) != len(days):
            raise ValueError("versions 须按 from 先后排列且不重复 / versions in order of from, each once")
        kinds = (*(self.counterpart.kinds if self.counterpart else ()), *(k for v in self.versions for k in v.open.by))
        unknown = sorted(set(kinds) - set(AGENCY_KINDS))
        if unknown:
            raise ValueError(f"没有这类单位 / no such kind of agency: {', '.join(unknown)}")
        rights = sorted({v.open.right for v in self.versions if v.open.right} - set(RIGHTS))
        if rights:
            raise ValueError(f"没有这项权限 / no such right: {', '.join(rights)}")
        return self

    def in_force(self, day: date) -> Version:
        """The version that governs what is opened on a day; before the first one, the first."""
        return next((one for one in reversed(self.versions) if one.effective_from <= day), self.versions[0])

    def version(self, version: str) -> Version:
        """The version a running proceeding keeps. Raises `UnknownProcedure`."""
        found = next((one for one in self.versions if one.version == version), None)
        if found is None:
            raise UnknownProcedure(f"{self.procedure} {version}")
        return found


class UnknownProcedure(LookupError):
    """No procedure, version or step of this name."""


@dataclass(frozen=True)
class Procedures:
    """All procedures of an installation."""

    by_id: Mapping[str, Procedure]

    @classmethod
    def load(cls, directory: Path, law: LawBook, guards: Iterable[str], plan_rules: Iterable[str] = ()) -> Procedures:
        """Read every `*.yaml`. Raises `YamlProblem` with `file:line` for what is wrong or names what is not there."""
        folder = Path(directory).absolute()
        return cls._loaded(folder, stamp(folder), law, frozenset(guards), frozenset(plan_rules))

    @classmethod
    @lru_cache(8)
    def _loaded(
        cls, folder: Path, _stamp: Stamp, law: LawBook, guards: frozenset[str], plan_rules: frozenset[str]
    ) -> Procedures:
        found: dict[str, Procedure] = {}
        sources: dict[str, Source] = {}
        for path in sorted(folder.glob("*.yaml")):
            source = read_yaml(path, path.name)
            one = _valid(source)
            if one.procedure in found:
                raise YamlProblem(
                    source.places[()], "procedure-twice", f"“{one.procedure}”已在别的文件中定义。",
                    f"“{one.procedure}” is defined in another file",
                )
            found[one.procedure], sources[one.procedure] = one, source
        made = cls(found)
        made._check(sources, law, guards, plan_rules)
        return made

    def get(self, procedure: str) -> Procedure:
        """Raises `UnknownProcedure`."""
        try:
            return self.by_id[procedure]
        except KeyError:
            raise UnknownProcedure(procedure) from None

    @cached_property
    def groups(self) -> Mapping[str, tuple[Procedure, ...]]:
        """The procedures of each group, in order of their ids."""
        made: dict[str, list[Procedure]] = {}
        for one in self.by_id.values():
            made.setdefault(one.group, []).append(one)
        return {group: tuple(ones) for group, ones in made.items()}

    def _check(
        self, sources: Mapping[str, Source], law: LawBook, guards: frozenset[str], plan_rules: frozenset[str]
    ) -> None:
        def known(rule: str) -> bool:
            return rule in law or rule in plan_rules or (rule.startswith("plan.") and not plan_rules)

        for one in self.by_id.values():
            source = sources[one.procedure]

            def refuse(what: str, name: str, place: tuple[str | int, ...], source: Source = source) -> None:
                where = next(source.places[place[:n]] for n in range(len(place), -1, -1) if place[:n] in source.places)
                raise YamlProblem(where, f"unknown-{what}", f"没有“{name}”（{what}）。", f"there is no {what} “{name}”")

            for i, version in enumerate(one.versions):
                top = ("versions", i)
                for name, clock in version.clocks.items():
                    for rule in filter(None, (clock.rule, clock.major)):
                        if not known(rule):
                            refuse("rule", rule, (*top, "clocks", name))
                parts = [("open", version.open, (*top, "open")), *((s, r, (*top, "steps", s)) for s, r in version.steps.items())]
                for _, part, place in parts:
                    for rule in (*part.basis, *(f.limit for f in part.fields.values() if f.limit)):
                        if not known(rule):
                            refuse("rule", rule, place)
                    for guard in part.guards:
                        if guard not in guards:
                            refuse("guard", guard, place)
                for step_id, step in version.steps.items():
                    for other in (*step.opens, *step.moves):
                        if other.procedure not in self.by_id:
                            refuse("procedure", other.procedure, (*top, "steps", step_id))
                    for move in step.moves:
                        if not any(move.step in v.steps for v in self.by_id[move.procedure].versions):
                            refuse("step", f"{move.procedure}.{move.step}", (*top, "steps", step_id))


def _valid(source: Source) -> Procedure:
    try:
        return Procedure.model_validate(source.value)
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        loc = tuple(part for part in first["loc"])
        where = next(source.places[loc[:n]] for n in range(len(loc), -1, -1) if loc[:n] in source.places)
        name = ".".join(map(str, loc)) or "procedure"
        raise YamlProblem(where, "procedure", f"{name} 有误：{first['msg']}", f"{name}: {first['msg']}") from error
