"""Closing a period: frozen and signed once; what comes to be known later is a visible correction beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.scoring.adapters.outside import Outside
from services.scoring.domain import notes
from services.scoring.jobs import Sealing
from tests.integration.scoring.conftest import Score, case

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
async def march(score: Score) -> Score:
    """In March: police in time, commerce missed on the 10th."""
    one = case(at=T0)
    score.app.state.case = one
    await score.tell(
        one.opened,
        one.accepted("police", at=T0 + timedelta(hours=1)),
        one.missed("commerce", at=T0 + timedelta(days=8)),
    )
    return score


async def close(score: Score, period: str = "2026-03", key: str = "a-key-of-mine", who: Any = None, **more: Any) -> Any:
    return await score.client.post(
        "/v1/periods", json={"period": period, **more}, headers={**(who or score.office()), "idempotency-key": key}
    )


def points(items: list[dict[str, Any]]) -> dict[str, Decimal]:
    return {item["agency"]: Decimal(item["points"]) for item in items}


async def test_a_closed_period_stays_as_it_was_frozen_and_corrections_are_seen__d_c1(march: Score) -> None:
    """D-C1: an act told after the close takes the miss back; the frozen figure stands, the correction beside it."""
    first = await close(march)
    assert first.status_code == 201, first.text
    frozen = first.json()
    assert frozen["corrections"] == [] and points(frozen["standings"]) == points(frozen["known_now"])
    late = march.app.state.case.accepted("commerce", in_time=False, at=T0 + timedelta(days=12))
    await march.tell(late)
    after = (await march.get("/v1/periods/dayong/2026-03", march.office())).json()
    assert after["standings"] == frozen["standings"], "nothing of a closed period changes"
    assert points(after["known_now"])["commerce"] > points(after["standings"])["commerce"]
    assert {one["fact_event"] for one in after["corrections"]} == {str(late.id)}
    taken_back = [one for one in after["corrections"] if one["corrects"]]
    assert len(taken_back) == 1 and len(after["corrections"]) == 2
    raw = await march.get("/v1/periods/dayong/2026-03/document", march.office())
    assert sha256(raw.content).hexdigest() == after["digest"] == frozen["digest"]


async def test_a_correction_in_a_later_month_is_shown_beside_the_month_it_corrects(march: Score) -> None:
    await close(march)
    await march.tell(march.app.state.case.accepted("commerce", in_time=False, at=T0 + timedelta(days=40)))
    found = (await march.get("/v1/periods/dayong/2026-03", march.office())).json()
    assert [one["occurred_on"][:7] for one in found["corrections"]] == ["2026-04"]
    assert found["corrections"][0]["corrects"] is not None
    assert points(found["known_now"]) == points(found["standings"]), "the days of March have the same entries as before"


async def test_the_checkpoint_signs_the_document_and_both_stand_outside(march: Score, tmp_path: Path) -> None:
    closed = (await close(march)).json()
    signer = march.app.state.sealing.signer
    store = Outside(tmp_path)
    await Sealing(march.service, signer, store).round()
    kept = {number: note async for number, note in store.notes()}
    opened = notes.opened(kept[closed["checkpoint"]], signer.keys.public_keys("checkpoint").values())
    assert opened.closing is not None and opened.closing.label == "2026-03"
    document = (await store.frozen())["dayong", "2026-03"]
    assert sha256(document).digest() == opened.closing.digest
    told = [one for one in await march.events() if one.TYPE == "dachuan.ledger.period-closed.v1"]
    assert [(one.period, one.digest) for one in told] == [("2026-03", closed["digest"])]


async def test_a_period_is_closed_once_and_only_when_it_is_over(march: Score) -> None:
    assert (await close(march)).status_code == 201
    assert (await close(march)).status_code == 201, "the same request again"
    other = await close(march, key="another-key-of-mine")
    assert other.status_code == 409 and other.json()["type"].endswith("period-closed")
    reused = await close(march, "2026-02")
    assert reused.status_code == 409 and reused.json()["type"].endswith("idempotency-key-reused")
    early = await close(march, "2099-01", key="for-a-month-to-come")
    assert early.status_code == 409 and early.json()["type"].endswith("period-not-over")
    assert (await close(march, "2026-3", key="for-no-month-at-all")).status_code == 422
    assert len(await march.rows("SELECT id FROM periods")) == 1


async def test_who_may_close_and_who_sees_what(march: Score) -> None:
    police = march.bearer("police", ("head",))
    assert (await close(march, who=police)).status_code == 403
    assert (await close(march, who=march.office(), plan="xiyuan")).status_code == 403
    await close(march)
    seen = (await march.get("/v1/periods/dayong/2026-03", police)).json()
    assert {one["agency"] for one in seen["standings"]} == {"police"}
    assert (await march.get("/v1/periods/dayong/2026-03/document", police)).status_code == 404
    assert (await march.get("/v1/periods/xiyuan/2026-03", march.office())).status_code == 404
    listed = (await march.get("/v1/periods", police)).json()["items"]
    assert [one["period"] for one in listed] == ["2026-03"]
    elsewhere = march.bearer("police", ("head",), plan="xiyuan")
    assert (await march.get("/v1/periods", elsewhere)).json()["items"] == []


async def test_a_month_without_entries_can_be_closed(score: Score) -> None:
    answer = await close(score, "2026-01")
    assert answer.status_code == 201 and answer.json()["standings"] == []
    assert answer.json()["entries"] == 0
