"""Codes in words: states with their tone, kinds, channels, topics, roles. Msgids are English; the .po has the Chinese."""

from shared.web.wording import casework, intake, notify, scoring
from shared.web.wording.answers import DONE, UNEXPECTED, WENT_WRONG
from shared.web.wording.badges import BADGES
from shared.web.wording.spans import AT_ONCE, INTERVALS, UNITS

__all__ = ["AT_ONCE", "BADGES", "DONE", "INTERVALS", "UNEXPECTED", "UNITS", "WENT_WRONG", "WORDS"]

WORDS = intake.WORDS | casework.WORDS | notify.WORDS | scoring.WORDS
"""Vocabulary → code → words."""
