"""Joint operations (联合行动): the hour, the roll-call, what is entered on the scene and what it adds up to. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.casework.domain.proceedings import AHEAD, Refused

ROLL_CALL_OPENS = timedelta(hours=2)
"""How long before the meeting time presence can be confirmed: a word given the day before says nothing."""

PLANNED = ("planning", "submitted", "approved")
GATHERING = ("approved", "running")
"""States in which presence is confirmed."""
ON_THE_SCENE = ("running", "ended")
"""States in which results are entered: until the operation is reported."""

ROLES = ("organiser", "backbone", "participant", "deceived", "landlord", "facilitator")
COUNTS: Mapping[str, tuple[str, ...]] = {
    "place": (),
    "den": (),
    "persons": (*ROLES, "minors", "rescued"),
    "items": ("phones", "computers", "papers", "vehicles", "cards", "cash_yuan", "other_items"),
}
"""What each kind of entry counts; a place visited and a den closed count as one. Minors and rescued persons are among
the persons by role, so they are not added to them."""

_MOST = 1_000_000_000


def known_from(state: str, facts: Mapping[str, Any], was: datetime | None, now: datetime) -> datetime | None:
    """From when an operation is known beyond those named: its set hour once approved, its start where that is earlier;
    never where it was dropped before. What was known once stays so."""
    if was is not None and was <= now:
        return was
    if state == "approved":
        return datetime.fromisoformat(facts["starts_at"])
    return now if state in ("running", "ended", "reported", "done") else None


def check_hours(facts: Mapping[str, Any], now: datetime) -> None:
    """The set hour lies ahead, and those who take part meet before it. Raises `Refused`."""
    starts = datetime.fromisoformat(facts["starts_at"])
    if starts <= now:
        raise Refused(
            "hour-passed", "行动时间必须在现在之后，请重新确定时间；未保存。",
            "the hour of the operation must lie ahead; set another one. Nothing was saved", field="starts_at",
        )  # fmt: skip
    meets = facts.get("meets_at")
    if meets is not None and datetime.fromisoformat(meets) > starts:
        raise Refused(
            "meeting-after-start", "集合时间不能晚于行动时间；未保存。",
            "the meeting cannot be after the operation starts; nothing was saved", field="meets_at",
        )  # fmt: skip


def check_presence(state: str, facts: Mapping[str, Any], now: datetime) -> None:
    """Presence is confirmed around the meeting time, not before. Raises `Refused`."""
    if state not in GATHERING:
        raise Refused(
            "no-roll-call", "行动尚未批准或已经结束，现在不点名；未保存。",
            "there is no roll-call now: the operation is not approved, or over. Nothing was saved", state=state,
        )  # fmt: skip
    opens = datetime.fromisoformat(facts.get("meets_at") or facts["starts_at"]) - ROLL_CALL_OPENS
    if now < opens:
        raise Refused(
            "too-early", f"点名从 {opens:%m-%d %H:%M} 开始，请届时在集合地点确认；未保存。",
            f"the roll-call opens at {opens:%Y-%m-%d %H:%M}; confirm at the meeting point. Nothing was saved",
            opens=opens.isoformat(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A result as it is entered: what kind, when, by which force, where, and how many of what."""

    kind: str
    at: datetime
    counts: Mapping[str, int]
    force: bool = False
    place: bool = False


def check_entry(entry: Entry, state: str, started_at: datetime | None, now: datetime) -> None:
    """An entry that can stand. Raises `Refused`."""
    if state not in ON_THE_SCENE or started_at is None:
        raise Refused(
            "not-on-the-scene", "行动未开始或战果已经上报，现在不能录入；未保存。",
            "results are entered from the start until the report; nothing was saved", state=state,
        )  # fmt: skip
    if entry.at > now + AHEAD or entry.at < started_at - AHEAD:
        raise Refused(
            "not-during", "时间须在行动开始之后、现在之前；未保存。",
            "the time must lie between the start and now; nothing was saved", field="at",
        )  # fmt: skip
    allowed = COUNTS[entry.kind]
    wrong = sorted(set(entry.counts) - set(allowed))
    if wrong:
        raise Refused(
            "unknown-count", f"这类记录没有：{'、'.join(wrong)}；未保存。",
            f"there is no such count here: {', '.join(wrong)}; nothing was saved", fields=wrong,
        )  # fmt: skip
    if any(number < 0 or number > _MOST for number in entry.counts.values()):
        raise Refused("bad-count", "数目不能为负；未保存。", "counts cannot be negative; nothing was saved")
    if entry.kind == "den" and not (entry.force and entry.place):
        raise Refused(
            "den-needs-force-and-place", "捣毁窝点须写明地点和执行力量；未保存。",
            "a den closed is recorded with its place and the force that closed it; nothing was saved",
        )  # fmt: skip
    if allowed and not any(entry.counts.values()):
        raise Refused("nothing-counted", "请至少填写一项数目；未保存。", "count at least one thing; nothing was saved")
    people = sum(entry.counts.get(role, 0) for role in ROLES)
    if entry.kind == "persons" and max(entry.counts.get("minors", 0), entry.counts.get("rescued", 0)) > people:
        raise Refused(
            "more-than-found", "未成年人、解救人数不能多于各类人员之和；未保存。",
            "minors and rescued persons are among the persons by role; nothing was saved",
        )  # fmt: skip


def figures(entries: Iterable[tuple[str, Mapping[str, int]]]) -> dict[str, int]:
    """What entries (kind and counts) add up to: places, dens, persons and every single count."""
    sums: dict[str, int] = {"places": 0, "dens": 0, "persons": 0}
    sums |= {name: 0 for names in COUNTS.values() for name in names}
    for kind, counts in entries:
        if kind in ("place", "den"):
            sums[f"{kind}s"] += 1
        for name, number in counts.items():
            sums[name] += number
            if name in ROLES:
                sums["persons"] += number
    return sums


def behind(figure: str) -> tuple[str, tuple[str, ...]]:
    """The kind of entries behind a figure, and the counts of which at least one is set. Raises `KeyError`."""
    fixed: dict[str, tuple[str, tuple[str, ...]]] = {"places": ("place", ()), "dens": ("den", ()), "persons": ("persons", ROLES)}
    if figure in fixed:
        return fixed[figure]
    for kind, names in COUNTS.items():
        if figure in names:
            return kind, (figure,)
    raise KeyError(figure)


@dataclass(frozen=True, slots=True)
class Muster:
    """A force at the roll-call: how many should be there, how many are said to be, how many are missing."""

    force: Any
    planned: int
    present: int
    answered: bool

    @property
    def missing(self) -> int:
        """Those who are not there; more than planned is nobody missing."""
        return max(self.planned - self.present, 0)


def roll_call(forces: Sequence[tuple[Any, int]], presence: Iterable[tuple[Any, int]]) -> list[Muster]:
    """Forces (id, planned) with what was said (force id, present) of each; several words of one force add up."""
    said: dict[Any, list[int]] = {}
    for force, people in presence:
        said.setdefault(force, []).append(people)
    return [Muster(force, planned, sum(said.get(force, ())), force in said) for force, planned in forces]
