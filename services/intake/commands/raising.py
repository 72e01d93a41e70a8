"""A tip read again with what its reporter added: it may become a lead, or ring on the fast lane, at once."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import queries
from services.intake.commands import gathering, joining
from services.intake.commands import tips as commands
from services.intake.commands.joining import Met
from services.intake.commands.lead_rows import known, lead_row, save_leads
from services.intake.commands.leads import reindex
from services.intake.commands.tips import TipDraft, target_token
from services.intake.domain.aims import aim_of, together
from services.intake.domain.joining import Step, absorb
from services.intake.domain.reading import LEXICON_VERSION, Reading, read
from services.intake.domain.reading.model import KINDS
from services.intake.domain.same_target import Match
from services.intake.domain.tips import triage
from services.intake.tables import kit, leads, tips
from shared.events.envelope import EventData
from shared.kit import audit, outbox, tracing
from shared.kit.access import Caller, service_caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.service import Service

_SAME_TIP = "added"


async def read_again(
    conn: AsyncConnection, service: Service, tip: Any, added: str, now: datetime
) -> tuple[Any, bool]:
    """Read a locked tip once more with what was added; the tip as it is now, and whether it turned urgent.

    A tip that belonged elsewhere becomes a lead when the addition shows pyramid selling or somebody held; its clocks
    start now, since only now it was told. A calm lead that shows somebody held rings on the fast lane (point 2).
    What was read from the first words is never taken back. A lead that learns of a further target has others about it
    suggested.
    """
    told = queries.narrative(service.settings.keys, tip)
    words = "\n".join(part for part in (told["text"], told["place"], added) if part)
    reading = _joined(read(told["subject"], words), read("", added))
    if tip.state == "referred":
        if not (reading.relevant or reading.urgent):
            return tip, False
        draft = _draft(service, tip, reading, told["subject"], words)
        return await open_lead(conn, service, tip, draft, now, clocks_from=now), reading.urgent
    if tip.urgent or not reading.urgent:
        return await _learn(conn, service, tip, _draft(service, tip, reading, told["subject"], words), now), False
    return await _ring(conn, service, tip, _draft(service, tip, reading, told["subject"], words), now), True


def _joined(whole: Reading, added: Reading) -> Reading:
    kinds = {*whole.kinds, *added.kinds}
    if len(kinds) > 1:
        kinds.discard("unspecified")
    return replace(
        whole,
        relevant=whole.relevant or added.relevant,
        urgent=whole.urgent or added.urgent,
        kinds=tuple(kind for kind in KINDS if kind in kinds),
        belongs_to=None if whole.relevant or added.relevant else whole.belongs_to,
    )


def draft_again(service: Service, tip: Any) -> TipDraft:
    """A recorded tip as a draft for the lead that an officer finds in it after all."""
    told = queries.narrative(service.settings.keys, tip)
    words = "\n".join(part for part in (told["text"], told["place"]) if part)
    return _draft(service, tip, read(told["subject"], words), told["subject"], words)


def _draft(service: Service, tip: Any, reading: Reading, subject: str, words: str) -> TipDraft:
    kinds = tuple(kind for kind in KINDS if kind in {*tip.kinds, *reading.kinds}) or ("unspecified",)
    if len(kinds) > 1:
        kinds = tuple(kind for kind in kinds if kind != "unspecified")
    reading = replace(reading, relevant=True, belongs_to=None, kinds=kinds)
    return TipDraft(
        id=tip.id,
        lead_id=new_id(),
        plan=tip.plan,
        channel=tip.channel,
        reading=reading,
        decision=triage(
            service.plans[tip.plan], reading, area=tip.area, text=f"{subject}\n{words}", channel=tip.channel
        ),
        narrative=tip.narrative,
        receipt="",
        receipt_hash=tip.receipt_hash,
        claim=None,
        caller=Caller("system", "", agency=tip.source_agency) if tip.source_agency else Caller("anonymous", ""),
        external_ref=tip.external_ref,
        posted_at=tip.posted_at,
        traceparent=tracing.current(),
        aim=aim_of(reading, subject, words, lambda name: target_token(service, name)),
    )


async def open_lead(
    conn: AsyncConnection,
    service: Service,
    tip: Any,
    draft: TipDraft,
    now: datetime,
    *,
    clocks_from: datetime,
    actor: Caller | None = None,
) -> Any:
    """A recorded tip without a lead becomes one after all, or joins one about the same target, as any tip does."""
    met = await joining.meet(
        conn, service, [(commands.signal_of(draft, clocks_from), commands.own_lead(draft, clocks_from))], now
    )
    crowds = await gathering.look(conn, service, met, now)
    fresh = [lead for lead in met.known.values() if lead.fresh]
    await insert_many(conn, leads, [lead_row(lead) for lead in fresh])
    lead_id = met.lead_of[draft.id]
    changed = await _changed(conn, draft, lead_id)
    await joining.record(conn, service, met, now)
    told: list[EventData] = [
        commands.lead_opened(service, draft, clocks_from)
        for _, _, standing in met.standings
        if standing.step is not Step.JOIN
    ]
    told += joining.events(service, met, {draft.id: draft.channel}, now)
    told += await gathering.record(conn, service, crowds, now)
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(
        conn, kit, actor or service_caller("intake"), "tip.become_lead", "tip", [tip.id], now,
        lead_id=str(lead_id), urgent=draft.reading.urgent,
    )  # fmt: skip
    return changed


async def turn_urgent(
    conn: AsyncConnection, service: Service, tip: Any, reading: Reading, now: datetime
) -> Any:
    """A calm tip of a lead is urgent by an officer's word: it rings on the fast lane; the tip as it is now."""
    told = queries.narrative(service.settings.keys, tip)
    words = "\n".join(part for part in (told["text"], told["place"]) if part)
    return await _ring(conn, service, tip, _draft(service, tip, reading, told["subject"], words), now)


async def _learn(conn: AsyncConnection, service: Service, tip: Any, draft: TipDraft, now: datetime) -> Any:
    """A tip of a lead says more of its target: the lead is found under it too, and others about it are suggested.

    None of them joins by itself any more: both have their cases, and an officer joins them.
    """
    targets = together((tuple(tip.targets), draft.aim.targets))
    if set(targets) <= set(tip.targets):
        return tip
    row = (await conn.execute(select(leads).where(leads.c.id == tip.lead_id).with_for_update())).one()
    saved = update(tips).where(tips.c.id == tip.id).values(targets=list(targets), version=tips.c.version + 1)
    changed = (await conn.execute(saved.returning(tips))).one()
    lead = known(row)
    lead.targets = together((lead.targets, targets))
    lead.changed = True
    await save_leads(conn, [lead])
    signal = commands.signal_of(draft, tip.received_at)
    await reindex(conn, [lead])
    await joining.suggest(conn, service, signal, lead, now)
    return changed


async def _ring(conn: AsyncConnection, service: Service, tip: Any, draft: TipDraft, now: datetime) -> Any:
    """Open a lead on the fast lane that takes the calm one in with all its tips, dates and its earliest reporter.

    A lead that rings already is not rung again by one more tip of it.
    """
    row = (await conn.execute(select(leads).where(leads.c.id == tip.lead_id).with_for_update())).one()
    if row.urgent:
        return await _changed(conn, draft, tip.lead_id)
    calm, own = known(row), commands.own_lead(draft, now)
    opened = commands.lead_opened(service, draft, now)
    own.tips = 0  # the tip is counted with the lead it comes from
    absorb(own, calm)
    join_id = new_id()
    met = Met(known={own.id: own, calm.id: calm})
    met.rung.append((own, calm, Match(100, (_SAME_TIP,)), join_id))
    await insert_many(conn, leads, [lead_row(own)])
    changed = await _changed(conn, draft, calm.id)
    await joining.record(conn, service, met, now)
    changed = (await conn.execute(select(tips).where(tips.c.id == changed.id))).one()
    told: list[EventData] = [opened, *joining.events(service, met, {}, now)]
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(
        conn, kit, service_caller("intake"), "lead.ring", "lead", [own.id, calm.id], now, tip_id=str(tip.id)
    )
    return changed


async def _changed(conn: AsyncConnection, draft: TipDraft, lead_id: UUID) -> Any:
    routing = draft.decision.routing
    result = await conn.execute(
        update(tips)
        .where(tips.c.id == draft.id)
        .values(
            state="lead",
            relevant=True,
            urgent=draft.reading.urgent,
            kinds=draft.reading.kinds,
            belongs_to=None,
            area=draft.decision.area,
            agency=routing.agency,
            unit=routing.unit,
            rule=routing.rule,
            lead_id=lead_id,
            lexicon=LEXICON_VERSION,
            targets=draft.aim.targets,
            version=tips.c.version + 1,
        )
        .returning(tips)
    )
    return result.one()
