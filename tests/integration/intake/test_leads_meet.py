"""Many voices, one place: tips about one target meet in one lead, by themselves or by an officer's word."""

from __future__ import annotations

from typing import Any

from shared.events import EVENT_TYPES
from shared.events.intake import LeadOpened
from shared.events.leads import GatheringFound, LeadJoined, LeadMerged
from tests.integration.intake.conftest import Desk

ROOM = "安堂社区兴华里5栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"
SAME_ROOM = "举报：兴华里五栋301室是传销窝点，天天有人来上课，拉人头交钱入会"
NEXT_ROOM = "安堂社区兴华里5栋302有人搞传销，拉人头，发展下线，每人交3900元"
BUILDING = "安堂社区兴华里5栋里面有传销组织，拉人头发展下线，晚上吵得睡不着"
HELD = "我表弟被骗到安堂社区兴华里5栋301的传销窝点，被控制不让出门，手机也收走了，请马上救人"


async def lead_of(desk: Desk, tip_id: str) -> str:
    return str((await desk.rows("SELECT lead_id FROM tips WHERE id = :id", id=tip_id))[0].lead_id)


async def told(desk: Desk, *kinds: type[Any]) -> list[Any]:
    """What the outbox tells, in order; of these kinds alone, when some are given."""
    rows = await desk.rows("SELECT type, data FROM outbox ORDER BY seq")
    events = [EVENT_TYPES[row.type].model_validate_json(bytes(row.data)) for row in rows]
    return [event for event in events if not kinds or isinstance(event, kinds)]


async def test_neighbours_who_name_one_room_meet_in_one_lead(desk: Desk) -> None:
    """D-M6, point 3: each its own receipt, number and date; one lead, one case, which rises."""
    first = await desk.tip(ROOM)
    second = await desk.tip(SAME_ROOM, channel="12345")
    other = await desk.tip(NEXT_ROOM)
    assert second["lead_id"] == first["lead_id"] != other["lead_id"]
    assert first["receipt"] != second["receipt"] and first["tip_id"] != second["tip_id"]
    [lead] = await desk.rows("SELECT * FROM leads WHERE id = :id", id=first["lead_id"])
    assert (lead.tips, str(lead.first_tip)) == (2, first["tip_id"]) and lead.version > 1
    assert lead.received_at.isoformat() == first["received_at"].replace("Z", "+00:00")
    opened = await told(desk, LeadOpened)
    assert {str(data.tip_id) for data in opened} == {first["tip_id"], other["tip_id"]}
    [joined] = await told(desk, LeadJoined)
    assert (str(joined.tip_id), str(joined.lead_id), joined.tips) == (second["tip_id"], first["lead_id"], 2)
    [history] = await desk.rows("SELECT * FROM lead_joins")
    assert history.action == "joined" and history.automatic and history.reasons[0].startswith("room ")


async def test_a_batch_of_any_size_joins_within_itself_and_in_few_statements(desk: Desk) -> None:
    """D-M6, point 3: five neighbours in one bulk request make one lead; the number of statements is fixed."""
    from sqlalchemy import event

    counted: list[str] = []
    sent = 0
    engine = desk.service.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *a: counted.append(a[2]))

    async def hand_in(texts: list[str]) -> int:
        nonlocal sent
        counted.clear()
        sent += 1
        rows = [{"text": text, "external_ref": f"{sent}-{n}"} for n, text in enumerate(texts)]
        answer = await desk.client.post(
            "/v1/tips/batch",
            json={"plan": "dayong", "channel": "12345", "tips": rows},
            headers=desk.bearer("commerce", ("desk",)),
        )
        assert answer.json()["created"] == len(texts)
        return len(counted)

    small = await hand_in([ROOM, SAME_ROOM, BUILDING, NEXT_ROOM])
    large = await hand_in([*(f"安堂社区兴华里{n % 9 + 20}栋30{n % 7}有人搞传销，拉人头发展下线" for n in range(300)), ROOM])
    assert large <= small + 3
    leads = await desk.rows("SELECT tips FROM leads WHERE targets @> '[\"place:兴华里|5|||301\"]'")
    assert [lead.tips for lead in leads] == [3 + 1]
    assert len(await desk.rows("SELECT 1 FROM leads WHERE targets @> '[\"place:兴华里|20|||300\"]'")) == 1


async def test_a_held_person_rings_at_once_and_takes_the_older_lead_along(desk: Desk) -> None:
    """D-B2, points 2 and 3: the urgent tip opens its own lead on the fast lane, and the neighbours' lead joins it."""
    first = await desk.tip(ROOM)
    held = await desk.tip(HELD)
    again = await desk.tip(HELD + "，已经两天了")
    assert held["lead_id"] == again["lead_id"] != first["lead_id"]
    [lead] = await desk.rows("SELECT * FROM leads WHERE id = :id", id=held["lead_id"])
    assert lead.urgent and lead.tips == 3 and lead.agency == "police" and lead.unit == "criminal_investigation"
    assert str(lead.first_tip) == first["tip_id"]
    assert (await lead_of(desk, first["tip_id"])) == held["lead_id"]
    [gone] = await desk.rows("SELECT * FROM leads WHERE id = :id", id=first["lead_id"])
    assert gone.merged_into == lead.id and gone.tips == 0
    urgent = [event for event in await told(desk) if event.lane == "urgent"]
    assert [str(event.tip_id) for event in urgent] == [held["tip_id"]]
    [merged] = await told(desk, LeadMerged)
    assert (merged.lead_id, merged.merged_lead_id, merged.automatic) == (lead.id, gone.id, True)
    assert merged.first_received_at == gone.received_at == lead.received_at


async def test_one_organisation_with_two_dens_is_two_leads_and_a_suggestion(desk: Desk) -> None:
    """D-M6: below the plan's bound nothing joins by itself; an officer is asked, with score and reason."""
    one = await desk.tip("安堂社区兴华里5栋301是“宏图伟业”商贸公司的传销窝点，宏图伟业天天拉人头")
    two = await desk.tip("安堂社区金桥公寓2栋502是“宏图伟业”商贸公司的传销窝点，宏图伟业拉人头发展下线")
    assert one["lead_id"] != two["lead_id"]
    [told] = await desk.rows("SELECT * FROM lead_suggestions")
    assert (str(told.lead_id), str(told.other_id), told.state, told.kind) == (
        two["lead_id"], one["lead_id"], "open", "same",
    )  # fmt: skip
    assert 40 <= told.score < 75 and any("宏图伟业" in reason for reason in told.reasons)


async def test_persons_and_phones_are_looked_up_as_tokens_only(desk: Desk) -> None:
    """Point 6: the same phone joins two leads' tips, and stands in no table."""
    one = await desk.tip("有个传销团伙的头目郑小平，他的电话13800001111，拉人头发展下线收入会费，安堂社区")
    two = await desk.tip("传销上线叫人打13800001111报名，对方电话13800001111，要交3900元入门费，拉人头，安堂社区")
    assert one["lead_id"] == two["lead_id"]
    for table in ("leads", "tips", "lead_targets", "target_names", "lead_joins", "lead_suggestions", "outbox"):
        rows = await desk.rows(f"SELECT * FROM {table}")
        said = "".join(str(row) + bytes(getattr(row, "data", b"")).decode() for row in rows)
        assert "13800001111" not in said and "郑小平" not in said


async def test_signals_about_one_building_become_a_gathering_once(desk: Desk) -> None:
    """D-M6: 及时清理聚集: three rooms of one building within the window raise each lead there and tell of it once."""
    await desk.tip(ROOM)
    await desk.tip(NEXT_ROOM)
    assert not await told(desk, GatheringFound)
    third = await desk.tip("安堂社区兴华里5栋503有人搞传销，拉人头，发展下线")
    [found] = await told(desk, GatheringFound)
    assert (found.level, found.signals, str(found.lead_id), found.topic) == (
        "building", 3, third["lead_id"], "intake.gathering.v1",
    )  # fmt: skip
    await desk.tip("安堂社区兴华里5栋604有人搞传销，拉人头，发展下线")
    assert len(await told(desk, GatheringFound)) == 1
    raised = await desk.rows("SELECT gathering_at FROM leads")
    assert len(raised) == 4 and all(lead.gathering_at for lead in raised)


async def test_what_was_said_long_ago_is_seen_before_and_never_joined(desk: Desk) -> None:
    """Point 4, X-G2: 死灰复燃: a room reported again after the window is a new lead that shows the old one."""
    old = await desk.tip(ROOM, posted_at="2025-01-10T08:00:00+08:00")
    new = await desk.tip(SAME_ROOM)
    assert old["lead_id"] != new["lead_id"]
    [seen] = await desk.rows("SELECT * FROM lead_suggestions")
    assert (seen.kind, seen.state, seen.score) == ("seen_before", "noted", 95)
