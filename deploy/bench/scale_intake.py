"""Intake's part of `bench --scale`: tips with places, leads under their keys, parties of their cases, rental units, patrols.

The rows are made by the database itself, in the form in which the service writes them. Words stay sealed bytes that no
list opens.
"""

from __future__ import annotations

import os
from typing import Any

import asyncpg
import orjson

from deploy.bench import texts
from deploy.bench.scale import PLAN, Asker, Look, Room, row_id
from deploy.local.instance import Instance

ESTATES = 5_000
"""Estates at full size; a twentieth of the tips' number divided by ten when smaller."""
_NAMES = "翠金旗兴隆卓岐锦东明月桂松竹梅兰荷秀水石云霞枫柏银玉龙凤安宁康泰福禄寿喜春夏秋冬华新丽雅"
"""Estate names are three of these, so that two characters find some of them."""

_PARTS = f"""
    (ARRAY['dayong','nanwen','antang','lantian','qinggang','xingyong','shijing','quanlu','qifenghuan'])[1 + g % 9] AS town,
    substr('{_NAMES}', 1 + (g * 7919 % $3)::int % 46, 1) || substr('{_NAMES}', 1 + ((g * 7919 % $3) / 46)::int % 46, 1)
        || substr('{_NAMES}', 1 + ((g * 7919 % $3) / 2116)::int % 46, 1) AS root,
    (1 + g % 40) AS building, (100 * (2 + g / 40 % 28) + 1 + g / 1120 % 8) AS room,
    now() - interval '300 days' * (1 - g / $4::float8) AS at
"""


_LEAD, _TIP, _UNIT, _TASK = 1, 2, 3, 4
_FILL: tuple[str, ...] = (
    f"""
    INSERT INTO leads (id, plan, area, kinds, urgent, agency, unit, rule, received_at, tips, version, first_tip, last_at,
                       targets)
    SELECT {row_id(_LEAD, "g")}, '{PLAN}', 'dayong-' || town, '["headcount"]', g % 500 = 0,
        CASE WHEN g % 3 = 0 THEN 'commerce' ELSE 'police' END,
        CASE WHEN g % 3 = 0 THEN 'enforcement' ELSE 'economic_crime' END, 'headcount', at, 1, 1, {row_id(_TIP, "g")}, at,
        jsonb_build_array('place:' || root || '花园|' || building || '|||' || room)
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g WHERE g % 2 = 0) x
    """,
    f"""
    INSERT INTO tips (id, plan, channel, area, state, relevant, urgent, kinds, belongs_to, agency, unit, rule, lead_id,
                      narrative, lexicon, receipt_hash, received_at, version, reviewed_at)
    SELECT {row_id(_TIP, "g")}, '{PLAN}', (ARRAY['web','12345','110','message-board','hotline'])[1 + g % 5],
        'dayong-' || town, CASE WHEN g % 2 = 0 THEN 'lead' ELSE 'referred' END, g % 2 = 0, g % 500 = 0,
        CASE WHEN g % 2 = 0 THEN '["headcount"]' ELSE '[]' END::jsonb, CASE WHEN g % 2 = 1 THEN 'consumer' END,
        CASE WHEN g % 2 = 1 THEN NULL WHEN g % 3 = 0 THEN 'commerce' ELSE 'police' END,
        CASE WHEN g % 2 = 1 THEN NULL WHEN g % 3 = 0 THEN 'enforcement' ELSE 'economic_crime' END, 'headcount',
        CASE WHEN g % 2 = 0 THEN {row_id(_LEAD, "g")} END, decode(repeat(md5(g::text), 20), 'hex'), 'bench',
        decode(md5(g::text) || md5('r' || g), 'hex'), at, 1, CASE WHEN g % 200 <> 0 THEN at END
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g) x
    """,
    f"""
    INSERT INTO lead_targets (lead_id, key, plan, tips, seen_at)
    SELECT {row_id(_LEAD, "g")}, key, '{PLAN}', 1, at
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g WHERE g % 2 = 0) x,
        LATERAL (VALUES ('room:' || root || '花园/' || building || '/' || room),
                        ('inbuilding:' || root || '花园/' || building), ('inestate:' || root)) AS keys (key)
    """,
    f"""
    INSERT INTO target_names (plan, key, name)
    SELECT DISTINCT '{PLAN}', 'inestate:' || root, root || '花园'
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g) x
    ON CONFLICT DO NOTHING
    """,
    f"""
    INSERT INTO lead_parties (case_id, agency, lead_id, number, plan, area, urgent, unit, role, state, due, accepted_at,
                              in_time, seen_at)
    SELECT {row_id(_LEAD, "g")}, agency, {row_id(_LEAD, "g")}, '联字第' || g || '号', '{PLAN}', 'dayong-' || town,
        g % 500 = 0, NULL, role, CASE WHEN g % 100 = 0 THEN 'pending' ELSE 'accepted' END, at + interval '7 days',
        CASE WHEN g % 100 <> 0 THEN at END, CASE WHEN g % 100 <> 0 THEN true END, at
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g WHERE g % 2 = 0) x,
        (VALUES ('police', 'lead'), ('commerce', 'co')) AS parties (agency, role)
    """,
    f"""
    INSERT INTO handovers (id, number, matter_id, lead_id, plan, area, kinds, urgent, from_agency, to_agency, reason,
                           answer_reason, state, attempt, rule, article, certainty, calendar, start, due, provisional,
                           proposed_at, answered_at, answer_late_at, version, history)
    SELECT {row_id(5, "g")}, '转字第' || g || '号', {row_id(_LEAD, "g")}, {row_id(_LEAD, "g")}, '{PLAN}', 'dayong-' || town,
        '["headcount"]', false, 'police', 'commerce', 'not_ours', CASE WHEN g % 300 = 0 THEN 'not_ours' END,
        CASE WHEN g % 300 = 0 THEN 'refused' WHEN g % 700 = 0 THEN 'proposed' ELSE 'accepted' END, 1, 'handover',
        'bench', 'assumed', 'bench', at, at + interval '2 days', false, at, at,
        CASE WHEN g % 900 = 0 THEN at END, 1, '[]'
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g WHERE g % 100 = 0) x
    """,
    f"""
    INSERT INTO rental_units (id, plan, area, words, created_at, updated_at, version, address_key, estate, building, room,
                              tier, registration, state, occupants, due_from)
    SELECT {row_id(_UNIT, "g")}, '{PLAN}', 'dayong-' || town, root || '花园 ' || building || ' ' || room, at, at, 1,
        town || '|' || root || '|' || g, root || '花园', building::text, room::text,
        (ARRAY['trusted','ordinary','key'])[1 + g % 3], CASE WHEN g % 10 = 0 THEN 'unregistered' ELSE 'registered' END,
        'active', g % 6, current_date
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g WHERE g % 5 = 0) x
    """,
    f"""
    INSERT INTO patrol_tasks (id, plan, area, unit_id, estate, place, tier, agency, cause, state, starts, due, next_miss,
                              missed, attempts, created_at, version)
    SELECT {row_id(_TASK, "g")}, '{PLAN}', 'dayong-' || town, {row_id(_UNIT, "g")}, root || '花园', building || '栋' || room,
        'ordinary', 'rental_mgmt', 'tier', CASE WHEN g % 25 = 0 THEN 'overdue' ELSE 'open' END, current_date - 20,
        current_date + (g % 20)::int - 5, current_date + 20, 0, 0, at, 1
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g WHERE g % 15 = 0) x
    """,
    f"""
    INSERT INTO lead_verifications (lead_id, plan, causes, state, rule, article, certainty, calendar, start, due, provisional,
                                    marked_at, missed_at, version)
    SELECT {row_id(_LEAD, "g")}, '{PLAN}', '["tips"]', CASE WHEN g % 400 = 0 THEN 'missed' ELSE 'waiting' END, 'bench',
        'bench', 'assumed', 'bench', at, at + interval '3 days', false, at, CASE WHEN g % 400 = 0 THEN at END, 1
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g WHERE g % 200 = 0) x
    ON CONFLICT DO NOTHING
    """,
    f"""
    INSERT INTO trend_days (plan, day, area, kind, agency, unit, tips, urgent)
    SELECT '{PLAN}', (at AT TIME ZONE 'Asia/Shanghai')::date, 'dayong-' || town, kind,
        CASE WHEN g % 3 = 0 THEN 'commerce' ELSE 'police' END,
        CASE WHEN g % 3 = 0 THEN 'enforcement' ELSE 'economic_crime' END, count(*), count(*) FILTER (WHERE g % 500 = 0)
    FROM (SELECT g, {_PARTS} FROM generate_series($1::bigint, $2::bigint) g WHERE g % 2 = 0) x,
        (VALUES (''), ('headcount')) AS kinds (kind)
    GROUP BY 2, 3, 4, 5, 6
    ON CONFLICT (plan, day, area, kind, agency, unit)
        DO UPDATE SET tips = trend_days.tips + excluded.tips, urgent = trend_days.urgent + excluded.urgent
    """,
    f"""
    INSERT INTO trend_progress (plan, counted_until, looked_at) VALUES ('{PLAN}', current_date, now())
    ON CONFLICT (plan) DO UPDATE SET counted_until = current_date, looked_at = now()
    """,
)


LOOKS = (
    Look("tips, newest first", "office", "/v1/tips"),
    Look("tips of one channel", "office", "/v1/tips?channel=110"),
    Look("urgent tips", "police", "/v1/tips?urgent=true"),
    Look("tips of one agency", "police", "/v1/tips?state=lead"),
    Look("leads, newest first", "police", "/v1/leads"),
    Look("leads of one area", "police", "/v1/leads?area=dayong-antang"),
    Look("leads by two characters", "police", "/v1/leads?q=锦绣"),
    Look("leads by an estate's name", "police", "/v1/leads?q=翠金翠花园"),
    Look("one lead in full", "police", "/v1/leads/{lead}"),
    Look("trends by kind, half a year of weeks", "office", "/v1/trends"),
    Look("trends by community, months", "police", "/v1/trends?by=area&span=month"),
    Look("major leads to verify", "police", "/v1/verifications"),
    Look("major leads not verified in time", "police", "/v1/verifications?state=missed"),
    Look("acceptances that wait", "police", "/v1/acceptances"),
    Look("late acceptances", "police", "/v1/acceptances?late=true"),
    Look("handovers that wait", "office", "/v1/handovers?waiting=true"),
    Look("matters that were bounced", "office", "/v1/handovers/bounced"),
    Look("rental units", "rentals", "/v1/rentals"),
    Look("rental units by two characters", "rentals", "/v1/rentals?q=锦绣"),
    Look("rental units of a tier", "rentals", "/v1/rentals?tier=key"),
    Look("rental picture", "rentals", "/v1/rentals/picture"),
    Look("overdue patrols", "rentals", "/v1/patrols/tasks?state=overdue"),
    Look("patrol routes of a community", "rentals", "/v1/patrols/routes?area=dayong-antang"),
    Look("desk page", "police", "/desk"),
    Look("triage page", "police", "/triage"),
    Look("lead board page", "police", "/leads"),
    Look("lead page", "police", "/leads/{lead}"),
    Look("trends page", "office", "/trends"),
    Look("trends page by community", "office", "/trends?by=area&span=month"),
    Look("handover board page", "office", "/handovers"),
    Look("reward form of a lead", "office", "/rewards/new?lead={lead}"),
    Look("prevention page", "rentals", "/prevention"),
    Look("overdue patrols page", "rentals", "/patrol/overdue"),
)
_WHO: dict[str, dict[str, Any]] = {
    "office": {"agency": "commerce", "unit": "office", "posts": ("office-director",)},
    "police": {"agency": "police", "unit": "economic_crime", "posts": ("desk", "head")},
    "rentals": {"agency": "rental_mgmt", "unit": None, "posts": ("head", "desk")},
}


async def _fill(conn: asyncpg.Connection, _made: Instance, first: int, last: int, most: int) -> None:
    for statement in _FILL:
        values = (first, last, ESTATES, most)
        await conn.execute(statement, *(values if "$1" in statement else ()))


async def _named(conn: asyncpg.Connection) -> dict[str, str]:
    """The newest lead of the police, as they open it."""
    query = "SELECT id FROM leads WHERE agency = 'police' ORDER BY received_at DESC LIMIT 1"
    return {"lead": str(await conn.fetchval(query))}


async def _hand_in(ask: Asker) -> dict[str, dict[str, float]]:
    run, number = os.urandom(4).hex(), iter(range(10**6))
    headers = ask.headers("office") | {"content-type": "application/json"}

    def one() -> Any:
        n = next(number)
        body = orjson.dumps({"plan": PLAN, "channel": "hotline", **texts.tip(n)})
        return ask.http.post("/v1/tips", content=body, headers=headers | {"idempotency-key": f"scale-{run}-{n}"})

    return {"a tip, with its same-target look-up": await ask.timed(one)}


ROOM = Room("intake", "tips", 10_000, 1, _WHO, LOOKS, _fill, _named, _hand_in)
