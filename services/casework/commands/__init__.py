"""The only writers: open joint cases for leads, accept a case, change its parties, mark deadlines missed."""

from services.casework.commands.acceptance import Accepted, accept, acceptance_claim
from services.casework.commands.basis import Basis, UnknownPlan
from services.casework.commands.lateness import mark_missed
from services.casework.commands.meetings import count_signals, note_merged, note_split
from services.casework.commands.opening import open_cases
from services.casework.commands.parties import apply_news

__all__ = [
    "Accepted",
    "Basis",
    "UnknownPlan",
    "accept",
    "acceptance_claim",
    "apply_news",
    "count_signals",
    "mark_missed",
    "note_merged",
    "note_split",
    "open_cases",
]
