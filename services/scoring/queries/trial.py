"""A what-if over a period's facts (last year under this year's rules). Reads, reckons, keeps nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncEngine

from services.scoring.domain.books import Books
from services.scoring.domain.rulebook import Rulebook as View
from services.scoring.domain.rulebooks import Rulebook
from services.scoring.domain.whatif import Compared, compare
from services.scoring.queries.rulebooks import MOST_FACTS, facts
from shared.kit import db
from shared.kit.access import Caller
from shared.kit.problem import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial found."""

    plan: str
    before: Rulebook
    after: Rulebook
    first: date
    last: date
    obligations: int
    decisions: int
    units: tuple[Compared, ...]


def by_ref(books: Books, ref: str) -> Rulebook:
    """The version that `id@version` names; an id alone means its newest. Raises `NotFound`."""
    rulebook_id, _, version = ref.partition("@")
    found = (
        books.shelf.get(rulebook_id, version) if version else next(iter(books.shelf.versions(rulebook_id)[::-1]), None)
    )
    if found is None:
        raise NotFound(
            f"没有细则“{ref}”；写成 id@version。 There is no rulebook “{ref}”; write id@version.",
            code="no-such-rulebook",
        )
    return found


def counterpart(books: Books, plan: str, after: Rulebook, last: date) -> Rulebook:
    """What to compare a version with: the one of its id in force at the end, else the plan's for the same subjects."""
    in_force = [one for one in books.shelf.in_force(plan, last) if one.ref != after.ref]
    for one in in_force:
        if one.id == after.id:
            return one
    versions = [one for one in books.shelf.versions(after.id) if one.ref != after.ref]
    if versions:
        return versions[-1]
    if not in_force:
        raise NotFound(
            "这一时期没有可比的细则；请用 against 指定。 No rulebook to compare with then; name one by `against`.",
            code="nothing-to-compare",
        )
    return max(in_force, key=lambda one: (len(set(one.subjects) & set(after.subjects)), len(one.lines)))


async def trial(
    engine: AsyncEngine,
    books: Books,
    caller: Caller,
    plan: str,
    before: Rulebook,
    after: Rulebook,
    first: date,
    last: date,
) -> Trial:
    """The facts of a period (China days, inclusive) under both versions; units within the caller's reach.

    Raises `Invalid` for a period that is too long or upside down, `NotFound` for a plan that is not the caller's.
    """
    reach = caller.reach("score.read")
    if plan not in books or (reach != "all" and plan != caller.plan):
        raise NotFound("没有这个方案，或不在您的权限内。 No such plan within your reach.", code="plan-not-found")
    if last < first:
        raise Invalid("结束日早于开始日。 The period ends before it begins.", code="upside-down")
    async with db.begin(engine) as conn:
        found = await facts(conn, books, plan, first, last)
    if found is None:
        raise Invalid(
            f"这一时期的事项超过 {MOST_FACTS} 件；请分段试算。 More than {MOST_FACTS} matters; try shorter periods.",
            code="too-much",
        )
    left, right = (_view(books, plan, one) for one in (before, after))
    units = await asyncio.to_thread(compare, found, left, right, before, after)
    if reach not in ("plan", "all"):
        units = tuple(one for one in units if one.agency == caller.agency)
    return Trial(plan, before, after, first, last, len(found.obligations), len(found.decisions), units)


def _view(books: Books, plan: str, version: Rulebook) -> View:
    of_plan = books[plan]
    return View(
        plan=plan, id=version.name, lines={}, homes=of_plan.homes, communities=of_plan.communities, source=version,
        office=of_plan.plan.office,
    )  # fmt: skip
