"""Casework's part of `bench --scale`: cases with parties, clocks and proceedings, five persons a case, places found in them.

Cases and what hangs on them are made by the database itself. Persons and places are sealed and tokenised by the
service's own code under the instance's keys, so that lists open real words and searches find them by real tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg

from deploy.bench.scale import PLAN, Look, Room, row_id
from deploy.local.instance import Instance
from services.casework.adapters import people
from services.casework.domain.persons import Identity, IdKind
from services.casework.domain.places import PlaceKind, address_key
from shared.kit.crypto import KeyRing

PERSONS = 5
"""Persons a case."""
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红飞鹏建国文辉力志永健世广义兴良海山仁波宁贵福生龙元全"
_ESTATES = "翠金旗兴隆卓岐锦东明月桂松竹梅兰荷秀水石云霞枫柏银玉龙凤安宁康泰福禄寿喜春夏秋冬华新丽雅"
_AREAS = ("dayong", "nanwen", "antang", "lantian", "qinggang", "xingyong", "shijing", "quanlu", "qifenghuan")
_ROLES = ("organiser", "backbone", "participant", "participant", "deceived", "deceived", "landlord", "facilitator")
_SPAN = timedelta(days=700)

_CASE, _LEAD, _CLOCK, _TRACK, _TRACK_CLOCK = 1, 2, 3, 4, 5
_SMALL = 10_000
_AT = f"""now() - interval '700 days'
    * (1 - CASE WHEN g <= {_SMALL} THEN g / {_SMALL}.0 ELSE (g - {_SMALL}) / ($3::bigint - {_SMALL}.0) END) AS at"""
"""Both sizes cover the same time, so that figures of a year count the same share of either."""
_TOWN = f"(ARRAY[{', '.join(repr('dayong-' + one) for one in _AREAS)}])[1 + g % {len(_AREAS)}]"
_OPEN, _NEW = "g % 20 = 0", "g % 100 = 0"
"""One case in twenty is still open; one in a hundred waits for the police to accept it, half of those too late."""
_CLOCK_WORDS = "'《禁止传销条例》第六条', 'T', 'hour', 24, false, 'bench', at, at + interval '1 day', false, ''"
_CLOCK_COLUMNS = """id, case_id, proceeding_id, agency, unit, kind, rule, article, certainty, clock_unit, amount, rolls, calendar, start,
    due, provisional, basis_reason, state, met_at, missed_at, suspensions, extensions, history, version"""
_FILL: tuple[str, ...] = (
    f"""
    INSERT INTO cases (id, number, plan, area, lead_id, kinds, urgent, state, received_at, opened_at, version, missed,
                       history, outcome, closed_at, closed_by)
    SELECT {row_id(_CASE, "g")}, '联字第' || g || '号', '{PLAN}', {_TOWN}, {row_id(_LEAD, "g")},
        CASE g % 4 WHEN 0 THEN '["headcount", "entry_fee"]' WHEN 1 THEN '["confinement"]' ELSE '["headcount"]' END::jsonb,
        g % 50 = 0, CASE WHEN {_NEW} THEN 'opened' WHEN {_OPEN} THEN 'accepted' ELSE 'closed' END, at, at, 2,
        CASE WHEN g % 200 = 0 THEN 1 ELSE 0 END, '[]', CASE WHEN NOT {_OPEN} THEN 'confirmed' END,
        CASE WHEN NOT {_OPEN} THEN at + interval '60 days' END, CASE WHEN NOT {_OPEN} THEN 'officer:bench' END
    FROM (SELECT g, {_AT} FROM generate_series($1::bigint, $2::bigint) g) x
    """,
    f"""
    INSERT INTO case_parties (case_id, agency, unit, units, role, state, accepted_at, accepted_by)
    SELECT {row_id(_CASE, "g")}, agency, unit, jsonb_build_array(unit), role,
        CASE WHEN {_NEW} AND agency = 'police' THEN 'pending' ELSE 'accepted' END,
        CASE WHEN {_NEW} AND agency = 'police' THEN NULL ELSE at + interval '3 hours' END,
        CASE WHEN {_NEW} AND agency = 'police' THEN NULL ELSE 'officer:bench' END
    FROM (SELECT g, {_AT} FROM generate_series($1::bigint, $2::bigint) g) x,
        (VALUES ('police', 'economic_crime', 'lead'), ('commerce', 'enforcement', 'co')) AS parties (agency, unit, role)
    """,
    f"""
    INSERT INTO deadlines ({_CLOCK_COLUMNS})
    SELECT {row_id(_CLOCK, "2 * g + n")}, {row_id(_CASE, "g")}, NULL, agency, unit, 'acceptance', 'police.acceptance',
        {_CLOCK_WORDS}, CASE WHEN agency = 'commerce' OR NOT {_NEW} THEN 'met' WHEN g % 200 = 0 THEN 'missed' ELSE 'running' END,
        CASE WHEN agency = 'commerce' OR NOT {_NEW} THEN at + interval '3 hours' END,
        CASE WHEN agency = 'police' AND g % 200 = 0 THEN at + interval '1 day' END, '[]', '[]', '[]', 1
    FROM (SELECT g, {_AT} FROM generate_series($1::bigint, $2::bigint) g) x,
        (VALUES (0, 'police', 'economic_crime'), (1, 'commerce', 'enforcement')) AS parties (n, agency, unit)
    """,
    f"""
    INSERT INTO proceedings (id, number, kind, category, procedure_version, plan, area, case_id, urgent, confidential, agency,
                             unit, to_agency, to_outside, state, awaits_agency, awaits_unit, final, outcome, facts, opened_at,
                             ended_at, missed, version)
    SELECT {row_id(_TRACK, "4 * g + n")}, kind || g, kind, category, made, '{PLAN}', {_TOWN}, {row_id(_CASE, "g")}, false,
        confidential, agency, unit, to_agency, false, CASE WHEN {_OPEN} THEN open_state ELSE end_state END,
        CASE WHEN {_OPEN} THEN awaits END, NULL, NOT {_OPEN}, CASE WHEN NOT {_OPEN} THEN 'done' END, '{{}}',
        at + interval '1 day', CASE WHEN NOT {_OPEN} THEN at + interval '50 days' END,
        CASE WHEN g % 200 = 0 AND n = 0 THEN 1 ELSE 0 END, 1
    FROM (SELECT g, {_AT} FROM generate_series($1::bigint, $2::bigint) g) x,
        (VALUES (0, 'administrative_case', 'track', '2021', NULL, 'commerce', 'enforcement', NULL, 'investigating', 'executed', 'commerce'),
                (1, 'criminal_case', 'track', '2020', 'criminal', 'police', 'economic_crime', NULL, 'investigating', 'closed', 'police'),
                (2, 'seize_goods', 'measure', '2005', NULL, 'commerce', 'enforcement', NULL, 'in_force', 'lifted', 'commerce'),
                (3, 'suspected_crime', 'transfer', '2020', NULL, 'commerce', 'enforcement', 'police', 'received', 'filed', 'police'))
            AS kinds (n, kind, category, made, confidential, agency, unit, to_agency, open_state, end_state, awaits)
    WHERE n < 2 OR (g / 20) % 3 = 0
    """,
    f"""
    INSERT INTO deadlines ({_CLOCK_COLUMNS})
    SELECT {row_id(_TRACK_CLOCK, "2 * g + n")}, {row_id(_CASE, "g")}, {row_id(_TRACK, "4 * g + n")}, agency, unit,
        'decide', 'penalty.decide', '《行政处罚法》第六十条', 'T', 'day', 90, false, 'bench', at, at + interval '90 days', false, '',
        CASE WHEN NOT {_OPEN} THEN 'met' WHEN g % 200 = 0 AND n = 0 THEN 'missed' ELSE 'running' END,
        CASE WHEN NOT {_OPEN} THEN at + interval '50 days' END,
        CASE WHEN g % 200 = 0 AND n = 0 THEN at + interval '90 days' END, '[]', '[]', '[]', 1
    FROM (SELECT g, {_AT} FROM generate_series($1::bigint, $2::bigint) g) x,
        (VALUES (0, 'commerce', 'enforcement'), (1, 'police', 'economic_crime')) AS tracks (n, agency, unit)
    """,
    f"""
    INSERT INTO proceeding_steps (proceeding_id, seq, step, from_state, to_state, at, actor, agency, unit, facts)
    SELECT id, 1, 'open', NULL, 'verifying', opened_at, 'officer:bench', agency, unit, '{{}}' FROM proceedings
    WHERE id BETWEEN {row_id(_TRACK, "4 * $1::bigint")} AND {row_id(_TRACK, "4 * $2::bigint + 3")} AND $3::bigint > 0
    """,
)


def _uuid(kind: int, number: int) -> UUID:
    return UUID(f"{number:012x}70008000{kind:012d}")


def _name(number: int) -> str:
    """Names of two or three characters, some more common than others; every hundredth is 王小明."""
    if number % 100 == 0:
        return "王小明"
    mixed = number * 2654435761 % 2**32
    given = _GIVEN[mixed // 64 % len(_GIVEN)] + (_GIVEN[mixed // 4096 % len(_GIVEN)] if mixed % 8 else "")
    return _SURNAMES[(mixed % 64) * (mixed // 300_007 % 64) // 100 % len(_SURNAMES)] + given


def _moment(number: int, most: int, now: datetime) -> datetime:
    share = number / _SMALL if number <= _SMALL else (number - _SMALL) / (most - _SMALL)
    return now - _SPAN * (1 - share)


class _People:
    """Rows of persons and places for a range of cases, with tokens of common words reckoned once."""

    def __init__(self, keys: KeyRing, most: int) -> None:
        self.keys, self.most, self.now = keys, most, datetime.now(UTC)
        self.grams = cache(lambda name: people.gram_tokens(keys, "name", [name]))
        self.whole = cache(lambda name: people.name_token(keys, name))
        self.part = cache(lambda pair: people.gram_tokens(keys, "address", [pair])[0])

    def persons(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        for case in range(first, last + 1):
            at = _moment(case, self.most, self.now)
            for n in range(PERSONS):
                number = case * PERSONS + n
                made, name, phone = _uuid(6, number), _name(number), f"139{number:08d}"
                sealed = people.seal(
                    self.keys, made,
                    {"name": name, "aliases": [], "phones": [phone], "id_kind": "other", "id_number": f"BENCH{number}"},
                )  # fmt: skip
                token = people.id_token(self.keys, Identity(IdKind.OTHER, f"BENCH{number}"))
                yield made, made, sealed, "other", token, self.whole(name), self.grams(name), None, at, at, 1

    def phones(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        for number in range(first * PERSONS, (last + 1) * PERSONS):
            yield people.phone_token(self.keys, f"139{number:08d}"), _uuid(6, number)

    def parts(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        """One person in fifty was met in an earlier case too."""
        for case in range(first, last + 1):
            at = _moment(case, self.most, self.now)
            area = f"dayong-{_AREAS[case % len(_AREAS)]}"
            decided = None if case % 20 == 0 else "released_educated"
            entered = None if case % 20 == 0 else at
            for n in range(PERSONS):
                number = case * PERSONS + n
                seen = number % 50 == 7 and case > first
                yield (
                    _uuid(7, number), _uuid(1, case), _uuid(6, number - PERSONS if seen else number), PLAN, area,
                    _ROLES[number % len(_ROLES)], at.date(), None, "police", "economic_crime", at, at, "officer:bench",
                    at + timedelta(days=1), False, int(seen), decided, at if decided else None, at + timedelta(days=1),
                    entered, "officer:bench" if entered else None, str(number) if entered else None, 1, "[]",
                )  # fmt: skip

    def places(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        """A place in every second case; one in forty came back."""
        for case in range(first + first % 2, last + 1, 2):
            at, town = _moment(case, self.most, self.now), _AREAS[case % len(_AREAS)]
            mixed, many = case * 40503, len(_ESTATES)
            root = "".join(_ESTATES[mixed // many**n % many] for n in range(3))
            address = f"{root}花园{case % 40 + 1}栋{case % 28 + 2}0{case // 40 % 8 + 1}室{case}"
            made, key = _uuid(8, case), address_key(PlaceKind.RENTAL, address)
            grams = list(dict.fromkeys(self.part(key[i : i + 2]) for i in range(len(key) - 1)))
            yield (
                made, PLAN, f"dayong-{town}", "rental", people.seal(self.keys, made, {"address": address}),
                people.address_token(self.keys, f"dayong-{town}", key), grams, at, int(case % 80 == 0), at, at, 1,
            )  # fmt: skip

    def dens(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        for case in range(first + first % 2, last + 1, 2):
            at, area = _moment(case, self.most, self.now), f"dayong-{_AREAS[case % len(_AREAS)]}"
            yield (
                _uuid(9, case), _uuid(8, case), _uuid(1, case), PLAN, area, "cleared", "police", "economic_crime", at, 4, 5,
                case % 80 == 0, at, at, "officer:bench", 2, "[]",
            )  # fmt: skip

    def revisits(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        for case in range(first + first % 2, last + 1, 2):
            at, town = _moment(case, self.most, self.now), _AREAS[case % len(_AREAS)]
            done = case % 40 != 0
            yield (
                _uuid(10, case), _uuid(9, case), _uuid(8, case), _uuid(1, case), PLAN, f"dayong-{town}", f"c-{town}", 1,
                at.date() + timedelta(days=7), "done" if done else "open", "clear" if done else None, at if done else None, 1,
            )  # fmt: skip


_TABLES: dict[str, tuple[str, ...]] = {
    "persons": ("id", "subject_id", "details", "id_kind", "id_token", "name_token", "name_grams", "home_area", "created_at",
                "updated_at", "version"),
    "phones": ("token", "person_id"),
    "parts": ("id", "case_id", "person_id", "plan", "area", "role", "role_since", "place_id", "agency", "unit", "found_at",
              "recorded_at", "recorded_by", "record_due", "late", "seen_before", "disposition", "disposed_at", "entry_due",
              "entered_at", "entered_by", "entry_number", "version", "history"),
    "places": ("id", "plan", "area", "kind", "details", "address_token", "grams", "cleared_at", "again", "created_at",
               "updated_at", "version"),
    "dens": ("id", "place_id", "case_id", "plan", "area", "state", "agency", "unit", "found_at", "officers", "persons",
             "again", "cleared_at", "recorded_at", "recorded_by", "version", "history"),
    "revisits": ("id", "den_id", "place_id", "case_id", "plan", "area", "agency", "number", "due", "state", "outcome",
                 "done_at", "version"),
}  # fmt: skip
_NAMES = {"phones": "person_phones", "parts": "case_persons"}

LOOKS = (
    Look("cases, newest first", "office", "/v1/cases"),
    Look("cases of my unit", "unit", "/v1/cases"),
    Look("cases of one area", "police", "/v1/cases?area=dayong-antang"),
    Look("cases of one kind", "office", "/v1/cases?kind=confinement"),
    Look("open cases", "police", "/v1/cases?state=accepted"),
    Look("cases that wait for us", "police", "/v1/cases?mine=true"),
    Look("late cases", "office", "/v1/cases?late=true"),
    Look("proceedings, newest first", "office", "/v1/proceedings"),
    Look("proceedings of one kind", "police", "/v1/proceedings?kind=suspected_crime"),
    Look("proceedings that wait for us", "police", "/v1/proceedings?waiting=true"),
    Look("late proceedings", "commerce", "/v1/proceedings?late=true"),
    Look("measures that lapse soon", "commerce", "/v1/measures/lapsing"),
    Look("persons, newest first", "police", "/v1/persons"),
    Look("organisers", "police", "/v1/persons?role=organiser"),
    Look("persons not yet decided on", "police", "/v1/persons?open=disposition"),
    Look("persons by two characters", "police", "/v1/persons/search", {"name": "小明"}),
    Look("the same, by an investigator", "unit", "/v1/persons/search", {"name": "小明"}),
    Look("persons by a whole name", "police", "/v1/persons/search", {"name": "王芳华"}),
    Look("a person by phone", "police", "/v1/persons/search", {"phone": "13900000105"}),
    Look("a person by number", "police", "/v1/persons/search", {"id_kind": "other", "id_number": "bench105"}),
    Look("places, newest first", "police", "/v1/places"),
    Look("places that came back", "police", "/v1/places?again=true"),
    Look("places by two characters", "police", "/v1/places/search", {"words": "锦东"}),
    Look("places by an estate's name", "police", "/v1/places/search", {"words": "翠金旗花园"}),
    Look("revisits to do", "community", "/v1/revisits"),
    Look("relapses by month", "office", "/v1/recurrences"),
    Look("work desk page", "police", "/proceedings"),
    Look("board of cases page", "police", "/cases"),
    Look("persons page", "police", "/persons"),
    Look("case file page", "police", "/cases/{case}"),
    Look("person page", "police", "/persons/{person}"),
    Look("place page", "police", "/places/{place}"),
    Look("statistics of a month", "office", "/v1/statistics/cases?by=area&since={month}"),
    Look("statistics of a year, by area", "office", "/v1/statistics/cases?by=area"),
    Look("statistics of a year, by kind, own unit", "unit", "/v1/statistics/cases?by=kind"),
)
_WHO: dict[str, dict[str, Any]] = {
    "office": {"agency": "commerce", "unit": "office", "posts": ("office-director",)},
    "police": {"agency": "police", "unit": "economic_crime", "posts": ("desk", "head")},
    "commerce": {"agency": "commerce", "unit": "enforcement", "posts": ("desk", "head")},
    "unit": {"agency": "police", "unit": "economic_crime", "posts": ("investigator",)},
    "community": {"agency": "c-antang", "unit": None, "posts": ("community-worker",)},
}


async def _fill(conn: asyncpg.Connection, made: Instance, first: int, last: int, most: int) -> None:
    for statement in _FILL:
        await conn.execute(statement, first, last, most)
    rows = _People(KeyRing.load(made.secrets.keys_file("casework"), "casework"), most)
    for begin in range(first, last + 1, 10_000):
        until = min(begin + 9_999, last)
        for name, columns in _TABLES.items():
            # a list, not the iterator: asyncpg would step through it with a trip to the loop for each row
            records = list(getattr(rows, name)(begin, until))
            await conn.copy_records_to_table(_NAMES.get(name, name), records=records, columns=columns)


async def _named(conn: asyncpg.Connection) -> dict[str, str]:
    case = await conn.fetchval("SELECT max(id::text) FROM cases WHERE state = 'accepted'")
    person = await conn.fetchval("SELECT person_id FROM case_persons WHERE seen_before > 0 LIMIT 1")
    place = await conn.fetchval("SELECT id FROM places WHERE again > 0 LIMIT 1")
    month = (datetime.now(UTC) - timedelta(days=30)).date().isoformat()
    return {"case": str(case), "person": str(person), "place": str(place), "month": month}


ROOM = Room("casework", "cases", _SMALL, PERSONS, _WHO, LOOKS, _fill, _named)
