"""Casework's database: one module a capability; the kit's tables."""

from services.casework.tables.base import kit, metadata
from services.casework.tables.cases import (
    case_parties,
    cases,
    deadlines,
    early_facts,
    lead_meetings,
    lead_signals,
    number_register,
)

__all__ = [
    "case_parties",
    "cases",
    "deadlines",
    "early_facts",
    "kit",
    "lead_meetings",
    "lead_signals",
    "metadata",
    "number_register",
]
