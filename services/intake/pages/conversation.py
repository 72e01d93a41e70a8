"""Officers' pages of the conversation: one tip's, contested closings, requests to see a contact."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from services.intake import queries
from services.intake.commands import contacts, conversation
from services.intake.domain.conversation import LONGEST_MESSAGE, REVEAL_CATEGORIES
from services.intake.queries import contacts as reveals_shown
from services.intake.queries import conversation as shown
from services.intake.queries.tips import visible_tips
from services.intake.queries.told import REVEAL_WORDS, contest_out, reveal_out, step_out, thread
from services.intake.schemas.conversation import AskIn, ContestDecisionIn, RevealDecisionIn, RevealIn
from services.intake.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.problem import NotFound
from shared.kit.service import Service
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

_Cursor = Annotated[str | None, Query(max_length=300)]
_ROWS = 30


class AskForm(Form):
    """A question, or a word."""

    text: str = ""
    kind: str = "question"


class RevealForm(Form):
    """Why a contact is needed."""

    category: str = ""
    reason: str = ""


class DecisionForm(VersionedForm):
    """A decision, with words where the reporter reads them."""

    decision: str = ""
    text: str = ""


@router.get("/tips/{tip_id}/conversation")
async def talk(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.read"))) -> HTMLResponse:
    """What was said after a tip; the reading is recorded, and what the reporter wrote counts as read."""
    service: Service = request.app.state.service
    now = clock.now()
    async with db.begin(service.engine) as conn:
        tip = await queries.tip(conn, caller, tip_id)
        if tip is None:
            raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
        said = await thread(conn, service.settings.keys, tip, "officer")
        standing = await shown.standing(conn, service, tip)
        ratings = await shown.ratings(conn, tip_id)
        named = await reveals_shown.named(conn, tip_id)
        await shown.mark_read(conn, tip_id, "reporter", now)
        await audit.record(conn, kit, caller, "message.read", "tip", [tip_id], now)
    return page(
        request,
        "conversation.html",
        {
            "tip": tip,
            "messages": said,
            "steps": [step_out(service, tip.plan, step) for step in standing.steps],
            "named": named,
            "ratings": [(row.stars, shown.opened(service.settings.keys, row) if row.sealed else "") for row in ratings],
            "categories": [(code, REVEAL_WORDS[code]) for code in REVEAL_CATEGORIES],
            "longest": LONGEST_MESSAGE,
        },
        service="intake",
        caller=caller,
    )


@router.post("/tips/{tip_id}/conversation")
async def ask(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.ask"))) -> Response:
    """Ask or tell the reporter."""
    service: Service = request.app.state.service
    sent = await read_form(request, AskForm)
    body = AskIn(text=sent.text, question=sent.kind == "question")
    async with db.begin(service.engine) as conn:
        await conversation.ask_within_reach(
            conn, service, caller, tip_id, body.text, clock.now(),
            question=body.question, key=str(sent.idempotency_key),
        )  # fmt: skip
    return see_other(request, f"/tips/{tip_id}/conversation", done="sent")


@router.post("/tips/{tip_id}/reveals")
async def request_reveal(
    request: Request, tip_id: UUID, caller: Caller = Depends(Requires("reporter.request"))
) -> Response:
    """Ask a second person to let the caller see the contact."""
    service: Service = request.app.state.service
    sent = await read_form(request, RevealForm)
    body = RevealIn.model_validate({"category": sent.category, "reason": sent.reason})
    async with db.begin(service.engine) as conn:
        made = await contacts.request_reveal(
            conn, service, caller, tip_id, body.category, body.reason, clock.now(), key=str(sent.idempotency_key)
        )
    return see_other(request, f"/reveals/{made}", done="sent")


@router.get("/answers")
async def answers(request: Request, caller: Caller = Depends(Requires("tip.read"))) -> HTMLResponse:
    """Tips in reach whose reporters wrote something that nobody has read yet."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await shown.answered(conn, visible_tips(caller), limit=_ROWS)
        unread = await shown.unread(conn, [row.id for row in rows], "reporter")
    return page(request, "answers.html", {"rows": rows, "unread": unread}, service="intake", caller=caller)


@router.get("/contests")
async def contests(
    request: Request,
    caller: Caller = Depends(Requires("outcome.review")),
    state: Annotated[str, Query(pattern="^(open|upheld|confirmed)$")] = "open",
    cursor: _Cursor = None,
) -> HTMLResponse:
    """Contested closings in reach, oldest first."""
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await shown.contests(conn, caller, state=state, after=after, limit=_ROWS)  # type: ignore[arg-type]
    rows, following = pagination.page(found, _ROWS, lambda row: (row.contested_at, row.id))
    told = [contest_out(row, caller) for row in rows]
    context = {"rows": told, "next": following, "state": state}
    return page(request, "contests.html", context, service="intake", caller=caller)


@router.get("/contests/{contest_id}")
async def contest(
    request: Request, contest_id: UUID, caller: Caller = Depends(Requires("outcome.review"))
) -> HTMLResponse:
    """One contest with the reporter's words and the report's; the reading is recorded."""
    told = await conversation.read_contest(request.app.state.service, caller, contest_id)
    return page(
        request, "contest.html", {"contest": told, "longest": LONGEST_MESSAGE}, service="intake", caller=caller
    )


@router.post("/contests/{contest_id}/decision")
async def decide_contest(
    request: Request, contest_id: UUID, caller: Caller = Depends(Requires("outcome.review"))
) -> Response:
    """The second look."""
    service: Service = request.app.state.service
    sent = await read_form(request, DecisionForm)
    body = ContestDecisionIn.model_validate({"decision": sent.decision, "text": sent.text})
    async with db.begin(service.engine) as conn:
        await conversation.decide(
            conn, service, caller, contest_id, body.decision, body.text, clock.now(),
            version=sent.version, key=str(sent.idempotency_key),
        )  # fmt: skip
    return see_other(request, "/contests", done="saved")


@router.get("/reveals")
async def reveals(
    request: Request, caller: Caller = Depends(Requires("plan.read")), cursor: _Cursor = None
) -> HTMLResponse:
    """Requests the caller made or may decide on."""
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await reveals_shown.reveals(conn, caller, after=after, limit=_ROWS)  # type: ignore[arg-type]
    rows, following = pagination.page(found, _ROWS, lambda row: (row.requested_at, row.id))
    told = [reveal_out(row, caller) for row in rows]
    context = {"rows": told, "next": following, "why": REVEAL_WORDS}
    return page(request, "reveals.html", context, service="intake", caller=caller)


@router.get("/reveals/{reveal_id}")
async def reveal(request: Request, reveal_id: UUID, caller: Caller = Depends(Requires("plan.read"))) -> HTMLResponse:
    """One request with its reason; what the caller may do with it."""
    return await _reveal(request, caller, reveal_id)


async def _reveal(
    request: Request, caller: Caller, reveal_id: UUID, contact: contacts.Contact | None = None
) -> HTMLResponse:
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        row = await reveals_shown.reveal(conn, caller, reveal_id)
    if row is None:
        raise NotFound("没有这件申请，或不在您的权限内。 No such request within your reach.")
    told = reveal_out(row, caller)
    may_approve = service.plans[row.plan].may_approve(caller.posts, "reporter.reveal") and not told["own"]
    now = clock.now()
    return page(
        request,
        "reveal.html",
        {
            "reveal": told,
            "reason": shown.opened(service.settings.keys, row),
            "version": row.version,
            "why": REVEAL_WORDS[row.category],
            "may_approve": may_approve and row.state == "requested" and now < row.lapses_at,
            "may_withdraw": told["own"] and row.state == "requested" and now < row.lapses_at,
            "may_view": told["own"] and row.state == "approved" and now < row.view_until,
            "contact": contact,
        },
        service="intake",
        caller=caller,
    )


@router.post("/reveals/{reveal_id}/decision")
async def decide_reveal(
    request: Request, reveal_id: UUID, caller: Caller = Depends(Requires("plan.read"))
) -> Response:
    """Approve, refuse or withdraw."""
    service: Service = request.app.state.service
    sent = await read_form(request, DecisionForm)
    body = RevealDecisionIn.model_validate({"decision": sent.decision})
    async with db.begin(service.engine) as conn:
        await contacts.decide(
            conn, service, caller, reveal_id, body.decision, clock.now(),
            version=sent.version, key=str(sent.idempotency_key),
        )  # fmt: skip
    return see_other(request, f"/reveals/{reveal_id}", done="saved")


@router.post("/reveals/{reveal_id}/contact")
async def view(
    request: Request, reveal_id: UUID, caller: Caller = Depends(Requires("reporter.request"))
) -> HTMLResponse:
    """Show the contact to the person who asked; every look is on record."""
    service: Service = request.app.state.service
    await read_form(request, Form)
    async with db.begin(service.engine) as conn:
        contact = await contacts.view(conn, service, caller, reveal_id, clock.now())
    return await _reveal(request, caller, reveal_id, contact)
