"""Pages of rulebooks: the reader with the clause beside each line, drafts, and the what-if."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.scoring.commands.rulebooks import drafts
from services.scoring.commands.rulebooks.desk import Desk
from services.scoring.commands.rulebooks.shelf import today
from services.scoring.domain.detectors import CONDITIONS
from services.scoring.domain.rulebooks import Rulebook
from services.scoring.domain.rulebooks.difference import changes
from services.scoring.domain.rulebooks.drafts import DraftAct
from services.scoring.queries import rulebooks as seen
from services.scoring.queries.rulebook_present import draft_acts
from services.scoring.queries.rulebooks import drafts_or_publishes, must_draft_or_publish, no_rulebook
from services.scoring.queries.trial import by_ref, counterpart, trial
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated, Problem
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.i18n import N_
from shared.web.render import page

router = APIRouter(include_in_schema=False, tags=["pages"])

RIGHT = "score.read"
ACTS = {
    "submit": (N_("Hand it in"), "send"),
    "return": (N_("Give it back"), "refresh"),
    "publish": (N_("Publish it"), "check"),
    "withdraw": (N_("Withdraw it"), "x"),
}
"""What can be done with a draft beside writing it: words and picture."""


def _desk(request: Request) -> Desk:
    return request.app.state.desk


@router.get("/rulebooks")
async def rulebooks(request: Request, caller: Caller = Depends(Requires(RIGHT))) -> HTMLResponse:
    """What is in force, what is to come, and drafts for those who write or publish them."""
    desk = _desk(request)
    async with db.begin(request.app.state.service.engine) as conn:
        found = await seen.versions(conn, desk.books, caller, today(clock.now()))
        rows = await seen.list_drafts(conn, caller) if drafts_or_publishes(caller) else []
    return page(request, "rulebooks.html", {"versions": found, "drafts": rows}, service="scoring", caller=caller)


@router.get("/rulebooks/trial")
async def what_if(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    rulebook: Annotated[str | None, Query(max_length=66)] = None,
    draft: UUID | None = None,
    against: Annotated[str | None, Query(max_length=66)] = None,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
) -> HTMLResponse:
    """Last year under this year's rules. A GET: it keeps nothing, and the address can be shared."""
    desk, now = _desk(request), clock.now()
    day = today(now)
    first, last = first or date(day.year - 1, 1, 1), last or date(day.year - 1, 12, 31)
    async with db.begin(request.app.state.service.engine) as conn:
        versions = await seen.versions(conn, desk.books, caller, day)
        rows = await seen.list_drafts(conn, caller) if drafts_or_publishes(caller) else []
    found, refused = None, None
    try:
        after = await _chosen(request, caller, rulebook, draft)
        if after is not None:
            plan = caller.plan or after.plans[0]
            before = by_ref(desk.books, against) if against else counterpart(desk.books, plan, after, last)
            found = await trial(request.app.state.service.engine, desk.books, caller, plan, before, after, first, last)
    except (Invalid, NotFound) as problem:
        refused = problem
    return page(
        request,
        "rulebook_trial.html",
        {
            "versions": versions,
            "drafts": [row for row in rows if row.state in ("draft", "submitted")],
            "rulebook": rulebook or "",
            "draft": str(draft or ""),
            "against": against or "",
            "first": first,
            "last": last,
            "found": found,
            "refused": refused,
        },
        service="scoring",
        status=refused.status if refused else 200,
        caller=caller,
    )


async def _chosen(request: Request, caller: Caller, ref: str | None, draft: UUID | None) -> Rulebook | None:
    desk = _desk(request)
    if draft is not None and drafts_or_publishes(caller):
        async with db.begin(request.app.state.service.engine) as conn:
            row = await seen.one_draft(conn, caller, draft)
        if row is None:
            raise drafts.not_found()
        rulebook, found = drafts.check(desk, row.source)
        if rulebook is None:
            raise Invalid(
                f"草案读不出来：第 {found[0].where.line} 行，{found[0].text_zh} "
                f"The draft cannot be read: line {found[0].where.line}, {found[0].text_en}",
                code="rulebook-mistakes",
            )
        return rulebook
    return by_ref(desk.books, ref) if ref else None


@router.get("/rulebooks/drafts/new")
async def new_draft(
    request: Request,
    caller: Caller = Depends(Requires("rulebook.draft")),
    basis: Annotated[str | None, Query(max_length=66, alias="from")] = None,
) -> HTMLResponse:
    """A new draft, with the text of a version to begin with."""
    desk = _desk(request)
    async with db.begin(request.app.state.service.engine) as conn:
        versions = await seen.versions(conn, desk.books, caller, today(clock.now()))
    chosen = next((one for one in versions if one.rulebook.ref == basis), None)
    return _writing(request, caller, None, _source(desk, chosen) if chosen else "", versions=versions)


def _source(desk: Desk, standing: seen.Standing) -> str:
    shipped = {one.ref: source for one, source in desk.shipped}
    return standing.source or shipped.get(standing.rulebook.ref, "")


def _writing(
    request: Request, caller: Caller, row: Any, source: str, refused: Problem | None = None,
    versions: list[seen.Standing] | None = None,
) -> HTMLResponse:  # fmt: skip
    desk = _desk(request)
    rulebook, found = drafts.check(desk, source) if source else (None, [])
    acts = draft_acts(row, caller, desk.plans.get(row.plan)) if row is not None else ["edit"]
    old = None
    if rulebook is not None:
        earlier = [one for one in desk.books.shelf.versions(rulebook.id) if one.ref != rulebook.ref]
        old = earlier[-1] if earlier else None
    return page(
        request,
        "rulebook_draft.html",
        {
            "row": row,
            "source": source,
            "findings": found,
            "rulebook": rulebook,
            "old": old,
            "changes": changes(old, rulebook) if old is not None and rulebook is not None else (),
            "acts": [(act, *ACTS[act]) for act in ACTS if act in acts],
            "writes": "edit" in acts,
            "refused": refused,
            "versions": versions or [],
        },
        service="scoring",
        status=refused.status if refused else 200,
        caller=caller,
    )


class DraftForm(Form):
    """A new draft."""

    source: str = Field("", max_length=400_000)


@router.post("/rulebooks/drafts")
async def begin(request: Request, caller: Caller = Depends(Requires("rulebook.draft"))) -> Response:
    """Begin a draft; when it is no rulebook, the page comes again with every mistake and what was typed."""
    desk = _desk(request)
    sent = await read_form(request, DraftForm)
    claim = desk.claim(caller, "rulebook.draft", str(sent.idempotency_key), sent.source, new_id())
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            draft_id = await drafts.create(conn, desk, caller, sent.source, claim, clock.now())
    except (Invalid, Forbidden, Conflict) as refused:
        return _writing(request, caller, None, sent.source, refused)
    return see_other(request, f"/rulebooks/drafts/{draft_id}", done="draft_kept")


@router.get("/rulebooks/drafts/{draft_id}")
async def draft(request: Request, draft_id: UUID, caller: Caller = Depends(Requires(RIGHT))) -> HTMLResponse:
    """A draft with its check, what it changes, and what the caller can do."""
    must_draft_or_publish(caller)
    row = await _row(request, caller, draft_id)
    return _writing(request, caller, row, row.source)


async def _row(request: Request, caller: Caller, draft_id: UUID) -> Any:
    async with db.begin(request.app.state.service.engine) as conn:
        row = await seen.one_draft(conn, caller, draft_id)
    if row is None:
        raise drafts.not_found()
    return row


class ActForm(VersionedForm):
    """Something done with a draft: its new text, or a reason."""

    source: str = Field("", max_length=400_000)
    reason: str = Field("", max_length=2000)


@router.post("/rulebooks/drafts/{draft_id}/{act}")
async def act(
    request: Request,
    draft_id: UUID,
    act: Literal["edit", "submit", "return", "publish", "withdraw"],
    caller: Caller = Depends(Requires(RIGHT)),
) -> Response:
    """When it cannot be done, the page comes again and says why, with what was typed."""
    desk, what = _desk(request), DraftAct(act)
    needed = "rulebook.publish" if what in (DraftAct.RETURN, DraftAct.PUBLISH) else "rulebook.draft"
    if caller.reach(needed) is None:
        raise Forbidden(
            "您的岗位没有此项权限；未作更改。 Your post does not have this right; nothing was changed.", right=needed
        )
    sent = await read_form(request, ActForm)
    asked = f"{draft_id}:{sent.version}:{act}\n{sent.source or sent.reason}"
    claim = desk.claim(caller, f"rulebook.{act}", str(sent.idempotency_key), asked, draft_id)
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await drafts.act(
                conn, desk, caller, draft_id, what, source=sent.source or None, reason=sent.reason,
                version=sent.version, claim=claim, now=clock.now(),
            )  # fmt: skip
    except (Invalid, Forbidden, Conflict, Outdated) as refused:
        row = await _row(request, caller, draft_id)
        return _writing(request, caller, row, sent.source or row.source, refused)
    return see_other(request, f"/rulebooks/drafts/{draft_id}", done=f"draft_{act}")


@router.get("/rulebooks/{rulebook}/{edition}")
async def reader(
    request: Request, rulebook: str, edition: str, caller: Caller = Depends(Requires(RIGHT))
) -> HTMLResponse:
    """A version as tables, the clause beside each line; what it changed of the one before."""
    desk = _desk(request)
    async with db.begin(request.app.state.service.engine) as conn:
        versions = await seen.versions(conn, desk.books, caller, today(clock.now()))
    mine = [one for one in versions if one.rulebook.id == rulebook]
    found = next((one for one in mine if one.rulebook.version == edition), None)
    if found is None:
        raise no_rulebook()
    older = [one.rulebook for one in mine if one.rulebook.valid_from < found.rulebook.valid_from]
    old = max(older, key=lambda one: one.valid_from) if older else None
    return page(
        request,
        "rulebook.html",
        {
            "one": found,
            "book": found.rulebook,
            "detectors": {one.id: one.name for one in CONDITIONS.values()},
            "others": [one for one in mine if one is not found],
            "old": old,
            "changes": changes(old, found.rulebook) if old is not None else (),
            "plan": next((name for name in found.rulebook.plans if name in desk.plans), caller.plan),
        },
        service="scoring",
        caller=caller,
    )
