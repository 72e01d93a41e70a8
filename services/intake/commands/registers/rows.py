"""What the registers' writers share: who may write where, many rows changed at once, sealed contacts, plan look-ups."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB, dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.schemas.registers import RowError
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.problem import Conflict, Forbidden, Outdated
from shared.rules.plan import Plan

_DIALECT = dialect()


def may_write(caller: Caller, right: str, plan: str, area: str) -> bool:
    """Whether a caller's reach of a right covers an area of a plan."""
    reach = caller.reach(right)
    if reach == "all":
        return True
    if caller.plan != plan:
        return False
    return reach == "plan" or (reach == "own_area" and area in caller.areas)


def demand(caller: Caller, right: str, plan: str, area: str) -> None:
    """Forbidden unless the caller may write there."""
    if not may_write(caller, right, plan, area):
        raise Forbidden(
            "这个社区不在您的职责范围内，未保存任何内容。 This community is not yours to write for; nothing was kept.",
            code="other-area",
        )


def community(plan: Plan, words: str) -> str | None:
    """The community (or estate) of the plan that a code or name means, or None."""
    found = plan.area_of(words)
    return found if found is not None and plan.area(found).level in ("community", "estate") else None


def unknown_area() -> RowError:
    """The reason for a row whose community the plan does not have."""
    return RowError(
        field="area", code="unknown_area", message="方案中没有这个社区 / the plan has no such community"
    )


def other_area() -> RowError:
    """The reason for a row in a community that is not the caller's."""
    return RowError(
        field="area", code="other_area", message="这个社区不在您的职责范围内 / this community is not yours to write for"
    )


def seal_contact(keys: KeyRing, record: UUID, **parts: str | None) -> bytes | None:
    """Contact data as one ciphertext bound to its record; None when there is none."""
    kept = {name: value for name, value in parts.items() if value}
    return keys.seal("narrative", record.bytes, orjson.dumps(kept)) if kept else None


def open_contact(keys: KeyRing, record: UUID, sealed: bytes | None) -> dict[str, str]:
    """What `seal_contact` sealed. Whoever calls this records the reading in the audit log."""
    return {} if sealed is None else orjson.loads(keys.open("narrative", record.bytes, bytes(sealed)))


def person_token(keys: KeyRing, kind: str, value: str | None) -> bytes | None:
    """The keyed token under which a person's name, phone or identity number is found again."""
    return keys.token("target", "person", kind, value) if value else None


@lru_cache(maxsize=64)
def _update(table: Table, columns: tuple[str, ...]) -> TextClause:
    arrays, selected = [], []
    for name in ("id", *columns):
        kind = table.c[name].type
        json = isinstance(kind, JSONB)
        arrays.append(f"CAST(:{name} AS {'text' if json else kind.compile(dialect=_DIALECT)}[])")
        selected.append(f"{name} = rows.{name}::jsonb" if json else f"{name} = rows.{name}")
    return text(
        f"UPDATE {table.name} SET {', '.join(selected[1:])} FROM unnest({', '.join(arrays)}) "
        f"AS rows(id, {', '.join(columns)}) WHERE {table.name}.id = rows.id"
    )


async def update_many(conn: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change many rows by id in one statement; all rows have the same keys, one of them `id`."""
    if not rows:
        return
    columns = tuple(name for name in rows[0] if name != "id")
    values = {
        name: [
            orjson.dumps(row[name]).decode() if isinstance(table.c[name].type, JSONB) else row[name] for row in rows
        ]
        for name in ("id", *columns)
    }
    await conn.execute(_update(table, columns), values)


def same_version(version: int, wanted: int) -> None:
    """Outdated unless the row is still the one that the caller saw."""
    if version != wanted:
        raise Outdated(
            "内容已被他人更改；您的修改未保存。请打开最新内容后重做。 "
            "Somebody changed it meanwhile; your change was not kept. Open it again."
        )


def raised(answer: object) -> None:
    """Raise what an idempotency look-up found to clash."""
    if isinstance(answer, Conflict):
        raise answer
