"""Weighing the signs: is it about pyramid selling, and of which kind."""

from dataclasses import dataclass, field

from services.intake.domain.reading import learned
from services.intake.domain.reading.lexicon import Lexicon
from services.intake.domain.reading.model import Reason

_HINT = 15
"""Points of plain words from which the dearer patterns are tried."""
_MENTIONS = 10
"""Mentions of the name whose surroundings are looked at."""
_AROUND = 16
_QUOTE = 40
_QUOTES = 3
_ELSEWHERE = -40
"""A sign of so many points or less says clearly that it is another matter."""
_TOLD = ("campaign", "fiction", "praise", "law", "denied", "compared")
"""Contexts in which a message speaks of the thing and reports none: its other words are those of reports, too."""


@dataclass(slots=True)
class Found:
    """What the one pass of the automaton met."""

    whole: str
    subject_end: int
    signs: dict[str, list[str]] = field(default_factory=dict)
    mentions: list[tuple[int, int]] = field(default_factory=list)
    alarms: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)
    estates: list[tuple[int, int]] = field(default_factory=list)
    hinted: bool = False

    @classmethod
    def collect(cls, lexicon: Lexicon, whole: str, subject_end: int) -> "Found":
        """Run the automaton over `whole` and sort its words by what they stand for."""
        self = cls(whole, subject_end)
        matches = lexicon.automaton.find_matches_as_indexes(whole, overlapping=True)
        words, roles, plain = lexicon.words, lexicon.roles, lexicon.plain_sign
        covers = [(s, e) for p, s, e in matches if roles[p].cancels]
        if covers:
            matches = [one for one in matches if not _covered(one, covers, words)]
        signs, topics, seen = self.signs, self.topics, set()
        for pattern, start, end in matches:
            code = plain[pattern]
            if code is not None:
                if code == "named":
                    self.mentions.append((start, end))
                if pattern not in seen:
                    seen.add(pattern)
                    signs.setdefault(code, []).append(words[pattern])
                continue
            role = roles[pattern]
            if role.estate:
                self.estates.append((start, end))
            if role.hint:
                self.hinted = True
            for alarm in role.alarms:
                self.alarms.setdefault(alarm, []).append((start, end))
            if pattern in seen:
                continue
            seen.add(pattern)
            for code in role.signs:
                if code == "named":
                    self.mentions.append((start, end))
                signs.setdefault(code, []).append(words[pattern])
            for topic, points in role.topics:
                topics[topic] = topics.get(topic, 0) + (points * 3 if start < subject_end else points)
        hidden: set[str] = set()
        for met in signs.values():
            for word in met:
                hidden.update(lexicon.inside.get(word, ()))
        if hidden:
            for code in [one for one in signs if one != "named"]:
                signs[code] = [word for word in signs[code] if word not in hidden]
                if not signs[code]:
                    del signs[code]
        return self

    @property
    def unnamed(self) -> str:
        """The message with the name cut out: how it speaks beside naming the thing."""
        rest, last = [], 0
        for start, end in sorted(self.mentions):
            rest.append(self.whole[last:start])
            last = max(last, end)
        return "。".join([*rest, self.whole[last:]])

    def topic(self, lexicon: Lexicon) -> str:
        """The topic with most points, or `other`."""
        if not self.topics:
            return "other"
        return max(lexicon.topics, key=lambda code: self.topics.get(code, 0))


def _covered(match: tuple[int, int, int], covers: list[tuple[int, int]], words: list[str]) -> bool:
    _, start, end = match
    return any(s <= start and end <= e and (e - s) > (end - start) for s, e in covers[:200])


@dataclass(frozen=True, slots=True)
class Verdict:
    """The score, what it rests on, and the kinds it points at."""

    relevant: bool
    score: int
    kinds: frozenset[str]
    reasons: tuple[Reason, ...]
    named: bool = False
    """The name stands there as more than a slogan, a film or a denial."""
    context: str = ""
    """How the name is spoken of (lexicon/contexts.toml); empty when it is not there."""


def weigh(lexicon: Lexicon, found: Found) -> Verdict:
    """Add up the signs of a message (see lexicon/signs.toml for how they count)."""
    signs = found.signs
    share, context = _mentions(lexicon, found) if found.mentions else (0, "")
    earned: dict[str, int] = {}
    hint = 0
    for code, words in signs.items():
        points = lexicon.signs[code].points
        if code == "named":
            points = points * share // 100
        elif len(words) > 1:
            points += points * (min(len(words), 3) - 1) // 2
        earned[code] = points
        if points > 0:
            hint += points
    reasons: dict[str, tuple[str, ...]] = {}
    kinds_of = {code: lexicon.signs[code].kinds for code in signs}
    if hint >= _HINT or "opener" in signs:
        quotes: dict[str, list[str]] = {}
        for code, match in lexicon.scan.matches(found.whole):
            known = quotes.setdefault(code, [])
            if len(known) < _QUOTES:
                known.append(match[0][:_QUOTE])
        for code, known in quotes.items():
            pattern = lexicon.patterns[code]
            earned[code] = pattern.points + pattern.points * (len(set(known)) - 1) * 3 // 10
            reasons[code] = tuple(known)
            kinds_of[code] = pattern.kinds
        bits = lexicon.bits
        mask = sum([bits[code] for code in earned])
        for combo in lexicon.combos:
            if combo.mask & mask == combo.mask:
                earned["combos"] = earned.get("combos", 0) + combo.points
    named = earned.get("named", 0)
    score = named + max(0, sum(earned.values()) - named)
    if context in ("campaign", "fiction", "praise"):
        score = score * lexicon.story_share // 100
    relevant = score >= lexicon.threshold
    doubtful = not relevant and score >= lexicon.doubtful and context not in _TOLD and min(earned.values()) > _ELSEWHERE
    likely = doubtful and learned.likeness(found.unnamed) >= lexicon.likeness
    if likely:
        relevant, score = True, lexicon.threshold
    reasons = {code: tuple(words[:5]) for code, words in signs.items() if _worth_saying(lexicon, code)} | reasons
    if likely:
        reasons["likeness"] = learned.telling(found.unnamed)
        earned["likeness"] = 0  # said after the signs
    if context and context != "asserted" and "named" in reasons:
        reasons[f"named_{context}"] = reasons.pop("named")
    kinds: set[str] = set()
    if relevant:
        for codes in kinds_of.values():
            kinds.update(codes)
        kinds.discard("unspecified")
        if "health_products" in kinds and "health_product" not in signs:
            kinds.discard("health_products")
        if "confinement" in kinds:
            kinds.discard("confinement")
    ordered = sorted(reasons.items(), key=lambda item: -earned.get(item[0], 100))
    return Verdict(
        relevant,
        score,
        frozenset(kinds),
        tuple(Reason(code, words) for code, words in ordered),
        share >= 30 and context != "praise",
        context,
    )


def _worth_saying(lexicon: Lexicon, code: str) -> bool:
    return lexicon.signs[code].points >= 10


def _mentions(lexicon: Lexicon, found: Found) -> tuple[int, str]:
    """What the mentions of the name are worth in percent, and the context that says so."""
    whole, best, why = found.whole, -1, ""
    looked = found.mentions[:_MENTIONS]
    for start, end in looked:
        window = f"{whole[max(0, start - _AROUND) : start]}▲{whole[end : end + _AROUND]}"
        context = lexicon.contexts[lexicon.around.first(window) or "asserted"]
        percent, code = context.percent, context.code
        if percent > best:
            best, why = percent, code
    if best == 100:
        praised = lexicon.praise_alone.search(whole) or (lexicon.praise.search(whole) and lexicon.done.search(whole))
        if praised and not lexicon.unless.search(whole):
            return 20, "praise"
        if "accuse" not in found.signs and _only_past(lexicon, found):
            return 30, "past"
    return best, why


def _only_past(lexicon: Lexicon, found: Found) -> bool:
    marked = "".join(
        f"{found.whole[max(0, s - _AROUND) : s]}▲{found.whole[e : e + _AROUND]}\n" for s, e in found.mentions[:3]
    )
    return bool(lexicon.past.search(marked)) and max(found.topics.values(), default=0) >= 3
