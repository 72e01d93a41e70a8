"""Signed checkpoints over the ledger: whoever has every right on the database still changes nothing unseen."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from deploy.cli.feed import _words
from services.scoring.adapters.outside import Outside
from services.scoring.commands.checkpoints import LedgerBroken
from services.scoring.domain import leaves, notes
from services.scoring.domain.merkle import check_consistency, check_inclusion, leaf_hash
from services.scoring.jobs import Sealing
from services.scoring.queries.verification import Verdict, verify
from tests.instances import Databases
from tests.integration.scoring.conftest import Score, case

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


async def play(score: Score, count: int, *, first: int = 0, at: datetime = T0) -> None:
    """Cases whose commerce party is late every third time: five entries for two cases on average."""
    events = []
    for number in range(first, first + count):
        moment = at + timedelta(minutes=number)
        one = case(number=number, at=moment, area=("dayong-antang", "dayong-nanwen", None)[number % 3])
        events += [one.accepted("police", at=moment + timedelta(hours=1))]
        if number % 3 == 0:
            events += [
                one.missed("commerce", at=moment + timedelta(days=8)),
                one.accepted("commerce", in_time=False, at=moment + timedelta(days=9)),
            ]
    for kind in ("dachuan.case.accepted.v1", "dachuan.case.deadline-missed.v1"):
        same = [one for one in events if one.type == kind]
        if same:
            await score.tell_all(same)


def sealing(score: Score, folder: Path) -> Sealing:
    return Sealing(score.service, score.app.state.sealing.signer, Outside(folder))


async def known(folder: Path) -> list[tuple[int, str]]:
    return [one async for one in Outside(folder).notes()]


@pytest.fixture
async def owner(databases: Databases) -> AsyncIterator[AsyncEngine]:
    """Every right on the database."""
    engine = create_async_engine(databases.owner_url("scoring"))
    yield engine
    await engine.dispose()


@pytest.fixture
async def sealed(score: Score, tmp_path: Path) -> Score:
    """A ledger under several checkpoints, one of them closing a period, and some entries that none covers yet."""
    seals = sealing(score, tmp_path)
    for first in (0, 34, 68, 102):
        await play(score, 34, first=first)
        await seals.round()
    answer = await score.client.post(
        "/v1/periods", json={"period": "2026-03"}, headers={**score.office(), "idempotency-key": "close-2026-03"}
    )
    assert answer.status_code == 201, answer.text
    await seals.round()
    await play(score, 20, first=136)
    return score


async def judge(conn: AsyncConnection, score: Score, folder: Path) -> Verdict:
    keys = score.service.settings.keys.public_keys("checkpoint").values()
    return await verify(conn, await known(folder), list(keys))


# 1,000 attacks

Attack = Callable[[random.Random, list[Any]], list[tuple[str, dict[str, Any]]]]
TEXTS = ("plan", "rulebook", "line", "clause", "outcome", "agency", "unit", "area", "fact_type", "basis", "subject_kind", "subject")
UUIDS = ("entry_id", "corrects", "case_id", "deadline_id", "basis_id", "fact_event")
TIMES = ("fact_at", "recorded_at")


def edit(chance: random.Random, rows: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """One column of one entry."""
    row = chance.choice(rows)
    column = chance.choice((*TEXTS, *UUIDS, *TIMES, "points", "assumed", "occurred_on", "facts", "seq"))
    old = getattr(row, column)
    if column in TEXTS:
        new: Any = chance.choice([one for one in ("police", "commerce", "x", "+1", "") if one != old])
    elif column in UUIDS:
        new = chance.choice([uuid4(), row.basis_id, row.fact_event, None])
        if new == old or (column in ("entry_id", "fact_event", "basis_id") and new is None):
            new = uuid4()
    elif column in TIMES:
        new = old + timedelta(microseconds=chance.choice((1, -1, 10**6, -(10**9))))
    elif column == "points":
        new = old + chance.choice((1, -1, 100))
    elif column == "assumed":
        new = not old
    elif column == "occurred_on":
        new = old + timedelta(days=chance.choice((1, -1, 31)))
    elif column == "facts":
        return [("UPDATE ledger SET facts = '[\"x\"]' WHERE seq = :seq", {"seq": row.seq})]
    else:
        new = -row.seq
    return [(f"UPDATE ledger SET {column} = :new WHERE seq = :seq", {"new": new, "seq": row.seq})]


def delete(chance: random.Random, rows: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Some entries anywhere."""
    gone = [row.seq for row in chance.sample(rows, chance.choice((1, 1, 2, 5)))]
    return [("DELETE FROM ledger WHERE seq = ANY(:gone)", {"gone": gone})]


def insert(chance: random.Random, rows: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """An entry more, in a gap before or between the others."""
    row = chance.choice(rows)
    columns = [name for name in row._fields if name not in ("seq", "entry_id")]
    names = ", ".join(columns)
    return [
        (
            f"INSERT INTO ledger (seq, entry_id, {names}) OVERRIDING SYSTEM VALUE "
            f"SELECT :seq, gen_random_uuid(), {names} FROM ledger WHERE seq = :old",
            {"seq": -chance.randrange(1, 100), "old": row.seq},
        )
    ]


def replace(chance: random.Random, rows: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """An entry out, a copy of another in at its place."""
    out, copied = chance.sample(rows, 2)
    columns = ", ".join(name for name in out._fields if name not in ("seq", "entry_id"))
    return [
        ("DELETE FROM ledger WHERE seq = :seq", {"seq": out.seq}),
        (
            f"INSERT INTO ledger (seq, entry_id, {columns}) OVERRIDING SYSTEM VALUE "
            f"SELECT :seq, CAST(:id AS uuid), {columns} FROM ledger WHERE seq = :old",
            {"seq": out.seq, "old": copied.seq, "id": chance.choice((out.entry_id, uuid4()))},
        ),
    ]


def reorder(chance: random.Random, rows: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Two entries change places."""
    one, other = chance.sample(rows, 2)
    return [
        ("UPDATE ledger SET seq = -1000000 WHERE seq = :one", {"one": one.seq}),
        ("UPDATE ledger SET seq = :one WHERE seq = :other", {"one": one.seq, "other": other.seq}),
        ("UPDATE ledger SET seq = :other WHERE seq = -1000000", {"other": other.seq}),
    ]


def truncate(chance: random.Random, rows: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """The end cut off, or everything; the checkpoints and the tree with it, as if it had never been."""
    last = chance.choice([*rows[:-1], None])
    if last is None:
        return [("TRUNCATE ledger", {})]
    cut: list[tuple[str, dict[str, Any]]] = [("DELETE FROM ledger WHERE seq > :seq", {"seq": last.seq})]
    if chance.random() < 0.6:
        cut += [
            ("DELETE FROM period_standings", {}),
            ("DELETE FROM periods", {}),
            ("DELETE FROM checkpoints WHERE seq > :seq", {"seq": last.seq}),
            ("DELETE FROM ledger_tree WHERE last_seq > :seq", {"seq": last.seq}),
        ]
    return cut


def covers(chance: random.Random, rows: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """The checkpoints, the tree or what was frozen, in place of the entries."""
    return chance.choice(
        [
            [("UPDATE checkpoints SET root = sha256(root) WHERE number = 2", {})],
            [("UPDATE checkpoints SET note = replace(note, 'seq', 'sea') WHERE number = 3", {})],
            [("UPDATE checkpoints SET size = size + 1 WHERE number = 1", {})],
            [("UPDATE checkpoints SET taken_at = taken_at - interval '1 hour' WHERE number = 1", {})],
            [("DELETE FROM checkpoints WHERE number = 4", {})],
            [("UPDATE ledger_tree SET hash = sha256(hash)", {})],
            [("DELETE FROM ledger_tree", {})],
            [("UPDATE period_standings SET points = points + 1", {})],
            [("UPDATE period_standings SET late = 0, in_time = in_time + late WHERE agency = 'commerce'", {})],
            [("DELETE FROM period_standings WHERE agency = 'commerce'", {})],
            [("DELETE FROM period_standings", {}), ("DELETE FROM periods", {})],
            [("UPDATE periods SET document = document || ' '::bytea", {})],
            [("UPDATE periods SET document = 'x'::bytea, digest = sha256('x'::bytea)", {})],
            [("UPDATE standings SET points = points + 5 WHERE agency = 'commerce'", {})],
            [("DELETE FROM standings WHERE agency = 'police'", {})],
        ]
    )


ATTACKS: tuple[Attack, ...] = (edit, edit, edit, delete, insert, replace, reorder, truncate, covers)


async def test_a_thousand_attacks_with_every_right_on_the_database_are_found(
    sealed: Score, owner: AsyncEngine, tmp_path: Path
) -> None:
    """Beyond 9: nothing is rescored silently. Each attack starts from the sound ledger and is rolled back again."""
    chance = random.Random(20261123)
    async with owner.connect() as conn, conn.begin() as whole:
        for undone in (
            "ALTER TABLE ledger ALTER COLUMN seq SET GENERATED BY DEFAULT",
            *[f"ALTER TABLE ledger ALTER COLUMN {name} DROP NOT NULL" for name in ("plan", "agency", "case_id")],
            *[
                f"ALTER TABLE {row.table} DROP CONSTRAINT {row.name}"
                for row in await conn.execute(
                    text(
                        "SELECT conrelid::regclass::text AS table, conname AS name FROM pg_constraint WHERE contype IN "
                        "('c', 'f') AND conrelid IN ('ledger'::regclass, 'periods'::regclass, "
                        "'period_standings'::regclass, 'checkpoints'::regclass, 'ledger_tree'::regclass)"
                    )
                )
            ],
        ):
            await conn.execute(text(undone))
        told = await known(tmp_path)
        keys = list(sealed.service.settings.keys.public_keys("checkpoint").values())
        sound = await verify(conn, told, keys)
        assert sound.sound, sound.wrong
        covered = (
            await conn.execute(text("SELECT * FROM ledger WHERE seq <= :seq ORDER BY seq"), {"seq": sound.covered_seq})
        ).all()
        assert len(covered) == sound.covered >= 256 and sound.open_entries > 20
        unseen: list[str] = []
        kinds: dict[str, int] = {}
        for number in range(1000):
            attack = ATTACKS[number % len(ATTACKS)]
            statements = attack(chance, list(covered))
            async with conn.begin_nested() as point:
                changed = 0
                for statement, values in statements:
                    changed += (await conn.execute(text(statement), values)).rowcount or 0
                assert changed, f"{attack.__name__} changed nothing: {statements}"
                verdict = await verify(conn, told, keys)
                if verdict.sound:
                    unseen.append(f"{attack.__name__}: {statements}")
                kinds[attack.__name__] = kinds.get(attack.__name__, 0) + 1
                await point.rollback()
        assert not unseen
        assert sum(kinds.values()) == 1000 and len(kinds) == 7
        assert (await verify(conn, told, keys)).sound, "every attack was undone"
        await whole.rollback()


async def test_what_no_checkpoint_covers_yet_is_told_and_covered_by_the_next(sealed: Score, tmp_path: Path) -> None:
    async with sealed.service.engine.begin() as conn:
        before = await judge(conn, sealed, tmp_path)
    assert before.sound and before.open_entries == before.entries - before.covered > 0
    assert before.open_seq_from is not None and before.open_from is not None
    printed = _words(before.told())
    assert f"not yet covered: {before.open_entries} (seq {before.open_seq_from}–{before.open_seq_to}" in printed
    assert "nothing was changed" in printed
    await sealing(sealed, tmp_path).round()
    async with sealed.service.engine.begin() as conn:
        after = await judge(conn, sealed, tmp_path)
    assert after.sound and after.open_entries == 0 and after.covered == after.entries
    assert after.checkpoints == before.checkpoints + 1
    await sealing(sealed, tmp_path).round()
    assert len(await known(tmp_path)) == after.checkpoints, "nothing new, no checkpoint more"


async def test_a_forged_or_foreign_note_is_told_apart(sealed: Score, tmp_path: Path) -> None:
    found = await known(tmp_path)
    number, note = found[1]
    async with sealed.service.engine.begin() as conn:
        keys = list(sealed.service.settings.keys.public_keys("checkpoint").values())
        forged = await verify(conn, [(number, note.replace("seq ", "seq 1"))], keys)
        assert [one.code for one in forged.wrong] == ["bad-note"]
        swapped = await verify(conn, [(number, found[2][1])], keys)
        assert "checkpoint-changed" in {one.code for one in swapped.wrong}


async def test_nothing_is_signed_over_a_ledger_that_was_rolled_back(
    sealed: Score, owner: AsyncEngine, tmp_path: Path
) -> None:
    """Neither by the process that runs on, nor by one that starts anew and finds the newest checkpoint outside."""
    async with owner.begin() as conn:
        for statement in (
            "DELETE FROM period_standings",
            "DELETE FROM periods",
            "DELETE FROM checkpoints WHERE number > 2",
            "DELETE FROM ledger USING checkpoints WHERE number = 2 AND ledger.seq > checkpoints.seq",
            "DELETE FROM ledger_tree",
        ):
            await conn.execute(text(statement))
    await play(sealed, 100, first=1000)
    fresh = sealing(sealed, tmp_path)
    before = len(await known(tmp_path))
    with pytest.raises(LedgerBroken):
        await fresh.round()
    assert len(await known(tmp_path)) == before


async def test_entries_cut_off_behind_the_last_block_stop_the_signing(
    sealed: Score, owner: AsyncEngine, tmp_path: Path
) -> None:
    seals = sealing(sealed, tmp_path)
    await seals.round()
    async with owner.begin() as conn:
        await conn.execute(text("UPDATE ledger SET points = 9 WHERE seq = (SELECT max(seq) FROM ledger)"))
    await play(sealed, 5, first=2000)
    with pytest.raises(LedgerBroken):
        await seals.round()


async def test_proofs_are_checked_with_the_public_key_alone(sealed: Score, tmp_path: Path) -> None:
    """What a reader needs comes over HTTP: the key, the entry, the path; the hashing is its own."""
    await sealing(sealed, tmp_path).round()
    published = (await sealed.client.get("/.well-known/dachuan-ledger-keys")).json()
    key = _public(published["keys"][0]["verifier"])
    last = 0
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = (await sealed.get("/v1/ledger", sealed.office(), limit=200, **({"cursor": cursor} if cursor else {}))).json()
        items += page["items"]
        cursor = page["next"]
        if not cursor:
            break
    for number, item in enumerate(items):
        assert item["seq"] > last
        last = item["seq"]
        if number % 17 and number < len(items) - 3:
            continue
        proof = (await sealed.get(f"/v1/ledger/{item['entry_id']}/proof", sealed.office())).json()
        leaf = json.dumps(
            {name: item[name] for name in leaves.FIELDS}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        assert leaf == proof["leaf"], "the entry as it is shown makes the leaf"
        told = notes.opened(proof["checkpoint"]["note"], [key])
        path = [base64.b64decode(one) for one in proof["path"]]
        assert proof["index"] == number
        assert check_inclusion(leaf_hash(leaf.encode()), number, told.size, path, told.root)
        assert not check_inclusion(leaf_hash(leaf.encode() + b" "), number, told.size, path, told.root)
    newest = (await sealed.client.get("/v1/checkpoints")).json()["items"]
    assert [one["number"] for one in newest] == list(range(len(newest), 0, -1))
    text_ = await sealed.client.get("/v1/checkpoints/latest")
    assert text_.headers["content-type"].startswith("text/plain") and text_.text == newest[0]["note"]
    for first in newest[1:]:
        answer = await sealed.client.get(
            "/v1/checkpoints/consistency", params={"first": first["number"], "second": newest[0]["number"]}
        )
        found = answer.json()
        old, new = (notes.opened(found[name]["note"], [key]) for name in ("first", "second"))
        path = [base64.b64decode(one) for one in found["path"]]
        assert check_consistency(old.size, new.size, old.root, new.root, path)
        assert old.size == new.size or not check_consistency(old.size, new.size, new.root, new.root, path)


async def test_a_proof_is_given_within_reach_and_once_covered(sealed: Score, tmp_path: Path) -> None:
    rows = await sealed.rows("SELECT entry_id, agency FROM ledger ORDER BY seq DESC LIMIT 40")
    newest = next(row for row in rows if row.agency == "police")
    police = sealed.bearer("police", ("head",))
    early = await sealed.get(f"/v1/ledger/{newest.entry_id}/proof", police)
    assert early.status_code == 404 and early.json()["type"].endswith("not-covered")
    await sealing(sealed, tmp_path).round()
    assert (await sealed.get(f"/v1/ledger/{newest.entry_id}/proof", police)).status_code == 200
    commerce = next(row for row in rows if row.agency == "commerce")
    assert (await sealed.get(f"/v1/ledger/{commerce.entry_id}/proof", police)).status_code == 404
    assert (await sealed.get(f"/v1/ledger/{newest.entry_id}/proof", {})).status_code == 401


async def test_checkpoints_are_told_on_their_topic_and_entries_with_all_of_their_leaf(sealed: Score) -> None:
    told = await sealed.events()
    taken = [one for one in told if one.TYPE == "dachuan.ledger.checkpoint.v1"]
    assert [one.number for one in taken] == [1, 2, 3, 4, 5]
    assert taken[-1].period == "2026-03" and taken[0].period is None
    rows = {row.entry_id: row for row in await sealed.rows("SELECT * FROM ledger")}
    entries = [one for one in told if one.TYPE == "dachuan.ledger.entry.v1"]
    assert len(entries) == len(rows)
    for one in entries:
        data = json.loads(one.model_dump_json())
        leaf = json.dumps({name: data[name] for name in leaves.FIELDS}, sort_keys=True, separators=(",", ":"))
        assert leaf.encode() == leaves.leaf_of(rows[one.entry_id])


def _public(verifier: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(base64.b64decode(verifier.split("+", 2)[2])[1:])
