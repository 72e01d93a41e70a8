"""What notify knows of one tip's journey."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.notices import Template
from services.notify.tables import deliveries, notices
from shared.kit.access import Caller, scope
from shared.kit.trace import TraceAnswer, TraceStep

MOST = 500

_TITLES = {
    Template.CASE_OPENED: ("通知已送达收件箱", "Notice put in the inbox"),
    Template.DEADLINE_MISSED: ("超时通知已送达收件箱", "Notice of a missed deadline put in the inbox"),
    Template.DEADLINE_MISSED_OFFICE: ("超时情况已告知打传办", "The office was told of a missed deadline"),
}
_OTHER = ("通知已送达收件箱", "Notice put in the inbox")


async def trace(conn: AsyncConnection, caller: Caller, ids: list[str]) -> TraceAnswer:
    """Notices of the cases (or with the ids) asked for, their signing, and their webhooks; within the caller's reach."""
    wanted = [parsed for parsed in map(_uuid, ids) if parsed is not None]
    if not wanted:
        return TraceAnswer(steps=[], related=[])
    n, d = notices.c, deliveries.c
    reach = scope(caller, "trace.read", plan=n.plan, agency=lambda agency: n.agency == agency, area=n.area)
    rows = (
        await conn.execute(
            select(notices)
            .where(
                or_(n.case_id.in_(wanted), n.handover_id.in_(wanted), n.matter_id.in_(wanted), n.id.in_(wanted)),
                n.needs.is_(None), reach,
            )
            .order_by(n.seq)
            .limit(MOST)
        )
    ).all()
    steps: list[TraceStep] = []

    def step(at: datetime, code: str, titles: tuple[str, str], row: object, **facts: str | int | bool | None) -> None:
        steps.append(
            TraceStep(
                at=at, service="notify", step=code, title_zh=titles[0], title_en=titles[1],
                object_type="notice", object_id=str(row.id), facts=facts,  # type: ignore[attr-defined]
            )
        )  # fmt: skip

    for row in rows:
        facts = {"agency": row.agency, "unit": row.unit, "number": row.number, "urgent": row.urgent}
        step(row.created_at, "notice.created", _TITLES.get(Template(row.template), _OTHER), row, **facts)
        if row.signed_at:
            step(row.signed_at, "notice.signed", ("通知已签收", "Notice signed"), row, agency=row.agency, unit=row.unit)
    by_id = {row.id: row for row in rows}
    sent = (
        (await conn.execute(select(deliveries).where(d.notice_id.in_(list(by_id))).order_by(d.created_at))).all()
        if by_id
        else []
    )
    for one in sent:
        row = by_id[one.notice_id]
        if one.state == "delivered":
            titles = ("已推送到单位系统", "Sent to the agency's system")
            step(one.delivered_at, "webhook.delivered", titles, row, agency=row.agency, attempts=one.attempts)
        elif one.state == "failed":
            titles = ("推送未成功，已停止重试", "Not delivered to the agency's system; given up")
            step(one.next_at, "webhook.failed", titles, row, agency=row.agency, attempts=one.attempts)
    steps.sort(key=lambda s: s.at)
    return TraceAnswer(steps=steps, related=sorted({str(row.case_id) for row in rows if row.case_id} | {str(row.id) for row in rows}))


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
