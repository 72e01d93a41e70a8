"""Officers confirm or correct readings; a correction may open, join or leave a lead, and is kept as an example."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import queries
from services.intake.commands import gathering, joining, leads, raising
from services.intake.commands.lead_rows import known, lead_row, save_leads
from services.intake.commands.tips import target_token
from services.intake.domain.aims import aim_from, aim_of, shown
from services.intake.domain.joining import Known, Signal, Step, from_tips, said_at
from services.intake.domain.reading import LEXICON_VERSION, Reading, read
from services.intake.domain.reviews import Effect, Labels, corrected, effect
from services.intake.tables import kit, tip_corrections, tips
from services.intake.tables import leads as lead_table
from shared.events.envelope import EventData
from shared.kit import audit, idempotency, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Invalid, NotFound, Outdated
from shared.kit.service import Service
from shared.rules.plan import RoutingFacts


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What came of a review. `elsewhere` is the agency today's facts point to, when another one has the lead."""

    tip_id: UUID
    effect: Effect
    lead_id: UUID | None
    elsewhere: str | None = None


async def review(
    conn: AsyncConnection, service: Service, caller: Caller, tip_id: UUID, given: Mapping[str, Any], *, version: int,
    taken: Claim, now: datetime,
) -> Reviewed:  # fmt: skip
    """Confirm a tip's reading (nothing given), or correct it.

    Raises NotFound, Outdated, or Invalid for an area or topic that the plan does not have.
    """
    earlier = await idempotency.take(conn, kit.idempotency, taken, now)
    if isinstance(earlier, Conflict):
        raise earlier
    mine = (tips.c.id == tip_id) & queries.visible_tips(caller, "tip.triage")
    peeked = (await conn.execute(select(tips.c.lead_id).where(mine))).one_or_none()
    lead: Any = None
    if peeked is not None and peeked.lead_id is not None:
        # the lead before its tips, as everywhere; a tip that moved meanwhile has another version
        of_it = select(lead_table).where(lead_table.c.id == peeked.lead_id)
        lead = (await conn.execute(of_it.with_for_update())).one()
    tip = (await conn.execute(select(tips).where(mine).with_for_update())).one_or_none()
    if tip is None:
        raise NotFound("没有这条举报，或不由您研判。 No such tip, or not yours to review.")
    if earlier is not None:
        return Reviewed(tip_id, Effect.NONE, tip.lead_id)
    if tip.version != version:
        raise Outdated(
            "举报已有变化，请重新打开后再研判；未作更改。 It has changed; open it again. Nothing was changed.",
            version=tip.version,
        )
    before = labels(tip)
    after = corrected(before, _checked(service, tip.plan, given))
    there: list[Any] = []
    if tip.lead_id:
        there = list((await conn.execute(select(tips).where(tips.c.lead_id == tip.lead_id))).all())
    done = effect(before, after, in_lead=tip.lead_id is not None, alone=len(there) == 1)
    targets = _targets(service, tip, before, after)
    values = _columns(service, tip, after) | {"targets": targets}
    lead_id, elsewhere, events = tip.lead_id, None, list[EventData]()
    if done is Effect.OPEN:
        lead_id, opened = await _take_up(conn, service, caller, tip, values, now)
        values["lead_id"] = lead_id
        events += opened
    elif done is Effect.LEAVE:
        home = known(lead)
        lead_id = values["lead_id"] = None
        await _save_tip(conn, caller, tip, values, now)
        from_tips(home, [one for one in there if one.id != tip.id])
        await save_leads(conn, [home])
        await leads.reindex(conn, [home])
        await leads.note(conn, caller, "corrected", home, now, [tip.id])
    elif done is Effect.KEEP:
        # the lead stands until its agency decides on acceptance; only the label is kept
        values = {"relevant": False}
    elif done is Effect.RAISE:
        reading = replace(_read(service, tip), relevant=True, urgent=True, kinds=after.kinds)
        tip = await raising.turn_urgent(conn, service, tip, reading, now)
        values = {"area": after.area, "targets": targets}
    elif done is Effect.CHANGE and values.get("agency") not in (None, tip.agency):
        # handing it on is a handover, with its own acceptance; until then it stays where it is
        elsewhere = values["agency"]
        values = {name: one for name, one in values.items() if name not in ("state", "agency", "unit", "rule")}
    if done is not Effect.LEAVE:
        await _save_tip(conn, caller, tip, values, now)
    if done in (Effect.CHANGE, Effect.RAISE):
        # raised, it may stand in the lead that rings
        await _lead_learns(conn, tip.lead_id if done is Effect.RAISE else lead.id, values)
    await _keep(conn, caller, tip, before, after, now)
    await outbox.put(conn, kit.outbox, events, now)
    await audit.record(conn, kit, caller, "tip.review", "tip", [tip_id], now, effect=done.value, agreed=before == after)
    return Reviewed(tip_id, done, lead_id, elsewhere)


def labels(tip: Any) -> Labels:
    """What is on record of a tip's reading."""
    said = (shown(target) for target in tip.targets)
    return Labels(
        relevant=tip.relevant or tip.state == "lead",
        urgent=tip.urgent,
        kinds=tuple(tip.kinds),
        area=tip.area,
        belongs_to=tip.belongs_to,
        places=tuple(words for kind, words in said if kind in ("place", "road") and words),
    )


def _checked(service: Service, plan_id: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    plan = service.plans[plan_id]
    area = given.get("area")
    if area is not None and plan.area_of(area) is None:
        raise Invalid(
            "方案中没有这个区域；未作更改。 The plan has no such area; nothing was changed.",
            code="unknown-area",
            errors=[{"field": "area", "code": "unknown", "message": "no such area in the plan"}],
        )
    return {**given, "area": plan.area_of(area)} if area is not None else given


def _columns(service: Service, tip: Any, after: Labels) -> dict[str, Any]:
    """A tip's row after the correction: routed anew only where its own facts changed, never by changed rules alone."""
    values: dict[str, Any] = {
        "relevant": after.relevant,
        "urgent": after.urgent,
        "kinds": after.kinds,
        "area": after.area,
        "belongs_to": after.belongs_to,
    }
    if (after.relevant, after.urgent, after.kinds, after.area) == (tip.relevant, tip.urgent, tuple(tip.kinds), tip.area):
        return values
    routing = _route(service, tip, after)
    state = "lead" if routing.agency else "referred"
    return values | {"state": state, "agency": routing.agency, "unit": routing.unit, "rule": routing.rule}


def _route(service: Service, tip: Any, after: Labels) -> Any:
    return service.plans[tip.plan].route(
        RoutingFacts(
            kinds=frozenset(after.kinds),
            urgent=after.urgent,
            area=after.area,
            channel=tip.channel,
            relevant=after.relevant,
            belongs_to=after.belongs_to,
        )
    )


def _read(service: Service, tip: Any) -> Reading:
    told = queries.narrative(service.settings.keys, tip)
    return read(told["subject"], "\n".join(part for part in (told["text"], told["place"]) if part))


def _targets(service: Service, tip: Any, before: Labels, after: Labels) -> list[str]:
    """The tip's targets: those on record, those its words give when it had none, and the places an officer names."""
    kept = list(tip.targets)
    if not kept and after.relevant:
        told = queries.narrative(service.settings.keys, tip)
        kept = _aimed_at(service, told["subject"], "\n".join(part for part in (told["text"], told["place"]) if part))
    if after.places == before.places:
        return kept
    places = [target for target in _aimed_at(service, "", "。".join(after.places)) if target.startswith(("place:", "road:"))]
    return [*places, *(target for target in kept if not target.startswith(("place:", "road:")))]


def _aimed_at(service: Service, subject: str, words: str) -> list[str]:
    """What words aim at of which an officer says that they concern pyramid selling, however they read."""
    reading = read(subject, words)
    if not (reading.relevant or reading.urgent):
        reading = read(subject, f"{words}。传销窝点，拉人头发展下线")
    return list(aim_of(reading, subject, words, lambda name: target_token(service, name)).targets)


async def _take_up(
    conn: AsyncConnection, service: Service, caller: Caller, tip: Any, values: dict[str, Any], now: datetime
) -> tuple[UUID, list[EventData]]:
    """A tip sent elsewhere becomes a lead, or joins the one about its target; every clock from its first receipt."""
    aim = aim_from(tuple(values["targets"]))
    signal = Signal(
        tip_id=tip.id, aim=aim, area=values["area"], kinds=tuple(values["kinds"]), urgent=values["urgent"],
        moment=said_at(tip.posted_at, tip.received_at), received_at=tip.received_at,
    )  # fmt: skip
    own = Known(
        id=new_id(), plan=tip.plan, area=values["area"], kinds=signal.kinds, urgent=signal.urgent,
        agency=values["agency"], unit=values["unit"], rule=values["rule"], received_at=tip.received_at, tips=1,
        first_tip=tip.id, last_at=signal.moment, urgent_at=now if signal.urgent else None, targets=aim.targets,
        fresh=True,
    )  # fmt: skip
    met = await joining.meet(conn, service, [(signal, own)], now)
    crowds = await gathering.look(conn, service, met, now)
    [(_, _, standing)] = met.standings
    told: list[EventData] = []
    if standing.step is not Step.JOIN:
        await insert_many(conn, lead_table, [lead_row(own)])
        row = _Row(tip, values)
        told.append(leads.opened(service, own, row, now))
    await joining.record(conn, service, met, now)
    told += joining.events(service, met, {tip.id: tip.channel}, now)
    told += await gathering.record(conn, service, crowds, now)
    return met.lead_of[tip.id], told


class _Row:
    """A tip's row with some columns as they will be."""

    def __init__(self, row: Any, values: Mapping[str, Any]) -> None:
        self._row, self._values = row, values

    def __getattr__(self, name: str) -> Any:
        return self._values[name] if name in self._values else getattr(self._row, name)


async def _save_tip(
    conn: AsyncConnection, caller: Caller, tip: Any, values: Mapping[str, Any], now: datetime
) -> None:
    await conn.execute(
        update(tips)
        .where(tips.c.id == tip.id)
        .values(**values, reviewed_at=now, reviewed_by=caller.actor, version=tips.c.version + 1)
    )


async def _lead_learns(conn: AsyncConnection, lead_id: UUID, values: Mapping[str, Any]) -> None:
    """The lead says what its tips say now; within its agency the unit follows."""
    lead = known((await conn.execute(select(lead_table).where(lead_table.c.id == lead_id))).one())
    urgent, rang = lead.urgent, lead.urgent_at
    from_tips(lead, (await conn.execute(select(tips).where(tips.c.lead_id == lead_id))).all())
    lead.urgent, lead.urgent_at = lead.urgent or urgent, lead.urgent_at or rang
    await save_leads(conn, [lead])
    await leads.reindex(conn, [lead])
    if lead.tips == 1 and values.get("agency") == lead.agency:
        await conn.execute(
            update(lead_table).where(lead_table.c.id == lead_id).values(unit=values["unit"], rule=values["rule"])
        )


async def _keep(
    conn: AsyncConnection, caller: Caller, tip: Any, before: Labels, after: Labels, now: datetime
) -> None:
    await insert_many(
        conn,
        tip_corrections,
        [
            {
                "id": new_id(),
                "tip_id": tip.id,
                "plan": tip.plan,
                "agreed": before == after,
                "before": before.record(),
                "after": after.record(),
                "lexicon": tip.lexicon or LEXICON_VERSION,
                "actor": caller.actor,
                "at": now,
            }
        ],
    )
