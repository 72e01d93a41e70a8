"""Places found used in a case: found, cleared, sealed; known once, so that one that comes back is seen (死灰复燃)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters import people
from services.casework.commands import reach
from services.casework.commands.basis import Basis
from services.casework.commands.persons import person_to_change
from services.casework.commands.recurring import landlord_again, place_again
from services.casework.domain import persons as persons_domain
from services.casework.domain import places as domain
from services.casework.domain.persons import PersonRefused
from services.casework.domain.places import DenAction, DenState, PlaceRefused, RevisitState
from services.casework.queries.visibility import within_reach
from services.casework.schemas.places import DenBody, DenStep, LandlordBody
from services.casework.tables import cases, dens, kit, places, registered_places, revisits
from shared.events.casework import DenFound
from shared.events.places import DenCleared, DenRecorded, DenSealed
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound
from shared.rules.calendar import local_day


async def record_den(
    conn: AsyncConnection, basis: Basis, caller: Caller, case_id: UUID, body: DenBody, claim: Claim, now: datetime
) -> tuple[UUID, bool]:
    """Record a place found in a case (X-D7a); the den's id, and whether the same request had made it before.

    The place is the one with that registered id, else with that address in that area. Intake is told of a registered
    one, which becomes the strictest tier and is patrolled again (D-E2). Raises `NotFound`, `Forbidden`, `Conflict`
    (in this case already), `Invalid`.
    """
    known = await reach.repeated(conn, claim, now)
    if known is not None:
        return known, True
    case = await reach.case_to_change(conn, caller, case_id, "place.record")
    try:
        persons_domain.check_day("found_at", body.found_at, now, reach.law_from(basis, now))
    except PersonRefused as error:
        raise reach.refused(error) from None
    area = await _area(conn, basis, case, body)
    place = await _same_or_new(conn, basis, case, area, body, now)
    here = await conn.scalar(select(dens.c.id).where(dens.c.case_id == case_id, dens.c.place_id == place.id))
    if here is not None:
        raise Conflict(
            "这个场所已在本案登记；未保存任何内容。 The place is recorded in this case already; nothing was kept.",
            code="already-in-case",
            den_id=str(here),
        )
    again = place.cleared_at is not None and body.found_at > place.cleared_at
    den = {
        "id": claim.object_id, "place_id": place.id, "case_id": case_id, "plan": case.plan, "area": place.area,
        "state": DenState.FOUND.value, "agency": caller.agency, "unit": caller.unit, "found_at": body.found_at,
        "officers": body.officers, "persons": body.persons, "again": again, "recorded_at": now,
        "recorded_by": caller.actor, "version": 1, "history": [reach.line(1, now, "found", caller, on=body.found_at)],
    }  # fmt: skip
    await insert_many(conn, dens, [den])
    told: list[Any] = [
        DenRecorded(
            **_of(basis, case, place), den_id=claim.object_id, registered_id=place.registered_id,
            agency=caller.agency or "", unit=caller.unit, officers=body.officers, people=body.persons, again=again,
            found_at=body.found_at, recorded_at=now,
        )
    ]  # fmt: skip
    if place.registered_id is not None:
        told.append(
            DenFound(
                case_id=case_id, plan=case.plan, area=place.area, urgent=case.urgent, den_id=claim.object_id,
                place_id=place.registered_id, found_at=body.found_at, dataref=basis.dataref(case_id),
            )
        )  # fmt: skip
    if again:
        told += await place_again(conn, basis, case, place, "case", body.found_at, now)
        await _drop_revisits(conn, place.id)
    told += await landlord_again(conn, basis, case, place.id, body.found_at, now)
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(
        conn, kit, caller, "den.record", "den", [claim.object_id, place.id], now, case_id=str(case_id), again=again
    )
    return claim.object_id, False


def _of(basis: Basis, case: Any, place: Any) -> dict[str, Any]:
    return {
        "case_id": case.id, "plan": case.plan, "area": place.area, "place_id": place.id, "kind": place.kind,
        "dataref": basis.dataref(case.id),
    }  # fmt: skip


async def _area(conn: AsyncConnection, basis: Basis, case: Any, body: DenBody) -> str | None:
    """The place's area: that of its register, as given, or the case's."""
    area = body.area or case.area
    if area is not None and basis.plan(case.plan).area_of(area) != area:
        raise reach.wrong("area", "unknown-area", "方案里没有这个地区。", "The plan has no such area.")
    if body.registered_id is None:
        return area
    r = registered_places.c
    row = (
        await conn.execute(select(registered_places).where(r.id == body.registered_id, r.plan == case.plan))
    ).one_or_none()
    if row is None:
        raise reach.wrong(
            "registered_id", "unknown-registered-place",
            "登记册里没有这个编号（或登记尚未传到，请稍后再试）；也可以先不填，按地址登记。",
            "The registers have no such id (or it has not come yet: try again shortly); or leave it out.",
        )  # fmt: skip
    if body.area is not None and body.area != row.area:
        raise reach.wrong(
            "area", "other-area", "登记册里这个场所在另一社区，请核对编号。", "The register has this place in another area."
        )
    return row.area


async def _same_or_new(
    conn: AsyncConnection, basis: Basis, case: Any, area: str | None, body: DenBody, now: datetime
) -> Any:
    """The place known by its registered id or its address, else a new one; locked."""
    key = domain.address_key(body.kind, body.address)
    # a site stands in no community
    token = people.address_token(basis.keys, "" if body.kind is domain.PlaceKind.SITE else area or "", key)
    await conn.execute(select(func.pg_advisory_xact_lock(int.from_bytes(token[:8], "big", signed=True))))
    p = places.c
    row = None
    if body.registered_id is not None:
        row = (
            await conn.execute(select(places).where(p.registered_id == body.registered_id).with_for_update())
        ).one_or_none()
    if row is None:
        row = (
            await conn.execute(
                select(places).where(p.plan == case.plan, p.address_token == token).with_for_update()
            )
        ).one_or_none()
        if row is not None and body.registered_id is not None:
            if row.registered_id is not None:
                raise reach.wrong(
                    "registered_id", "other-registered-place", "这个地址已对应登记册里的另一编号，请核对。",
                    "This address belongs to another entry of the registers: check the id.",
                )  # fmt: skip
            await conn.execute(
                update(places)
                .where(p.id == row.id)
                .values(registered_id=body.registered_id, area=area, updated_at=now, version=p.version + 1)
            )
            return (await conn.execute(select(places).where(p.id == row.id))).one()
    if row is not None:
        return row
    made = new_id()
    await conn.execute(
        insert(places).values(
            id=made, plan=case.plan, area=area, kind=body.kind.value,
            details=people.seal(basis.keys, made, {"address": body.address}), address_token=token,
            grams=people.gram_tokens(basis.keys, "address", [key]), registered_id=body.registered_id, again=0,
            created_at=now, updated_at=now, version=1,
        )
    )  # fmt: skip
    return (await conn.execute(select(places).where(p.id == made))).one()


async def _drop_revisits(conn: AsyncConnection, place_id: UUID) -> None:
    open_ = (RevisitState.OPEN.value, RevisitState.OVERDUE.value)
    r = revisits.c
    await conn.execute(
        update(revisits)
        .where(r.place_id == place_id, r.state.in_(open_))
        .values(state=RevisitState.DROPPED.value, version=r.version + 1)
    )


async def den_step(
    conn: AsyncConnection, basis: Basis, caller: Caller, den_id: UUID, body: DenStep, version: int, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Clear, seal or unseal a den. Clearing plans its revisits on the plan's days (X-D9).

    Raises as `reach.part_to_change`, `Conflict` for a step that its state does not allow, `Invalid` for its time.
    """
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    den, case = await reach.part_to_change(conn, caller, dens, den_id, "place.record", version)
    try:
        persons_domain.check_day("at", body.at, now, reach.law_from(basis, now))
        after = domain.next_den_state(DenState(den.state), DenAction(body.step))
    except PersonRefused as error:
        raise reach.refused(error) from None
    except PlaceRefused:
        raise Conflict(
            "这个场所的当前状态不能做这一步；未作更改。 The den's state does not allow this step; nothing was changed.",
            code="not-possible-now",
            state=den.state,
        ) from None
    if body.at < den.found_at:
        raise reach.wrong("at", "before-found", "时间早于发现时间，请核对。", "The time lies before the den was found.")
    place = (await conn.execute(select(places).where(places.c.id == den.place_id).with_for_update())).one()
    values: dict[str, Any] = {"state": after.value}
    told: list[Any]
    own = _of(basis, case, place) | {"den_id": den_id, "agency": caller.agency or "", "unit": caller.unit}
    if body.step == "clear":
        values["cleared_at"] = body.at
        told = [DenCleared(**own, officers=body.officers, found_at=den.found_at, cleared_at=body.at)]
        await conn.execute(
            update(places)
            .where(places.c.id == place.id)
            .values(
                cleared_at=func.greatest(func.coalesce(places.c.cleared_at, body.at), body.at), updated_at=now,
                version=places.c.version + 1,
            )
        )  # fmt: skip
        await _plan_revisits(conn, basis, caller, case, den, place, body.at)
    else:
        told = [DenSealed(**own, sealed=body.step == "seal", at=body.at)]
    told_line = reach.line(den.version + 1, now, body.step, caller, on=body.at, officers=body.officers)
    await conn.execute(
        update(dens)
        .where(dens.c.id == den_id)
        .values(**values, version=den.version + 1, history=dens.c.history.op("||")(literal([told_line], JSONB)))
    )
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(conn, kit, caller, f"den.{body.step}", "den", [den_id], now, case_id=str(den.case_id))
    return den_id


async def _plan_revisits(
    conn: AsyncConnection, basis: Basis, caller: Caller, case: Any, den: Any, place: Any, at: datetime
) -> None:
    plan = basis.plan(case.plan)
    community = next(
        (agency.id for agency in plan.members if agency.kind == "community" and agency.area == place.area), None
    )
    # a site is looked at by who cleared it; so is a place in no community
    agency = den.agency if community is None or place.kind == "site" else community
    days = domain.revisit_days(local_day(at), plan.revisits.after_days)
    await insert_many(
        conn, revisits,
        [
            {
                "id": new_id(), "den_id": den.id, "place_id": place.id, "case_id": case.id, "plan": case.plan,
                "area": place.area, "agency": agency, "number": number, "due": due, "state": RevisitState.OPEN.value,
                "version": 1,
            }
            for number, due in enumerate(days, 1)
        ],
    )  # fmt: skip


async def set_landlord(
    conn: AsyncConnection, basis: Basis, caller: Caller, place_id: UUID, body: LandlordBody, version: int, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Say who let a place; a landlord whose other place was cleared before is told of. Raises `NotFound`, `Outdated`."""
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    place = await place_to_change(conn, caller, place_id)
    reach.same_version(place, version)
    if body.person_id is not None:
        await person_to_change(conn, caller, body.person_id, "person.read")
    p = places.c
    await conn.execute(
        update(places).where(p.id == place_id).values(landlord_id=body.person_id, updated_at=now, version=p.version + 1)
    )
    found = (
        await conn.execute(
            select(cases, dens.c.found_at)
            .join(dens, dens.c.case_id == cases.c.id)
            .where(dens.c.place_id == place_id)
            .order_by(dens.c.found_at.desc())
            .limit(1)
        )
    ).one()
    told = await landlord_again(conn, basis, found, place_id, found.found_at, now)
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(conn, kit, caller, "place.landlord", "place", [place_id], now, person_id=str(body.person_id))
    return place_id


async def place_to_change(conn: AsyncConnection, caller: Caller, place_id: UUID) -> Any:
    """A place found in some case within the caller's reach of `place.record`, locked. Raises `NotFound`."""
    seen = (
        select(dens.c.id)
        .join(cases, cases.c.id == dens.c.case_id)
        .where(dens.c.place_id == place_id, within_reach(caller, "place.record"))
        .limit(1)
    )
    if (await conn.execute(seen)).first() is None:
        raise NotFound("没有这个场所，或不在您的权限内。 No such place within your reach.", code="place-not-found")
    return (await conn.execute(select(places).where(places.c.id == place_id).with_for_update())).one()
