"""The bar at the top: few entries in one row, many by groups, every entry in exactly one."""

from shared.web.navigation import ENTRIES, GROUPS, MOST_IN_A_ROW, grouped


def test_every_entry_stands_in_one_group_that_exists() -> None:
    codes = {group.code for group in GROUPS}
    assert {entry.home for entry in ENTRIES} <= codes
    assert sorted(entry.label for _, inside in grouped(ENTRIES) for entry in inside) == sorted(e.label for e in ENTRIES)


def test_no_row_is_longer_than_a_desk_is_wide() -> None:
    """Groups fit one row of a phone; a group that outgrows a row needs a group of its own."""
    assert len(GROUPS) <= MOST_IN_A_ROW
    assert max(len(inside) for _, inside in grouped(ENTRIES)) <= 12


def test_a_group_nobody_may_open_is_not_shown() -> None:
    only = [entry for entry in ENTRIES if entry.right in ("notice.read", "case.read")]
    assert [group.code for group, _ in grouped(only)] == ["today", "work"]
