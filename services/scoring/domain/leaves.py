"""What a leaf of the tree is: an entry as it is published, as canonical JSON.

Any change of what is published of an entry, of its place in the ledger, or of what only the database keeps, gives
another leaf. A reader makes the same bytes from an entry of `scoring.ledger.v1` or `GET /v1/ledger`: these fields,
sorted by name, JSON in UTF-8 without spaces.
"""

from __future__ import annotations

from typing import Any

import orjson

from services.scoring.domain.merkle import leaf_hash

VERSION = 1

FIELDS = (
    "agency", "area", "assumed", "basis", "basis_id", "case_id", "clause", "corrects", "entry_id", "fact_at",
    "fact_event", "fact_type", "facts", "line", "occurred_on", "outcome", "plan", "points", "recorded_at", "rulebook",
    "scored", "scored_kind", "seq", "unit",
)  # fmt: skip
"""The fields of a leaf of version 1, in their order."""


def leaf_of(row: Any) -> bytes:
    """The leaf of a row of the ledger."""
    if (row.deadline_id != row.basis_id) if row.basis == "deadline" else row.deadline_id is not None:
        # never written like this; it must not pass for the entry that it was
        return b"not an entry"
    return orjson.dumps(
        {
            "agency": row.agency,
            "area": row.area,
            "assumed": row.assumed,
            "basis": row.basis,
            "basis_id": row.basis_id,
            # the published case of an entry without one is its basis: one that says so in the table is another leaf
            "case_id": row.case_id or row.basis_id if row.case_id != row.basis_id else f"={row.case_id}",
            "clause": row.clause,
            "corrects": row.corrects,
            "entry_id": row.entry_id,
            "fact_at": row.fact_at,
            "fact_event": row.fact_event,
            "fact_type": row.fact_type,
            "facts": row.facts,
            "line": row.line,
            "occurred_on": row.occurred_on,
            "outcome": row.outcome,
            "plan": row.plan,
            "points": str(row.points),
            "recorded_at": row.recorded_at,
            "rulebook": row.rulebook,
            "scored": row.subject,
            "scored_kind": row.subject_kind,
            "seq": row.seq,
            "unit": row.unit,
        },
        default=str,  # asyncpg has a UUID of its own
        option=orjson.OPT_UTC_Z,
    )


def hash_of(row: Any) -> bytes:
    """The leaf hash of a row of the ledger."""
    return leaf_hash(leaf_of(row))
