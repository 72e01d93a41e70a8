"""Cursor pagination: a page points at the next by the last row's sort values, so nothing is skipped or shown twice."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel

from shared.kit.problem import BadRequest

T = TypeVar("T")

MOST = 200
"""Rows a page at the most."""


class Page(BaseModel, Generic[T]):
    """One page; `next` is the cursor of the following one, null at the end."""

    items: list[T]
    next: str | None = None


def encode(values: Sequence[Any]) -> str:
    """The cursor after a row with these sort values."""
    return base64.urlsafe_b64encode(orjson.dumps(list(values), default=str)).rstrip(b"=").decode()


def decode(cursor: str | None, parsers: Sequence[Callable[[Any], Any]]) -> tuple[Any, ...] | None:
    """The sort values in a cursor; BadRequest for one we did not make."""
    if not cursor:
        return None
    try:
        raw = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if len(raw) != len(parsers):
            raise ValueError
        return tuple(parse(value) for parse, value in zip(parsers, raw, strict=True))
    except (binascii.Error, ValueError, TypeError, UnicodeDecodeError) as error:
        raise BadRequest("分页游标无效，请从第一页开始。 The cursor is not ours; start at the first page.") from error


def page(
    rows: Sequence[Any], limit: int, sort_values: Callable[[Any], Sequence[Any]]
) -> tuple[Sequence[Any], str | None]:
    """Cut `limit + 1` fetched rows to a page and its next cursor."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode(sort_values(rows[limit - 1]))
