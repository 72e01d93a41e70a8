"""What is shown of cases: rows already filtered by what the caller may see."""

from services.casework.queries.cases import (
    CaseFull,
    Filters,
    Mode,
    after_cursor,
    case_of_lead,
    cursor_of,
    get_case,
    list_cases,
    waiting_counts,
)
from services.casework.queries.deadlines import open_deadlines
from services.casework.queries.journey import journey
from services.casework.queries.present import Presenter

__all__ = [
    "CaseFull",
    "Filters",
    "Mode",
    "Presenter",
    "after_cursor",
    "case_of_lead",
    "cursor_of",
    "get_case",
    "journey",
    "list_cases",
    "open_deadlines",
    "waiting_counts",
]
