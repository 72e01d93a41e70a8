"""The wait page: what a citizen sees when too many report at once. Nothing typed is lost; scripts work, others wait."""

import secrets
import time
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.intake.commands.door import WorkNeeded, admit, flag_unproven
from services.intake.domain.work import Outcome
from shared.kit import clock
from shared.kit.ids import new_id
from shared.web.render import page

FIELD = "work"
"""The form's field that carries the proof."""


async def wait_page(request: Request, told: str = "") -> HTMLResponse | None:
    """None when a posted form may go on; else the page that works or waits and sends the same form again.

    `told` is what was ticked, in the words that stand for it: a tick alone can say that somebody is in danger.
    """
    state = request.app.state
    fields = [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
    proof = next((value for name, value in fields if name == FIELD), "")[:300]
    words = "\n".join([told, *(value for name, value in fields if name not in (FIELD, "idempotency_key"))])
    try:
        request.state.outcome = admit(state.door, state.settings, proof, lambda: words[:30_000])
        return None
    except WorkNeeded:
        now_s = int(clock.now().timestamp())
        challenge = state.door.renewed(proof, now_s, time.monotonic(), secrets.token_hex(12))
    return page(
        request,
        "report_wait.html",
        {
            "fields": [(name, value) for name, value in fields if name != FIELD],
            "challenge": challenge,
            "left": max(0, state.settings.work_wait_s - (now_s - challenge.made_s)),
            "again": bool(proof),
            "key": str(new_id()),
        },
        service="intake",
        public=True,
        status=429,
    )


async def note_unproven(request: Request, tip_id: UUID) -> None:
    """After a tip was taken: note that it came unproven because it told of danger."""
    if getattr(request.state, "outcome", None) is Outcome.URGENT:
        await flag_unproven(request.app.state.service, tip_id)
