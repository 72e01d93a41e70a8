"""What a reporter is told of where the matter stands, in plain words (`outcomes.toml`)."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Literal

StepState = Literal["done", "now"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, or (`at` None) that is so now."""

    code: str
    at: datetime | None = None
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """An end the reporter may contest and rate: `key` is stable, so that each end is contested once.

    `by` is the actor who closed it; None when a rule of the plan did.
    """

    key: str
    outcome: str
    at: datetime
    agency: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a tip stands: what happened in order, and its end if it has one."""

    steps: tuple[Step, ...]
    closing: Closing | None = None
    contest: str | None = None
    """The state of the contest of this closing, if there is one."""
    stars: int | None = None
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The code of what is so now."""
        return self.steps[-1].code

    @property
    def may_contest(self) -> bool:
        return self.closing is not None and self.contest is None

    @property
    def may_rate(self) -> bool:
        return self.closing is not None and self.stars is None


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads((files(__package__) / "outcomes.toml").read_text(encoding="utf-8"))


def step_words(code: str, agency: tuple[str, str]) -> tuple[str, str]:
    """A step in Chinese and English; `agency` is the agency's name in both. Raises KeyError for an unknown code."""
    words = _words()["step"][code]
    return words["zh"].format(agency=agency[0]), words["en"].format(agency=agency[1])


def closing_words(outcome: str, agency: tuple[str, str], place: tuple[str, str] = ("", "")) -> tuple[str, str]:
    """An end in Chinese and English; an outcome without words of its own gets the general ones."""
    words = _words()["closing"].get(outcome) or _words()["closing"]["other"]
    return words["zh"].format(agency=agency[0], place=place[0]), words["en"].format(agency=agency[1], place=place[1])


def codes() -> tuple[Sequence[str], Sequence[str]]:
    """The codes of steps and of outcomes that have words."""
    return tuple(_words()["step"]), tuple(_words()["closing"])
