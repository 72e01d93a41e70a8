"""Dens and revisits: every allowed and every forbidden step; addresses in one form."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.casework.domain import places
from services.casework.domain.places import DenAction, DenState, PlaceKind, PlaceRefused, RevisitAction, RevisitState


@pytest.mark.parametrize(("state", "action"), list(product(DenState, DenAction)))
def test_every_pair_of_a_den(state: DenState, action: DenAction) -> None:
    if (state, action) in places.DEN_TRANSITIONS:
        assert places.next_den_state(state, action) is places.DEN_TRANSITIONS[state, action]
    else:
        with pytest.raises(PlaceRefused):
            places.next_den_state(state, action)


@pytest.mark.parametrize(("state", "action"), list(product(RevisitState, RevisitAction)))
def test_every_pair_of_a_revisit(state: RevisitState, action: RevisitAction) -> None:
    if (state, action) in places.REVISIT_TRANSITIONS:
        assert places.next_revisit_state(state, action) is places.REVISIT_TRANSITIONS[state, action]
    else:
        with pytest.raises(PlaceRefused):
            places.next_revisit_state(state, action)


@given(st.lists(st.sampled_from(list(DenAction)), max_size=12))
def test_a_den_is_cleared_once_and_sealed_only_while_it_is_not(actions: list[DenAction]) -> None:
    state, cleared, sealed = DenState.FOUND, False, False
    for action in actions:
        try:
            state = places.next_den_state(state, action)
        except PlaceRefused:
            continue
        cleared = cleared or action is DenAction.CLEAR
        sealed = action is DenAction.SEAL if action in (DenAction.SEAL, DenAction.UNSEAL) else sealed
        assert (state in (DenState.CLEARED, DenState.CLEARED_SEALED)) == cleared
        assert (state in (DenState.SEALED, DenState.CLEARED_SEALED)) == sealed


def test_one_address_however_it_is_written() -> None:
    same = ("青岗花园 12幢 0301室", "青岗花园１２栋301房", "青岗花园，12号楼０３０１")
    assert len({places.address_key(PlaceKind.RENTAL, one) for one in same}) == 1
    assert places.address_key(PlaceKind.RENTAL, "青岗花园1栋2301") != places.address_key(PlaceKind.RENTAL, "青岗花园12栋301")
    sites = ("https://www.Example.test/", "example.test", "http://example.test")
    assert {places.address_key(PlaceKind.SITE, one) for one in sites} == {"example.test"}


def test_revisits_count_from_the_day_of_the_clearing() -> None:
    assert places.revisit_days(date(2026, 1, 31), (1, 7, 30)) == (date(2026, 2, 1), date(2026, 2, 7), date(2026, 3, 2))
