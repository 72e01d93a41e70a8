"""What is shown of a downline: members and edges by page, one member with its facts, persons who recur elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters.downline_people import code_token, open_member, open_source
from services.casework.adapters.people import id_token, name_token
from services.casework.domain.downline.kinds import kinds_of
from services.casework.domain.persons import Identity, IdKind
from services.casework.queries.visibility import within_reach
from services.casework.tables import cases, downline_edges, downline_facts, downline_members, downlines
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing

_M, _E = downline_members.c, downline_edges.c


async def the_downline(conn: AsyncConnection, caller: Caller, case_id: UUID, right: str = "downline.read") -> Any | None:
    """The case with its downline's row (`members` is None when it has none); None beyond the caller's reach."""
    query = (
        select(cases.c.number, cases.c.plan, cases.c.area, cases.c.urgent, cases.c.id.label("case_id"),
            downlines.c.version, downlines.c.members, downlines.c.edges, downlines.c.facts, downlines.c.reached,
            downlines.c.evaluation, downlines.c.evaluated_version, downlines.c.evaluated_at,
            within_reach(caller, "downline.edit").label("may_edit"),
        )
        .outerjoin(downlines, downlines.c.case_id == cases.c.id)
        .where(cases.c.id == case_id, within_reach(caller, right))
    )  # fmt: skip
    return (await conn.execute(query)).one_or_none()


async def members_page(
    conn: AsyncConnection, keys: KeyRing, case_id: UUID, *, q: str = "", after: int = 0, limit: int = 50
) -> list[Any]:
    """`limit + 1` members by number; `q` is a whole code, name, identity number, or a number of ours."""
    query = select(downline_members).where(_M.case_id == case_id, _M.no > after)
    if q:
        who = Identity(IdKind.RESIDENT, q.strip().upper())
        asked = [
            _M.code_token == code_token(keys, case_id, q),
            _M.name_token == name_token(keys, q),
            _M.identity_token == id_token(keys, who),
        ]
        if q.isdigit() and len(q) < 10:
            asked.append(_M.no == int(q))
        query = query.where(or_(*asked))
    return list((await conn.execute(query.order_by(_M.no).limit(limit + 1))).all())


def shown_member(keys: KeyRing, row: Any) -> dict[str, Any]:
    """A member as its readers see it."""
    words = open_member(keys, row.case_id, row.no, row.sealed)
    return {
        "no": row.no, "code": words["code"], "name": words["name"], "identity": words["identity"],
        "account": words["account"], "organisation": row.organisation, "person_id": row.person_id, "roles": row.roles,
        "convicted": row.convicted, "penalised_on": row.penalised_on, "left_on": row.left_on,
        "still_paid": row.still_paid, "collected": row.collected / 100, "grave": row.grave, "version": row.version,
    }  # fmt: skip


async def labels(conn: AsyncConnection, keys: KeyRing, case_id: UUID, numbers: Sequence[int]) -> dict[int, str]:
    """Code and name of members, by number."""
    if not numbers:
        return {}
    query = select(_M.no, _M.sealed).where(
        _M.case_id == case_id, text("no = ANY(CAST(:numbers AS int[]))").bindparams(bindparam("numbers"))
    )
    found = {}
    for row in await conn.execute(query, {"numbers": sorted(set(numbers))}):
        words = open_member(keys, case_id, row.no, row.sealed)
        found[row.no] = f"{words['code']} {words['name'] or ''}".strip()
    return found


async def edges_page(
    conn: AsyncConnection, case_id: UUID, *, member: int | None = None, disputed: bool = False,
    after: tuple[int, int] | None = None, limit: int = 50,
) -> list[dict[str, Any]]:  # fmt: skip
    """`limit + 1` edges by upline and downline."""
    other = downline_edges.alias("other")
    two = (
        select(literal(1))
        .where(other.c.case_id == case_id, other.c.downline == _E.downline, other.c.upline != _E.upline, other.c.kinds != 0)
        .exists()
    )
    query = select(downline_edges, or_(_E.denied, two).label("disputed")).where(_E.case_id == case_id)
    if member is not None:
        query = query.where(or_(_E.upline == member, _E.downline == member))
    if disputed:
        query = query.where(or_(_E.denied, two))
    if after is not None:
        query = query.where(or_(_E.upline > after[0], (_E.upline == after[0]) & (_E.downline > after[1])))
    rows = await conn.execute(query.order_by(_E.upline, _E.downline).limit(limit + 1))
    return [shown_edge(row) for row in rows]


def shown_edge(row: Any) -> dict[str, Any]:
    """An edge as its readers see it."""
    return {
        "upline": row.upline, "downline": row.downline, "kinds": list(kinds_of(row.kinds)), "denied": row.denied,
        "disputed": row.disputed, "first_on": row.first_on, "paid": row.paid / 100, "facts": row.facts,
    }  # fmt: skip


async def one_member(conn: AsyncConnection, case_id: UUID, no: int) -> Any | None:
    """A member's row."""
    return (
        await conn.execute(select(downline_members).where(_M.case_id == case_id, _M.no == no))
    ).one_or_none()


async def facts_of(
    conn: AsyncConnection, keys: KeyRing, case_id: UUID, pairs: Sequence[tuple[int | None, int]]
) -> dict[tuple[int | None, int], list[dict[str, Any]]]:
    """The facts of edges (or, with upline None, of members alone), oldest entry first, at most 200 an edge."""
    f = downline_facts.c
    told: dict[tuple[int | None, int], list[dict[str, Any]]] = defaultdict(list)
    for upline, downline in pairs:
        query = select(downline_facts).where(
            f.case_id == case_id, f.downline == downline, f.upline == upline if upline is not None else f.upline.is_(None)
        )
        for row in await conn.execute(query.order_by(f.recorded_at, f.id).limit(200)):
            told[upline, downline].append(
                {
                    "fact_id": row.id, "kind": row.kind, "denies": row.denies, "on": row.happened_on,
                    "amount": row.amount / 100 if row.amount is not None else None, "evidence_id": row.evidence_id,
                    "source": open_source(keys, row.id, row.source), "import_id": row.import_id, "line": row.line,
                }
            )  # fmt: skip
    return told


async def elsewhere(
    conn: AsyncConnection, caller: Caller, case_id: UUID, no: int | None = None, most: int = 200
) -> tuple[list[dict[str, Any]], int]:
    """Members of this case who stand in other cases: those within reach with the case, and how many are beyond it."""
    own, other = downline_members.alias("own"), downline_members.alias("other")
    parts = []
    for how in ("person_id", "identity_token", "account_token"):
        mine = select(own.c.no, other.c.case_id.label("other_case"), other.c.no.label("other_no"), literal(how).label("how"))
        mine = mine.join(other, (other.c[how] == own.c[how]) & (other.c.case_id != own.c.case_id)).where(
            own.c.case_id == case_id
        )
        parts.append(mine.where(own.c.no == no) if no is not None else mine)
    met = parts[0].union_all(*parts[1:]).subquery()
    seen = within_reach(caller, "downline.read")
    query = (
        select(met.c.no, met.c.other_no, met.c.other_case, cases.c.number, func.min(met.c.how).label("how"), seen.label("seen"))
        .join(cases, cases.c.id == met.c.other_case)
        .group_by(met.c.no, met.c.other_no, met.c.other_case, cases.c.id)
        .order_by(met.c.no, cases.c.number, met.c.other_no)
        .limit(most)
    )
    told, beyond = [], set()
    for row in await conn.execute(query):
        if row.seen:
            told.append(
                {"no": row.no, "case_id": row.other_case, "number": row.number, "other_no": row.other_no,
                 "by": row.how.removesuffix("_token").removesuffix("_id")}
            )  # fmt: skip
        else:
            beyond.add((row.no, row.other_case))
    return told, len(beyond)
