"""Managing accounts and clients. A client of an agency's system works when a second person, of a post that approves
`agency.onboard`, has approved it."""

from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify.commands import directory as commands
from services.notify.domain import credentials
from services.notify.domain.standing import Standing
from services.notify.queries import directory as queries
from services.notify.schemas import AccountChange, AccountIn, AccountOut, SystemChange, SystemIn, SystemOut
from services.notify.tables import accounts, kit, systems
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import MOST, Page
from shared.kit.service import Service

router = APIRouter(prefix="/v1/directory", tags=["directory"])

Manager = Depends(Requires("directory.manage"))
Approver = Depends(Requires("directory.approve"))


@router.get("/accounts")
async def list_accounts(
    request: Request, cursor: str | None = None, limit: int = Query(50, ge=1, le=MOST), caller: Caller = Manager
) -> Page[AccountOut]:
    """Officers' accounts by login."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        rows, following = await queries.list_rows(conn, caller, accounts, accounts.c.login, cursor, limit)
        await audit.record(conn, kit, caller, "account.listed", "account", [row.id for row in rows], clock.now())
    return Page(items=[queries.account_out(svc.settings.keys, row) for row in rows], next=following)


@router.post("/accounts", status_code=201)
async def create_account(request: Request, response: Response, body: AccountIn, caller: Caller = Manager) -> AccountOut:
    """Make an account. The login makes it unique, so a request sent again answers 409."""
    svc: Service = request.app.state.service
    standing = Standing(body.plan, body.agency, body.unit, tuple(body.posts), tuple(body.areas))
    commands.check_standing(svc, caller, "directory.manage", standing)
    password, hashed = await commands.fresh_password() if body.password else (None, None)
    new = commands.NewAccount(
        commands.usable_login(body.login),
        body.display,
        standing,
        hashed,
        body.oidc_subject,
    )
    async with db.begin(svc.engine) as conn:
        row = await commands.create_account(conn, svc, caller, new, clock.now())
    response.headers["etag"] = etag(row.version)
    response.headers["cache-control"] = "no-store"
    return queries.account_out(svc.settings.keys, row, password)


@router.get("/accounts/{account_id}")
async def one_account(request: Request, response: Response, account_id: UUID, caller: Caller = Manager) -> AccountOut:
    """One account."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        row = await queries.one(conn, caller, accounts, account_id)
        await audit.record(conn, kit, caller, "account.read", "account", [row.id], clock.now())
    response.headers["etag"] = etag(row.version)
    return queries.account_out(svc.settings.keys, row)


@router.patch("/accounts/{account_id}")
async def change_account(
    request: Request, response: Response, account_id: UUID, body: AccountChange, caller: Caller = Manager
) -> AccountOut:
    """Change an account; If-Match is required, so a request sent again answers 412 and changes nothing twice."""
    svc: Service = request.app.state.service
    version = required_version(request)
    changes = body.model_dump(exclude_unset=True, exclude={"reset_password"})
    changes = {k: v for k, v in changes.items() if v is not None or k in ("unit", "oidc_subject")}
    password = None
    if body.reset_password:
        password, changes["password_hash"] = await commands.fresh_password()
    async with db.begin(svc.engine) as conn:
        row = await commands.change_account(conn, svc, caller, account_id, version, changes, clock.now())
    await svc.directory.refresh(svc.engine)
    response.headers["etag"] = etag(row.version)
    response.headers["cache-control"] = "no-store"
    return queries.account_out(svc.settings.keys, row, password)


@router.get("/systems")
async def list_systems(
    request: Request, cursor: str | None = None, limit: int = Query(50, ge=1, le=MOST), caller: Caller = Manager
) -> Page[SystemOut]:
    """Agencies' clients by client id."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        rows, following = await queries.list_rows(conn, caller, systems, systems.c.client_id, cursor, limit)
    return Page(items=[queries.system_out(row) for row in rows], next=following)


@router.post("/systems", status_code=201)
async def create_system(request: Request, response: Response, body: SystemIn, caller: Caller = Manager) -> SystemOut:
    """Make a client for an agency's system; its secret is in this answer and nowhere else. It waits for approval."""
    svc: Service = request.app.state.service
    standing = Standing(body.plan, body.agency, None, (), ())
    commands.check_standing(svc, caller, "directory.manage", standing)
    secret = credentials.client_secret()
    async with db.begin(svc.engine) as conn:
        row = await commands.create_system(
            conn, svc, caller, body.client_id, secret, standing, tuple(body.scopes), clock.now()
        )
    response.headers["etag"] = etag(row.version)
    response.headers["cache-control"] = "no-store"
    return queries.system_out(row, secret)


@router.patch("/systems/{system_id}")
async def change_system(
    request: Request, response: Response, system_id: UUID, body: SystemChange, caller: Caller = Manager
) -> SystemOut:
    """Change or end a client; tokens it holds no longer count. What gives it more waits for approval."""
    svc: Service = request.app.state.service
    version = required_version(request)
    changes = {k: v for k, v in body.model_dump(exclude_unset=True).items() if v is not None}
    async with db.begin(svc.engine) as conn:
        row = await commands.change_system(conn, svc, caller, system_id, version, changes, clock.now())
    await svc.directory.refresh(svc.engine)
    response.headers["etag"] = etag(row.version)
    return queries.system_out(row)


@router.post("/systems/{system_id}/secret")
async def rotate_secret(request: Request, response: Response, system_id: UUID, caller: Caller = Manager) -> SystemOut:
    """A new secret, which waits for approval; the old one and the tokens made with it end at once."""
    svc: Service = request.app.state.service
    version = required_version(request)
    secret = credentials.client_secret()
    async with db.begin(svc.engine) as conn:
        row = await commands.change_system(conn, svc, caller, system_id, version, {"secret": secret}, clock.now())
    await svc.directory.refresh(svc.engine)
    response.headers["etag"] = etag(row.version)
    response.headers["cache-control"] = "no-store"
    return queries.system_out(row, secret)


@router.get("/approvals")
async def list_waiting(request: Request, caller: Caller = Approver) -> Page[SystemOut]:
    """Clients that wait for a second person."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        rows = await queries.waiting(conn, svc.settings.keys, caller)
    return Page(items=[queries.system_out(row) for row, _ in rows], next=None)


@router.post("/systems/{system_id}/approve")
async def approve_system(request: Request, response: Response, system_id: UUID, caller: Caller = Approver) -> SystemOut:
    """The second person's word: the client works from now on. Not by who asked; needs `If-Match`."""
    svc: Service = request.app.state.service
    version = required_version(request)
    async with db.begin(svc.engine) as conn:
        row = await commands.approve_system(conn, svc, caller, system_id, version, clock.now())
    await svc.directory.refresh(svc.engine)
    response.headers["etag"] = etag(row.version)
    return queries.system_out(row)
