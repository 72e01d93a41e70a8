"""What intake shows: already filtered by what the caller may see."""

from services.intake.queries.evidence import (
    file_counts,
    file_out,
    files_of,
    flags_of,
    may_add,
    officer_file_out,
    tip_to_add_to,
    visible_file,
)
from services.intake.queries.present import next_words, routing_of, tip_out
from services.intake.queries.tips import (
    counts,
    for_trace,
    lead,
    list_tips,
    narrative,
    reviewable,
    tip,
    tip_by_receipt,
    visible_leads,
    visible_tips,
)

__all__ = [
    "counts",
    "file_counts",
    "file_out",
    "files_of",
    "flags_of",
    "for_trace",
    "lead",
    "list_tips",
    "may_add",
    "narrative",
    "next_words",
    "officer_file_out",
    "reviewable",
    "routing_of",
    "tip",
    "tip_by_receipt",
    "tip_out",
    "tip_to_add_to",
    "visible_file",
    "visible_leads",
    "visible_tips",
]
