"""What may become of a scheduled thing, a material, a log entry and a warning: one table each, nothing else is possible."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


class NotPossible(ValueError):
    """The state does not allow the action; both are named."""

    def __init__(self, state: str, action: str) -> None:
        super().__init__(f"{action} in {state}")
        self.state, self.action = state, action


def after(table: Mapping[S, Mapping[A, S]], state: S, action: A) -> S:
    """The state that an action leads to. Raises `NotPossible`."""
    following = table[state].get(action)
    if following is None:
        raise NotPossible(state.value, action.value)
    return following


class Item(StrEnum):
    """A thing that a campaign's schedule asks for. ``done`` late or in time; ``dropped``: the plan no longer asks."""

    OPEN = "open"
    MISSED = "missed"
    DONE = "done"
    WAIVED = "waived"
    DROPPED = "dropped"


class ItemAct(StrEnum):
    PROVE = "prove"
    MISS = "miss"
    RETURN = "return"
    WAIVE = "waive"
    DROP = "drop"
    RESTORE = "restore"


ITEMS: Mapping[Item, Mapping[ItemAct, Item]] = {
    Item.OPEN: {
        ItemAct.PROVE: Item.DONE,
        ItemAct.MISS: Item.MISSED,
        ItemAct.WAIVE: Item.WAIVED,
        ItemAct.DROP: Item.DROPPED,
    },
    Item.MISSED: {ItemAct.PROVE: Item.DONE, ItemAct.WAIVE: Item.WAIVED},
    Item.DONE: {ItemAct.RETURN: Item.OPEN},
    Item.WAIVED: {ItemAct.RESTORE: Item.OPEN},
    Item.DROPPED: {ItemAct.RESTORE: Item.OPEN},
}


class Material(StrEnum):
    """A slogan, letter, message, film (宣传材料): ``revising`` is in use in its last version while the next is drafted."""

    DRAFT = "draft"
    IN_USE = "in_use"
    REVISING = "revising"
    WITHDRAWN = "withdrawn"


class MaterialAct(StrEnum):
    SAVE = "save"
    ISSUE = "issue"
    WITHDRAW = "withdraw"


MATERIALS: Mapping[Material, Mapping[MaterialAct, Material]] = {
    Material.DRAFT: {
        MaterialAct.SAVE: Material.DRAFT,
        MaterialAct.ISSUE: Material.IN_USE,
        MaterialAct.WITHDRAW: Material.WITHDRAWN,
    },
    Material.IN_USE: {MaterialAct.SAVE: Material.REVISING, MaterialAct.WITHDRAW: Material.WITHDRAWN},
    Material.REVISING: {
        MaterialAct.SAVE: Material.REVISING,
        MaterialAct.ISSUE: Material.IN_USE,
        MaterialAct.WITHDRAW: Material.WITHDRAWN,
    },
    Material.WITHDRAWN: {},
}


class Entry(StrEnum):
    """An entry of the publicity log or of the exposures."""

    STANDING = "standing"
    WITHDRAWN = "withdrawn"


class EntryAct(StrEnum):
    CORRECT = "correct"
    WITHDRAW = "withdraw"


ENTRIES: Mapping[Entry, Mapping[EntryAct, Entry]] = {
    Entry.STANDING: {EntryAct.CORRECT: Entry.STANDING, EntryAct.WITHDRAW: Entry.WITHDRAWN},
    Entry.WITHDRAWN: {},
}


class Work(StrEnum):
    """How far the work on a warning's next version is (条例 23): drafted, checked, approved by the head, released by two."""

    DRAFT = "draft"
    CHECKING = "checking"
    CHECKED = "checked"
    APPROVED = "approved"
    RELEASING = "releasing"
    SETTLED = "settled"
    DROPPED = "dropped"


class WorkAct(StrEnum):
    SAVE = "save"
    SUBMIT = "submit"
    CHECK = "check"
    REFUSE = "refuse"
    APPROVE = "approve"
    RELEASE = "release"
    HOLD = "hold"
    TAKE_BACK = "take_back"
    REVISE = "revise"
    DROP = "drop"


WORK: Mapping[Work, Mapping[WorkAct, Work]] = {
    Work.DRAFT: {WorkAct.SAVE: Work.DRAFT, WorkAct.SUBMIT: Work.CHECKING, WorkAct.DROP: Work.DROPPED},
    Work.CHECKING: {WorkAct.CHECK: Work.CHECKED, WorkAct.REFUSE: Work.DRAFT, WorkAct.TAKE_BACK: Work.DRAFT},
    Work.CHECKED: {WorkAct.APPROVE: Work.APPROVED, WorkAct.REFUSE: Work.DRAFT, WorkAct.TAKE_BACK: Work.DRAFT},
    Work.APPROVED: {WorkAct.RELEASE: Work.RELEASING, WorkAct.REFUSE: Work.DRAFT, WorkAct.TAKE_BACK: Work.DRAFT},
    Work.RELEASING: {
        WorkAct.RELEASE: Work.SETTLED,
        WorkAct.HOLD: Work.APPROVED,
        WorkAct.REFUSE: Work.DRAFT,
        WorkAct.TAKE_BACK: Work.DRAFT,
    },
    Work.SETTLED: {WorkAct.REVISE: Work.DRAFT},
    Work.DROPPED: {WorkAct.REVISE: Work.DRAFT},
}


class Out(StrEnum):
    """What stands on the public page."""

    UNPUBLISHED = "unpublished"
    PUBLISHED = "published"
    RECALLED = "recalled"


class OutAct(StrEnum):
    PUBLISH = "publish"
    RECALL = "recall"


OUT: Mapping[Out, Mapping[OutAct, Out]] = {
    Out.UNPUBLISHED: {OutAct.PUBLISH: Out.PUBLISHED},
    Out.PUBLISHED: {OutAct.PUBLISH: Out.PUBLISHED, OutAct.RECALL: Out.RECALLED},
    Out.RECALLED: {OutAct.PUBLISH: Out.PUBLISHED},
}
