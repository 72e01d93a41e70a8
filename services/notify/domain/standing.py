"""Where an officer or an agency's system stands, checked against the plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.rules.plan import Plan
from shared.rules.plan.vocabulary import scope_parts


@dataclass(frozen=True, slots=True)
class Standing:
    """Agency, unit, posts and areas of an officer."""

    plan: str
    agency: str
    unit: str | None
    posts: tuple[str, ...]
    areas: tuple[str, ...]


def faults(plan: Plan, standing: Standing) -> list[tuple[str, str]]:
    """(field, value) of all that the plan does not know; nothing when the standing holds."""
    try:
        agency = plan.agency(standing.agency)
    except KeyError:
        return [("agency", standing.agency)]
    wrong = []
    if standing.unit is not None and agency.unit(standing.unit) is None:
        wrong.append(("unit", standing.unit))
    posts = {post.id for post in plan.posts}
    wrong += [("posts", post) for post in standing.posts if post not in posts]
    areas = {area.id for area in plan.areas}
    wrong += [("areas", area) for area in standing.areas if area not in areas]
    return wrong


def unknown_scopes(scopes: Sequence[str]) -> list[str]:
    """The scopes that are no right of the system's vocabulary, with or without a reach (`trace.read:plan`)."""
    unknown = []
    for scope in scopes:
        try:
            scope_parts(scope)
        except ValueError:
            unknown.append(scope)
    return unknown


def withdrawn_from(now: datetime) -> datetime:
    """From when tokens count again after a withdrawal: the next full second, since tokens are stamped in seconds."""
    return now.replace(microsecond=0) + timedelta(seconds=1)


def stamp(now: datetime, valid_from: datetime) -> datetime:
    """When a token says it was issued: never before the standing it speaks for, or it would be refused at birth."""
    return max(now, valid_from)
