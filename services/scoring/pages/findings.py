"""Pages of findings: the desk with what waits for me, and one finding with its facts, its words and what can be done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.scoring.commands.findings.basis import Basis
from services.scoring.commands.findings.deciding import NEEDS_WORDS, not_found, step_claim, take_step
from services.scoring.domain.detectors import CONDITIONS
from services.scoring.domain.findings import FindingStep
from services.scoring.queries.findings import Narrowed, Show, counts, list_findings, one_finding
from services.scoring.queries.findings_present import counts_now, finding_full, finding_out, page_of, title
from services.scoring.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.problem import Conflict, Forbidden, Invalid, Outdated, Problem
from shared.web.forms import VersionedForm, read_form, see_other
from shared.web.i18n import N_
from shared.web.render import page

router = APIRouter(include_in_schema=False, tags=["pages"])

_ROWS = 30
READ = "finding.read"

TABS = (
    ("mine", N_("Waits for me")),
    ("open", N_("Not decided")),
    ("appealed", N_("Appealed")),
    ("confirmed", N_("Confirmed")),
    ("ended", N_("Ended")),
)

STEPS = {
    FindingStep.ANSWER: (N_("Answer"), N_("What your agency has to say"), "message-report"),
    FindingStep.CONFIRM: (N_("Confirm it"), N_("Remarks"), "check"),
    FindingStep.REJECT: (N_("Reject it"), N_("Why it is no finding"), "x"),
    FindingStep.LEAVE: (N_("Leave it to a second person"), N_("What makes it doubtful"), "users"),
    FindingStep.APPEAL: (N_("Appeal"), N_("Grounds of the appeal"), "scale"),
    FindingStep.UPHOLD: (N_("The finding stands"), N_("Why it stands"), "check"),
    FindingStep.OVERTURN: (N_("Take the finding back"), N_("Why it is taken back"), "refresh"),
}
"""Step → its words on the button, the label of its field, its picture."""


@router.get("/findings")
async def desk(
    request: Request,
    caller: Caller = Depends(Requires(READ)),
    show: Show = "mine",
    condition: Annotated[str | None, Query(max_length=48)] = None,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """What waits for me comes first, oldest on top."""
    basis: Basis = request.app.state.findings
    now = clock.now()
    after: Any = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await list_findings(conn, caller, Narrowed(show, condition or None), now, after=after, limit=_ROWS)
        numbers = await counts(conn, caller, now)
    rows, following = pagination.page(found, _ROWS, lambda row: (row.proposed_at, row.finding_id))
    return page(
        request,
        "findings.html",
        {
            "show": show,
            "tabs_of": [(code, words, numbers[code]) for code, words in TABS],
            "condition": condition,
            "conditions": [(one.id, one.name) for one in CONDITIONS.values()],
            "rows": [finding_out(basis, row) for row in rows],
            "title_of": title,
            "next": following,
            "now": now,
        },
        service="scoring",
        caller=caller,
    )


@router.get("/findings/{finding_id}")
async def one(request: Request, finding_id: UUID, caller: Caller = Depends(Requires(READ))) -> HTMLResponse:
    """One finding; the reading is recorded."""
    return await _page(request, caller, finding_id)


async def _page(
    request: Request, caller: Caller, finding_id: UUID, refused: Problem | None = None, words: str = "", tried: str = ""
) -> HTMLResponse:
    basis: Basis = request.app.state.findings
    now = clock.now()
    async with db.begin(request.app.state.service.engine) as conn:
        full = await one_finding(conn, caller, finding_id)
        if full is None:
            raise not_found()
        shown = finding_full(basis, full, caller, now)
        await audit.record(conn, kit, caller, "finding.read", "finding", [finding_id], now)
    return page(
        request,
        "finding.html",
        {
            "one": shown,
            "title": title(shown.condition),
            "counts": counts_now(full.row),
            "entries": full.entries,
            "page_of": page_of,
            "moment_of": datetime.fromisoformat,
            "can": [(step, *STEPS[step], step in NEEDS_WORDS) for step in STEPS if step.value in shown.can],
            "refused": refused,
            "outdated": isinstance(refused, Outdated),
            "words_kept": words,
            "tried": tried,
            "now": now,
        },
        service="scoring",
        status=refused.status if refused else 200,
        caller=caller,
    )


class StepForm(VersionedForm):
    """A step with its words."""

    words: str = Field("", max_length=4000)


@router.post("/findings/{finding_id}/{step}")
async def act(
    request: Request,
    finding_id: UUID,
    step: Literal["answer", "confirm", "reject", "leave", "appeal", "uphold", "overturn"],
    caller: Caller = Depends(Requires(READ)),
) -> Response:
    """Take a step from the page; when it cannot be done, the page comes again and says why, with what was typed."""
    basis: Basis = request.app.state.findings
    sent = await read_form(request, StepForm)
    wanted = FindingStep(step)
    claim = step_claim(basis, caller, finding_id, wanted, sent.words, sent.version, str(sent.idempotency_key))
    try:
        async with db.begin(request.app.state.service.engine) as conn:
            await take_step(
                conn, basis, caller, finding_id, wanted, sent.words, version=sent.version, claim=claim, now=clock.now()
            )
    except (Outdated, Conflict, Invalid, Forbidden) as refused:
        return await _page(request, caller, finding_id, refused, sent.words, step)
    return see_other(request, f"/findings/{finding_id}", done="finding_" + step)
