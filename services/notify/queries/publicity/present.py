"""Rows of publicity in words and as bodies, for pages and the API alike."""

from __future__ import annotations

from typing import Any

from services.notify.domain.publicity.schedule import top_area
from services.notify.schemas.publicity import ExposureOut
from services.notify.settings import Settings
from shared.rules.plan import Plan

SEALED_BY = "report"
"""The key that seals what an exposure says: its words may name people."""


def target_words(plan: Plan, row: Any, places: dict[str, str], locale: str = "zh_CN") -> str:
    """The place, community or operator that a thing is for, in words."""
    rules = plan.publicity
    for one in (*rules.operators, *rules.places, *plan.areas):
        if one.id == row.target:
            return one.name.en if locale == "en" else one.name.zh
    return places.get(row.target) or (row.target if row.target != top_area(plan) else plan.name.zh)


def exposure_out(settings: Settings, row: Any) -> ExposureOut:
    """An exposure with its words, opened."""
    names = [name for name in ExposureOut.model_fields if name not in ("exposure_id", "summary")]
    return ExposureOut(
        exposure_id=row.id,
        summary=settings.keys.open(SEALED_BY, row.id.bytes, bytes(row.summary)).decode(),
        **{name: getattr(row, name) for name in names},
    )
