"""The only writers: facts become obligations, ledger entries, standings and the events of the feed."""

from services.scoring.commands.adoption import (
    Difference,
    adopt,
    difference,
    discard,
    inside,
    prepare,
    settle,
    sum_up,
)
from services.scoring.commands.booking import Books, UnknownPlan, book_decisions, books_of
from services.scoring.commands.facts import open_obligations, record_acceptances, record_misses

__all__ = [
    "Books",
    "Difference",
    "UnknownPlan",
    "adopt",
    "book_decisions",
    "books_of",
    "difference",
    "discard",
    "inside",
    "open_obligations",
    "prepare",
    "record_acceptances",
    "record_misses",
    "settle",
    "sum_up",
]
