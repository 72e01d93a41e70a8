"""Messages as people write them, all invented (clauses D-A5, D-B2, D-F; point 2 of what users lack)."""

import pytest

from services.intake.domain.reading import KINDS, TOPICS, read
from tests.unit.intake.reading.cases import Case, cases

ALL = list(cases())


def test_there_are_enough_and_they_vary():
    assert len(ALL) >= 190
    assert sum(case.relevant for case in ALL) >= 80
    assert sum(case.urgent for case in ALL) >= 20
    assert sum(case.urgent and not case.relevant for case in ALL) >= 5
    shown = set().union(*(case.kinds for case in ALL if case.relevant))
    assert shown == set(KINDS) - {"unspecified"}


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_relevance_urgency_and_kinds(case: Case):
    reading = read(case.subject, case.text)
    assert (reading.relevant, reading.urgent) == (case.relevant, case.urgent), reading.reasons
    if case.relevant:
        assert case.kinds <= set(reading.kinds)
        assert reading.kinds and reading.belongs_to is None
    else:
        assert reading.kinds == () and reading.belongs_to in TOPICS
    if case.relevant or case.urgent:
        assert reading.reasons and all(reason.words for reason in reading.reasons)


def test_irrelevant_messages_mostly_go_where_they_belong():
    others = [case for case in ALL if not case.relevant and not case.urgent and case.expected != "-"]
    right = sum(read(case.subject, case.text).belongs_to == case.expected for case in others)
    assert right >= 0.7 * len(others)


@pytest.mark.parametrize("case", [case for case in ALL if case.relevant], ids=lambda case: case.name)
def test_full_width_and_traditional_writing_changes_nothing(case: Case):
    from services.intake.domain.reading.folding import load

    script = load("script")
    to_traditional = {}
    for old, new in zip(script["traditional"].replace("\n", ""), script["simplified"].replace("\n", ""), strict=True):
        to_traditional.setdefault(new, old)
    wide = {chr(code): chr(code + 0xFEE0) for code in range(0x30, 0x3A)}
    table = str.maketrans({**to_traditional, **wide})
    plain, written = read(case.subject, case.text), read(case.subject.translate(table), case.text.translate(table))
    assert (written.relevant, written.urgent, written.kinds) == (plain.relevant, plain.urgent, plain.kinds)
    assert written.targets == plain.targets
