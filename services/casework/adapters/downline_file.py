"""Files of a downline (名单、付款表、流水): XLSX and CSV read into facts, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.casework.domain.downline.rows import HEADINGS, Row, RowRefused, guess_columns, read_row
from shared.kit.problem import Invalid, TooLarge
from shared.kit.sheets import read_table

MOST_ROWS = 200_000
"""Rows in one file; a larger list comes in several, repeating is safe."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is not kept."""

    row: int
    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds: its heading, the column of each field, facts and rejected rows, the first rows as they stand."""

    heading: tuple[str, ...]
    columns: dict[str, int]
    rows: list[Row]
    rejects: list[Reject]
    preview: list[list[str]]

    @property
    def count(self) -> int:
        return len(self.rows) + len(self.rejects)


def read_file(content: bytes, kind: str, today: date, columns: Mapping[str, int] | None = None) -> Sheet:
    """Read a file whose first row holds headings; `columns` says what the headings do not.

    Raises UnsupportedType, TooLarge, or Invalid where the columns of upline and downline are not found.
    """
    table = iter(read_table(content))
    heading = list(next(table, []))
    known = guess_columns(heading) | dict(columns or {})
    missing = [HEADINGS[name][0] for name in ("upline", "downline") if not 0 <= known.get(name, -1) < len(heading)]
    if missing:
        raise Invalid(
            f"第一行要有列名；缺少：{'、'.join(missing)}。未保存任何内容；可用 columns 指明列号。 "
            "The first row must hold the headings, or `columns` say where they are; nothing was kept.",
            code="no-heading",
            errors=[{"field": "file", "code": "no-heading", "message": "、".join(missing)}],
            heading=[str(cell)[:60] for cell in heading[:40]],
        )
    rows: list[Row] = []
    rejects: list[Reject] = []
    preview: list[list[str]] = []
    seen: Counter[Row] = Counter()
    for line, cells in enumerate(table, start=2):
        if not any(cell not in ("", None) for cell in cells):
            continue
        if len(rows) + len(rejects) >= MOST_ROWS:
            raise TooLarge(
                f"一个文件最多 {MOST_ROWS} 行，请分成几个文件；未保存任何内容。 At most {MOST_ROWS} rows a file; nothing was kept.",
                limit=MOST_ROWS,
            )
        if len(preview) < 5:
            preview.append([str(cell)[:60] if cell is not None else "" for cell in cells[:40]])
        found: dict[str, Any] = {name: cells[at] for name, at in known.items() if at < len(cells)}
        try:
            row = read_row(found, line, kind, today)
        except RowRefused as error:
            rejects.append(Reject(line, error.field, error.code, error.said))
            continue
        alike = replace(row, line=0)
        rows.append(replace(row, occurrence=seen[alike]))
        seen[alike] += 1
    return Sheet(tuple(str(cell)[:60] for cell in heading[:40]), known, rows, rejects, preview)
