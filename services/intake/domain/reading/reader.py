"""`read`: from a message's words to a `Reading`."""

from dataclasses import replace
from functools import partial

from services.intake.domain.reading.facts import count_facts, find_target
from services.intake.domain.reading.folding import fold
from services.intake.domain.reading.lexicon import LONG_TEXT, Lexicon, lexicon
from services.intake.domain.reading.model import KINDS, Facts, Reading, Reason
from services.intake.domain.reading.signs import Found, weigh
from services.intake.domain.reading.targets import canonical_targets
from services.intake.domain.reading.urgency import Alarm, listen

_LEXICON: Lexicon = lexicon()
LEXICON_VERSION: str = _LEXICON.version
_TALK = {"campaign": "government_conduct", "praise": "government_conduct", "fiction": "other", "law": "other"}
"""Where talk about the fight against pyramid selling belongs, whatever its other words."""


def read(subject: str, text: str) -> Reading:
    """Read one message.

    Never raises on any string, always gives the same reading for the same words, and takes time linear in the
    length (at most `LONG_TEXT` characters are looked at: the beginning and the end of a longer one).
    """
    try:
        return _read(subject, text)
    except UnicodeEncodeError:  # half a surrogate pair, which no text can hold
        return _read(_whole(subject), _whole(text))


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read(subject: str, text: str) -> Reading:
    subject = fold(subject[:500])
    body = fold(text if len(text) <= LONG_TEXT else text[: LONG_TEXT - 4000] + "。" + text[-4000:])
    whole = f"{subject}。{body}。"
    found = Found.collect(_LEXICON, whole, len(subject))
    verdict = weigh(_LEXICON, found)
    leaning = verdict.named or (
        verdict.score >= _LEXICON.leaning and any(one.code in _LEXICON.telling for one in verdict.reasons)
    )
    alarm = listen(_LEXICON, found, verdict.relevant or leaning)
    # beside somebody held the name is no comparison, and half of the signs are enough
    relevant = verdict.relevant or (leaning and alarm.urgent)
    if not (relevant or alarm.urgent):
        topic = _TALK.get(verdict.context) or found.topic(_LEXICON)
        return Reading(relevant=False, belongs_to=topic, score=verdict.score, reasons=verdict.reasons)
    return Reading(
        relevant=relevant,
        kinds=_kinds(verdict.kinds, alarm) if relevant else (),
        urgent=alarm.urgent,
        belongs_to=None if relevant else "public_security",
        score=verdict.score,
        reasons=verdict.reasons + alarm.reasons,
        find=partial(find_target, whole, found.estates),
        fill=partial(_filled, whole),
    )


def without_name(subject: str, text: str) -> str:
    """A message folded, with the name cut out: what the likeness of its wording is learned from."""
    subject = fold(subject)
    return Found.collect(_LEXICON, f"{subject}。{fold(text)}。", len(subject)).unnamed


def _filled(whole: str, target: Facts) -> Facts:
    return replace(count_facts(whole, target), targets=canonical_targets(target))


def _kinds(found: frozenset[str], alarm: Alarm) -> tuple[str, ...]:
    kinds = found | {"confinement"} if alarm.confinement or alarm.urgent else found
    return tuple(kind for kind in KINDS if kind in kinds) or ("unspecified",)


__all__ = ["LEXICON_VERSION", "Reading", "Reason", "read"]
