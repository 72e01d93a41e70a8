"""Intake's database: one module a capability; the kit's tables."""

from services.intake.tables.base import kit, metadata
from services.intake.tables.tips import leads, tips

__all__ = ["kit", "leads", "metadata", "tips"]
