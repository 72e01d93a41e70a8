"""No page may show a word without Chinese, and none may be lost by a template that cannot be read."""

import re

import pytest

from shared.web import catalogue, i18n, wording
from shared.web.navigation import ENTRIES, GROUPS

_PLACE = re.compile(r"%\(\w+\)[sd]")


@pytest.fixture(scope="module")
def chinese() -> catalogue.Catalog:
    return catalogue.current("zh_CN")


def test_every_word_in_use_has_its_chinese(chinese: catalogue.Catalog) -> None:
    gaps = [m.id for m in catalogue.extracted() if m.id and (m.id not in chinese or not chinese[m.id].string)]
    assert not gaps, f"run `python -m shared.web.catalogue` and fill in {catalogue.path('zh_CN')}"
    assert catalogue.missing(chinese) == []


def test_the_catalogue_holds_nothing_that_no_page_uses(chinese: catalogue.Catalog) -> None:
    used = {m.id for m in catalogue.extracted()}
    assert [m.id for m in chinese if m.id and m.id not in used] == []


def test_the_chinese_keeps_every_placeholder(chinese: catalogue.Catalog) -> None:
    for message in chinese:
        ids = message.id if message.pluralizable else (message.id,)
        strings = message.string if message.pluralizable else (message.string,)
        for string in strings:
            assert set(_PLACE.findall(str(string))) == set(_PLACE.findall(ids[-1])), message.id


def test_extraction_reads_templates_that_use_every_extension() -> None:
    # Babel passes over a template it cannot parse unless told not to
    words = {m.id for m in catalogue.extracted()}
    assert "Joint cases" in words
    assert ("%(num)d working day", "%(num)d working days") in words


def test_every_code_of_states_and_vocabularies_is_said_in_chinese() -> None:
    said = i18n.translations("zh_CN").gettext
    words = [w for w, _ in wording.BADGES.values()]
    words += [w for codes in wording.WORDS.values() for w in codes.values()]
    words += [*wording.DONE.values(), *(w for pair in wording.WENT_WRONG.values() for w in pair)]
    words += [entry.label for entry in ENTRIES] + [group.label for group in GROUPS]
    assert [word for word in words if said(word) == word] == []


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("en", "en"), ("en-GB", "en"), ("zh", "zh_CN"), ("zh-TW", "zh_CN"), ("fr", None), ("", None), (None, None)],
)
def test_a_language_is_known_by_its_first_part(asked: str | None, meant: str | None) -> None:
    assert i18n.known(asked) == meant
