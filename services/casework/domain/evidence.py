"""Evidence of a case (证据): its kinds, where an item stands, who handed what to whom, and what the law asks. No I/O."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Literal

KINDS = ("physical", "documentary", "audio_visual", "electronic", "statement", "inspection", "expert")
"""物证, 书证, 视听资料, 电子数据, 笔录（询问、讯问、陈述）, 勘验检查笔录, 鉴定意见."""

TRACKS = ("administrative", "criminal")
"""By which track an item was collected."""

Use = Literal["own_track", "yes", "after_review", "again"]
"""May it be used in prosecution: it is of that track; yes; after the police reviewed it; it has to be taken anew."""


class ItemState(StrEnum):
    """Where an item stands with its holder."""

    HELD = "held"
    """在管: kept by its holder."""
    OFFERED = "offered"
    """待接收: offered to somebody; its holder answers for it until they accept."""
    TO_DESTROY = "to_destroy"
    """待批准销毁: one officer proposes to destroy it, another has to approve."""
    RETURNED = "returned"
    """已发还: given back to whom it belongs."""
    DESTROYED = "destroyed"
    """已销毁."""


class ItemAction(StrEnum):
    """What is done to an item; looking at it changes nothing and stands in the custody chain alone."""

    OFFER = "offer"
    TAKE = "take"
    KEEP = "keep"
    MOVE = "move"
    ADD_FILE = "add_file"
    RETURN = "return"
    PROPOSE_DESTRUCTION = "propose_destruction"
    REFUSE_DESTRUCTION = "refuse_destruction"
    DESTROY = "destroy"


ITEM_TRANSITIONS: Mapping[tuple[ItemState, ItemAction], ItemState] = {
    (ItemState.HELD, ItemAction.OFFER): ItemState.OFFERED,
    (ItemState.OFFERED, ItemAction.TAKE): ItemState.HELD,
    (ItemState.OFFERED, ItemAction.KEEP): ItemState.HELD,
    (ItemState.HELD, ItemAction.MOVE): ItemState.HELD,
    (ItemState.HELD, ItemAction.ADD_FILE): ItemState.HELD,
    (ItemState.HELD, ItemAction.RETURN): ItemState.RETURNED,
    (ItemState.HELD, ItemAction.PROPOSE_DESTRUCTION): ItemState.TO_DESTROY,
    (ItemState.TO_DESTROY, ItemAction.REFUSE_DESTRUCTION): ItemState.HELD,
    (ItemState.TO_DESTROY, ItemAction.DESTROY): ItemState.DESTROYED,
}
"""What may be done to an item in which state, and where it leads. A pair that is not listed is refused."""


class HandoverState(StrEnum):
    """A handing over of items: offered, then accepted or refused by the receiver, or withdrawn by who offered."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class HandoverAction(StrEnum):
    """What becomes of an offer."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


HANDOVER_TRANSITIONS: Mapping[tuple[HandoverState, HandoverAction], HandoverState] = {
    (HandoverState.OFFERED, HandoverAction.ACCEPT): HandoverState.ACCEPTED,
    (HandoverState.OFFERED, HandoverAction.REFUSE): HandoverState.REFUSED,
    (HandoverState.OFFERED, HandoverAction.WITHDRAW): HandoverState.WITHDRAWN,
}
"""The same for a handing over: its receiver's acceptance, or nothing, moves an item."""

PURPOSES: Mapping[str, str | None] = {
    "keeping": None,
    "transfer": "transfer.hand_over_goods",
    "examination": None,
    "court": None,
}
"""What items are handed over for (保管, 移送公安, 检验鉴定, 移送检察院、法院), and the law's limit for it, if there is one."""

READ_REASONS = ("investigation", "authenticity", "examination", "court", "no_copy")
"""Why an original is opened: the inquiry needs it; its authenticity is in doubt; it is examined; a court or procurator
asks; no working copy can be made."""

EXPORT_REASONS = ("transfer", "prosecution", "court", "review", "examination")
"""Why a package is made: a transfer to the police, to the procurator, to a court, a review by the law department, an
examination by experts."""


class Refused(ValueError):
    """The action is not possible in this state."""


def next_item_state(state: ItemState, action: ItemAction) -> ItemState:
    """The state an item goes to. Raises `Refused` for a pair that is not in the table."""
    try:
        return ITEM_TRANSITIONS[state, action]
    except KeyError:
        raise Refused(f"an item that is {state} cannot {action}") from None


def next_handover_state(state: HandoverState, action: HandoverAction) -> HandoverState:
    """The state a handing over goes to. Raises `Refused` for a pair that is not in the table."""
    try:
        return HANDOVER_TRANSITIONS[state, action]
    except KeyError:
        raise Refused(f"a handing over that is {state} cannot {action}") from None


@dataclass(frozen=True, slots=True)
class Basis:
    """A legal basis for collecting: article, how sure its text is (T, S, M), words, and the tracks it serves."""

    code: str
    tracks: tuple[str, ...]
    article: str
    certainty: str
    zh: str
    en: str


@lru_cache(maxsize=1)
def _law() -> dict:
    return tomllib.loads(Path(__file__).with_name("evidence_law.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def bases() -> Mapping[str, Basis]:
    """Every legal basis that may be named, by its code."""
    return {one["code"]: Basis(**one | {"tracks": tuple(one["tracks"])}) for one in _law()["basis"]}


@dataclass(frozen=True, slots=True)
class InProsecution:
    """Whether an item may be used in prosecution, with the article that says so."""

    use: Use
    article: str
    certainty: str


def in_prosecution(kind: str, track: str) -> InProsecution:
    """What 刑诉法54 makes of an item of this kind that was collected by this track."""
    law = _law()["prosecution"]
    if track == "criminal":
        return InProsecution("own_track", law["article"], law["certainty"])
    if kind in law["usable"]:
        return InProsecution("yes", law["article"], law["certainty"])
    if kind in law["after_review"]:
        return InProsecution("after_review", law["after_review_article"], law["after_review_certainty"])
    return InProsecution("again", law["article"], law["certainty"])


def same_officer(number: str) -> str:
    """An officer's number as it is compared: without blanks, in capitals, full-width digits and letters folded."""
    import unicodedata

    return "".join(unicodedata.normalize("NFKC", number).upper().split())


def distinct_officers(numbers: Sequence[str]) -> int:
    """How many different officers are named; one named twice counts once."""
    return len({same_officer(number) for number in numbers} - {""})


def media_kind(media_type: str | None, reason: str, known: Mapping[str, str]) -> tuple[str, str]:
    """(media type, kind) to record of a file that may be anything: a program or an archive is evidence too.

    `media_type` or the `reason` for which its content was not recognised; `known` is media type → kind.
    """
    if media_type is not None:
        return media_type, known[media_type]
    kind = {"archive": "archive", "executable": "program", "markup": "page"}.get(reason, "data")
    return "application/octet-stream", kind
