"""Evidence through the API: registered, hashed and sealed at receipt, read on record, refused without a trace."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.casework import jobs
from services.casework.commands.evidence import upkeep
from shared.kit import clock
from tests.integration.casework.conftest import Desk
from tests.integration.casework.evidence_room import OFFICERS, described, kept, opened, sha256, told
from tests.unit.intake.evidence.samples import MARK, photo, zip_bomb

PHOTO = photo()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's files stand, sealed."""
    monkeypatch.setenv("DACHUAN_OBJECTS_DIR", str(tmp_path / "objects"))
    return tmp_path / "objects"


async def test_evidence_is_registered_with_its_officers_hashed_sealed_and_told_of__x_d7b(desk: Desk, folder: Path) -> None:
    """X-D7b: evidence with hash and custody. D-A5: it may be used in prosecution by 刑诉法54."""
    room = await opened(desk)
    item = await room.item()
    assert (item["number"], item["state"], item["holder_agency"]) == (1, "held", "commerce")
    assert item["in_prosecution"] == {"use": "yes", "article": "《刑事诉讼法》第五十四条", "certainty": "T", "provisional": False}
    assert item["officers_rule"]["article"].endswith("第十五条") and item["basis"]["article"] == "《禁止传销条例》第十四条"
    answer = await room.send(item, PHOTO)
    assert answer.status_code == 201, answer.text
    file = answer.json()["file"]
    assert (file["sha256"], file["size"], file["kind"], file["state"]) == (sha256(PHOTO), len(PHOTO), "image", "whole")
    assert kept(folder) and not any(MARK.encode() in path.read_bytes() for path in kept(folder))
    second = await room.item(kind="statement", title="询问笔录")
    assert second["number"] == 2 and second["in_prosecution"]["use"] == "again"

    chain = await room.chain(item)
    assert [line["action"] for line in chain["lines"]] == ["received", "file_received"] and chain["faults"] == []
    assert chain["lines"][1]["facts"]["sha256"] == sha256(PHOTO) and len(chain["lines"][1]["facts"]["sm3"]) == 64
    assert chain["lines"][0]["words"]["kept_where"] == "证物室一柜三格"
    events = [data for row, data in await desk.events() if row.type == "dachuan.case.evidence-received.v1"]
    assert [(one.kind, one.items, one.agency) for one in events] == [("physical", 1, "commerce"), ("statement", 2, "commerce")]
    plain = [bytes(row.data) for row in await desk.rows("SELECT data FROM outbox")] + [
        str(dict(row._mapping)).encode() for row in await desk.rows("SELECT * FROM evidence_items")
    ]
    assert not any("红色账本".encode() in one or "甲某某".encode() in one for one in plain), "words are sealed and stay in"
    listed = (await desk.get(f"/v1/cases/{room.case_id}/evidence/list", room.commerce)).json()
    assert [(line["number"], line["title"], line["sha256"]) for line in listed["lines"]] == [
        (1, "红色账本", [sha256(PHOTO)]),
        (2, "询问笔录", []),
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"officers": OFFICERS[:1]}, "too-few-officers"),
        ({"officers": [OFFICERS[0], {"number": "粤中市监００１ ", "name": "丁某某"}]}, "too-few-officers"),
        ({"collected_at": "2199-01-01T00:00:00+08:00"}, "collected-later"),
        ({"basis": "criminal_141"}, "wrong-basis"),
        ({"basis": "nothing"}, "wrong-basis"),
        ({"title": "  "}, "invalid"),
        ({"unknown": 1}, "invalid"),
        ({"collected_at": "2026-11-01T10:00:00"}, "invalid"),
    ],
)
async def test_what_the_law_or_a_field_forbids_is_refused_in_words__x_d7b(desk: Desk, wrong: dict, code: str) -> None:
    """X-D7b, 条例15: two officers, and one named twice is one."""
    room = await opened(desk)
    answer = await room.post(f"/cases/{room.case_id}/evidence", room.commerce, described(**wrong))
    told(answer, 422, code)
    assert (await desk.rows("SELECT count(*) AS n FROM evidence_items"))[0].n == 0


async def test_the_criminal_track_and_other_cases_need_their_rights__x_d7b(desk: Desk, folder: Path) -> None:
    """X-D7b: criminal and administrative tracks; each sees its own."""
    room = await opened(desk)
    path = f"/v1/cases/{room.case_id}/evidence"
    told(await room.post(f"/cases/{room.case_id}/evidence", room.commerce, described(track="criminal", basis="criminal_141")), 403, "criminal-track")
    secret = await room.item(room.police, track="criminal", basis="criminal_141", kind="electronic", title="手机")
    open_one = await room.item(room.commerce)
    seen = [one["item_id"] for one in (await desk.get(path, room.police)).json()["items"]]
    assert seen == [secret["item_id"], open_one["item_id"]]
    assert [one["item_id"] for one in (await desk.get(path, room.commerce)).json()["items"]] == [open_one["item_id"]]
    told(await desk.get(f"/v1/evidence/{secret['item_id']}", room.commerce), 404, "evidence-not-found")
    told(await desk.get(f"/v1/evidence/{secret['item_id']}/custody", room.commerce), 404, "evidence-not-found")
    told(await room.send(secret, PHOTO, room.commerce), 404, "evidence-not-found")
    told(await room.send(open_one, PHOTO, room.police), 403, "not-the-keeper")
    assert kept(folder) == []
    office = desk.bearer("commerce", ("office-staff",), principal_id="o-1")
    assert (await desk.get(path, office)).status_code == 403, "the office sees number, stage and clocks"
    education = desk.bearer("education", ("head",), principal_id="e-1")
    assert (await desk.get(path, education)).status_code == 403
    told(await room.post(f"/cases/{room.case_id}/evidence", desk.bearer("police", ("investigator",), plan="xiyuan"), described()), 404, "case-not-found")


async def test_a_wrong_hash_a_cut_and_an_empty_file_leave_nothing__x_d7b(desk: Desk, folder: Path) -> None:
    """X-D7b, bad input: refused, and nothing of it is kept."""
    room = await opened(desk)
    item = await room.item()
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    for header in ({"content_digest": f"sha-256=:{other}:"}, {"repr_digest": f"sha-256=:{other}:"}, {"digest": f"SHA-256={other}"}):
        problem = told(await room.send(item, PHOTO, **header), 422, "digest-mismatch")
        assert problem["found"] == sha256(PHOTO)
    told(await room.send(item, PHOTO, content_digest="sha-256=:bad:"), 400, "bad-digest")
    told(await room.send(item, b""), 422, "file-empty")
    told(await room.send(item, bytes(10), content_type="multipart/form-data; boundary=x"), 400, "bad-request")
    cut = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n' + PHOTO[:900]
    told(await room.send(item, cut, content_type="multipart/form-data; boundary=x"), 400, "bad-request")
    assert kept(folder) == [] and await room.actions(item) == ["received"]
    right = base64.b64encode(hashlib.sha256(PHOTO).digest()).decode()
    assert (await room.send(item, PHOTO, content_digest=f"sha-512=:eA==:, sha-256=:{right}:")).status_code == 201


async def test_a_sender_that_breaks_off_leaves_nothing__x_d7b(desk: Desk, folder: Path) -> None:
    """X-D7b: a truncated upload is none."""
    room = await opened(desk)
    item = await room.item()

    sent: list[dict[str, Any]] = []
    arriving = iter([{"type": "http.request", "body": bytes(3 << 20), "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(arriving)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    path = f"/v1/evidence/{item['item_id']}/files"
    headers = room.commerce | {"content-type": "application/octet-stream", "content-length": str(9 << 20)}
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "http_version": "1.1",
        "scheme": "http", "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await desk.client._transport.app(scope, receive, send)  # type: ignore[attr-defined]
    assert sent[0]["status"] == 400 and b"cut-off" in sent[1]["body"]
    assert kept(folder) == [] and (await room.read(item))["files"] == 0


async def test_the_same_file_again_says_under_which_number_it_is__x_d7b(desk: Desk, folder: Path) -> None:
    """X-D7b: never twice; the same key again is the same file."""
    room = await opened(desk)
    first, second = await room.item(), await room.item(title="手机照片")
    key = "the-same-key-0001"
    one = await room.send(first, PHOTO, idempotency_key=key)
    again = await room.send(first, PHOTO, idempotency_key=key)
    assert (one.status_code, again.status_code) == (201, 200) and again.json()["replayed"]
    assert again.json()["file"] == one.json()["file"]
    told(await room.send(first, b"something else", idempotency_key=key), 409, "idempotency-key-reused")
    known = told(await room.send(second, PHOTO), 409, "file-known")
    assert (known["item_number"], known["file_number"]) == (1, 1) and "第 1 号" in known["detail"]
    assert len({path.parts[-3] for path in kept(folder)}) == 1


async def test_programs_archives_and_bombs_are_evidence_too_and_are_never_unfolded__x_d7b(desk: Desk, folder: Path) -> None:
    """X-D7b: a program that cheats people is evidence; what unfolds to an enormous size does no harm."""
    room = await opened(desk)
    item = await room.item(kind="electronic", title="应用程序")
    for data, kind in ((b"MZ" + bytes(5000), "program"), (b"\x1f\x8b\x08\0" + bytes(900), "archive"), (zip_bomb(), "document"), (b"<html><script>1</script>", "page")):
        answer = await room.send(item, data)
        assert answer.status_code == 201 and answer.json()["file"]["kind"] == kind, answer.text
    listed = (await room.read(item))["file_list"]
    assert [one["copyable"] for one in listed] == [False, False, True, False]
    path = f"/evidence/{item['item_id']}/files"
    for one, reason in ((listed[0], ""), (listed[2], "bomb")):
        assert told(await room.post(f"{path}/{one['file_id']}/copies", room.commerce), 409, "no-copy")["reason"] == reason
    got = await room.post(f"{path}/{listed[0]['file_id']}/original", room.commerce, {"reason": "no_copy"})
    assert got.content == b"MZ" + bytes(5000) and "attachment" in got.headers["content-disposition"]


async def test_a_working_copy_carries_its_own_mark_and_every_reading_is_in_the_chain_first__x_d7b(desk: Desk) -> None:
    """X-D7b: working copies, never the original; the original by right and for a reason."""
    room = await opened(desk)
    item = await room.item()
    file_id = (await room.send(item, PHOTO)).json()["file"]["file_id"]
    path = f"/evidence/{item['item_id']}"
    made = (await room.post(f"{path}/files/{file_id}/copies", room.commerce)).json()
    assert made["marked"] and made["mark"].startswith("DC-") and made["sha256"] != sha256(PHOTO)
    copy = await desk.get(f"/v1{path}/copies/{made['copy_id']}", room.police)
    assert copy.status_code == 200 and sha256(copy.content) == made["sha256"] and MARK.encode() not in copy.content
    told(await room.post(f"{path}/files/{file_id}/original", room.commerce_head, {"reason": "court"}), 403, "forbidden")
    told(await room.post(f"{path}/files/{file_id}/original", room.commerce, {"reason": "curious"}), 422, "invalid")
    original = await room.post(f"{path}/files/{file_id}/original", room.police, {"reason": "authenticity"})
    assert original.content == PHOTO
    chain = (await room.chain(item))["lines"]
    assert [line["action"] for line in chain] == ["received", "file_received", "copy_made", "copy_read", "original_read"]
    assert chain[2]["facts"]["copy_sha256"] == made["sha256"] and chain[2]["facts"]["of_sha256"] == sha256(PHOTO)
    assert chain[4]["facts"]["reason"] == "authenticity" and chain[4]["agency"] == "police"
    other = (await room.post(f"{path}/files/{file_id}/copies", room.police)).json()
    assert other["mark"] != made["mark"] and other["sha256"] != made["sha256"], "each copy can be told from the others"
    kinds = [row.action for row in await desk.rows("SELECT action FROM audit WHERE action LIKE 'evidence.%' ORDER BY seq")]
    assert {"evidence.copy", "evidence.copy-read", "evidence.original", "evidence.custody"} <= set(kinds)


async def test_it_is_moved_returned_and_destroyed_only_by_its_keeper_and_by_two__x_d7b(desk: Desk, folder: Path) -> None:
    """X-D7b: custody to its end; destruction takes four eyes and takes the keys."""
    room = await opened(desk)
    item = await room.item()
    await room.send(item, PHOTO)
    path = f"/evidence/{item['item_id']}"
    told(await room.post(f"{path}/move", room.commerce, {"kept_where": "二柜"}), 428, "if-match-required")
    told(await room.post(f"{path}/move", room.commerce, {"kept_where": "二柜"}, version=1), 412, "outdated")
    told(await room.post(f"{path}/move", room.police, {"kept_where": "二柜"}, version=2), 403, "not-the-keeper")
    moved = await room.post(f"{path}/move", room.commerce, {"kept_where": "二柜", "note": "漏水"}, version=2)
    assert moved.json()["kept_where"] == "二柜" and moved.headers["etag"] == '"3"'
    body = {"reason": "依法销毁", "files": True}
    proposed = await room.post(f"{path}/destruction", room.commerce, body, version=3)
    assert proposed.json()["state"] == "to_destroy"
    told(await room.post(f"{path}/move", room.commerce, {"kept_where": "三柜"}, version=4), 409, "not-possible-now")
    told(await room.post(f"{path}/destruction/decision", room.commerce, {"approve": True}, version=4), 403, "forbidden")
    both = desk.bearer("commerce", ("investigator", "head"), unit="enforcement", principal_id="c-1")
    told(await room.post(f"{path}/destruction/decision", both, {"approve": True}, version=4), 403, "same-person")
    refused = await room.post(f"{path}/destruction/decision", room.commerce_head, {"approve": False, "note": "还需鉴定"}, version=4)
    assert refused.json()["state"] == "held"
    await room.post(f"{path}/destruction", room.commerce, body, version=5)
    done = await room.post(f"{path}/destruction/decision", room.commerce_head, {"approve": True}, version=6)
    assert done.json()["state"] == "destroyed" and done.json()["file_list"][0]["state"] == "destroyed"
    file_id = done.json()["file_list"][0]["file_id"]
    told(await room.post(f"{path}/files/{file_id}/original", room.commerce, {"reason": "court"}), 409, "file-destroyed")
    assert (await desk.rows("SELECT data_key FROM evidence_files"))[0].data_key is None
    assert await upkeep.sweep(jobs_room(desk), clock.now() + timedelta(days=1)) == 1 and kept(folder) == []
    assert (await room.actions(item))[-4:] == ["destruction_proposed", "destruction_refused", "destruction_proposed", "destroyed"]
    other = await room.item(title="押金")
    back = await room.post(f"/evidence/{other['item_id']}/return", room.commerce, {"receiver": "戊某某", "reason": "无关"}, version=1)
    assert back.json()["state"] == "returned"
    told(await room.send(other, PHOTO), 409, "not-possible-now")


def jobs_room(desk: Desk):  # type: ignore[no-untyped-def]
    return desk.client._transport.app.state.evidence  # type: ignore[attr-defined]


async def test_without_room_it_is_refused_as_507_and_nothing_is_kept__x_d7b(
    desk: Desk, folder: Path
) -> None:
    """X-D7b, faults: a full storage is told, and what was kept before stands."""
    room = await opened(desk)
    item = await room.item()
    jobs_room(desk).settings.__dict__["objects_reserve_bytes"] = 1 << 62
    told(await room.send(item, PHOTO), 507, "no-room")
    assert kept(folder) == []
    jobs_room(desk).settings.__dict__["objects_reserve_bytes"] = 0
    assert (await room.send(item, PHOTO)).status_code == 201


async def test_a_crash_before_the_row_leaves_an_orphan_that_the_sweeper_takes_and_nothing_else__x_d7b(
    desk: Desk, folder: Path
) -> None:
    """X-D7b, faults: bytes without a row go after a while; a file that was acknowledged never does."""
    room = await opened(desk)
    item = await room.item()
    await room.send(item, PHOTO)
    before = kept(folder)
    evidence = jobs_room(desk)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"a process that died here" * 1000

    from shared.kit.ids import new_id

    await evidence.vault.write(new_id(), "original", bytes(64), chunks())
    assert len(kept(folder)) > len(before)
    assert await upkeep.sweep(evidence, clock.now()) == 0, "it may still be arriving"
    assert await upkeep.sweep(evidence, clock.now() + timedelta(hours=4)) == 1
    assert kept(folder) == before
    assert await upkeep.whole(evidence, (await desk.rows("SELECT * FROM evidence_files"))[0])


async def test_bit_rot_is_found_stands_in_the_chain_and_a_mended_file_is_whole_again__x_d7b(desk: Desk, folder: Path) -> None:
    """X-D7b, faults: what no longer fits its hash is not given out, and somebody is told."""
    room = await opened(desk)
    item = await room.item()
    file_id = (await room.send(item, PHOTO)).json()["file"]["file_id"]
    evidence = jobs_room(desk)
    later = clock.now() + timedelta(days=31)
    assert await upkeep.recheck(evidence, clock.now()) == 0 and await upkeep.recheck(evidence, later) == 0
    [path] = kept(folder)
    good = path.read_bytes()
    path.write_bytes(good[:500] + bytes([good[500] ^ 1]) + good[501:])
    assert await upkeep.recheck(evidence, later) == 1 and await upkeep.recheck(evidence, later) == 0
    await jobs.tend_evidence(evidence)
    metrics = (await desk.client.get("/metrics")).text
    assert "dachuan_evidence_damaged 1.0" in metrics
    told(await room.post(f"/evidence/{item['item_id']}/files/{file_id}/original", room.commerce, {"reason": "court"}), 409, "file-damaged")
    refused = told(
        await room.post(f"/cases/{room.case_id}/evidence/exports", room.commerce_head, {"items": [item["item_id"]], "reason": "court"}),
        409,
        "file-damaged",
    )
    assert refused["numbers"] == [1]
    path.write_bytes(good)
    await jobs.tend_evidence(evidence)
    assert (await room.read(item))["file_list"][0]["state"] == "whole"
    assert (await room.actions(item))[-2:] == ["damage_found", "damage_mended"]
    assert "dachuan_evidence_damaged 0.0" in (await desk.client.get("/metrics")).text


async def test_a_chain_that_somebody_changed_says_so__x_d7b(desk: Desk, own_database) -> None:  # type: ignore[no-untyped-def]
    """X-D7b: append-only for the service, and where the owner of the database lies, the chain tells."""
    import asyncpg
    from sqlalchemy.exc import DBAPIError

    from deploy.local.databases import plain

    room = await opened(desk)
    item = await room.item()
    await room.send(item, PHOTO)
    await room.post(f"/evidence/{item['item_id']}/move", room.commerce, {"kept_where": "二柜"}, version=2)
    for statement in ("UPDATE evidence_custody SET actor = 'x'", "DELETE FROM evidence_custody"):
        with pytest.raises(DBAPIError, match="permission denied"):
            await desk.rows(statement)
    owner = await asyncpg.connect(plain(own_database.owner_url("casework")))
    try:
        await owner.execute("UPDATE evidence_custody SET actor = 'officer:nobody' WHERE seq = 2")
        assert (await room.chain(item))["faults"] == ["changed:2"]
        await owner.execute("DELETE FROM evidence_custody WHERE seq = 3")
        assert (await room.chain(item))["faults"] == ["changed:2", "cut:2"]
        await owner.execute("DELETE FROM evidence_custody WHERE seq = 1")
        assert (await room.chain(item))["faults"] == ["missing:1", "unlinked:2", "changed:2", "cut:2"]
    finally:
        await owner.close()
