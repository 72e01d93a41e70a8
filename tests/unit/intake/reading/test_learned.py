"""The likeness of a message's wording: what it was learned from, and that it holds for messages it was not learned from."""

import pytest

from services.intake.domain.reading import learned, read
from services.intake.domain.reading.lexicon import lexicon
from services.intake.domain.reading.reader import without_name
from tests.unit.intake.reading import learning
from tests.unit.intake.reading.cases import cases

ALL = list(cases())
BLIND = ("messages_h", "messages_i", "messages_j", "messages_k", "messages_m")
"""Written by somebody who had not looked: their manner is not that of the others."""


def test_the_weights_are_those_that_the_messages_give():
    stored = learning.FILE.read_text(encoding="utf-8").splitlines()[1:]
    fresh = learning.written(*learning.learn(ALL)).splitlines()[1:]
    old, new = (dict(line.split("\t") for line in lines) for lines in (stored, fresh))
    # a processor may round the last step otherwise
    assert {pair for pair in old.keys() | new.keys() if abs(int(old.get(pair, 0)) - int(new.get(pair, 0))) > 1} == set()


@pytest.mark.parametrize("held_out", BLIND)
def test_it_holds_for_messages_it_was_not_learned_from(held_out: str, monkeypatch: pytest.MonkeyPatch):
    lines = learning.written(*learning.learn([case for case in ALL if case.file != held_out])).splitlines()
    monkeypatch.setattr(learned, "weights", lambda table=learned.parsed(lines): table)
    met = {True: [], False: []}
    for case in ALL:
        if case.file == held_out:
            met[case.relevant].append(learned.likeness(without_name(case.subject, case.text)) >= lexicon().likeness)
    # from the wording alone, the name cut out of it
    assert sum(met[True]) > 0.7 * len(met[True])
    assert sum(met[False]) < 0.2 * len(met[False])


def test_in_doubt_it_decides_and_says_by_what():
    reading = read("", "厂里的工友说他老乡在外面搞了个好项目，叫他过去考察，去了一个礼拜回来人都变了，见人就讲几年以后赚多少。")
    reasons = {reason.code: reason.words for reason in reading.reasons}
    assert reading.relevant and reasons.keys() == {"lure", "teach", "likeness"}
    assert list(reasons)[-1] == "likeness" and reasons["likeness"]


@pytest.mark.parametrize(
    "text",
    [
        "我们小区门口的路灯坏了半个月，晚上出门看不见，请尽快维修。",  # no sign at all
        "厂里的工友说他老乡在外面开赌场聚赌，叫他过去考察，去了一个礼拜回来人都变了，见人就讲赚多少。",  # another offence
        "社区搞了个打击传销宣传，老乡们过去听课，回来见人就讲好项目是怎么骗人的。",  # told of, not reported
    ],
)
def test_where_there_is_no_doubt_it_is_not_asked(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learned, "likeness", lambda _: pytest.fail("asked"))
    assert not read("", text).relevant


def test_a_pair_is_never_read_across_a_mark():
    assert learned.pairs("下。线") == set()
    assert len(learned.pairs("下线下线")) == 2
    assert learned.likeness("") == 0.0
