"""Evidence without I/O: each machine over every pair, officers, the law's word, and chains that somebody touched."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.casework.domain.custody import ACTIONS, BEGINNING, Entry, faults, words_line
from services.casework.domain.evidence import (
    HANDOVER_TRANSITIONS,
    ITEM_TRANSITIONS,
    KINDS,
    PURPOSES,
    TRACKS,
    HandoverAction,
    HandoverState,
    ItemAction,
    ItemState,
    Refused,
    bases,
    distinct_officers,
    in_prosecution,
    media_kind,
    next_handover_state,
    next_item_state,
)

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(("state", "action"), list(itertools.product(ItemState, ItemAction)))
def test_every_pair_of_an_item(state: ItemState, action: ItemAction) -> None:
    allowed = {
        "held": {"offer": "offered", "move": "held", "add_file": "held", "return": "returned", "propose_destruction": "to_destroy"},
        "offered": {"take": "held", "keep": "held"},
        "to_destroy": {"refuse_destruction": "held", "destroy": "destroyed"},
    }
    expected = allowed.get(state, {}).get(action)
    if expected:
        assert next_item_state(state, action) == expected
    else:
        assert (state, action) not in ITEM_TRANSITIONS
        with pytest.raises(Refused):
            next_item_state(state, action)


@pytest.mark.parametrize(("state", "action"), list(itertools.product(HandoverState, HandoverAction)))
def test_every_pair_of_a_handing_over(state: HandoverState, action: HandoverAction) -> None:
    results = {"accept": "accepted", "refuse": "refused", "withdraw": "withdrawn"}
    if state == "offered":
        assert next_handover_state(state, action) == results[action]
    else:
        assert (state, action) not in HANDOVER_TRANSITIONS
        with pytest.raises(Refused):
            next_handover_state(state, action)


def test_an_officer_named_twice_is_one() -> None:
    assert distinct_officers(["A-01", "a-01 ", "Ａ－０１"]) == 1
    assert distinct_officers(["A-01", "A-02", " "]) == 2


def test_what_an_agency_collected_may_be_used_as_the_law_says() -> None:
    """刑诉法54: objects, papers, recordings, data; reports after review; what people said has to be taken anew."""
    uses = {kind: in_prosecution(kind, "administrative").use for kind in KINDS}
    assert uses == {
        "physical": "yes", "documentary": "yes", "audio_visual": "yes", "electronic": "yes",
        "statement": "again", "inspection": "after_review", "expert": "after_review",
    }  # fmt: skip
    assert {in_prosecution(kind, "criminal").use for kind in KINDS} == {"own_track"}
    assert all(set(one.tracks) <= set(TRACKS) and one.certainty in "TSM" for one in bases().values())
    assert {track for one in bases().values() for track in one.tracks} == set(TRACKS)


def test_limits_of_handing_over_are_in_the_law_files() -> None:
    from pathlib import Path

    from shared.rules.law import LawBook

    law = LawBook.load(Path(__file__).parents[3] / "deploy" / "law")
    assert all(rule in law for rule in PURPOSES.values() if rule)
    assert law.in_force("prohibition.officers", NOW.date()).limit.at_least == 2


def test_any_file_has_a_kind() -> None:
    known = {"image/jpeg": "image"}
    assert media_kind("image/jpeg", "", known) == ("image/jpeg", "image")
    found = {reason: media_kind(None, reason, known)[1] for reason in ("archive", "executable", "markup", "unknown-type")}
    assert found == {"archive": "archive", "executable": "program", "markup": "page", "unknown-type": "data"}


def chain(length: int) -> list[tuple[Entry, bytes]]:
    made, previous = [], BEGINNING
    for seq in range(1, length + 1):
        words = hashlib.sha256(words_line({"note": "放在二柜"}, "00" * 16, seq)).digest() if seq % 2 else None
        entry = Entry(
            "item-1", seq, NOW + timedelta(minutes=seq), ACTIONS[seq % len(ACTIONS)], f"officer:{seq}", "police", None,
            {"file": seq, "sha256": "ab"}, words, previous,
        )  # fmt: skip
        previous = entry.hash()
        made.append((entry, previous))
    return made


def checked(lines: list[tuple[Entry, bytes]], whole: list[tuple[Entry, bytes]]) -> list[str]:
    return faults(lines, whole[-1][1], len(whole))


def test_a_line_is_what_sha256sum_reads() -> None:
    [(entry, recorded), (second, _)] = chain(2)
    line = entry.line()
    assert b"\n" not in line and hashlib.sha256(line).digest() == recorded == second.previous
    assert json.loads(line)["previous"] == "00" * 32
    assert list(json.loads(line)) == sorted(json.loads(line))


@given(st.integers(2, 12), st.data())
def test_a_chain_that_was_touched_is_found(length: int, data: st.DataObject) -> None:
    whole = chain(length)
    assert checked(whole, whole) == []
    at = data.draw(st.integers(0, length - 1))
    entry, recorded = whole[at]
    changed = data.draw(
        st.sampled_from(
            [
                replace(entry, actor="officer:other"),
                replace(entry, at=entry.at + timedelta(microseconds=1)),
                replace(entry, facts={"file": 99}),
                replace(entry, agency=None),
                replace(entry, action="received" if entry.action != "received" else "moved"),
                replace(entry, words=bytes(32)),
            ]
        )
    )
    assert checked([*whole[:at], (changed, recorded), *whole[at + 1 :]], whole) == [f"changed:{at + 1}"]
    rewritten = [*whole[:at], (changed, changed.hash()), *whole[at + 1 :]]
    assert checked(rewritten, whole) == ([f"unlinked:{at + 2}"] if at + 1 < length else [f"cut:{length}"])
    assert checked([*whole[:at], *whole[at + 1 :]], whole), "a line is missing"
    if at + 1 < length:
        swapped = list(whole)
        swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
        assert checked(swapped, whole), "two lines changed places"


def test_words_are_bound_by_a_salt_that_cannot_be_guessed_from_them() -> None:
    first, second = words_line({"note": "二柜"}, "11" * 16, 3), words_line({"note": "二柜"}, "22" * 16, 3)
    assert hashlib.sha256(first).digest() != hashlib.sha256(second).digest()
    assert json.loads(first)["words"] == {"note": "二柜"}
