"""Tables as files: XLSX and CSV read into rows of cells, rows written as CSV or XLSX, within bounds and without formulas.

The libraries of XLSX load with the first such file: a service at rest has no use for their memory.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from shared.kit.problem import TooLarge, UnsupportedType

MOST_UNPACKED = 400 * 1024 * 1024
"""Bytes an XLSX may unpack to: a small file can hold a bomb."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def read_table(content: bytes) -> Iterable[Sequence[Any]]:
    """The rows of a file: XLSX by its first bytes, else CSV in UTF-8 or GB 18030.

    Raises UnsupportedType (not readable) or TooLarge; formulas come as the values they were saved with.
    """
    return _xlsx(content) if content[:4] == b"PK\x03\x04" else _csv(content)


def _xlsx(content: bytes) -> Iterable[Sequence[Any]]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

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


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as CSV with a byte order mark, so that a spreadsheet program reads the Chinese; no cell starts a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(headings)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def harmless(cell: Any) -> Any:
    """A cell that no spreadsheet program takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def write_xlsx(name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as XLSX under a sheet name; every text stays text."""
    from xlsxwriter import Workbook

    out = io.BytesIO()
    book = Workbook(
        out, {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True})
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    for at, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, int) and not isinstance(cell, bool):
                sheet.write_number(at, column, cell)
            elif cell is not None:
                sheet.write_string(at, column, str(cell))
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()
