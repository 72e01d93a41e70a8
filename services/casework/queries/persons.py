"""Persons as they are shown: their parts in cases within reach, found by number, phone or name, seen before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters import people
from services.casework.domain import persons as domain
from services.casework.domain.persons import PersonRefused, StepKind
from services.casework.queries.visibility import reaches, within_reach
from services.casework.schemas.persons import PersonSearch
from services.casework.tables import (
    case_entries,
    case_persons,
    cases,
    deadlines,
    person_merges,
    person_phones,
    person_steps,
    persons,
)
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing

MOST_FOUND = 2000
"""How many persons with all two-character parts of a name are looked through, newest first."""
_MEMBER = persons.alias("member")


@dataclass(frozen=True, slots=True)
class PartFilters:
    """What the list of persons is narrowed to."""

    role: str | None = None
    area: str | None = None
    open: str | None = None
    """`entry`: not yet in the police system; `disposition`: nothing decided; `follow_up`: a follow-up is due."""


def _parts(caller: Caller) -> Select[Any]:
    return (
        select(
            case_persons, persons.c.details, persons.c.subject_id, persons.c.id_kind, cases.c.number,
            reaches(caller, "person.record").label("mine"), reaches(caller, "person.enter").label("may_enter"),
        )
        .join(cases, cases.c.id == case_persons.c.case_id)
        .join(persons, persons.c.id == case_persons.c.person_id)
        .where(within_reach(caller, "person.read"))
    )  # fmt: skip


async def list_parts(
    conn: AsyncConnection, caller: Caller, filters: PartFilters, *, after: UUID | None = None, limit: int = 50
) -> Sequence[Any]:
    """`limit + 1` parts within reach, newest first."""
    c = case_persons.c
    query = _parts(caller)
    if caller.reach("person.read") != "all":
        query = query.where(c.plan == caller.plan)
    if filters.role:
        query = query.where(c.role == filters.role)
    if filters.area:
        query = query.where(c.area == filters.area)
    if filters.open == "entry":
        query = query.where(c.entered_at.is_(None))
    elif filters.open == "disposition":
        query = query.where(c.disposition.is_(None))
    elif filters.open == "follow_up":
        query = query.where(c.follow_up_due.is_not(None))
    if after is not None:
        query = query.where(c.id < after)
    return (await conn.execute(query.order_by(c.id.desc()).limit(limit + 1))).all()


async def parts_of_case(conn: AsyncConnection, caller: Caller, case_id: UUID, *, most: int = 500) -> Sequence[Any]:
    """The persons of one case, when it is within reach."""
    c = case_persons.c
    return (await conn.execute(_parts(caller).where(c.case_id == case_id).order_by(c.id).limit(most))).all()


async def get_part(conn: AsyncConnection, caller: Caller, part_id: UUID) -> Any:
    """One part within reach, or None."""
    return (await conn.execute(_parts(caller).where(case_persons.c.id == part_id))).one_or_none()


async def get_person(conn: AsyncConnection, caller: Caller, person_id: UUID) -> tuple[Any, Sequence[Any], int] | None:
    """Who a record is now, the parts within reach, and how many cases there are beyond it; None when none is within."""
    record = (await conn.execute(select(persons.c.subject_id).where(persons.c.id == person_id))).one_or_none()
    if record is None:
        return None
    members = select(persons.c.id).where(persons.c.subject_id == record.subject_id)
    c = case_persons.c
    parts = (await conn.execute(_parts(caller).where(c.person_id.in_(members)).order_by(c.found_at.desc()))).all()
    if not parts:
        return None
    everywhere = await conn.scalar(select(func.count(c.case_id.distinct())).where(c.person_id.in_(members)))
    row = (await conn.execute(select(persons).where(persons.c.id == record.subject_id))).one()
    return row, parts, (everywhere or 0) - len({part.case_id for part in parts})


async def merges_of(conn: AsyncConnection, subject_id: UUID) -> list[dict[str, Any]]:
    """The merges that made a person what it is, newest first; undone ones too."""
    m = person_merges.c
    rows = await conn.execute(
        select(person_merges).where(or_(m.into_id == subject_id, m.person_id == subject_id)).order_by(m.at.desc())
    )
    return [
        {
            "merge_id": row.id, "person_id": row.person_id, "into_id": row.into_id, "reason": row.reason, "at": row.at,
            "undone_at": row.undone_at,
        }
        for row in rows
    ]  # fmt: skip


async def seen_before(
    conn: AsyncConnection, caller: Caller, parts: Sequence[Any]
) -> dict[UUID, tuple[list[Any], int]]:
    """Per part: the same person's other parts within reach, newest first, and how many other cases lie beyond it."""
    subjects = {part.subject_id for part in parts}
    if not subjects:
        return {}
    c = case_persons.c
    mine = reaches(caller, "person.read").label("mine")
    rows = await conn.execute(
        select(
            c.id, c.case_id, c.role, c.found_at, c.disposition, persons.c.subject_id, cases.c.number, mine
        )
        .join(cases, cases.c.id == c.case_id)
        .join(persons, persons.c.id == c.person_id)
        .where(persons.c.subject_id.in_(subjects))
        .order_by(c.found_at.desc())
    )
    by_subject: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_subject[row.subject_id].append(row)
    answer = {}
    for part in parts:
        others = [row for row in by_subject[part.subject_id] if row.case_id != part.case_id]
        own = [row for row in others if row.mine]
        answer[part.id] = (own, len({row.case_id for row in others if not row.mine}))
    return answer


async def steps_of(conn: AsyncConnection, part_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Everything done, by part, oldest first, with the clock of a questioning."""
    s = person_steps.c
    rows = await conn.execute(
        select(person_steps, deadlines.c.due, deadlines.c.state, deadlines.c.article, deadlines.c.certainty)
        .outerjoin(deadlines, deadlines.c.id == s.deadline_id)
        .where(s.case_person_id.in_(part_ids))
        .order_by(s.at, s.id)
    )
    steps: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        steps[row.case_person_id].append(row)
    return steps


async def case_entry(conn: AsyncConnection, case_id: UUID) -> Any:
    """The information system's receipt for a case, or that it is late; None when neither."""
    return (await conn.execute(select(case_entries).where(case_entries.c.case_id == case_id))).one_or_none()


async def search(
    conn: AsyncConnection, caller: Caller, keys: KeyRing, asked: PersonSearch, now: datetime, *, limit: int = 50
) -> tuple[list[dict[str, Any]], bool, int]:
    """Persons by identity number, phone or part of a name: those within reach, whether there are more, how many beyond.

    Beyond reach only exact matches count, never parts of names. Raises `PersonRefused`.
    """
    given = [name for name in ("name", "id_number", "phone") if getattr(asked, name)]
    if len(given) != 1:
        raise PersonRefused(
            given[0] if given else "name", "one-only", "姓名、证件号码、电话请只填一项。", "Give one of name, number and phone."
        )
    exact = True
    p = persons.c
    if asked.id_number:
        token = people.id_token(keys, domain.identity(asked.id_kind, asked.id_number, now.date()))
        hits = select(p.subject_id.label("sid")).where(p.id_token == token)
    elif asked.phone:
        token = people.phone_token(keys, domain.phone(asked.phone))
        hits = (
            select(p.subject_id.label("sid"))
            .join(person_phones, person_phones.c.person_id == p.id)
            .where(person_phones.c.token == token)
        )
    else:
        exact = False
        tokens = people.gram_tokens(keys, "name", [asked.name or ""])
        if not tokens:
            raise PersonRefused("name", "too-short", "姓名请至少填两个字。", "Give at least two characters of a name.")
        hits = (
            select(p.subject_id.label("sid"))
            .where(p.name_grams.contains(cast(literal(tokens, ARRAY(Text)), ARRAY(Text))))
            .order_by(p.id.desc())
            .limit(MOST_FOUND)
        )
    newest = hits.cte("newest").prefix_with("MATERIALIZED")
    # each person once and in order, so that looking them through ends with the page
    hit = select(newest.c.sid).distinct().order_by(newest.c.sid.desc()).cte("hit").prefix_with("MATERIALIZED")
    c = case_persons.c
    lateral = (
        select(func.count(c.case_id.distinct()).label("n"), func.max(c.found_at).label("last"))
        .select_from(_MEMBER)
        .join(case_persons, c.person_id == _MEMBER.c.id)
        .join(cases, cases.c.id == c.case_id)
        .where(_MEMBER.c.subject_id == hit.c.sid, within_reach(caller, "person.read"))
        .lateral("own")
    )
    sought = (
        select(hit.c.sid, lateral.c.n, lateral.c.last)
        .select_from(hit.join(lateral, text("true")))
        .where(lateral.c.n > 0)
        .order_by(hit.c.sid.desc())
        .limit(limit + 1)
    )
    rows = (await conn.execute(sought)).all()
    records = {
        row.id: row
        for row in await conn.execute(select(persons).where(p.id.in_([row.sid for row in rows[:limit]])))
    }
    found = []
    wanted = domain.plain(asked.name) if asked.name else None
    for row in rows[:limit]:
        record = records[row.sid]
        details = people.opened(keys, record.id, record.details)
        names = [details["name"], *details["aliases"]]
        if wanted and len(wanted) > 2 and not any(wanted in domain.plain(one) for one in names):
            continue
        found.append({"record": record, "details": details, "cases": row.n, "last": row.last})
    elsewhere = 0
    if exact and not found:
        elsewhere = await conn.scalar(select(func.count(hit.c.sid.distinct()))) or 0
    return found, len(rows) > limit, elsewhere


def words_of(kind: str, code: str) -> dict[str, str]:
    """A step's code in Chinese and English, from its table; steps without codes say what they are."""
    line = domain.codes(StepKind(kind)).get(code)
    if line is not None:
        return {"zh": line.zh, "en": line.en}
    return {"zh": _PLAIN[kind][0], "en": _PLAIN[kind][1]}


_PLAIN = {
    "questioning": ("开始询问查证", "Questioning began"),
    "questioning_longer": ("延长询问查证", "Questioning lengthened"),
    "questioning_ended": ("结束询问查证", "Questioning ended"),
}
