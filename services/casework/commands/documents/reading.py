"""Documents read: every reading of contents is recorded, and files are made anew from what was frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.documents.desk import Desk, body_approvals
from services.casework.commands.documents.issuing import digest_of, head_of
from services.casework.commands.documents.templates import current_template, kept_file
from services.casework.domain.documents import values as v
from services.casework.domain.documents.kinds import Kind
from services.casework.domain.documents.states import FROZEN
from services.casework.queries import documents as queries
from services.casework.tables import kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.documents.press import Job, PressError, press
from shared.kit.logs import log
from shared.kit.problem import Conflict, Forbidden, NotFound, Problem, Unavailable

Form = Literal["docx", "pdf"]


async def record_reading(conn: AsyncConnection, caller: Caller, row: Any, what: str, now: datetime) -> None:
    """That a caller read what a document says."""
    await audit.record(conn, kit, caller, what, "document", [row.id], now, kind=row.kind, case=str(row.case_id))


async def readable(conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID) -> Any:
    """A document whose contents the caller may read. Raises `NotFound`, or `Forbidden` for one only to be known of."""
    approvals = body_approvals(desk.basis.plans.get(caller.plan or ""), caller)
    row = await queries.one(conn, caller, document_id, approvals)
    if row is None:
        raise NotFound("没有这份文书，或不在您的权限内。 No such document within your reach.", code="document-not-found")
    if not queries.opened_to(caller, row, approvals):
        raise Forbidden(
            "您可以看到这份文书的编号和状态，但不能看内容。 You may know of this document, but not read what it says.",
            code="contents-closed",
        )
    return row


async def make_file(
    conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID, form: Form, now: datetime
) -> tuple[Any, Job]:
    """The document, and the job that makes its file; the reading is recorded.

    What was issued is made from what was frozen, with the template it was issued by: the same text whenever. A draft is
    made with the template in use and marked as one. Raises `NotFound`, `Forbidden`, or `Conflict` for a discarded one.
    """
    row = await readable(conn, desk, caller, document_id)
    kind, contents = desk.kind(row.kind), desk.open(row)
    plan = desk.basis.plan(row.plan)
    await record_reading(conn, caller, row, f"document.{form}", now)
    if row.state in FROZEN:
        frozen = contents["frozen"]
        if digest_of(frozen) != row.digest:
            log.error("document.altered", id=str(row.id))
            raise Unavailable(
                "这份文书的内容与签发时的校验值不符，已停止提供，请联系系统管理员。 "
                "What is kept of this document does not match its digest; it is not given out. Tell the administrators."
            )
        template, layout = await kept_file(conn, frozen["template"]), await kept_file(conn, frozen["layout"])
        head, printed = frozen["head"] | {"check_code": row.digest[:16]}, frozen["printed"]
        return row, _job(kind, form, template, layout, head, printed, row.issued_at, desk, draft=False)
    if row.state == "discarded":
        raise Conflict("草稿已作废，没有内容。 The draft was discarded; there is nothing in it.", code="discarded")
    template = await current_template(conn, desk, row.plan, row.issuer, kind)
    head = head_of(kind, plan, row, number=None, day=None) | {"check_code": "草稿"}
    printed = v.printed(kind, contents["values"], plan)
    return row, _job(kind, form, template, desk.layout, head, printed, now, desk, draft=True)


def _job(
    kind: Kind, form: Form, template: bytes, layout: bytes, head: dict[str, str], printed: dict[str, Any], made: datetime,
    desk: Desk, *, draft: bool,
) -> Job:  # fmt: skip
    lists = {field.id for field in kind.fields if field.columns}
    # fields that the kind gained since are empty; those it lost stay, for the template of then asks for them
    context = {field.id: [] if field.id in lists else "" for field in kind.fields} | printed | head
    return Job(template, context, form, layout, head["title"], head["issuer"], draft, made, desk.fonts)


async def pressed(job: Job) -> bytes:
    """The file of a job. Raises `Unavailable` where it cannot be made, saying why."""
    try:
        return await press(job)
    except PressError as error:
        raise _told(error) from error


def _told(error: PressError) -> Problem:
    if error.code == "fonts-missing":
        return Unavailable(
            "服务器没有中文字体，不能生成 PDF；Word 文件可以照常下载。请管理员安装 fonts-noto-cjk，或用 DACHUAN_FONTS_DIR 指定字体文件夹。 "
            "No Chinese font is installed, so no PDF can be set; the Word file can be had. Install fonts-noto-cjk or set DACHUAN_FONTS_DIR.",
            code="fonts-missing",
        )
    # the last line names the error; what stands above it could hold what the document says
    last = (error.detail.strip().splitlines() or [""])[-1][:80]
    log.error("document.press", reason=f"{error.code}: {last}")
    return Unavailable(
        "文件没有生成，文书未受影响；请稍后再试，仍不行请检查模板。 The file was not made; the document is as it was. Try again, then check the template.",
        code="not-made",
    )
