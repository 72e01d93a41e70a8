"""Every figure opens to its lines, entries, events and the cases its reader may see."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from docx import Document

from tests.integration.scoring.conftest import Score, case

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
async def played(score: Score) -> Score:
    """Commerce once in time, once missed and then late; police in time."""
    first, second = case(number=1, at=T0), case(number=2, at=T0 + timedelta(days=1))
    score.app.state.cases = (first, second)
    await score.tell(
        first.opened, second.opened,
        first.accepted("commerce", at=T0 + timedelta(hours=1)),
        second.missed("commerce", at=T0 + timedelta(days=8)),
        second.accepted("commerce", in_time=False, at=T0 + timedelta(days=10)),
        first.accepted("police", at=T0 + timedelta(hours=2)),
    )  # fmt: skip
    return score


async def explained(score: Score, who: Any = None, path: str = "/v1/explain", **params: Any) -> Any:
    answer = await score.get(path, who or score.office(), **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_figure_is_the_sum_of_its_lines_and_of_its_entries__d_c1(played: Score) -> None:
    """D-C1: the unit's points in the table, its lines and its entries agree, with words, clause and version."""
    standing = next(
        one for one in (await played.get("/v1/standings", played.office())).json()["items"] if one["agency"] == "commerce"
    )
    found = await explained(played, agency="commerce", unit="enforcement")
    assert Decimal(found["points"]) == Decimal(standing["points"])
    assert sum(Decimal(one["points"]) for one in found["lines"]) == Decimal(found["points"])
    assert sum(Decimal(one["points"]) for one in found["entries"]) == Decimal(found["points"])
    assert sum(one["entries"] for one in found["lines"]) == len(found["entries"]) == 4
    assert all(one["text"]["zh"] and one["text"]["en"] and "@" in one["version"] for one in found["lines"])
    back = next(one for one in found["entries"] if one["corrects"])
    taken = next(one for one in found["entries"] if one["entry_id"] == back["corrects"])
    assert taken["corrected_by"] == back["entry_id"] and Decimal(taken["points"]) == -Decimal(back["points"])


async def test_an_entry_opens_to_its_event_deadline_and_case(played: Score) -> None:
    first, _ = played.app.state.cases
    found = await explained(played, agency="police")
    one = found["entries"][0]
    rests = one["rests_on"]
    deadline = first.deadline("police")
    assert rests["basis_id"] == str(deadline.deadline_id) and rests["rule"] == deadline.rule
    assert rests["case"].endswith(f"/v1/cases/{first.case_id}") and rests["number"] == first.number
    assert rests["state"] == "met" and len(rests["events"]) == 1
    assert await explained(played, path=f"/v1/ledger/{one['entry_id']}") == one


async def test_a_case_is_named_to_those_alone_who_may_open_it(played: Score) -> None:
    politics = played.bearer("politics_law", ("head",))
    found = await explained(played, politics, agency="commerce")
    own = await explained(played, played.bearer("commerce", ("head",)), agency="commerce")
    assert Decimal(found["points"]) == Decimal(own["points"])
    assert all(one["rests_on"]["case"] is None and one["rests_on"]["case_id"] is None for one in found["entries"])
    assert all(one["rests_on"]["case"] for one in own["entries"])
    police = played.bearer("police", ("head",))
    assert (await played.get("/v1/explain", police, agency="commerce")).status_code == 404
    assert (await played.get(f"/v1/ledger/{own['entries'][0]['entry_id']}", police)).status_code == 404
    assert (await played.get("/v1/explain", played.office())).status_code == 422


async def test_it_is_asked_for_as_of_a_day_and_by_period(played: Score) -> None:
    before = await explained(played, agency="commerce", as_of=(T0 + timedelta(days=9)).isoformat())
    assert len(before["entries"]) == 2
    assert (await played.get("/v1/explain", played.office(), agency="commerce", period="2026-02")).status_code == 404
    march = await explained(played, agency="commerce", period="2026-03", limit=1)
    assert len(march["entries"]) == 1 and march["next"]
    rest = await explained(played, agency="commerce", period="2026-03", cursor=march["next"])
    assert len(rest["entries"]) == 3 and march["lines"] == rest["lines"]


async def test_the_document_says_the_same(played: Score) -> None:
    found = await explained(played, agency="commerce")
    answer = await played.get("/v1/explain/document", played.office(), agency="commerce")
    assert answer.status_code == 200 and "wordprocessingml" in answer.headers["content-type"]
    paper = Document(io.BytesIO(answer.content))
    cells = {cell.text for table in paper.tables for row in table.rows for cell in row.cells}
    assert {one["entry_id"] for one in found["entries"]} <= cells
    assert {one["text"]["zh"] for one in found["lines"]} <= cells
    assert any(found["points"] in one.text for one in paper.paragraphs)


async def test_workbooks_hold_what_the_lists_do(played: Score) -> None:
    from shared.kit.sheets import read_table

    for path, count in (("/v1/standings.xlsx", 2), ("/v1/ledger.xlsx", 5)):
        answer = await played.get(path, played.office())
        assert answer.status_code == 200
        assert len(list(read_table(answer.content))) == count + 1
    area = (await played.get("/v1/standings", played.office(), area="dayong-nanwen")).json()["items"]
    assert area == []
    period = (await played.get("/v1/standings", played.office(), period="2026-Q1")).json()["items"]
    assert len(period) == 2
