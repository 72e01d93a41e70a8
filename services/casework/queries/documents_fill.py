"""What a draft is filled with from its case: numbers, names of agencies, dates, persons, evidence, what was sealed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters import evidence_words, people
from services.casework.domain.documents.kinds import OFFICE, DocumentField, Kind
from services.casework.domain.documents.values import limit_day
from services.casework.queries.evidence import seen
from services.casework.queries.visibility import within_reach
from services.casework.tables import case_parties, case_persons, cases, dens, evidence_items, kit, persons, places
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.rules.calendar import SHANGHAI, local_day
from shared.rules.law import LawBook
from shared.rules.plan import Plan
from shared.rules.plan.vocabulary import KIND_NAMES


@dataclass(frozen=True, slots=True)
class Filling:
    """What the sources read from."""

    conn: AsyncConnection
    caller: Caller
    case: Any
    plan: Plan
    law: LawBook
    keys: KeyRing
    issuer: str
    now: datetime
    person_id: UUID | None = None

    async def may(self, right: str) -> bool:
        """Whether the caller holds a right on this case: a draft tells nobody more than they may read."""
        query = select(cases.c.id).where(cases.c.id == self.case.id, within_reach(self.caller, right))
        return await self.conn.scalar(query) is not None


Source = Callable[[Filling, str, DocumentField], Awaitable[Any]]


async def fill(filling: Filling, kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the fields of a kind that name a source and are not given; those without an answer are left out."""
    found: dict[str, Any] = {}
    for field in kind.fields:
        if field.source is None or field.id in given:
            continue
        name, _, detail = field.source.partition(":")
        value = await SOURCES[name](filling, detail, field)
        if value not in (None, "", []):
            found[field.id] = value
    return found


def issuer_name(plan: Plan, issuer: str) -> str:
    """An issuer's name as documents print it."""
    return plan.office_body.name.zh if issuer == OFFICE else plan.agency(issuer).name.zh


async def _number(filling: Filling, _: str, __: DocumentField) -> Any:
    return filling.case.number


async def _area(filling: Filling, _: str, __: DocumentField) -> Any:
    try:
        return filling.plan.area(filling.case.area).name.zh if filling.case.area else filling.plan.areas[0].name.zh
    except KeyError:
        return filling.case.area


def _moment(moment: datetime, field: DocumentField) -> str:
    return moment.astimezone(SHANGHAI).isoformat() if field.type == "datetime" else local_day(moment).isoformat()


async def _received(filling: Filling, _: str, field: DocumentField) -> Any:
    return _moment(filling.case.received_at, field)


async def _opened(filling: Filling, _: str, field: DocumentField) -> Any:
    return _moment(filling.case.opened_at, field)


async def _now(filling: Filling, _: str, field: DocumentField) -> Any:
    return _moment(filling.now, field)


async def _kinds(filling: Filling, _: str, __: DocumentField) -> Any:
    return "、".join(KIND_NAMES[one][0] for one in filling.case.kinds if one in KIND_NAMES)


async def _agencies(filling: Filling) -> list[Any]:
    query = select(case_parties).where(
        case_parties.c.case_id == filling.case.id, case_parties.c.state.in_(("pending", "accepted"))
    )
    order = {"lead": 0, "co": 1, "coordinator": 2}
    return sorted((await filling.conn.execute(query)).all(), key=lambda row: (order[row.role], row.agency))


async def _parties(filling: Filling, _: str, __: DocumentField) -> Any:
    return "、".join(issuer_name(filling.plan, row.agency) for row in await _agencies(filling))


async def _lead(filling: Filling, _: str, __: DocumentField) -> Any:
    return next((issuer_name(filling.plan, row.agency) for row in await _agencies(filling) if row.role == "lead"), None)


async def _issuer(filling: Filling, _: str, __: DocumentField) -> Any:
    return issuer_name(filling.plan, filling.issuer)


async def _unit(filling: Filling, _: str, __: DocumentField) -> Any:
    unit = filling.plan.agency(filling.caller.agency or "").unit(filling.caller.unit or "")
    return unit.name.zh if unit else None


async def _office(filling: Filling, _: str, __: DocumentField) -> Any:
    return issuer_name(filling.plan, OFFICE)


def _of_kind(kind: str) -> Source:
    async def agency(filling: Filling, _: str, __: DocumentField) -> Any:
        return next((one.name.zh for one in filling.plan.agencies if one.kind == kind), None)

    return agency


async def _limit(filling: Filling, rule: str, _: DocumentField) -> Any:
    last = limit_day(rule, local_day(filling.now), filling.plan, filling.law)
    return last[0].isoformat() if last else None


async def _person(filling: Filling, detail: str, field: DocumentField) -> Any:
    """The person the draft is about, or the only one of the case; for those who may read persons."""
    if not await filling.may("person.read"):
        return None
    c = case_persons.c
    query = select(c.id, persons.c.id.label("record"), persons.c.details).join(persons, persons.c.id == c.person_id)
    query = query.where(c.case_id == filling.case.id)
    if filling.person_id is not None:
        query = query.where(c.id == filling.person_id)
    found = (await filling.conn.execute(query.limit(2))).all()
    if len(found) != 1:
        return None
    said = people.opened(filling.keys, found[0].record, found[0].details)
    if field.id == "party":
        await audit.record(filling.conn, kit, filling.caller, "person.read", "person", [found[0].id], filling.now)
    return {"name": said.get("name"), "id": said.get("id_number"), "phone": "、".join(said.get("phones") or ())}[detail]


async def _evidence(filling: Filling, detail: str, field: DocumentField) -> Any:
    """Items of evidence as far as the caller may read them; `detail`: of one kind alone."""
    query = (
        select(evidence_items).join(cases, cases.c.id == evidence_items.c.case_id)
        .where(evidence_items.c.case_id == filling.case.id, seen(filling.caller, "evidence.read"))
        .order_by(evidence_items.c.number).limit(200)
    )  # fmt: skip
    if detail:
        query = query.where(evidence_items.c.kind == detail)
    found = (await filling.conn.execute(query)).all()
    if found:
        ids = [row.id for row in found]
        await audit.record(filling.conn, kit, filling.caller, "evidence.read", "evidence", ids, filling.now)
    columns = {column.id for column in field.columns}
    rows = []
    for row in found:
        said = evidence_words.opened(filling.keys, row.id, row.particulars)
        told = {
            "name": said.get("title"),
            "spec": said.get("features"),
            "count": f"{said['quantity']}{said['measure']}",
            "place": said.get("kept_where"),
            "note": f"证据{row.number}号",
        }
        rows.append({name: str(value)[:300] for name, value in told.items() if value and name in columns})
    return rows


async def _place(filling: Filling, _: str, __: DocumentField) -> Any:
    """The address of the case's den, where there is exactly one and the caller may read places."""
    if not await filling.may("place.read"):
        return None
    query = select(places.c.id, places.c.details).join(dens, dens.c.place_id == places.c.id)
    found = (await filling.conn.execute(query.where(dens.c.case_id == filling.case.id).limit(2))).all()
    if len(found) != 1:
        return None
    await audit.record(filling.conn, kit, filling.caller, "place.read", "place", [found[0].id], filling.now)
    return people.opened(filling.keys, found[0].id, found[0].details)["address"]


SOURCES: dict[str, Source] = {
    "case.number": _number,
    "case.area": _area,
    "case.received": _received,
    "case.opened": _opened,
    "case.kinds": _kinds,
    "case.parties": _parties,
    "case.lead": _lead,
    "issuer.name": _issuer,
    "issuer.unit": _unit,
    "office.name": _office,
    "agency.police": _of_kind("police"),
    "agency.commerce": _of_kind("commerce"),
    "agency.procuratorate": _of_kind("procuratorate"),
    "agency.court": _of_kind("court"),
    "agency.telecom": _of_kind("telecom"),
    "today": _now,
    "now": _now,
    "limit": _limit,
    "persons": _person,
    "evidence": _evidence,
    "places": _place,
}
"""Every source a kind may name."""


