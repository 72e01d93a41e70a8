"""Dates as Chinese plans write them: 2015-10-19, 07-05 (year of the plan), 2015-10-上旬, 05-中旬.

上旬, 中旬 and 下旬 are the days 1–10, 11–20 and 21 to the end of the month; a period starts with the first of them
and ends with the last.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

_FORM = re.compile(r"^(?:(\d{4})-)?(\d{1,2})-(?:(\d{1,2})|([上中下])旬)$")


def plan_date(text: str, year: int | None, *, last: bool) -> date:
    """The day meant; ``last`` picks the last day of a 旬. Raises `ValueError` saying what to write instead."""
    found = _FORM.match(text.strip())
    if not found:
        raise ValueError(
            f"“{text}”不是日期；请写 2015-10-19、07-05 或 2015-10-上旬"
            " / not a date; write 2015-10-19, 07-05 or 2015-10-上旬"
        )
    whole, month, day, third = found.groups()
    use_year = int(whole) if whole else year
    if use_year is None:
        raise ValueError(
            f"“{text}”没有年份，方案也没写 year / no year here and the plan gives none (set year)"
        )
    try:
        last_of_month = monthrange(use_year, int(month))[1]
        if third:
            first_day, last_day = {"上": (1, 10), "中": (11, 20), "下": (21, last_of_month)}[third]
            return date(use_year, int(month), last_day if last else first_day)
        return date(use_year, int(month), int(day))
    except ValueError as error:
        raise ValueError(f"“{text}”没有这一天 / there is no day {text}") from error


def _parse(last: bool) -> BeforeValidator:
    def parse(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            return plan_date(value, (info.context or {}).get("year"), last=last)
        return value

    return BeforeValidator(parse)


FromDate = Annotated[date, _parse(False)]
ToDate = Annotated[date, _parse(True)]
