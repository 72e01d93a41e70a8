"""HTTP bodies of figures over time."""

from datetime import date
from typing import Literal

from pydantic import BaseModel


class Series(BaseModel):
    """One community's or kind's figures; `code` is empty for tips whose place is not known."""

    code: str | None
    tips: list[int]
    urgent: list[int]


class TrendsOut(BaseModel):
    """Tips about pyramid selling within the caller's reach, by week or month.

    `starts` are the first days; the last one may not be over. A tip of two kinds counts with each of them.
    """

    by: Literal["area", "kind"]
    span: Literal["week", "month"]
    starts: list[date]
    series: list[Series]
    counted_every_s: int
