"""A person met in a case is recorded; the same one met again is the same person (曾涉传); a role proves to be another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters import people
from services.casework.commands import reach
from services.casework.commands.basis import Basis
from services.casework.commands.recurring import landlord_again, person_again
from services.casework.domain import persons as domain
from services.casework.domain.persons import Identity, IdKind, PersonRefused, Role
from services.casework.queries.visibility import within_reach
from services.casework.schemas.persons import PersonBody, PersonChange, RoleBody
from services.casework.tables import case_persons, cases, dens, kit, person_phones, persons, places
from shared.events.persons import PersonRecorded, PersonRoleChanged
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound
from shared.rules.calendar import local_day


@dataclass(frozen=True, slots=True)
class Given:
    """A person's details, checked."""

    name: str
    who: Identity
    phones: tuple[str, ...]
    home_area: str | None


async def record_person(
    conn: AsyncConnection, basis: Basis, caller: Caller, case_id: UUID, body: PersonBody, claim: Claim, now: datetime
) -> tuple[UUID, bool]:
    """Record a person in a case; the id of their part, and whether the same request had made it before.

    Whoever has the same identity number, or the same name and a phone in common, is the same person: their record is
    added to, and that they were seen before is told. Raises `NotFound`, `Forbidden`, `Conflict` (already in this case,
    case closed), `Invalid` (checksum, dates, fields).
    """
    known = await reach.repeated(conn, claim, now)
    if known is not None:
        return known, True
    case = await reach.case_to_change(conn, caller, case_id, "person.record")
    try:
        domain.check_day("found_at", body.found_at, now, reach.law_from(basis, now))
        given = checked(body.name, body.id_kind, body.id_number, body.phones, body.home_area, now)
    except PersonRefused as error:
        raise reach.refused(error) from None
    await _place_of_case(conn, case_id, body.place_id)
    person_id, subject_id = await _same_or_new(conn, basis, given, now)
    members = await members_of(conn, subject_id)
    parts = (await conn.execute(select(case_persons).where(case_persons.c.person_id.in_(members)))).all()
    if here := next((part for part in parts if part.case_id == case_id), None):
        raise Conflict(
            "此人已在本案登记，请在原登记上补充；未保存任何内容。 "
            "This person is recorded in the case already: add to that entry; nothing was kept.",
            code="already-in-case",
            case_person_id=str(here.id),
        )
    earlier = {part.case_id for part in parts}
    record_rule, record_due = reach.due_by(basis, case.plan, "person_record", body.found_at)
    _, entry_due = reach.due_by(basis, case.plan, "person_entry", body.found_at)
    part = {
        "id": claim.object_id, "case_id": case_id, "person_id": person_id, "plan": case.plan, "area": case.area,
        "role": body.role.value, "role_since": local_day(body.found_at), "place_id": body.place_id,
        "agency": caller.agency, "unit": caller.unit, "found_at": body.found_at, "recorded_at": now,
        "recorded_by": caller.actor, "record_due": record_due, "late": now > record_due, "seen_before": len(earlier),
        "entry_due": entry_due, "version": 1,
        "history": [reach.line(1, now, "recorded", caller, role=body.role.value)],
    }  # fmt: skip
    await insert_many(conn, case_persons, [part])
    told: list[Any] = [
        PersonRecorded(
            **_of(case, caller), part_id=claim.object_id, known_id=subject_id, role=body.role.value,
            found_at=body.found_at, recorded_at=now, rule=record_rule, due=record_due, in_time=now <= record_due,
            seen_before=len(earlier), dataref=basis.dataref(case_id),
        )
    ]  # fmt: skip
    if earlier:
        last = max(part.found_at for part in parts)
        told += await person_again(conn, basis, caller, case, part | {"subject_id": subject_id}, len(earlier), last, now)
    if body.role is Role.LANDLORD and body.place_id is not None:
        await conn.execute(
            update(places)
            .where(places.c.id == body.place_id)
            .values(landlord_id=person_id, updated_at=now, version=places.c.version + 1)
        )
        told += await landlord_again(conn, basis, case, body.place_id, body.found_at, now)
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(
        conn, kit, caller, "person.record", "case_person", [claim.object_id, person_id], now,
        case_id=str(case_id), role=body.role.value, seen_before=len(earlier),
    )  # fmt: skip
    return claim.object_id, False


def _of(case: Any, caller: Caller) -> dict[str, Any]:
    return {
        "case_id": case.id, "plan": case.plan, "area": case.area, "agency": caller.agency or "", "unit": caller.unit,
    }  # fmt: skip


def checked(
    name: str, id_kind: IdKind, id_number: str | None, phones: Sequence[str], area: str | None, now: datetime
) -> Given:
    """Details that hold. Raises `PersonRefused`."""
    who = domain.identity(id_kind, id_number, local_day(now))
    if not domain.plain(name):
        raise PersonRefused("name", "name-missing", "请填写姓名；不详可填“无名氏”加特征编号。", "Give a name.")
    numbers = tuple(dict.fromkeys(domain.phone(one) for one in phones))
    return Given(name, who, numbers, domain.home_area(area, who))


async def _place_of_case(conn: AsyncConnection, case_id: UUID, place_id: UUID | None) -> None:
    if place_id is None:
        return
    query = select(dens.c.id).where(dens.c.case_id == case_id, dens.c.place_id == place_id)
    if (await conn.execute(query)).first() is None:
        raise reach.wrong(
            "place_id", "place-not-in-case", "本案没有登记这个场所，请先登记场所。",
            "This place is not recorded in the case: record it first.",
        )  # fmt: skip


async def members_of(conn: AsyncConnection, subject_id: UUID) -> list[UUID]:
    """All records that are this person now."""
    return list((await conn.execute(select(persons.c.id).where(persons.c.subject_id == subject_id))).scalars())


async def _same_or_new(conn: AsyncConnection, basis: Basis, given: Given, now: datetime) -> tuple[UUID, UUID]:
    """The record that this person has (added to by what is new), else a new one: its id, and who it is now."""
    keys = basis.keys
    token, name = people.id_token(keys, given.who), people.name_token(keys, given.name)
    phone_tokens = [people.phone_token(keys, one) for one in given.phones]
    for lock in sorted({int.from_bytes(one[:8], "big", signed=True) for one in (token, *phone_tokens) if one}):
        # two officers who meet the same person at one moment make one record
        await conn.execute(select(func.pg_advisory_xact_lock(lock)))
    row = None
    if token is not None:
        row = (await conn.execute(select(persons).where(persons.c.id_token == token).with_for_update())).one_or_none()
    if row is None and name is not None and phone_tokens:
        row = (
            await conn.execute(
                select(persons)
                .join(person_phones, person_phones.c.person_id == persons.c.id)
                .where(
                    person_phones.c.token.in_(phone_tokens),
                    persons.c.name_token == name,
                    persons.c.id_token.is_(None) if token is not None else persons.c.id.is_not(None),
                )
                .order_by(persons.c.id_token.is_(None), persons.c.id)
                .limit(1)
                .with_for_update(of=persons)
            )
        ).one_or_none()
    if row is None:
        made = new_id()
        await save_details(
            conn, basis, made, {"name": given.name, "aliases": [], "phones": list(given.phones)}, given.who,
            given.home_area, now, subject_id=made,
        )  # fmt: skip
        return made, made
    await add_to(conn, basis, row, given, now)
    return row.id, row.subject_id


async def add_to(conn: AsyncConnection, basis: Basis, row: Any, given: Given, now: datetime) -> None:
    """What is new about a known person is added to the record; nothing of it is lost."""
    details = people.opened(basis.keys, row.id, row.details)
    before = dict(details)
    if domain.plain(given.name) not in {domain.plain(one) for one in (details["name"], *details["aliases"])}:
        details["aliases"] = [*details["aliases"], given.name]
    details["phones"] = list(dict.fromkeys([*details["phones"], *given.phones]))
    who = given.who if given.who.number and row.id_token is None else None
    area = row.home_area or given.home_area
    if details != before or who is not None or area != row.home_area:
        await save_details(conn, basis, row.id, details, who, area, now, row=row)


async def save_details(
    conn: AsyncConnection, basis: Basis, person_id: UUID, details: dict[str, Any], who: Identity | None,
    area: str | None, now: datetime, *, subject_id: UUID | None = None, row: Any = None,
) -> None:  # fmt: skip
    """Write a person's record: sealed, with its tokens. `who` None leaves the document as it is."""
    keys = basis.keys
    if who is not None:
        details = details | {"id_kind": who.kind.value, "id_number": who.number}
    names = [details["name"], *details["aliases"]]
    values: dict[str, Any] = {
        "details": people.seal(keys, person_id, details),
        "name_token": people.name_token(keys, details["name"]),
        "name_grams": people.gram_tokens(keys, "name", names),
        "home_area": area,
        "updated_at": now,
    }
    if who is not None:
        values |= {"id_kind": who.kind.value, "id_token": people.id_token(keys, who)}
    if row is None:
        await conn.execute(
            insert(persons).values(id=person_id, subject_id=subject_id, created_at=now, version=1, **values)
        )
    else:
        await conn.execute(
            update(persons).where(persons.c.id == person_id).values(version=persons.c.version + 1, **values)
        )
    await conn.execute(delete(person_phones).where(person_phones.c.person_id == person_id))
    await insert_many(
        conn, person_phones,
        [{"token": people.phone_token(keys, one), "person_id": person_id} for one in details["phones"]],
    )  # fmt: skip


async def correct_person(
    conn: AsyncConnection, basis: Basis, caller: Caller, person_id: UUID, change: PersonChange, version: int,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Correct a person's details as their reader saw them.

    Raises `NotFound`, `Outdated`, `Invalid`, or `Conflict` (another record has that identity number: merge them).
    """
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    row = await person_to_change(conn, caller, person_id, "person.record")
    reach.same_version(row, version)
    details = people.opened(basis.keys, person_id, row.details)
    try:
        given = checked(
            change.name or details["name"],
            change.id_kind or IdKind(row.id_kind),
            change.id_number if change.id_kind or change.id_number else details.get("id_number"),
            details["phones"] if change.phones is None else change.phones,
            change.home_area or row.home_area,
            now,
        )
    except PersonRefused as error:
        raise reach.refused(error) from None
    token = people.id_token(basis.keys, given.who)
    await free_number(conn, token, person_id)
    if domain.plain(given.name) != domain.plain(details["name"]):
        details["aliases"] = list(dict.fromkeys([*details["aliases"], details["name"]]))
    details = details | {"name": given.name, "phones": list(given.phones)}
    await save_details(conn, basis, person_id, details, given.who, given.home_area, now, row=row)
    fields = sorted(name for name, value in change.model_dump().items() if value is not None)
    await audit.record(conn, kit, caller, "person.correct", "person", [person_id], now, fields=fields)
    return person_id


async def free_number(conn: AsyncConnection, token: bytes | None, person_id: UUID) -> None:
    """Raises `Conflict` when another record has this identity number."""
    if token is None:
        return
    await conn.execute(select(func.pg_advisory_xact_lock(int.from_bytes(token[:8], "big", signed=True))))
    other = await conn.scalar(select(persons.c.id).where(persons.c.id_token == token, persons.c.id != person_id))
    if other is not None:
        raise Conflict(
            "这个证件号码已登记在另一人名下；如是同一人，请合并两条记录。未保存任何内容。 "
            "Another record has this number; if they are one person, merge the records. Nothing was kept.",
            code="number-taken",
            person_id=str(other),
        )


async def person_to_change(conn: AsyncConnection, caller: Caller, person_id: UUID, right: str) -> Any:
    """A person of whom some part stands in a case within the caller's reach of the right, locked. Raises `NotFound`."""
    row = (await conn.execute(select(persons).where(persons.c.id == person_id).with_for_update())).one_or_none()
    if row is not None:
        seen = (
            select(case_persons.c.id)
            .join(cases, cases.c.id == case_persons.c.case_id)
            .join(persons, persons.c.id == case_persons.c.person_id)
            .where(persons.c.subject_id == row.subject_id, within_reach(caller, right))
            .limit(1)
        )
        if (await conn.execute(seen)).first() is not None:
            return row
    raise NotFound("没有这个人员，或不在您的权限内。 No such person within your reach.", code="person-not-found")


async def change_role(
    conn: AsyncConnection, basis: Basis, caller: Caller, part_id: UUID, body: RoleBody, version: int, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """A person's role proved to be another one; the former stays in the history. Raises as `reach.part_to_change`."""
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    part, case = await reach.part_to_change(conn, caller, case_persons, part_id, "person.record", version)
    if part.role == body.role.value:
        raise Conflict("此人已是这个角色；未作更改。 The person has this role; nothing was changed.", code="same-role")
    if not reach.law_from(basis, now) <= body.since <= local_day(now):
        raise reach.wrong(
            "since", "bad-day", "日期应在《禁止传销条例》施行之后、今天之前。", "The day lies before the law or ahead."
        )
    await change_part(
        conn, part, {"role": body.role.value, "role_since": body.since},
        reach.line(part.version + 1, now, "role", caller, before=part.role, role=body.role.value, since=body.since),
    )  # fmt: skip
    event = PersonRoleChanged(
        **_of(case, caller), part_id=part_id, before=part.role, role=body.role.value, changed_at=now
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(
        conn, kit, caller, "person.role", "case_person", [part_id], now, before=part.role, role=body.role.value
    )
    return part_id


async def change_part(conn: AsyncConnection, part: Any, values: dict[str, Any], told: dict[str, Any]) -> None:
    """A person's part in a case with its next version, and what made it."""
    await conn.execute(
        update(case_persons)
        .where(case_persons.c.id == part.id)
        .values(
            **values, version=part.version + 1, history=case_persons.c.history.op("||")(literal([told], JSONB))
        )
    )
