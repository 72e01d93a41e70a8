"""Agencies' systems that wait for a second person: what each may do, who asked, and the button (four eyes)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.notify.commands import directory as commands
from services.notify.pages.account_parts import REFUSALS, Refused, first_time, why
from services.notify.queries import directory as queries
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.web.forms import VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter(prefix="/approvals", tags=["pages"], include_in_schema=False)

Approver = Depends(Requires("directory.approve"))


@router.get("")
async def waiting(request: Request, caller: Caller = Approver) -> Response:
    """What waits within the caller's reach."""
    return await _shown(request, caller)


async def _shown(request: Request, caller: Caller, refused: Refused | None = None) -> Response:
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        rows = await queries.waiting(conn, svc.settings.keys, caller)
    lines = [(queries.system_out(row), asker, commands.may_approve(svc, caller, row)) for row, asker in rows]
    context = {"lines": lines, "refused": refused, "missed": []}
    status = refused.status if refused else 200
    return page(request, "approvals.html", context, service="notify", caller=caller, status=status)


@router.post("/{system_id}")
async def approve(request: Request, system_id: UUID, caller: Caller = Approver) -> Response:
    """The second person's word: from now on it works."""
    svc: Service = request.app.state.service
    sent = await read_form(request, VersionedForm)
    try:
        async with db.begin(svc.engine) as conn:
            first, _ = await first_time(conn, svc, caller, "system.approve", sent, system_id)
            if first:
                await commands.approve_system(conn, svc, caller, system_id, sent.version, clock.now())
    except REFUSALS as problem:
        return await _shown(request, caller, why(request, problem))
    await svc.directory.refresh(svc.engine)
    return see_other(request, "/approvals", done="saved")
