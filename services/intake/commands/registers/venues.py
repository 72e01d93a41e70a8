"""Venues booked and checked, agents visited (D-A1, D-A2, D-Q1.5)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.registers import rows as kit_rows
from services.intake.commands.registers.suspicions import check_signs, draft_suspicion, hand_on
from services.intake.domain.registers import addresses
from services.intake.schemas.registers import AgentVisit, Booking, VenueCheck
from services.intake.tables import agent_visits, agents, kit, venue_bookings, venue_checks, venues
from shared.events.intake import AgentVisited, VenueFinding
from shared.kit import audit, db, idempotency, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Invalid, NotFound
from shared.kit.service import Service


async def _place(conn: AsyncConnection, caller: Caller, table: Table, place_id: UUID, *, lock: bool = False) -> Any:
    query = select(table).where(table.c.id == place_id)
    row = (await conn.execute(query.with_for_update(key_share=True) if lock else query)).mappings().one_or_none()
    if row is None or not kit_rows.may_write(caller, "venue.read", row["plan"], row["area"]):
        raise NotFound("没有这个对象，或不在您的权限内。 No such entry within your reach.")
    kit_rows.demand(caller, "venue.manage", row["plan"], row["area"])
    return row


async def _known(
    conn: AsyncConnection, service: Service, caller: Caller, operation: str, key: str, request: bytes, made_id: UUID,
    now: datetime,
) -> UUID | None:  # fmt: skip
    claim = idempotency.claim(service.settings.keys, caller, operation, key, request, made_id)
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    kit_rows.raised(known)
    return known if isinstance(known, UUID) else None


async def visit_agent(
    service: Service, caller: Caller, agent_id: UUID, body: AgentVisit, key: str, now: datetime
) -> UUID:
    """Record that an agent was visited, what was handed over and who signed for it; the visit's id."""
    made = new_id()
    async with db.begin(service.engine) as conn:
        request = f"{agent_id}\n{body.model_dump_json()}".encode()
        known = await _known(conn, service, caller, "agent.visit", key, request, made, now)
        if known is not None:
            return known
        agent = await _place(conn, caller, agents, agent_id, lock=True)
        await insert_many(
            conn,
            agent_visits,
            [
                {
                    "id": made, "plan": agent["plan"], "area": agent["area"], "agent_id": agent_id, "at": now,
                    "actor": caller.actor, "agency": caller.agency, "materials": body.materials,
                    "signed": body.signed,
                    "signer": kit_rows.seal_contact(service.settings.keys, made, name=body.signer),
                }
            ],
        )  # fmt: skip
        values: dict[str, Any] = {"visited_at": now, "version": agents.c.version + 1}
        if body.signed:
            values["signed_at"] = now
        await conn.execute(update(agents).where(agents.c.id == agent_id).values(**values))
        event = AgentVisited(
            plan=agent["plan"], area=agent["area"], visit_id=made, agent_id=agent_id, agency=caller.agency or "",
            materials=tuple(body.materials), signed=body.signed, visited_at=now,
            dataref=f"{service.settings.base_url('intake')}/v1/agents/{agent_id}",
        )  # fmt: skip
        await outbox.put(conn, kit.outbox, [event], now)
        await audit.record(conn, kit, caller, "agent.visit", "agent", [agent_id], now, signed=body.signed)
    return made


async def book_venue(
    service: Service, caller: Caller, venue_id: UUID, body: Booking, key: str, now: datetime
) -> UUID:
    """Record a booking; the organiser is sealed and found again by a keyed token. The booking's id."""
    if body.ends_at <= body.starts_at:
        raise Invalid(
            "结束时间要晚于开始时间；未保存任何内容。 It ends before it begins; nothing was kept.",
            errors=[{"field": "ends_at", "code": "before_start", "message": "ends before it begins"}],
        )
    made, keys = new_id(), service.settings.keys
    async with db.begin(service.engine) as conn:
        request = f"{venue_id}\n{body.model_dump_json()}".encode()
        known = await _known(conn, service, caller, "venue.book", key, request, made, now)
        if known is not None:
            return known
        venue = await _place(conn, caller, venues, venue_id, lock=True)
        b = venue_bookings.c
        clash = select(b.id).where(
            b.venue_id == venue_id, b.state != "cancelled", b.starts_at < body.ends_at, b.ends_at > body.starts_at
        )
        if (await conn.execute(clash.limit(1))).first() is not None:
            raise Conflict(
                "这个时段已有预订；未保存。请核对时间或先取消原预订。 The venue is booked then; nothing was kept.",
                code="booked",
            )
        await insert_many(
            conn,
            venue_bookings,
            [
                {
                    "id": made, "plan": venue["plan"], "area": venue["area"], "venue_id": venue_id,
                    "starts_at": body.starts_at, "ends_at": body.ends_at, "attendees": body.attendees,
                    "purpose": body.purpose,
                    "organiser": kit_rows.seal_contact(keys, made, name=body.organiser),
                    "organiser_token": kit_rows.person_token(
                        keys, "organiser", addresses.plain(body.organiser) if body.organiser else None
                    ),
                    "state": "booked", "created_at": now, "version": 1,
                }
            ],
        )  # fmt: skip
        await audit.record(conn, kit, caller, "venue.book", "venue", [venue_id], now)
    return made


async def cancel_booking(
    conn: AsyncConnection, caller: Caller, booking_id: UUID, version: int, now: datetime
) -> None:
    """Cancel a booking as its reader saw it. Raises NotFound, Outdated, Conflict."""
    b = venue_bookings.c
    found = (
        await conn.execute(select(venue_bookings).where(b.id == booking_id).with_for_update(key_share=True))
    ).mappings().one_or_none()  # fmt: skip
    if found is None or not kit_rows.may_write(caller, "venue.manage", found["plan"], found["area"]):
        raise NotFound("没有这个预订，或不在您的权限内。 No such booking within your reach.")
    kit_rows.same_version(found["version"], version)
    if found["state"] != "booked":
        raise Conflict("这个预订已取消或已检查。 It was cancelled or checked already.", code="not-booked")
    await conn.execute(update(venue_bookings).where(b.id == booking_id).values(state="cancelled", version=b.version + 1))
    await audit.record(conn, kit, caller, "venue.cancel", "venue", [found["venue_id"]], now)


async def check_venue(
    service: Service, caller: Caller, venue_id: UUID, body: VenueCheck, key: str, now: datetime
) -> dict[str, Any]:
    """Record a check; a finding opens a lead (D-A2) and tells scoring (D-Q1.5) in the same transaction."""
    finding = body.result == "finding"
    check_signs("venue", finding, body.signs)
    async with db.begin(service.engine) as conn:
        venue = await _place(conn, caller, venues, venue_id)
    plan = service.plans[venue["plan"]]
    draft = None
    if finding:
        place = f"{plan.area(venue['area']).name.zh}{venue['name']}"
        draft = draft_suspicion(
            service, caller, plan, where="venue", area=venue["area"], place=place, signs=body.signs, note=body.note
        )
    made = new_id()
    async with db.begin(service.engine) as conn:
        request = f"{venue_id}\n{body.model_dump_json()}".encode()
        known = await _known(conn, service, caller, "venue.check", key, request, made, now)
        if known is not None:
            row = (await conn.execute(select(venue_checks).where(venue_checks.c.id == known))).mappings().one()
            return dict(row)
        await _place(conn, caller, venues, venue_id, lock=True)
        if body.booking_id is not None:
            await _checked_booking(conn, venue_id, body.booking_id)
        tip_id, lead_id = await hand_on(conn, service, draft, now)
        row = {
            "id": made, "plan": venue["plan"], "area": venue["area"], "venue_id": venue_id,
            "booking_id": body.booking_id, "at": now, "actor": caller.actor, "agency": caller.agency,
            "result": body.result, "signs": list(dict.fromkeys(body.signs)), "tip_id": tip_id, "lead_id": lead_id,
        }  # fmt: skip
        await insert_many(conn, venue_checks, [row])
        v = venues.c
        await conn.execute(
            update(venues)
            .where(v.id == venue_id)
            .values(checked_at=now, findings=v.findings + int(finding), version=v.version + 1)
        )
        if finding:
            event = VenueFinding(
                plan=venue["plan"], area=venue["area"], check_id=made, venue_id=venue_id,
                booking_id=body.booking_id, lead_id=lead_id, agency=caller.agency or "", signs=tuple(row["signs"]),
                found_at=now, dataref=f"{service.settings.base_url('intake')}/v1/venues/{venue_id}",
            )  # fmt: skip
            await outbox.put(conn, kit.outbox, [event], now)
        await audit.record(conn, kit, caller, "venue.check", "venue", [venue_id], now, result=body.result)
    return row


async def _checked_booking(conn: AsyncConnection, venue_id: UUID, booking_id: UUID) -> None:
    b = venue_bookings.c
    changed = await conn.execute(
        update(venue_bookings)
        .where(b.id == booking_id, b.venue_id == venue_id, b.state != "cancelled")
        .values(state="checked", version=b.version + 1)
    )
    if not changed.rowcount:
        raise NotFound("这个场地没有这个预订，或已取消；未保存。 The venue has no such booking; nothing was kept.")
