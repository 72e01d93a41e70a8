"""Verifying a lead from its page."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.commands import verification as commands
from services.intake.commands.handovers import Rules
from services.intake.commands.handovers.requests import claim_of
from services.intake.queries import verifications as queries
from services.intake.schemas.verifications import VerificationIn
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.web.forms import VersionedForm, read_form, see_other

router = APIRouter()


class VerifyForm(VersionedForm):
    """What the verification found."""

    outcome: Literal["founded", "unfounded", "inconclusive"]
    note: str = ""


@router.post("/leads/{lead_id}/verification")
async def verify(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.verify"))) -> Response:
    """Record that the lead was verified."""
    sent = await read_form(request, VerifyForm)
    rules: Rules = request.app.state.handover_rules
    body = VerificationIn(outcome=sent.outcome, note=sent.note)
    claim = claim_of(rules, caller, "lead.verify", str(sent.idempotency_key), lead_id, body, sent.version, lead_id)
    async with db.begin(rules.service.engine) as conn:
        await commands.verify(
            conn, rules, caller, lead_id, body.outcome, body.note, version=sent.version, claim=claim, now=clock.now()
        )
    return see_other(request, f"/leads/{lead_id}", done="saved")


async def panel(request: Request, caller: Caller, lead_id: UUID) -> dict[str, Any]:
    """What `verification_panel.html` shows on a lead's page; the caller has shown that they may see the lead."""
    async with db.begin(request.app.state.service.engine) as conn:
        row = await queries.of_lead(conn, lead_id)
    return queries.out(lead_id, row, clock.now()) | {"may_verify": caller.reach("lead.verify") is not None}
