"""The lexicon, compiled once: one automaton over all words, and the patterns that need more than words.

The data lies in `lexicon/*.toml`, each group with its reason (`why`); docs/reading.md says how to extend it.
"""

from dataclasses import dataclass, field
from functools import cache

from ahocorasick_rs import AhoCorasick, Implementation

from services.intake.domain.reading.expressions import Anchored, Expressions, compiled
from services.intake.domain.reading.folding import fold, load

SEPARATORS = (" ", "*", "·", ".", "-", "/", "_", "~", "|", "•", "、", "+", "x")
LONG_TEXT = 24_000
"""Characters read of one message; a longer one is read at both ends."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A group of words and what meeting it is worth."""

    code: str
    points: int
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sign in the form of bounded expressions (`Lexicon.scan` finds them)."""

    code: str
    points: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Combo:
    """Signs that together mean more than each."""

    mask: int
    points: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What may stand around a mention of the name, and what the mention is then worth in percent."""

    code: str
    percent: int
    talk: bool


@dataclass(slots=True)
class Roles:
    """What one word of the automaton stands for; most words have one role."""

    signs: list[str] = field(default_factory=list)
    topics: list[tuple[str, int]] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    cancels: bool = False
    estate: bool = False
    hint: bool = False


def _words(group: dict) -> list[str]:
    words = group.get("words", "").split()
    stems = group.get("stems", "").split()
    words += [lead + stem for stem in stems for lead in group.get("before", "").split()]
    words += [stem + tail for stem in stems for tail in group.get("after", "").split()]
    if group.get("alone"):  # the whole message, or a sentence of it
        words += [f"{mark}{stem}{end}" for stem in stems for mark in "。，" for end in "。，！？"]
    if group.get("spaced"):
        words += [mark.join(word) for word in words if 2 <= len(word) <= 4 and "␣" not in word for mark in SEPARATORS]
    return [word.replace("␣", " ") for word in words]


def _slips(word: str) -> list[str]:
    """How a word is often miswritten, for words long enough to stay themselves: 作 and 做 sound alike."""
    if len(word) < 4:
        return []
    return [word.replace(right, wrong) for right, wrong in (("作", "做"), ("做", "作")) if right in word]


@dataclass(slots=True)
class Lexicon:
    """Everything `read` looks up; built once by `lexicon()` and never changed after."""

    version: str
    threshold: int
    leaning: int
    doubtful: int
    likeness: float
    telling: frozenset[str]
    automaton: AhoCorasick
    words: list[str]
    roles: list[Roles]
    plain_sign: list[str | None]
    inside: dict[str, tuple[str, ...]]
    signs: dict[str, Sign]
    patterns: dict[str, Pattern]
    scan: Anchored
    combos: tuple[Combo, ...]
    bits: dict[str, int]
    contexts: dict[str, Context]
    around: Anchored
    past: Expressions
    praise: Expressions
    praise_alone: Expressions
    done: Expressions
    unless: Expressions
    story_share: int
    topics: tuple[str, ...]
    alarms: dict[str, int]
    alarm_threshold: int
    held: Anchored
    cut_off: Expressions
    under_ears: Expressions
    quiet: dict[str, Expressions]


@cache
def lexicon() -> Lexicon:
    """The lexicon of this version of the code (`LEXICON_VERSION`)."""
    signs, contexts, urgency = load("signs"), load("contexts"), load("urgency")
    patterns, topics, places = load("patterns"), load("topics"), load("places")
    roles: dict[str, Roles] = {}

    def role(word: str) -> Roles:
        return roles.setdefault(fold(word), Roles())

    table: dict[str, Sign] = {}
    for group in signs["sign"]:
        code = "named" if group["code"] == "misspelt" else group["code"]
        table.setdefault(code, Sign(code, group["points"], tuple(group.get("kinds", ()))))
        for word in _words(group):
            for written in {word, *_slips(word)}:
                if code not in role(written).signs:
                    role(written).signs.append(code)
    for group in signs["cancel"]:
        for word in group["words"].split():
            role(word).cancels = True
    for group in topics["topic"]:
        for points, key in ((3, "strong"), (1, "words")):
            for word in group.get(key, "").split():
                role(word).topics.append((group["code"], points))
    alarms: dict[str, int] = {}
    for group in urgency["alarm"]:
        alarms[group["code"]] = group["points"]
        for word in _words(group):
            role(word).alarms.append(group["code"])
    for word in urgency["hints"].split():
        role(word).hint = True
    for word in places["estate_types"].split():
        role(word).estate = True

    codes = [*table, *(one["code"] for one in patterns["pattern"])]
    bits = {code: 1 << place for place, code in enumerate(codes)}
    words = list(roles)
    ordered = _shared([roles[word] for word in words])
    roles.clear()
    automaton = AhoCorasick(words, implementation=Implementation.ContiguousNFA)
    by_code = {group["code"]: group for group in urgency["alarm"]}
    return Lexicon(
        version=signs["version"],
        threshold=signs["threshold"],
        leaning=signs["leaning"],
        doubtful=signs["doubtful"],
        likeness=signs["likeness"],
        telling=frozenset(signs["telling"].split()),
        automaton=automaton,
        words=words,
        roles=ordered,
        plain_sign=[_only_sign(one) for one in ordered],
        inside=_inside(automaton, words, ordered),
        signs=table,
        patterns={
            one["code"]: Pattern(one["code"], one["points"], tuple(one.get("kinds", ()))) for one in patterns["pattern"]
        },
        scan=Anchored([(one["code"], text) for one in patterns["pattern"] for text in one["expressions"]]),
        combos=tuple(
            Combo(sum(bits[code] for code in one["all"]), one["points"], tuple(one.get("kinds", ())))
            for one in patterns["combo"]
        ),
        bits=bits,
        contexts={
            one["code"]: Context(one["code"], one["percent"], one.get("talk", False)) for one in contexts["context"]
        },
        around=Anchored([(one["code"], text) for one in contexts["context"] for text in one["around"]]),
        past=compiled(*contexts["past"]["patterns"]),
        praise=compiled(*contexts["praise"]["patterns"]),
        praise_alone=compiled(contexts["praise"]["open"]),
        done=compiled(contexts["praise"]["done"]),
        unless=compiled(contexts["praise"]["unless"]),
        story_share=contexts["story"]["share"],
        topics=tuple(group["code"] for group in topics["topic"]),
        alarms=alarms,
        alarm_threshold=urgency["threshold"],
        held=Anchored([("held", text) for text in by_code["held"]["expressions"]]),
        cut_off=compiled(*by_code["cut_off"]["expressions"]),
        under_ears=compiled(*next(one["expressions"] for one in patterns["pattern"] if one["code"] == "under_ears")),
        quiet={code: compiled(expression) for code, expression in urgency["quiet"].items()},
    )


def _shared(roles: list[Roles]) -> list[Roles]:
    """One object for all words that stand for the same: a sixth of the memory."""
    known: dict[str, Roles] = {}
    return [known.setdefault(repr(role), role) for role in roles]


def _inside(automaton: AhoCorasick, words: list[str], roles: list[Roles]) -> dict[str, tuple[str, ...]]:
    """For each sign word the shorter sign words it contains: 直推奖 is one sign, not 直推 as well."""
    inside: dict[str, tuple[str, ...]] = {}
    for word, role in zip(words, roles, strict=True):
        if not role.signs:
            continue
        matches = automaton.find_matches_as_indexes(word, overlapping=True)
        shorter = tuple({words[p] for p, _, _ in matches if roles[p].signs and words[p] != word})
        if shorter:
            inside[word] = shorter
    return inside


def _only_sign(role: Roles) -> str | None:
    alone = len(role.signs) == 1 and not (role.topics or role.alarms or role.cancels or role.estate or role.hint)
    return role.signs[0] if alone else None
