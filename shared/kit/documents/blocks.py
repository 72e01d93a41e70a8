"""What a filled Word document says, piece by piece: the PDF is set from this, so both say the same."""

from __future__ import annotations

import io
from typing import Any

from docx import Document
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from shared.kit.documents import sheet

_ROLES = {
    sheet.ISSUER: "issuer",
    sheet.TITLE: "title",
    sheet.NUMBER: "number",
    sheet.TO: "to",
    sheet.HEADING: "heading",
    sheet.CLOSING: "closing",
    sheet.NOTE: "note",
    "Title": "title",
    "Heading 1": "heading",
    "Heading 2": "heading",
}
_ALIGN = {"center": "center", "right": "right", "end": "right"}


def blocks_of(docx: bytes) -> list[dict[str, Any]]:
    """Paragraphs (role, align, text), tables (rows of cells with text and span) and pictures (bytes), in order."""
    document = Document(io.BytesIO(docx))
    found: list[dict[str, Any]] = []
    for child in document.element.body.iterchildren():
        if child.tag == qn("w:p"):
            pictures = [document.part.related_parts[one.get(qn("r:embed"))].blob for one in child.iter(qn("a:blip"))]
            if pictures:
                found += [{"kind": "picture", "data": list(one)} for one in pictures]
            else:
                found.append(_paragraph(Paragraph(child, document)))
        elif child.tag == qn("w:tbl"):
            found.append(_table(Table(child, document)))
    return found


def _paragraph(paragraph: Paragraph) -> dict[str, Any]:
    role = _ROLES.get(paragraph.style.name if paragraph.style else "", "text")
    own = paragraph._p.pPr.jc.val if paragraph._p.pPr is not None and paragraph._p.pPr.jc is not None else None
    align = _ALIGN.get(str(own).split(" ")[0].lower(), "") if own is not None else ""
    return {"kind": "text", "role": role, "align": align, "text": paragraph.text}


def _table(table: Table) -> dict[str, Any]:
    rows = []
    for tr in table._tbl.tr_lst:
        cells = []
        for tc in tr.tc_lst:
            # a cell that goes on from above says nothing of its own
            below = tc.vMerge == "continue"
            text = "" if below else "\n".join(Paragraph(p, table).text for p in tc.p_lst)
            cells.append({"text": text, "span": tc.grid_span})
        rows.append(cells)
    columns = max((sum(cell["span"] for cell in row) for row in rows), default=1)
    return {"kind": "table", "columns": columns, "rows": rows}
