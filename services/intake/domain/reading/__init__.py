"""Reading what citizens write: is it pyramid selling (传销), which kind, is someone held, where, who.

Public: `read`, `Reading`, `Place`, `Reason`, `KINDS`, `TOPICS`, `LEXICON_VERSION`.
"""

from services.intake.domain.reading.model import KINDS, TOPICS, Place, Reading, Reason
from services.intake.domain.reading.reader import LEXICON_VERSION, read

__all__ = ["KINDS", "LEXICON_VERSION", "TOPICS", "Place", "Reading", "Reason", "read"]
