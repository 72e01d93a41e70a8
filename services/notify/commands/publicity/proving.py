"""A scheduled thing is proved, its proof returned, or it is waived: by whom, when, with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.publicity import telling
from services.notify.commands.publicity.parts import PublicityRoom, check_version, not_possible, repeated, wrong
from services.notify.commands.publicity.scheduling import facts
from services.notify.domain.publicity import proofs
from services.notify.domain.publicity.states import ITEMS, Item, ItemAct, NotPossible, after
from services.notify.queries.publicity.reach import within
from services.notify.tables import (
    campaign_items,
    campaign_records,
    kept_files,
    kit,
    publicity_materials,
)
from shared.events.publicity import CampaignDone, CampaignReturned, CampaignWaived
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import NotFound
from shared.rules.calendar import end_of_day, local_day
from shared.rules.plan import Plan

MOST_AT_ONCE = 100
i, r = campaign_items.c, campaign_records.c


@dataclass(frozen=True, slots=True)
class Proved:
    """What an officer tells of things done. Without a day each was done on the last day of its round, or today."""

    done_on: date | None = None
    reached: int | None = None
    figures: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    link: str = ""
    note: str = ""
    material_id: UUID | None = None


async def locked(conn: AsyncConnection, caller: Caller, right: str, ids: Sequence[UUID]) -> list[Any]:
    """Items on which the caller holds a right, locked, in the order of their rounds. Raises `NotFound`."""
    mine = select(campaign_items).where(i.id.in_(ids), within(caller, right, campaign_items))
    rows = (await conn.execute(mine.order_by(i.first_day, i.id).with_for_update())).all()
    if len(rows) != len(set(ids)):
        raise no_item()
    return list(rows)


def no_item() -> NotFound:
    """No such thing for this caller."""
    return NotFound("没有这项宣传任务，或不归您办。 No such scheduled thing, or not yours.", code="campaign-item-not-found")


def _after(row: Any, action: ItemAct) -> str:
    try:
        return after(ITEMS, Item(row.state), action).value
    except NotPossible:
        raise not_possible(row.state, action.value) from None


async def prove(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, items: Mapping[UUID, int], told: Proved, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Prove things of one campaign and target (`items`: id → version read); the id of the first.

    The files are those of the first item. Raises `NotFound`, `Outdated`, `Conflict` (not open), `Invalid` with all that
    is missing or wrong.
    """
    first = min(items)
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    rows = await locked(conn, caller, "publicity.do", list(items))
    for row in rows:
        check_version(row, items[row.id])
        _after(row, ItemAct.PROVE)
    plan = room.plan(rows[0].plan)
    if len({(row.campaign, row.target) for row in rows}) != 1:
        raise wrong([("items", "not-one-campaign", "一次只能报同一项宣传、同一处的", "only things of one campaign and place go together")])
    campaign = plan.publicity.campaign(rows[0].campaign)
    if campaign is None:
        raise not_possible("dropped", ItemAct.PROVE.value)
    kind, today = plan.publicity.kind(campaign.kind), local_day(now)
    material = await _material(conn, plan, kind.material, rows[0], told.material_id)
    photos, documents = await _files(conn, [row.id for row in rows])
    found: list[proofs.Wrong] = []
    days = {row.id: told.done_on or min(row.last_day, today) for row in rows}
    for row in rows:
        what = proofs.Told(
            days[row.id], photos, documents, told.link, told.reached, told.figures, told.groups, kind.material
        )
        found += proofs.check(plan.publicity, kind, what, row.first_day, today)
    if found:
        raise wrong(list(dict.fromkeys((one.field, one.code, one.zh, one.en) for one in found)))
    await _record(conn, room, caller, rows, days, told, material, now)
    return first


async def _record(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, rows: Sequence[Any], days: Mapping[UUID, date],
    told: Proved, material: int | None, now: datetime,
) -> None:  # fmt: skip
    events = []
    for row in rows:
        late = now > row.due or days[row.id] > row.last_day
        made = {
            "id": new_id(), "item_id": row.id, "done_on": days[row.id], "reached": told.reached,
            "figures": dict(told.figures), "groups": list(told.groups), "link": told.link, "note": told.note,
            "material_id": told.material_id, "material_version": material, "late": late, "state": "standing",
            "recorded_at": now, "recorded_by": caller.actor,
        }  # fmt: skip
        await insert_many(conn, campaign_records, [made])
        await conn.execute(
            update(campaign_items)
            .where(i.id == row.id)
            .values(
                state=_after(row, ItemAct.PROVE), late=late, done_on=made["done_on"], reached=told.reached,
                record_id=made["id"], version=row.version + 1, changed_at=now,
            )
        )
        done = min(now, end_of_day(days[row.id]))
        events.append(
            CampaignDone(
                **facts(room, row), late=late and row.counts, reached=told.reached, done_at=done, recorded_at=now
            )
        )
    await outbox.put(conn, kit.outbox, events, now)
    await telling.settled(conn, rows, now)
    await audit.record(conn, kit, caller, "campaign.proved", "campaign_item", [row.id for row in rows], now)


async def _files(conn: AsyncConnection, ids: Sequence[UUID]) -> tuple[int, int]:
    """Photos and documents that came for these items since their last proof was returned."""
    returned = select(func.max(r.returned_at)).where(r.item_id == kept_files.c.owner_id).scalar_subquery()
    query = (
        select(kept_files.c.kind, func.count())
        .where(kept_files.c.owner_id.in_(ids), (returned.is_(None)) | (kept_files.c.received_at > returned))
        .group_by(kept_files.c.kind)
    )
    counts = {row[0]: row[1] for row in await conn.execute(query)}
    return counts.get("image", 0), sum(number for kind, number in counts.items() if kind != "image")


async def _material(
    conn: AsyncConnection, plan: Plan, kind: str | None, item: Any, material_id: UUID | None
) -> int | None:
    """The version in use of the material that was spread; None where none is named."""
    if material_id is None:
        return None
    m = publicity_materials.c
    row = (await conn.execute(select(publicity_materials).where(m.id == material_id, m.plan == plan.id))).one_or_none()
    if row is None or row.current == 0 or row.state == "withdrawn":
        raise wrong([("material_id", "no-material", "没有这份在用的宣传材料", "there is no such material in use")])
    if kind is not None and row.kind != kind:
        raise wrong([("material_id", "other-material", "这类宣传用不了这种材料", "this campaign does not spread that kind of material")])
    if row.areas and item.area and not any(plan.within(item.area, area) for area in row.areas):
        raise wrong([("material_id", "other-area", "这份材料不是给这个地区的", "that material is for other areas")])
    return int(row.current)


async def give_back(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, item_id: UUID, version: int, reason: str, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Return a proof that proves nothing: the thing is open again. Raises as `prove`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    [row] = await locked(conn, caller, "publicity.manage", [item_id])
    check_version(row, version)
    state = _after(row, ItemAct.RETURN)
    await conn.execute(
        update(campaign_records)
        .where(r.id == row.record_id)
        .values(state="returned", reason=reason, returned_at=now, returned_by=caller.actor)
    )
    cleared = {"late": None, "done_on": None, "reached": None, "record_id": None}
    await _change(conn, row, now, state=state, **cleared)
    await outbox.put(conn, kit.outbox, [CampaignReturned(**facts(room, row), returned_at=now)], now)
    await telling.returned(conn, room, row, now)
    await audit.record(conn, kit, caller, "campaign.returned", "campaign_item", [item_id], now)
    return item_id


async def waive(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, item_id: UUID, version: int, reason: str, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """No longer ask for it, with a reason: a school closed, a market gone. Raises as `prove`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    [row] = await locked(conn, caller, "publicity.manage", [item_id])
    check_version(row, version)
    await _change(conn, row, now, state=_after(row, ItemAct.WAIVE), reason=reason)
    await outbox.put(conn, kit.outbox, [CampaignWaived(**facts(room, row), waived_at=now)], now)
    await telling.settled(conn, [row], now)
    await audit.record(conn, kit, caller, "campaign.waived", "campaign_item", [item_id], now)
    return item_id


async def restore(
    conn: AsyncConnection, caller: Caller, item_id: UUID, version: int, claim: Claim, now: datetime
) -> UUID:
    """Ask for it again after all. Raises as `prove`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    [row] = await locked(conn, caller, "publicity.manage", [item_id])
    check_version(row, version)
    await _change(conn, row, now, state=_after(row, ItemAct.RESTORE), reason=None)
    await audit.record(conn, kit, caller, "campaign.restored", "campaign_item", [item_id], now)
    return item_id


async def _change(conn: AsyncConnection, row: Any, now: datetime, **values: Any) -> None:
    changed = update(campaign_items).where(i.id == row.id)
    await conn.execute(changed.values(**values, version=row.version + 1, changed_at=now))


__all__ = ["MOST_AT_ONCE", "Proved", "give_back", "locked", "no_item", "prove", "restore", "waive"]
