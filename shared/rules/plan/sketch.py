"""Where a plan's communities stand on a map sketch: as the plan places them, others in a circle; not to scale."""

from __future__ import annotations

import math

from shared.rules.plan.model import Plan

WIDTH, HEIGHT = 400, 440
"""The view box."""
_EDGE = 56


def places(plan: Plan) -> dict[str, tuple[int, int]]:
    """Each community's place in the view box, in the plan's order."""
    placed = {spot.area: (spot.x, spot.y) for spot in plan.publicity.map}
    others = [area.id for area in plan.communities if area.id not in placed]
    for number, area in enumerate(others):
        angle = 2 * math.pi * number / len(others)
        placed[area] = (round(50 + 42 * math.cos(angle)), round(50 + 42 * math.sin(angle)))
    return {
        area.id: (
            _EDGE + round(placed[area.id][0] * (WIDTH - 2 * _EDGE) / 100),
            36 + round(placed[area.id][1] * (HEIGHT - 90) / 100),
        )
        for area in plan.communities
    }
