"""The downline's pages as a browser gets them: what is reached first, files brought in, a member's part recorded."""

from __future__ import annotations

from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.test_downline import as_csv, chain, kept
from tests.integration.casework.test_pages import fields, signed_in


def upload(content: bytes, **more: str) -> tuple[bytes, str]:
    """A form with a file, as a browser sends it."""
    parts = [f'--b\r\ncontent-disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in more.items()]
    head = b'--b\r\ncontent-disposition: form-data; name="file"; filename="x.csv"\r\n\r\n'
    return b"".join([*parts, head, content, b"\r\n--b--\r\n"]), "multipart/form-data; boundary=b"


async def test_the_page_says_what_is_missing_then_that_it_is_reached__d_b1(desk: Desk) -> None:
    """D-B1: the investigator brings a list in on the page and reads whether the filing standard is reached."""
    [case_id] = await desk.open(lead())
    me, address = signed_in(desk), f"/cases/{case_id}/downline"
    empty = await desk.client.get(address, headers=me)
    assert empty.status_code == 200 and "尚未登记发展关系" in empty.text
    for keep, said in (("0", "未保存"), ("1", "还差 1")):
        body, kind = upload(as_csv(chain(3, 29)), kind="statement", keep=keep)
        shown = await desk.client.post(f"{address}/imports", headers=me | {"content-type": kind}, content=body)
        assert shown.status_code == 200 and said in shown.text, shown.text[:500]
    await kept(desk, case_id, as_csv(["A0,A77,某人,付款,2025-07-01,3800"]))
    page = (await desk.client.get(address, headers=me)).text
    assert "现有事实达到立案追诉标准。" in page and "第七十条" in page and "A0" in page
    case = (await desk.client.get(f"/cases/{case_id}", headers=me)).text
    assert "上下线与刑事立案标准" in case and address in case
    found = await desk.client.get(address, headers=me, params={"q": "A77"})
    assert "某人" in found.text


async def test_a_members_part_is_recorded_on_its_page(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await kept(desk, case_id, as_csv(chain(3, 16)))
    me, address = signed_in(desk), f"/cases/{case_id}/downline/members/1"
    form = fields((await desk.client.get(address, headers=me)).text)
    sent = form | {"roles": "initiator", "convicted": "true", "collected": "2,600,000", "grave": "other"}
    done = await desk.client.post(address, headers=me, data=sent)
    assert done.status_code == 303, done.text
    page = (await desk.client.get(address, headers=me)).text
    assert "2600000.00" in page and page.count("checked") == 3
    late = await desk.client.post(address, headers=me, data=form | {"idempotency_key": str(case_id)})
    assert late.status_code == 412
    summary = (await desk.client.get(f"/cases/{case_id}/downline", headers=me)).text
    assert "曾受处罚" in summary and "发起、策划、操纵" in summary


async def test_who_may_not_read_a_downline_sees_no_trace_of_it(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await kept(desk, case_id, as_csv(chain(3, 30)))
    desk_officer = signed_in(desk, posts=("desk",))
    assert "上下线" not in (await desk.client.get(f"/cases/{case_id}", headers=desk_officer)).text
    assert (await desk.client.get(f"/cases/{case_id}/downline", headers=desk_officer)).status_code == 403
