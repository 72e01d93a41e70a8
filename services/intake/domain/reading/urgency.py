"""Listening for alarm: is somebody held, hurt or in danger now.

Doubts ring: a false alarm costs a look, a missed one a life. What is told of the past and over, of the law, of what might
happen, or of a lawful or accidental confinement, does not ring.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from services.intake.domain.reading.lexicon import Lexicon
from services.intake.domain.reading.model import Reason
from services.intake.domain.reading.signs import Found

_LOOKED_AT = 24
_SENTENCE = "。！？!?\n;；"
_CLAUSE = "。！？!?\n;；，, "
_WIDEST = 160
_WANTED = re.compile(
    r"(?:不|没|没有|想|要|能|让|求|帮|请|才能|才|无法|何时|时候|希望|盼|早日|尽快|赶紧|赶快|设法|怎么|如何|未|肯|准|许|给|去|快)(?:他|她|我|人|们|其|我们|他们|把[^，。]{1,6})?$"
)
_OTHERS = re.compile(
    r"(?:里面还有|屋里还有|还有|仍有|剩下|其余|其他)[^。！？，,]{0,8}(?:人|受害|学生|女孩|男孩|同学|孩子|朋友|姑娘)"
)
_DANGERS = ("cut_off", "missing", "cry", "harm", "watched", "coerced")


@dataclass(frozen=True, slots=True)
class Alarm:
    """Whether it rings, whether anybody was ever held, and the words."""

    urgent: bool = False
    confinement: bool = False
    reasons: tuple[Reason, ...] = ()


_SILENT = Alarm()


def listen(lexicon: Lexicon, found: Found, relevant: bool) -> Alarm:
    """Judge the alarm of a message whose signs are weighed.

    A message that is not about pyramid selling rings only for a person held against the law by somebody.
    """
    if not (found.alarms or found.hinted):
        return _SILENT
    if not relevant and not found.hinted:
        return _SILENT
    whole, quiet = found.whole, lexicon.quiet
    released = _released(lexicon, whole)
    others = bool(released and _OTHERS.search(whole))
    now: list[str] = []
    once: list[str] = []
    if found.hinted:
        for match in islice(lexicon.held.finditer(whole), _LOOKED_AT):
            state = _state(lexicon, found, match.start(), match.end(), relevant, released and not others)
            if state:
                (now if state == "now" else once).append(match[0][:40])
    if not relevant:
        rings = bool(now) and any(quiet["captive"].search(words) for words in now)
        return Alarm(rings, False, (Reason("held", tuple(now[:4])),) if rings else ())
    points: dict[str, int] = {}
    words: dict[str, list[str]] = {}
    for code, spans in found.alarms.items():
        kept = [
            whole[start:end]
            for start, end in spans[:_LOOKED_AT]
            if code in ("minor", "person", "outcry")
            or _present(lexicon, found, code, start, end, released and not others)
        ]
        if kept:
            points[code] = lexicon.alarms[code]
            words[code] = list(dict.fromkeys(kept))
    if found.hinted and (match := lexicon.cut_off.search(whole)):
        low, high = _bounds(whole, match.start(), match.end(), _SENTENCE)
        if not quiet["authority"].search(whole[low:high]):
            state = _state(lexicon, found, match.start(), match.end(), relevant, released and not others)
            if state == "now":
                points["cut_off"], words["cut_off"] = lexicon.alarms["cut_off"], [match[0][:40]]
            elif state:
                once.append(match[0][:40])
    if now:
        points["held"], words["held"] = lexicon.alarms["held"], now
    danger = bool(now) or any(code in points for code in _DANGERS)
    danger = danger or ("minor" in points and ("trapped_in" in points or "lure" in found.signs or "den" in found.signs))
    urgent = danger and sum(points.values()) >= lexicon.alarm_threshold
    reasons: tuple[Reason, ...] = ()
    if urgent:
        order = sorted(points, key=lambda code: -points[code])
        reasons = tuple(Reason(code, tuple(words[code][:4])) for code in order)
    elif once:
        reasons = (Reason("held_before", tuple(once[:4])),)
    return Alarm(urgent, bool(now or once or "cut_off" in points), reasons)


def _bounds(whole: str, start: int, end: int, marks: str) -> tuple[int, int]:
    left = start
    while left > 0 and start - left < _WIDEST and whole[left - 1] not in marks:
        left -= 1
    right = end
    while right < len(whole) and right - end < _WIDEST and whole[right] not in marks:
        right += 1
    return left, right


def _state(lexicon: Lexicon, found: Found, start: int, end: int, relevant: bool, over: bool) -> str:
    """`now`, `once`, or nothing when nobody is or was held by these words."""
    whole, quiet = found.whole, lexicon.quiet
    left, _ = _bounds(whole, start, start, _CLAUSE)
    before = whole[left:start]
    words = whole[start:end]
    if quiet["never"].search(before) or quiet["hypothetical"].search(before):
        return ""
    if not relevant and quiet["felt"].search(before):
        return ""
    low, high = _bounds(whole, start, end, _SENTENCE)
    sentence = whole[low:high]
    if quiet["lawful"].search(sentence if not relevant else words):
        return ""
    still = bool(quiet["still"].search(sentence))
    if quiet["legal"].search(sentence) and not still and not _anybody(found, low, high):
        return ""
    if still and not over:
        return "now"
    if over or quiet["past"].search(sentence):
        return "now" if still and not quiet["released"].search(sentence) else "once"
    return "now"


def _anybody(found: Found, low: int, high: int) -> bool:
    return any(low <= start < high for start, _ in found.alarms.get("person", ()))


def _present(lexicon: Lexicon, found: Found, code: str, start: int, end: int, over: bool) -> bool:
    """Whether an alarm word speaks of now, and for `missing`, of a person."""
    whole, quiet = found.whole, lexicon.quiet
    left, right = _bounds(whole, start, end, _CLAUSE)
    before = whole[left:start]
    if quiet["never"].search(before) or quiet["hypothetical"].search(before):
        return False
    low, high = _bounds(whole, start, end, _SENTENCE)
    sentence = whole[low:high]
    if code == "missing":
        if quiet["not_persons"].search(whole[left:right]) or not _anybody(found, max(0, low - 40), high):
            return False
    if over:
        return False
    if quiet["past"].search(sentence) and not quiet["still"].search(sentence):
        return code == "trapped_in"
    return not (quiet["legal"].search(sentence) and not _anybody(found, low, high))


def _ways_out(lexicon: Lexicon, whole: str) -> Iterator[re.Match[str]]:
    yield from lexicon.quiet["released"].finditer(whole)
    yield from lexicon.quiet["slipped"].finditer(whole)


def _released(lexicon: Lexicon, whole: str) -> bool:
    for match in islice(_ways_out(lexicon, whole), _LOOKED_AT):
        if not _WANTED.search(whole[max(0, match.start() - 8) : match.start()]):
            return True
    return False
