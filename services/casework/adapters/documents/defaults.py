"""The default Word template of a kind, made from the wording beside its fields; officials then edit the file in Word."""

from __future__ import annotations

from services.casework.domain.documents.kinds import Block, DocumentField, Kind
from shared.kit.documents.sheet import CLOSING, HEADING, ISSUER, NOTE, NUMBER, TEXT, TITLE, TO, Sheet


def default_template(kind: Kind) -> bytes:
    """The .docx of a kind; the same kind gives the same bytes."""
    made = _Maker(kind)
    made.head()
    for block in kind.body:
        made.block(block)
    made.closing()
    return made.save()


class _Maker(Sheet):
    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.name.zh)
        self.kind = kind

    def head(self) -> None:
        self.paragraph(ISSUER, "{{ issuer }}")
        self.paragraph(TITLE, self.kind.printed_title)
        self.paragraph(NUMBER, "{{ number }}")
        self.paragraph(NOTE, "")

    def block(self, block: Block) -> None:
        if block.when:
            self.paragraph(TEXT, f"{{%p if {block.when} %}}")
        if block.text is not None:
            self.paragraph(TEXT, block.text)
        elif block.to is not None:
            self.paragraph(TO, block.to)
        elif block.heading is not None:
            self.paragraph(HEADING, block.heading)
        elif block.form is not None:
            self.form(block.form)
        else:
            assert block.table is not None
            self.list(self.kind.field(block.table))
        if block.when:
            self.paragraph(TEXT, "{%p endif %}")

    def form(self, rows: tuple[tuple[str, ...], ...]) -> None:
        table = self.table(4)
        for row in rows:
            cells = table.add_row().cells
            first = self.kind.field(row[0])
            self.cell(cells[0], first.name.zh)
            if len(row) == 1:
                self.cell(cells[1].merge(cells[3]), f"{{{{ {first.id} }}}}")
                continue
            second = self.kind.field(row[1])
            self.cell(cells[1], f"{{{{ {first.id} }}}}")
            self.cell(cells[2], second.name.zh)
            self.cell(cells[3], f"{{{{ {second.id} }}}}")
        self.paragraph(NOTE, "")

    def list(self, field: DocumentField) -> None:
        table = self.table(len(field.columns) + 1)
        heads = table.add_row().cells
        self.cell(heads[0], "序号")
        for cell, column in zip(heads[1:], field.columns, strict=True):
            self.cell(cell, column.name.zh)
        self.cell(table.add_row().cells[0], f"{{%tr for row in {field.id} %}}")
        cells = table.add_row().cells
        self.cell(cells[0], "{{ row.no }}")
        for cell, column in zip(cells[1:], field.columns, strict=True):
            self.cell(cell, f"{{{{ row.{column.id} }}}}")
        self.cell(table.add_row().cells[0], "{%tr endfor %}")
        self.paragraph(NOTE, "")

    def closing(self) -> None:
        if self.kind.approval:
            self.paragraph(TEXT, "{%p if approved_text %}")
            self.paragraph(TEXT, "审批：{{ approved_text }}")
            self.paragraph(TEXT, "{%p endif %}")
        if self.kind.signatures:
            table = self.table(4)
            for one in self.kind.signatures:
                for _ in range(one.count):
                    cells = table.add_row().cells
                    self.cell(cells[0], f"{one.name.zh}（签名）")
                    self.cell(cells[2], "日期")
            self.paragraph(NOTE, "")
        self.paragraph(CLOSING, "{{ issuer }}（印章）")
        self.paragraph(CLOSING, "{{ issued_on }}")
        self.paragraph(NOTE, "依据：{{ basis_text }}")
        self.paragraph(NOTE, "校验码：{{ check_code }}")
