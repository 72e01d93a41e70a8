"""What a tip aims at (目标), in the form that is stored, looked up by index and compared. No I/O.

Names of persons and phone numbers are keyed tokens from the start, so that neither index nor table holds them.
Scores and refusals are those of `same_target`: two reports that name different rooms of one building never join.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import zip_longest
from zlib import crc32

from services.intake.domain.reading import Place, Reading
from services.intake.domain.reading.folding import fold
from services.intake.domain.reading.places import root
from services.intake.domain.reading.targets import door_names, estate_names
from services.intake.domain.same_target import NOTORIOUS, OPENING, Match, doors_conflict, same_place

_MOST = 24
"""Targets kept of one tip."""
MOST_OF_LEAD = 60
"""Targets kept of one lead: what its tips name, each once."""
_SECRET = ("phone", "person", "text")
_CLAUSES = re.compile(r"[^\w%]+")
_CLAUSE = 9
"""Characters from which a clause says more than a phrase of the trade."""
_LONGEST = 4000
_KEPT = 6
_doors = lru_cache(maxsize=8192)(door_names)
_estates = lru_cache(maxsize=8192)(estate_names)
_root = lru_cache(maxsize=8192)(root)
_NOTHING = Match(0, ())


@dataclass(frozen=True)
class Aim:
    """Targets as stored: `place:estate|building|unit|floor|room[|phase]`, `road:…`, `org:…`, `app:…`, `phone:token`, `person:token`,
    `text:token.token…` (clauses of a tip that names nothing else).

    A name that a message only mentions stands with `~` before it: it is looked up, but joins nothing by itself.
    """

    targets: tuple[str, ...]

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The estates, buildings and rooms named."""
        return tuple(
            Place("", "", "", *target[6:].split("|")) for target in self.targets if target.startswith("place:")
        )

    @cached_property
    def names(self) -> dict[str, bool]:
        """Everything named that is no estate, with its kind → whether the message is about it."""
        return {
            target.removeprefix("~"): not target.startswith("~")
            for target in self.targets
            if not target.startswith(("place:", "text:"))
        }

    @cached_property
    def wordings(self) -> tuple[frozenset[str], ...]:
        """Of each tip that names no target: keyed tokens of clauses, by which copies of its words are found."""
        return tuple(frozenset(target[5:].split(".")) for target in self.targets if target.startswith("text:"))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Under what the aim stands in the index."""
        keys: dict[str, None] = {}
        for place in self.places:
            for name in _doors(place.estate):
                if place.room:
                    keys[f"room:{name}/{place.building}/{place.room}"] = None
                elif place.floor:
                    keys[f"floor:{name}/{place.building}/{place.floor}"] = None
            within = "in" if place.room or place.floor else ""
            if place.building:
                for name in _estates(place.estate):
                    keys[f"{within}building:{name}/{place.building}"] = None
            keys[f"{'in' if place.building or within else ''}estate:{_root(place.estate)}"] = None
        keys.update(dict.fromkeys(self.names))
        keys.update(dict.fromkeys(f"text:{one}" for clauses in self.wordings for one in sorted(clauses)))
        return tuple(keys)

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """Under what others are looked for: the same door, and what is vaguer or finer than this aim."""
        keys: dict[str, None] = {}
        for place in self.places:
            for name in _doors(place.estate):
                if place.room:
                    keys[f"room:{name}/{place.building}/{place.room}"] = None
                elif place.floor:
                    keys[f"floor:{name}/{place.building}/{place.floor}"] = None
            if place.building:
                for name in _estates(place.estate):
                    keys[f"building:{name}/{place.building}"] = None
                    if not place.room:
                        keys[f"inbuilding:{name}/{place.building}"] = None
            keys[f"estate:{_root(place.estate)}"] = None
            if not place.building:
                keys[f"inestate:{_root(place.estate)}"] = None
        keys.update(dict.fromkeys(self.names))
        keys.update(dict.fromkeys(f"text:{one}" for clauses in self.wordings for one in sorted(clauses)))
        return tuple(keys)

    @cached_property
    def strong(self) -> tuple[str, ...]:
        """Keys that can join by themselves: two transactions that open leads under one of them must not overlap."""
        return tuple(
            key for key in self.wanted if key.startswith(("room:", "floor:", "building:", "phone:", "road:"))
        ) + tuple(key for key, central in self.names.items() if central and key.startswith(("org:", "app:")))

    @cached_property
    def crowds(self) -> tuple[tuple[str, str, str], ...]:
        """Places where signals are counted: level, what to show, and the name under which both index keys stand."""
        found: dict[tuple[str, str], str] = {}
        for place in self.places:
            if place.building:
                name = f"{_estates(place.estate)[-1]}/{place.building}"
                found["building", name] = f"{place.estate}{place.building}栋"
            found["estate", _root(place.estate)] = place.estate
        return tuple((level, shown, name) for (level, name), shown in found.items())


NO_AIM = Aim(())


def aim_of(reading: Reading, subject: str, text: str, token: Callable[[str], str]) -> Aim:
    """The aim of a read message; `token` makes the keyed token of a phone number or a person's name."""
    facts = reading.target
    targets: dict[str, None] = {}
    for place in facts.places:
        if place.road:
            targets[f"road:{place.road}"] = None
        elif place.estate and "|" not in place.estate:
            parts = (place.estate, place.building, place.unit, place.floor, place.room, place.phase)
            targets["place:" + "|".join(parts if place.phase else parts[:5])] = None
    for phone in facts.phones:
        targets[f"phone:{token('phone:' + phone)}"] = None
    for kind, names in (("org", facts.organisations), ("app", facts.apps)):
        for name in names:
            if len(name) >= (3 if kind == "org" else 2):
                mark = "" if _central(name, subject, text) else "~"
                targets[f"{mark}{kind}:{name}"] = None
    for name in facts.persons:
        if "某" not in name and "*" not in name and "×" not in name:
            targets[f"person:{token('person:' + name)}"] = None
    if all(target.startswith(("~", "person:")) for target in targets) and (said := _wording(text, token)):
        targets[said] = None
    return Aim(tuple(targets)[:_MOST])


def _wording(text: str, token: Callable[[str], str]) -> str:
    """Tokens of the clauses that copies of a text share, however it is cut and marked; empty for a short text."""
    clauses = {one for one in _CLAUSES.split(fold(text[:_LONGEST])) if len(one) >= _CLAUSE}
    if len(clauses) < 2:
        return ""
    # the same few of any copy: those of the smallest checksums
    few = sorted(clauses, key=lambda one: crc32(one.encode()))[:_KEPT]
    return "text:" + ".".join(token(f"text:{one}")[:16] for one in few)


def _central(name: str, subject: str, text: str) -> bool:
    if name in NOTORIOUS:
        return False
    said = text.lower()
    return len(text) < 120 or name in subject.lower() or name in said[:OPENING] or said.count(name) >= 2


def together(aims: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The targets of a lead from those of its tips; what one message is about counts more than that another mentions it."""
    targets: dict[str, None] = {}
    for one in aims:
        targets.update(dict.fromkeys(one))
    doors = [target for target in targets if target.startswith("place:")]
    vague = {one for one in doors if any(_finer(other, one) for other in doors)}
    kept = (t for t in targets if t not in vague and not (t.startswith("~") and t[1:] in targets))
    return tuple(kept)[:MOST_OF_LEAD]


def _finer(one: str, other: str) -> bool:
    """Whether a place says all that the other says, and more: only the finer one tells neighbours' rooms apart."""
    if one == other:
        return False
    mine, theirs = one[6:].split("|"), other[6:].split("|")
    return all(not said or said == more for more, said in zip_longest(mine, theirs, fillvalue=""))


@lru_cache(maxsize=4096)
def aim_from(targets: tuple[str, ...]) -> Aim:
    """The aim of stored targets; equal ones share what was looked up of them."""
    return Aim(targets)


def compare_aims(one: Aim, other: Aim, near: bool) -> Match:
    """How surely two aims are one target, in percent, with reason codes; `near` is false when their areas differ.

    Reasons: `room`, `floor`, `phone`, `app`, `org`, `building`, `road`, `person`, `wording`, `estate`, `place_name`. An organisation
    or an app with two dens is two leads: without a shared place it is only suggested.
    """
    if doors_conflict(one.places, other.places):
        return _NOTHING
    reasons: list[tuple[int, str]] = []
    for mine in one.places:
        for theirs in other.places:
            reasons += same_place(mine, theirs, near)
    shared_place = bool(reasons)
    elsewhere = bool(one.places and other.places) and not shared_place
    for name, central in one.names.items():
        if name not in other.names:
            continue
        kind, _, said = name.partition(":")
        if kind == "phone":
            reasons.append((95, "phone"))
        elif not near:
            continue
        elif kind == "road":
            reasons.append((75, f"road {said}"))
        elif kind == "person":
            reasons.append((50 if elsewhere else 60, "person"))
        else:
            both = central and other.names[name] and not elsewhere
            reasons.append((80 if both else 50, f"{kind} {said}"))
    if near and not elsewhere:
        alike = max((_alike(mine, theirs) for mine in one.wordings for theirs in other.wordings), default=0)
        if alike:
            reasons.append((alike, "wording"))
    if not reasons:
        return _NOTHING
    reasons.sort(reverse=True)
    kinds = {reason.split(" ")[0] for _, reason in reasons}
    score = reasons[0][0] + (0 if elsewhere and reasons[0][0] < 95 else 10 * min(len(kinds) - 1, 2))
    return Match(min(score, 100), tuple(dict.fromkeys(reason for _, reason in reasons)))


def _alike(one: frozenset[str], other: frozenset[str]) -> int:
    """How surely two texts are copies of one: four clauses of five join, a third of them is only suggested."""
    shared, fewer = len(one & other), min(len(one), len(other))
    if shared >= 4 and shared * 5 >= fewer * 4:
        return 80
    return 45 if shared >= 2 and shared * 3 >= fewer else 0


def shown(target: str) -> tuple[str, str | None]:
    """Kind and readable words of a stored target; None for a person or a phone, which only a tip's own words tell."""
    kind, _, said = target.removeprefix("~").partition(":")
    if kind in _SECRET:
        return kind, None
    if kind == "place":
        estate, building, unit, floor, room, *phase = said.split("|")
        words = estate + "".join(phase) + (f"{building}栋" if building else "") + (f"{unit}单元" if unit else "")
        return kind, words + (f"{floor}楼" if floor else "") + room
    return kind, said


def searchable(targets: Sequence[str]) -> list[tuple[str, str]]:
    """Index key and name of every estate, road, organisation and app: what a search by name finds."""
    found: dict[str, str] = {}
    aim = aim_from(tuple(targets))
    for place in aim.places:
        found[f"{'in' if place.building or place.room or place.floor else ''}estate:{_root(place.estate)}"] = place.estate
    for name in aim.names:
        kind, _, said = name.partition(":")
        if kind not in _SECRET:
            found[name] = said
    return list(found.items())
