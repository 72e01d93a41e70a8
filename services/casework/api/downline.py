"""JSON routes of the downline: facts in, members and edges, the evaluation explained, persons who recur, exports."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.casework.api.parts import claim
from services.casework.commands import downline as commands
from services.casework.commands.downline.entering import row_of
from services.casework.commands.downline.explained import Explained
from services.casework.commands.downline.members import record_fact
from services.casework.commands.reach import no_case, wrong
from services.casework.domain.downline.rows import HEADINGS
from services.casework.queries import downline as queries
from services.casework.schemas.downline import (
    DownlineEdgeOut,
    DownlineMemberOut,
    DownlineOut,
    EdgeBody,
    FactBody,
    ImportOut,
    Kind,
    MemberBody,
    MemberChange,
    NamedBody,
    RecordedOut,
)
from services.casework.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.pagination import Page
from shared.kit.problem import BadRequest, NotFound
from shared.kit.service import Service
from shared.kit.sheets import XLSX, write_csv, write_xlsx
from shared.kit.web import ORJSONResponse
from shared.rules.calendar import local_day

router = APIRouter(prefix="/cases/{case_id}/downline", tags=["downline"])
LARGEST_FILE = 64 * 1024 * 1024
"""Bytes of an imported file."""

_WRITES = {
    403: {"description": "Seen, but not the caller's to record in"},
    404: {"description": "No such case within reach"},
    409: {"description": "The case is closed, or the key was used for another request"},
    422: {"description": "A field is wrong: which, and what to do"},
}


def largest_import(path: str) -> int | None:
    """How many bytes a path takes, where it takes an imported file."""
    return LARGEST_FILE if "/cases/" in path and path.endswith("/downline/imports") else None


def service_of(request: Request) -> Service:
    return request.app.state.service


@router.get("", response_model=DownlineOut, summary="The downline of a case in figures")
async def figures(request: Request, case_id: UUID, caller: Caller = Depends(Requires("downline.read"))) -> Response:
    """How much there is and which rules are reached; the evaluation says why."""
    async with db.begin(service_of(request).engine) as conn:
        found = await queries.the_downline(conn, caller, case_id)
    if found is None:
        raise no_case()
    here = f"{service_of(request).settings.base_url('casework')}/v1/cases/{case_id}/downline"
    names = ("members", "edges", "evaluation", "picture", "recurrences")
    links = {"self": here} | {name: f"{here}/{name}" for name in names}
    return ORJSONResponse(
        {
            "case_id": case_id, "version": found.version or 0, "members": found.members or 0,
            "edges": found.edges or 0, "facts": found.facts or 0, "reached": found.reached or [], "links": links,
        },
        headers={"etag": etag(found.version or 0)},
    )  # fmt: skip


@router.post(
    "/imports", response_model=ImportOut, responses=_WRITES,
    summary="Bring in a list, payment table, flow or chart (XLSX, CSV)",
)  # fmt: skip
async def bring_in(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("downline.edit")),
    kind: Kind = Query("chart", description="What the rows are proof of, where no column says it"),
    dry_run: bool = Query(True, description="Check every row and keep nothing"),
    evidence_id: UUID | None = Query(None, description="The piece of evidence that the file is"),
    columns: str | None = Query(
        None, max_length=300, description="Fields and columns from 0, where headings do not say: upline:2,downline:0"
    ),
) -> Response:
    """The body is the file. Wrong rows come back with field and reason, the others are kept; repeating is safe."""
    told = await commands.bring_in(
        service_of(request), caller, case_id, await request.body(), clock.now(),
        kind=kind, evidence_id=evidence_id, columns=_columns(columns), dry_run=dry_run,
    )  # fmt: skip
    return ORJSONResponse(told)


def _columns(given: str | None) -> Mapping[str, int] | None:
    if not given:
        return None
    found = {}
    for part in given.split(","):
        name, _, at = part.partition(":")
        if name.strip() not in HEADINGS or not at.strip().isdigit() or int(at) > 500:
            raise BadRequest(
                "columns 应写成 upline:2,downline:0（列号从 0 起）。 Write columns as upline:2,downline:0, from 0.",
                code="bad-columns",
            )
        found[name.strip()] = int(at)
    return found


@router.get("/members", response_model=Page[DownlineMemberOut], summary="Members by page; the reading is recorded")
async def members(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("downline.read")),
    q: str = Query("", max_length=80, description="A whole code, name or identity number, or the member's number"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Members in order of their numbers."""
    after = pagination.decode(cursor, (int,))
    keys = service_of(request).settings.keys
    async with db.begin(service_of(request).engine) as conn:
        await _within(conn, caller, case_id)
        rows = await queries.members_page(conn, keys, case_id, q=q, after=after[0] if after else 0, limit=limit)
        shown, following = pagination.page(rows, limit, lambda row: (row.no,))
        await audit.record(
            conn, kit, caller, "downline.members", "case", [case_id], clock.now(), count=len(shown), asked=bool(q)
        )
    return ORJSONResponse({"items": [queries.shown_member(keys, row) for row in shown], "next": following})


async def _within(conn: Any, caller: Caller, case_id: UUID) -> Any:
    found = await queries.the_downline(conn, caller, case_id)
    if found is None:
        raise no_case()
    return found


@router.get("/members/{no}", response_model=DownlineMemberOut, summary="One member, the facts about it, and where it recurs")
async def member(
    request: Request, case_id: UUID, no: int, caller: Caller = Depends(Requires("downline.read"))
) -> Response:
    """Other cases within reach are named; those beyond are only counted."""
    keys = service_of(request).settings.keys
    async with db.begin(service_of(request).engine) as conn:
        await _within(conn, caller, case_id)
        row = await queries.one_member(conn, case_id, no) if 0 < no < 2**31 else None
        if row is None:
            raise NotFound("本案没有这个成员编号。 The case has no member of this number.", code="no-such-member")
        told, beyond = await queries.elsewhere(conn, caller, case_id, no)
        edges = await queries.edges_page(conn, case_id, member=no, limit=100)
        pairs: list[tuple[int | None, int]] = [(one["upline"], one["downline"]) for one in edges[:100]]
        facts = await queries.facts_of(conn, keys, case_id, [(None, no), *pairs])
        await audit.record(conn, kit, caller, "downline.member.read", "case", [case_id], clock.now(), no=no)
    listed = [{"upline": pair[0], "downline": pair[1], **fact} for pair, some in facts.items() for fact in some]
    body = queries.shown_member(keys, row) | {"elsewhere": told, "beyond_reach": beyond, "facts": listed}
    return ORJSONResponse(body, headers={"etag": etag(row.version)})


@router.post("/members", response_model=RecordedOut, status_code=201, responses=_WRITES, summary="Enter a member")
async def enter_member(
    request: Request, case_id: UUID, body: MemberBody, caller: Caller = Depends(Requires("downline.edit"))
) -> Response:
    """A member whose upline is not known; needs `Idempotency-Key`."""
    return await _enter(request, caller, case_id, body, {"downline": body})


@router.post("/edges", response_model=RecordedOut, status_code=201, responses=_WRITES, summary="Enter a recruitment")
async def enter_edge(
    request: Request, case_id: UUID, body: EdgeBody, caller: Caller = Depends(Requires("downline.edit"))
) -> Response:
    """Who recruited whom, with a fact that carries or denies it; needs `Idempotency-Key`."""
    return await _enter(request, caller, case_id, body, {"upline": body.upline, "downline": body.downline})


@router.post("/facts", response_model=RecordedOut, status_code=201, responses=_WRITES, summary="Add a fact to an edge")
async def enter_fact(
    request: Request, case_id: UUID, body: FactBody, caller: Caller = Depends(Requires("downline.edit"))
) -> Response:
    """A further fact about members already there; contradictions are kept side by side. Needs `Idempotency-Key`."""
    keys = service_of(request).settings.keys
    async with db.begin(service_of(request).engine) as conn:
        await _within(conn, caller, case_id)
        named = {}
        for side, no in (("upline", body.upline), ("downline", body.downline)):
            row = await queries.one_member(conn, case_id, no) if no < 2**31 else None
            if row is None:
                raise wrong(side, "no-such-member", "本案没有这个成员编号。", "The case has no member of this number.")
            named[side] = NamedBody(code=queries.shown_member(keys, row)["code"])
    return await _enter(request, caller, case_id, body, named)


async def _enter(
    request: Request, caller: Caller, case_id: UUID, body: Any, named: Mapping[str, NamedBody]
) -> Response:
    service, now = service_of(request), clock.now()
    row = row_of(body, named, local_day(now))
    claimed = claim(request, caller, "downline.fact", (case_id, body.model_dump_json()), new_id())
    async with db.begin(service.engine) as conn:
        known, outcome = await record_fact(
            conn, service.settings.keys, caller, case_id, row, claimed, now, evidence_id=body.evidence_id
        )
        found = await queries.the_downline(conn, caller, case_id, "downline.edit")
    told = {
        "downline": outcome.numbers.get(row.downline.code) if outcome else None,
        "new_facts": outcome.facts if outcome else 0, "version": found.version, "replayed": known is not None,
    }  # fmt: skip
    return ORJSONResponse(told, status_code=200 if known else 201)


@router.patch(
    "/members/{no}", status_code=204, summary="Record what a member's part was (If-Match, Idempotency-Key)",
    responses=_WRITES | {412: {"description": "Changed since"}, 428: {"description": "If-Match is missing"}},
)  # fmt: skip
async def change(
    request: Request, case_id: UUID, no: int, body: MemberChange, caller: Caller = Depends(Requires("downline.edit"))
) -> Response:
    """Part as a leader, prior records, leaving, money taken, grave consequences; what is left out stays."""
    service, now = service_of(request), clock.now()
    claimed = claim(request, caller, "downline.member", (case_id, no, body.model_dump_json(exclude_unset=True)), new_id())
    changes = body.model_dump(exclude_unset=True)
    for name, empty in (("roles", []), ("grave", []), ("convicted", False), ("still_paid", False), ("collected", Decimal(0))):
        if name in changes and changes[name] is None:
            changes[name] = empty
    if "collected" in changes:
        changes["collected"] = int(changes["collected"] * 100)
    for name in ("penalised_on", "left_on"):
        if changes.get(name) and changes[name] > local_day(now):
            raise wrong(name, "in-the-future", "日期在将来，请核对。", "The date lies ahead: check it.")
    async with db.begin(service.engine) as conn:
        await commands.change_member(conn, caller, case_id, no, changes, required_version(request), claimed, now)
    return Response(status_code=204)


@router.get("/edges", response_model=Page[DownlineEdgeOut], summary="Recruitments by page")
async def edges(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("downline.read")),
    member: int | None = Query(None, gt=0, lt=2**31),
    disputed: bool = Query(False, description="Only those that a fact denies or whose recruit has two uplines"),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Edges in order of their members' numbers, with the kinds of proof that carry each."""
    after = pagination.decode(cursor, (int, int))
    async with db.begin(service_of(request).engine) as conn:
        await _within(conn, caller, case_id)
        found = await queries.edges_page(
            conn, case_id, member=member, disputed=disputed, after=after, limit=limit  # type: ignore[arg-type]
        )
    shown, following = pagination.page(found, limit, lambda one: (one["upline"], one["downline"]))
    return ORJSONResponse({"items": shown, "next": following})


@router.get("/evaluation", summary="Levels, heads and money by the law of the day: reached, or what is missing")
async def evaluation(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("downline.read")),
    organiser: int | None = Query(None, gt=0, lt=2**31, description="With `member`: the way that counts it"),
    member: int | None = Query(None, gt=0, lt=2**31),
) -> Response:
    """Every organiser with each rule, article, certainty and what is missing; the same by strength of proof."""
    explained: Explained = request.app.state.downline
    told = await explained.told(caller, case_id, clock.now(), way=(organiser, member) if organiser and member else None)
    if told is None:
        raise no_case()
    return ORJSONResponse(told)


@router.get("/picture", summary="The network cut to its top, as a tree with heads")
async def picture(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("downline.read")),
    root: int | None = Query(None, gt=0, lt=2**31, description="Only what hangs below this member"),
) -> Response:
    """At most 300 points; `more` says how many hang below that are not drawn."""
    explained: Explained = request.app.state.downline
    told = await explained.picture(caller, case_id, clock.now(), root)
    if told is None:
        raise no_case()
    return ORJSONResponse(told)


@router.get("/recurrences", summary="Members who stand in other cases too")
async def recurrences(request: Request, case_id: UUID, caller: Caller = Depends(Requires("downline.read"))) -> Response:
    """By person, identity number or account; a case beyond reach is counted, never named."""
    async with db.begin(service_of(request).engine) as conn:
        await _within(conn, caller, case_id)
        told, beyond = await queries.elsewhere(conn, caller, case_id)
        await audit.record(conn, kit, caller, "downline.recurrences", "case", [case_id], clock.now(), count=len(told))
    return ORJSONResponse({"items": told, "beyond_reach": beyond})


@router.get("/export.{form}", summary="Members and recruitments as XLSX or CSV; the export is recorded")
async def export(
    request: Request, case_id: UUID, form: Annotated[Literal["xlsx", "csv"], ...],
    caller: Caller = Depends(Requires("downline.read")),
) -> Response:  # fmt: skip
    """One row a recruitment, with the kinds of proof; the file can be worked on and brought in again."""
    explained: Explained = request.app.state.downline
    rows = await explained.exported(caller, case_id, clock.now())
    if rows is None:
        raise no_case()
    headings = [HEADINGS[name][0] for name in explained.EXPORTED] + ["依据的证据种类", "有争议"]
    content = write_xlsx("上下线", headings, rows) if form == "xlsx" else write_csv(headings, rows)
    return Response(
        content,
        media_type=XLSX if form == "xlsx" else "text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="downline.{form}"', "cache-control": "no-store"},
    )
