"""The door for anonymous posts through the API and the page: work under load, no dead end, nobody in danger sent away."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from html.parser import HTMLParser

import pytest

from services.intake.domain.work import Door, Outcome, Rules, zero_bits
from tests.integration.intake.conftest import Desk

HEADCOUNT = "安堂社区兴华里5栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"
HELD = "我表弟被骗到南文社区金桥公寓12栋1203的传销窝点，被控制不让出门，手机也收走了，请马上救人"


@pytest.fixture(autouse=True)
def crowded(desk: Desk) -> None:
    """A door that is full after one post."""
    keys = desk.service.settings.keys
    rules = Rules(free_a_second=0.001, burst=1, valid_s=600, wait_s=0, waits_a_second=0.001)
    desk.app.state.door = Door(rules, lambda message: keys.token("work", message))
    desk.app.state.door.decide("", 0, 0.0, lambda: False)


def solve(challenge: str, bits: int) -> str:
    return next(
        f"{challenge}:{n}"
        for n in itertools.count()
        if zero_bits(hashlib.sha256(f"{challenge}:{n}".encode()).digest()) >= bits
    )


async def test_work_is_asked_done_and_good_once(desk: Desk) -> None:
    tip = {"plan": "dayong", "text": HEADCOUNT}
    while (answer := await desk.client.post("/v1/public/tips", json=tip)).status_code == 201:
        pass
    assert answer.status_code == 429 and answer.json()["type"] == "urn:dachuan:problem:work-needed"
    before = (await desk.rows("SELECT count(*) AS n FROM tips"))[0].n
    asked = answer.json()["work"]
    headers = {"dachuan-work": solve(asked["challenge"], asked["bits"])}
    assert (await desk.client.post("/v1/public/tips", json=tip, headers=headers)).status_code == 201
    assert (await desk.client.post("/v1/public/tips", json=tip, headers=headers)).status_code == 429
    assert (await desk.rows("SELECT count(*) AS n FROM tips"))[0].n == before + 1
    told = (await desk.client.get("/v1/public/work")).json()
    assert told["bits"] > 0 and told["algorithm"] == "sha-256"


async def test_a_held_person_is_taken_unproven_and_flagged(desk: Desk) -> None:
    """D-B2 and point 2: confinement never waits for a proof; officers see how it came."""
    for _ in range(3):
        answer = await desk.client.post("/v1/public/tips", json={"plan": "dayong", "text": HELD})
        assert answer.status_code == 201
    flags = await desk.rows("SELECT flag FROM tip_flags")
    assert flags and {row.flag for row in flags} == {"unproven"}


async def test_agencies_are_never_asked(desk: Desk) -> None:
    for _ in range(5):
        await desk.tip(HEADCOUNT)


class Fields(HTMLParser):
    """The hidden fields of a page, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "input" and told.get("type") == "hidden":
            self.fields.append((told.get("name") or "", told.get("value") or ""))


async def test_the_page_waits_with_all_that_was_typed_and_then_sends_it(desk: Desk) -> None:
    form = {"idempotency_key": str(uuid.uuid4()), "text": HEADCOUNT, "where": "dayong/dayong-antang", "place": "三楼"}
    browser = {"accept": "text/html"}
    while (answer := await desk.client.post("/report", data=form, headers=browser)).status_code == 200:
        form["idempotency_key"] = str(uuid.uuid4())
    assert answer.status_code == 429
    fields = Fields(answer.text).fields
    assert {name: value for name, value in fields if name != "work"} == form
    work = dict(fields)["work"]
    # without a script: the challenge alone, after its wait (none, here)
    answer = await desk.client.post("/report", data={**form, "work": work}, headers=browser)
    assert answer.status_code == 200 and "data-work" not in answer.text
    # the same again is a used proof: the page is shown anew, never an error
    form["idempotency_key"] = str(uuid.uuid4())
    answer = await desk.client.post("/report", data={**form, "work": work}, headers=browser)
    assert answer.status_code == 429 and dict(Fields(answer.text).fields)["work"] != work


def test_outcomes_are_the_labels_of_the_metric() -> None:
    assert {one.value for one in Outcome} == {"free", "proven", "waited", "urgent", "turned_back"}
