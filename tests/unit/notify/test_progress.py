"""How far a notice has come: one table, and nothing beside it."""

from __future__ import annotations

import itertools

import pytest

from services.notify.domain.notices import State
from services.notify.domain.progress import TRANSITIONS, Act, Progress, after, progress_of, sources

ALLOWED = {
    "queued": {"send": "sent", "deliver": "delivered", "fail": "failed", "sign": "signed", "finish": "done"},
    "sent": {"deliver": "delivered", "fail": "failed", "sign": "signed", "finish": "done", "grow": "queued"},
    "delivered": {"sign": "signed", "finish": "done", "grow": "queued"},
    "failed": {"send": "sent", "deliver": "delivered", "sign": "signed", "finish": "done", "grow": "queued"},
    "signed": {"finish": "done", "grow": "queued"},
    "done": {"grow": "queued"},
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(Progress, Act)))
def test_every_pair_of_state_and_act(state: Progress, act: Act) -> None:
    """A listed pair leads where the table says; any other changes nothing: what was signed is never merely sent again."""
    wanted = ALLOWED[state.value].get(act.value)
    assert ((state, act) in TRANSITIONS) == (wanted is not None)
    assert after(state, act).value == (wanted or state.value)
    assert (state.value in sources(act)) == (wanted is not None)


def test_two_columns_are_one_state() -> None:
    """What the addressee did counts before how far the message came."""
    assert [progress_of("waiting", one) for one in ("queued", "sent", "delivered", "failed")] == [
        Progress.QUEUED, Progress.SENT, Progress.DELIVERED, Progress.FAILED,
    ]  # fmt: skip
    assert progress_of(State.SIGNED, "failed") is Progress.SIGNED
    assert progress_of(State.DONE, "queued") is Progress.DONE
