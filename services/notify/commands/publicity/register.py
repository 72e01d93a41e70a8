"""The publicity log (宣传报道, X-D2) and the exposures by media and superiors (曝光, D-Q1.3): entered, corrected, withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.publicity.parts import PublicityRoom, check_version, not_possible, repeated, wrong
from services.notify.domain.publicity.states import ENTRIES, Entry, EntryAct, NotPossible, after
from services.notify.queries.publicity.present import SEALED_BY
from services.notify.queries.publicity.reach import within
from services.notify.tables import exposures, kit, publicity_log
from shared.events.publicity import ExposureRecorded, ExposureWithdrawn
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import NotFound
from shared.rules.plan import Plan

EXPOSED = "D-Q1.3"
"""The clause a plan's assessment names for what is exposed, where it names none."""

Register = Literal["log", "exposure"]
_TABLES: Mapping[Register, Table] = {"log": publicity_log, "exposure": exposures}
_RIGHTS: Mapping[Register, str] = {"log": "publicity.log", "exposure": "publicity.expose"}


def _check(plan: Plan, words: Mapping[str, Any], now: datetime) -> None:
    bad = []
    if words.get("area") is not None and words["area"] not in {area.id for area in plan.areas}:
        bad.append(("area", "unknown-area", "方案里没有这个地区", "the plan has no such area"))
    if words["agency"] not in {agency.id for agency in plan.members}:
        bad.append(("agency", "unknown-agency", "方案里没有这个单位", "the plan has no such agency"))
    happened, own = words.get("happened_at"), words.get("own_found_at")
    if happened is not None and happened > now:
        bad.append(("happened_at", "in-the-future", "时间不能晚于现在", "the time lies ahead"))
    if words.get("found_before") and (own is None or own >= happened):
        bad.append(
            ("own_found_at", "not-before", "自己发现的时间要写，且早于曝光", "say when it was found here, before the exposure")
        )
    if words.get("source") == "media" and words.get("medium") is None:
        bad.append(("medium", "medium-missing", "请写媒体种类", "say what medium it was"))
    if bad:
        raise wrong(bad)


def _columns(room: PublicityRoom, entry_id: UUID, words: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(words)
    if "summary" in values:
        values["summary"] = room.settings.keys.seal(SEALED_BY, entry_id.bytes, values["summary"].encode())
        values["grounds"] = list(values["grounds"])
        if not values["found_before"]:
            values["own_found_at"] = None
        if values["source"] == "superior":
            values["medium"] = None
    return values


async def enter(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, which: Register, entry_id: UUID, words: Mapping[str, Any],
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Enter something. Raises `Invalid` with what is wrong."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    plan = room.plan_of(caller)
    _check(plan, words, now)
    row = _columns(room, entry_id, words) | {
        "id": entry_id, "plan": plan.id, "state": Entry.STANDING.value, "created_at": now, "created_by": caller.actor,
        "changed_at": now, "version": 1,
    }  # fmt: skip
    await insert_many(conn, _TABLES[which], [row])
    if which == "exposure":
        await _told(conn, room, plan, row, now)
    await audit.record(conn, kit, caller, f"{which}.entered", which, [entry_id], now)
    return entry_id


async def locked(conn: AsyncConnection, caller: Caller, which: Register, entry_id: UUID) -> Any:
    """An entry that the caller may change, locked. Raises `NotFound`."""
    table = _TABLES[which]
    mine = (table.c.id == entry_id) & within(caller, _RIGHTS[which], table)
    row = (await conn.execute(select(table).where(mine).with_for_update())).one_or_none()
    if row is None:
        raise no_entry()
    return row


def no_entry() -> NotFound:
    """No such entry for this caller."""
    return NotFound("没有这条登记，或不归您办。 No such entry, or not yours.", code="entry-not-found")


async def correct(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, which: Register, entry_id: UUID, version: int,
    words: Mapping[str, Any], claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Correct an entry; what it said stays in the audit log's versions. Raises `NotFound`, `Outdated`, `Conflict`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    row = await locked(conn, caller, which, entry_id)
    check_version(row, version)
    _state(row, EntryAct.CORRECT)
    plan = room.plan(row.plan)
    _check(plan, words, now)
    changed = await _change(conn, _TABLES[which], row, _columns(room, entry_id, words), now)
    if which == "exposure":
        await _told(conn, room, plan, changed._mapping, now)
    await audit.record(conn, kit, caller, f"{which}.corrected", which, [entry_id], now, version=row.version + 1)
    return entry_id


async def withdraw(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, which: Register, entry_id: UUID, version: int, reason: str,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Withdraw an entry made by mistake. Raises as `correct`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    row = await locked(conn, caller, which, entry_id)
    check_version(row, version)
    changed = await _change(conn, _TABLES[which], row, {"state": _state(row, EntryAct.WITHDRAW), "reason": reason}, now)
    if which == "exposure":
        event = ExposureWithdrawn(
            **_facts(room, room.plan(row.plan), changed._mapping), reason=reason, withdrawn_at=now  # type: ignore[arg-type]
        )
        await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, f"{which}.withdrawn", which, [entry_id], now, reason=reason)
    return entry_id


def _state(row: Any, action: EntryAct) -> str:
    try:
        return after(ENTRIES, Entry(row.state), action).value
    except NotPossible:
        raise not_possible(row.state, action.value) from None


async def _change(conn: AsyncConnection, table: Table, row: Any, values: Mapping[str, Any], now: datetime) -> Any:
    change = update(table).where(table.c.id == row.id).values(**values, changed_at=now, version=row.version + 1)
    return (await conn.execute(change.returning(table))).one()


def _facts(room: PublicityRoom, plan: Plan, row: Mapping[str, Any]) -> dict[str, Any]:
    conditions = plan.scoring.assessment.conditions if plan.scoring.assessment else ()
    clause = next((one.clause for one in conditions if one.clause == EXPOSED), None)
    return {
        "plan": row["plan"], "area": row["area"], "agency": row["agency"], "unit": None,
        "clause": clause or plan.publicity.clause or EXPOSED, "dataref": room.address(f"exposures/{row['id']}"),
        "exposure_id": row["id"], "version": row["version"],
    }  # fmt: skip


async def _told(conn: AsyncConnection, room: PublicityRoom, plan: Plan, row: Mapping[str, Any], now: datetime) -> None:
    same = (
        "source", "medium", "level", "found_before", "own_found_at", "lead_id", "case_id", "proceeding_id", "happened_at",
    )  # fmt: skip
    event = ExposureRecorded(
        **_facts(room, plan, row), **{name: row.get(name) for name in same}, grounds=tuple(row["grounds"]), recorded_at=now
    )
    await outbox.put(conn, kit.outbox, [event], now)
