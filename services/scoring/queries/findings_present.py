"""A finding as its readers are shown it: with its worth under the rulebooks, its facts and where they are opened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.scoring.commands.findings.basis import Basis
from services.scoring.commands.findings.deciding import RIGHTS, why_not
from services.scoring.commands.findings.rows import finding_of, worth
from services.scoring.domain.detectors import CONDITIONS
from services.scoring.domain.findings import COUNTS, FindingState, FindingStep
from services.scoring.domain.ledger import Entry
from services.scoring.queries.findings import Full
from services.scoring.schemas.findings import FactOut, FindingFullOut, FindingOut, FindingStepOut, WorthOut
from shared.kit.access import Caller
from shared.rules.law import Text

PAGES = {
    "proceedings": ("casework", "/proceedings/{id}"),
    "cases": ("casework", "/cases/{id}"),
    "leads": ("intake", "/leads/{id}"),
    "handovers": ("intake", "/handovers/{id}"),
    "reports": ("notify", "/reports/{id}"),
    "duties": ("notify", "/duties/{id}"),
    "exposures": ("notify", "/exposures/{id}"),
}
"""Last but one part of a `dataref` → where people open it."""


def title(condition: str) -> Text:
    """What a condition is called."""
    row = CONDITIONS.get(condition)
    return row.name if row is not None else Text(zh=condition, en=condition)


def can(row: Any, caller: Caller, mine: dict[str, bool], now: datetime) -> list[FindingStep]:
    """The steps a caller can take now; `mine`: whether each right reaches this finding."""
    return [step for step, right in RIGHTS.items() if mine[right] and why_not(row, caller, step, now) is None]


def finding_out(basis: Basis, row: Any) -> FindingOut:
    """A finding in a list."""
    return FindingOut(**_common(basis, row))


def finding_full(basis: Basis, full: Full, caller: Caller, now: datetime) -> FindingFullOut:
    """One finding, its words opened; whoever calls this records the reading."""
    row = full.row
    return FindingFullOut(
        **_common(basis, row),
        facts=[_fact(fact) for fact in full.rests_on],
        other_facts=[_fact(fact) for fact in full.later],
        steps=[
            FindingStepOut(
                version=step.version, step=step.step, from_state=step.from_state, state=step.state, at=step.at,
                agency=step.agency, unit=step.unit, words=basis.open(row.finding_id, step.words), before=step.before,
                after=step.after,
            )
            for step in full.steps
        ],
        can=[step.value for step in can(row, caller, full.mine, now)],
    )  # fmt: skip


def counts_now(row: Any) -> bool:
    """Whether it stands in the ledger."""
    return FindingState(row.state) in COUNTS


def _common(basis: Basis, row: Any) -> dict[str, Any]:
    kept = {name: value for name, value in row._mapping.items() if name in FindingOut.model_fields}
    finding, name = finding_of(row), title(row.condition)
    return kept | {
        "title": {"zh": name.zh, "en": name.en},
        "scored_kind": row.subject_kind,
        "worth": [
            WorthOut(
                rulebook=one.rulebook, line=one.line, words=_words(basis, row, one), clause=one.clause, points=one.points, assumed=one.assumed
            )
            for one in worth(basis, finding)
        ],
    }  # fmt: skip


def _words(basis: Basis, row: Any, entry: Entry) -> dict[str, str] | None:
    known = basis.books.shelf.line_of(row.plan, entry.rulebook, entry.line, row.occurred_at)
    return {"zh": known[1].text.zh, "en": known[1].text.en} if known is not None else None


def _fact(row: Any) -> FactOut:
    dataref = row.data.get("dataref")
    return FactOut(
        event_id=row.event_id, type=row.type, at=row.at, recorded_at=row.recorded_at, dataref=dataref,
        data={k: v for k, v in row.data.items() if k not in ("dataref", "plan")},
    )  # fmt: skip


def page_of(dataref: str | None) -> tuple[str, str] | None:
    """Service and path of the page of what a dataref names, where it has one."""
    kind, _, found = (dataref or "").partition("/v1/")[2].partition("/")
    if kind not in PAGES or not found:
        return None
    service, path = PAGES[kind]
    return service, path.format(id=found.partition("/")[0].partition("?")[0])
