"""Times as people say them, in China time. Pure: `now` is passed in."""

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.kit.clock import CHINA

Translate = Callable[[str], str]
Plural = Callable[[str, str, int], str]

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def said(moment: datetime, now: datetime, _: Translate) -> str:
    """Today 14:30, yesterday 09:05, 11-20 14:30, 2025-11-20 14:30."""
    local, today = moment.astimezone(CHINA), now.astimezone(CHINA)
    clock = f"{local:%H:%M}"
    days = (local.date() - today.date()).days
    if days in (-1, 0, 1):
        word = {-1: _("Yesterday"), 0: _("Today"), 1: _("Tomorrow")}[days]
        return f"{word} {clock}"
    if local.year == today.year:
        return _("%(month)d/%(day)d") % {"month": local.month, "day": local.day} + f" {clock}"
    return f"{local:%Y-%m-%d} {clock}"


def exact(moment: datetime) -> str:
    """2026-11-22 14:30:05, in China time."""
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def span(length: timedelta, _: Translate, plural: Plural) -> str:
    """A length in plain words: 5 days, 1 day 3 hours, 2 hours, 40 minutes, less than a minute."""
    length = abs(length)
    days, hours, minutes = length // _DAY, length % _DAY // _HOUR, length % _HOUR // _MINUTE
    in_days = plural("%(num)d day", "%(num)d days", days) % {"num": days}
    in_hours = plural("%(num)d hour", "%(num)d hours", hours) % {"num": hours}
    in_minutes = plural("%(num)d minute", "%(num)d minutes", minutes) % {"num": minutes}
    if days >= 2 or (days and not hours):
        return in_days
    if days:
        return _("%(larger)s %(smaller)s") % {"larger": in_days, "smaller": in_hours}
    if hours >= 2 or (hours and not minutes):
        return in_hours
    if hours:
        return _("%(larger)s %(smaller)s") % {"larger": in_hours, "smaller": in_minutes}
    return in_minutes if minutes else _("less than a minute")


def remaining(due: datetime, now: datetime, _: Translate, plural: Plural) -> str:
    """What is left of a limit: 2 days left, or 3 hours overdue."""
    length = span(due - now, _, plural)
    if now > due:
        return _("%(span)s overdue") % {"span": length}
    return _("%(span)s left") % {"span": length}


def tone(due: datetime, now: datetime, start: datetime | None = None) -> str:
    """How a running limit looks: `late`, `soon` (a day or a fifth of it is left), or `calm`."""
    if now > due:
        return "late"
    left = due - now
    whole = due - start if start is not None else None
    return "soon" if left <= _HOUR or (whole and left <= min(_DAY, whole / 5)) else "calm"
