"""Leads merged and split by officers: reversible, append-only in history, every number, date and reporter kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import queries
from services.intake.commands.lead_rows import about, index_targets, known, lead_row, merged, save_leads
from services.intake.domain.aims import aim_from
from services.intake.domain.joining import Known, absorb, from_tips, said_at
from services.intake.domain.leads import (
    ActRefusedError,
    LeadAct,
    SuggestionAct,
    SuggestionState,
    after,
    decided,
    leaving,
    state_of,
    survivor,
)
from services.intake.tables import kit, lead_joins, lead_suggestions, lead_targets, leads, tips
from shared.events.common import PartyFact
from shared.events.envelope import EventData
from shared.events.intake import LeadOpened
from shared.events.leads import LeadSplit
from shared.kit import audit, idempotency, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound, Outdated
from shared.kit.service import Service
from shared.rules.plan import RoutingFacts


@dataclass(frozen=True, slots=True)
class Change:
    """What an officer's act came to: the lead it was done on, and the act's number in the history."""

    lead_id: UUID
    join_id: UUID | None


def claim(service: Service, caller: Caller, act: str, about_id: UUID, version: int, body: bytes, key: str) -> Claim:
    """The Idempotency-Key of one act, for the API and the page alike. Raises BadRequest for an unusable key."""
    asked = f"{about_id}:{version}:".encode() + body
    return idempotency.claim(service.settings.keys, caller, act, idempotency.check_key(key), asked, about_id)


async def merge(
    conn: AsyncConnection, service: Service, caller: Caller, lead_id: UUID, other_id: UUID, *, version: int,
    taken: Claim, now: datetime,
) -> Change:  # fmt: skip
    """Another lead goes into this one: its tips come along, the earliest reporter and every number stay.

    Raises NotFound (one of them not within reach), Outdated, or Conflict (the same lead, another plan, merged before).
    """
    if await _known(conn, taken, now):
        return Change(lead_id, None)
    pair = await _locked(conn, caller, (lead_id, other_id))
    lead, other = pair.get(lead_id), pair.get(other_id)
    if lead is None or other is None:
        raise _not_there()
    _current(lead, version)
    return await _merge(conn, service, caller, known(lead), known(other), (), None, now)


async def _merge(
    conn: AsyncConnection, service: Service, caller: Caller, into: Known, other: Known, reasons: Sequence[str],
    score: int | None, now: datetime,
) -> Change:  # fmt: skip
    if into.id == other.id or into.plan != other.plan:
        raise Conflict(
            "不能并入自己或其他方案的线索；未作更改。 A lead cannot join itself or one of another plan.",
            code="not-two-leads",
        )
    _may(into, LeadAct.ABSORB)
    _may(other, LeadAct.MERGE)
    moved = [row.id for row in await _tips(conn, other.id)]
    absorb(into, other)
    await conn.execute(update(tips).where(tips.c.lead_id == other.id).values(lead_id=into.id, version=tips.c.version + 1))
    await save_leads(conn, [into, other])
    await reindex(conn, [into, other])
    join_id = await note(conn, caller, "merged", into, now, moved, other=other.id, reasons=reasons, score=score)
    await conn.execute(
        update(lead_suggestions)
        .where(_pair(into.id, other.id), lead_suggestions.c.state.in_(("open", "noted", "rejected")))
        .values(state="accepted", decided_at=now, decided_by=caller.actor, version=lead_suggestions.c.version + 1)
    )
    await _tell(conn, caller, "lead.merge", [merged(service, join_id, into, other.id, now, automatic=False)], into, now)
    return Change(into.id, join_id)


async def unmerge(
    conn: AsyncConnection, service: Service, caller: Caller, lead_id: UUID, join_id: UUID, *, version: int,
    taken: Claim, now: datetime,
) -> Change:  # fmt: skip
    """Undo a merge: the other lead comes back with the tips that came from it, under its own number.

    Raises NotFound, Outdated, or Conflict (no such merge here, undone before, or nothing left to give back).
    """
    if await _known(conn, taken, now):
        return Change(lead_id, None)
    join = (
        await conn.execute(
            select(lead_joins).where(
                lead_joins.c.id == join_id, lead_joins.c.lead_id == lead_id, lead_joins.c.action == "merged"
            )
        )
    ).one_or_none()
    found = await _locked(conn, caller, (lead_id, *((join.other_id,) if join else ())), also=join and join.other_id)
    if lead_id not in found:
        raise _not_there()
    _current(found[lead_id], version)
    if join is None:
        raise Conflict(
            "这条线索没有这次并入记录；未作更改。 This lead has no such joining; nothing was changed.", code="no-such-join"
        )
    undone = select(lead_joins.c.id).where(lead_joins.c.undoes == join_id)
    if (await conn.execute(undone)).first() is not None:
        raise Conflict("这次并入已经还原过。 This joining was undone before.", code="already-undone")
    lead, other = known(found[lead_id]), known(found[join.other_id])
    _may(lead, LeadAct.SPLIT)
    _may(other, LeadAct.UNMERGE)
    there = await _tips(conn, lead_id)
    moved = _leaving([row.id for row in there], [UUID(one) for one in join.tips])
    other.merged_into = None
    act = await _move(conn, caller, "unmerged", lead, other, there, moved, now, undoes=join_id)
    await conn.execute(
        update(lead_suggestions)
        .where(_pair(lead.id, other.id), lead_suggestions.c.state == "accepted")
        .values(state="rejected", decided_at=now, decided_by=caller.actor, version=lead_suggestions.c.version + 1)
    )
    told = _split_event(service, act, lead, other, len(moved), now, join_id)
    await _tell(conn, caller, "lead.unmerge", [told], lead, now)
    return Change(lead_id, act)


async def split(
    conn: AsyncConnection, service: Service, caller: Caller, lead_id: UUID, tip_ids: Sequence[UUID], *, version: int,
    taken: Claim, now: datetime,
) -> Change:  # fmt: skip
    """Some tips turn out to be about another target: they become a lead of their own, its clock from their earliest.

    Raises NotFound, Outdated, or Conflict (none of them is here, or the lead would be left empty).
    """
    if await _known(conn, taken, now):
        return Change(lead_id, None)
    found = await _locked(conn, caller, (lead_id,))
    if lead_id not in found:
        raise _not_there()
    _current(found[lead_id], version)
    lead = known(found[lead_id])
    _may(lead, LeadAct.SPLIT)
    there = await _tips(conn, lead_id)
    moved = _leaving([row.id for row in there], tip_ids)
    act, _ = await split_off(conn, service, caller, lead, there, moved, now)
    return Change(lead_id, act)


async def split_off(
    conn: AsyncConnection, service: Service, caller: Caller, lead: Known, there: Sequence[Any], moved: Sequence[UUID],
    now: datetime,
) -> tuple[UUID, Known]:  # fmt: skip
    """Make a new lead of tips of a locked one, and tell casework of it; the act's number and the new lead."""
    going = [row for row in there if row.id in set(moved)]
    first = min(going, key=lambda row: (row.received_at, row.id))
    fresh = Known(
        id=new_id(), plan=lead.plan, area=first.area, kinds=tuple(first.kinds), urgent=first.urgent,
        agency=first.agency or lead.agency, unit=first.unit if first.agency else lead.unit, rule=first.rule,
        received_at=first.received_at, tips=1, first_tip=first.id, last_at=first.received_at, urgent_at=None,
        targets=(), fresh=True,
    )  # fmt: skip
    from_tips(fresh, going)
    await insert_many(conn, leads, [lead_row(fresh)])
    act = await _move(conn, caller, "split", lead, fresh, there, moved, now)
    await insert_many(
        conn,
        lead_suggestions,
        [
            {
                "id": new_id(), "plan": lead.plan, "lead_id": fresh.id, "other_id": lead.id, "kind": "same", "score": 0,
                "reasons": [], "state": "rejected", "agency": fresh.agency, "made_at": now, "decided_at": now,
                "decided_by": caller.actor, "version": 1,
            }
        ],
    )  # fmt: skip
    told = [opened(service, fresh, first, now), _split_event(service, act, lead, fresh, len(moved), now, None)]
    await _tell(conn, caller, "lead.split", told, lead, now)
    return act, fresh


async def decide_suggestion(
    conn: AsyncConnection, service: Service, caller: Caller, suggestion_id: UUID, act: SuggestionAct, *, version: int,
    taken: Claim, now: datetime,
) -> Change:  # fmt: skip
    """Say whether two leads are about one target: accepted, they merge; rejected, they are not suggested again.

    Raises NotFound, Outdated, or Conflict (decided before, or one of them was merged meanwhile).
    """
    row = (
        await conn.execute(select(lead_suggestions).where(lead_suggestions.c.id == suggestion_id).with_for_update())
    ).one_or_none()
    if row is None:
        raise _not_there()
    if await _known(conn, taken, now):
        return Change(row.lead_id, None)
    pair = await _locked(conn, caller, (row.lead_id, row.other_id))
    if len(pair) != 2:
        raise _not_there()
    if row.version != version:
        raise Outdated("建议已有变化，请重新打开。 The suggestion has changed; open it again.", version=row.version)
    try:
        state = decided(SuggestionState(row.state), act)
    except ActRefusedError:
        raise Conflict(
            "这条建议已经处理过，原决定不变。 It was decided before; the first decision stands.", code="already-decided"
        ) from None
    await conn.execute(
        update(lead_suggestions)
        .where(lead_suggestions.c.id == suggestion_id)
        .values(state=state.value, decided_at=now, decided_by=caller.actor, version=row.version + 1)
    )
    if act is SuggestionAct.REJECT:
        await audit.record(conn, kit, caller, "lead.not_same", "lead", [row.lead_id, row.other_id], now)
        return Change(row.lead_id, None)
    into, other = survivor(known(pair[row.lead_id]), known(pair[row.other_id]))
    return await _merge(conn, service, caller, into, other, row.reasons, row.score, now)


def opened(service: Service, lead: Known, first: Any, now: datetime) -> LeadOpened:
    """A lead made of tips that came in earlier, as casework hears of it: its clock starts with their first receipt.

    Agency, unit and rule are those recorded with the tip, whatever the plan's rules say today; only the parties come
    of the plan, as the routing of such a tip names them.
    """
    routing = service.plans[lead.plan].route(
        RoutingFacts(
            kinds=frozenset(first.kinds), urgent=first.urgent, area=first.area, channel=first.channel, relevant=True
        )
    )
    parties = [PartyFact(agency=one.agency, unit=one.unit, role=one.role) for one in routing.parties]
    if all(one.agency != lead.agency for one in parties):
        parties.insert(0, PartyFact(agency=lead.agency, unit=lead.unit, role="lead"))
    origin = "patrol" if first.channel == "patrol" else "agency" if first.source_agency else "citizen"
    return LeadOpened(
        **about(service, lead),
        tip_id=first.id,
        kinds=lead.kinds,
        urgent=lead.urgent,
        channel=first.channel,
        rule=lead.rule,
        parties=tuple(parties),
        received_at=lead.received_at,
        origin=origin,  # type: ignore[arg-type]
    )


# -- parts of the above -----------------------------------------------------------------------------------------------


async def _known(conn: AsyncConnection, taken: Claim, now: datetime) -> bool:
    earlier = await idempotency.take(conn, kit.idempotency, taken, now)
    if isinstance(earlier, Conflict):
        raise earlier
    return earlier is not None


async def _locked(
    conn: AsyncConnection, caller: Caller, ids: Sequence[UUID], also: UUID | None = None
) -> dict[UUID, Any]:
    """Leads within the caller's reach to join, locked in one order; `also` one that is part of another one there."""
    mine = queries.visible_leads(caller, "lead.join")
    if also is not None:
        mine = or_(mine, leads.c.id == also)
    rows = await conn.execute(
        select(leads).where(leads.c.id == func.any(list(ids)), mine).order_by(leads.c.id).with_for_update()
    )
    return {row.id: row for row in rows}


async def _tips(conn: AsyncConnection, lead_id: UUID) -> Sequence[Any]:
    query = select(tips).where(tips.c.lead_id == lead_id).order_by(tips.c.received_at, tips.c.id).with_for_update()
    return (await conn.execute(query)).all()


async def _move(
    conn: AsyncConnection, caller: Caller, action: str, lead: Known, to: Known, there: Sequence[Any],
    moved: Sequence[UUID], now: datetime, undoes: UUID | None = None,
) -> UUID:  # fmt: skip
    going = set(moved)
    await conn.execute(
        update(tips).where(tips.c.id == func.any(list(moved))).values(lead_id=to.id, version=tips.c.version + 1)
    )
    from_tips(lead, [row for row in there if row.id not in going])
    from_tips(to, [row for row in there if row.id in going])
    await save_leads(conn, [lead] if to.fresh else [lead, to])
    await reindex(conn, [lead, to])
    return await note(conn, caller, action, lead, now, list(moved), other=to.id, undoes=undoes)


async def reindex(conn: AsyncConnection, changed: Sequence[Known]) -> None:
    """Make the index of leads say again exactly what their tips say."""
    ids = [lead.id for lead in changed]
    await conn.execute(delete(lead_targets).where(lead_targets.c.lead_id == func.any(ids)))
    rows = await conn.execute(select(tips).where(tips.c.lead_id == func.any(ids)))
    await index_targets(
        conn,
        (
            (row.lead_id, row.plan, aim_from(tuple(row.targets)), said_at(row.posted_at, row.received_at))
            for row in rows
            if row.targets
        ),
    )


async def note(
    conn: AsyncConnection, caller: Caller, action: str, lead: Known, now: datetime, moved: Sequence[UUID], *,
    other: UUID | None = None, undoes: UUID | None = None, reasons: Sequence[str] = (), score: int | None = None,
) -> UUID:  # fmt: skip
    """Write one act into the history of joins, which is never changed; its number."""
    join_id = new_id()
    await insert_many(
        conn,
        lead_joins,
        [
            {
                "id": join_id, "plan": lead.plan, "action": action, "lead_id": lead.id, "other_id": other,
                "undoes": undoes, "tips": [str(one) for one in moved], "score": score, "reasons": list(reasons),
                "automatic": False, "actor": caller.actor, "agency": caller.agency, "at": now,
            }
        ],
    )  # fmt: skip
    return join_id


async def _tell(
    conn: AsyncConnection, caller: Caller, action: str, events: Sequence[EventData], lead: Known, now: datetime
) -> None:
    await outbox.put(conn, kit.outbox, events, now)
    await audit.record(conn, kit, caller, action, "lead", [lead.id], now)


def _split_event(
    service: Service, act: UUID, lead: Known, other: Known, moved: int, now: datetime, undoes: UUID | None
) -> LeadSplit:
    return LeadSplit(
        **about(service, lead), join_id=act, undoes=undoes, split_lead_id=other.id, tips_left=lead.tips,
        tips_moved=moved, split_at=now,
    )  # fmt: skip


def _pair(one: UUID, other: UUID) -> Any:
    s = lead_suggestions.c
    return or_((s.lead_id == one) & (s.other_id == other), (s.lead_id == other) & (s.other_id == one))


def _may(lead: Known, act: LeadAct) -> None:
    try:
        after(state_of(lead), act)
    except ActRefusedError:
        raise Conflict(
            "线索的状态已不允许此操作（可能已被并入别的线索或已还原）；未作更改，请重新打开。 "
            "The lead's state does not allow it any more; nothing was changed. Open it again.",
            code="lead-state",
            state=state_of(lead).value,
        ) from None


def _leaving(there: Sequence[UUID], wanted: Sequence[UUID]) -> list[UUID]:
    try:
        return leaving(there, wanted)
    except ActRefusedError:
        raise Conflict(
            "所选举报不在这条线索里，或拆分后原线索将没有举报；未作更改。 "
            "These tips are not part of the lead, or it would be left empty; nothing was changed.",
            code="nothing-to-split",
        ) from None


def _current(row: Any, version: int) -> None:
    if row.version != version:
        raise Outdated(
            "线索已有变化（例如又有举报并入），请重新打开后再操作；未作更改。 "
            "The lead has changed, by a further tip perhaps; open it again. Nothing was changed.",
            version=row.version,
        )


def _not_there() -> NotFound:
    return NotFound("没有这条线索，或不在您的权限内。 No such lead within your reach.")
