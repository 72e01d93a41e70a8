"""Addresses as a register writes them, brought to one form so that 12幢３０１室 and 12栋301 are one flat."""

import re

from services.intake.domain.reading.folding import fold

_SPACE = re.compile(r"[\s,，、.。·/]+")
_BUILDING = re.compile(r"(?:号楼|栋|幢|座|#楼|#|号栋|橦|building)$")
_ROOM = re.compile(r"(?:室|号房|房间|房|户)$")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def plain(text: str) -> str:
    """A name or number folded, without spaces: what is compared and searched."""
    return _SPACE.sub("", fold(text))


def building_key(text: str) -> str:
    """A building without its measure word and leading zeros."""
    return _ZEROS.sub("", _BUILDING.sub("", plain(text)))


def room_key(text: str) -> str:
    """A room without its measure word."""
    return _ROOM.sub("", plain(text))


def address_key(area: str, estate: str, building: str, room: str) -> str:
    """The key under which a unit is known once, whoever writes its address."""
    return "|".join((area, plain(estate), building_key(building), room_key(room)))


def place(building: str, room: str) -> str:
    """A unit within its estate, as a patroller reads it: 12栋301."""
    shown = building if not building or not building[-1].isalnum() or not building[-1].isascii() else f"{building}栋"
    return f"{shown}{room}"


def words(*parts: str | None) -> str:
    """What a row is searched by: its parts folded, apart from each other."""
    return " ".join(plain(part) for part in parts if part)
