"""Pages of cases: what waits for me first; one case with its parties and clocks."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from services.casework import commands, queries
from services.casework.commands import closing
from services.casework.domain.closing import Outcome
from services.casework.queries import Filters, Mode
from services.casework.queries.downline import the_downline
from services.casework.queries.evidence import counts as evidence_counts
from services.casework.queries.proceedings import Narrowed, list_proceedings
from services.casework.schemas.cases import CaseStateCode
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.problem import Conflict, NotFound, Outdated, Problem
from shared.rules.law import Text
from shared.rules.plan.vocabulary import TIP_KINDS
from shared.web.forms import VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

A_PAGE = 30
ALL_OF_A_CASE = 199
"""How many proceedings a case's page shows; more are on the work desk."""
Show = Literal["waiting", "late", "all"]


@router.get("/cases")
async def cases_page(
    request: Request,
    caller: Caller = Depends(Requires("case.read")),
    show: Show | None = None,
    state: CaseStateCode | Literal[""] | None = None,
    area: str | None = Query(None, max_length=48),
    kind: str | None = Query(None, max_length=40),
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """What waits for my agency, longest overdue first; where nothing does, all cases in my reach, newest first."""
    now = clock.now()
    service = request.app.state.service
    async with db.begin(service.engine) as conn:
        waiting, late = await queries.waiting_counts(conn, caller, now)
        shown: Show = show or ("waiting" if waiting else "all")
        mode: Mode = "waiting" if shown == "waiting" else "newest"
        found = await queries.list_cases(
            conn,
            caller,
            Filters(state or None, area or None, kind or None, None, shown == "late"),
            now,
            mode=mode,
            after=queries.after_cursor(cursor, mode),
            limit=A_PAGE,
        )
    rows, following = pagination.page(found, A_PAGE, lambda full: queries.cursor_of(full, mode))
    present = request.app.state.present
    plan = service.plans.get(caller.plan or "")
    return page(
        request,
        "cases.html",
        {
            "rows": [present.case_out(full, now) for full in rows],
            "next": following,
            "show": shown,
            "waiting": waiting,
            "late": late,
            "filters": {"state": state or "", "area": area or "", "kind": kind or ""},
            "areas": plan.areas if plan else (),
            "kinds": TIP_KINDS,
            "agency": caller.agency,
        },
        service="casework",
        caller=caller,
    )


@router.get("/cases/of-lead/{lead_id}")
async def case_of_lead(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("case.read"))) -> Response:
    """From a lead or a tip to its case; intake links here without knowing the case."""
    async with db.begin(request.app.state.service.engine) as conn:
        case_id = await queries.case_of_lead(conn, caller, lead_id)
    if case_id is None:
        raise NotFound(
            "这条线索还没有您可以查看的案件；刚收到的线索请稍等几秒再试。 "
            "No case of this lead is within your reach; if the tip has just come in, try again in some seconds.",
            code="case-not-found",
        )
    return see_other(request, f"/cases/{case_id}")


@router.get("/cases/{case_id}")
async def case_page(request: Request, case_id: UUID, caller: Caller = Depends(Requires("case.read"))) -> HTMLResponse:
    """One case: who is in it, what each has to do until when and by which article, and what has happened."""
    return await _case_page(request, caller, case_id)


class AcceptanceForm(VersionedForm):
    """The accept button's form: nothing but the version it was shown with, and its key."""


@router.post("/cases/{case_id}/acceptance")
async def accept_from_page(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("case.accept"))
) -> Response:
    """Accept from the page; when somebody was faster, the page comes again with what has changed."""
    form = await read_form(request, AcceptanceForm)
    service = request.app.state.service
    claim = commands.acceptance_claim(service.settings.keys, caller, case_id, form.version, str(form.idempotency_key))
    try:
        async with db.begin(service.engine) as conn:
            await commands.accept(conn, caller, case_id, version=form.version, claim=claim, now=clock.now())
    except (Outdated, Conflict) as refused:
        return await _case_page(request, caller, case_id, refused)
    return see_other(request, f"/cases/{case_id}", done="accepted")


class ClosingForm(VersionedForm):
    """The closing's form: how the case ended."""

    outcome: Outcome


@router.post("/cases/{case_id}/closing")
async def close_from_page(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("case.close"))
) -> Response:
    """Close from the page; a refusal shows the page again with its reason."""
    form = await read_form(request, ClosingForm)
    service = request.app.state.service
    claim = closing.closing_claim(
        service.settings.keys, caller, case_id, form.version, form.outcome, str(form.idempotency_key)
    )
    try:
        async with db.begin(service.engine) as conn:
            await closing.close_case(
                conn, request.app.state.basis, caller, case_id, form.outcome, version=form.version, claim=claim,
                now=clock.now(),
            )  # fmt: skip
    except (Outdated, Conflict) as refused:
        return await _case_page(request, caller, case_id, refused)
    return see_other(request, f"/cases/{case_id}", done="case_closed")


async def _case_page(request: Request, caller: Caller, case_id: UUID, refused: Problem | None = None) -> HTMLResponse:
    now = clock.now()
    service = request.app.state.service
    async with db.begin(service.engine) as conn:
        full = await queries.get_case(conn, caller, case_id)
        evidence = await evidence_counts(conn, caller, case_id)
        downline = await the_downline(conn, caller, case_id)
        people = await request.app.state.people.of_case(conn, caller, case_id, now)
        found = await list_proceedings(conn, caller, Narrowed(case_id=case_id), limit=ALL_OF_A_CASE)
    if full is None:
        raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    case = request.app.state.present.case_full(full, now)
    return page(
        request,
        "case.html",
        {
            "case": case,
            # of an agency's clocks the one that is still open, else its last
            "clocks": {
                one["agency"]: one
                for one in sorted(case["deadlines"], key=lambda one: one["state"] in ("running", "suspended", "missed"))
                if one["kind"] == "acceptance"
            },
            "refused": _told(refused),
            "agency": caller.agency,
            "text": Text.model_validate,
            "evidence": evidence,
            "downline": downline,
            "people": people,
            "proceedings": [request.app.state.proceedings.out(one, now) for one in reversed(found)],
        },
        service="casework",
        status=refused.status if refused else 200,
        caller=caller,
    )


def _told(refused: Problem | None) -> dict[str, Any] | None:
    if refused is None:
        return None
    return {"outdated": isinstance(refused, Outdated), "code": refused.type.rpartition(":")[2], "detail": refused.detail}
