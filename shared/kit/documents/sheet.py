"""A Word document in the layout of official documents (公文), made piece by piece.

Page, type sizes and order follow GB/T 9704-2012 as far as it was known (M): A4, margins 37/35/28/26 mm, title 22 pt,
text 16 pt, page numbers 14 pt. Fonts are named as offices have them; Word takes another where one is missing.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

ISSUER, TITLE, NUMBER, TO, TEXT, HEADING, CELL, CLOSING, NOTE = (
    "发文机关", "文书标题", "发文字号", "主送", "文书正文", "文书小标题", "表格文字", "落款", "附注",
)  # fmt: skip
_SONG, _FANG, _HEI = "方正小标宋简体", "仿宋_GB2312", "黑体"
_CENTRE, _RIGHT, _BOTH = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.JUSTIFY
_STYLES: dict[str, tuple[str, float, Any, float]] = {
    ISSUER: (_SONG, 22, _CENTRE, 0),
    TITLE: (_SONG, 22, _CENTRE, 0),
    NUMBER: (_FANG, 16, _CENTRE, 0),
    TO: (_FANG, 16, _BOTH, 0),
    TEXT: (_FANG, 16, _BOTH, 2),
    HEADING: (_HEI, 16, _BOTH, 2),
    CELL: (_FANG, 12, WD_ALIGN_PARAGRAPH.LEFT, 0),
    CLOSING: (_FANG, 16, _RIGHT, 0),
    NOTE: (_FANG, 10.5, WD_ALIGN_PARAGRAPH.LEFT, 0),
}
_MADE = datetime(2026, 1, 1)


class Sheet:
    """A document under way: paragraphs by style and tables, saved as the same bytes for the same content."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.document = Document()
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        for name, (font, size, align, indent) in _STYLES.items():
            style = self.document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
            style.font.name, style.font.size = font, Pt(size)
            style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
            style.paragraph_format.alignment = align
            style.paragraph_format.space_after = style.paragraph_format.space_before = Pt(0)
            style.paragraph_format.line_spacing = Pt(max(size * 1.35, 28.95 if size >= 16 else 0))
            style.paragraph_format.first_line_indent = Pt(size * indent)
        self._page_number(section.footer.paragraphs[0])

    def paragraph(self, style: str, text: str) -> None:
        self.document.add_paragraph(text, style=style)

    def save(self) -> bytes:
        """The .docx; the same content gives the same bytes."""
        properties = self.document.core_properties
        properties.title, properties.author, properties.comments = self.title, "", ""
        properties.created = properties.modified = _MADE
        properties.revision = 1
        kept = io.BytesIO()
        self.document.save(kept)
        return _same_bytes(kept.getvalue())

    def table(self, columns: int) -> Any:
        table = self.document.add_table(rows=0, cols=columns)
        table.style = "Table Grid"
        table.autofit = False
        return table

    @staticmethod
    def cell(cell: Any, text: str) -> None:
        paragraph = cell.paragraphs[0]
        paragraph.style = CELL
        paragraph.text = text

    @staticmethod
    def _page_number(paragraph: Any) -> None:
        paragraph.alignment = _CENTRE
        for text, kind in (("— ", None), (None, "begin"), ("PAGE", "code"), (None, "end"), (" —", None)):
            run = paragraph.add_run(text if kind is None else None)
            run.font.size = Pt(14)
            if kind == "code":
                element = OxmlElement("w:instrText")
                element.text = text
                run._r.append(element)
            elif kind is not None:
                element = OxmlElement("w:fldChar")
                element.set(qn("w:fldCharType"), kind)
                run._r.append(element)


def _same_bytes(content: bytes) -> bytes:
    """The same package with fixed file dates, so that making it anew changes nothing."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            # random ids of the empty template's revision marks do not matter to anyone
            data = re.sub(rb' w:rsid\w*="[0-9A-F]{8}"', b"", old.read(name)) if name.endswith(".xml") else old.read(name)
            info = zipfile.ZipInfo(name, date_time=_MADE.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            new.writestr(info, data)
    return made.getvalue()
