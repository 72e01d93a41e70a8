"""Pages of scoring: the league table, and a unit's entries with the rule line and clause behind each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from services.scoring import queries
from services.scoring.domain.board import spots
from services.scoring.domain.rulebooks import Rulebooks
from services.scoring.queries import LedgerFilter, explaining
from services.scoring.queries.board import WIDE
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.problem import NotFound
from shared.kit.service import Service
from shared.rules.plan.sketch import HEIGHT, WIDTH
from shared.web.i18n import N_
from shared.web.render import page

router = APIRouter(include_in_schema=False, tags=["pages"])

RIGHT = "score.read"
_ROWS = 50
LATELY = 30
"""Days that a trend looks back."""

OUTCOMES = (
    (None, N_("All entries")),
    ("met", N_("In time")),
    ("late", N_("Late or not done")),
)
"""What a unit's entries can be narrowed to."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A standing with its place; equal points share one."""

    place: int
    row: Any
    lately: Any = 0


def league(rows: Sequence[Any], lately: Mapping[tuple[Any, ...], Any] | None = None) -> list[tuple[str, str, list[Placed]]]:
    """Standings (best first) by plan and rulebook, each with its place."""
    tables: dict[tuple[str, str], list[Placed]] = {}
    for row in rows:
        table = tables.setdefault((row.plan, row.rulebook), [])
        equal = bool(table) and table[-1].row.points == row.points
        key = (row.plan, row.rulebook, row.agency, row.unit, row.subject_kind, row.subject)
        table.append(Placed(table[-1].place if equal else len(table) + 1, row, (lately or {}).get(key, 0)))
    return [(plan, rulebook, table) for (plan, rulebook), table in tables.items()]


@router.get("/")
async def front(request: Request, caller: Caller = Depends(Requires(RIGHT))) -> RedirectResponse:
    """The league table is the front page."""
    return RedirectResponse(f"{request.app.state.settings.root_path}/scores", status_code=303)


@router.get("/scores")
async def scores(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    plan: Annotated[str | None, Query(max_length=48)] = None,
) -> HTMLResponse:
    """The league table of the units within the caller's reach; of one town (`plan`), with its map sketch."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        rows = await queries.standings(conn, caller, RIGHT, plan=plan)
        now = clock.now()
        lately = await queries.trend(conn, caller, RIGHT, now.astimezone(clock.CHINA).date() - timedelta(days=LATELY))
    tables = league(rows, lately)
    shelf = request.app.state.books.shelf
    books = [
        (plan, one.title, [line for line in one.lines if line.points is not None])
        for plan in dict.fromkeys(plan for plan, _, _ in tables if plan in service.plans)
        for one in shelf.in_force(plan, now)
    ]
    plans = {row.plan for row in rows} & set(service.plans)
    wide = caller.reach(RIGHT) in WIDE
    mapped = plans.pop() if wide and len(plans) == 1 else None
    return page(
        request,
        "scores.html",
        {
            "tables": tables,
            "books": books,
            "titles": book_titles(shelf),
            "wide": wide,
            "mapped": mapped,
            "spots": spots(service.plans[mapped], rows) if mapped else [],
            "width": WIDTH,
            "height": HEIGHT,
        },
        service="scoring",
        caller=caller,
    )


@router.get("/scores/{agency}")
async def unit_scores(
    request: Request,
    agency: str,
    caller: Caller = Depends(Requires(RIGHT)),
    plan: Annotated[str | None, Query(max_length=48)] = None,
    unit: Annotated[str | None, Query(max_length=48)] = None,
    outcome: Annotated[str | None, Query(pattern="^(met|late)$")] = None,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> HTMLResponse:
    """An agency's (or one unit's) standing and its entries, newest first."""
    service: Service = request.app.state.service
    after = pagination.decode(cursor, (int,))
    chosen = plan or caller.plan
    wanted = LedgerFilter(plan=chosen, agency=agency, unit=unit, outcome=outcome)
    async with db.begin(service.engine) as conn:
        rows = await queries.standings(conn, caller, RIGHT, plan=chosen, agency=agency)
        rows = [row for row in rows if unit is None or (row.unit or "") == unit]
        if not rows:
            raise NotFound("没有这个单位的记分，或不在您的权限内。 No scores of this unit within your reach.")
        found = await queries.entries(
            conn, caller, RIGHT, wanted, after=after[0] if after else None, limit=_ROWS, newest_first=True
        )
        explained = await explaining.explain(
            conn, caller, RIGHT, LedgerFilter(plan=chosen, agency=agency, unit=unit), after=None, limit=0
        )
    shown, following = pagination.page(found, _ROWS, lambda row: (row.seq,))
    return page(
        request,
        "unit.html",
        {
            "agency": agency,
            "plan": chosen,
            "unit": unit,
            "outcome": outcome,
            "outcomes": OUTCOMES,
            "standings": rows,
            "points": sum(row.points for row in rows),
            "in_time": sum(row.in_time for row in rows),
            "late": sum(row.late for row in rows),
            "entries": shown,
            "lines": explained.lines,
            "next": following,
            "line_text": line_texts(request.app.state.books.shelf, chosen or ""),
            "titles": book_titles(request.app.state.books.shelf),
        },
        service="scoring",
        caller=caller,
    )


def book_titles(shelf: Rulebooks) -> dict[tuple[str, str], Any]:
    """Plan and what entries call a rulebook → the title of its newest version."""
    versions = sorted(shelf, key=lambda one: one.valid_from)
    return {(plan, one.name): one.title for one in versions for plan in one.plans}


def line_texts(shelf: Rulebooks, plan: str) -> dict[str, Any]:
    """Line → its words, by the newest version of the plan's rulebooks that has it."""
    versions = sorted((one for one in shelf if plan in one.plans), key=lambda one: one.valid_from)
    return {line.id: line.text for one in versions for line in one.lines}
