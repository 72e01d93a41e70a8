"""The ledger checked against its signed checkpoints, entry by entry, and the standings against the ledger.

Nothing in the database is believed: the checkpoints come from outside it, and only their signatures count. What a
checkpoint covers and was edited, removed, inserted, reordered or cut off gives another root.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain import leaves, notes
from services.scoring.domain.merkle import Frontier, Subtrees
from services.scoring.domain.notes import BadNote, Checkpoint
from services.scoring.queries.periods import document_of
from services.scoring.tables import checkpoints, ledger, ledger_tree, periods

_SIGN = "CASE WHEN corrects IS NULL THEN 1 ELSE -1 END"
_SUMS = (
    "SELECT plan, rulebook, agency, unit, subject_kind, subject, sum(points) AS points, count(*)::int AS entries, "
    f"coalesce(sum({_SIGN}) FILTER (WHERE outcome = 'met'), 0)::int AS in_time, "
    f"coalesce(sum({_SIGN}) FILTER (WHERE outcome IN ('met_late', 'missed')), 0)::int AS late, "
    "count(*)::int AS version, max(recorded_at) AS as_of, max(seq) AS changed_seq FROM ledger "
    "GROUP BY plan, rulebook, agency, unit, subject_kind, subject"
)
_KEPT = (
    "SELECT plan, rulebook, agency, unit, subject_kind, subject, points, entries, in_time, late, version, as_of, "
    "changed_seq FROM standings"
)
_DIFFERING = text(
    f"SELECT DISTINCT plan, rulebook, agency, unit, subject FROM ((({_SUMS}) EXCEPT ({_KEPT})) UNION ALL "
    f"(({_KEPT}) EXCEPT ({_SUMS}))) AS d ORDER BY 1, 2, 3, 4, 5 LIMIT 20"
)
_ROLLED = (
    "sum(points), sum(entries)::int, sum(corrections)::int, sum(in_time)::int, sum(late)::int, min(first_known), "
    "max(last_known)"
)
_SUMMED = "points, entries, corrections, in_time, late, first_known, last_known"
_BY_DAY = (
    "SELECT standing_key(plan, rulebook, agency, unit, subject_kind, subject), 0, occurred_on, line, coalesce(area, ''), "
    "sum(points), count(*)::int, count(corrects)::int, "
    f"coalesce(sum({_SIGN}) FILTER (WHERE outcome = 'met'), 0)::int, "
    f"coalesce(sum({_SIGN}) FILTER (WHERE outcome IN ('met_late', 'missed')), 0)::int, min(recorded_at), "
    "max(recorded_at), max(clause), bool_or(assumed), max(occurred_on) FROM ledger "
    "GROUP BY 1, occurred_on, line, coalesce(area, '')"
)
_DAYS_KEPT = (
    f"SELECT standing, level, day, line, area, {_SUMMED}, clause, assumed, newest FROM line_sums WHERE level = 0"
)
_LONGER = (
    f"SELECT standing, l.level, sums_day(l.level, day), line, area, {_ROLLED}, max(clause), bool_or(assumed), max(newest) "
    "FROM line_sums CROSS JOIN generate_series(1, 3) AS l (level) WHERE line_sums.level = 0 GROUP BY 1, 2, 3, 4, 5"
)
_LONGER_KEPT = (
    f"SELECT standing, level, day, line, area, {_SUMMED}, clause, assumed, newest FROM line_sums WHERE level > 0"
)
_WHOLE = f"SELECT standing, level, day, {_ROLLED} FROM line_sums GROUP BY 1, 2, 3"
_WHOLE_KEPT = f"SELECT standing, level, day, {_SUMMED} FROM sums"
_SUMS_APART = tuple(
    text(f"SELECT count(*) FROM ((({one}) EXCEPT ({other})) UNION ALL (({other}) EXCEPT ({one}))) AS d")
    for one, other in ((_BY_DAY, _DAYS_KEPT), (_LONGER, _LONGER_KEPT), (_WHOLE, _WHOLE_KEPT))
)
"""The sums that standings of any day are read from, against the entries, and longer spans against days."""


_PIECE = 2000


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing found: a code for programs, the same in words, and the numbers of the checkpoints it is about."""

    code: str
    zh: str
    en: str
    checkpoint: int | None = None
    seq_from: int | None = None
    seq_to: int | None = None


@dataclass(slots=True)
class Verdict:
    """What was checked and what was found. `open_*`: the window that no checkpoint covers yet."""

    checkpoints: int = 0
    covered: int = 0
    covered_seq: int = 0
    newest: datetime | None = None
    entries: int = 0
    open_entries: int = 0
    open_from: datetime | None = None
    open_to: datetime | None = None
    open_seq_from: int | None = None
    open_seq_to: int | None = None
    periods: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.wrong

    def told(self) -> dict[str, Any]:
        """For programs."""
        return {"sound": self.sound, **asdict(self)}


async def verify(
    conn: AsyncConnection,
    outside: Iterable[tuple[int, str]],
    keys: Iterable[Ed25519PublicKey],
    *,
    frozen: Mapping[tuple[str, str], bytes] | None = None,
) -> Verdict:
    """Check everything. `outside`: notes by number from where the database cannot reach, in any order, also repeated.

    `frozen` may hold the documents of closed periods from outside. Use a transaction that reads one snapshot.
    """
    found = Verdict()
    known = _opened(found, outside, tuple(keys))
    inside = await _of_database(conn, found, known, tuple(keys))
    every = {**inside, **known}
    found.checkpoints = len(every)
    await _walk(conn, found, every)
    await _closed(conn, found, every, frozen or {})
    for row in await conn.execute(_DIFFERING):
        whom = "/".join(part for part in (row.plan, row.rulebook, row.agency, row.unit) if part)
        found.wrong.append(
            Wrong("standing-differs", f"得分与台账之和不符：{whom}", f"the standing is not the sum of its entries: {whom}")
        )
    apart = sum([(await conn.execute(query)).scalar_one() for query in _SUMS_APART])
    if apart:
        found.wrong.append(
            Wrong("sums-differ", f"库内分日汇总有 {apart} 处与台账不符", f"{apart} sums by day are not those of the entries")
        )
    return found


def _opened(
    found: Verdict, outside: Iterable[tuple[int, str]], keys: tuple[Ed25519PublicKey, ...]
) -> dict[int, Checkpoint]:
    known: dict[int, Checkpoint] = {}
    for number, note in outside:
        try:
            made = notes.opened(note, keys)
        except BadNote as error:
            found.wrong.append(
                Wrong("bad-note", f"库外检查点 {number} 无效", f"checkpoint {number} outside is not ours: {error}", number)
            )
            continue
        if known.setdefault(number, made) != made:
            found.wrong.append(
                Wrong("two-notes", f"检查点 {number} 有两个版本", f"there are two checkpoints {number}", number)
            )
    return known


async def _of_database(
    conn: AsyncConnection, found: Verdict, known: Mapping[int, Checkpoint], keys: tuple[Ed25519PublicKey, ...]
) -> dict[int, Checkpoint]:
    """The database's own checkpoints; whatever is known outside must be among them, as it is known."""
    rows = {row.number: row for row in await conn.execute(select(checkpoints))}
    inside: dict[int, Checkpoint] = {}
    for number, row in rows.items():
        try:
            made = notes.opened(row.note, keys)
        except BadNote as error:
            found.wrong.append(
                Wrong("bad-checkpoint", f"库内检查点 {number} 签名无效", f"checkpoint {number}: {error}", number)
            )
            continue
        told = (row.origin, row.size, bytes(row.root), row.seq, row.taken_at)
        if told != (made.origin, made.size, made.root, made.seq, made.taken_at) or known.get(number, made) != made:
            found.wrong.append(
                Wrong(
                    "checkpoint-changed",
                    f"库内检查点 {number} 被改",
                    f"checkpoint {number} in the database is not what was signed",
                    number,
                )
            )
            continue
        inside[number] = made
    expected = range(1, max([*rows, *known], default=0) + 1)
    for number in expected:
        if number not in rows:
            found.wrong.append(
                Wrong(
                    "checkpoint-missing",
                    f"库内缺少检查点 {number}",
                    f"checkpoint {number} is missing in the database",
                    number,
                )
            )
    return inside


async def _entries(conn: AsyncConnection) -> AsyncIterator[Row[Any]]:
    """All entries in their order, a piece at a time; no cursor stays open that would keep the table in use."""
    piece = select(ledger).order_by(ledger.c.seq).limit(_PIECE)
    rows: Sequence[Row[Any]] = (await conn.execute(piece)).all()
    while rows:
        for row in rows:
            yield row
        rows = (await conn.execute(piece.where(ledger.c.seq > rows[-1].seq))).all() if len(rows) == _PIECE else ()


async def _walk(conn: AsyncConnection, found: Verdict, every: Mapping[int, Checkpoint]) -> None:
    """Hash all entries in their order and compare the root at each checkpoint's size."""
    waiting = sorted(every.items(), key=lambda item: (item[1].size, item[0]))
    tree, position, good_seq, last_seq = Frontier(), 0, 0, 0
    found.covered = max((one.size for one in every.values()), default=0)
    found.covered_seq = max((one.seq for one in every.values()), default=0)
    found.newest = max((one.taken_at for one in every.values()), default=None)
    broken = False

    def reached(seq: int) -> None:
        nonlocal position, good_seq, broken
        while position < len(waiting) and waiting[position][1].size == tree.size:
            number, made = waiting[position]
            position += 1
            if tree.root() == made.root and (seq == made.seq or not made.size):
                good_seq = seq
                continue
            if not broken:
                found.wrong.append(
                    Wrong(
                        "entries-changed",
                        f"台账被改：第 {good_seq} 号之后、检查点 {number}（第 {made.seq} 号）之前",
                        f"the ledger was changed after seq {good_seq} and up to seq {made.seq} (checkpoint {number})",
                        number,
                        good_seq + 1,
                        made.seq,
                    )
                )
            broken = True

    kept = {(row.level, row.index): (bytes(row.hash), row.last_seq) for row in await conn.execute(select(ledger_tree))}
    subtrees, crooked = Subtrees(), 0
    reached(0)
    async for row in _entries(conn):
        leaf = leaves.hash_of(row)
        tree.push(leaf)
        last_seq = row.seq
        for level, index, root in subtrees.add(leaf):
            # what is not covered yet is not kept yet
            missing = None if tree.size <= found.covered else (root, row.seq)
            crooked += kept.pop((level, index), missing) != (root, row.seq)
        if row.seq > found.covered_seq:
            found.open_entries += 1
            found.open_seq_from = found.open_seq_from or row.seq
            found.open_seq_to = row.seq
            found.open_from = min(found.open_from or row.recorded_at, row.recorded_at)
            found.open_to = max(found.open_to or row.recorded_at, row.recorded_at)
        reached(row.seq)
    found.entries = tree.size
    if (crooked or kept) and not broken:
        found.wrong.append(
            Wrong("tree-changed", "库内哈希树被改", f"{crooked + len(kept)} subtrees in the database are not those of the ledger")
        )
    if position < len(waiting):
        number, made = waiting[position]
        found.wrong.append(
            Wrong(
                "entries-missing",
                f"台账只有 {tree.size} 条，检查点 {number} 覆盖 {made.size} 条",
                f"the ledger has {tree.size} entries, checkpoint {number} covers {made.size}",
                number,
                good_seq + 1,
                max(made.seq, last_seq),
            )
        )


async def _closed(
    conn: AsyncConnection,
    found: Verdict,
    every: Mapping[int, Checkpoint],
    frozen: Mapping[tuple[str, str], bytes],
) -> None:
    """Closed periods: the document is the one that a checkpoint names, and the rows are those of the document."""
    signed = {(one.closing.plan, one.closing.label): (number, one) for number, one in every.items() if one.closing}
    rows = {(row.plan, row.label): row for row in await conn.execute(select(periods))}
    found.periods = len(signed)
    for key in {*signed, *rows}:
        where = "/".join(key)
        number, made = signed.get(key, (None, None))
        row = rows.get(key)
        document = bytes(row.document) if row else b""
        digest = made.closing.digest if made and made.closing else None
        same = row is not None and sha256(document).digest() == digest == bytes(row.digest)
        if not same or row.checkpoint != number or await document_of(conn, row) != document:
            found.wrong.append(
                Wrong("period-changed", f"已结账期间 {where} 被改", f"the closed period {where} was changed", number)
            )
        if key in frozen and sha256(frozen[key]).digest() != digest:
            found.wrong.append(
                Wrong("frozen-changed", f"库外冻结件 {where} 被改", f"the document of {where} outside was changed", number)
            )


