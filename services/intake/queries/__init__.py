"""What intake shows: already filtered by what the caller may see."""

from services.intake.queries.present import next_words, routing_of, tip_out
from services.intake.queries.tips import counts, for_trace, lead, list_tips, narrative, tip, tip_by_receipt

__all__ = [
    "counts",
    "for_trace",
    "lead",
    "list_tips",
    "narrative",
    "next_words",
    "routing_of",
    "tip",
    "tip_by_receipt",
    "tip_out",
]
