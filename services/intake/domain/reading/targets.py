"""Canonical strings of what a message points at, for finding messages about the same target."""

import re

from services.intake.domain.reading.model import Facts
from services.intake.domain.reading.places import only_type, root

_INNER = re.compile(r"(?:世纪城|花城|新城|小区|花园|家园|广场|新村|国际|社区|商城|城|园区)(?=[\u4e00-\u9fff]{2})")


def canonical_targets(facts: Facts) -> tuple[str, ...]:
    """Strings, strongest first: room, floor, phone, app, org, building, road, person, estate, root.

    Two messages sharing a `room:`, `floor:`, `phone:`, `app:`, `org:` or `road:` string in one area speak of one target;
    the later ones only suggest it. A sub-estate is named twice (清江新城望月苑 and 望月苑), as people do.
    """
    strong: list[str] = []
    middle: list[str] = []
    weak: list[str] = []
    for place in facts.places:
        if place.road:
            middle.append(f"road:{place.road}")
            continue
        if not place.estate:
            continue
        for name in door_names(place.estate):
            if place.room:
                strong.append(f"room:{name}/{place.building}/{place.room}")
            elif place.floor:
                strong.append(f"floor:{name}/{place.building}/{place.floor}")
        for name in estate_names(place.estate):
            if place.building:
                middle.append(f"building:{name}/{place.building}")
            weak.append(f"estate:{name}")
        weak.append(f"root:{root(place.estate)}")
    strong += [f"phone:{phone}" for phone in facts.phones]
    strong += [f"app:{app}" for app in facts.apps]
    strong += [f"org:{name}" for name in facts.organisations]
    middle += [f"person:{name}" for name in facts.persons]
    return tuple(dict.fromkeys(strong + middle + weak))[:24]


def door_names(estate: str) -> tuple[str, ...]:
    """The names of `estate_names`, its last two characters before the type (城东锦绣花园, 锦绣花园), and its name without the type (翠湖湾花园, 翠湖湾).

    Good enough where building and room agree too, and not for an estate as a whole.
    """
    short = root(estate)
    tail = estate[len(short) - 2 :] if 2 < len(short) < len(estate) else estate
    bare = short if len(short) > 2 else estate
    return tuple(name for name in dict.fromkeys((*estate_names(estate), tail, bare)) if not only_type(name))


def estate_names(estate: str) -> tuple[str, ...]:
    """The full name and, for a sub-estate, its last part: 清江新城望月苑, 望月苑."""
    parts = _INNER.split(estate)
    last = parts[-1]
    return (estate, last) if last != estate and len(last) >= 2 and not only_type(last) else (estate,)
