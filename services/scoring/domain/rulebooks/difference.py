"""What is different between two versions of a rulebook, part by part, for those who are to agree to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.scoring.domain.rulebooks.model import Rulebook


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is new, gone or different. `where` is its place (`lines.q6.points`); None: not there."""

    where: str
    before: Any
    after: Any

    @property
    def kind(self) -> str:
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def changes(before: Rulebook, after: Rulebook) -> tuple[Change, ...]:
    """Everything that differs, in the order of the file; order counts in the ladder and among lines of one kind."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return tuple(_changes(old, new, ""))


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], above: str) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        left, right, where = old.get(key), new.get(key), f"{above}{key}"
        if left == right:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            yield from _changes(left, right, f"{where}.")
        elif _by_id(left) and _by_id(right):
            yield from _in_list(left or [], right or [], where)
        else:
            yield Change(where, left, right)


def _by_id(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and "id" in one for one in value)


def _in_list(left: list[dict[str, Any]], right: list[dict[str, Any]], where: str) -> Iterator[Change]:
    olds, news = {one["id"]: one for one in left}, {one["id"]: one for one in right}
    for name in dict.fromkeys([*olds, *news]):
        old, new = olds.get(name), news.get(name)
        if old is None or new is None:
            yield Change(f"{where}.{name}", old, new)
        else:
            yield from _changes(old, new, f"{where}.{name}.")
    common_before = [name for name in olds if name in news]
    common_after = [name for name in news if name in olds]
    if common_before != common_after:
        yield Change(f"{where}.(order)", common_before, common_after)
