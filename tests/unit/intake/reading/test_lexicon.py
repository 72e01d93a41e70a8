"""The lexicon's data: every group says why, every word is written as the reader will meet it."""

import tomllib
from pathlib import Path

import pytest

from services.intake.domain.reading import KINDS, TOPICS, kind_name, read, reason_name, topic_name
from services.intake.domain.reading.expressions import leads
from services.intake.domain.reading.folding import fold
from services.intake.domain.reading.lexicon import lexicon

FOLDER = Path(lexicon.__wrapped__.__code__.co_filename).with_name("lexicon")
DATA = {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in FOLDER.glob("*.toml")}


def groups(*keys: str):
    return [group for data in DATA.values() for key in keys for group in data.get(key, ())]


@pytest.mark.parametrize("group", groups("sign", "pattern", "combo", "context", "alarm", "cancel"), ids=str)
def test_every_group_says_why(group: dict):
    assert group["why"].strip().endswith((".", "!"))


@pytest.mark.parametrize(
    "group", groups("sign", "pattern", "combo"), ids=lambda group: str(group.get("code", group.get("all")))
)
def test_kinds_exist(group: dict):
    assert set(group.get("kinds", ())) <= set(KINDS)


def test_topics_are_those_of_the_model_and_other_is_what_is_left():
    assert {*lexicon().topics, "other"} == set(TOPICS)


def test_words_are_folded_and_stand_once_in_a_group():
    for group in groups("sign", "alarm"):
        words = group.get("words", "").split()
        assert [word for word in words if fold(word) != word] == [], group["code"]
        assert len(set(words)) == len(words), (group["code"], [word for word in words if words.count(word) > 1])


def test_expressions_begin_with_words_and_combos_name_what_exists():
    known = {group["code"] for group in groups("sign", "pattern")}
    for group in groups("pattern", "alarm", "context"):
        for expression in (*group.get("expressions", ()), *group.get("around", ())):
            assert leads(expression)
    for combo in groups("combo"):
        assert set(combo["all"]) <= known


@pytest.mark.parametrize("bad", ["[abc]x", "(?:a|b)?c", ".x"])
def test_an_expression_that_may_begin_anywhere_is_refused(bad: str):
    with pytest.raises(ValueError, match="begin"):
        leads(bad)


@pytest.mark.parametrize(
    "written",
    [
        "传销",
        "傳銷",
        "传 销",
        "传*销",
        "传·销",
        "chuanxiao",
        "传xiao",
        "伝銷",
        "传\u200b销",
        "Chuan销",
        "传-销",
        "搞川销",
    ],
)
def test_the_name_however_it_is_written(written: str):
    assert read("", f"这里有人搞{written}，骗人").relevant


@pytest.mark.parametrize(
    "words",
    [
        "虚假宣传销售",
        "宣传销毁假币",
        "上传销售数据",
        "产品下线",
        "厂家直销",
        "发展线下门店",
        "举报单位乱收费",
        "请市场监管局宣传消息",
    ],
)
def test_longer_words_hide_a_sign(words: str):
    reading = read("", f"{words}，请处理")
    assert not reading.relevant and reading.score < 60


def test_every_code_has_a_name_for_people():
    codes = {
        group["code"]
        for group in groups("sign", "pattern", "alarm")
        if group["code"] not in ("misspelt", "accuse", "opener")
    }
    codes |= {f"named_{context}" for context in (*lexicon().contexts, "past", "praise") if context != "asserted"} | {
        "held_before"
    }
    for name, known in ((reason_name, codes), (kind_name, KINDS), (topic_name, TOPICS)):
        for code in known:
            assert name(code) != code and name(code, english=True) != name(code), code
    assert reason_name("of-an-older-lexicon") == "of-an-older-lexicon"


@pytest.mark.parametrize(
    "words",
    [
        "没有人管传销", "我弟弟参与传销", "他与传销组织有关", "你们管不管传销", "你们不管传销吗", "警察不打击传销", "当时不知道那是传销", "没想到是传销", "不要让传销再害人", "他不承认是传销", "不知道是不是传销",
        "无法无天的传销", "说是做生意不是传销，其实就是传销", "明明是传销却说不是传销", "怕不是传销", "莫不是传销", "该不会是传销吧", "会不会是传销", "这难道没有传销吗", "严重怀疑是传销", "他从不说是传销", "没有部门管传销",
        "工商没有查传销", "不属于直销属于传销", "从事传销", "我没钱了都被传销骗光", "小区有没有传销", "是否存在传销", "举报无证传销", "不明真相参加传销", "不小心进了传销", "不幸误入传销", "不慎陷入传销",
        "没办法只好举报传销", "非要拉我搞传销", "不停地拉人做传销", "不断发展传销", "不法传销", "不良传销团伙", "没有营业执照搞传销", "我不想做传销了他们不放人", "不能再让传销坑人", "又不敢说是传销", "与传销人员同住",
        "参与者都是传销受害者", "不单是传销", "不仅是传销", "不只是传销", "不光搞传销还打人",
    ],
)  # fmt: skip
def test_a_no_somewhere_before_the_name_denies_nothing(words: str):
    assert read("", words).relevant


@pytest.mark.parametrize(
    "words",
    [
        "我们不是传销", "公司没有搞传销", "本店与传销无关", "并非传销", "不存在传销行为", "被误认为是传销", "有人造谣我们搞传销", "我不做传销的", "我从没搞过传销", "合法直销非传销",
    ],
)  # fmt: skip
def test_a_denial_is_one(words: str):
    assert not read("", words).relevant
