"""Pages beside proceedings, as a browser gets them: items, what became of them, payments, what lapses soon."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services.casework.pages.measures import equal_parts
from shared.kit import clock
from shared.rules.calendar import local_day
from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.test_measures import (
    HEAD,
    OFFICER,
    REVIEWER,
    a_place,
    a_track,
    issue,
    opened,
    read,
    step,
)
from tests.integration.casework.test_pages import signed_in


def hidden(page: str, ending: str) -> dict[str, str]:
    """The hidden fields of the form whose address ends so."""
    found = re.search(rf'<form method="post" action="[^"]*{ending}".*?</form>', page, re.DOTALL)
    assert found, f"no form to {ending}"
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', found[0]))


async def shown(desk: Desk, made: Any, who: dict[str, Any]) -> str:
    answer = await desk.client.get(f"/proceedings/{made['proceeding_id']}", headers=signed_in(desk, **who))
    assert answer.status_code == 200, answer.text
    return answer.text


async def sent(desk: Desk, made: Any, who: dict[str, Any], ending: str, **fields: str | list[str]) -> Any:
    form = hidden(await shown(desk, made, who), ending) | fields
    return await desk.client.post(
        f"/proceedings/{made['proceeding_id']}/{ending}", headers=signed_in(desk, **who), data=form
    )


async def test_items_are_entered_and_accounted_for_on_the_page(desk: Desk) -> None:
    """X-D8b: the list on the page, the warning on the desk, each item's end; a refusal shows the page with its reason."""
    [case_id] = await desk.open(lead())
    made = await opened(desk, case_id, "evidence_registration", OFFICER, reason="可能灭失", subject="货物")
    wrong = await sent(desk, made, OFFICER, "items", kind="goods", name="某货", quantity="1", value="1.234")
    assert wrong.status_code == 422
    added = await sent(desk, made, OFFICER, "items", kind="goods", name="某品牌套装", quantity="3", value="99.50", kept_at="甲柜")
    assert added.status_code == 303
    page = await shown(desk, made, OFFICER)
    ids, labels = re.findall(r'\bid="([^"]+)"', page), re.findall(r'<label[^>]* for="([^"]+)"', page)
    assert page.count('name="v_reason"') > 1, "several forms ask for a reason"
    assert len(set(ids)) == len(ids) and len(set(labels)) == len(labels) and set(labels) <= set(ids)
    assert "某品牌套装" in page and "99.50" in page and "甲柜" in page and "在扣" in page
    others = await shown(desk, made, {"agency": "commerce", "unit": "office", "posts": ("office-director",)})
    assert "items/outcomes" not in others

    await step(desk, made, "approve", HEAD, form="written")
    await issue(desk, case_id, made, "seal_list")
    now = clock.now().isoformat()
    await step(desk, made, "execute", OFFICER, executed_at=now, officers=2, decision_given=True, list_given=True, signed="signed")
    assert "/items\"" not in await shown(desk, made, OFFICER), "nothing is added once the list was handed over"
    await desk.rows("UPDATE deadlines SET due = now() + interval '2 days' WHERE kind = 'period' RETURNING id")
    work = (await desk.client.get("/proceedings", headers=signed_in(desk, **OFFICER))).text
    assert "1 项强制措施即将届满" in work
    soon = (await desk.client.get("/measures/lapsing", headers=signed_in(desk, **OFFICER))).text
    assert made["number"] in soon and "还剩 2 天" in soon and "第五十六条" in soon

    await step(desk, made, "lift", HEAD, reason="查清")
    today = local_day(clock.now())
    ahead = await sent(desk, made, OFFICER, "items/outcomes", outcome="returned", on=(today + timedelta(days=1)).isoformat())
    assert ahead.status_code == 409 and "日期不能晚于今天" in ahead.text
    done = await sent(desk, made, OFFICER, "items/outcomes", outcome="returned", on=today.isoformat(), receipt="某甲")
    assert done.status_code == 303
    assert "已退还" in await shown(desk, made, OFFICER)


async def test_payments_and_instalments_on_the_page_of_a_landlords_penalty(desk: Desk) -> None:
    """D-A4, D-B5b: range and what is unverified stand on the page; equal parts are drawn up, payments recorded."""
    [case_id] = await desk.open(lead())
    place, today = await a_place(desk), local_day(clock.now())
    await a_track(desk, case_id)
    day = (today - timedelta(days=30)).isoformat()
    made = await opened(
        desk, case_id, "administrative_penalty", OFFICER, article="fine_premises", role="landlord", party="person",
        place_id=place, conduct="出租", act_on=day, found_on=day,
    )  # fmt: skip
    assert "50000.00 – 500000.00 元" in await shown(desk, made, OFFICER)
    await step(desk, made, "propose", OFFICER, fine="500000", reason="顶格")
    page = await shown(desk, made, OFFICER)
    assert "听证的数额标准没有核对原文" in page and "是否顶格" in page
    await step(desk, made, "review", REVIEWER, opinion="同意")
    await issue(desk, case_id, made, "penalty_notice", "hearing_rights_notice", "penalty_decision", "proof_of_service")
    await step(desk, made, "notify", OFFICER, told_on=day)
    await step(desk, made, "discuss", OFFICER, discussed_on=day, record="同意")
    await step(desk, made, "decide", HEAD)
    await step(desk, made, "serve", OFFICER, served_on=today.isoformat(), way="direct")

    drawn = await sent(desk, made, OFFICER, "instalments", first=(today + timedelta(days=30)).isoformat(), parts="3")
    assert drawn.status_code == 303
    page = await shown(desk, made, OFFICER)
    assert page.count("166666.66") == 2 and "166666.68" in page
    assert (await step(desk, made, "instalments", HEAD, reason="困难"))["facts"]["instalments"] == 3
    paid = await sent(desk, made, OFFICER, "payments", paid_on=today.isoformat(), amount="166666.66", way="paid", receipt="票据7号")
    assert paid.status_code == 303
    assert "票据7号" in await shown(desk, made, OFFICER)
    more = await sent(desk, made, OFFICER, "payments", paid_on=today.isoformat(), amount="500000", way="paid", receipt="8")
    assert more.status_code == 409 and "比应缴多" in more.text
    assert (await read(desk, made))["facts"]["left"] == "333333.34"


def test_equal_parts_come_to_what_is_owed() -> None:
    for owed, parts in (("100.00", 3), ("0.01", 3), ("72000", 12)):
        made = equal_parts(Decimal(owed), date(2026, 1, 31), parts)
        assert sum(one.amount for one in made) == Decimal(owed) * 100
    assert [one.due_on.isoformat() for one in equal_parts(Decimal(3), date(2026, 1, 31), 3)] == ["2026-01-31", "2026-02-28", "2026-03-31"]
