"""The evidence room's pages as a browser without scripts gets them: register, add a photo, copy, hand over, receive, export."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.casework.conftest import Desk
from tests.integration.casework.evidence_room import opened
from tests.integration.casework.test_pages import HTML, fields
from tests.unit.intake.evidence.samples import photo


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's files stand, sealed."""
    monkeypatch.setenv("DACHUAN_OBJECTS_DIR", str(tmp_path / "objects"))
    return tmp_path / "objects"


def signed_in(desk: Desk, agency: str, post: str, unit: str, who: str) -> dict[str, str]:
    token = desk.stack.token(agency=agency, posts=(post,), unit=unit, principal_id=who)
    return HTML | {"cookie": f"dachuan_session={token}"}


def forms(page: str, ending: str) -> dict[str, str]:
    """The hidden fields of the form whose address ends so."""
    found = re.search(rf'<form method="post" action="[^"]*{ending}".*?</form>', page, re.DOTALL)
    assert found, f"no form to {ending}"
    return fields(found[0])


REGISTERED = {
    "kind": "physical", "basis": "prohibition_14", "title": "红色账本", "quantity": "2", "measure": "本",
    "collected_at": "2026-11-01T10:30", "collected_where": "某某路5号", "kept_where": "一柜",
    "officer1_number": "A1", "officer1_name": "甲某某", "officer2_number": "A2", "officer2_name": "乙某某",
}  # fmt: skip


async def test_from_the_case_to_the_receiver_on_pages__x_d7b(desk: Desk) -> None:
    """X-D7b: evidence is collected, kept, handed over and exported on pages; the chain is drawn."""
    room = await opened(desk)
    me = signed_in(desk, "commerce", "investigator", "enforcement", "c-1")
    head = signed_in(desk, "commerce", "head", "enforcement", "c-head")
    police = signed_in(desk, "police", "investigator", "economic_crime", "p-1")
    address = f"/cases/{room.case_id}/evidence"
    case = (await desk.client.get(f"/cases/{room.case_id}", headers=me)).text
    assert "证据室" in case and address in case
    page = (await desk.client.get(address, headers=me)).text
    assert "还没有登记" in page and "刑事程序" not in page and "《禁止传销条例》第十四条" in page
    form = forms(page, "/evidence") | REGISTERED
    few = await desk.client.post(address, headers=me, data=form | {"officer2_number": "A1"})
    assert few.status_code == 422 and "第十五条" in few.text
    made = await desk.client.post(address, headers=me, data=form)
    assert made.status_code == 303, made.text
    item = made.headers["location"].partition("?")[0]
    again = await desk.client.post(address, headers=me, data=form)
    assert again.headers["location"] == made.headers["location"], "the same form sent twice has its effect once"

    sent = await desk.client.post(f"{item}/files", headers=me, files={"file": ("照片.jpg", photo(), "image/jpeg")})
    assert sent.status_code == 303, sent.text
    shown = (await desk.client.get(item, headers=me)).text
    assert "收到文件" in shown and "可以作为证据使用 《刑事诉讼法》第五十四条" in shown and "2 本" in shown
    done = await desk.client.post(re.search(r'action="([^"]*/copies)"', shown)[1].removeprefix("http://127.0.0.1:8402"), headers=me, data=forms(shown, "/copies"))
    assert done.status_code == 303
    shown = (await desk.client.get(item, headers=me)).text
    copy = re.search(r'href="([^"]*/copies/[^"]*)"', shown)[1].removeprefix("http://127.0.0.1:8402")
    assert (await desk.client.get(copy, headers=me)).headers["content-type"] == "image/jpeg"
    moved = await desk.client.post(f"{item}/move", headers=me, data=forms(shown, "/move") | {"kept_where": "二柜"})
    assert moved.status_code == 303, moved.text
    stale = await desk.client.post(f"{item}/return", headers=me, data=forms(shown, "/return") | {"receiver": "丙", "reason": "x"})
    assert stale.status_code == 412

    page = (await desk.client.get(address, headers=me)).text
    assert "制作证据包" not in page, "who may not export sees no form for it"
    chosen = re.search(r'name="items" value="([^"]+:\d+)"', page)[1]
    offered = await desk.client.post(
        f"{address}/handovers",
        headers=me,
        data=forms(page, "/evidence/handovers") | {"items": chosen, "to": "police/economic_crime", "purpose": "transfer"},
    )
    assert offered.status_code == 303, offered.text
    handover = offered.headers["location"].partition("?")[0]
    assert "撤回移交" in (await desk.client.get(handover, headers=me)).text
    waiting = (await desk.client.get("/evidence/handovers", headers=police)).text
    assert handover in waiting
    page = (await desk.client.get(handover, headers=police)).text
    taken = await desk.client.post(f"{handover}/acceptance", headers=police, data=forms(page, "/acceptance") | {"receipt": "7号", "kept_where": "公安证物室"})
    assert taken.status_code == 303, taken.text
    shown = (await desk.client.get(item, headers=police)).text
    assert "已接收" in shown and "7号" in shown and "公安证物室" in shown

    page = (await desk.client.get(address, headers=head)).text
    own = re.search(r'name="items" value="([0-9a-f-]{36})" checked', page)[1]
    exported = await desk.client.post(f"{address}/exports", headers=head, data=forms(page, "/exports") | {"items": own, "reason": "transfer"})
    assert exported.status_code == 303, exported.text
    page = (await desk.client.get(f"{address}?lang=en", headers=head)).text
    fetch = re.search(r'href="([^"]*/package)"', page)[1].removeprefix("http://127.0.0.1:8402")
    assert (await desk.client.get(fetch, headers=head)).content[:2] == b"PK" and "Evidence room" in page


async def test_destruction_is_decided_on_the_page_by_another_person__x_d7b(desk: Desk) -> None:
    """X-D7b: four eyes, on pages too; who proposed it is shown no button."""
    room = await opened(desk)
    item = (await room.item())["item_id"]
    me = signed_in(desk, "commerce", "investigator", "enforcement", "c-1")
    head = signed_in(desk, "commerce", "head", "enforcement", "c-head")
    page = (await desk.client.get(f"/evidence/{item}", headers=me)).text
    sent = await desk.client.post(f"/evidence/{item}/destruction", headers=me, data=forms(page, "/destruction") | {"reason": "依法"})
    assert sent.status_code == 303, sent.text
    assert "批准销毁" not in re.sub("待批准销毁", "", (await desk.client.get(f"/evidence/{item}", headers=me)).text)
    page = (await desk.client.get(f"/evidence/{item}", headers=head)).text
    done = await desk.client.post(f"/evidence/{item}/destruction/decision", headers=head, data=forms(page, "/decision") | {"approve": "true"})
    assert done.status_code == 303, done.text
    assert "已销毁" in (await desk.client.get(f"/evidence/{item}", headers=head)).text
