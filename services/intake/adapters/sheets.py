"""Registers as files: XLSX and CSV read into rows of cells, rows written as CSV or XLSX (D-E3)."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError
from xlsxwriter import Workbook

from services.intake.domain.registers.addresses import plain
from shared.kit.problem import Invalid, TooLarge, UnsupportedType

MOST_ROWS = 50_000
"""Rows in one file; a bigger register comes in several, repeating is safe."""
MOST_UNPACKED = 400 * 1024 * 1024
"""Bytes an XLSX may unpack to: a small file can hold a bomb."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

HEADINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "rentals": {
        "number": ("编号", "登记编号", "备案号"),
        "area": ("社区", "社区（村）", "村居"),
        "estate": ("小区", "小区名称", "楼盘"),
        "building": ("楼栋", "栋", "楼号"),
        "room": ("房号", "室", "房间"),
        "tier": ("分层", "类别", "等级"),
        "registration": ("备案", "备案登记", "是否备案"),
        "state": ("状态",),
        "occupants": ("居住人数", "人数"),
        "agent": ("中介",),
        "landlord_name": ("房东姓名", "业主姓名", "房东"),
        "landlord_phone": ("房东电话", "业主电话"),
        "landlord_id_number": ("房东身份证", "房东身份证号", "业主身份证号"),
    },
    "estates": {
        "number": ("编号",),
        "area": ("社区",),
        "name": ("小区", "小区名称", "名称"),
        "kind": ("类别",),
        "address": ("地址",),
        "manager": ("物业公司", "物业"),
        "contact_name": ("联系人",),
        "contact_phone": ("联系电话", "电话"),
    },
    "agents": {
        "number": ("编号",),
        "area": ("社区",),
        "name": ("名称", "中介名称"),
        "licence": ("统一社会信用代码", "信用代码"),
        "address": ("地址",),
        "contact_name": ("联系人",),
        "contact_phone": ("联系电话", "电话"),
    },
    "venues": {
        "number": ("编号",),
        "area": ("社区",),
        "name": ("名称", "场地名称"),
        "kind": ("类别",),
        "address": ("地址",),
        "capacity": ("容纳人数", "座位数"),
        "contact_name": ("联系人",),
        "contact_phone": ("联系电话", "电话"),
    },
}
"""Register → field → its headings, the first of them the one we write."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: its line (the heading is line 1) and its filled cells by field."""

    at: int
    cells: dict[str, Any]


def read_sheet(register: str, content: bytes) -> list[Line]:
    """The rows of a file: XLSX by its first bytes, else CSV in UTF-8 or GB 18030. Empty rows are passed over.

    Raises UnsupportedType, Invalid (no heading of ours, not readable) or TooLarge; nothing is kept then.
    """
    table = _xlsx(content) if content[:4] == b"PK\x03\x04" else _csv(content)
    rows = iter(table)
    heading = next(rows, None)
    columns = _columns(register, heading or [])
    lines = []
    for at, row in enumerate(rows, start=2):
        cells = {
            field: row[index] for index, field in columns.items() if index < len(row) and row[index] not in ("", None)
        }
        if cells:
            lines.append(Line(at, cells))
        if len(lines) > MOST_ROWS:
            raise TooLarge(
                f"一个文件最多 {MOST_ROWS} 行，请分成几个文件；未保存任何内容。 "
                f"At most {MOST_ROWS} rows a file; nothing was kept.",
                limit=MOST_ROWS,
            )
    return lines


def _columns(register: str, heading: Sequence[Any]) -> dict[int, str]:
    meant = {plain(word): field for field, words in HEADINGS[register].items() for word in (field, *words)}
    columns: dict[int, str] = {}
    for index, cell in enumerate(heading):
        field = meant.get(plain(str(cell or "")))
        if field and field not in columns.values():
            columns[index] = field
    needed = ("area", "room") if register == "rentals" else ("area", "name")
    missing = [HEADINGS[register][field][0] for field in needed if field not in columns.values()]
    if missing:
        raise Invalid(
            f"第一行要有列名；缺少：{'、'.join(missing)}。未保存任何内容。可先下载模板。 "
            "The first row must hold the headings; nothing was kept. Download the template first.",
            code="no-heading",
            errors=[{"field": "file", "code": "no_heading", "message": "、".join(missing)}],
        )
    return columns


def _xlsx(content: bytes) -> Iterable[Sequence[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(member.file_size for member in packed.infolist()) > MOST_UNPACKED:
                raise TooLarge("文件展开后过大；未保存任何内容。 It unpacks to too much; nothing was kept.")
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, PasswordError, zipfile.BadZipFile, IndexError, ValueError) as error:
        raise UnsupportedType(
            "文件打不开：请另存为 XLSX 或 CSV（不加密）后再传；未保存任何内容。 "
            "The file cannot be read; save it as XLSX or CSV without a password. Nothing was kept."
        ) from error


def _csv(content: bytes) -> Iterable[Sequence[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        try:
            return list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error:
            break
    raise UnsupportedType(
        "文件打不开：请用 XLSX，或 UTF-8 / GB18030 的 CSV；未保存任何内容。 "
        "Use XLSX, or CSV in UTF-8 or GB 18030; nothing was kept."
    )


def write_csv(register: str, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as CSV with a byte order mark, so that a spreadsheet program reads the Chinese; no cell starts a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([HEADINGS[register][field][0] for field in fields])
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def write_xlsx(register: str, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as XLSX; every text stays text."""
    out = io.BytesIO()
    book = Workbook(
        out, {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet(
        {"rentals": "出租屋", "estates": "小区", "agents": "中介", "venues": "会议场地"}[register]
    )
    bold = book.add_format({"bold": True})
    for column, field in enumerate(fields):
        sheet.write_string(0, column, HEADINGS[register][field][0], bold)
    for at, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, int) and not isinstance(cell, bool):
                sheet.write_number(at, column, cell)
            elif cell is not None:
                sheet.write_string(at, column, str(cell))
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()
