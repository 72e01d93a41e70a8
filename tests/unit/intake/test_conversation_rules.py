"""Contested closings and reveals: every allowed and every forbidden pair; questions that say only what was chosen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from services.intake.domain.conversation import (
    CONTEST_DECISIONS,
    CONTEST_STEPS,
    REVEAL_DECISIONS,
    REVEAL_STEPS,
    ContestState,
    Refused,
    Reveal,
    RevealState,
    decide_contest,
    decide_reveal,
    may_view,
)
from services.intake.domain.outcomes import closing_words, codes, step_words
from services.intake.domain.questions import LONGEST_ANSWER, catalogue, parsed, statements
from services.intake.domain.reading import read
from shared.rules.plan.vocabulary import TIP_KINDS

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(("state", "step"), list(product(ContestState, CONTEST_DECISIONS)))
def test_a_contest_is_decided_once(state: ContestState, step: str) -> None:
    if (state, step) in CONTEST_STEPS:
        assert decide_contest(state, step, actor="b", closed_by="a") is CONTEST_STEPS[state, step]
        assert decide_contest(state, step, actor="b", closed_by=None)
        with pytest.raises(Refused, match="same-person"):
            decide_contest(state, step, actor="a", closed_by="a")
    else:
        assert state is not ContestState.OPEN
        with pytest.raises(Refused, match="decided"):
            decide_contest(state, step, actor="b", closed_by="a")


@pytest.mark.parametrize(("state", "step"), list(product(RevealState, REVEAL_DECISIONS)))
def test_a_reveal_is_decided_once_by_whom_it_should(state: RevealState, step: str) -> None:
    reveal = Reveal(state, "asker", LATER)
    if (state, step) not in REVEAL_STEPS:
        assert state is not RevealState.REQUESTED
        for actor in ("asker", "other"):
            with pytest.raises(Refused, match="decided"):
                decide_reveal(reveal, step, actor=actor, now=NOW)
        return
    if step == "lapse":
        with pytest.raises(Refused, match="not-yet"):
            decide_reveal(reveal, step, actor="service", now=NOW)
        assert decide_reveal(reveal, step, actor="service", now=LATER) is RevealState.LAPSED
        return
    right, wrong = ("asker", "other") if step == "withdraw" else ("other", "asker")
    assert decide_reveal(reveal, step, actor=right, now=NOW) is REVEAL_STEPS[state, step]
    with pytest.raises(Refused, match="not-yours" if step == "withdraw" else "same-person"):
        decide_reveal(reveal, step, actor=wrong, now=NOW)
    with pytest.raises(Refused, match="lapsed"):
        decide_reveal(reveal, step, actor=right, now=LATER)


@pytest.mark.parametrize("state", RevealState)
def test_only_an_approved_contact_is_seen_by_who_asked_while_it_lasts(state: RevealState) -> None:
    until = LATER if state is RevealState.APPROVED else None
    reveal = Reveal(state, "asker", LATER, until)
    if state is not RevealState.APPROVED:
        with pytest.raises(Refused, match="not-approved"):
            may_view(reveal, actor="asker", now=NOW)
        return
    may_view(reveal, actor="asker", now=NOW)
    with pytest.raises(Refused, match="not-yours"):
        may_view(reveal, actor="other", now=NOW)
    with pytest.raises(Refused, match="expired"):
        may_view(reveal, actor="asker", now=LATER)


def test_every_kind_asked_for_has_short_questions_in_two_languages() -> None:
    book = catalogue()
    assert book.kinds[0].id == "confinement" and book.kinds[0].danger
    for kind in book.kinds:
        assert set(kind.kinds) <= set(TIP_KINDS) and kind.zh and kind.en and kind.says
        assert len(kind.questions) <= 4
        for question in kind.questions:
            assert len(question.zh) <= 30 and question.en and question.lead


def test_no_answer_but_those_that_say_so_makes_anybody_held() -> None:
    """A “no” or “I do not know” must not ring: asked is not said."""
    words = "楼上的公司每天有三十多人上课，要交三千九百元才能加入，拉一个人提成五百。"
    assert not read("", words).urgent
    book = catalogue()
    for kind in book.kinds:
        for question in kind.questions:
            for option in question.options:
                rings = read("", f"{words}\n{statements([], {question.id: (option.id,)})}").urgent
                assert rings == (question.id == "held-who"), (question.id, option.id)
    assert read("", f"情况紧急\n{statements(['confinement'], {})}").urgent


def test_answers_are_bounded_and_unknown_ones_left_out() -> None:
    given = parsed(["fee-amount=" + "9" * 500, "fee-how=cash", "fee-how=cash", "fee-how=shells", "nope=1", "since", "since="])
    assert given == {"fee-amount": ("9" * LONGEST_ANSWER,), "fee-how": ("cash",)}
    assert statements([], {}) == ""
    assert statements(["entry_fee"], given).count("\n") == 1


def test_every_step_and_outcome_reads_in_both_languages() -> None:
    steps, outcomes = codes()
    for code in steps:
        assert all(step_words(code, ("工商分局", "the market office"))), code
    for code in (*outcomes, "unheard-of"):
        zh, en = closing_words(code, ("工商分局", "the market office"), ("住建局", "the housing office"))
        assert zh and en and "{" not in zh + en
