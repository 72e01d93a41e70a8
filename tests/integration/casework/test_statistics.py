"""Figures of cases: by area, kind, stage and month, and how long from the tip to action."""

from __future__ import annotations

from datetime import timedelta

from shared.kit import clock
from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.test_proceedings import COMMERCE, POLICE, opened


async def test_how_long_from_the_lead_to_action_is_measured(desk: Desk) -> None:
    """D-M5: found in time and acted on quickly is a figure that anyone in reach can open, by area, kind and stage."""
    now = clock.now()
    slow, quick, other = await desk.open(
        lead(received_at=now - timedelta(hours=30), kinds=("headcount", "internet")),
        lead(received_at=now - timedelta(hours=10)),
        lead(received_at=now - timedelta(days=400), area="dayong-nanwen"),
    )
    for case in (slow, quick):
        await opened(desk, case, "administrative_case", COMMERCE, {"conduct": ["organise"]})
    who = desk.bearer(**POLICE)
    [area] = (await desk.get("/v1/statistics/cases", who)).json()["items"]
    assert (area["code"], area["cases"], area["acted"], area["closed"]) == ("dayong-antang", 2, 2, 0)
    assert 19.9 < area["acted_median"] < 20.2 and 27.9 < area["acted_slow"] < 28.2 and area["accepted_median"] is None
    kinds = (await desk.get("/v1/statistics/cases", who, by="kind")).json()["items"]
    assert {one["code"]: one["cases"] for one in kinds} == {"headcount": 2, "internet": 1}
    older = (now - timedelta(days=500)).date().isoformat()
    stages = (await desk.get("/v1/statistics/cases", who, by="stage", since=older)).json()["items"]
    assert {one["code"]: (one["cases"], one["acted"]) for one in stages} == {"opened": (3, 2)}
    assert other is not None
    page = await desk.get("/statistics", who, by="month", since=older)
    assert page.status_code == 200 and "20.0" in page.text
    for bad in ({"since": "2026-02-02", "until": "2026-02-01"}, {"since": "1999-01-01"}):
        assert (await desk.get("/v1/statistics/cases", who, **bad)).status_code == 422
    stranger = desk.bearer(agency="education", posts=("head",), principal_id="education")
    assert (await desk.get("/v1/statistics/cases", stranger)).json()["items"] == []
