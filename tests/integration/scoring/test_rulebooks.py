"""Rulebooks through the API: read, check, draft, publish by two persons, in force by the time of the event, what if."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.scoring.commands.rulebooks.shelf import adopt, refresh
from services.scoring.domain.books import Books
from services.scoring.domain.rulebooks import CHINA, read_shipped
from shared.events.consequences import RulebookPublished
from shared.kit import clock, db
from tests.integration.scoring.conftest import Score, case

SHIPPED = Path(__file__).resolve().parents[3] / "deploy" / "rulebooks"
UNITS = (SHIPPED / "dayong-units" / "2015.1.yaml").read_text(encoding="utf-8")


def tomorrow() -> str:
    return (clock.now().astimezone(CHINA) + timedelta(days=1)).date().isoformat()


def next_year(source: str = UNITS, *, version: str = "2027.1", begins: str | None = None) -> str:
    """A new version in which an acceptance in time is worth 3."""
    return (
        source.replace('version: "2015.1"', f'version: "{version}"')
        .replace("valid_from: 2015-01-01", f"valid_from: {begins or tomorrow()}")
        .replace(
            "outcome: met, points: 1, assumed: true, text: {zh: 按时受理",
            "outcome: met, points: 3, assumed: true, text: {zh: 按时受理",
        )
    )


def drafter(score: Score, **more: Any) -> dict[str, str]:
    return score.bearer("commerce", ("office-staff",), principal_id="staff", **more)


def leader(score: Score) -> dict[str, str]:
    return score.bearer("commerce", ("leader",), principal_id="leader")


async def send(
    score: Score, who: dict[str, str], path: str, body: Any = None, *, version: int | None = None, method: str = "POST",
    key: str | None = None,
) -> httpx.Response:  # fmt: skip
    headers = {**who, "idempotency-key": key or str(uuid4())}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return await score.client.request(method, path, headers=headers, json=body)


async def published(score: Score, source: str) -> dict[str, Any]:
    made = (await send(score, drafter(score), "/v1/rulebook-drafts", {"source": source})).json()
    path = f"/v1/rulebook-drafts/{made['id']}"
    handed = await send(score, drafter(score), f"{path}/submission", version=1)
    assert handed.status_code == 200, handed.text
    done = await send(score, leader(score), f"{path}/publication", version=2)
    assert done.status_code == 200, done.text
    return done.json()


async def test_the_item_of_the_town_can_be_read_with_the_clause_beside_each_line__d_c1__d_q1(score: Score) -> None:
    """D-C1, D-Q1: 1 of 100, eight conditions with their clauses, six tools in order; what no text gives is marked."""
    answer = await score.get("/v1/rulebooks/dayong-town/2015.1", score.office())
    assert answer.status_code == 200
    content = answer.json()["content"]
    assert (content["weight"]["points"], content["weight"]["out_of"]) == ("1", "100")
    assert [one["clause"] for one in content["conditions"]] == [f"D-Q1.{n}" for n in range(1, 9)]
    assert [one["name"]["zh"] for one in content["ladder"]] == [
        "沟通警示", "诫勉谈话", "黄牌警告", "处分建议", "重点挂牌整治", "一票否决",
    ]  # fmt: skip
    assert all(line["clause"] and line["assumed"] for line in content["lines"])


async def test_who_may_read_which_rulebooks(score: Score) -> None:
    """A plan's rulebooks are its own; an example of no plan here is for everyone."""
    dayong = {
        one["rulebook"]: one["state"] for one in (await score.get("/v1/rulebooks", score.office())).json()["items"]
    }
    assert dayong == {"dayong-town": "in_force", "dayong-units": "in_force", "linjiang-city": "example"}
    other = score.stack.bearer(plan="xiyuan", agency="office", posts=("office-director",))
    xiyuan = {one["rulebook"] for one in (await score.get("/v1/rulebooks", other)).json()["items"]}
    assert xiyuan == {"xiyuan-units", "xiyuan-community", "linjiang-city"}
    assert (await score.get("/v1/rulebooks/dayong-town/2015.1", other)).status_code == 404


async def test_a_check_names_the_line_of_each_mistake(score: Score) -> None:
    wrong = UNITS.replace("on: acceptance, outcome: met,", "on: acceptance, outcome: perhaps,", 1).replace(
        "section: merit,", "section: nowhere,", 1
    )
    answer = await score.client.post("/v1/rulebooks/check", headers=score.office(), json={"source": wrong})
    told = answer.json()
    assert not told["ok"] and told["findings"][0]["severity"] == "error"
    line = next(n for n, text in enumerate(wrong.splitlines(), 1) if "outcome: perhaps" in text)
    assert any(one["line"] == line for one in told["findings"])


async def test_two_persons_publish_and_nobody_changes_it_after__x_d1c(score: Score) -> None:
    """X-D1c: drafted and checked by one, published by another whose post may; then it stands for ever."""
    made = await send(score, drafter(score), "/v1/rulebook-drafts", {"source": next_year()})
    assert made.status_code == 201, made.text
    path = f"/v1/rulebook-drafts/{made.json()['id']}"
    early = await send(score, leader(score), f"{path}/publication", version=1)
    assert (early.status_code, early.json()["type"].split(":")[-1]) == (409, "not-possible-now")
    director = score.bearer("commerce", ("office-director",), principal_id="director")
    changed = await send(score, director, path, {"source": next_year() + "\n"}, version=1, method="PUT")
    assert changed.status_code == 200, changed.text
    assert (await send(score, director, f"{path}/submission", version=2)).status_code == 200
    own = await send(score, director, f"{path}/publication", version=3)
    assert (own.status_code, own.json()["type"].split(":")[-1]) == (403, "second-person")
    unentitled = await send(score, score.bearer("police", ("head",)), f"{path}/publication", version=3)
    assert unentitled.status_code == 403
    back = await send(score, leader(score), f"{path}/return", {"reason": "分值请再议"}, version=3)
    assert (back.status_code, back.json()["state"], back.json()["reason"]) == (200, "draft", "分值请再议")
    assert (await send(score, drafter(score), f"{path}/submission", version=4)).status_code == 200
    key = str(uuid4())
    done = await send(score, leader(score), f"{path}/publication", version=5, key=key)
    again = await send(score, leader(score), f"{path}/publication", version=5, key=key)
    assert (done.status_code, again.status_code, done.json()["state"]) == (200, 200, "published")
    for method, end, body in (
        ("PUT", "", {"source": UNITS}),
        ("POST", "/submission", None),
        ("POST", "/withdrawal", None),
    ):
        refused = await send(score, drafter(score), f"{path}{end}", body, version=6, method=method)
        assert refused.status_code in (409, 422), (end, refused.text)
    [told] = [one for one in await score.events() if isinstance(one, RulebookPublished)]
    assert (told.rulebook, told.edition, told.plan) == ("dayong-units", "2027.1", "dayong")
    same = await send(score, drafter(score), "/v1/rulebook-drafts", {"source": next_year() + "# again\n"})
    async with db.begin(score.service.engine) as conn:
        await refresh(conn, score.books)
    assert same.status_code == 409
    with pytest.raises(Exception, match="permission denied"):
        await score.rows("UPDATE rulebooks SET source = ''")


async def test_what_happened_already_is_not_valued_anew(score: Score) -> None:
    """A version that begins today or earlier cannot be handed in."""
    today = clock.now().astimezone(CHINA).date().isoformat()
    made = (await send(score, drafter(score), "/v1/rulebook-drafts", {"source": next_year(begins=today)})).json()
    refused = await send(score, drafter(score), f"/v1/rulebook-drafts/{made['id']}/submission", version=1)
    assert (refused.status_code, refused.json()["type"].split(":")[-1]) == (422, "begins-in-the-past")


async def test_the_rulebook_in_force_at_the_time_of_the_event_values_it__d_c1(score: Score) -> None:
    """D-C1, point 9: a rule change counts from midnight in China; what happened before keeps its value, whenever told."""
    await published(score, next_year())
    midnight = datetime.combine((clock.now().astimezone(CHINA) + timedelta(days=1)).date(), datetime.min.time(), CHINA)
    before, after = case(number=1), case(number=2)
    await score.tell(after.accepted("police", at=midnight))
    await score.tell(before.accepted("police", at=midnight - timedelta(microseconds=1)))
    rows = await score.rows("SELECT case_id, points, rulebook FROM ledger")
    assert {row.case_id: row.points for row in rows} == {before.case_id: 1, after.case_id: 3}
    assert {row.rulebook for row in rows} == {"v1"}


async def test_a_correction_under_a_new_rulebook_takes_back_what_the_old_one_gave(score: Score) -> None:
    """Missed before midnight, done after: the miss goes back by the old rule, the act counts by the new one."""
    await published(score, next_year())
    midnight = datetime.combine((clock.now().astimezone(CHINA) + timedelta(days=1)).date(), datetime.min.time(), CHINA)
    one = case()
    events = [
        one.accepted("police", at=midnight + timedelta(hours=1)),
        one.missed("police", at=midnight - timedelta(hours=1)),
    ]
    await score.tell(*events)
    points = sorted(row.points for row in await score.rows("SELECT points FROM ledger"))
    assert points == [-2, 2, 3]


async def test_last_year_under_this_years_rules_with_the_entries_that_differ__d_c1(score: Score) -> None:
    """D-C1, point 9: the what-if gives the difference of each unit and the entries behind it, and keeps nothing."""
    in_time, late = case(number=1), case(number=2)
    await score.tell(in_time.accepted("police"), in_time.accepted("commerce"), late.missed("commerce"))
    day = clock.now().astimezone(CHINA).date().isoformat()
    count = len(await score.ledger())
    answer = await score.client.post(
        "/v1/rulebooks/trial", headers=score.office(), json={"source": next_year(), "from": day, "to": day}
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["before"], told["after"], told["obligations"], told["changed"]) == (
        "dayong-units@2015.1", "dayong-units@2027.1", 3, 2,
    )  # fmt: skip
    by_unit = {one["agency"]: one for one in told["units"]}
    police = by_unit["police"]
    assert (police["score_before"], police["score_after"], police["difference"]) == ("101.0", "103.0", "2.0")
    [cause] = police["causes"]
    [entry] = [row for row in await score.rows("SELECT * FROM ledger WHERE agency = 'police'")]
    assert cause["entry_id"] == str(entry.entry_id) and (cause["points_before"], cause["points_after"]) == ("1", "3")
    assert [c["line_after"] for c in by_unit["commerce"]["causes"]] == ["acceptance-timely"]
    assert len(await score.ledger()) == count
    narrow = await score.client.post(
        "/v1/rulebooks/trial", headers=score.bearer("police"), json={"source": next_year(), "from": day, "to": day}
    )
    assert {one["agency"] for one in narrow.json()["units"]} == {"police"}


async def test_a_city_of_another_shape_values_the_same_facts_without_code(score: Score) -> None:
    """Own bands, own weights, own ladder: the example of another city is tried on this town's facts."""
    one, other = case(number=1), case(number=2)
    await score.tell(one.accepted("police"), other.missed("police"))
    day = clock.now().astimezone(CHINA).date().isoformat()
    answer = await score.client.post(
        "/v1/rulebooks/trial", headers=score.office(),
        json={"rulebook": "linjiang-city@2026.1", "against": "dayong-units@2015.1", "from": day, "to": day},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    [police] = [unit for unit in answer.json()["units"] if unit["subject_kind"] == "agency"]
    # response: 400 + 2 × (3 − 12) = 382, result 300, risk 100
    assert (police["score_after"], police["band_after"]) == ("782", "c")


async def test_shipped_rulebooks_go_into_the_database_once_and_a_changed_file_changes_nothing(score: Score) -> None:
    shipped = read_shipped(SHIPPED)
    now = clock.now()
    async with db.begin(score.service.engine) as conn:
        assert await adopt(conn, shipped, now) == []
    changed = tuple((one, source.replace("points: 1,", "points: 9,", 1)) for one, source in shipped)
    sneaked = tuple(
        (one.model_copy(update={"version": "2015.2", "valid_from": one.valid_from.replace(year=2016)}), source)
        for one, source in shipped
    )
    async with db.begin(score.service.engine) as conn:
        assert [told.split(":")[0] for told in await adopt(conn, changed, now)] == [
            one.ref for one, source in shipped if "points: 1," in source
        ]
        assert len(await adopt(conn, sneaked, now)) == len(shipped)
    books = Books(score.service.plans)
    async with db.begin(score.service.engine) as conn:
        assert await refresh(conn, books) == len(shipped)
    assert {one.ref for one in books.shelf} == {one.ref for one, _ in shipped}
