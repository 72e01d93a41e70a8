"""Files with a tip through the API: taken, sealed, cleaned, refused; nothing half-saved."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake import jobs
from services.intake.commands import evidence_upkeep
from shared.kit import clock
from shared.kit.files.clamav import Scanner
from shared.kit.ids import new_id
from tests.integration.intake.conftest import Desk
from tests.integration.kit.storage import S3, serving
from tests.unit.intake.evidence.samples import MARK, docx, photo, zip_bomb, zipped

HEADCOUNT = "安堂社区兴华里5栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"


@pytest.fixture(autouse=True)
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's files stand, sealed; the settings of a bucket must be there before the desk reads them."""
    if "bucket" in request.fixturenames:
        request.getfixturevalue("bucket")
    monkeypatch.setenv("DACHUAN_OBJECTS_DIR", str(tmp_path / "objects"))
    return tmp_path / "objects"


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def receipt(desk: Desk) -> tuple[str, str]:
    """A citizen's tip: its receipt and its id."""
    answer = await desk.client.post("/v1/public/tips", json={"plan": "dayong", "text": HEADCOUNT})
    tip_id = (await desk.rows("SELECT id FROM tips ORDER BY received_at DESC, id DESC LIMIT 1"))[0].id
    return answer.json()["receipt"], str(tip_id)


async def send(desk: Desk, digits: str, *files: bytes, key: str | None = None, name: str = "x.bin") -> httpx.Response:
    return await desk.client.post(
        "/v1/public/files",
        data={"receipt": digits},
        files=[("file", (name, data, "image/jpeg")) for data in files],
        headers={"idempotency-key": key} if key else {},
    )


async def reader(desk: Desk) -> dict[str, str]:
    """An officer of the agency that the tip went to."""
    row = (await desk.rows("SELECT agency, unit FROM tips LIMIT 1"))[0]
    return desk.stack.bearer(agency=row.agency, posts=("head", "desk", "investigator"), unit=row.unit)


def told(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:dachuan:problem:{code}" and problem["detail"]
    return problem


async def nothing_saved(desk: Desk, folder: Path) -> None:
    assert (await desk.rows("SELECT count(*) AS n FROM tip_files"))[0].n == 0
    assert kept(folder) == []
    assert (await desk.rows("SELECT count(*) AS n FROM audit WHERE action = 'file.receive'"))[0].n == 0


async def test_a_photo_by_receipt_is_sealed_cleaned_and_read_by_officers_on_record(desk: Desk, folder: Path) -> None:
    """D-B6: what a citizen brings along is taken; point 6: it does not lead back to them."""
    digits, tip_id = await receipt(desk)
    data = photo()
    answer = await send(desk, digits, data, name="张三的手机照片.jpg")
    assert answer.status_code == 201, answer.text
    file = answer.json()["files"][0]["file"]
    assert (file["number"], file["kind"], file["state"], file["size"]) == (1, "image", "cleaned", len(data))
    assert not any(MARK.encode() in path.read_bytes() for path in kept(folder))
    row = (await desk.rows("SELECT * FROM tip_files"))[0]
    assert bytes(row.sha256) == hashlib.sha256(data).digest() and row.source == "reporter" and row.scan == "not_scanned"
    event = (await desk.events("dachuan.tip.evidence-added.v1"))[0][1]
    assert (str(event.tip_id), event.media, event.files, event.source) == (tip_id, "image", 1, "reporter")

    officer = await reader(desk)
    listed = (await desk.client.get(f"/v1/tips/{tip_id}/files", headers=officer)).json()["items"]
    assert listed[0]["sha256"] == hashlib.sha256(data).hexdigest()
    shown = await desk.client.get(f"/v1/tips/{tip_id}/files/{file['file_id']}", headers=officer)
    assert shown.status_code == 200 and shown.headers["content-type"] == "image/jpeg"
    assert MARK.encode() not in shown.content and len(shown.content) == int(shown.headers["content-length"])
    assert shown.headers["content-disposition"] == 'attachment; filename="1.jpg"'
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert any("sandbox" in value for value in shown.headers.get_list("content-security-policy"))
    reads = await desk.rows("SELECT actor, object_ids FROM audit WHERE action = 'file.read'")
    assert len(reads) == 1 and reads[0].object_ids == [file["file_id"]]


async def test_the_original_needs_a_right_of_its_own_and_a_reason(desk: Desk, folder: Path) -> None:
    """D-B2: investigators alone open what may lead to a reporter, and it is recorded why."""
    digits, tip_id = await receipt(desk)
    data = photo()
    file_id = (await send(desk, digits, data)).json()["files"][0]["file"]["file_id"]
    path = f"/v1/tips/{tip_id}/files/{file_id}/original"
    body = {"reason": "court", "warned": True}
    row = (await desk.rows("SELECT agency, unit FROM tips"))[0]
    told(
        await desk.client.post(path, headers=desk.stack.bearer(agency=row.agency, posts=("desk", "head")), json=body),
        403,
        "forbidden",
    )
    investigator = desk.stack.bearer(agency=row.agency, posts=("investigator",), unit=row.unit)
    told(await desk.client.post(path, headers=investigator, json={"reason": "court"}), 422, "invalid")
    told(await desk.client.post(path, headers=investigator, json={"reason": "curious", "warned": True}), 422, "invalid")
    answer = await desk.client.post(path, headers=investigator, json=body)
    assert answer.content == data and answer.headers["content-type"] == "application/octet-stream"
    facts = await desk.rows("SELECT facts FROM audit WHERE action = 'file.original'")
    assert [one.facts for one in facts] == [{"reason": "court"}]
    stranger = desk.stack.bearer(agency="police", posts=("investigator",), unit="cyber", principal_id="stranger")
    told(await desk.client.post(path, headers=stranger, json=body), 404, "not-found")


async def test_files_are_seen_within_reach_alone(desk: Desk) -> None:
    digits, tip_id = await receipt(desk)
    file_id = (await send(desk, digits, photo())).json()["files"][0]["file"]["file_id"]
    far = desk.stack.bearer(agency="food_drug", posts=("desk",), principal_id="far")
    for path in (f"/v1/tips/{tip_id}/files", f"/v1/tips/{tip_id}/files/{file_id}"):
        told(await desk.client.get(path, headers=far), 404, "not-found")
        assert (await desk.client.get(path)).status_code == 401
    answer = await desk.client.post(f"/v1/tips/{tip_id}/files", headers=far, content=photo())
    told(answer, 404, "not-found")
    _, other = await receipt(desk)
    told(await desk.client.get(f"/v1/tips/{other}/files/{file_id}", headers=await reader(desk)), 404, "not-found")


async def test_an_agency_adds_files_to_what_it_handed_in(desk: Desk) -> None:
    """D-E4: a liaison's or system's photos come with the tip it brought."""
    system = desk.stack.bearer(
        kind="system", agency="rental_mgmt", principal_id="feed", posts=("desk",), scopes=("tip.submit",)
    )
    body = {"plan": "dayong", "channel": "liaison", "text": HEADCOUNT}
    made = await desk.client.post("/v1/tips", json=body, headers=system)
    assert made.status_code == 201, made.text
    answer = await desk.client.post(f"/v1/tips/{made.json()['tip_id']}/files", headers=system, content=photo())
    assert answer.status_code == 201, answer.text
    assert (await desk.rows("SELECT source FROM tip_files"))[0].source == "agency"


async def test_sent_again_it_is_the_same_file_and_another_under_its_key_is_refused(desk: Desk, folder: Path) -> None:
    """Issue 4, bad input: replayed and conflicting idempotency keys."""
    digits, _ = await receipt(desk)
    data, key = photo(), "photo-key-1"
    first = (await send(desk, digits, data, key=key)).json()["files"][0]
    before = kept(folder)
    for again in (await send(desk, digits, data, key=key), await send(desk, digits, data)):
        assert again.status_code == 200
        assert again.json()["files"][0] == {**first, "status": "replayed"}
    told(await send(desk, digits, photo(size=(20, 20)), key=key), 409, "idempotency-key-reused")
    assert kept(folder) == before
    assert (await desk.rows("SELECT count(*) AS n FROM tip_files"))[0].n == 1
    assert len(await desk.events("dachuan.tip.evidence-added.v1")) == 1


async def test_the_same_file_sent_twice_at_once_is_one(desk: Desk, folder: Path) -> None:
    digits, _ = await receipt(desk)
    data = photo()
    answers = await asyncio.gather(*(send(desk, digits, data) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    ids = {answer.json()["files"][0]["file"]["file_id"] for answer in answers}
    assert len(ids) == 1 and {path.parent.parent.name for path in kept(folder)} == ids


@pytest.mark.parametrize(
    ("data", "code", "status", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "file-refused", 415, "markup"),
        (b"<!doctype html><title>x</title>", "file-refused", 415, "markup"),
        (b"MZ" + bytes(2000), "file-refused", 415, "executable"),
        (photo() + zipped({"a": b"b"}), "file-refused", 415, "polyglot"),
        (docx(**{"word/vbaProject.bin": b"x"}), "file-refused", 415, "active-content"),
        (b"", "file-refused", 415, "empty"),
    ],
)
async def test_harmful_files_are_refused_with_a_reason_and_nothing_stays(
    desk: Desk, folder: Path, data: bytes, code: str, status: int, reason: str
) -> None:
    """Issue 4, bad input: SVG with scripts, polyglots, programs."""
    digits, _ = await receipt(desk)
    assert told(await send(desk, digits, data), status, code)["reason"] == reason
    await nothing_saved(desk, folder)


async def test_a_zip_bomb_and_a_file_of_51_mb_leave_nothing(desk: Desk, folder: Path) -> None:
    """Issue 4, bad input: zip bombs, and photos, audio, documents of 50 MB at most."""
    digits, _ = await receipt(desk)
    assert told(await send(desk, digits, zip_bomb()), 415, "file-refused")["reason"] == "bomb"
    big = b"\xff\xd8\xff\xe0" + os.urandom(1 << 20) * 51
    assert told(await send(desk, digits, big), 413, "file-too-large")["limit"] == 50 << 20
    await nothing_saved(desk, folder)


async def test_ten_files_and_no_eleventh(desk: Desk, folder: Path) -> None:
    digits, _ = await receipt(desk)
    texts = [f"第{n}张笔记：每天上课".encode() for n in range(11)]
    answer = await send(desk, digits, *texts, name="笔记.txt")
    assert answer.status_code == 201
    results = answer.json()["files"]
    assert [one["status"] for one in results] == ["created"] * 10 + ["rejected"]
    assert results[10]["problem"]["type"] == "urn:dachuan:problem:too-many-files"
    told(await send(desk, digits, b"one more"), 409, "too-many-files")
    assert (await send(desk, digits, texts[3])).json()["files"][0]["status"] == "replayed"
    assert len({path.parent.parent.name for path in kept(folder)}) == 10
    listed = (await desk.client.post("/v1/public/files/list", json={"receipt": digits})).json()
    assert [one["number"] for one in listed["items"]] == list(range(1, 11)) and listed["left"] == 0


async def test_a_wrong_receipt_or_form_is_told_and_nothing_stays(desk: Desk, folder: Path) -> None:
    digits, _ = await receipt(desk)
    wrong = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    told(await send(desk, wrong, photo()), 422, "bad-receipt")
    told(await desk.client.post("/v1/public/files", data={"receipt": digits}, files={"a": (None, "x")}), 422, "no-file")
    told(
        await desk.client.post("/v1/public/files", files=[("file", ("a", photo())), ("receipt", (None, digits))]),
        422,
        "receipt-first",
    )
    broken = (
        b"--b\r\nnonsense",
        b"",
        b'--b\r\ncontent-disposition: form-data; name="receipt"\r\n\r\n' + digits.encode(),
    )
    for body in broken:
        answer = await desk.client.post(
            "/v1/public/files", content=body, headers={"content-type": "multipart/form-data; boundary=b"}
        )
        told(answer, 400, "bad-request")
    told(await desk.client.post("/v1/public/files", json={}), 400, "bad-request")
    await nothing_saved(desk, folder)


async def test_a_stream_that_breaks_off_leaves_nothing(desk: Desk, folder: Path) -> None:
    digits, _ = await receipt(desk)
    head = (
        f'--b\r\ncontent-disposition: form-data; name="receipt"\r\n\r\n{digits}\r\n'
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    ).encode()

    async def half() -> AsyncIterator[bytes]:
        yield head + photo()
        for _ in range(30):
            yield os.urandom(100_000)

    answer = await desk.client.post(
        "/v1/public/files", content=half(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    told(answer, 400, "bad-request")
    await nothing_saved(desk, folder)


async def test_a_refusal_at_the_last_moment_leaves_nothing(desk: Desk, folder: Path) -> None:
    digits, _ = await receipt(desk)
    desk.app.state.evidence.settings.__dict__["most_files"] = 0
    try:
        told(await send(desk, digits, photo()), 409, "too-many-files")
    finally:
        desk.app.state.evidence.settings.__dict__["most_files"] = 10
    await nothing_saved(desk, folder)


async def test_a_file_taken_in_a_rush_is_cleaned_by_the_job(desk: Desk, folder: Path) -> None:
    digits, tip_id = await receipt(desk)
    evidence = desk.app.state.evidence
    busy = [await evidence.cleaner._places.acquire() for _ in range(evidence.settings.cleanings_at_once)]
    evidence.settings.__dict__["cleaning_wait_s"] = 0.05
    file = (await send(desk, digits, photo())).json()["files"][0]["file"]
    assert file["state"] == "received" and file["reason"] is None
    officer = await reader(desk)
    told(await desk.client.get(f"/v1/tips/{tip_id}/files/{file['file_id']}", headers=officer), 409, "no-copy")
    for _ in busy:
        evidence.cleaner._places.release()
    await jobs.tend_files(desk.service, evidence)
    assert (await desk.client.get(f"/v1/tips/{tip_id}/files/{file['file_id']}", headers=officer)).status_code == 200
    assert (await desk.rows("SELECT state, version FROM tip_files"))[0] == ("cleaned", 2)


async def test_what_a_crash_left_is_swept_and_what_has_a_row_stays(desk: Desk, folder: Path) -> None:
    digits, _ = await receipt(desk)
    await send(desk, digits, photo())
    mine, evidence = kept(folder), desk.app.state.evidence
    orphan = folder / "files" / str(new_id()) / "original" / "00000"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"sealed")
    assert await evidence_upkeep.sweep(desk.service, evidence, clock.now()) == 0
    assert orphan.exists(), "it may still be on its way to a row"
    assert await evidence_upkeep.sweep(desk.service, evidence, clock.now() + timedelta(hours=3)) == 1
    assert kept(folder) == mine


class Clamd:
    """Speaks clamd's INSTREAM over TCP: finds a signature in what it is sent, and keeps what was sent to look at."""

    def __init__(self, signature: bytes, most: int = 1 << 30) -> None:
        self.signature, self.most, self.seen = signature, most, []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        data = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            data += await reader.readexactly(size)
            if len(data) > self.most:
                writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                writer.close()
                return
        self.seen.append(data)
        writer.write(b"stream: Made-Up FOUND\0" if self.signature in data else b"stream: OK\0")
        await writer.drain()
        writer.close()


@pytest.fixture
async def clamd() -> AsyncIterator[tuple[Clamd, str]]:
    server = Clamd(b"VIRUS")
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        yield server, f"tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def streamed(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 300_000):
        yield data[at : at + 300_000]


async def test_the_scanner_is_told_everything_and_silence_is_never_taken_for_clean(clamd: tuple[Clamd, str]) -> None:
    server, address = clamd
    data = os.urandom(1_000_000)
    assert await Scanner(address).scan(streamed(data)) == "clean" and server.seen == [data]
    assert await Scanner(address).scan(streamed(data + b"VIRUS")) == "found"
    server.most = 10_000
    assert await Scanner(address).scan(streamed(data)) == "failed"
    assert await Scanner("tcp://127.0.0.1:1").scan(streamed(data)) == "failed"
    assert await Scanner("").scan(streamed(data)) == "not_scanned"


async def test_a_virus_is_kept_sealed_and_shown_to_nobody(
    desk: Desk, folder: Path, clamd: tuple[Clamd, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    digits, tip_id = await receipt(desk)
    evidence, officer = desk.app.state.evidence, await reader(desk)
    early = (await send(desk, digits, "笔记 VIRUS".encode())).json()["files"][0]["file"]
    assert early["state"] == "cleaned"
    monkeypatch.setattr(evidence, "scanner", Scanner(clamd[1]))
    late = (await send(desk, digits, "另一份 VIRUS".encode())).json()["files"][0]["file"]
    assert late["state"] == "quarantined" and late["reason"]["zh"] == "查出病毒"
    await jobs.tend_files(desk.service, evidence)
    rows = await desk.rows("SELECT state, scan, copy_size FROM tip_files")
    assert rows == [("quarantined", "found", None)] * 2
    for file in (early, late):
        told(await desk.client.get(f"/v1/tips/{tip_id}/files/{file['file_id']}", headers=officer), 409, "no-copy")
    assert not [path for path in kept(folder) if "copy" in path.parts]


@pytest.fixture(autouse=True)
def settings_as_they_were(desk: Desk) -> Iterator[None]:
    """Some tests turn settings of the running service; the next finds them as they were."""
    before = dict(desk.app.state.evidence.settings.__dict__)
    yield
    desk.app.state.evidence.settings.__dict__.update(before)


async def test_after_its_time_a_file_cannot_be_read_and_its_objects_go(desk: Desk, folder: Path) -> None:
    """Point 6: retention destroys a file's keys at once; the sweep removes what stands in the storage."""
    digits, tip_id = await receipt(desk)
    file_id = (await send(desk, digits, photo())).json()["files"][0]["file"]["file_id"]
    who = await reader(desk)
    assert (await desk.get(f"/v1/tips/{tip_id}/files/{file_id}", who)).status_code == 200 and kept(folder)
    await desk.as_owner("UPDATE tips SET received_at = now() - interval '5 years'")
    await jobs.retain(desk.service)
    gone = await desk.get(f"/v1/tips/{tip_id}/files/{file_id}", who)
    assert gone.status_code == 404, gone.text
    evidence = desk.app.state.evidence
    assert await evidence_upkeep.sweep(desk.service, evidence, clock.now() + timedelta(hours=3)) == 1
    assert kept(folder) == []


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with serving(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["right", "wrong"])
def bucket(request: pytest.FixtureRequest, s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment of a service whose files stand in S3, with its own or with wrong credentials."""
    told = s3.environment() if request.param == "right" else s3.environment(secret_access_key="another-one")
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return request.param


async def test_files_stand_in_a_bucket_or_nothing_is_kept(bucket: str, desk: Desk, s3: S3, folder: Path) -> None:
    """D-B6, point 6: sealed in S3 as in a folder; a bucket that refuses us is told of, and nothing is half-saved."""
    digits, tip_id = await receipt(desk)
    data = photo()
    answer = await send(desk, digits, data)
    if bucket == "wrong":
        told(answer, 503, "file-storage")
        await nothing_saved(desk, folder)
        return
    assert answer.status_code == 201, answer.text
    file = answer.json()["files"][0]["file"]
    stored = kept(s3.folder / "evidence")
    assert stored and not any(MARK.encode() in path.read_bytes() for path in stored) and kept(folder) == []
    shown = await desk.client.get(f"/v1/tips/{tip_id}/files/{file['file_id']}", headers=await reader(desk))
    assert shown.status_code == 200 and shown.content.startswith(b"\xff\xd8") and MARK.encode() not in shown.content
