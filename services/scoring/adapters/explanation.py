"""An explanation as a document in the layout of official papers: the sums of its lines, then every entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from shared.kit.documents.press import Job, press

_LAYOUT = Path(__file__).resolve().parents[3] / "deploy" / "documents" / "layout.typ"

Form = Literal["docx", "pdf"]
MEDIA: dict[Form, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}
_LINES = (("细则", "rulebook"), ("事由", "text"), ("条款", "clause"), ("条数", "entries"), ("更正", "corrections"), ("分值", "points"))
_ENTRIES = (("日期", "day"), ("分值", "points"), ("事由", "text"), ("依据", "basis"), ("记录时间", "recorded"), ("编号", "entry"))


@lru_cache(maxsize=1)
def _template() -> bytes:
    from shared.kit.documents.sheet import CLOSING, HEADING, ISSUER, NOTE, TEXT, TITLE, Sheet

    sheet = Sheet("得分说明")
    sheet.paragraph(ISSUER, "{{ issuer }}")
    sheet.paragraph(TITLE, "{{ title }}")
    sheet.paragraph(TEXT, "{{ scope }}合计 {{ points }} 分。以下各行之和即为该分值；每条记录可凭编号在系统中打开，并可凭公钥验证。")
    for heading, name, columns in (("一、按细则条目", "lines", _LINES), ("二、逐条记录", "entries", _ENTRIES)):
        sheet.paragraph(HEADING, heading)
        table = sheet.table(len(columns))
        for cell, (word, _) in zip(table.add_row().cells, columns, strict=True):
            sheet.cell(cell, word)
        sheet.cell(table.add_row().cells[0], f"{{%tr for row in {name} %}}")
        for cell, (_, field) in zip(table.add_row().cells, columns, strict=True):
            sheet.cell(cell, f"{{{{ row.{field} }}}}")
        sheet.cell(table.add_row().cells[0], "{%tr endfor %}")
        sheet.paragraph(NOTE, "")
    sheet.paragraph(NOTE, "{{ rest }}")
    sheet.paragraph(CLOSING, "{{ issuer }}")
    sheet.paragraph(CLOSING, "{{ made }}")
    return sheet.save()


async def printed(
    form: Form, *, issuer: str, title: str, scope: str, points: str, lines: Sequence[dict[str, Any]],
    entries: Sequence[dict[str, Any]], rest: str, made: datetime, made_words: str,
) -> bytes:  # fmt: skip
    """The file. Raises `PressError`."""
    context = {
        "issuer": issuer, "title": title, "scope": scope, "points": points, "lines": list(lines),
        "entries": list(entries), "rest": rest, "made": made_words,
    }  # fmt: skip
    return await press(Job(_template(), context, form, _LAYOUT.read_bytes(), title, issuer, draft=False, made=made))
