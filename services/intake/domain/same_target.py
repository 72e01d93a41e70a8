"""Same target (同一目标): which messages speak of one flat, one organisation, one app.

Joining is conservative: a stranger in a lead hides a den. Only a score at or above `Bounds.join` joins by itself; from `Bounds.suggest` it
is suggested to an officer; the same place long ago is shown as seen before and never joined. Two messages that name
different rooms of one building never join, not even through a third.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from zlib import crc32

from ahocorasick_rs import AhoCorasick, Implementation

from services.intake.domain.reading import Place, Reading
from services.intake.domain.reading.folding import fold
from services.intake.domain.reading.lexicon import lexicon
from services.intake.domain.reading.places import area_of, root
from services.intake.domain.reading.targets import door_names, estate_names

NOTORIOUS = frozenset(
    word for word, role in zip(lexicon().words, lexicon().roles, strict=True) if "known_case" in role.signs
)
_SHINGLE = 5
_SKETCH = 24
_LONG = 80
_SHORT = 30
"""Shingles: copies of a long text may differ more; a short one joins nothing by its words alone."""
_NAME = 3
OPENING = 60
"""Characters of the text in which a message says what it is about."""
_COMMON = 400
"""A token shared by more messages than this says nothing any more (a well-known name)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a plan sets: scores in percent, and how long a report of a place speaks of the same den."""

    join: int = 75
    suggest: int = 40
    window: timedelta = timedelta(days=180)


@dataclass(frozen=True)
class Message:
    """A read message with what comparing needs; `posted_at` may be unknown."""

    id: str
    reading: Reading
    subject: str
    text: str
    posted_at: datetime | None = None
    named: tuple[str, ...] = ()
    """Targets that another message introduced by name, and this one only mentions."""

    @property
    def targets(self) -> tuple[str, ...]:
        """What it points at, by its own words and by names known from others."""
        return self.reading.targets + self.named

    @cached_property
    def folded(self) -> str:
        """Subject and text, folded."""
        return fold(f"{self.subject}\n{self.text}")

    @cached_property
    def shingles(self) -> frozenset[int]:
        """Hashes of the overlapping runs of five characters of the text, without marks and spaces."""
        plain = "".join(filter(str.isalnum, self.folded))[:4000]
        return frozenset(crc32(plain[i : i + _SHINGLE].encode()) for i in range(max(1, len(plain) - _SHINGLE + 1)))

    @cached_property
    def sketch(self) -> tuple[str, ...]:
        """The smallest shingles: near-copies share one."""
        return tuple(f"text:{one}" for one in sorted(self.shingles)[:_SKETCH])

    @cached_property
    def areas(self) -> frozenset[str]:
        """Districts and counties named anywhere."""
        return area_of(self.folded)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Places that name an estate."""
        return tuple(place for place in self.reading.places if place.estate)


@dataclass(frozen=True, slots=True)
class Match:
    """How surely two messages speak of one target, in percent, and why (reason codes with the words)."""

    score: int
    reasons: tuple[str, ...]


_NOTHING = Match(0, ())


def compare(one: Message, other: Message) -> Match:
    """Compare two messages, leaving time aside.

    Reasons: `room`, `floor`, `phone`, `app`, `organisation`, `building`, `road`, `person`, `wording`, `estate`, `place_name`.
    """
    if rooms_conflict(one, other):
        return _NOTHING
    reasons: list[tuple[int, str]] = []
    near = not one.areas or not other.areas or bool(one.areas & other.areas)
    mine, theirs = set(one.targets), set(other.targets)
    for target in mine & theirs:
        kind, _, name = target.partition(":")
        if kind == "phone":
            reasons.append((95, f"phone {name}"))
        elif kind == "org" and near and len(name) >= 3:
            reasons.append((80 if _central(one, name) and _central(other, name) else 50, f"organisation {name}"))
        elif kind == "app" and near and len(name) >= 2:
            reasons.append((80 if _central(one, name) and _central(other, name) else 50, f"app {name}"))
        elif kind == "road" and near:
            reasons.append((75, f"road {name}"))
        elif kind == "person" and near and "某" not in name:
            reasons.append((60, f"person {name}"))
    for place in one.places:
        for theirs_place in other.places:
            reasons += same_place(place, theirs_place, near)
    alike = _alike(one, other)
    length = min(len(one.shingles), len(other.shingles))
    if alike >= (0.45 if length >= _LONG else 0.6) and length >= _SHORT and near and not _elsewhere(one, other):
        reasons.append((85, "wording"))
    elif alike >= 0.35 and near:
        reasons.append((45, "wording"))
    if not reasons:
        return _NOTHING
    reasons.sort(reverse=True)
    score = reasons[0][0]
    kinds = {reason.split(" ")[0] for _, reason in reasons}
    score += 10 * min(len(kinds) - 1, 2)
    return Match(min(score, 100), tuple(dict.fromkeys(reason for _, reason in reasons)))


def same_place(mine: Place, theirs: Place, near: bool) -> list[tuple[int, str]]:
    """How surely two places are one (percent and reason); `near` is false when their areas exclude each other."""
    if not near:
        return []
    if not set(estate_names(mine.estate)) & set(estate_names(theirs.estate)):
        same_door = mine.room and mine.room == theirs.room and mine.building == theirs.building
        if same_door and set(door_names(mine.estate)) & set(door_names(theirs.estate)):
            return [(85, f"room {mine.estate}{mine.building}栋{mine.room}")]
        if root(mine.estate) == root(theirs.estate) and len(root(mine.estate)) >= 2:
            vague = not (mine.building or theirs.building)
            return [(45 if vague else 30, f"place_name {root(mine.estate)}")]
        return []
    if not _agree(mine.phase, theirs.phase):
        return [(20, f"estate {mine.estate}")]
    said = f"{mine.estate}{mine.building and mine.building + '栋'}"
    if mine.room and mine.room == theirs.room and _agree(mine.building, theirs.building):
        return [(95, f"room {said}{mine.room}")]
    same_building = bool(mine.building) and mine.building == theirs.building and _agree(mine.unit, theirs.unit)
    if mine.floor and mine.floor == theirs.floor and not (mine.room and theirs.room):
        if same_building or not (mine.building or theirs.building):
            return [(85, f"floor {said}{mine.floor}楼")]
    if same_building:
        return [(75, f"building {said}")]
    if mine.building and theirs.building:
        return [(20, f"estate {mine.estate}")]
    return [(50, f"estate {mine.estate}")]


def _elsewhere(one: Message, other: Message) -> bool:
    """Whether both name places, organisations or apps, and never the same: one text sent about two targets."""
    for kinds in (("root", "road"), ("org", "app")):
        mine, theirs = (
            {target for target in message.targets if target.partition(":")[0] in kinds}
            for message in (one, other)
        )
        if mine and theirs and not mine & theirs:
            return True
    return False


def _agree(mine: str, theirs: str) -> bool:
    return not mine or not theirs or mine == theirs


def _central(message: Message, name: str) -> bool:
    """Whether the message is about `name` rather than only mentioning it; a notorious name is anybody's."""
    if name in NOTORIOUS:
        return False
    begins = message.folded[: len(message.subject) + OPENING]
    return name in begins or message.folded.count(name) >= 2 or len(message.text) < 120


def _alike(one: Message, other: Message) -> float:
    mine, theirs = one.shingles, other.shingles
    if min(len(mine), len(theirs)) * 3 < max(len(mine), len(theirs)):
        return 0.0
    shared = len(mine & theirs)
    return shared / (len(mine) + len(theirs) - shared)


def rooms_conflict(one: Message, other: Message) -> bool:
    """True when both name rooms (or buildings) of one estate and share none of them."""
    return doors_conflict(one.places, other.places)


def doors_conflict(one: Sequence[Place], other: Sequence[Place]) -> bool:
    """True when both sides name rooms (or buildings) of one estate and share none of them."""
    pairs = [
        (mine, theirs)
        for mine in one
        for theirs in other
        if mine.building and theirs.building and set(estate_names(mine.estate)) & set(estate_names(theirs.estate))
    ]
    if not pairs:
        return False
    return not any(
        mine.building == theirs.building
        and _agree(mine.phase, theirs.phase)
        and _agree(mine.unit, theirs.unit)
        and _agree(mine.room, theirs.room)
        and (bool(mine.room and theirs.room) or _agree(mine.floor, theirs.floor))
        for mine, theirs in pairs
    )


@dataclass(slots=True)
class Lead:
    """Messages about one target; `id` is the id of the first."""

    id: str
    members: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grouped:
    """Where one message came to stand."""

    lead: str
    joined_by: tuple[str, ...] = ()
    seen_before: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()


def group(messages: Iterable[Message], bounds: Bounds | None = None) -> dict[str, Grouped]:
    """Put messages into leads, in order of time where known, else as given. Returns message id → its standing."""
    bounds = bounds or Bounds()
    given = _with_names(list(messages))
    ordered = sorted(range(len(given)), key=lambda i: (_time(given[i]), i))
    index: dict[str, list[int]] = {}
    lead_of: dict[int, Lead] = {}
    result: dict[str, Grouped] = {}
    for number in ordered:
        message = given[number]
        tokens = (*message.targets, *message.sketch)
        candidates: dict[int, None] = {}
        for token in tokens:
            known = index.setdefault(token, [])
            if len(known) <= _COMMON:
                candidates.update(dict.fromkeys(known))
            known.append(number)
        compared = [(compare(message, given[i]), i) for i in candidates]
        result[message.id] = _stand(message, number, compared, given, lead_of, bounds)
    return result


def _with_names(messages: list[Message]) -> list[Message]:
    """Messages with the organisations and apps that others among them introduced: 投了满仓宝, after “满仓宝”APP."""
    known: dict[str, str] = {}
    for message in messages:
        for target in message.reading.targets:
            kind, _, name = target.partition(":")
            if kind in ("org", "app") and len(name) >= _NAME and name not in NOTORIOUS:
                known.setdefault(name, target)
    if not known:
        return messages
    names = list(known)
    automaton = AhoCorasick(names, implementation=Implementation.ContiguousNFA)
    result = []
    for message in messages:
        own = {target[4:] for target in message.reading.targets if target.startswith(("org:", "app:"))}
        met = {names[at] for at, _, _ in automaton.find_matches_as_indexes(message.folded, overlapping=True)}
        # 中汇通 in 中汇通达 is another's name; 花悦颜 in 西地花悦颜 only lacks the town
        met = {n for n in met - own if not any(n in other and not other.endswith(n) for other in own | met)}
        result.append(replace(message, named=tuple(known[name] for name in sorted(met))) if met else message)
    return result


def _stand(
    message: Message,
    number: int,
    compared: Sequence[tuple[Match, int]],
    given: Sequence[Message],
    lead_of: dict[int, Lead],
    bounds: Bounds,
) -> Grouped:
    best: tuple[int, int, Match] | None = None
    seen: list[str] = []
    suggested: list[str] = []
    for match, i in compared:
        if match.score < bounds.suggest:
            continue
        if _apart(message, given[i]) > bounds.window:
            seen.append(given[i].id)
            continue
        if match.score >= bounds.join and not any(rooms_conflict(message, one) for one in lead_of[i].members):
            if best is None or match.score > best[0]:
                best = (match.score, i, match)
        suggested.append(given[i].id)
    lead = lead_of[best[1]] if best else Lead(message.id)
    mates = {one.id for one in lead.members}
    lead.members.append(message)
    lead_of[number] = lead
    return Grouped(
        lead.id,
        best[2].reasons if best else (),
        tuple(seen),
        tuple(one for one in suggested if one not in mates),
    )


def _time(message: Message) -> float:
    return message.posted_at.timestamp() if message.posted_at else 0.0


def _apart(one: Message, other: Message) -> timedelta:
    if one.posted_at is None or other.posted_at is None:
        return timedelta(0)
    return timedelta(seconds=abs(_time(one) - _time(other)))
