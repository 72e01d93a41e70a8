"""Deadlines of all services: what runs for one's own unit, for the office everybody's, what is late first."""

from fastapi import APIRouter, Depends, Request, Response

from services.notify.queries import clocks as queries
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.rules.plan import Plan
from shared.web.render import page

router = APIRouter(tags=["pages"], include_in_schema=False)

SHOWN = 50
_SERVICE = {"case": "casework", "proceeding": "casework", "document": "casework", "lead": "intake", "handover": "intake"}


@router.get("/deadlines")
async def deadlines(
    request: Request, cursor: str | None = None, agency: str | None = None, caller: Caller = Depends(Requires("notice.read"))
) -> Response:
    """The list, by due moment."""
    svc: Service = request.app.state.service
    now = clock.now()
    plan = svc.plans.get(caller.plan or "")
    known = {one.id for one in plan.members} if plan else set()
    agency = agency if agency in known else None
    async with db.begin(svc.engine) as conn:
        rows, following = await queries.running(conn, caller, cursor, SHOWN, agency=agency)
        counts = await queries.counts(conn, caller, now)
        await audit.record(conn, kit, caller, "deadline.listed", "deadline", [row.id for row in rows], now)
    context = {
        "rows": [_Line(svc, row, now) for row in rows],
        "following": following,
        "counts": counts,
        "most": queries.COUNT_UP_TO,
        "agency": agency,
        "agencies": _agencies(plan) if plan and caller.reach("notice.read") in ("plan", "all") else [],
        "now": now,
    }
    return page(request, "deadlines.html", context, service="notify", caller=caller)


def _agencies(plan: Plan) -> list[str]:
    return [one.id for one in plan.members]


class _Line:
    """A deadline as the list shows it."""

    def __init__(self, svc: Service, row, now) -> None:  # type: ignore[no-untyped-def]
        self.clock = row
        self.late = queries.is_late(row, now)
        self.rule = queries.rule_in_words(svc, row.plan, row.rule, row.start)
        self.service = _SERVICE.get(row.matter, "notify")
        _, found, path = row.dataref.partition("/v1/")
        self.path = f"/{path}" if found else "/"
