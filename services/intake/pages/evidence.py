"""Files on pages: sent by receipt, one form that works without scripts; looked at by officers; originals for a reason."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from services.intake import queries
from services.intake.commands import evidence as commands
from services.intake.commands import evidence_upkeep as upkeep
from services.intake.commands.uploads import ending, take_for_officer, take_form
from services.intake.domain.evidence import ORIGINAL_REASONS
from shared.kit import db
from shared.kit.access import Caller, Public, Requires
from shared.kit.files.answers import download
from shared.kit.problem import Invalid, NotFound, Problem
from shared.kit.service import Service
from shared.web.forms import Form, read_form, see_other
from shared.web.i18n import N_
from shared.web.render import page, told

router = APIRouter()

_BY_RECEIPT = Public("the receipt is the right; it is never part of an address", reads_caller=False)

REASONS = {
    "no-copy": N_("There is no cleaned copy"),
    "authenticity": N_("Its authenticity must be examined"),
    "court": N_("A court or procurator asks for it"),
    "scan-review": N_("A finding of the virus scanner is examined"),
}
assert set(REASONS) == set(ORIGINAL_REASONS)


class FilesForm(Form):
    """The page asked for by a receipt already typed elsewhere."""

    receipt: str = ""


class OriginalForm(Form):
    """Why an original is opened."""

    reason: str = ""
    warned: str = ""


@router.get("/report/files", dependencies=[Depends(_BY_RECEIPT)])
async def ask(request: Request) -> HTMLResponse:
    """Where files are added with a receipt."""
    return _public(request)


@router.post("/report/files", dependencies=[Depends(_BY_RECEIPT)])
async def send(request: Request) -> HTMLResponse:
    """Take the files of the form and tell of each; a form without files shows the page for its receipt."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        sent = await read_form(request, FilesForm)
        return _public(request, receipt=sent.receipt)
    try:
        results = await take_form(request)
    except Problem as problem:
        return _public(request, problem=problem)
    if not results:
        return _public(request, problem=commands.empty())
    return _public(request, results=results)


def _public(
    request: Request,
    *,
    receipt: str = "",
    results: Sequence[commands.FileTaken | Problem] = (),
    problem: Problem | None = None,
) -> HTMLResponse:
    shown = [
        {"number": index + 1, "file": None, "problem": told(request, result)}
        if isinstance(result, Problem)
        else {"number": index + 1, "file": queries.file_out(result.row), "problem": None}
        for index, result in enumerate(results)
    ]
    return page(
        request,
        "report_files.html",
        {
            "receipt": receipt,
            "results": shown,
            "problem": told(request, problem) if problem else None,
            "settings": request.app.state.evidence.settings,
        },
        service="intake",
        public=True,
        status=int(problem.status) if problem else 200,
    )


async def panel(request: Request, tip_id: UUID) -> dict[str, Any]:
    """What `tip_files.html` shows on an officer's page of a tip."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        rows = await queries.files_of(conn, tip_id)
        flags = await queries.flags_of(conn, tip_id)
    return {"files": [queries.officer_file_out(row._mapping) for row in rows], "flags": flags}


@router.post("/tips/{tip_id}/files")
async def add(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.submit"))) -> Response:
    """Add files as an officer."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        if await queries.tip_to_add_to(conn, caller, tip_id) is None:
            raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
    results = await take_for_officer(request, tip_id, caller)
    for result in results or [commands.empty()]:
        if isinstance(result, Problem):
            raise result
    return see_other(request, f"/tips/{tip_id}", done="saved")


@router.get("/tips/{tip_id}/files/{file_id}")
async def copy(
    request: Request, tip_id: UUID, file_id: UUID, caller: Caller = Depends(Requires("tip.read"))
) -> Response:
    """The copy without metadata; that it was read is recorded."""
    state = request.app.state
    row, chunks = await upkeep.open_copy(state.service, state.evidence, caller, tip_id, file_id)
    return download(chunks, row.copy_type, row.copy_size, f"{row.number}.{ending(row.copy_type)}")


@router.get("/tips/{tip_id}/files/{file_id}/original")
async def warn(
    request: Request, tip_id: UUID, file_id: UUID, caller: Caller = Depends(Requires("file.original"))
) -> HTMLResponse:
    """The warning before an original, and the reason that is asked for."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        row = await queries.visible_file(conn, caller, tip_id, file_id, "file.original")
    if row is None:
        raise NotFound("没有这个文件，或不在您的权限内。 No such file within your reach.")
    shown = {"file": queries.officer_file_out(row._mapping), "tip_id": tip_id, "reasons": REASONS}
    return page(request, "tip_file_original.html", shown, service="intake", caller=caller)


@router.post("/tips/{tip_id}/files/{file_id}/original")
async def original(
    request: Request, tip_id: UUID, file_id: UUID, caller: Caller = Depends(Requires("file.original"))
) -> Response:
    """The sealed original, for a reason."""
    sent = await read_form(request, OriginalForm)
    if sent.reason not in REASONS or sent.warned != "yes":
        raise Invalid("请选择理由并确认已了解风险。 Choose a reason and say that you know the risk.")
    state = request.app.state
    row, chunks = await upkeep.open_original(state.service, state.evidence, caller, tip_id, file_id, sent.reason)
    name = f"{row.number}-original.{ending(row.media_type)}"
    return download(chunks, "application/octet-stream", row.size, name)
