"""A bulletin as Word or PDF in the layout of official documents, with its charts: the same content, the same file."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from services.notify.commands.reports.room import Room
from services.notify.domain.bulletins import KINDS, READ_BY_ALL, charts_of, printed
from services.notify.queries import bulletins as queries
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller
from shared.kit.documents.press import Job, PressError, press
from shared.kit.logs import log
from shared.kit.problem import Unavailable
from shared.rules.calendar import local_day

Form = Literal["docx", "pdf"]
MEDIA: dict[Form, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}
CHARTS = ("chart_counts", "chart_areas")


@lru_cache(maxsize=8)
def template(kind: str) -> bytes:
    """The Word template of a kind; the same kind gives the same bytes."""
    from shared.kit.documents.sheet import CLOSING, HEADING, ISSUER, NOTE, NUMBER, TEXT, TITLE, TO, Sheet

    sheet = Sheet(KINDS[kind][0])
    sheet.paragraph(ISSUER, "{{ issuer }}")
    sheet.paragraph(TITLE, "{{ title }}")
    sheet.paragraph(NUMBER, "{{ number }}")
    sheet.paragraph(TO, "{{ to }}")
    sheet.paragraph(TEXT, "{%p for section in sections %}")
    sheet.paragraph(HEADING, "{{ section.heading }}")
    sheet.paragraph(TEXT, "{{ section.body }}")
    sheet.paragraph(TEXT, "{%p endfor %}")
    sheet.paragraph(HEADING, "附：主要数据（{{ period }}）")
    table = sheet.table(2)
    heads = table.add_row().cells
    sheet.cell(heads[0], "项目")
    sheet.cell(heads[1], "数量")
    sheet.cell(table.add_row().cells[0], "{%tr for row in rows %}")
    cells = table.add_row().cells
    sheet.cell(cells[0], "{{ row.word }}")
    sheet.cell(cells[1], "{{ row.number }}")
    sheet.cell(table.add_row().cells[0], "{%tr endfor %}")
    sheet.paragraph(NOTE, "")
    for chart in CHARTS:
        sheet.paragraph(NOTE, f"{{{{ {chart} }}}}")
    sheet.paragraph(CLOSING, "{{ issuer }}")
    sheet.paragraph(CLOSING, "{{ issued_on }}")
    sheet.paragraph(NOTE, "数据截至事件记录位置 {{ position }}，校验码：{{ check_code }}")
    return sheet.save()


def job_of(room: Room, row: Any, form: Form) -> Job:
    """What the press needs; a draft is marked as one."""
    plan = room.plan(row.plan)
    issued: datetime | None = row.released_at
    context = printed(plan, row._mapping, room.open(row.id, row.contents), local_day(issued) if issued else None)
    layout = (room.settings.documents_dir / "layout.typ").read_bytes()
    fonts = (str(room.settings.fonts_dir),) if room.settings.fonts_dir else ()
    return Job(
        template(row.kind), context, form, layout, context["title"], context["issuer"], row.state not in READ_BY_ALL,
        issued or row.created_at, fonts, charts_of(plan, row.figures),
    )  # fmt: skip


async def file_of(room: Room, row: Any, form: Form) -> bytes:
    """The file. Raises `Unavailable` where it cannot be made, saying why."""
    try:
        return await press(job_of(room, row, form))
    except PressError as error:
        if error.code == "fonts-missing":
            raise Unavailable(
                "服务器没有中文字体，不能生成图表和 PDF。请管理员安装 fonts-noto-cjk，或用 DACHUAN_FONTS_DIR 指定字体文件夹。 "
                "No Chinese font is installed, so neither charts nor PDF can be set. Install fonts-noto-cjk or set DACHUAN_FONTS_DIR.",
                code="fonts-missing",
            ) from error
        # the last line names the error; what stands above it could hold what the bulletin says
        last = (error.detail.strip().splitlines() or [""])[-1][:80]
        log.error("bulletin.press", reason=f"{error.code}: {last}")
        raise Unavailable(
            "文件没有生成，简报未受影响；请稍后再试。 The file was not made; the bulletin is as it was. Try again.",
            code="not-made",
        ) from error


def file_name(row: Any, form: Form) -> str:
    """What the file is called when it is kept."""
    said = f"{row.year}-{row.serial}" if row.number else f"draft-{str(row.id)[:8]}"
    return f"{row.kind}-{said}.{form}"


async def read_one(room: Room, caller: Caller, bulletin_id: UUID, action: str = "bulletin.read") -> Any:
    """A bulletin's row; reading it is recorded. Raises `NotFound`."""
    async with db.begin(room.service.engine) as conn:
        row = await queries.one(conn, caller, room.service.plans.get(caller.plan or ""), bulletin_id)
        await audit.record(conn, kit, caller, action, "bulletin", [row.id], clock.now())
    return row
