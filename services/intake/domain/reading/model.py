"""What reading a message yields: frozen values, safe to share between requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal[
    "headcount",
    "entry_fee",
    "downline_sales",
    "health_products",
    "internet",
    "gathering",
    "confinement",
    "recruiting",
    "unspecified",
]
"""Kinds of pyramid selling. The first three are 禁止传销条例 art. 7 (1)–(3); the others are how it is done."""

KINDS: tuple[Kind, ...] = Kind.__args__

TOPICS: tuple[str, ...] = (
    "housing",
    "labour",
    "transport",
    "environment",
    "urban_management",
    "education",
    "health",
    "social_security",
    "finance_fraud",
    "consumer",
    "rural",
    "public_security",
    "government_conduct",
    "other",
)
"""Where a message that does not concern pyramid selling belongs."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place named in a message, normalised: digits are ASCII, 幢/号楼/座 count as 栋, type words are cut.

    Empty strings mean "not said". `building`, `unit`, `floor` and `room` are numbers or short codes as text
    (``"10"``, ``"A3"``, ``"1806"``). `phase` is the part of an estate (``"二期"``, ``"东区"``), where one is named. `area` is the finest district, county or town written before the name.
    """

    text: str
    area: str = ""
    road: str = ""
    estate: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    phase: str = ""

    @property
    def precise(self) -> bool:
        """True when it points at one flat or one floor, so that two messages naming it mean the same door."""
        return bool(self.room or self.floor)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the reading says what it says: the sign's code and the message's own words."""

    code: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message says of its target; None and empty mean that it says nothing."""

    people: int | None = None
    money: int | None = None
    levels: int | None = None
    places: tuple[Place, ...] = ()
    organisations: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


NO_FACTS = Facts()


@dataclass(frozen=True)
class Reading:
    """A suggestion for an officer, never a finding.

    `money` is in yuan; `people` and `money` are lower bounds when the message is vague (“上百人” is 100).
    `belongs_to` is None for a relevant message. `persons` are target facts (头目 郑某平), never the reporter.
    `targets` are canonical strings for finding messages about the same target, strongest first.

    The facts about the target are looked for when first asked for: routing needs none of them, and joining (`target`)
    neither how many, how much nor how deep.
    """

    relevant: bool
    kinds: tuple[str, ...] = ()
    urgent: bool = False
    belongs_to: str | None = None
    score: int = 0
    reasons: tuple[Reason, ...] = ()
    find: Callable[[], Facts] = field(default=lambda: NO_FACTS, repr=False, compare=False)
    """Whom and where the message points at."""
    fill: Callable[[Facts], Facts] = field(default=lambda facts: facts, repr=False, compare=False)
    """The same facts with all that is counted."""

    @cached_property
    def target(self) -> Facts:
        """Whom and where the message points at: places, organisations, apps, phones and persons alone."""
        return self.find()

    @cached_property
    def facts(self) -> Facts:
        """What the message says of its target."""
        return self.fill(self.target)

    @property
    def people(self) -> int | None:
        return self.facts.people

    @property
    def money(self) -> int | None:
        return self.facts.money

    @property
    def levels(self) -> int | None:
        return self.facts.levels

    @property
    def places(self) -> tuple[Place, ...]:
        return self.target.places

    @property
    def organisations(self) -> tuple[str, ...]:
        return self.target.organisations

    @property
    def apps(self) -> tuple[str, ...]:
        return self.target.apps

    @property
    def phones(self) -> tuple[str, ...]:
        return self.target.phones

    @property
    def persons(self) -> tuple[str, ...]:
        return self.target.persons

    @property
    def targets(self) -> tuple[str, ...]:
        return self.facts.targets
