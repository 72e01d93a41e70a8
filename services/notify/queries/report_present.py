"""Reports and bulletins as they are shown: by the API and on pages alike."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.reports import FIELDS, ReportState
from services.notify.queries import directory
from services.notify.queries import figures as counted
from services.notify.queries import reports as queries
from services.notify.schemas.reports import (
    BulletinOut,
    BulletinRow,
    FiguresOut,
    ReporterOut,
    ReportOut,
    ReportRow,
    ReportSays,
    RoundOut,
)
from services.notify.settings import Settings
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.rules.plan import Plan

_NOTHING = {"position": 0, "digest": "", "total": {}, "by_agency": {}, "by_area": {}}


def is_late(row: Any) -> bool:
    """Whether a report is missing or came late, and that counts."""
    return bool(row.counts) and (row.state == ReportState.MISSED.value or row.in_time is False)


def report_row(settings: Settings, row: Any) -> ReportRow:
    """A report in a list: nothing of what it says."""
    fields = {name: getattr(row, name) for name in ReportRow.model_fields if hasattr(row, name)}
    href = f"{settings.base_url('notify')}/v1/reports/{row.id}"
    return ReportRow(**fields | {"report_id": row.id, "late": is_late(row), "href": href})


async def report_out(
    conn: AsyncConnection, settings: Settings, plan: Plan | None, row: Any, contents: dict[str, Any]
) -> ReportOut:
    """A report with its words and figures; figures stand still once it is sent."""
    figures = row.figures
    if figures is None and plan is not None and row.agency in {one.id for one in plan.agencies}:
        position = await counted.position_now(conn)
        now = await counted.of_agency(conn, plan, row.agency, row.first_day, row.day, position)
        figures = now.as_record()
    elif figures is None:
        figures = _NOTHING | {"first": row.first_day, "last": row.day}
    return ReportOut(
        **report_row(settings, row).model_dump(),
        says=ReportSays(**{field: contents.get(field, "") for field in FIELDS}),
        reason=contents.get("reason"),
        figures=FiguresOut(**figures),
        history=row.history,
    )


def round_out(one: Any) -> RoundOut:
    """A day of reporting."""
    return RoundOut(**{name: getattr(one, name) for name in RoundOut.model_fields} | {"missing": list(one.missing)})


def bulletin_row(settings: Settings, row: Any, contents: dict[str, Any]) -> BulletinRow:
    """A bulletin in a list."""
    fields = {name: getattr(row, name) for name in BulletinRow.model_fields if hasattr(row, name)}
    href = f"{settings.base_url('notify')}/v1/bulletins/{row.id}"
    return BulletinRow(**fields | {"bulletin_id": row.id, "title": contents["title"], "href": href})


def bulletin_out(settings: Settings, row: Any, contents: dict[str, Any]) -> BulletinOut:
    """A bulletin with all it says."""
    fields = {name: getattr(row, name) for name in BulletinOut.model_fields if hasattr(row, name)}
    fields |= bulletin_row(settings, row, contents).model_dump()
    return BulletinOut(**fields | {"sections": contents["sections"], "reason": contents.get("reason")})


async def reporters(conn: AsyncConnection, keys: KeyRing, caller: Caller, plan: Plan) -> list[ReporterOut]:
    """Each agency that reports and the caller sees, with the account named for it."""
    named = await queries.named(conn, caller)
    wide = caller.reach("report.read") in ("plan", "all")
    agencies = [one for one in plan.reporters() if wide or one == caller.agency]
    people = {row.id: row for row in await queries.candidates(conn, plan.id, agencies)}
    shown = []
    for agency in agencies:
        row = named.get(agency)
        account = people.get(row.account_id) if row else None
        said = directory.display_name(keys, account) if account else None
        kept, version = (row.account_id, row.version) if row else (None, 0)
        shown.append(ReporterOut(agency=agency, account_id=kept, version=version, display_name=said))
    return shown
