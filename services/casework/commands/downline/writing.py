"""Facts become members and edges: whatever was recorded before stays, contradictions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import ARRAY

from services.casework.adapters.downline_people import (
    code_token,
    open_member,
    row_key,
    seal_member,
    seal_source,
    tokens,
)
from services.casework.domain.downline.rows import Named, Row
from services.casework.tables import downline_facts, downline_members, downlines
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.db import insert_many
from shared.kit.ids import new_id

_EDGES = text(
    """
    INSERT INTO downline_edges (case_id, upline, downline, kinds, denied, first_on, paid, facts)
    SELECT :case, upline, downline, bit_or(mask), bool_or(denied), min(first_on), max(paid), sum(facts)
    FROM (
        SELECT f.upline, f.downline, bool_or(f.denies) AS denied,
            CASE WHEN bool_and(f.denies) THEN 0 ELSE CASE f.kind WHEN 'statement' THEN 1 WHEN 'payment' THEN 2
                WHEN 'rebate' THEN 2 WHEN 'bank' THEN 4 WHEN 'chart' THEN 8 ELSE 16 END END AS mask,
            min(f.happened_on) FILTER (WHERE NOT f.denies) AS first_on, count(*) AS facts,
            CASE WHEN f.kind = 'rebate' THEN 0 ELSE coalesce(sum(f.amount) FILTER (WHERE NOT f.denies), 0) END AS paid
        FROM downline_facts f
        JOIN (SELECT DISTINCT * FROM unnest(CAST(:uplines AS int[]), CAST(:downlines AS int[])) AS t(upline, downline)) t
            ON f.upline = t.upline AND f.downline = t.downline
        WHERE f.case_id = :case
        GROUP BY f.upline, f.downline, f.kind
    ) k GROUP BY upline, downline
    ON CONFLICT (case_id, upline, downline) DO UPDATE SET kinds = excluded.kinds, denied = excluded.denied,
        first_on = excluded.first_on, paid = excluded.paid, facts = excluded.facts
    """
)
"""An edge summed up anew from its facts. The same payment may stand in several kinds of proof: the largest sum counts."""

_COUNTS = text(
    """
    UPDATE downlines SET version = version + 1, changed_at = :now,
        members = (SELECT count(*) FROM downline_members WHERE case_id = :case),
        edges = (SELECT count(*) FROM downline_edges WHERE case_id = :case),
        facts = (SELECT count(*) FROM downline_facts WHERE case_id = :case)
    WHERE case_id = :case RETURNING version
    """
)


@dataclass(slots=True)
class Outcome:
    """What came of rows: how many members, facts were new, how many facts known; rows refused by line and reason."""

    members: int = 0
    facts: int = 0
    same: int = 0
    refused: list[tuple[int, str, str, str]] = field(default_factory=list)
    two_uplines: int = 0
    version: int = 0
    numbers: dict[str, int] = field(default_factory=dict)


async def lock_downline(conn: AsyncConnection, case_id: UUID, now: datetime) -> Any:
    """The case's downline, made when it has none, locked: its writers follow each other."""
    row = {
        "case_id": case_id, "version": 1, "members": 0, "edges": 0, "facts": 0, "changed_at": now,
        "evaluated_version": None, "evaluated_at": None, "reached": [],
    }  # fmt: skip
    await insert_many(conn, downlines, [row], conflict="ON CONFLICT DO NOTHING")
    return (await conn.execute(select(downlines).where(downlines.c.case_id == case_id).with_for_update())).one()


async def touched(conn: AsyncConnection, case_id: UUID, now: datetime) -> int:
    """Count anew and raise the version."""
    return int(await conn.scalar(_COUNTS, {"case": case_id, "now": now}) or 0)


async def record_rows(
    conn: AsyncConnection,
    keys: KeyRing,
    caller: Caller,
    case_id: UUID,
    rows: Sequence[Row],
    now: datetime,
    *,
    evidence_id: UUID | None = None,
    import_id: UUID | None = None,
    once: bytes | None = None,
) -> Outcome:
    """Record facts in a fixed number of statements. `once` makes facts of equal content apart (one entered by hand)."""
    state = await lock_downline(conn, case_id, now)
    told = Outcome(version=state.version)
    members = _Members(keys, case_id, await _known(conn, keys, case_id, rows), state.members, now)
    facts = []
    for row in rows:
        clash = members.clash(row)
        if clash is not None:
            told.refused.append((row.line, *clash))
            continue
        upline = members.number(row.upline, None) if row.upline else None
        downline = members.number(row.downline, row.organisation)
        if upline == downline:
            told.refused.append((row.line, "upline", "self", "上线与下线是同一人的编号。 Upline and downline are one code."))
            continue
        fact_id = new_id()
        facts.append(
            {
                "id": fact_id, "case_id": case_id, "upline": upline, "downline": downline, "kind": row.kind,
                "denies": row.denies, "role": None, "happened_on": row.on, "amount": row.amount,
                "evidence_id": evidence_id, "source": seal_source(keys, fact_id, row.source), "import_id": import_id,
                "line": row.line, "key": row_key(keys, row, evidence_id, once), "recorded_by": caller.actor,
                "recorded_at": now,
            }
        )  # fmt: skip
    await insert_many(conn, downline_members, members.new)
    for changed in members.changed.values():
        await conn.execute(
            update(downline_members)
            .where(downline_members.c.case_id == case_id, downline_members.c.no == changed["no"])
            .values({k: v for k, v in changed.items() if k != "no"} | {"version": downline_members.c.version + 1})
        )
    kept = await insert_many(
        conn, downline_facts, facts, conflict="ON CONFLICT (case_id, key) DO NOTHING", returning="upline, downline"
    )
    told.members, told.facts, told.same = len(members.new), len(kept), len(facts) - len(kept)
    told.numbers = {row.downline.code: members.found[code_token(keys, case_id, row.downline.code)].no for row in rows[:1]
                    if code_token(keys, case_id, row.downline.code) in members.found}  # fmt: skip
    pairs = [(row.upline, row.downline) for row in kept if row.upline is not None]
    if pairs:
        uplines, downlines_ = [one for one, _ in pairs], [other for _, other in pairs]
        await conn.execute(_EDGES, {"case": case_id, "uplines": uplines, "downlines": downlines_})
        told.two_uplines = int(await conn.scalar(_TWO, {"case": case_id, "downlines": sorted(set(downlines_))}) or 0)
    if told.members or told.facts or members.changed:
        told.version = await touched(conn, case_id, now)
    return told


_TWO = text(
    "SELECT count(*) FROM (SELECT downline FROM downline_edges WHERE case_id = :case AND kinds <> 0 "
    "AND downline = ANY(CAST(:downlines AS int[])) GROUP BY downline HAVING count(*) > 1) x"
)


async def _known(conn: AsyncConnection, keys: KeyRing, case_id: UUID, rows: Sequence[Row]) -> dict[bytes, Any]:
    codes = {named.code for row in rows for named in (row.upline, row.downline) if named}
    found = await conn.execute(
        select(downline_members)
        .where(
            downline_members.c.case_id == case_id,
            text("code_token = ANY(:tokens)").bindparams(bindparam("tokens", type_=ARRAY(BYTEA))),
        ),
        {"tokens": [code_token(keys, case_id, code) for code in codes]},
    )
    return {bytes(row.code_token): row for row in found}


@dataclass(frozen=True, slots=True)
class _Known:
    no: int
    identity: bytes | None
    account: bytes | None
    name: bytes | None


class _Members:
    """Members by their codes, those recorded and those that the rows add."""

    def __init__(self, keys: KeyRing, case_id: UUID, rows: dict[bytes, Any], count: int, now: datetime) -> None:
        self._keys, self._case, self._rows, self._count, self._now = keys, case_id, rows, count, now
        self.found = {
            token: _Known(r.no, r.identity_token and bytes(r.identity_token), r.account_token and bytes(r.account_token),
                          r.name_token and bytes(r.name_token))
            for token, r in rows.items()
        }  # fmt: skip
        self.new: list[dict[str, Any]] = []
        self._new_by_no: dict[int, dict[str, Any]] = {}
        self._words: dict[int, dict[str, Any]] = {}
        self.changed: dict[int, dict[str, Any]] = {}

    def clash(self, row: Row) -> tuple[str, str, str] | None:
        """Why a row cannot be kept: its code stands for another identity number."""
        for side, named in (("upline", row.upline), ("downline", row.downline)):
            known = named and self.found.get(code_token(self._keys, self._case, named.code))
            if named and known and named.identity and known.identity:
                if tokens(self._keys, named)["identity_token"] != known.identity:
                    return (
                        f"{side}_identity", "identity-differs",
                        "同一编号已登记另一身份证号，请核对。 The code is on record with another identity number; check it.",
                    )  # fmt: skip
        return None

    def number(self, named: Named, organisation: str | None) -> int:
        """The member's number, a new one for a new code; what was not known of it is added."""
        token = code_token(self._keys, self._case, named.code)
        known, told = self.found.get(token), tokens(self._keys, named)
        if known is None:
            no = self._count + len(self.new) + 1
            words = {"code": named.code, "name": named.name, "identity": named.identity and named.identity.number,
                     "account": named.account}  # fmt: skip
            row = {
                "case_id": self._case, "no": no, "code_token": token, **told,
                "sealed": seal_member(self._keys, self._case, no, words), "organisation": organisation, "roles": [],
                "convicted": False, "penalised_on": None, "left_on": None, "still_paid": False, "collected": 0,
                "grave": [], "created_at": self._now, "updated_at": self._now, "version": 1,
            }  # fmt: skip
            self.new.append(row)
            self._new_by_no[no], self._words[no] = row, words
            self.found[token] = _Known(no, told["identity_token"], told["account_token"], told["name_token"])
            return no
        fresh = {
            name: told[name]
            for name, before in (
                ("identity_token", known.identity), ("account_token", known.account), ("name_token", known.name)
            )
            if before is None and told[name] is not None
        }  # fmt: skip
        lacks = organisation is not None and (
            self._new_by_no[known.no]["organisation"] is None
            if known.no in self._new_by_no
            else self._rows[token].organisation is None
        )
        if fresh or lacks:
            self._add(token, known, named, fresh, organisation if lacks else None)
        return known.no

    def _add(
        self, token: bytes, known: _Known, named: Named, fresh: dict[str, Any], organisation: str | None
    ) -> None:
        no = known.no
        words = self._words.get(no) or open_member(self._keys, self._case, no, self._rows[token].sealed)
        for name, value in (
            ("identity", named.identity and named.identity.number), ("account", named.account), ("name", named.name)
        ):  # fmt: skip
            words[name] = words.get(name) or value
        self._words[no] = words
        target = self._new_by_no.get(no)
        if target is None:
            target = self.changed.setdefault(no, {"no": no, "updated_at": self._now})
        target |= fresh | {"sealed": seal_member(self._keys, self._case, no, words)}
        if organisation is not None:
            target["organisation"] = organisation
        self.found[token] = _Known(
            no, known.identity or fresh.get("identity_token"), known.account or fresh.get("account_token"),
            known.name or fresh.get("name_token"),
        )  # fmt: skip
