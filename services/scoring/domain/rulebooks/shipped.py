"""The rulebooks that come with the program: their models with their very text."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from services.scoring.domain.rulebooks.load import read_rulebook
from services.scoring.domain.rulebooks.model import Rulebook
from shared.rules.yaml_source import Stamp, stamp

Shipped = tuple[tuple[Rulebook, str], ...]


def read_shipped(root: Path) -> Shipped:
    """Every rulebook below a folder. Raises `RulebookError` for the first bad one."""
    folder = Path(root).absolute()
    return _read(folder, stamp(folder))


@lru_cache(8)
def _read(root: Path, _stamp: Stamp) -> Shipped:
    return tuple((read_rulebook(path), path.read_text(encoding="utf-8")) for path in sorted(root.glob("*/*.yaml")))
