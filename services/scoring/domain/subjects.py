"""Who is scored: a town, a community, an agency, a unit of an agency, or a post."""

from __future__ import annotations

from typing import Literal

SubjectKind = Literal["town", "community", "agency", "unit", "post"]


def subject_of(kind: SubjectKind, plan: str, agency: str, unit: str | None) -> str:
    """The id of a subject within its plan. A post has no id of its own here: its caller names it."""
    match kind:
        case "town":
            return plan
        case "unit":
            return f"{agency}/{unit}"
        case "agency" | "community":
            return agency
        case _:
            raise ValueError("a post is named by whoever scores it")


def kind_of(agency: str, unit: str | None, communities: frozenset[str]) -> SubjectKind:
    """What owes an obligation: the unit where one is named, else the community or agency itself."""
    if unit is not None:
        return "unit"
    return "community" if agency in communities else "agency"
