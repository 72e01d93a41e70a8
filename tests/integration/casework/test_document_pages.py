"""Documents on pages: a draft's form made of its kind, what is wrong beside its field, approval, issue, the register."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.casework.adapters.documents.defaults import default_template
from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.documents import HEAD, INVESTIGATOR, POLICE, Papers
from tests.unit.casework.documents.samples import sample
from tests.unit.casework.documents.test_files import edited


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def inputs_of(html: str) -> dict[str, str]:
    """The hidden fields of the first form that saves, and where it goes."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))


async def send(desk: Desk, path: str, who: dict[str, Any], fields: dict[str, str], **more: Any) -> Any:
    headers = desk.bearer(**who) | {"sec-fetch-site": "same-origin", "accept": "text/html"}
    return await desk.client.post(path, headers=headers, data=fields, follow_redirects=False, **more)


async def show(desk: Desk, path: str, who: dict[str, Any]) -> str:
    answer = await desk.client.get(path, headers=desk.bearer(**who) | {"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


def as_fields(values: dict[str, Any]) -> dict[str, str]:
    """Values as a browser sends them from the form."""
    sent: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, list):
            sent |= {f"f.{name}.{n}.{column}": str(text) for n, row in enumerate(value) for column, text in row.items()}
        else:
            sent[f"f.{name}"] = str(value)
    return sent


async def test_from_the_case_to_an_issued_decision_by_pages__d_a4(desk: Desk, papers: Papers) -> None:
    """D-A4: drafted with what the case says, its law and certainty beside; approved on another's page; issued, served."""
    [case_id] = await desk.open(lead())
    kind = desk.client._transport.app.state.documents.desk.catalogue.kinds["penalty_decision"]  # type: ignore[attr-defined]
    case = await show(desk, f"/cases/{case_id}", INVESTIGATOR)
    assert f"/cases/{case_id}/documents" in case
    listed = await show(desk, f"/cases/{case_id}/documents", INVESTIGATOR)
    assert "行政处罚决定书" in listed and "立案决定书" not in listed, "only what one's agency issues"
    made = await send(desk, f"/cases/{case_id}/documents", INVESTIGATOR, {"idempotency_key": inputs_of(listed)["idempotency_key"], "kind": "penalty_decision"})
    at = made.headers["location"].partition("?")[0]
    form = await show(desk, at, INVESTIGATOR)
    for words in ("《行政处罚法》第五十九条", "缺少：违反法律的事实", "保存草稿", 'name="f.evidence.0.name"', "法院"):
        assert words in form
    hidden = inputs_of(form)
    values = as_fields(sample(kind) | {"fine": "-5", "party": "<b>王五</b>"})
    wrong = await send(desk, at, INVESTIGATOR, {"idempotency_key": hidden["idempotency_key"], "version": "1"} | values)
    assert wrong.status_code == 422 and "最多两位小数" in wrong.text and "&lt;b&gt;王五" in wrong.text and 'value="-5"' in wrong.text
    saved = await send(desk, at, INVESTIGATOR, {"idempotency_key": inputs_of(wrong.text)["idempotency_key"], "version": "1"} | values | {"f.fine": "50000"})
    assert saved.status_code == 303
    ready = await show(desk, at, INVESTIGATOR)
    assert "缺少" not in ready and "签发并编号" not in ready
    assert "行政处罚决定书" in await show(desk, "/documents/waiting", HEAD)
    approve = inputs_of(await show(desk, at, HEAD))
    done = await send(desk, f"{at}/approve", HEAD, {"idempotency_key": approve["idempotency_key"], "version": "2"})
    assert done.status_code == 303
    key = inputs_of(await show(desk, at, INVESTIGATOR))["idempotency_key"]
    assert (await send(desk, f"{at}/issue", INVESTIGATOR, {"idempotency_key": key, "version": "3"})).status_code == 303
    issued = await show(desk, at, INVESTIGATOR)
    assert "大涌市监传罚〔" in issued and "登记送达" in issued and "保存草稿" not in issued
    stale = await send(desk, f"{at}/withdraw", HEAD, {"idempotency_key": inputs_of(issued)["idempotency_key"], "version": "3", "reason": "写错"})
    assert stale.status_code == 412 and "您打开之后这份文书有变动" in stale.text
    served = await send(
        desk, f"{at}/serve", INVESTIGATOR,
        {"idempotency_key": inputs_of(await show(desk, at, INVESTIGATOR))["idempotency_key"], "version": "4", "served_at": re.search(r'name="served_at"[^>]*value="([^"]+)"', issued)[1], "way": "direct", "receiver": "party"},  # type: ignore[index]
    )  # fmt: skip
    assert served.status_code == 303 and "直接送达" in await show(desk, at, INVESTIGATOR)
    shared = await show(desk, f"/cases/{case_id}/documents", POLICE)
    assert "大涌市监传罚〔" in shared


async def test_the_register_page_sets_style_start_and_template(desk: Desk, papers: Papers) -> None:
    page = await show(desk, "/document-numbers?issuer=commerce", HEAD)
    assert "全国统一的机关代字没有查到" in page and "大涌市监传罚〔" in page and "恢复默认模板" not in page
    key = inputs_of(page)["idempotency_key"]
    fields = {"idempotency_key": key, "version": "0", "issuer": "commerce", "series": "penalty"}
    bad = await send(desk, "/document-numbers", HEAD, fields | {"style": "{year}号", "first": "1"})
    assert bad.status_code == 422 and "编号样式要有一个" in bad.text
    good = await send(desk, "/document-numbers", HEAD, fields | {"style": "涌罚〔{year}〕{n}号", "first": "40"})
    assert good.status_code == 303
    assert "40号" in await show(desk, "/document-numbers?issuer=commerce", HEAD)
    kind = desk.client._transport.app.state.documents.desk.catalogue.kinds["inquiry_notice"]  # type: ignore[attr-defined]
    upload = {"idempotency_key": key, "version": "0", "issuer": "commerce", "kind": "inquiry_notice"}
    wrong = edited(kind, {"{{ contact }}": "{{ kontakt }}"})
    refused = await send(desk, "/document-templates", HEAD, upload, files={"file": ("a.docx", wrong)})
    assert (refused.status_code == 422 and "kontakt" in refused.text) or "本文书没有这个字段" in refused.text
    taken = await send(desk, "/document-templates", HEAD, upload, files={"file": ("a.docx", default_template(kind))})
    assert taken.status_code == 303 and "恢复默认模板" in await show(desk, "/document-numbers?issuer=commerce", HEAD)
    denied = await desk.client.get("/document-numbers", headers=desk.bearer(**INVESTIGATOR) | {"accept": "text/html"})
    assert denied.status_code == 403
