"""Any words at all: never an error, always the same answer, always in time linear in the length."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.reading import KINDS, LEXICON_VERSION, TOPICS, read
from services.intake.domain.reading.folding import fold
from services.intake.domain.reading.lexicon import lexicon

_ANY = st.text(st.characters(codec=None, categories=None), max_size=300)
_OURS = st.lists(st.sampled_from([*lexicon().words, "，", "。", "3", "十", "栋", "1806", "元", "\n"]), max_size=60).map(
    "".join
)


@settings(max_examples=200, deadline=None)
@given(_ANY, _ANY | _OURS)
def test_any_words_are_read_and_always_alike(subject: str, text: str):
    reading = read(subject, text)
    assert reading == read(subject, text)
    assert set(reading.kinds) <= set(KINDS)
    assert bool(reading.kinds) == reading.relevant
    assert (reading.belongs_to is None) == reading.relevant
    assert reading.belongs_to is None or reading.belongs_to in TOPICS
    assert len(reading.targets) <= 24 and len(reading.places) <= 8


@given(_ANY)
def test_folding_twice_is_folding_once(text: str):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "text",
    [
        "传" * 100_000, "1" * 100_000, "拉一个" * 40_000, "被关在里面不让走" * 5_000, "1栋" * 30_000, "小区" * 30_000, "（“" * 30_000, "a." * 50_000,
        "一二三四五六七八九十百千万几数" * 3_000, "被传销不是" * 20_000, "没收了我的" * 20_000, "中山路1号" * 20_000, "大头目叫" * 20_000,
        "每天几十个人" * 15_000, "交3万元" * 20_000, "传销，" * 30_000, "不放我，" * 20_000, "\u200b" * 100_000, "😀" * 100_000,
        "我弟弟被骗进传销失联了" * 2_000,
    ],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_hostile_input_takes_bounded_time(text: str):
    started = time.process_time()
    read(text[:40], text)
    assert time.process_time() - started < 2.0


def test_what_matters_is_found_at_both_ends_of_a_very_long_story():
    filler = "今天天气很好，我们去公园散步。" * 3_000
    for text in (
        "望月苑10栋1806是传销窝点，关着人不让走。" + filler,
        filler + "望月苑10栋1806是传销窝点，关着人不让走。",
    ):
        reading = read("", text)
        assert reading.relevant and reading.urgent and reading.places[0].room == "1806"


def test_empty_message():
    reading = read("", "")
    assert not reading.relevant and not reading.urgent and reading.belongs_to == "other"


def test_the_version_is_told():
    assert LEXICON_VERSION == lexicon().version != ""
