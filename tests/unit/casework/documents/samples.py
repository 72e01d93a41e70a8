"""Values that fit any field of any kind of document."""

from __future__ import annotations

from typing import Any

from services.casework.domain.documents.kinds import Column, DocumentField, Kind


def sample(kind: Kind, mark: str = "") -> dict[str, Any]:
    """A value for every field of a kind, each text different so that none can stand in for another."""
    return {one.id: _value(one, f"{mark}{one.id}") for one in kind.fields}


def _value(one: DocumentField | Column, at: str) -> Any:
    if isinstance(one, DocumentField) and one.type == "items":
        return [
            {column.id: _value(column, f"{at}{number}{column.id}") for column in one.columns}
            for number in range(max(2, one.least or 0))
        ]
    if isinstance(one, DocumentField) and one.type == "choice":
        return one.options[-1].id
    if isinstance(one, DocumentField) and one.within:
        return "2026-11-25"
    return {
        "date": "2026-11-24",
        "datetime": "2026-11-24T09:05",
        "money": "50000.50",
        "count": 37,
        "agency": "police",
    }.get(one.type, f"甲{at}乙")
