"""Items of measures and payments of penalties as they are written down. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.casework.domain.guards.measures import outcomes_of
from services.casework.domain.proceedings import Incomplete, Refused

KINDS = ("premises", "goods", "cash", "papers", "device", "vehicle", "other")
"""场所、货物、现金、资料账簿、电子设备、车辆、其他."""

MOST_ITEMS = 2000
"""On one list."""


@dataclass(frozen=True, slots=True)
class Held:
    """An item as it stands."""

    id: str
    state: str


@dataclass(frozen=True, slots=True)
class Part:
    """An instalment: until when, how many fen."""

    due_on: date
    amount: int


def fen(amount: Decimal) -> int:
    """Yuan in fen."""
    return int((amount * 100).to_integral_exact())


def account_for(
    state: str, facts: Mapping[str, object], items: Mapping[str, Held], which: Sequence[str], outcome: str
) -> None:
    """Whether these items may have this outcome now. Raises `Refused`."""
    allowed = outcomes_of(state, facts)
    if not allowed:
        raise Refused(
            "still-held",
            "措施尚未解除，也没有作出处理决定，物品去向不能登记；未保存。请先决定解除或处理。",
            "the measure neither is lifted nor has its goods been decided on; nothing was saved. Decide that first",
        )
    if outcome not in allowed:
        raise Refused(
            "outcome-not-decided",
            "解除或视为解除的只能退还；没收、销毁、移交须先作出相应的处理决定；未保存。",
            "what was lifted, or counts as lifted, is returned; confiscating, destroying or handing over needs its decision; "
            "nothing was saved",
            allowed=list(allowed),
        )
    unknown = [one for one in which if one not in items]
    if unknown or len(set(which)) != len(which):
        raise Refused(
            "no-such-item", "清单上没有这件物品，或重复填写；未保存。",
            "no such item on the list, or one was named twice; nothing was saved", items=unknown,
        )
    ended = [one for one in which if items[one].state != "kept"]
    if ended:
        raise Refused(
            "accounted-already", "其中有的物品已登记去向，不能再改；未保存。",
            "some of them are accounted for already; nothing was saved", items=ended,
        )


def check_instalments(parts: Sequence[Part], today: date) -> None:
    """Instalments lie ahead and follow each other. Raises `Incomplete`."""
    days = [one.due_on for one in parts]
    if not parts or days != sorted(set(days)) or days[0] < today:
        raise Incomplete({"instalments": "每期日期须在今天以后，由早到晚、不重复 / each day lies ahead, one after another"})


def next_due(parts: Sequence[Part], paid: int, today: date) -> date | None:
    """The day of the first instalment that lies ahead, today among them, and is not paid yet."""
    asked = 0
    for one in parts:
        asked += one.amount
        if asked > paid and one.due_on >= today:
            return one.due_on
    return None


def overdue(parts: Sequence[Part], paid: int, today: date) -> int:
    """How many fen of the instalments due before today are not paid."""
    return max(sum(one.amount for one in parts if one.due_on < today) - paid, 0)
