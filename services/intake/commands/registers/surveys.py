"""Survey rounds (摸底排查): opened per community and estate, counted by visits and by hand, closed (X-D1a, X-D9)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.registers import rows as kit_rows
from services.intake.domain.registers.surveys import Progress, progress, total
from services.intake.schemas.registers import PartReport, SurveyIn
from services.intake.tables import kit, survey_parts, survey_rounds
from shared.events.intake import SurveyRoundClosed, SurveyRoundProgress
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

_PARTS = text(
    """
    SELECT u.area, u.estate_id, coalesce(e.name, '') AS estate, sum(u.n)::int AS n
    FROM (
        SELECT area, estate_id, count(*) AS n FROM rental_units
        WHERE plan = :plan AND area = ANY(:areas) AND state = 'active' GROUP BY area, estate_id
        UNION ALL SELECT area, id, 0 FROM estates WHERE plan = :plan AND area = ANY(:areas)
        UNION ALL SELECT area, NULL, 0 FROM unnest(CAST(:areas AS text[])) AS area
    ) u LEFT JOIN estates e ON e.id = u.estate_id
    GROUP BY 1, 2, 3
    """
)

_COUNT = text(
    """
    WITH added AS (
        INSERT INTO survey_visits (round_id, unit_id, part_id, at)
        SELECT r.id, u.id, p.id, :at
        FROM rental_units u
        JOIN survey_rounds r ON r.plan = u.plan AND r.state = 'open' AND r.first <= :day
        JOIN survey_parts p ON p.round_id = r.id AND p.area = u.area AND p.estate_id IS NOT DISTINCT FROM u.estate_id
        WHERE u.id = :unit
        ON CONFLICT DO NOTHING
        RETURNING part_id
    )
    UPDATE survey_parts p SET visited = p.visited + 1, found = p.found + :found, updated_at = :now,
        version = p.version + 1
    FROM added WHERE p.id = added.part_id
    RETURNING p.round_id, p.area, p.target, p.visited, p.counted, p.done
    """
)


async def open_round(
    conn: AsyncConnection, service: Service, caller: Caller, plan: Plan, body: SurveyIn, now: datetime, round_id: UUID
) -> None:
    """Open a round over communities: a part an estate and one for the rest, its target the units let today."""
    reach = caller.reach("survey.manage")
    if reach != "all" and caller.plan != plan.id:
        raise Forbidden("只能在本方案内开展排查。 A round can only be opened under your own plan.", code="other-plan")
    first, due = _day(body.first, "first"), _day(body.due, "due")
    if due < first:
        raise _wrong("due", "before_first", "截止日早于开始日 / ends before it begins")
    named = [kit_rows.community(plan, area) for area in body.areas] or [area.id for area in plan.communities]
    if None in named:
        raise _wrong("areas", "unknown_area", "方案中没有这个社区 / the plan has no such community")
    areas = sorted({area for area in named if area})
    for area in areas:
        if not kit_rows.may_write(caller, "survey.manage", plan.id, area):
            raise Forbidden("有社区不在您的职责范围内。 A community is not yours to survey.", code="other-area")
    made = round_id
    await insert_many(
        conn,
        survey_rounds,
        [
            {
                "id": made, "plan": plan.id, "title": body.title, "first": first, "due": due, "state": "open",
                "created_at": now, "version": 1,
            }
        ],
    )  # fmt: skip
    parts = (await conn.execute(_PARTS, {"plan": plan.id, "areas": areas})).all()
    await insert_many(
        conn,
        survey_parts,
        [
            {
                "id": new_id(), "plan": plan.id, "area": part.area, "round_id": made, "estate_id": part.estate_id,
                "estate": part.estate, "target": part.n, "visited": 0, "counted": 0, "found": 0, "done": False,
                "updated_at": now, "version": 1,
            }
            for part in parts
        ],
    )  # fmt: skip
    await audit.record(conn, kit, caller, "survey.open", "survey", [made], now, parts=len(parts))
    await _tell(conn, service, made, areas, now)


def _day(words: str, field: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise _wrong(field, "no_such_day", "没有这一天 / there is no such day") from None


def _wrong(field: str, code: str, message: str) -> Invalid:
    return Invalid(
        f"请改正后重新提交；未保存任何内容（{message}）。 Correct it and send again; nothing was kept.",
        errors=[{"field": field, "code": code, "message": message}],
    )


async def report_part(
    conn: AsyncConnection, service: Service, caller: Caller, part_id: UUID, body: PartReport, version: int, now: datetime
) -> Any:
    """Add what a team did by hand in one part, as its reader saw it. Raises NotFound, Outdated, Conflict, Forbidden."""
    p = survey_parts.c
    part = (
        await conn.execute(select(survey_parts).where(p.id == part_id).with_for_update(key_share=True))
    ).mappings().one_or_none()  # fmt: skip
    if part is None or not kit_rows.may_write(caller, "survey.read", part["plan"], part["area"]):
        raise NotFound("没有这项排查，或不在您的权限内。 No such survey within your reach.")
    if not any(kit_rows.may_write(caller, right, part["plan"], part["area"]) for right in ("survey.manage", "patrol.do")):
        kit_rows.demand(caller, "survey.manage", part["plan"], part["area"])
    kit_rows.same_version(part["version"], version)
    await _open(conn, part["round_id"])
    changed = await conn.execute(
        update(survey_parts)
        .where(p.id == part_id)
        .values(
            counted=p.counted + body.counted,
            found=p.found + body.found,
            target=p.target if body.target is None else body.target,
            done=p.done if body.done is None else body.done,
            updated_at=now,
            version=p.version + 1,
        )
        .returning(survey_parts)
    )
    await audit.record(
        conn, kit, caller, "survey.report", "survey-part", [part_id], now, counted=body.counted, found=body.found
    )
    await _tell(conn, service, part["round_id"], [part["area"]], now)
    return changed.mappings().one()


async def _open(conn: AsyncConnection, round_id: UUID) -> Any:
    found = (
        await conn.execute(select(survey_rounds).where(survey_rounds.c.id == round_id).with_for_update(read=True))
    ).mappings().one()  # fmt: skip
    if found["state"] != "open":
        raise Conflict(
            "这轮排查已结束，数字不再变动；如需补充，请另开一轮。 This round is closed; open another to add to it.",
            code="round-closed",
        )
    return found


async def count_visits(
    conn: AsyncConnection, service: Service, unit_id: UUID, found: bool, at: datetime, now: datetime
) -> None:
    """Count a visited unit once in each open round; a part that is thereby done is told of."""
    counted = await conn.execute(
        _COUNT, {"unit": unit_id, "at": at, "day": local_day(at), "found": int(found), "now": now}
    )
    finished: dict[UUID, set[str]] = defaultdict(set)
    for part in counted:
        if part.target and part.visited + part.counted == part.target and not part.done:
            finished[part.round_id].add(part.area)
    for round_id, areas in finished.items():
        await _tell(conn, service, round_id, areas, now)


async def close_round(
    conn: AsyncConnection, service: Service, caller: Caller, round_id: UUID, version: int, now: datetime
) -> None:
    """End a round; its figures no longer move. Raises NotFound, Outdated, Conflict."""
    r = survey_rounds.c
    found = (
        await conn.execute(select(survey_rounds).where(r.id == round_id).with_for_update(key_share=True))
    ).mappings().one_or_none()  # fmt: skip
    reach = caller.reach("survey.manage")
    if found is None or not (reach == "all" or (reach == "plan" and caller.plan == found["plan"])):
        raise NotFound("没有这轮排查，或不在您的权限内。 No such survey round within your reach.")
    kit_rows.same_version(found["version"], version)
    if found["state"] != "open":
        raise Conflict("这轮排查已经结束。 This round is closed already.", code="round-closed")
    await conn.execute(
        update(survey_rounds).where(r.id == round_id).values(state="closed", closed_at=now, version=r.version + 1)
    )
    areas = await by_area(conn, round_id)
    events = [
        SurveyRoundClosed(
            plan=found["plan"], area=area, round_id=round_id, target=made.target, reached=made.reached,
            found=made.found, done=made.done, due=found["due"], closed_at=now, dataref=_dataref(service, round_id),
        )
        for area, made in sorted(areas.items())
    ]  # fmt: skip
    await outbox.put(conn, kit.outbox, events, now)
    await audit.record(conn, kit, caller, "survey.close", "survey", [round_id], now)


async def by_area(conn: AsyncConnection, round_id: UUID) -> dict[str, Progress]:
    """A round's progress in each of its communities."""
    parts: dict[str, list[Progress]] = defaultdict(list)
    for row in await conn.execute(select(survey_parts).where(survey_parts.c.round_id == round_id)):
        if row.estate_id is not None or row.target or row.counted or row.done:
            parts[row.area].append(progress(row.target, row.visited, row.counted, row.found, row.done))
        else:
            parts[row.area]
    return {area: total(made) for area, made in parts.items()}


def _dataref(service: Service, round_id: UUID) -> str:
    return f"{service.settings.base_url('intake')}/v1/surveys/{round_id}"


async def _tell(conn: AsyncConnection, service: Service, round_id: UUID, areas: Iterable[str], now: datetime) -> None:
    found = (await conn.execute(select(survey_rounds).where(survey_rounds.c.id == round_id))).one()
    made = await by_area(conn, round_id)
    events = [
        SurveyRoundProgress(
            plan=found.plan, area=area, round_id=round_id, target=made[area].target, reached=made[area].reached,
            found=made[area].found, done=made[area].done, due=found.due, at=now, dataref=_dataref(service, round_id),
        )
        for area in sorted(areas)
        if area in made
    ]  # fmt: skip
    await outbox.put(conn, kit.outbox, events, now)
