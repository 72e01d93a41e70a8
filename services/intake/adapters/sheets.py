"""Registers as files: XLSX and CSV read into rows of cells, rows written as CSV or XLSX (D-E3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.intake.domain.registers.addresses import plain
from shared.kit import sheets
from shared.kit.problem import Invalid, TooLarge
from shared.kit.sheets import XLSX

MOST_ROWS = 50_000
"""Rows in one file; a bigger register comes in several, repeating is safe."""

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
    rows = iter(sheets.read_table(content))
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


def write_csv(register: str, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of a register as CSV."""
    return sheets.write_csv([HEADINGS[register][field][0] for field in fields], rows)


def write_xlsx(register: str, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of a register as XLSX."""
    name = {"rentals": "出租屋", "estates": "小区", "agents": "中介", "venues": "会议场地"}[register]
    return sheets.write_xlsx(name, [HEADINGS[register][field][0] for field in fields], rows)


__all__ = ["HEADINGS", "MOST_ROWS", "XLSX", "Line", "read_sheet", "write_csv", "write_xlsx"]
