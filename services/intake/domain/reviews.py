"""An officer's word on a reading: confirmed, or corrected; what follows from it. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.intake.domain.reading import KINDS


@dataclass(frozen=True, slots=True)
class Labels:
    """What a reading says of a tip, in codes; an example for training together with the sealed words."""

    relevant: bool
    urgent: bool
    kinds: tuple[str, ...]
    area: str | None
    belongs_to: str | None
    places: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """As kept and exported."""
        return {
            "relevant": self.relevant,
            "urgent": self.urgent,
            "kinds": list(self.kinds),
            "area": self.area,
            "belongs_to": self.belongs_to,
            "places": list(self.places),
        }


class Effect(StrEnum):
    """What a review does beside being kept as an example."""

    NONE = "none"
    """Confirmed, or only labels that nothing follows from."""
    CHANGE = "change"
    """The lead learns other kinds, another area or place."""
    RAISE = "raise"
    """The lead turns urgent: somebody is held or in danger."""
    OPEN = "open"
    """What was sent elsewhere is pyramid selling: it opens or joins a lead, its clock from the first receipt."""
    LEAVE = "leave"
    """It does not concern the lead: it leaves it, the other tips stay."""
    KEEP = "keep"
    """It does not concern pyramid selling, and is all the lead has: whether to accept the lead is for its agency to decide."""


def corrected(before: Labels, given: Mapping[str, Any]) -> Labels:
    """The labels after a correction; what is not given stays. They hold together whatever was given.

    Nothing irrelevant is urgent or has kinds; a relevant tip belongs nowhere else and has at least the kind
    `unspecified`; confinement is always urgent.
    """
    relevant = before.relevant if given.get("relevant") is None else bool(given["relevant"])
    kinds: Sequence[str] = before.kinds if given.get("kinds") is None else given["kinds"]
    urgent = before.urgent if given.get("urgent") is None else bool(given["urgent"])
    area = given["area"] if "area" in given else before.area
    places = before.places if given.get("places") is None else tuple(given["places"])
    if not relevant:
        topic = given.get("belongs_to") or before.belongs_to or "other"
        return Labels(False, False, (), area, topic, places)
    known = tuple(kind for kind in KINDS if kind in kinds and kind != "unspecified") or ("unspecified",)
    return Labels(True, urgent or "confinement" in known, known, area, None, places)


def effect(before: Labels, after: Labels, *, in_lead: bool, alone: bool) -> Effect:
    """What follows from a review of a tip that is (or is not) part of a lead, perhaps its only one."""
    if not in_lead:
        return Effect.OPEN if after.relevant else Effect.NONE
    if not after.relevant:
        return Effect.KEEP if alone else Effect.LEAVE
    if after.urgent and not before.urgent:
        return Effect.RAISE
    return Effect.NONE if after == before else Effect.CHANGE
