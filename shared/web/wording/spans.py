"""Limits and intervals in words."""

from shared.web.i18n import N_, NN_

UNITS: dict[str, tuple[str, str]] = {
    "minutes": NN_("%(num)d minute", "%(num)d minutes"),
    "hours": NN_("%(num)d hour", "%(num)d hours"),
    "calendar_days": NN_("%(num)d day", "%(num)d days"),
    "working_days": NN_("%(num)d working day", "%(num)d working days"),
    "months": NN_("%(num)d month", "%(num)d months"),
    "years": NN_("%(num)d year", "%(num)d years"),
}
"""Unit of a time limit → one, many."""

INTERVALS: dict[str, tuple[str, str]] = {
    "days": (N_("every day"), N_("every %(num)d days")),
    "weeks": (N_("every week"), N_("every %(num)d weeks")),
    "half_months": (N_("every half month"), N_("every %(num)d half months")),
    "months": (N_("every month"), N_("every %(num)d months")),
}
"""Unit of an interval → one, many."""

AT_ONCE = N_("At once")
