"""Items of evidence come in (收集、登记): described, numbered within the case, with the officers the law asks for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters.evidence_words import sealed
from services.casework.commands.evidence.chain import Note, line
from services.casework.commands.evidence.room import EvidenceRoom, no_case, taken_before, wrong
from services.casework.domain.custody import BEGINNING
from services.casework.domain.evidence import ItemState, bases, distinct_officers
from services.casework.queries.evidence import criminal_side
from services.casework.queries.visibility import within_reach
from services.casework.schemas.evidence import EvidenceIn
from services.casework.tables import cases, evidence_custody, evidence_items, kit
from shared.events.casework_evidence import EvidenceReceived
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import Forbidden
from shared.rules.calendar import local_day
from shared.rules.law import LawBook, LimitInForce

OFFICERS_RULE = "prohibition.officers"
_AHEAD = timedelta(minutes=5)
"""A phone's clock may be ahead of ours by so much."""


def officers_rule(law: LawBook, at: datetime) -> LimitInForce:
    """How many officers have to collect (条例15), by the law of that day."""
    return law.in_force(OFFICERS_RULE, local_day(at))


def check(law: LawBook, body: EvidenceIn, now: datetime) -> int:
    """How many different officers collected it. Raises `Invalid`: too few, the basis of another track, a later day."""
    if body.collected_at > now + _AHEAD:
        raise wrong("collected-later", "收集时间不能晚于现在", "It cannot have been collected later than now", "collected_at")
    basis = bases().get(body.basis)
    if basis is None or body.track not in basis.tracks:
        raise wrong(
            "wrong-basis", "法律依据与收集程序（行政、刑事）不符", "The legal basis is not one of this track", "basis"
        )
    rule = officers_rule(law, body.collected_at).limit
    named, needed = distinct_officers([one.number for one in body.officers]), int(rule.at_least or 0)
    if named < needed:
        raise wrong(
            "too-few-officers",
            f"{rule.instrument}{rule.article}要求收集人员不少于 {needed} 人，现填 {named} 人",
            f"At least {needed} officers have to collect evidence ({rule.instrument}{rule.article}); {named} named",
            "officers",
        )
    return named


async def register(
    conn: AsyncConnection, room: EvidenceRoom, caller: Caller, case_id: UUID, body: EvidenceIn, claim: Claim, now: datetime
) -> UUID:
    """Register an item; its number is the next of its case, and its custody chain begins.

    Raises `NotFound` (no such case in reach), `Forbidden` (the criminal track without the right to it), `Invalid` or
    `Conflict` (the key was used for another request).
    """
    if (known := await taken_before(conn, claim, now)) is not None:
        return known
    criminal = exists().where(cases.c.id == case_id, criminal_side(caller))
    query = select(cases, criminal.label("criminal")).where(cases.c.id == case_id, within_reach(caller, "evidence.manage"))
    # one item of a case at a time: its number is decided under this lock
    case = (await conn.execute(query.with_for_update(key_share=True, of=cases))).one_or_none()
    if case is None or caller.agency is None:
        raise no_case()
    if body.track == "criminal" and not case.criminal:
        raise Forbidden(
            "刑事程序的证据须有刑事案件权限才能登记；未保存任何内容。 "
            "Evidence of the criminal track needs the right to it; nothing was kept.",
            code="criminal-track",
        )
    officers = check(room.basis.law, body, now)
    last = (await conn.execute(select(func.max(evidence_items.c.number)).where(evidence_items.c.case_id == case_id))).scalar()
    said = body.model_dump(
        mode="json",
        include={"title", "description", "features", "quantity", "measure", "collected_where", "owner", "kept_where", "officers"},
    )
    item: dict[str, Any] = {
        "id": claim.object_id,
        "case_id": case_id,
        "proceeding_id": body.proceeding_id,
        "number": (last or 0) + 1,
        "kind": body.kind,
        "track": body.track,
        "basis": body.basis,
        "collected_at": body.collected_at,
        "received_at": now,
        "officers": officers,
        "particulars": sealed(room.keys, claim.object_id, said),
        "person_id": body.person_id,
        "place_id": body.place_id,
        "agency": caller.agency,
        "unit": caller.unit,
        "holder_agency": caller.agency,
        "holder_unit": caller.unit,
        "holder_external": False,
        "state": ItemState.HELD.value,
        "files": 0,
        "version": 1,
    }
    note = Note(
        _Fresh(claim.object_id),
        "received",
        {"number": item["number"], "kind": body.kind, "track": body.track, "basis": body.basis, "officers": officers},
        {"title": body.title, "kept_where": body.kept_where, "officers": "、".join(f"{o.name}（{o.number}）" for o in body.officers)},
    )
    entry, row = line(room.keys, caller, note, now)
    await insert_many(conn, evidence_items, [item | {"custody_length": 1, "custody_head": entry.hash()}])
    await insert_many(conn, evidence_custody, [row])
    event = EvidenceReceived(
        case_id=case_id, plan=case.plan, area=case.area, urgent=case.urgent, item_id=item["id"], kind=body.kind,
        track=body.track, agency=caller.agency, unit=caller.unit, items=item["number"], collected_at=body.collected_at,
        received_at=now, dataref=f"{room.basis.address}/v1/evidence/{item['id']}",
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(
        conn, kit, caller, "evidence.receive", "evidence", [item["id"]], now, kind=body.kind, track=body.track
    )
    return item["id"]


class _Fresh:
    """An item before its row: an empty chain."""

    custody_length, custody_head = 0, BEGINNING

    def __init__(self, item_id: UUID) -> None:
        self.id = item_id
