"""What scoring shows: frozen rows, already filtered by what the caller may see."""

from services.scoring.queries.ledger import LedgerFilter, entries
from services.scoring.queries.pulse import Pulse
from services.scoring.queries.standings import changes, newest_change, standings, standings_as_of, trend
from services.scoring.queries.trace import Traced, for_trace

__all__ = [
    "LedgerFilter",
    "Pulse",
    "Traced",
    "changes",
    "entries",
    "for_trace",
    "newest_change",
    "standings",
    "standings_as_of",
    "trend",
]
