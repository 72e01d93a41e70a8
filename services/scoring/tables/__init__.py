"""Scoring's database: one module a capability; the kit's tables."""

from services.scoring.tables.base import kit, metadata
from services.scoring.tables.certificates import (
    certificate_dues,
    certificate_numbers,
    certification_draws,
    certification_proofs,
    certification_reasons,
    certification_samples,
    certification_steps,
    certifications,
    evidence_facts,
)
from services.scoring.tables.ledger import ledger, obligations, standings

__all__ = [
    "certificate_dues",
    "certificate_numbers",
    "certification_draws",
    "certification_proofs",
    "certification_reasons",
    "certification_samples",
    "certification_steps",
    "certifications",
    "evidence_facts",
    "kit",
    "ledger",
    "metadata",
    "obligations",
    "standings",
]
