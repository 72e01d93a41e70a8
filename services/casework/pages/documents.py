"""Pages of documents: those of a case, a draft's form made of its kind's fields, approval, issue, service, the register."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict, Field
from starlette.datastructures import UploadFile

from services.casework.commands import documents as commands
from services.casework.commands.documents import DocumentRoom
from services.casework.domain.documents.states import RECEIVERS, SERVICE_WAYS
from services.casework.schemas.documents import (
    DocumentIn,
    DocumentValuesIn,
    NothingIn,
    Receiver,
    ServiceIn,
    Way,
    WithdrawalIn,
)
from shared.kit.access import Caller, Requires
from shared.kit.problem import BadRequest, Conflict, Forbidden, Invalid, NotFound, Outdated, Problem
from shared.rules.calendar import SHANGHAI
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

_NAME = re.compile(r"^f\.([a-z0-9_]{1,48})(?:\.(\d{1,3})\.([a-z0-9_]{1,48}))?$")
_MOST_INPUTS = 4000
_EMPTY_ROWS = 3


def room_of(request: Request) -> DocumentRoom:
    return request.app.state.documents


@router.get("/cases/{case_id}/documents")
async def of_case(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("document.read"))
) -> HTMLResponse:
    """A case's documents, and the kinds one can draft."""
    room = room_of(request)
    rows = await room.of_case(caller, case_id)
    kinds = [one for one in room.kinds(caller) if one["mine"]] if caller.reach("document.draft") else []
    number = next((row["case_number"] for row in rows), None)
    return page(
        request, "documents/case.html", {"case_id": case_id, "number": number, "rows": rows, "kinds": kinds},
        service="casework", caller=caller,
    )  # fmt: skip


class NewForm(Form):
    """The kind to draft."""

    kind: str = Field(max_length=48)
    proceeding_id: UUID | None = None


@router.post("/cases/{case_id}/documents")
async def draft(request: Request, case_id: UUID, caller: Caller = Depends(Requires("document.draft"))) -> Response:
    """A draft with what the case already says; its form comes next."""
    form = await read_form(request, NewForm)
    body = DocumentIn(kind=form.kind, proceeding_id=form.proceeding_id)
    made = await room_of(request).draft(caller, case_id, body, str(form.idempotency_key))
    return see_other(request, f"/documents/{made}", done="saved")


@router.get("/documents/waiting")
async def waiting(request: Request, caller: Caller = Depends(Requires("document.read"))) -> HTMLResponse:
    """Drafts that wait for my approval."""
    rows = await room_of(request).waiting(caller)
    return page(request, "documents/waiting.html", {"rows": rows}, service="casework", caller=caller)


@router.get("/documents/{document_id}")
async def one(request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.read"))) -> HTMLResponse:
    """One document: a draft as a form with its legal basis beside; an issued one as it was frozen."""
    return await _page(request, caller, document_id)


async def _page(
    request: Request, caller: Caller, document_id: UUID, refused: Problem | None = None, typed: Mapping[str, Any] | None = None
) -> HTMLResponse:
    told = await room_of(request).full(caller, document_id)
    if typed is not None:
        told["fields"] = [one | {"value": typed.get(one["id"])} for one in told["fields"]]
    wrong = {str(one["field"]): str(one["message"]) for one in (refused.extras.get("errors", []) if refused else [])}
    return page(
        request,
        "documents/document.html",
        {
            "document": told,
            "refused": refused.detail if refused else None,
            "wrong": wrong,
            "missing": {one["field"]: one["message"] for one in told["missing"]},
            "ways": SERVICE_WAYS,
            "receivers": RECEIVERS,
            "empty_rows": _EMPTY_ROWS,
            "now": datetime.now(SHANGHAI).strftime("%Y-%m-%dT%H:%M"),
        },
        service="casework",
        status=refused.status if refused else 200,
        caller=caller,
    )


async def _typed(request: Request) -> tuple[VersionedForm, dict[str, Any]]:
    """The form of a draft: its version and key, and its fields, rows of lists gathered by their numbers."""
    plain: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, str]]] = {}
    head: dict[str, str] = {}
    async with request.form(max_files=0, max_fields=_MOST_INPUTS) as sent:
        for name, value in sent.multi_items():
            if not isinstance(value, str):
                continue
            found = _NAME.match(name)
            if found is None:
                head[name] = value
            elif found[2] is None:
                plain[found[1]] = value
            else:
                rows.setdefault(found[1], {}).setdefault(int(found[2]), {})[found[3]] = value
    lists = {
        name: [row for _, row in sorted(found.items()) if any(text.strip() for text in row.values())]
        for name, found in rows.items()
    }
    return VersionedForm.model_validate(head), {name: value for name, value in plain.items() if value.strip()} | lists


@router.post("/documents/{document_id}")
async def save(request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.draft"))) -> Response:
    """Save the draft; what is wrong stands beside its field, with what was typed."""
    form, typed = await _typed(request)
    body = DocumentValuesIn(fields=typed)
    try:
        await room_of(request).act(
            caller, document_id, commands.edit, str(form.idempotency_key), form.version, body, given=body.fields
        )
    except (Invalid, Outdated, Conflict, Forbidden) as refused:
        return await _page(request, caller, document_id, refused, typed)
    return see_other(request, f"/documents/{document_id}", done="saved")


class ActForm(VersionedForm):
    """A button: nothing but the version it was shown with."""


class ServeForm(VersionedForm):
    served_at: datetime
    way: Way
    receiver: Receiver


class WithdrawForm(VersionedForm):
    reason: str = Field(min_length=2, max_length=2000)


async def _act(
    request: Request, caller: Caller, document_id: UUID, change: Callable[..., Any], form: VersionedForm, body: Any, **given: Any
) -> Response:
    try:
        await room_of(request).act(
            caller, document_id, change, str(form.idempotency_key), form.version, body, **given
        )
    except (Invalid, Outdated, Conflict, Forbidden) as refused:
        return await _page(request, caller, document_id, refused)
    return see_other(request, f"/documents/{document_id}", done="saved")


@router.post("/documents/{document_id}/approve")
async def approve(request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.read"))) -> Response:
    """Approve another's draft."""
    return await _act(request, caller, document_id, commands.approve, await read_form(request, ActForm), NothingIn())


@router.post("/documents/{document_id}/issue")
async def issue(request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.issue"))) -> Response:
    """Number and freeze it."""
    return await _act(request, caller, document_id, commands.issue, await read_form(request, ActForm), NothingIn())


@router.post("/documents/{document_id}/serve")
async def serve(request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.issue"))) -> Response:
    """Record its service; times without a zone are China's."""
    form = await read_form(request, ServeForm)
    at = form.served_at if form.served_at.tzinfo else form.served_at.replace(tzinfo=SHANGHAI)
    body = ServiceIn(served_at=at, way=form.way, receiver=form.receiver)
    return await _act(
        request, caller, document_id, commands.serve, form, body, served_at=at, way=body.way, receiver=body.receiver
    )


@router.post("/documents/{document_id}/withdraw")
async def withdraw(
    request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.issue"))
) -> Response:
    """Withdraw it for a reason."""
    form = await read_form(request, WithdrawForm)
    body = WithdrawalIn(reason=form.reason)
    return await _act(request, caller, document_id, commands.withdraw, form, body, reason=body.reason)


@router.post("/documents/{document_id}/discard")
async def discard(
    request: Request, document_id: UUID, caller: Caller = Depends(Requires("document.draft"))
) -> Response:
    """Throw a draft away; then the case's documents."""
    form = await read_form(request, ActForm)
    case_id = (await room_of(request).full(caller, document_id))["case_id"]
    try:
        await room_of(request).act(
            caller, document_id, commands.discard, str(form.idempotency_key), form.version, NothingIn()
        )
    except (Outdated, Conflict, Forbidden) as refused:
        return await _page(request, caller, document_id, refused)
    return see_other(request, f"/cases/{case_id}/documents", done="saved")


@router.get("/document-numbers")
async def register(
    request: Request,
    caller: Caller = Depends(Requires("document.register")),
    issuer: str = Query("", max_length=48),
    series: str = Query("", max_length=48),
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """The register of numbers, its settings, and the Word templates."""
    return await _register(request, caller, issuer, series, cursor)


async def _register(
    request: Request, caller: Caller, issuer: str, series: str = "", cursor: str | None = None, refused: Problem | None = None
) -> HTMLResponse:
    room = room_of(request)
    own = room.issuer_of(caller, issuer)
    told = await room.register(caller, own, series=series or None, year=None, cursor=cursor, limit=30)
    templates = [one for one in await room.templates(caller) if one["issuer"] == own]
    errors = [str(one["message"]) for one in refused.extras.get("errors", [])] if refused else []
    return page(
        request,
        "documents/register.html",
        {
            "register": told, "chosen": series, "templates": templates, "refused": refused.detail if refused else None,
            "errors": errors,
        },
        service="casework",
        status=refused.status if refused else 200,
        caller=caller,
    )  # fmt: skip


class StyleForm(VersionedForm):
    issuer: str
    series: str
    style: str = Field(max_length=80)
    first: int | None = Field(default=None, ge=1, le=999_999)


@router.post("/document-numbers")
async def set_numbers(request: Request, caller: Caller = Depends(Requires("document.register"))) -> Response:
    """Style and first number of a series; what was not changed is left alone."""
    form = await read_form(request, StyleForm)
    room = room_of(request)
    own = room.issuer_of(caller, form.issuer)
    now = next((one for one in (await room.register(caller, own, series=None, year=None, cursor=None, limit=1))["series"] if one["id"] == form.series), None)
    if now is None:
        raise NotFound("没有这个编号序列。 No such number series.", code="no-such-series")
    try:
        if form.style != now["style"]:
            await room.set_style(caller, own, form.series, form.style, form.version)
        if form.first is not None and form.first != now["first"]:
            await room.set_first(caller, own, form.series, form.first)
    except (Invalid, Outdated, Conflict) as refused:
        return await _register(request, caller, own, refused=refused)
    return see_other(request, f"/document-numbers?issuer={own}", done="saved")


class TemplateForm(VersionedForm):
    model_config = ConfigDict(extra="ignore")

    kind: str = Field(max_length=48)
    issuer: str


@router.post("/document-templates")
async def set_template(request: Request, caller: Caller = Depends(Requires("document.register"))) -> Response:
    """Use an edited Word template, or the default again when none is sent."""
    async with request.form(max_files=1, max_fields=10) as sent:
        file = sent.get("file")
        content = await file.read(3 * 1024 * 1024) if isinstance(file, UploadFile) and file.size else None
        form = TemplateForm.model_validate({name: value for name, value in sent.items() if isinstance(value, str)})
        to_default = sent.get("default") == "1"
    if content is None and not to_default:
        raise BadRequest("没有选择文件。 No file was chosen.", code="no-file")
    try:
        await room_of(request).set_template(caller, form.kind, None if to_default else content, form.version)
    except (Invalid, Outdated) as refused:
        return await _register(request, caller, form.issuer, refused=refused)
    return see_other(request, f"/document-numbers?issuer={form.issuer}", done="saved")
