"""Scoring's database: one module a capability; the kit's tables."""

from services.scoring.tables.base import kit, metadata
from services.scoring.tables.ledger import ledger, obligations, standings

__all__ = ["kit", "ledger", "metadata", "obligations", "standings"]
