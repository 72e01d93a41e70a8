"""A suspicion of a patrol or a venue check becomes a lead at the police at once, the way every tip goes (D-E2, D-A2)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.tips import TipDraft, TipTaken, draft_tip, receive_tips
from services.intake.domain.registers.signs import signs_at, told
from services.intake.schemas.tips import TipBody
from shared.kit.access import Caller
from shared.kit.problem import Conflict, Invalid
from shared.kit.service import Service
from shared.rules.plan import Plan

CHANNEL = "patrol"


def draft_suspicion(
    service: Service, caller: Caller, plan: Plan, *, where: str, area: str, place: str, signs: Sequence[str],
    note: str = "",
) -> TipDraft:  # fmt: skip
    """The tip that a suspicion is: read, placed, routed and sealed. Made before the transaction, holding no lock."""
    words = told(where, place, signs, note)
    return draft_tip(
        service,
        caller,
        TipBody(subject=words.partition("。")[0], text=words, area=area, place=place),
        plan=plan,
        channel=CHANNEL,
        key=None,
    )


async def hand_on(
    conn: AsyncConnection, service: Service, draft: TipDraft | None, now: datetime
) -> tuple[UUID | None, UUID | None]:
    """Record the tip in the caller's transaction; the ids of tip and lead."""
    if draft is None:
        return None, None
    taken: Any = (await receive_tips(conn, service, [draft], now))[0]
    if isinstance(taken, Conflict):
        raise taken
    assert isinstance(taken, TipTaken)
    return taken.row["id"], taken.row["lead_id"]


def check_signs(where: str, suspicious: bool, ticked: Sequence[str]) -> None:
    """Invalid for a sign that is not on the list, and for a suspicion without any."""
    allowed = {sign.id for sign in signs_at(where)}
    unknown = [sign for sign in ticked if sign not in allowed]
    if unknown or (suspicious and not ticked):
        raise Invalid(
            "发现可疑时请勾选清单中的迹象；未保存任何内容。 Tick the signs of the list for a suspicion; nothing was kept.",
            code="bad-signs",
            errors=[
                {"field": "signs", "code": "unknown" if unknown else "missing", "message": "signs of the list only"}
            ],
        )
