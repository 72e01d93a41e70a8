"""How long words are kept, and that no sealed column is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import LargeBinary

from services.intake.commands.retention import SEALED
from services.intake.domain.retention import cutoff
from services.intake.tables import metadata
from shared.rules.law import Unit

NOW = datetime(2026, 3, 31, 8, 30, tzinfo=UTC)

NOT_OF_REPORTERS = {
    "receipt_hash": "a keyed hash, by which the reporter goes on reading the outcome",
    "code_hash": "a keyed hash of a random code",
    "token_hash": "a keyed hash of a random code",
    "key_hash": "a keyed hash",
    "request_hash": "a keyed hash",
    "body_hash": "a keyed hash",
    "sha256": "a digest of a file: its number, so that evidence handed on can be checked",
    "previous": "the audit chain", "hash": "the audit chain", "signature": "the audit chain",
    "data": "events: no personal data stands in them",
}  # fmt: skip
OFFICERS_WORDS = {"handovers", "supplements", "lead_holds", "lead_verifications"}
REGISTERS = {
    "agents", "agent_visits", "check_ins", "dens", "estates", "patrol_tasks", "rental_units", "venues",
    "venue_bookings", "venue_checks", "survey_visits", "survey_parts",
}  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "amount", "expected"),
    [
        (Unit.YEARS, 3, datetime(2023, 3, 31, 8, 30, tzinfo=UTC)),
        (Unit.MONTHS, 1, datetime(2026, 2, 28, 8, 30, tzinfo=UTC)),
        (Unit.MONTHS, 15, datetime(2024, 12, 31, 8, 30, tzinfo=UTC)),
        (Unit.MONTHS, 25, datetime(2024, 2, 29, 8, 30, tzinfo=UTC)),
        (Unit.CALENDAR_DAYS, 31, datetime(2026, 2, 28, 8, 30, tzinfo=UTC)),
    ],
)
def test_the_day_before_which_words_have_been_kept_long_enough(unit: Unit, amount: int, expected: datetime) -> None:
    assert cutoff(NOW, unit, amount) == expected


def test_a_time_must_be_counted_in_days_or_longer() -> None:
    with pytest.raises(ValueError):
        cutoff(NOW, Unit.WORKING_DAYS, 3)


def test_every_sealed_column_of_a_reporter_is_destroyed() -> None:
    """Point 6: a new table with sealed words must be added to the list, or be named here as none of a reporter's."""
    known = {(sealed.table.name, sealed.column.name) for sealed in SEALED}
    forgotten = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, LargeBinary)
        and (table.name, column.name) not in known
        and column.name not in NOT_OF_REPORTERS
        and table.name not in OFFICERS_WORDS | REGISTERS
    ]
    assert forgotten == []
