"""Results entered on the scene (现场战果)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.operations.common import held, sealed
from services.casework.commands.proceedings.refusals import refusing
from services.casework.commands.proceedings.results import started
from services.casework.commands.reach import repeated
from services.casework.domain.operations import ON_THE_SCENE, Entry, check_entry
from services.casework.tables import kit, operation_entries, operation_forces
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound

_e = operation_entries.c


@dataclass(frozen=True, slots=True)
class Result:
    """What somebody on the scene enters. Ids of dens, places and persons are of those registers; words are sealed."""

    kind: str
    at: datetime
    counts: Mapping[str, int] = field(default_factory=dict)
    force_id: UUID | None = None
    area: str | None = None
    place: str | None = None
    note: str | None = None
    den_id: UUID | None = None
    place_id: UUID | None = None
    person_ids: tuple[UUID, ...] = ()


async def add_entry(
    conn: AsyncConnection, basis: Basis, caller: Caller, operation_id: UUID, wanted: Result, *, claim: Claim, now: datetime
) -> UUID:  # fmt: skip
    """Keep a result; the same key again (a phone that sends twice) is the same entry.

    Raises `NotFound`, `Forbidden` (not of a force of the operation), `Conflict` (not now, or what cannot be).
    """
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    row = await held(conn, caller, operation_id)
    f = operation_forces.c
    forces = {
        one.id: one.agency
        for one in await conn.execute(
            select(f.id, f.agency).where(f.proceeding_id == operation_id, f.withdrawn_at.is_(None))
        )
    }
    if caller.agency != row.agency and caller.agency not in forces.values():
        raise Forbidden(
            "只有参加行动的单位录入战果；未保存。 Results are entered by those who take part; nothing was kept.",
            code="not-taking-part",
        )
    if wanted.force_id is not None and wanted.force_id not in forces:
        raise Invalid("没有这支力量；未保存。 There is no such force; nothing was kept.", code="force-not-found")
    plan = basis.plan(row.plan)
    if wanted.area is not None and wanted.area not in {area.id for area in plan.areas}:
        raise Invalid("方案中没有这个地区；未保存。 The plan has no such area; nothing was kept.", code="unknown-area")
    placed = bool(wanted.place or wanted.place_id or wanted.den_id)
    entry = Entry(wanted.kind, wanted.at, wanted.counts, wanted.force_id is not None, placed)
    with refusing():
        check_entry(entry, row.state, await started(conn, operation_id), now)
    await insert_many(
        conn,
        operation_entries,
        [
            {
                "id": claim.object_id, "proceeding_id": operation_id, "kind": wanted.kind, "at": wanted.at,
                "force_id": wanted.force_id, "area": wanted.area,
                "counts": {name: number for name, number in wanted.counts.items() if number},
                "den_id": wanted.den_id, "place_id": wanted.place_id,
                "person_ids": [str(one) for one in wanted.person_ids],
                "words": sealed(basis, operation_id, {"place": wanted.place, "note": wanted.note}),
                "agency": caller.agency, "unit": caller.unit, "principal": caller.id, "recorded_at": now,
                "withdrawn_at": None, "withdrawn_by": None,
            }
        ],
    )  # fmt: skip
    await audit.record(
        conn, kit, caller, "operation.entry", "proceeding", [operation_id], now, entry=str(claim.object_id),
        kind=wanted.kind,
    )  # fmt: skip
    return claim.object_id


async def withdraw_entry(
    conn: AsyncConnection, caller: Caller, operation_id: UUID, entry_id: UUID, *, claim: Claim, now: datetime
) -> None:
    """Take a wrong entry out of the figures; it stays on record. By its agency or the one that leads the operation."""
    if await repeated(conn, claim, now) is not None:
        return
    row = await held(conn, caller, operation_id)
    query = select(operation_entries).where(_e.id == entry_id, _e.proceeding_id == operation_id)
    entry = (await conn.execute(query.with_for_update())).one_or_none()
    if entry is None:
        raise NotFound("没有这条记录。 There is no such entry.", code="entry-not-found")
    if caller.agency not in (entry.agency, row.agency):
        raise Forbidden(
            "只能撤回本单位录入的记录；未变动。 Only your own agency's entries can be withdrawn; nothing was changed.",
            code="not-yours",
        )
    if row.state not in ON_THE_SCENE or entry.withdrawn_at is not None:
        raise Conflict(
            "战果已上报或这条记录已撤回；未变动。 The results are reported, or the entry was withdrawn; nothing was changed.",
            code="entry-final", state=row.state,
        )  # fmt: skip
    await conn.execute(
        update(operation_entries).where(_e.id == entry_id).values(withdrawn_at=now, withdrawn_by=caller.actor)
    )
    await audit.record(
        conn, kit, caller, "operation.entry.withdraw", "proceeding", [operation_id], now, entry=str(entry_id)
    )
