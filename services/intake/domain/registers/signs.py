"""Signs of pyramid selling that a patrol or a venue check ticks: data in `signs.toml`."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: where it can be ticked, its words, and the sentence that the lead is given."""

    id: str
    where: tuple[str, ...]
    zh: str
    en: str
    tell: str


@cache
def signs() -> dict[str, Sign]:
    """All signs by id, in the order of the file."""
    data = tomllib.loads((files(__package__) / "signs.toml").read_text(encoding="utf-8"))
    return {
        one["id"]: Sign(one["id"], tuple(one["where"]), one["zh"], one["en"], one["tell"]) for one in data["sign"]
    }


def signs_at(where: str) -> list[Sign]:
    """The signs that can be ticked there."""
    return [sign for sign in signs().values() if where in sign.where]


def told(where: str, place: str, ticked: Iterable[str], note: str) -> str:
    """What the lead says: the place, what was seen, and the officer's own words."""
    seen = "；".join(signs()[sign].tell for sign in ticked)
    way = "出租屋巡查" if where == "patrol" else "会议场地检查"
    return "。".join(part for part in (f"{way}发现可疑：{place}", seen, note) if part)
