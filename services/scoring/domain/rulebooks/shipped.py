"""The rulebooks that come with the program: their models with their very text."""

from __future__ import annotations

from pathlib import Path

from services.scoring.domain.rulebooks.load import read_rulebook
from services.scoring.domain.rulebooks.model import Rulebook

Shipped = tuple[tuple[Rulebook, str], ...]


def read_shipped(root: Path) -> Shipped:
    """Every rulebook below a folder. Raises `RulebookError` for the first bad one."""
    return tuple((read_rulebook(path), path.read_text(encoding="utf-8")) for path in sorted(root.glob("*/*.yaml")))
