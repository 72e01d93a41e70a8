"""The register of document numbers: consecutive per issuer, series and year, without gap or double."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.documents.desk import Desk
from services.casework.domain.documents.kinds import check_style
from services.casework.domain.documents.numbers import mark_of, number, place_of, style_of
from services.casework.tables import document_numbers, document_styles, documents, kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.problem import Conflict, Invalid, NotFound, Outdated
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

_NEXT = text(
    """
    INSERT INTO document_numbers (plan, issuer, series, year, last, first) VALUES (:plan, :issuer, :series, :year, 1, 1)
    ON CONFLICT (plan, issuer, series, year) DO UPDATE SET last = document_numbers.last + 1 RETURNING last
    """
)
# The row stays locked until the issuing transaction ends: the next one waits, and a refusal gives the number back.


async def take(
    conn: AsyncConnection, desk: Desk, plan: Plan, issuer: str, series_id: str, now: datetime
) -> tuple[int, int, str]:
    """The next number of a series this year: year, serial and the number as printed.

    Raises `Conflict` when its style makes a number that another document has.
    """
    year = local_day(now).year
    where = {"plan": plan.id, "issuer": issuer, "series": series_id, "year": year}
    serial = (await conn.execute(_NEXT, where)).scalar_one()
    made = printed(desk, plan, issuer, series_id, await current_style(conn, desk, plan, issuer, series_id), year, serial)
    taken = select(documents.c.id).where(documents.c.plan == plan.id, documents.c.number == made)
    if await conn.scalar(taken) is not None:
        raise Conflict(
            f"文号 {made} 已被另一份文书使用：编号样式与别的序列或单位重复。请在编号登记簿改样式后再签发；文书未变。 "
            f"The number {made} is taken: two series share one style. Change the style in the register; nothing was changed.",
            code="number-taken",
        )
    return year, serial, made


def printed(desk: Desk, plan: Plan, issuer: str, series_id: str, style: str, year: int, serial: int) -> str:
    """A number in a style."""
    mark, _ = mark_of(plan, issuer, desk.catalogue.marks)
    word = desk.catalogue.series[series_id].word
    return number(style, place=place_of(plan), mark=mark, word=word, year=year, n=serial)


async def current_style(conn: AsyncConnection, desk: Desk, plan: Plan, issuer: str, series_id: str) -> str:
    """The style in use: the office's own, else the plan's, else the default."""
    s = document_styles.c
    own = await conn.scalar(select(s.style).where(s.plan == plan.id, s.issuer == issuer, s.series == series_id))
    return own or style_of(plan, desk.catalogue.series[series_id], issuer)


async def set_style(
    conn: AsyncConnection, desk: Desk, caller: Caller, plan: Plan, issuer: str, series_id: str, style: str, *,
    version: int, now: datetime,
) -> None:  # fmt: skip
    """An office sets the style of its numbers from now on; the register goes on counting.

    Raises `NotFound`, `Invalid` for a style that cannot be, or `Outdated`. `version` 0: none was set before.
    """
    if series_id not in desk.catalogue.series:
        raise _no_series()
    try:
        check_style(style)
    except ValueError as error:
        zh, _, en = str(error).partition(" / ")
        raise Invalid(
            f"{zh}；未作更改。 {en}; nothing was changed.",
            code="bad-style",
            errors=[{"field": "style", "code": "bad-style", "message": str(error)}],
        ) from error
    s = document_styles.c
    where = (s.plan == plan.id, s.issuer == issuer, s.series == series_id)
    row = (await conn.execute(select(document_styles).where(*where).with_for_update())).one_or_none()
    if (row.version if row else 0) != version:
        raise Outdated(
            "编号样式已被他人更改，您的更改未保存；请看过现样式再改。 "
            "Somebody changed the style meanwhile; nothing was saved. Look at it, then change it again.",
            current=str(row.version if row else 0),
        )
    kept = {"style": style, "version": version + 1, "set_at": now, "set_by": caller.actor}
    if row is None:
        made = await insert_many(
            conn, document_styles, [{"plan": plan.id, "issuer": issuer, "series": series_id} | kept],
            conflict="ON CONFLICT DO NOTHING", returning="version",
        )  # fmt: skip
        if not made:
            raise Outdated("编号样式刚被他人更改，未保存。 Somebody just set the style; nothing was saved.")
    else:
        await conn.execute(document_styles.update().where(*where).values(**kept))
    await audit.record(conn, kit, caller, "document.style", "series", [f"{plan.id}/{issuer}/{series_id}"], now, style=style)


async def set_first(
    conn: AsyncConnection, desk: Desk, caller: Caller, plan: Plan, issuer: str, series_id: str, first: int, now: datetime
) -> None:
    """Begin this year's register at a number, where lower ones were given on paper before.

    Raises `NotFound`, `Invalid`, or `Conflict` once a number was given out here: a register has no gaps.
    """
    if series_id not in desk.catalogue.series:
        raise _no_series()
    if not 1 <= first <= 999_999:
        raise Invalid(
            "起始号为 1–999999；未作更改。 The first number is 1 to 999999; nothing was changed.",
            code="bad-first",
            errors=[{"field": "first", "code": "bad-first", "message": "1–999999"}],
        )
    year = local_day(now).year
    n = document_numbers.c
    where = (n.plan == plan.id, n.issuer == issuer, n.series == series_id, n.year == year)
    row: dict[str, Any] = {"plan": plan.id, "issuer": issuer, "series": series_id, "year": year, "last": first - 1, "first": first}
    await insert_many(conn, document_numbers, [row], conflict="ON CONFLICT DO NOTHING")
    kept = (await conn.execute(select(document_numbers).where(*where).with_for_update())).one()
    if kept.last != kept.first - 1:
        raise Conflict(
            f"今年已编到第 {kept.last} 号，不能再改起始号；登记簿未变。 "
            f"Number {kept.last} was given out this year, so its start stays; nothing was changed.",
            code="register-in-use",
            last=kept.last,
        )
    await conn.execute(document_numbers.update().where(*where).values(last=first - 1, first=first))
    await audit.record(conn, kit, caller, "document.first", "series", [f"{plan.id}/{issuer}/{series_id}"], now, first=first, year=year)


def _no_series() -> NotFound:
    return NotFound("没有这个编号序列。 No such number series.", code="no-such-series")
