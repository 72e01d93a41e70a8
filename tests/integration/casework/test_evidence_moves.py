"""Evidence changes hands with a receipt, and leaves in a package that a stranger checks with public tools."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.kit import clock
from tests.conftest import missing
from tests.integration.casework.conftest import Desk
from tests.integration.casework.evidence_room import opened, sha256, told
from tests.integration.casework.test_evidence import jobs_room
from tests.unit.intake.evidence.samples import pdf, photo

PHOTO = photo()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's files stand, sealed."""
    monkeypatch.setenv("DACHUAN_OBJECTS_DIR", str(tmp_path / "objects"))
    return tmp_path / "objects"


async def test_items_are_the_givers_until_the_receiver_accepts__d_a5(desk: Desk) -> None:
    """D-A5: with a transfer goods and materials go to the police; X-D7b: every step in the custody chain."""
    room = await opened(desk)
    items = [await room.item(), await room.item(title="传单一箱", quantity=300, measure="张")]
    await room.send(items[0], PHOTO)
    items = [await room.read(one) for one in items]
    filed = (clock.now() - timedelta(days=1)).isoformat()
    told(await room.offer(*items, who=room.police), 403, "not-the-keeper")
    told(await room.offer(items[0], items[0]), 422, "named-twice")
    told(await room.offer(items[0], to_agency="nobody"), 422, "unknown-agency")
    told(await room.offer(items[0], to_unit="nobody"), 422, "unknown-unit")
    told(await room.offer(items[0] | {"version": 1}), 412, "outdated")
    answer = await room.offer(*items, filed_on=filed, note="连同清单")
    assert answer.status_code == 201, answer.text
    offered = answer.json()
    assert offered["rule"] == "transfer.hand_over_goods" and offered["due"] and offered["state"] == "offered"
    assert [one["title"] for one in offered["items"]] == ["红色账本", "传单一箱"]
    path = f"/evidence/handovers/{offered['handover_id']}"
    stands = await room.read(items[0])
    assert (stands["state"], stands["holder_agency"], stands["offered_agency"]) == ("offered", "commerce", "police")
    told(await room.send(items[1], b"later"), 409, "not-possible-now")
    accepting = {"receipt": "大公经物字〔2026〕7号", "kept_where": "公安物证室"}
    told(await room.post(f"{path}/acceptance", room.commerce, accepting, version=1), 403, "other-side")
    told(await room.post(f"{path}/acceptance", room.police, accepting), 428, "if-match-required")
    told(await room.post(f"{path}/acceptance", room.police, {"kept_where": "x"}, version=1), 422, "invalid")
    told(await room.post(f"{path}/withdrawal", room.police, version=1), 403, "other-side")
    waits = (await desk.get("/v1/evidence/handovers/waiting", room.police)).json()["items"]
    assert [one["handover_id"] for one in waits] == [offered["handover_id"]] and waits[0]["may_answer"]
    assert (await desk.get("/v1/evidence/handovers/waiting", room.commerce)).json()["items"] == []
    done = await room.post(f"{path}/acceptance", room.police, accepting, version=1)
    assert done.json()["state"] == "accepted" and done.json()["in_time"] is True, done.text
    told(await room.post(f"{path}/refusal", room.police, {"reason": "x"}, version=2), 409, "answered-before")
    now_theirs = await room.read(items[0], room.police)
    assert (now_theirs["holder_agency"], now_theirs["holder_unit"], now_theirs["kept_where"]) == ("police", "economic_crime", "公安物证室")
    told(await room.post(f"/evidence/{items[0]['item_id']}/move", room.commerce, {"kept_where": "一柜"}, version=now_theirs["version"]), 403, "not-the-keeper")
    assert await room.actions(items[0], room.police) == ["received", "file_received", "offered", "handed_over"]
    [event] = [data for row, data in await desk.events() if row.type == "dachuan.case.evidence-handed-over.v1"]
    assert (event.items, event.from_agency, event.to_agency, event.in_time, event.purpose) == (2, "commerce", "police", True, "transfer")


async def test_refused_withdrawn_and_late__d_a5(desk: Desk) -> None:
    """D-A5: an answer with a reason; the keeper stays answerable; late is late."""
    room = await opened(desk)
    item = await room.item()
    offered = (await room.offer(item)).json()
    refused = await room.post(f"/evidence/handovers/{offered['handover_id']}/refusal", room.police, {"reason": "清单不符"}, version=1)
    assert refused.json()["state"] == "refused" and refused.json()["reason"] == "清单不符"
    item = await room.read(item)
    assert (item["state"], item["holder_agency"], item["offered_agency"]) == ("held", "commerce", None)
    offered = (await room.offer(item)).json()
    gone = await room.post(f"/evidence/handovers/{offered['handover_id']}/withdrawal", room.commerce, version=1)
    assert gone.json()["state"] == "withdrawn"
    late = (await room.offer(await room.read(item), filed_on=(clock.now() - timedelta(days=9)).isoformat())).json()
    done = await room.post(f"/evidence/handovers/{late['handover_id']}/acceptance", room.police, {"receipt": "1", "kept_where": "二柜"}, version=1)
    assert done.json()["in_time"] is False
    assert await room.actions(item, room.police) == ["received", "offered", "refused", "offered", "withdrawn", "offered", "handed_over"]


async def test_an_agency_that_is_no_party_sees_what_it_is_handed_and_nothing_else__x_d7b(desk: Desk) -> None:
    """X-D7b: before the offer it sees nothing; what it holds it sees, and nothing else of the case."""
    room = await opened(desk)
    item, other = await room.item(), await room.item(title="别的")
    lab = desk.bearer("food_drug", ("investigator", "head"), principal_id="lab-1")
    told(await desk.get(f"/v1/evidence/{item['item_id']}", lab), 404, "evidence-not-found")
    offered = (await room.offer(item, to_agency="food_drug", to_unit=None, purpose="examination")).json()
    assert (await desk.get(f"/v1/evidence/{item['item_id']}", lab)).status_code == 200
    told(await desk.get(f"/v1/evidence/{other['item_id']}", lab), 404, "evidence-not-found")
    path = f"/evidence/handovers/{offered['handover_id']}/acceptance"
    done = await room.post(path, lab, {"receipt": "收1", "kept_where": "检验室"}, version=1)
    assert done.json()["state"] == "accepted", done.text
    listed = (await desk.get(f"/v1/cases/{room.case_id}/evidence", lab)).json()["items"]
    assert [one["item_id"] for one in listed] == [item["item_id"]]
    assert (await room.read(item))["holder_agency"] == "food_drug"


async def test_a_court_outside_the_system_receives_on_paper_and_gives_back__x_d5(desk: Desk) -> None:
    """X-D5: a court helps to try the case; its receipt is recorded by another officer than the one who handed over."""
    room = await opened(desk)
    item = await room.item()
    offered = (await room.offer(item, to_agency="court", to_unit=None, purpose="court")).json()
    path = f"/evidence/handovers/{offered['handover_id']}/acceptance"
    receipt = {"receipt": "（2026）收字12号", "kept_where": "法院赃证物室"}
    told(await room.post(path, room.commerce, receipt, version=1), 403, "same-person")
    told(await room.post(path, room.police, receipt, version=1), 404, "handover-not-found")
    assert (await room.post(path, room.commerce_head, receipt, version=1)).json()["state"] == "accepted"
    item = await room.read(item)
    assert (item["holder_agency"], item["kept_where"]) == ("court", "法院赃证物室") and item["may_hold"]
    back = (await room.offer(item, to_agency="commerce", to_unit="enforcement", purpose="keeping")).json()
    path = f"/evidence/handovers/{back['handover_id']}/acceptance"
    again = await room.post(path, room.commerce_head, {"receipt": "退1", "kept_where": "一柜"}, version=1)
    assert again.json()["state"] == "accepted", again.text
    assert (await room.read(item))["holder_agency"] == "commerce"
    lines = (await room.chain(item))["lines"]
    assert [line["action"] for line in lines] == ["received", "offered", "handed_over", "offered", "handed_over"]
    assert lines[2]["facts"]["recorded_for"] == "court"


async def test_two_officers_at_once_only_one_hands_over__x_d7b(desk: Desk) -> None:
    """X-D7b: of two offers of one item at the same time one stands; the chain has no gap and no fork."""
    room = await opened(desk)
    item = await room.item()
    answers = await asyncio.gather(*(room.offer(item) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 412, 412, 412]
    assert await room.actions(item) == ["received", "offered"]


async def test_a_package_is_verified_by_a_stranger_with_public_tools__x_d7b(desk: Desk, tmp_path: Path) -> None:
    """X-D7b: unzip, sha256sum -c, openssl pkeyutl -verify; offline, without us; and a change is found."""
    room = await opened(desk)
    first, second = await room.item(), await room.item(kind="documentary", title="聊天记录")
    await room.send(first, PHOTO)
    await room.send(first, b"MZ" + bytes(70_000))
    paper = pdf()
    await room.send(second, paper)
    path = f"/cases/{room.case_id}/evidence/exports"
    body = {"items": [second["item_id"], first["item_id"]], "reason": "prosecution", "note": "审查起诉"}
    told(await room.post(path, room.commerce, body), 403, "forbidden")
    told(await room.post(path, room.commerce_head, body | {"reason": "curious"}), 422, "invalid")
    made = await room.post(path, room.commerce_head, body)
    assert made.status_code == 201, made.text
    export = made.json()
    assert (export["items"], export["files"], export["bytes"]) == (2, 3, len(PHOTO) + 70_002 + len(paper))
    got = await desk.get(f"/v1/evidence/exports/{export['export_id']}/package", room.commerce_head)
    assert got.status_code == 200 and got.headers["content-type"] == "application/zip"
    out = tmp_path / "stranger"
    out.mkdir()
    zipfile.ZipFile(io.BytesIO(got.content)).extractall(out)

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            missing(f"{command[0]} is not installed: it checks the package as a stranger would")
            raise

    assert run("sha256sum", "--strict", "-c", "manifest.txt").returncode == 0
    verify = ("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public-key.pem", "-rawin", "-in", "manifest.txt", "-sigfile", "manifest.txt.sig")
    assert run(*verify).returncode == 0, run(*verify).stderr
    run("openssl", "pkey", "-pubin", "-in", "public-key.pem", "-outform", "DER", "-out", "key.der")
    keys = (await desk.client.get("/.well-known/dachuan-evidence-keys")).json()["keys"]
    assert [one["key_id"] for one in keys if one["current"]] == [sha256((out / "key.der").read_bytes())] == [export["key_id"]]
    assert keys[0]["pem"] == (out / "public-key.pem").read_text()
    names = {line.split("  ")[1] for line in (out / "manifest.txt").read_text().splitlines()}
    packed = {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()}
    assert packed == names | {"manifest.txt", "manifest.txt.sig", "key.der"}, "nothing is packed that the manifest does not cover"
    assert sha256((out / "manifest.txt").read_bytes()) == export["manifest_sha256"]

    details = json.loads((out / "manifest.json").read_text())
    assert [(one["number"], one["title"], len(one["files"])) for one in details["items"]] == [(1, "红色账本", 2), (2, "聊天记录", 1)]
    assert (out / details["items"][0]["files"][0]["path"]).read_bytes() == PHOTO
    previous = "00" * 32
    for line in (out / "custody" / "0001.jsonl").read_bytes().splitlines():
        assert json.loads(line)["previous"] == previous
        previous = hashlib.sha256(line).hexdigest()
    assert previous == details["items"][0]["custody_head"]
    told_words = {json.loads(line)["seq"]: hashlib.sha256(line).hexdigest() for line in (out / "custody" / "0001.words.jsonl").read_bytes().splitlines()}
    lines = [json.loads(line) for line in (out / "custody" / "0001.jsonl").read_bytes().splitlines()]
    assert [one["action"] for one in lines] == ["received", "file_received", "file_received", "exported"]
    assert {one["seq"]: one["words"] for one in lines if one["words"]} == told_words
    readme = (out / "README.txt").read_text()
    assert "怎样核验" in readme and "How to check it" in readme and export["key_id"] in readme

    assert await room.actions(first) == ["received", "file_received", "file_received", "exported", "package_read"]
    [event] = [data for row, data in await desk.events() if row.type == "dachuan.case.evidence-exported.v1"]
    assert (event.items, event.files, event.reason, event.agency) == (2, 3, "prosecution", "commerce")
    [entry] = await desk.rows("SELECT facts FROM audit WHERE action = 'evidence.export'")
    assert entry.facts["reason"] == "prosecution"

    target = out / details["items"][0]["files"][0]["path"]
    target.write_bytes(PHOTO[:-1] + b"x")
    assert run("sha256sum", "-c", "manifest.txt").returncode != 0
    (out / "manifest.txt").write_text((out / "manifest.txt").read_text().replace(sha256(PHOTO), sha256(target.read_bytes())))
    assert run("sha256sum", "-c", "manifest.txt").returncode == 0, "who changes both is found by the signature"
    assert run(*verify).returncode != 0


async def test_a_package_with_the_criminal_track_needs_the_right_to_it__x_d7b(desk: Desk) -> None:
    """X-D7b: what an officer may not see cannot be exported, nor can a package with it be fetched."""
    room = await opened(desk)
    secret = await room.item(room.police, track="criminal", basis="criminal_141")
    body = {"items": [secret["item_id"]], "reason": "court"}
    told(await room.post(f"/cases/{room.case_id}/evidence/exports", room.commerce_head, body), 404, "evidence-not-found")
    made = (await room.post(f"/cases/{room.case_id}/evidence/exports", room.police_head, body)).json()
    told(await desk.get(f"/v1/evidence/exports/{made['export_id']}/package", room.commerce_head), 404, "export-not-found")
    assert (await desk.get(f"/v1/cases/{room.case_id}/evidence/exports", room.commerce_head)).json()["items"] == []


async def test_a_file_that_rots_breaks_its_package_off(desk: Desk, folder: Path) -> None:
    room = await opened(desk)
    item = await room.item()
    await room.send(item, bytes(3 << 20))
    body = {"items": [item["item_id"]], "reason": "court"}
    made = (await room.post(f"/cases/{room.case_id}/evidence/exports", room.commerce_head, body)).json()
    path = sorted(file for file in folder.rglob("*") if file.is_file())[2]
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    got = await desk.get(f"/v1/evidence/exports/{made['export_id']}/package", room.commerce_head)
    assert not zipfile.is_zipfile(io.BytesIO(got.content)), "it breaks off: there is no whole ZIP with a false file"
    assert (await desk.rows("SELECT state FROM evidence_files"))[0].state == "damaged"
    assert (await room.actions(item))[-1] == "damage_found"


async def test_fifty_megabytes_come_in_and_go_out_in_a_bounded_space(desk: Desk) -> None:
    """Memory while a file of 50 MB is taken, made a package of and fetched: a small part of the file."""
    room = await opened(desk)
    item = await room.item()
    piece = hashlib.sha256(b"seed").digest() * 2048

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(800):
            yield number.to_bytes(8, "big") + piece[8:]

    await room.send(item, PHOTO)
    tracemalloc.start()
    try:
        assert (await room.send(item, chunks())).status_code == 201
        taken = tracemalloc.get_traced_memory()[1]
        body = {"items": [item["item_id"]], "reason": "court"}
        made = (await room.post(f"/cases/{room.case_id}/evidence/exports", room.commerce_head, body)).json()
        from services.casework.commands.evidence import exports
        from shared.kit.access import Caller

        caller = Caller("officer", "c-head", "dayong", "commerce", "enforcement", rights={"evidence.export": "own_agency"})
        from uuid import UUID

        parcel = await exports.take_away(jobs_room(desk), caller, UUID(made["export_id"]))
        tracemalloc.reset_peak()
        size = 0
        async for sent in exports.stream(jobs_room(desk), parcel):
            size += len(sent)
        packed = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 50 << 20 and made["bytes"] > 50 << 20
    assert taken < 30 << 20 and packed < 30 << 20, (taken, packed)
