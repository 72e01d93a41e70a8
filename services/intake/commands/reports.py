"""A report told with help: what was ticked and answered joins the person's own words; contact is sealed apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands import tips as commands
from services.intake.commands.tips import TipDraft
from services.intake.domain.questions import catalogue, statements
from services.intake.domain.reading import Reason
from services.intake.domain.reading.model import KINDS
from services.intake.domain.tips import TipState, triage
from services.intake.schemas.tips import TipBody
from services.intake.tables import kit, reporter_contacts
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.service import Service
from shared.rules.plan import Plan


@dataclass(frozen=True, slots=True)
class Contact:
    """How a reporter who wants to be known can be reached."""

    name: str = ""
    phone: str = ""
    address: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.phone or self.address)


def draft_report(
    service: Service,
    caller: Caller,
    body: TipBody,
    *,
    plan: Plan,
    channel: str,
    key: str | None,
    ticked: Sequence[str] = (),
    answers: Mapping[str, Sequence[str]] | None = None,
) -> TipDraft:
    """A draft of a tip with what was ticked and answered under the person's own words, which stay as they are.

    Whoever ticks a kind says that it is pyramid selling: the tip becomes a lead even where its words alone would
    not make it one, and an officer judges.
    """
    told = statements(ticked, answers or {})
    if told:
        body = body.model_copy(update={"text": f"{body.text}\n{told}"})
    draft = commands.draft_tip(service, caller, body, plan=plan, channel=channel, key=key)
    claimed = {kind for one in catalogue().kinds if one.id in ticked for kind in one.kinds}
    reading = draft.reading
    if not claimed or (reading.relevant and claimed <= set(reading.kinds)):
        return draft
    known = claimed | {kind for kind in reading.kinds if kind != "unspecified"}
    reading = replace(
        reading,
        relevant=True,
        kinds=tuple(kind for kind in KINDS if kind in known),
        belongs_to=None,
        reasons=(*reading.reasons, Reason("ticked", tuple(sorted(claimed)))),
    )
    words = f"{body.subject}\n{body.text}\n{body.place or ''}"
    decision = triage(plan, reading, area=draft.decision.area, text=words, channel=channel)
    assert decision.state is TipState.LEAD, "a relevant tip is a lead by every plan"
    return replace(draft, reading=reading, decision=decision, lead_id=draft.lead_id or new_id())


async def keep_contact(
    conn: AsyncConnection, service: Service, caller: Caller, tip_id: UUID, contact: Contact, now: datetime
) -> bool:
    """Seal a contact apart from its tip, under its own key; False when the tip has one, which stands."""
    sealed = service.settings.keys.seal(
        "reporter",
        tip_id.bytes,
        orjson.dumps({"name": contact.name, "phone": contact.phone, "address": contact.address}),
    )
    kept = await insert_many(
        conn,
        reporter_contacts,
        [{"tip_id": tip_id, "sealed": sealed, "given_at": now}],
        conflict="ON CONFLICT (tip_id) DO NOTHING",
        returning="tip_id",
    )
    if kept:
        await audit.record(conn, kit, caller, "contact.keep", "tip", [tip_id], now)
    return bool(kept)


def opened_contact(service: Service, row: Any) -> Contact:
    """A sealed contact, opened. Whoever calls this has an approval, and records the reading."""
    told = orjson.loads(service.settings.keys.open("reporter", row.tip_id.bytes, bytes(row.sealed)))
    return Contact(**told)
