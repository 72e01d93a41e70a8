"""Outside formats read: the published examples, and everything that can be wrong with an item or a body."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.adapters.channels import FORMATS, Handin, Unreadable, Wrong
from shared.kit.clock import CHINA
from shared.rules.plan.vocabulary import CHANNELS

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "handins"
FILES = {"110": "110.json", "12315": "12315.json", "12345": "12345.xml", "petition": "petition.json",
         "telecom": "telecom.csv", "media": "media.json", "net-patrol": "net-patrol.csv"}  # fmt: skip


def example(name: str) -> bytes:
    return (EXAMPLES / FILES[name]).read_bytes()


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_published_example_is_read_whole(name: str) -> None:
    """One envelope, one function for each format: number, words, region, time, and who assigned it."""
    form = FORMATS[name]
    items = form.read(example(name))
    assert form.channel in CHANNELS and items
    for item in items:
        assert isinstance(item, Handin), item
        assert item.external_ref and len(item.text) > 20 and item.posted_at and item.dispatched_by
        assert item.posted_at.utcoffset() is not None


def test_fields_stand_where_they_belong() -> None:
    item = FORMATS["12345"].read(example("12345"))[0]
    assert isinstance(item, Handin)
    assert (item.external_ref, item.dispatch_no, item.region, item.place) == (
        "ZS20261120A00931", "PD-2026-118204", "大涌社区", "旗山路48号",
    )  # fmt: skip
    assert item.posted_at == datetime(2026, 11, 20, 8, 47, 10, tzinfo=CHINA)
    patrol = FORMATS["net-patrol"].read(example("net-patrol"))[0]
    assert isinstance(patrol, Handin) and "账号：某某财富导师，cf_example_001，某短视频平台" in patrol.text


def test_callers_names_and_phones_are_not_read() -> None:
    """Point 6: what such systems send of the caller does not get past the door."""
    told = b'{"jjdbh": "J1", "bjnr": "x", "bjrxm": "Zhang San", "bjrdh": "13800000000", "sfzh": "442000"}'
    [item] = FORMATS["110"].read(told)
    for secret in ("Zhang San", "13800000000", "442000"):
        assert secret not in repr(item)


@pytest.mark.parametrize(
    ("name", "body", "field", "code"),
    [
        ("110", '{"jjdbh": "J1"}', "bjnr", "missing"),
        ("110", '{"bjnr": "x"}', "jjdbh", "missing"),
        ("110", '{"jjdbh": "J1", "bjnr": ["x"]}', "bjnr", "type"),
        ("110", '{"jjdbh": "J1", "bjnr": "x", "bjsj": "yesterday"}', "bjsj", "time"),
        ("110", '{"jjdbh": "J1", "bjnr": "' + "x" * 20_001 + '"}', "bjnr", "too-long"),
        ("110", '{"jjdbh": "' + "9" * 101 + '", "bjnr": "x"}', "jjdbh", "too-long"),
        ("110", '{"jjdbh": "J1", "bjnr": "a\\u0000b"}', "bjnr", "characters"),
        ("12315", '{"recordNo": "1", "type": "咨询", "content": "x", "distributeOrg": "y"}', "type", "value"),
        ("12315", '{"recordNo": "1", "type": "举报", "content": "x"}', "distributeOrg", "missing"),
        ("12345", "<WorkOrder><OrderNo>1</OrderNo></WorkOrder>", "Content", "missing"),
        ("net-patrol", "线索编号,类型,地址或账号,情况\nW1,论坛,a,b", "类型", "value"),
        ("telecom", "通报编号,对象类型,对象,情况说明\nT1,网站,,b", "对象", "missing"),
        ("media", '{"id": "1", "source": "a", "title": "b"}', "summary", "missing"),
        ("petition", '{"xfjbh": "1", "gaishu": "x", "xfrq": "2026-13-40"}', "xfrq", "time"),
    ],
)
def test_a_wrong_item_says_its_field_and_the_others_stand(name: str, body: str, field: str, code: str) -> None:
    [wrong] = FORMATS[name].read(body.encode())
    assert isinstance(wrong, Wrong) and (wrong.field, wrong.code) == (field, code)
    assert wrong.zh and wrong.en


def test_one_wrong_item_does_not_spoil_the_rest() -> None:
    items = FORMATS["110"].read(b'[{"jjdbh": "J1", "bjnr": "x"}, {"jjdbh": "J2"}, {"jjdbh": "J3", "bjnr": "y"}]')
    assert [type(item).__name__ for item in items] == ["Handin", "Wrong", "Handin"]
    assert isinstance(items[1], Wrong) and items[1].external_ref == "J2"


BOMB = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;">]><WorkOrder>&c;</WorkOrder>'
OUTSIDE = b'<!DOCTYPE b SYSTEM "file:///etc/passwd"><WorkOrder><OrderNo>1</OrderNo></WorkOrder>'


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("110", b"{"), ("110", b"[1, 2]"), ("110", b'"text"'), ("110", b"\xff\xfe"),
        ("12345", BOMB), ("12345", OUTSIDE), ("12345", b"<WorkOrder>"), ("12345", b"<Other/>"), ("12345", b""),
        ("telecom", b"a,b\n\"x"), ("telecom", b"a,b\n\0,\0"), ("net-patrol", b"\xff\xff\xff\xff"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused_whole(name: str, body: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        FORMATS[name].read(body)
    assert refused.value.zh and refused.value.en


def test_csv_as_office_programs_write_it() -> None:
    """GB 18030 with CRLF, quoted line ends, and a UTF-8 mark are all read alike."""
    told = example("net-patrol").decode().replace("\n", "\r\n")
    expected = FORMATS["net-patrol"].read(told.encode())
    assert FORMATS["net-patrol"].read(told.encode("gb18030")) == expected
    assert FORMATS["net-patrol"].read(told.encode("utf-8-sig")) == expected


@given(st.binary(max_size=300), st.sampled_from(sorted(FORMATS)))
def test_no_bytes_bring_a_reader_down(body: bytes, name: str) -> None:
    try:
        assert all(isinstance(item, (Handin, Wrong)) for item in FORMATS[name].read(body))
    except Unreadable:
        pass
