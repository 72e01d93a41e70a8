"""A register brought in from a file: tried first, each wrong row told by field and reason, safe to repeat (D-E3)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.adapters.sheets import HEADINGS, Line, read_sheet
from services.intake.commands.registers.named import RIGHTS, upsert_named
from services.intake.commands.registers.units import upsert_units
from services.intake.schemas.registers import ROWS, RowError, RowOutcome
from shared.kit import db
from shared.kit.access import Caller
from shared.kit.problem import Forbidden
from shared.kit.service import Service
from shared.rules.plan import Plan

CHUNK = 1000
"""Rows checked and recorded by one set of statements."""
MOST_TOLD = 500
"""Rejected rows listed in one answer."""

_SAID = {
    "missing": "必填 / required",
    "string_too_short": "必填 / required",
    "string_too_long": "太长 / too long",
    "less_than_equal": "数字过大 / too large",
    "greater_than_equal": "数字过小 / too small",
    "string_type": "请按文字填写 / must be text",
}


class _Undo(Exception):
    """Ends the transaction of a trial without a trace."""


async def import_register(
    service: Service, caller: Caller, plan: Plan, register: str, content: bytes, dry_run: bool, now: datetime
) -> dict[str, Any]:
    """Bring a file in, in one transaction; a dry run tells the same and keeps nothing.

    Wrong rows are rejected, the others recorded; a row known by its number or address is brought up to date, so the
    same file again changes nothing. Raises what `read_sheet` raises, and Forbidden without the register's right.
    """
    if caller.reach(RIGHTS[register]) is None:
        raise Forbidden("您的岗位不能导入这本名录。 Your post may not import this register.", right=RIGHTS[register])
    lines = await asyncio.to_thread(read_sheet, register, content)
    outcomes: list[RowOutcome] = []
    try:
        async with db.begin(service.engine) as conn:
            for start in range(0, len(lines), CHUNK):
                outcomes += await _chunk(conn, service, caller, plan, register, lines[start : start + CHUNK], now)
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    counts = {status: 0 for status in ("created", "changed", "same", "rejected")}
    for outcome in outcomes:
        counts[outcome.status] += 1
    return {
        "register": register,
        "dry_run": dry_run,
        "rows": len(lines),
        **counts,
        "rejects": [outcome.model_dump() for outcome in outcomes if outcome.status == "rejected"][:MOST_TOLD],
    }


async def _chunk(
    conn: AsyncConnection, service: Service, caller: Caller, plan: Plan, register: str, lines: Sequence[Line], now: datetime
) -> list[RowOutcome]:
    await asyncio.sleep(0)  # a long import must not keep a held person's tip waiting
    wrong, rows = validated(register, lines)
    if register == "rentals":
        told = await upsert_units(conn, service, caller, plan, rows, now)
    else:
        told = await upsert_named(conn, service, caller, plan, register, rows, now)
    return sorted([*wrong, *told], key=lambda outcome: outcome.row)


def validated(register: str, lines: Sequence[Line]) -> tuple[list[RowOutcome], list[tuple[int, Any]]]:
    """Lines as rows of the register, and the outcomes of those that cannot be."""
    model = ROWS[register]
    wrong: list[RowOutcome] = []
    rows: list[tuple[int, Any]] = []
    for line in lines:
        try:
            rows.append((line.at, model.model_validate(line.cells)))
        except ValidationError as error:
            wrong.append(RowOutcome(row=line.at, status="rejected", errors=_told(error)))
    return wrong, rows


def _told(error: ValidationError) -> list[RowError]:
    return [
        RowError(
            field=str(one["loc"][0]) if one["loc"] else "row", code=one["type"], message=_SAID.get(one["type"], one["msg"])
        )
        for one in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def heading(register: str, field: str) -> str:
    """A field as its column is called."""
    return HEADINGS[register].get(field, (field,))[0]
