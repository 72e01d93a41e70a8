"""What a decision about a proceeding is made of: its sides, its ground, what is asked, what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.casework.domain.procedures import Procedure, Version
from shared.rules.calendar import WorkingCalendar, local_day
from shared.rules.deadlines import Deadline
from shared.rules.law import LawBook, LimitInForce, Text, UnknownRule
from shared.rules.plan import Plan


class Refused(ValueError):
    """A step that cannot be taken: `code` for programs, `zh` and `en` for people; nothing was changed."""

    def __init__(self, code: str, zh: str, en: str, **more: Any) -> None:
        super().__init__(en)
        self.code, self.zh, self.en, self.more = code, zh, en, more


class Incomplete(ValueError):
    """What was sent misses or mistakes fields: name → what is wrong, in both languages."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = dict(fields)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a proceeding; `outside`: without an account here, the owner records what it answers."""

    agency: str
    unit: str | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another proceeding of the same case, as guards see it."""

    id: UUID
    kind: str
    state: str
    final: bool
    outcome: str | None
    facts: Mapping[str, Any]
    agency: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A step taken before: which, and by whom."""

    step: str
    actor: str


@dataclass(frozen=True, slots=True)
class Proceeding:
    """A proceeding as it stands. `clocks` are by their names in the procedure: for each name the latest."""

    id: UUID
    state: str
    owner: Side
    counterpart: Side | None
    facts: Mapping[str, Any]
    clocks: Mapping[str, Deadline] = field(default_factory=dict)
    history: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step: an agency (unit) with posts and rights; `office` when it acts for the plan's office; or the system."""

    id: str
    agency: str | None
    unit: str | None = None
    posts: tuple[str, ...] = ()
    office: bool = False
    party: bool = False
    system: bool = False
    rights: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a decision rests on beside the proceeding itself.

    `documents` are kinds issued for this proceeding; `siblings` the case's other proceedings; `day` the day whose law
    governs. `urgent` and `area` are the case's; `tallies` count what is kept in rows beside the proceeding (items of a
    measure by what became of them, fen of a penalty paid); `titles` name the kinds of documents.
    """

    plan: Plan
    law: LawBook
    calendar: WorkingCalendar
    new_id: Callable[[], UUID]
    now: datetime
    siblings: tuple[Sibling, ...] = ()
    documents: frozenset[str] = frozenset()
    urgent: bool = False
    area: str | None = None
    tallies: Mapping[str, int] = field(default_factory=dict)
    titles: Mapping[str, Text] = field(default_factory=dict)

    def title(self, document: str) -> Text:
        """A kind of document by its name; its code where the name is not known."""
        return self.titles.get(document) or Text(zh=document, en=document)

    @property
    def day(self) -> date:
        """The local day of the decision."""
        return local_day(self.now)

    def limit(self, rule: str, day: date | None = None) -> LimitInForce:
        """The rule in force. Raises `Refused` where it no longer is."""
        try:
            return self.plan.limit(rule, day or self.day, self.law)
        except UnknownRule as error:
            raise Refused(
                "no-rule", f"没有可适用的规定（{rule}），未保存。", f"no rule {rule} is in force; nothing was saved"
            ) from error


@dataclass(frozen=True, slots=True)
class Asked:
    """What a guard judges: the proceeding before the step, the facts after it, who asks, and the ground.

    `words` is the prose that is given with the step, by field.
    """

    procedure: Procedure
    version: Version
    proceeding: Proceeding
    step: str
    given: Mapping[str, Any]
    facts: Mapping[str, Any]
    actor: Actor
    ground: Ground
    words: Mapping[str, str] = field(default_factory=dict)


Guard = Callable[[Asked], "Mapping[str, Any] | None"]
"""Raises `Refused` for what may not be; what it finds out becomes facts, where the step declares them as derived."""


@dataclass(frozen=True, slots=True)
class ClockChange:
    """What became of a clock: `started`, `met`, `missed`, `cancelled`, `suspended`, `resumed` or `extended`."""

    name: str
    change: str
    deadline: Deadline
    side: Side


@dataclass(frozen=True, slots=True)
class Decision:
    """The state after the step, all facts, the prose of this step, and what became of the clocks."""

    state: str
    facts: Mapping[str, Any]
    words: Mapping[str, str]
    given: Mapping[str, Any]
    clocks: tuple[ClockChange, ...]


def agencies_of(plan: Plan, kinds: tuple[str, ...]) -> list[str]:
    """The names of a plan's agencies of some kinds, as refusals name them."""
    return [agency.name.zh for agency in plan.agencies if agency.kind in kinds]
