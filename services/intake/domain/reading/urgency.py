"""Listening for alarm: is somebody held, hurt or in danger now.

Doubts ring: a false alarm costs a look, a missed one a life. What is told of the past and over, of the law, of what might
happen, or of a lawful or accidental confinement, does not ring.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import chain, islice

from services.intake.domain.reading.lexicon import Lexicon
from services.intake.domain.reading.model import Reason
from services.intake.domain.reading.signs import Found

_LOOKED_AT = 24
_EACH = 4
_SENTENCE_END = re.compile("[。！？!?;；\\n]")
_CLAUSE_END = re.compile("[。！？!?;；\n，,、 ]")
_WIDEST = 160
_BEFORE = 24
_WANTED = re.compile(
    r"(?:不|没|没有|想|要|能|让|求|帮|请|才能|才|无法|何时|时候|希望|盼|早日|尽快|赶紧|赶快|设法|怎么|如何|未|肯|准|许|给|去|快)(?:他|她|我|人|们|其|我们|他们|把[^，。]{1,6})?$"
)
_OTHERS = re.compile(
    r"(?:里面还有|屋里还有|(?<!不是说现在)(?<!不是说)还有|仍有|剩下|其余|(?<!提醒)(?<!警示)(?<!告诉)其他)[^。！？，,]{0,8}"
    r"(?:人(?![^。！？]{0,14}(?:转去|搬走|遣返|遣送|散了|教育))|受害|学生|女孩|男孩|同学|孩子|朋友|姑娘|小伙|后生|妹子|女娃)"
    r"|(?:同去|同行|一起去|一块去|一同去|同来|一起来|一块儿去)的?[^。！？，,]{0,6}(?:逃|跑|溜)(?:了|回|出)"
)
_TAKEN_BACK = re.compile("[^。！？]{0,4}(?:又|还是|但|却)?(?:被|给|让)[^。！？，,]{0,6}(?:抓|拖|拽|追|拉|弄|带)了?回")
_HEARSAY = re.compile("听说|据说|听讲|听人说")
_DANGERS = ("cut_off", "missing", "cry", "harm", "watched", "coerced")
_ALWAYS = ("minor", "person", "outcry")
_DEN = frozenset({"den", "teach", "brainwash"})
"""Signs that people are kept and taught together; with a shout heard and no way out they ring without the name."""
_CROWD = _DEN | {"outsiders"}
"""Two of these beside a shout ring also where nobody says that a door is shut."""
_HEARD = ("cry", "harm")
_SPEAKS_UNDER_WATCH = frozenset({"missing", "coerced"})
"""Gone, and speaking as if somebody listened: that rings whatever the message is about."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Whether it rings, whether anybody was ever held, and the words."""

    urgent: bool = False
    confinement: bool = False
    reasons: tuple[Reason, ...] = ()


_SILENT = Alarm()


def listen(lexicon: Lexicon, found: Found, relevant: bool) -> Alarm:
    """Judge the alarm of a message whose signs are weighed.

    A message that is not about pyramid selling rings only for a person held against the law by somebody, or one who is
    gone and speaks as if somebody listened.
    """
    if not (found.alarms or found.hinted):
        return _SILENT
    captive = lexicon.quiet["captive"]
    watched = _SPEAKS_UNDER_WATCH <= found.alarms.keys()
    shouted = (
        not relevant and not found.alarms.keys().isdisjoint(_HEARD) and bool(lexicon.quiet["shouted"].search(found.whole))
    )
    if not (relevant or watched or shouted or (found.hinted and captive.search(found.whole))):
        return _SILENT
    scene = _Scene(lexicon, found, relevant)
    now: list[str] = []
    once: list[str] = []
    if found.hinted:
        for _, match in islice(lexicon.held.matches(found.whole), _LOOKED_AT):
            state = scene.state(match.start(), match.end())
            if state:
                (now if state == "now" else once).append(match[0][:40])
    if relevant and not now and (match := lexicon.quiet["escaped"].search(found.whole)):
        once.append(match[0])
    if not relevant:
        kept = bool(_DEN & found.signs.keys()) or lexicon.cut_off.search(found.whole) is not None
        if any(captive.search(words) for words in now) or (now and shouted and kept):
            return Alarm(True, False, (Reason("held", tuple(now[:4])),))
        if shouted and len(_CROWD & found.signs.keys()) > 1:
            heard = [found.whole[start:end] for code in _HEARD for start, end in found.alarms.get(code, ())]
            return Alarm(True, False, (Reason("cry", tuple(dict.fromkeys(heard))[:4]),))
        points, words = scene.words_of_alarm() if watched else ({}, {})
        if not _SPEAKS_UNDER_WATCH <= points.keys():
            return Alarm(False, False, ())
        return Alarm(True, False, tuple(Reason(code, tuple(words[code][:4])) for code in sorted(_SPEAKS_UNDER_WATCH)))
    points, words = scene.words_of_alarm()
    if found.hinted and (match := lexicon.cut_off.search(found.whole)):
        state = scene.state(match.start(), match.end())
        if state and not scene.says("authority", (scene.sentence(match.start(), match.end())[0], match.end())):
            if state == "now":
                points["cut_off"], words["cut_off"] = lexicon.alarms["cut_off"], [match[0][:40]]
            else:
                once.append(match[0][:40])
    if now:
        points["held"], words["held"] = lexicon.alarms["held"], now
    if "cry" in points and lexicon.quiet["shouted"].search(found.whole):
        # heard by somebody, not written in anger
        points["cry"] = lexicon.alarm_threshold
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


@dataclass(slots=True)
class _Scene:
    """One message while it is listened to; what a sentence says is looked up once."""

    lexicon: Lexicon
    found: Found
    relevant: bool
    over: bool = False
    ends: list[int] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    said: dict[tuple[str, tuple[int, int]], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole = self.found.whole
        self.ends = [match.start() for match in _SENTENCE_END.finditer(whole)]
        self.people = [start for start, _ in self.found.alarms.get("person", ())]
        self.over = self._released() and not _OTHERS.search(whole)

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """The sentence around a span, cut where it runs on without a mark."""
        left = bisect_left(self.ends, start)
        low = self.ends[left - 1] + 1 if left else 0
        right = bisect_left(self.ends, end)
        high = self.ends[right] if right < len(self.ends) else len(self.found.whole)
        return max(low, start - _WIDEST), min(high, end + _WIDEST)

    def says(self, what: str, span: tuple[int, int]) -> bool:
        """Whether the text of `span` holds the quieting expression `what`."""
        key = (what, span)
        known = self.said.get(key)
        if known is None:
            known = self.said[key] = bool(self.lexicon.quiet[what].search(self.found.whole[span[0] : span[1]]))
        return known

    def anybody(self, span: tuple[int, int]) -> bool:
        """Whether `span` speaks of a certain person."""
        at = bisect_left(self.people, span[0])
        return at < len(self.people) and self.people[at] < span[1]

    def state(self, start: int, end: int) -> str:
        """`now`, `once`, or nothing when nobody is or was held by these words."""
        quiet = self.lexicon.quiet
        span = self.sentence(start, end)
        before = self._before(span[0], start)
        if quiet["never"].search(before) or quiet["hypothetical"].search(before) or self.says("supposed", span):
            return ""
        said = self.found.whole[start:end]
        if quiet["lawful"].search(said) or quiet["money"].search(before + said):
            return ""
        if not self.relevant and (
            quiet["felt"].search(before)
            or quiet["lawful"].search(before[-6:])
            or quiet["mishap"].search(before + self._clause(start, end))
            or self.says("illness", span)
        ):
            return ""
        still = self.says("still", span)
        if quiet["past"].search(before) and not quiet["still"].search(before + self._clause(start, end)):
            return "once"
        if not still and self.says("legal", span) and not self.anybody(span):
            return ""
        if still and not self.over:
            return "now"
        if self.over or self.says("past", span):
            return "now" if still and not self.says("released", span) else "once"
        return "now"

    def words_of_alarm(self) -> tuple[dict[str, int], dict[str, list[str]]]:
        """Alarm words that speak of now, by code, with their points."""
        points: dict[str, int] = {}
        words: dict[str, list[str]] = {}
        for code, spans in self.found.alarms.items():
            kept: list[str] = []
            for start, end in spans[:_LOOKED_AT]:
                if code in _ALWAYS or self._present(code, start, end):
                    kept.append(self.found.whole[start:end])
                    if len(kept) == _EACH:
                        break
            if kept:
                points[code] = self.lexicon.alarms[code]
                words[code] = list(dict.fromkeys(kept))
        if self.relevant and "coerced" not in points:
            for match in self.lexicon.under_ears.finditer(self.found.whole):
                if self._present("coerced", match.start(), match.end()):
                    points["coerced"], words["coerced"] = self.lexicon.alarms["coerced"], [match[0][:40]]
                    break
        return points, words

    def _present(self, code: str, start: int, end: int) -> bool:
        """Whether an alarm word speaks of now, and for `missing`, of a person."""
        if self.over:
            return False
        quiet = self.lexicon.quiet
        span = self.sentence(start, end)
        before = self._before(span[0], start)
        if quiet["never"].search(before) or quiet["hypothetical"].search(before) or self.says("supposed", span):
            return False
        if code == "missing":
            clause = self.found.whole[start - len(before) : end + 8]
            if quiet["not_persons"].search(clause) or not self.anybody((max(0, span[0] - 40), span[1])):
                return False
        if quiet["past"].search(before) or (self.says("past", span) and not self.says("still", span)):
            return code == "trapped_in"
        return not (self.says("legal", span) and not self.anybody(span))

    def _clause(self, start: int, end: int) -> str:
        """From `start` to the end of the clause that `end` lies in."""
        whole = self.found.whole
        return whole[start:end] + _CLAUSE_END.split(whole[end : end + _BEFORE], maxsplit=1)[0]

    def _before(self, low: int, start: int) -> str:
        before = self.found.whole[max(low, start - _BEFORE) : start]
        cut = max(before.rfind("，"), before.rfind(","), before.rfind("、"), before.rfind(" "))
        return before[cut + 1 :]

    def _released(self) -> bool:
        whole, quiet = self.found.whole, self.lexicon.quiet
        ways = chain(quiet["released"].finditer(whole), quiet["slipped"].finditer(whole))
        return any(
            not _WANTED.search(whole[max(0, match.start() - 8) : match.start()])
            and not _TAKEN_BACK.match(whole, match.end())
            and not _HEARSAY.search(whole, self.sentence(match.start(), match.end())[0], match.start())
            for match in islice(ways, _LOOKED_AT)
        )
