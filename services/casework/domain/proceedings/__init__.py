"""Decisions about proceedings (办案程序), by the tables of their procedures. Pure; the caller saves."""

from services.casework.domain.proceedings.deciding import decide_miss, decide_opening, decide_step, may_take, side_of
from services.casework.domain.proceedings.fields import AHEAD
from services.casework.domain.proceedings.parts import (
    Actor,
    Asked,
    ClockChange,
    Decision,
    Ground,
    Guard,
    Incomplete,
    Proceeding,
    Refused,
    Sibling,
    Side,
    Taken,
)

__all__ = [
    "AHEAD",
    "Actor",
    "Asked",
    "ClockChange",
    "Decision",
    "Ground",
    "Guard",
    "Incomplete",
    "Proceeding",
    "Refused",
    "Sibling",
    "Side",
    "Taken",
    "decide_miss",
    "decide_opening",
    "decide_step",
    "may_take",
    "side_of",
]
