"""Reading what citizens write: is it pyramid selling (传销), which kind, is someone held, where, who.

Public: `read`, `Reading`, `Place`, `Reason`, `KINDS`, `TOPICS`, `LEXICON_VERSION`, and the names of codes for people.
"""

from services.intake.domain.reading.labels import kind_name, reason_name, topic_name
from services.intake.domain.reading.model import KINDS, TOPICS, Place, Reading, Reason
from services.intake.domain.reading.reader import LEXICON_VERSION, read

__all__ = [
    "KINDS",
    "LEXICON_VERSION",
    "TOPICS",
    "Place",
    "Reading",
    "Reason",
    "kind_name",
    "read",
    "reason_name",
    "topic_name",
]
