"""`./dachuan trace` prints every time in China time."""

import pytest

from deploy.cli.trace import said


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("2026-11-23T06:00:00Z", "2026-11-23T14:00:00+0800"),
        ("2026-11-23T15:59:59.250000+00:00", "2026-11-23T23:59:59+0800"),
        ("2026-11-23 20:00:00+0000", "2026-11-24T04:00:00+0800"),
        ("2026-11-23", "2026-11-23"),
        ("大涌传案〔2026〕0001号", "大涌传案〔2026〕0001号"),
        (True, "True"),
        (7, "7"),
    ],
)
def test_a_moment_among_the_facts_is_local(value: object, printed: str) -> None:
    assert said(value) == printed
