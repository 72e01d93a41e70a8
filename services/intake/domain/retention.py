"""How long reporters' words are kept (个人信息保护法 art. 19: no longer than needed). No I/O."""

from datetime import datetime

from shared.rules.law import Unit

GONE_ZH = "（已超过保存期限，内容已销毁）"
"""What is read where a reporter's words were, once their key is destroyed."""


def cutoff(now: datetime, unit: Unit, amount: int) -> datetime:
    """What came before this moment has been kept for its time. Raises ValueError for a unit that counts no days.

    A day that a month does not have becomes its last one, so nothing is destroyed early.
    """
    if unit is Unit.CALENDAR_DAYS:
        return datetime.fromtimestamp(now.timestamp() - amount * 86_400, now.tzinfo)
    if unit not in (Unit.MONTHS, Unit.YEARS):
        raise ValueError(f"retention counts calendar days, months or years, not {unit}")
    months = now.year * 12 + now.month - 1 - amount * (12 if unit is Unit.YEARS else 1)
    year, month = divmod(months, 12)
    for day in range(now.day, 27, -1):
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return now.replace(year=year, month=month + 1)
