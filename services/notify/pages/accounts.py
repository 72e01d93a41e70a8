"""Who has an account: a plain list for the account manager. Accounts are made and changed by the API for now."""

from fastapi import APIRouter, Depends, Request, Response

from services.notify.queries import directory as queries
from services.notify.tables import accounts, kit, systems
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.web.render import page

router = APIRouter(tags=["pages"], include_in_schema=False)

SHOWN = 50


@router.get("/accounts")
async def list_accounts(
    request: Request, cursor: str | None = None, caller: Caller = Depends(Requires("directory.manage"))
) -> Response:
    """Officers' accounts by login, and on the first page the clients of agencies' systems."""
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        rows, following = await queries.list_rows(conn, caller, accounts, accounts.c.login, cursor, SHOWN)
        clients = []
        if cursor is None:
            clients, _ = await queries.list_rows(conn, caller, systems, systems.c.client_id, None, SHOWN)
        await audit.record(conn, kit, caller, "account.listed", "account", [row.id for row in rows], now)
    context = {
        "accounts": [queries.account_out(svc.settings.keys, row) for row in rows],
        "systems": [queries.system_out(row) for row in clients],
        "following": following,
        "now": now,
    }
    return page(request, "accounts.html", context, service="notify", caller=caller)
