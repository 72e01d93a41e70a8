"""What scoring shows, and to whom: standings, ledger, feed, CSV, journey."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.scoring.conftest import Score, case

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LISTS = ("/v1/standings", "/v1/ledger", "/v1/feed")


@pytest.fixture
async def played(score: Score) -> Score:
    """Police in time on 2 March, commerce late on 12 March (missed on the 10th), a community in time, another plan."""
    one = case(at=T0, parties=(("police", "economic_crime"), ("commerce", "enforcement"), ("c-antang", None)))
    far = case(plan="xiyuan", area=None, at=T0, parties=(("police", None),))
    await score.tell(
        one.opened,
        one.accepted("police", at=T0 + timedelta(hours=1)),
        one.missed("commerce", at=T0 + timedelta(days=8)),
        one.accepted("commerce", in_time=False, at=T0 + timedelta(days=10)),
        one.accepted("c-antang", at=T0 + timedelta(hours=2)),
        far.missed("police", at=T0 + timedelta(days=8)),
    )
    score.app.state.case = one
    return score


def units(items: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(item["plan"], item["agency"]) for item in items}


async def items(score: Score, path: str, who: dict[str, str], **params: Any) -> list[dict[str, Any]]:
    answer = await score.get(path, who, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.mark.parametrize("path", LISTS)
async def test_without_a_token_or_the_right_nothing_is_shown(played: Score, path: str) -> None:
    assert (await played.get(path, {})).status_code == 401
    assert (await played.get(path, played.bearer("economy", ("nobody",)))).status_code == 403


@pytest.mark.parametrize("path", LISTS)
async def test_the_office_sees_its_plan_and_no_other(played: Score, path: str) -> None:
    assert units(await items(played, path, played.office())) == {
        ("dayong", "police"), ("dayong", "commerce"), ("dayong", "c-antang"),
    }  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
async def test_an_agency_sees_itself_alone_and_no_filter_widens_that(played: Score, path: str) -> None:
    police = played.bearer("police", ("head",))
    assert units(await items(played, path, police)) == {("dayong", "police")}
    assert await items(played, path, police, agency="commerce") in ([], await items(played, path, police))
    assert await items(played, path, police, plan="xiyuan") == []


async def test_an_areas_own_units_stand_in_its_feed(played: Score) -> None:
    worker = played.bearer("c-antang", ("community-worker",), areas=("dayong-antang",))
    assert units(await items(played, "/v1/feed", worker)) == {("dayong", "c-antang")}
    elsewhere = played.bearer("c-nanwen", ("community-worker",), areas=("dayong-nanwen",))
    assert await items(played, "/v1/feed", elsewhere) == []


async def test_a_system_has_only_its_scopes(played: Score) -> None:
    system = played.stack.bearer(kind="system", agency="police", scopes=("feed.read",))
    assert units(await items(played, "/v1/feed", system)) == {("dayong", "police")}
    assert (await played.get("/v1/ledger", system)).status_code == 403
    central = played.stack.bearer(kind="system", agency="city_politics_law", scopes=("feed.read:plan",))
    assert len(await items(played, "/v1/feed", central)) == 3, "the central office follows the whole plan"


async def test_standings_now_best_first_with_exact_points(played: Score) -> None:
    found = await items(played, "/v1/standings", played.office())
    assert [(s["agency"], s["points"], s["in_time"], s["late"]) for s in found] == [
        ("c-antang", "1", 1, 0), ("police", "1", 1, 0), ("commerce", "-1", 0, 1),
    ]  # fmt: skip
    [one] = await items(played, "/v1/standings", played.office(), agency="police")
    assert one["unit"] == "economic_crime"


async def test_standings_of_a_period_and_as_known_on_a_day(played: Score) -> None:
    """Before the act was known, the miss stood; in a period only its own days count."""
    at = (T0 + timedelta(days=9)).isoformat()
    known = {s["agency"]: s["points"] for s in await items(played, "/v1/standings", played.office(), as_of=at)}
    assert known == {"c-antang": "1", "police": "1", "commerce": "-2"}
    early = {"from": "2026-03-02", "to": "2026-03-02"}
    found = {s["agency"]: s["points"] for s in await items(played, "/v1/standings", played.office(), **early)}
    assert found == {"c-antang": "1", "police": "1"}
    now = {s["agency"]: s["points"] for s in await items(played, "/v1/standings", played.office())}
    whole = {"from": "2026-01-01", "to": "2026-12-31"}
    assert {s["agency"]: s["points"] for s in await items(played, "/v1/standings", played.office(), **whole)} == now


async def test_ledger_pages_show_each_entry_once_with_rule_clause_and_case(played: Score) -> None:
    seen, cursor = [], None
    while True:
        answer = (
            await played.get("/v1/ledger", played.office(), limit=2, **({"cursor": cursor} if cursor else {}))
        ).json()
        seen += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            break
    assert len(seen) == 5 == len({entry["entry_id"] for entry in seen})
    assert {entry["case_number"] for entry in seen} == {played.app.state.case.number}
    assert all(entry["line"] and entry["clause"] and entry["assumed"] for entry in seen)
    correction = next(entry for entry in seen if entry["corrects"])
    assert correction["points"] == "2" and correction["outcome"] == "missed"


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"agency": "police"}, 1), ({"unit": "enforcement"}, 3), ({"unit": ""}, 1), ({"outcome": "late"}, 3),
        ({"outcome": "met"}, 2), ({"area": "dayong-antang"}, 5), ({"area": "dayong-nanwen"}, 0),
        ({"from": "2026-03-12"}, 2), ({"to": "2026-03-11"}, 3), ({"as_of": "2026-03-02T08:00:00+08:00"}, 0),
    ],
)  # fmt: skip
async def test_the_ledger_can_be_narrowed(played: Score, params: dict[str, str], count: int) -> None:
    assert len(await items(played, "/v1/ledger", played.office(), **params)) == count


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/v1/ledger", {"cursor": "nonsense"}, 400), ("/v1/ledger", {"from": "yesterday"}, 422),
        ("/v1/ledger", {"as_of": "2026-03-02T08:00:00"}, 422), ("/v1/ledger", {"limit": 100000}, 422),
        ("/v1/feed", {"since": "nonsense"}, 400), ("/v1/ledger", {"agency": "a b;"}, 422),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_told_so(played: Score, path: str, params: dict[str, Any], status: int) -> None:
    answer = await played.get(path, played.office(), **params)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_feed_goes_on_from_its_cursor_and_answers_304_while_nothing_happens(played: Score) -> None:
    office = played.office()
    first = await played.get("/v1/feed", office)
    again = await played.client.get("/v1/feed", headers=office | {"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    cursor = first.json()["cursor"]
    assert (await played.get("/v1/feed", office, since=cursor)).json() == {"items": [], "cursor": cursor, "more": False}
    news = case()
    await played.tell(news.accepted("police"))
    after = (await played.get("/v1/feed", office, since=cursor)).json()
    assert [(s["agency"], s["points"], s["version"]) for s in after["items"]] == [("police", "2", 2)]
    changed = await played.client.get("/v1/feed", headers=office | {"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200


async def test_a_reader_in_small_steps_ends_with_every_newest_standing(played: Score) -> None:
    office, mirror, cursor = played.office(), {}, None
    for step in range(10):
        if step == 1:
            await played.tell(case().missed("police"))
        params = {"limit": 1} | ({"since": cursor} if cursor else {})
        answer = (await played.get("/v1/feed", office, **params)).json()
        mirror |= {item["agency"]: item for item in answer["items"]}
        cursor = answer["cursor"]
    now = {item["agency"]: item for item in await items(played, "/v1/standings", office)}
    assert mirror == now


async def test_csv_opens_in_a_spreadsheet_and_holds_the_same_rows(played: Score) -> None:
    office = played.office()
    answer = await played.get("/v1/standings.csv", office)
    assert answer.content.startswith(b"\xef\xbb\xbf") and "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 4 and rows[3][2:6] == ["commerce", "工商分局", "enforcement", "-1"]
    ledger = await played.get("/v1/ledger.csv", office, agency="commerce")
    listed = list(csv.DictReader(io.StringIO(ledger.content.decode("utf-8-sig"))))
    assert [row["points"] for row in listed] == ["-2", "-1", "2"]
    police = await played.get("/v1/ledger.csv", played.bearer("police", ("head",)))
    assert len(police.content.splitlines()) == 2


async def test_the_journey_tells_obligation_and_score_by_any_of_their_ids__x_d1c(played: Score) -> None:
    """X-D1c, D-M2: each step names points, line and clause."""
    one = played.app.state.case
    office = played.office()

    async def trace(*ids: Any) -> dict[str, Any]:
        answer = await played.client.post("/v1/trace", headers=office, json={"ids": [str(i) for i in ids]})
        assert answer.status_code == 200
        return answer.json()

    whole = await trace(one.case_id, "no-uuid", "DY-2026-receipt")
    told = [step["step"] for step in whole["steps"]]
    assert told[:6] == ["obligation.opened"] * 3 + ["score.recorded"] * 3
    assert sorted(told[6:]) == ["score.corrected", "score.recorded"]
    deadline = one.deadline("commerce").deadline_id
    mine = await trace(deadline)
    scored = [step["facts"] for step in mine["steps"] if step["step"] != "obligation.opened"]
    assert {(f["line"], f["points"], f["clause"]) for f in scored} == {
        ("acceptance-missed", "-2", "D-Q1.3"), ("acceptance-missed", "2", "D-Q1.3"), ("acceptance-late", "-1", "D-Q1.3"),
    }  # fmt: skip
    assert str(one.case_id) in mine["related"]
    assert await trace(mine["related"][-1]) == mine, "an entry leads to the same"
    hidden = await played.client.post(
        "/v1/trace", headers=played.bearer("police", ("head",)), json={"ids": [str(one.case_id)]}
    )
    assert {step["facts"]["agency"] for step in hidden.json()["steps"]} == {"police"}
