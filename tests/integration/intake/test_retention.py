"""Retention: after the plan's time the words and the persons are gone, and every figure is as before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.intake import jobs
from services.intake.commands import retention
from services.intake.domain.retention import GONE_ZH
from shared.kit import clock, db
from shared.kit.crypto import UnreadableSecretError
from tests.integration.intake.conftest import Desk

OLD = clock.now() - timedelta(days=4 * 366)
FIGURES = """
    SELECT plan, area, channel, state, relevant, urgent, kinds::text AS kinds, agency, unit, rule,
           date_trunc('day', received_at) AS day, count(*) AS n
    FROM tips GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
"""
HELD = "我表弟被骗到南文社区金桥公寓12栋1203的传销窝点，被控制不让出门，手机也收走了，请马上救人"


async def made_old(desk: Desk, *tips: dict[str, Any]) -> None:
    await desk.as_owner(
        "UPDATE tips SET received_at = $1 WHERE id = ANY($2::uuid[])",
        OLD,
        [tip["tip_id"] for tip in tips],
    )


async def has_case(desk: Desk, tip: dict[str, Any]) -> None:
    """Casework told of the lead's case: a party has accepted it."""
    await desk.as_owner(
        "INSERT INTO lead_parties (case_id, agency, lead_id, number, plan, urgent, state, seen_at) "
        "VALUES (gen_random_uuid(), 'police', $1, 'No. 1', 'dayong', false, 'pending', now())",
        tip["lead_id"],
    )


async def words_of(desk: Desk, tip: dict[str, Any]) -> str:
    answer = await desk.get(f"/v1/tips/{tip['tip_id']}", office(desk))
    assert answer.status_code == 200, answer.text
    return answer.json()["text"]


def office(desk: Desk) -> dict[str, str]:
    return desk.stack.bearer(
        kind="system", principal_id="all", agency="commerce", posts=("office-director",),
        scopes=("tip.read:plan", "trace.read:plan"),
    )  # fmt: skip


def director(desk: Desk) -> dict[str, str]:
    return desk.bearer("commerce", ("office-director",), principal_id="director")


async def test_words_and_keys_are_gone_and_the_figures_stay(desk: Desk) -> None:
    """Point 6, D-M2: sealed words cannot be opened any more, not even with the key ring and the row as it was."""
    old, urgent, new = await desk.tip(), await desk.tip(HELD), await desk.tip("青岗社区有人搞传销，拉人头发展下线")
    await made_old(desk, old, urgent)
    before = await desk.rows(FIGURES)
    listed = (await desk.get("/v1/tips", office(desk))).json()["items"]
    sealed = {row.id: bytes(row.narrative) for row in await desk.rows("SELECT id, narrative FROM tips")}

    await jobs.retain(desk.service)

    assert await desk.rows(FIGURES) == before
    assert (await desk.get("/v1/tips", office(desk))).json()["items"] == listed
    keys = desk.service.settings.keys
    for row in await desk.rows("SELECT id, narrative, anonymised_at FROM tips"):
        opened = keys.open("narrative", row.id.bytes, bytes(row.narrative)).decode()
        if str(row.id) == new["tip_id"]:
            assert bytes(row.narrative) == sealed[row.id] and row.anonymised_at is None and "拉人头" in opened
        else:
            assert bytes(row.narrative) != sealed[row.id] and row.anonymised_at and GONE_ZH in opened
            assert "传销" not in opened
            with pytest.raises(UnreadableSecretError):
                # the wrapped key of the tombstone does not open the old words
                length = 1 + sealed[row.id][0] + 12 + 48
                keys.open("narrative", row.id.bytes, bytes(row.narrative)[:length] + sealed[row.id][length:])
    assert await words_of(desk, old) == GONE_ZH
    told = await desk.client.post("/v1/receipts", json={"receipt": old["receipt"]})
    assert told.status_code == 200, "the outcome is still read by receipt"
    [entry] = await desk.rows("SELECT object_ids, facts FROM audit WHERE action = 'retention.anonymise'")
    assert sorted(entry.object_ids) == sorted([old["tip_id"], urgent["tip_id"]])
    assert entry.facts["rule"] == "plan.retain_reporter"


async def test_what_a_case_a_hold_or_a_reward_needs_waits(desk: Desk) -> None:
    """Point 6: an open case, a legal hold and an unpaid reward keep the words; once over, they go."""
    said = ["安堂社区{}栋有人搞传销，拉人头发展下线", "青岗社区{}栋有人搞传销，拉人头发展下线", "南文社区{}栋有人搞传销，拉人头"]
    case, held, claimed = [await desk.tip(text.format(7)) for text in said]
    claim = await desk.post("/v1/public/rewards/claims", body={"receipt": claimed["receipt"]})
    assert claim.status_code == 201
    await has_case(desk, case)
    placed = await desk.post("/v1/retention/holds", director(desk), {"lead_id": held["lead_id"], "document_no": "函3号"})
    assert placed.status_code == 201
    await made_old(desk, case, held, claimed)
    await jobs.retain(desk.service)
    assert await desk.rows("SELECT 1 FROM tips WHERE anonymised_at IS NOT NULL") == []
    assert len(await desk.rows("SELECT 1 FROM retention_waiting")) == 3

    path = f"/v1/retention/holds/{placed.json()['hold_id']}/lifting"
    assert (await desk.post(path, director(desk))).status_code == 428
    lifted = await desk.post(path, director(desk), version=1)
    assert lifted.json()["lifted_by"] == "officer:director"
    assert (await desk.post(path, director(desk), version=2)).status_code == 409
    await desk.as_owner("UPDATE leads SET closed_at = $1 WHERE id = $2", OLD, case["lead_id"])
    await jobs.retain(desk.service)
    left = await desk.rows("SELECT id FROM tips WHERE anonymised_at IS NULL")
    assert [str(row.id) for row in left] == [claimed["tip_id"]]
    await desk.as_owner("UPDATE reward_claims SET state = 'refused', reason = 'not-verified'")
    await jobs.retain(desk.service)
    assert await desk.rows("SELECT 1 FROM tips WHERE anonymised_at IS NULL") == []
    assert await desk.rows("SELECT 1 FROM retention_waiting") == []


async def test_a_case_closed_lately_starts_the_time_anew(desk: Desk) -> None:
    tip = await desk.tip()
    await made_old(desk, tip)
    await has_case(desk, tip)
    await desk.as_owner("UPDATE leads SET closed_at = now()")
    await jobs.retain(desk.service)
    assert await desk.rows("SELECT 1 FROM tips WHERE anonymised_at IS NOT NULL") == []


async def test_a_round_that_breaks_off_goes_on_where_it_ended(desk: Desk) -> None:
    """Batches, resumable: each tip is destroyed once, and a second round finds nothing to do."""
    tips = [await desk.tip(f"安堂社区{n}栋有人搞传销，拉人头发展下线") for n in range(7)]
    await made_old(desk, *tips)
    plan, now = desk.service.plans["dayong"], clock.now()
    async with db.begin(desk.service.engine) as conn:
        assert await retention.next_batch(conn, desk.service, plan, now, 3) == 3
    assert len(await desk.rows("SELECT 1 FROM tips WHERE anonymised_at IS NOT NULL")) == 3
    first = await desk.rows("SELECT id, anonymised_at FROM tips WHERE anonymised_at IS NOT NULL ORDER BY id")
    await jobs.retain(desk.service)
    await jobs.retain(desk.service)
    assert len(await desk.rows("SELECT 1 FROM tips WHERE anonymised_at IS NOT NULL")) == 7
    again = await desk.rows("SELECT id, anonymised_at FROM tips WHERE anonymised_at = :at ORDER BY id", at=now)
    assert again == first
    entries = await desk.rows("SELECT object_ids FROM audit WHERE action = 'retention.anonymise'")
    assert sorted(i for entry in entries for i in entry.object_ids) == sorted(tip["tip_id"] for tip in tips)
    [progress] = await desk.rows("SELECT anonymised FROM retention_progress WHERE plan = 'dayong'")
    assert progress.anonymised == 7


async def test_conversation_contact_and_files_go_with_the_words(desk: Desk) -> None:
    """Point 6: contact, messages, contests, ratings, reasons of reveals and the keys of files are destroyed alike."""
    tip, other = await desk.tip(), await desk.tip("青岗社区有人搞传销，拉人头发展下线")
    keys = desk.service.settings.keys
    secrets: dict[str, bytes] = {}
    for sealed in retention.SEALED[1:]:
        for one in (tip, other):
            await _some_row(desk, sealed, one["tip_id"], keys)
    await made_old(desk, tip)
    for sealed in retention.SEALED:
        rows = await desk.rows(f"SELECT {sealed.tip.name} AS tip, {sealed.column.name} AS sealed FROM {sealed.table.name}")
        secrets |= {f"{sealed.table.name}/{row.tip}": bytes(row.sealed) for row in rows}
    await jobs.retain(desk.service)
    for sealed in retention.SEALED:
        rows = await desk.rows(f"SELECT {sealed.tip.name} AS tip, {sealed.column.name} AS sealed FROM {sealed.table.name}")
        assert len(rows) == 2
        for row in rows:
            same = bytes(row.sealed) == secrets[f"{sealed.table.name}/{row.tip}"]
            assert same is (str(row.tip) == other["tip_id"]), sealed.table.name


async def _some_row(desk: Desk, sealed: retention.Sealed, tip_id: str, keys: Any) -> None:
    """A row of a sealed table for a tip, with any values its columns take."""
    from uuid import UUID, uuid4

    from sqlalchemy import BigInteger, Boolean, DateTime, Integer, LargeBinary, SmallInteger
    from sqlalchemy.dialects.postgresql import UUID as PgUUID

    allowed = {
        "author": "reporter", "kind": "image" if sealed.table.name == "tip_files" else "question", "state": None,
        "stars": 3, "scan": "clean", "category": "verify", "source": "reporter", "media_type": "image/png",
        "outcome": "closed", "plan": "dayong", "number": 1, "views": 0,
    }  # fmt: skip
    states = {"tip_files": "received", "closing_contests": "open", "contact_reveals": "requested"}
    values: dict[str, Any] = {}
    for column in sealed.table.c:
        if column.nullable and column is not sealed.column:
            continue
        if column is sealed.tip:
            values[column.name] = UUID(tip_id)
        elif column.name == "state":
            values[column.name] = states[sealed.table.name]
        elif column.name in allowed:
            values[column.name] = allowed[column.name]
        elif isinstance(column.type, PgUUID):
            values[column.name] = uuid4()
        elif isinstance(column.type, LargeBinary):
            values[column.name] = b"sealed words of " + tip_id.encode()
        elif isinstance(column.type, (Integer, SmallInteger, BigInteger)):
            values[column.name] = 1
        elif isinstance(column.type, Boolean):
            values[column.name] = False
        elif isinstance(column.type, DateTime):
            values[column.name] = clock.now()
        else:
            values[column.name] = "x"
    async with db.begin(desk.service.engine) as conn:
        await conn.execute(sealed.table.insert().values(values))
