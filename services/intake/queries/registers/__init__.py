"""What is shown of registers, patrols and surveys, within what the caller may see."""

from collections.abc import Mapping
from typing import Any


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row with ordinary text as its keys: SQLAlchemy's own kind of text is not written as JSON."""
    return {str(name): value for name, value in row.items()}
