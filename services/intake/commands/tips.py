"""Tips: drafted outside the transaction, recorded by the batch."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import queries
from services.intake.commands import gathering, joining
from services.intake.commands.lead_rows import lead_row
from services.intake.domain.aims import NO_AIM, Aim, aim_of
from services.intake.domain.joining import Known as KnownLead
from services.intake.domain.joining import Signal, Step, said_at
from services.intake.domain.reading import LEXICON_VERSION, Reading, read
from services.intake.domain.receipts import derived_receipt, random_receipt
from services.intake.domain.tips import Decision, TipState, triage
from services.intake.metrics import TIPS_RECEIVED
from services.intake.schemas.tips import TipBody
from services.intake.tables import kit, leads, tips
from shared.events.common import PartyFact
from shared.events.envelope import EventData
from shared.events.intake import LeadOpened
from shared.kit import audit, db, idempotency, outbox, tracing
from shared.kit.access import Caller
from shared.kit.committer import Committer
from shared.kit.db import put_many
from shared.kit.idempotency import Claim, Known
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Invalid, NotFound
from shared.kit.service import Service
from shared.rules.plan import Plan


@dataclass(frozen=True, slots=True)
class TipDraft:
    """A tip read, placed, routed and sealed, ready to be recorded. Made before the transaction, holding no lock."""

    id: UUID
    lead_id: UUID | None
    plan: str
    channel: str
    reading: Reading
    decision: Decision
    narrative: bytes
    receipt: str
    receipt_hash: bytes
    claim: Claim | None
    caller: Caller
    external_ref: str | None
    posted_at: datetime | None
    traceparent: str | None
    aim: Aim = NO_AIM


@dataclass(frozen=True, slots=True)
class TipTaken:
    """A recorded tip; `replayed` when the same request had recorded it before."""

    row: Any
    receipt: str
    replayed: bool


def plan_of(service: Service, plan_id: str) -> Plan:
    """The plan of an id, or a clear refusal."""
    try:
        return service.plans[plan_id]
    except KeyError:
        raise Invalid(
            f"没有这个方案；现有：{'、'.join(sorted(service.plans))}。未保存任何内容。 "
            "There is no such plan; nothing was kept.",
            code="unknown-plan",
            errors=[{"field": "plan", "code": "unknown", "message": "no such plan"}],
        ) from None


def draft_tip(
    service: Service, caller: Caller, body: TipBody, *, plan: Plan, channel: str, key: str | None
) -> TipDraft:
    """Read, place, route and seal one tip. `key` is its Idempotency-Key.

    Raises Invalid for an area the plan does not have; the caller's own plan is checked by the route.
    """
    area = None
    if body.area:
        area = plan.area_of(body.area)
        if area is None:
            raise Invalid(
                "方案中没有这个区域；不清楚时请留空，由打传办判定。未保存任何内容。 "
                "The plan has no such area; leave it out if unsure. Nothing was kept.",
                code="unknown-area",
                errors=[{"field": "area", "code": "unknown", "message": "no such area in the plan"}],
            )
    words = body.text if not body.place else f"{body.text}\n{body.place}"
    reading = read(body.subject, words)
    decision = triage(plan, reading, area=area, text=f"{body.subject}\n{words}", channel=channel)
    keys = service.settings.keys
    tip_id = new_id()
    if key is None:
        receipt, claim = random_receipt(), None
    else:
        receipt = derived_receipt(keys.token("receipt", caller.actor, key))
        claim = idempotency.claim(
            keys, caller, "tip", key, f"{plan.id}\n{channel}\n{body.model_dump_json()}".encode(), tip_id
        )
    sealed = keys.seal(
        "narrative",
        tip_id.bytes,
        orjson.dumps(
            {
                "subject": body.subject,
                "text": body.text,
                "place": body.place,
                "words": [[reason.code, *reason.words] for reason in reading.reasons],
            }
        ),
    )
    return TipDraft(
        id=tip_id,
        lead_id=new_id() if decision.state is TipState.LEAD else None,
        plan=plan.id,
        channel=channel,
        reading=reading,
        decision=decision,
        narrative=sealed,
        receipt=receipt,
        receipt_hash=keys.token("receipt_lookup", receipt),
        claim=claim,
        caller=caller,
        external_ref=body.external_ref,
        posted_at=body.posted_at,
        traceparent=tracing.current(),
        aim=aim_of(reading, body.subject, words, lambda name: target_token(service, name))
        if decision.state is TipState.LEAD
        else NO_AIM,
    )


def target_token(service: Service, name: str) -> str:
    """A phone number or a person's name as it is stored and looked up: a keyed token."""
    return service.settings.keys.token("target", name)[:16].hex()


async def submit(committer: Committer[TipDraft, TipTaken | Conflict], draft: TipDraft) -> TipTaken:
    """Record a draft together with all that arrive at the same time; a held person's tip goes first."""
    taken = await committer.submit(draft, first=draft.reading.urgent)
    if isinstance(taken, Conflict):
        raise taken
    return taken


async def receive_tips(
    conn: AsyncConnection, service: Service, drafts: Sequence[TipDraft], now: datetime
) -> list[TipTaken | Conflict]:
    """Record tips, open a lead for each that concerns pyramid selling, and tell casework.

    One result a draft, in order. However many drafts, the number of statements is fixed.
    """
    seen = await idempotency.take_all(conn, kit.idempotency, _claims(drafts), now)
    new, first = _fresh(drafts, seen)
    signals = {draft.id: draft for draft in new if draft.lead_id}
    pairs = [(signal_of(draft, now), own_lead(draft, now)) for draft in signals.values()]
    met = await joining.meet(conn, service, pairs, now)
    around = await gathering.look(conn, service, met, now)
    rows = {draft.id: tip_row(draft, now, met.lead_of.get(draft.id)) for draft in new}
    opened = [signals[signal.tip_id] for signal, _, standing in met.standings if standing.step is not Step.JOIN]
    await put_many(conn, leads, [lead_row(lead) for lead in met.known.values() if lead.fresh])
    await put_many(conn, tips, list(rows.values()))
    await joining.record(conn, service, met, now)
    told: list[EventData] = [lead_opened(service, draft, now) for draft in opened]
    traces = [draft.traceparent for draft in opened]
    told += joining.events(service, met, {draft.id: draft.channel for draft in signals.values()}, now)
    told += await gathering.record(conn, service, around, now)
    await outbox.put(conn, kit.outbox, told, now, traceparents=traces + [None] * (len(told) - len(traces)))
    by_caller: dict[Caller, list[UUID]] = defaultdict(list)
    for draft in new:
        by_caller[draft.caller].append(draft.id)
    for caller, ids in by_caller.items():
        await audit.record(conn, kit, caller, "tip.receive", "tip", ids, now)
    for draft in new:
        TIPS_RECEIVED.labels(draft.channel).inc()
    replayed = await _rows(conn, [known.object_id for known in seen.values()])
    return [_result(draft, rows, seen, first, replayed) for draft in drafts]


async def try_tips(
    conn: AsyncConnection, drafts: Sequence[TipDraft], now: datetime
) -> list[TipTaken | Conflict]:
    """What `receive_tips` would answer, with nothing kept: what is there already is shown as it stands."""
    seen = await idempotency.look(conn, kit.idempotency, _claims(drafts))
    new, first = _fresh(drafts, seen)
    rows = {draft.id: tip_row(draft, now) for draft in new}
    replayed = await _rows(conn, [known.object_id for known in seen.values()])
    return [_result(draft, rows, seen, first, replayed) for draft in drafts]


def _claims(drafts: Sequence[TipDraft]) -> list[Claim]:
    claims: dict[bytes, Claim] = {}
    for draft in drafts:
        if draft.claim is not None:
            claims.setdefault(draft.claim.key_hash, draft.claim)
    return list(claims.values())


def _fresh(drafts: Sequence[TipDraft], seen: dict[bytes, Known]) -> tuple[list[TipDraft], dict[bytes, TipDraft]]:
    """The drafts that are new, and by key the first of those that carry one."""
    new: list[TipDraft] = []
    first: dict[bytes, TipDraft] = {}
    for draft in drafts:
        claim = draft.claim
        if claim is None:
            new.append(draft)
        elif claim.key_hash not in seen and claim.key_hash not in first:
            first[claim.key_hash] = draft
            new.append(draft)
    return new, first


def _result(
    draft: TipDraft,
    rows: dict[UUID, dict[str, Any]],
    seen: dict[bytes, Known],
    first: dict[bytes, TipDraft],
    replayed: dict[UUID, dict[str, Any]],
) -> TipTaken | Conflict:
    if draft.id in rows:
        return TipTaken(rows[draft.id], draft.receipt, replayed=False)
    assert draft.claim is not None
    known = seen.get(draft.claim.key_hash)
    if known is None:
        twin = first[draft.claim.key_hash]
        assert twin.claim is not None
        known = Known(twin.id, twin.claim.request_hash)
    answer = known.answer(draft.claim)
    if isinstance(answer, Conflict):
        return answer
    return TipTaken(rows.get(answer) or replayed[answer], draft.receipt, replayed=True)


async def _rows(conn: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    if not ids:
        return {}
    result = await conn.execute(select(tips).where(tips.c.id.in_(ids)))
    return {row["id"]: dict(row) for row in result.mappings()}


def tip_row(draft: TipDraft, now: datetime, lead_id: UUID | None = None) -> dict[str, Any]:
    """A draft as a row of `tips`; `lead_id` is the lead it stands in, its own unless it joined one."""
    routing = draft.decision.routing
    return {
        "id": draft.id,
        "plan": draft.plan,
        "channel": draft.channel,
        "area": draft.decision.area,
        "state": draft.decision.state.value,
        "relevant": draft.reading.relevant,
        "urgent": draft.reading.urgent,
        "kinds": draft.reading.kinds,
        "belongs_to": draft.reading.belongs_to,
        "agency": routing.agency,
        "unit": routing.unit,
        "rule": routing.rule,
        "lead_id": lead_id or draft.lead_id,
        "narrative": draft.narrative,
        "lexicon": LEXICON_VERSION,
        "receipt_hash": draft.receipt_hash,
        "source_agency": draft.caller.agency,
        "brought_by": draft.caller.id if draft.caller.kind == "officer" else None,
        "external_ref": draft.external_ref,
        "posted_at": draft.posted_at,
        "received_at": now,
        "version": 1,
        "targets": draft.aim.targets,
    }


def signal_of(draft: TipDraft, now: datetime) -> Signal:
    """A drafted tip as a signal about its target."""
    return Signal(
        tip_id=draft.id,
        aim=draft.aim,
        area=draft.decision.area,
        kinds=draft.reading.kinds,
        urgent=draft.reading.urgent,
        moment=said_at(draft.posted_at, now),
        received_at=now,
    )


def own_lead(draft: TipDraft, now: datetime) -> KnownLead:
    """The lead that a draft opens when it joins none."""
    routing = draft.decision.routing
    assert draft.lead_id is not None and routing.agency is not None
    return KnownLead(
        id=draft.lead_id,
        plan=draft.plan,
        area=draft.decision.area,
        kinds=draft.reading.kinds,
        urgent=draft.reading.urgent,
        agency=routing.agency,
        unit=routing.unit,
        rule=routing.rule,
        received_at=now,
        tips=1,
        first_tip=draft.id,
        last_at=said_at(draft.posted_at, now),
        urgent_at=now if draft.reading.urgent else None,
        targets=draft.aim.targets,
        fresh=True,
    )


def _lead_row(draft: TipDraft, now: datetime) -> dict[str, Any]:
    return lead_row(own_lead(draft, now))


def lead_opened(service: Service, draft: TipDraft, now: datetime) -> LeadOpened:
    """What casework is told of a lead that a draft opened."""
    routing = draft.decision.routing
    assert draft.lead_id is not None and routing.agency is not None
    return LeadOpened(
        lead_id=draft.lead_id,
        tip_id=draft.id,
        plan=draft.plan,
        area=draft.decision.area,
        kinds=draft.reading.kinds,
        urgent=draft.reading.urgent,
        channel=draft.channel,
        agency=routing.agency,
        unit=routing.unit,
        rule=routing.rule,
        parties=tuple(PartyFact(agency=party.agency, unit=party.unit, role=party.role) for party in routing.parties),
        received_at=now,
        origin=_origin(draft),
        dataref=f"{service.settings.base_url('intake')}/v1/leads/{draft.lead_id}",
    )


def _origin(draft: TipDraft) -> Any:
    if draft.channel == "patrol":
        return "patrol"
    return "citizen" if draft.caller.kind == "anonymous" else "agency"


async def read_tip(service: Service, caller: Caller, tip_id: UUID, now: datetime) -> dict[str, Any]:
    """A tip with its words, as `TipFull`; that it was read is recorded before anything is shown.

    NotFound when it is not there for this caller.
    """
    async with db.begin(service.engine) as conn:
        row = await queries.tip(conn, caller, tip_id)
        if row is None:
            raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
        await audit.record(conn, kit, caller, "tip.read", "tip", [tip_id], now)
    told = queries.narrative(service.settings.keys, row)
    return {
        **queries.tip_out(service, row._mapping, None, False),
        "version": row.version,
        "reviewed_at": row.reviewed_at,
        "channel": row.channel,
        "subject": told["subject"],
        "text": told["text"],
        "place": told["place"],
        "posted_at": row.posted_at,
        "external_ref": row.external_ref,
        "words": [{"code": code, "words": "、".join(words)} for code, *words in told["words"]],
        "steps": [
            {"rule": s.rule, "outcome": s.outcome, "why": s.why, "why_en": s.why_en}
            for s in queries.routing_of(service, row._mapping).steps
        ],
    }
