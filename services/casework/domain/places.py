"""Places (窝点、场所): the states of a den, revisits, and when something counts as back (死灰复燃). No I/O."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from enum import StrEnum

from services.casework.domain.persons import plain


class PlaceKind(StrEnum):
    """出租屋, 会议场所, 网站或App, 其他."""

    RENTAL = "rental"
    VENUE = "venue"
    SITE = "site"
    OTHER = "other"


class DenState(StrEnum):
    """A den is found, cleared (捣毁); under seal (查封) in either, or not."""

    FOUND = "found"
    SEALED = "sealed"
    CLEARED = "cleared"
    CLEARED_SEALED = "cleared_sealed"


class DenAction(StrEnum):
    """捣毁, 查封, 解封, 回访."""

    CLEAR = "clear"
    SEAL = "seal"
    UNSEAL = "unseal"
    REVISIT = "revisit"


DEN_TRANSITIONS: dict[tuple[DenState, DenAction], DenState] = {
    (DenState.FOUND, DenAction.CLEAR): DenState.CLEARED,
    (DenState.FOUND, DenAction.SEAL): DenState.SEALED,
    (DenState.SEALED, DenAction.CLEAR): DenState.CLEARED_SEALED,
    (DenState.SEALED, DenAction.UNSEAL): DenState.FOUND,
    (DenState.CLEARED, DenAction.SEAL): DenState.CLEARED_SEALED,
    (DenState.CLEARED, DenAction.REVISIT): DenState.CLEARED,
    (DenState.CLEARED_SEALED, DenAction.UNSEAL): DenState.CLEARED,
    (DenState.CLEARED_SEALED, DenAction.REVISIT): DenState.CLEARED_SEALED,
}
"""What may happen to a den in which state, and where it leads. A pair that is not listed is refused."""


class RevisitState(StrEnum):
    """A revisit is open, overdue, done, or dropped (the place was found again meanwhile)."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"
    DROPPED = "dropped"


class RevisitAction(StrEnum):
    DO = "do"
    MISS = "miss"
    DROP = "drop"


REVISIT_TRANSITIONS: dict[tuple[RevisitState, RevisitAction], RevisitState] = {
    (RevisitState.OPEN, RevisitAction.DO): RevisitState.DONE,
    (RevisitState.OPEN, RevisitAction.MISS): RevisitState.OVERDUE,
    (RevisitState.OPEN, RevisitAction.DROP): RevisitState.DROPPED,
    (RevisitState.OVERDUE, RevisitAction.DO): RevisitState.DONE,
    (RevisitState.OVERDUE, RevisitAction.DROP): RevisitState.DROPPED,
}
"""The same for a revisit."""

RELAPSES = frozenset({"people_back", "seal_broken"})
"""Outcomes of a revisit that say that it has started again."""

REVISIT_OUTCOMES = {
    "quiet": ("无异常", "Nothing going on"),
    "let_again": ("已另行出租，情况正常", "Let to others, in order"),
    "people_back": ("传销人员回流", "People are back"),
    "seal_broken": ("封条被破坏", "The seal is broken"),
    "nobody_there": ("无人，外观无异常", "Nobody there, nothing to see"),
}
"""What a revisit finds, in Chinese and English."""


class PlaceRefused(ValueError):
    """The action is not possible in this state."""


def next_den_state(state: DenState, action: DenAction) -> DenState:
    """The state a den goes to. Raises `PlaceRefused` for a pair that is not in the table."""
    try:
        return DEN_TRANSITIONS[state, action]
    except KeyError:
        raise PlaceRefused(f"a den that is {state} cannot be {action}") from None


def next_revisit_state(state: RevisitState, action: RevisitAction) -> RevisitState:
    """The state a revisit goes to. Raises `PlaceRefused` for a pair that is not in the table."""
    try:
        return REVISIT_TRANSITIONS[state, action]
    except KeyError:
        raise PlaceRefused(f"a revisit that is {state} cannot {action}") from None


_BUILDING = re.compile(r"(?:号楼|栋|幢|座|#楼|#)")
_ROOM = re.compile(r"(?:号房|房间|室|房|户)$")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_SITE = re.compile(r"^[a-z]+://(?:www\.)?|^www\.|/+$")


def address_key(kind: PlaceKind, text: str) -> str:
    """An address in one form, so that 12幢０３０１室 and 12栋301 are one place; a site without scheme and www."""
    if kind is PlaceKind.SITE:
        return _SITE.sub("", unicodedata.normalize("NFKC", text).strip().casefold())
    folded = re.sub(r"[,，、。/]", "", plain(text))
    return _ZEROS.sub("", _ROOM.sub("", _BUILDING.sub("栋", folded)))


def revisit_days(cleared_on: date, after_days: tuple[int, ...]) -> tuple[date, ...]:
    """The due days of the revisits of a den cleared on a day."""
    return tuple(cleared_on + timedelta(days=days) for days in after_days)
