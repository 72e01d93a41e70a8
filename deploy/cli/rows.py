"""Rows of message files: JSONL, CSV and XLSX, each row with its number and either a tip or a reason."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import python_calamine

_CHINA = ZoneInfo("Asia/Shanghai")

COLUMNS = {
    "id": "external_ref", "external_ref": "external_ref", "留言编号": "external_ref", "编号": "external_ref",
    "subject": "subject", "title": "subject", "留言主题": "subject", "主题": "subject", "标题": "subject",
    "text": "text", "content": "text", "留言详情": "text", "内容": "text", "详情": "text",
    "posted_at": "posted_at", "留言时间": "posted_at", "时间": "posted_at", "发布时间": "posted_at",
    "area": "area", "地区": "area", "社区": "area", "place": "place", "地点": "place", "地址": "place",
}  # fmt: skip
"""Column names that are understood → field of the tip. Others (a reply, say) are left out."""


class UnreadableFileError(ValueError):
    """The file as a whole cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class Row:
    """One row: its number in the file (1 = first row of data) and its tip, or the field and reason it has none."""

    number: int
    tip: dict[str, Any] | None = None
    field: str = ""
    reason: str = ""

    @property
    def ref(self) -> str:
        return str(self.tip["external_ref"]) if self.tip else ""


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, by its ending (.jsonl/.ndjson, .csv, .xlsx). UnreadableFileError for the file as a whole."""
    kind = path.suffix.lower()
    if kind in (".jsonl", ".ndjson"):
        return _jsonl(path)
    if kind == ".csv":
        return _csv(path)
    if kind == ".xlsx":
        return _xlsx(path)
    raise UnreadableFileError(f"{path.name}: only .jsonl, .csv and .xlsx are read")


def _jsonl(path: Path) -> Iterator[Row]:
    number = 0
    with open(path, "rb") as file:
        for line in file:
            if not line.strip():
                continue
            number += 1
            try:
                raw = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield Row(number, field="line", reason=f"not valid JSON: {error.msg}")
                continue
            yield _row(number, raw) if isinstance(raw, dict) else Row(number, field="line", reason="not a JSON object")


def _csv(path: Path) -> Iterator[Row]:
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise UnreadableFileError(f"{path.name}: neither UTF-8 nor GB18030; save it as UTF-8 CSV")
    lines = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = next(lines, None)
        yield from _table(path, header, enumerate(lines, 1))
    except csv.Error as error:
        raise UnreadableFileError(f"{path.name}, line {lines.line_num}: {error}; is a quote left open?") from error


def _xlsx(path: Path) -> Iterator[Row]:
    try:
        sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=True)
    except Exception as error:
        # calamine raises many kinds for a damaged or half-written workbook
        raise UnreadableFileError(
            f"{path.name}: cannot be read as an Excel workbook ({type(error).__name__}); "
            "was it saved completely? Nothing was sent."
        ) from error
    if not rows:
        raise UnreadableFileError(f"{path.name}: the first sheet is empty")
    yield from _table(path, [str(cell) for cell in rows[0]], enumerate(rows[1:], 1))


def _table(path: Path, header: list[str] | None, rows: Any) -> Iterator[Row]:
    names = [COLUMNS.get(str(name).strip().lower()) for name in header or []]
    if "text" not in names:
        raise UnreadableFileError(f"{path.name}: no column for the text; name one of: text, content, 内容, 留言详情")
    for number, cells in rows:
        raw = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell not in ("", None)}
        if raw:
            yield _row(number, raw)


def _row(number: int, raw: dict[str, Any]) -> Row:
    tip: dict[str, Any] = {}
    for name, value in raw.items():
        field = COLUMNS.get(name)
        if field is None or value is None:
            continue
        if field == "posted_at":
            moment = _moment(value)
            if moment is None:
                return Row(number, field=name, reason="not a date and time")
            tip[field] = moment
        elif isinstance(value, (str, int, float)):
            tip[field] = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        else:
            return Row(number, field=name, reason="not a text")
    if "external_ref" not in tip:
        tip["external_ref"] = (
            "sha256:" + hashlib.sha256(orjson.dumps(tip, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
        )
    return Row(number, tip)


def _moment(value: Any) -> str | None:
    """A time with its zone; one without a zone is China's."""
    if isinstance(value, str):
        value = _read_moment(value.strip())
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=_CHINA)).isoformat()


_SPREADSHEET = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")


def _read_moment(text: str) -> datetime | None:
    """ISO 8601, or what spreadsheets write: 2026/9/1 8:05."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _SPREADSHEET:
        try:
            return datetime.strptime(text.replace("/", "-"), form)
        except ValueError:
            continue
    return None
