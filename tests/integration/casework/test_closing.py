"""A joint case is closed by its lead agency with an outcome that is borne out, and taken up again when contested."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.casework.commands.closing import take_up_contested
from shared.events.intake import ContestDecided
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.test_proceedings import COMMERCE, COMMERCE_HEAD, opened, post, step

LEAD = {"agency": "police", "unit": "economic_crime", "posts": ("head",), "principal_id": "police-head"}


async def accepted(desk: Desk) -> tuple[UUID, Any]:
    """A case that both parties have accepted."""
    one = lead()
    [case_id] = await desk.open(one)
    for version, who in enumerate((LEAD, COMMERCE_HEAD), start=1):
        assert (await desk.accept(case_id, desk.bearer(**who), version=version)).status_code == 200
    return case_id, one


async def close(desk: Desk, case_id: UUID, who: dict[str, Any], outcome: str, version: int) -> Any:
    return await post(desk, f"/v1/cases/{case_id}/closing", who, {"outcome": outcome}, version)


async def test_a_case_ends_only_as_what_was_done_in_it_bears_out(desk: Desk) -> None:
    """D-A4: nothing is called penalised without a penalty, and nothing open is closed over."""
    [early] = await desk.open(lead())
    assert (await close(desk, early, LEAD, "unfounded", 1)).json()["type"].endswith("not-possible-now")
    case_id, _ = await accepted(desk)
    assert (await close(desk, case_id, COMMERCE_HEAD, "unfounded", 3)).json()["type"].endswith("not-the-lead")
    assert (await close(desk, case_id, LEAD, "confirmed", 3)).json()["type"].endswith("not-borne-out")
    track = await opened(desk, case_id, "administrative_case", COMMERCE, {"conduct": ["organise"]})
    still = await close(desk, case_id, LEAD, "unfounded", 3)
    assert still.status_code == 409 and still.json()["open"] == [track["proceeding_id"]]
    await step(desk, track, "refuse_filing", COMMERCE_HEAD, reason="查无实据")
    assert (await close(desk, case_id, LEAD, "unfounded", 2)).status_code == 412
    done = await close(desk, case_id, LEAD, "unfounded", 3)
    assert done.status_code == 200 and done.json()["state"] == "closed" and done.json()["outcome"] == "unfounded"
    again = await close(desk, case_id, LEAD, "unfounded", 4)
    assert again.status_code == 409
    [closed] = [data for _, data in await desk.events() if data.TYPE == "dachuan.case.closed.v1"]
    assert (closed.case_id, closed.outcome, closed.agency) == (case_id, "unfounded", "police")


async def test_a_contest_that_was_right_takes_the_case_up_again_once(desk: Desk) -> None:
    """Point 5: closed is not solved; what a reporter contested with success is worked on again, once."""
    case_id, one = await accepted(desk)
    assert (await close(desk, case_id, LEAD, "unfounded", 3)).status_code == 200
    now = clock.now()
    contest = ContestDecided(
        tip_id=new_id(), lead_id=one.lead_id, plan="dayong", area=None, agency="police", unit=None, dataref="x",
        contest_id=new_id(), closing=f"case:{case_id}:x", outcome="unfounded", upheld=True, contested_at=now,
        decided_at=now,
    )  # fmt: skip
    for _ in range(2):
        async with db.begin(desk.service.engine) as conn:
            await take_up_contested(conn, [contest], now)
    shown = (await desk.get(f"/v1/cases/{case_id}", desk.bearer(**LEAD))).json()
    assert shown["state"] == "accepted" and shown["outcome"] is None and shown["may_close"]
    assert [data.TYPE for _, data in await desk.events()].count("dachuan.case.taken-up.v1") == 1


async def test_the_case_page_closes_it(desk: Desk) -> None:
    case_id, _ = await accepted(desk)
    head = desk.bearer(**LEAD)
    page = await desk.get(f"/cases/{case_id}", head)
    assert page.status_code == 200 and "结案" in page.text
    headers = head | {"sec-fetch-site": "same-origin"}
    form = {"version": "3", "outcome": "confirmed", "idempotency_key": str(new_id())}
    refused = await desk.client.post(f"/cases/{case_id}/closing", headers=headers, data=form)
    assert refused.status_code == 409 and "没有相应的办理结果" in refused.text
    form |= {"outcome": "unfounded", "idempotency_key": str(new_id())}
    assert (await desk.client.post(f"/cases/{case_id}/closing", headers=headers, data=form)).status_code == 303
    assert "查过，没有发现传销的证据" in (await desk.get(f"/cases/{case_id}", head)).text
