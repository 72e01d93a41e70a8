"""Identity documents, names, phones and what a disposition needs: pure rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from stdnum.cn import ric

from services.casework.domain import persons
from services.casework.domain.persons import IdKind, PersonRefused, StepKind

DAY = date(2026, 11, 23)
LAW = date(2005, 11, 1)


def number(county: str = "440106", born: str = "19900307", order: str = "123") -> str:
    """A made-up number with a right check digit."""
    stem = f"{county}{born}{order}"
    return stem + ric.calc_check_digit(stem + "0")


def test_a_right_number_gives_birth_date_and_county() -> None:
    who = persons.identity(IdKind.RESIDENT, f" {number()[:6]} {number()[6:]} ".lower(), DAY)
    assert (who.number, who.born, who.county, who.county_known) == (number(), date(1990, 3, 7), "440106", True)


def test_a_county_that_the_list_does_not_know_passes() -> None:
    """New counties raise KeyError in python-stdnum, counties of another time InvalidComponent."""
    who = persons.identity(IdKind.RESIDENT, number("449999"), DAY)
    assert who.number == number("449999") and not who.county_known


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (number()[:-1] + ("0" if number()[-1] != "0" else "1"), "bad-checksum"),
        (number()[:-1], "bad-number"),
        ("A" + number()[1:], "bad-number"),
        (number(born="20261124"), "bad-birth-date"),
        (number(born="19900231"), "bad-birth-date"),
        ("440106900307123", "old-number"),
        (None, "number-missing"),
    ],
)
def test_a_wrong_number_is_refused_with_what_to_do(given: str | None, code: str) -> None:
    with pytest.raises(PersonRefused) as refused:
        persons.identity(IdKind.RESIDENT, given, DAY)
    assert (refused.value.field, refused.value.code) == ("id_number", code)


def test_other_documents_and_none() -> None:
    assert persons.identity(IdKind.PASSPORT, "e 1234567 8", DAY).number == "E12345678"
    assert persons.identity(IdKind.NONE, None, DAY).number is None
    for kind, given in ((IdKind.PASSPORT, "#"), (IdKind.NONE, "E12345678")):
        with pytest.raises(PersonRefused):
            persons.identity(kind, given, DAY)


def test_phones_in_one_form() -> None:
    assert {persons.phone(one) for one in ("+86 138 0013 8000", "13800138000", "０１３８００１３８０００"[1:])} == {"13800138000"}
    assert persons.phone("(0760) 8888 6666") == "076088886666"
    for wrong in ("1380013800", "23800138000x", "12"):
        with pytest.raises(PersonRefused):
            persons.phone(wrong)


def test_a_name_is_searched_by_its_two_character_parts() -> None:
    assert persons.grams("欧阳 小明") == ("欧阳", "阳小", "小明")
    assert persons.grams("王") == ()


def test_a_fact_lies_neither_ahead_nor_before_the_law() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    persons.check_day("found_at", now, now, LAW)
    for at, code in ((now + timedelta(hours=1), "in-the-future"), (datetime(2005, 10, 31, tzinfo=UTC), "before-the-law")):
        with pytest.raises(PersonRefused) as refused:
            persons.check_day("found_at", at, now, LAW)
        assert refused.value.code == code


@pytest.mark.parametrize("code", sorted(persons.codes(StepKind.DISPOSITION)))
def test_each_disposition_says_what_it_needs(code: str) -> None:
    line = persons.codes(StepKind.DISPOSITION)[code]
    whole = {
        "follow_up": DAY + timedelta(days=30) if "follow_up" in line.needs else None,
        "area": "440106" if "home_area" in line.needs else None,
        "to_agency": "police" if "to_agency" in line.needs else None,
    }
    assert persons.check_disposition(code, DAY, officers=2, **whole) is line
    assert line.article and line.certainty in "TSM"
    for missing in [name for name, value in whole.items() if value]:
        with pytest.raises(PersonRefused):
            persons.check_disposition(code, DAY, officers=2, **(whole | {missing: None}))
    with pytest.raises(PersonRefused):
        persons.check_disposition(code, DAY, officers=None, **whole)
