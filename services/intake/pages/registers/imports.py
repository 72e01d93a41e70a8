"""Bringing a register in from a file: tried first, every wrong row shown with its reason (D-E3)."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from services.intake.commands.registers.importing import RIGHTS, heading, import_register
from services.intake.schemas.registers import ROWS
from shared.kit import clock
from shared.kit.access import Caller, SignedIn
from shared.kit.files.multipart import Field, parts
from shared.kit.problem import Forbidden, Invalid
from shared.kit.service import Service
from shared.web.render import page

router = APIRouter()


@router.get("/registers/import")
async def ask(request: Request, caller: Caller = Depends(SignedIn())) -> HTMLResponse:
    """Choose a register and a file."""
    return _page(request, caller, None, "")


def _own(caller: Caller) -> list[str]:
    own = [register for register in ROWS if caller.reach(RIGHTS[register])]
    if not own:
        raise Forbidden("您的岗位不能导入名录。 Your post may not import registers.")
    return own


def _page(request: Request, caller: Caller, told: dict | None, register: str) -> HTMLResponse:
    return page(
        request,
        "registers/import.html",
        {"registers": _own(caller), "told": told, "register": register, "heading": heading},
        service="intake",
        caller=caller,
    )


@router.post("/registers/import")
async def send(request: Request, caller: Caller = Depends(SignedIn())) -> HTMLResponse:
    """The file is read in memory, since it holds landlords; a trial keeps nothing."""
    service: Service = request.app.state.service
    own, fields, content = _own(caller), {}, b""
    async for part in parts(request.headers.get("content-type", ""), request.stream()):
        if isinstance(part, Field):
            fields[part.name] = part.value
        else:
            content = b"".join([chunk async for chunk in part.chunks])
    register, plan = fields.get("register", ""), service.plans.get(caller.plan or "")
    if register not in own or plan is None or not content:
        raise Invalid(
            "请选择名录和文件；未保存任何内容。 Choose a register and a file; nothing was kept.",
            errors=[{"field": "file", "code": "missing", "message": "a register and a file"}],
        )
    told = await import_register(
        service, caller, plan, register, content, fields.get("keep") != "1", clock.now()
    )
    return _page(request, caller, told, register)
