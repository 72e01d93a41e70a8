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
from services.scoring.tables.checkpoints import checkpoints, ledger_tree, period_standings, periods
from services.scoring.tables.consequences import fund_moves, measures, tools
from services.scoring.tables.findings import finding_facts, finding_steps, findings
from services.scoring.tables.ledger import ledger, line_sums, obligations, standings, sums
from services.scoring.tables.rulebooks import rulebook_drafts, rulebooks

__all__ = [
    "certificate_dues",
    "certificate_numbers",
    "certification_draws",
    "certification_proofs",
    "certification_reasons",
    "certification_samples",
    "certification_steps",
    "certifications",
    "checkpoints",
    "evidence_facts",
    "finding_facts",
    "finding_steps",
    "findings",
    "fund_moves",
    "kit",
    "ledger",
    "ledger_tree",
    "line_sums",
    "measures",
    "metadata",
    "obligations",
    "period_standings",
    "periods",
    "rulebook_drafts",
    "rulebooks",
    "standings",
    "sums",
    "tools",
]
