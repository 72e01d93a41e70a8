"""Pages of the downline: the threshold first, the network as a picture and a list, files brought in, one member."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field, StringConstraints, ValidationError

from services.casework.commands import downline as commands
from services.casework.commands.downline.entering import row_of
from services.casework.commands.downline.explained import Explained
from services.casework.commands.downline.members import record_fact
from services.casework.commands.reach import claim_of, no_case, wrong
from services.casework.domain.downline.kinds import FACT_KINDS, ROLES
from services.casework.domain.downline.rows import HEADINGS
from services.casework.queries import downline as queries
from services.casework.schemas.downline import EdgeBody, Grave, Kind, MemberBody, NamedBody, Role
from services.casework.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.files.multipart import Field as Sent
from shared.kit.files.multipart import parts
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Problem
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.rules.law import Text
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

A_PAGE = 50


def service_of(request: Request) -> Service:
    return request.app.state.service


SHOWN = 10
"""Organisers shown in full on the page; the JSON route tells more."""


@router.get("/cases/{case_id}/downline")
async def downline(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("downline.read")),
    q: str = Query("", max_length=80),
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """What is reached or missing, by article; the network; the members."""
    return await _page(request, caller, case_id, q=q, cursor=cursor)


async def _page(
    request: Request, caller: Caller, case_id: UUID, *, q: str = "", cursor: str | None = None,
    told: dict[str, Any] | None = None, refused: Problem | None = None, typed: EdgeForm | None = None,
) -> HTMLResponse:  # fmt: skip
    explained: Explained = request.app.state.downline
    service, now = service_of(request), clock.now()
    answer = await explained.told(caller, case_id, now)
    drawn = await explained.picture(caller, case_id, now)
    if answer is None:
        raise no_case()
    after = pagination.decode(cursor, (int,))
    async with db.begin(service.engine) as conn:
        case = await queries.the_downline(conn, caller, case_id)
        keys = service.settings.keys
        rows = await queries.members_page(conn, keys, case_id, q=q, after=after[0] if after else 0, limit=A_PAGE)
        some, following = pagination.page(rows, A_PAGE, lambda row: (row.no,))
        elsewhere, beyond = await queries.elsewhere(conn, caller, case_id)
        await audit.record(conn, kit, caller, "downline.members", "case", [case_id], now, count=len(some), asked=bool(q))
    evaluation = answer["evaluation"]
    return page(
        request,
        "downline.html",
        {
            "case": case,
            "evaluation": evaluation,
            "organisers": evaluation["organisers"][:SHOWN] if evaluation else [],
            "names": answer.get("names", {}),
            "picture": drawn,
            "members": [queries.shown_member(keys, row) for row in some],
            "next": following,
            "q": q,
            "elsewhere": elsewhere,
            "beyond": beyond,
            "told": told,
            "refused": refused.detail if refused else None,
            "typed": typed,
            "kinds": FACT_KINDS,
            "headings": {name: words[0] for name, words in HEADINGS.items()},
            "text": Text.model_validate,
        },
        service="casework",
        status=refused.status if refused else 200,
        caller=caller,
    )


@router.post("/cases/{case_id}/downline/imports")
async def bring_in(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("downline.edit"))
) -> HTMLResponse:
    """The file is read in memory, since it names people; a trial keeps nothing."""
    fields, content = {}, b""
    async for part in parts(request.headers.get("content-type", ""), request.stream()):
        if isinstance(part, Sent):
            fields[part.name] = part.value
        else:
            content = b"".join([chunk async for chunk in part.chunks])
    kind = fields.get("kind", "")
    if kind not in FACT_KINDS or not content:
        raise Invalid(
            "请选择文件和证据种类；未保存任何内容。 Choose a file and its kind; nothing was kept.",
            errors=[{"field": "file", "code": "missing", "message": "a file and a kind"}],
        )
    told = await commands.bring_in(
        service_of(request), caller, case_id, content, clock.now(), kind=kind, dry_run=fields.get("keep") != "1"
    )
    return await _page(request, caller, case_id, told=told)


class EdgeForm(Form):
    """One recruitment and the fact that carries or denies it; without an upline, a member alone."""

    upline: str = Field("", max_length=80)
    downline: str = Field(min_length=1, max_length=80)
    name: str = Field("", max_length=80)
    kind: Kind
    on: str = Field("", max_length=10)
    amount: str = Field("", max_length=16)
    source: str = Field("", max_length=300)
    denies: Literal["", "1"] = ""


def _entered(form: EdgeForm) -> tuple[MemberBody | EdgeBody, dict[str, NamedBody]]:
    """What the form says. Raises `Invalid` for a day or an amount that is none."""
    lower = NamedBody(code=form.downline, name=form.name or None)
    fact = {
        "kind": form.kind, "denies": bool(form.denies), "on": form.on or None, "source": form.source or None,
        "amount": form.amount.replace(",", "") or None,
    }  # fmt: skip
    try:
        if not form.upline:
            return MemberBody.model_validate({**fact, **lower.model_dump()}), {"downline": lower}
        upper = NamedBody(code=form.upline)
        body = EdgeBody.model_validate({**fact, "upline": upper.model_dump(), "downline": lower.model_dump()})
        return body, {"upline": upper, "downline": lower}
    except ValidationError as error:
        where = str(error.errors()[0]["loc"][0])
        raise wrong(where, "not-readable", "日期或金额写法不对。", "The day or the amount cannot be read.") from error


@router.post("/cases/{case_id}/downline/edges")
async def enter(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("downline.edit"))
) -> Response:
    """Put one recruitment on record; a refusal shows the form again with what was typed."""
    form = await read_form(request, EdgeForm)
    service, now = service_of(request), clock.now()
    keys = service.settings.keys
    asked = repr((case_id, form.model_dump(exclude={"idempotency_key"}))).encode()
    claimed = claim_of(keys, caller, "downline.fact", str(form.idempotency_key), asked, new_id())
    try:
        body, named = _entered(form)
        row = row_of(body, named, local_day(now))
        async with db.begin(service.engine) as conn:
            await record_fact(conn, keys, caller, case_id, row, claimed, now)
    except (Invalid, Conflict, Forbidden) as refused:
        return await _page(request, caller, case_id, refused=refused, typed=form)
    return see_other(request, f"/cases/{case_id}/downline", done="saved")


@router.get("/cases/{case_id}/downline/members/{no}")
async def member(
    request: Request, case_id: UUID, no: int, caller: Caller = Depends(Requires("downline.read"))
) -> HTMLResponse:
    """One member: the facts about it, where it recurs, and what is recorded of its part."""
    service = service_of(request)
    keys = service.settings.keys
    async with db.begin(service.engine) as conn:
        case = await queries.the_downline(conn, caller, case_id)
        row = await queries.one_member(conn, case_id, no) if case and 0 < no < 2**31 else None
        if case is None or row is None:
            raise NotFound("本案没有这个成员编号。 The case has no member of this number.", code="no-such-member")
        told, beyond = await queries.elsewhere(conn, caller, case_id, no)
        edges = (await queries.edges_page(conn, case_id, member=no, limit=50))[:50]
        pairs = [(one["upline"], one["downline"]) for one in edges]
        facts = await queries.facts_of(conn, keys, case_id, [(None, no), *pairs])
        names = await queries.labels(conn, keys, case_id, [other for pair in pairs for other in pair])
        await audit.record(conn, kit, caller, "downline.member.read", "case", [case_id], clock.now(), no=no)
    return page(
        request,
        "downline_member.html",
        {
            "case": case, "member": queries.shown_member(keys, row), "edges": edges, "known": facts, "names": names,
            "elsewhere": told, "beyond": beyond, "roles": ROLES,
        },
        service="casework",
        caller=caller,
    )  # fmt: skip


Short = Annotated[str, StringConstraints(max_length=60)]


class MemberForm(VersionedForm):
    """What is recorded of a member: as the page shows it, whole."""

    organisation: Short | None = None
    roles: tuple[Role, ...] = ()
    convicted: bool = False
    penalised_on: date | None = None
    left_on: date | None = None
    still_paid: bool = False
    collected: Short = ""
    grave: tuple[Grave, ...] = ()


@router.post("/cases/{case_id}/downline/members/{no}")
async def change(
    request: Request, case_id: UUID, no: int, caller: Caller = Depends(Requires("downline.edit"))
) -> Response:
    """Save what the form says; somebody faster is told by the error page, and nothing is lost."""
    form = await read_form(request, MemberForm)
    now = clock.now()
    try:
        collected = Decimal(form.collected.replace(",", "") or 0)
        if not 0 <= collected <= 10**11:
            raise InvalidOperation
    except InvalidOperation:
        raise wrong("collected", "bad-amount", "金额应为不小于 0 的数字。", "The amount must be a number, 0 or more.") from None
    for name in ("penalised_on", "left_on"):
        day = getattr(form, name)
        if day and day > local_day(now):
            raise wrong(name, "in-the-future", "日期在将来，请核对。", "The date lies ahead: check it.")
    changes = form.model_dump(exclude={"idempotency_key", "version"}, mode="python") | {"collected": int(collected * 100)}
    changes |= {"roles": list(form.roles), "grave": list(form.grave)}
    keys = service_of(request).settings.keys
    claimed = claim_of(
        keys, caller, "downline.member", str(form.idempotency_key), repr((case_id, no, changes)).encode(), new_id()
    )
    async with db.begin(service_of(request).engine) as conn:
        await commands.change_member(conn, caller, case_id, no, changes, form.version, claimed, now)
    return see_other(request, f"/cases/{case_id}/downline/members/{no}", done="saved")
