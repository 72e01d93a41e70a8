"""Rulebooks, drafts and what-ifs as they are shown."""

from __future__ import annotations

from typing import Any

from services.scoring.domain.rulebooks.drafts import BY_ANOTHER, TRANSITIONS, DraftAct, DraftState
from services.scoring.domain.whatif import Cause, Compared
from services.scoring.queries.rulebooks import Standing
from services.scoring.schemas.rulebooks import CauseOut, ComparedOut, DraftOut, RulebookFindingOut, RulebookOut
from shared.kit.access import Caller
from shared.rules.plan import Plan
from shared.rules.plan.findings import Finding


def rulebook_out(one: Standing) -> RulebookOut:
    """A version as data."""
    book = one.rulebook
    return RulebookOut(
        rulebook=book.id,
        edition=book.version,
        ledger_name=book.name,
        title=book.title,
        plans=list(book.plans),
        valid_from=book.valid_from,
        until=one.until,
        state=one.state,
        clause=book.clause,
        lines=len(book.lines),
        assumed=sum(line.assumed for line in book.lines),
        origin=one.origin,
        published_at=one.published_at,
        drafted_by=one.drafted_by,
        published_by=one.published_by,
        sha256=one.sha256,
    )


def finding_out(one: Finding) -> RulebookFindingOut:
    """A mistake or doubt."""
    return RulebookFindingOut(severity=one.severity, line=one.where.line, code=one.code, zh=one.text_zh, en=one.text_en)


def draft_acts(row: Any, caller: Caller, plan: Plan | None) -> list[str]:
    """What a caller can do with a draft now."""
    found = []
    for state, act in TRANSITIONS:
        if state != DraftState(row.state):
            continue
        if act in BY_ANOTHER:
            may = (
                caller.reach("rulebook.publish") is not None
                and plan is not None
                and plan.may_approve(caller.posts, "rulebook.publish")
                and caller.actor not in (row.drafted_by, row.submitted_by)
            )
        else:
            may = caller.reach("rulebook.draft") is not None
        if may:
            found.append(DraftAct(act).value)
    return found


def draft_fields(row: Any, caller: Caller, plan: Plan | None) -> dict[str, Any]:
    """A draft's fields."""
    names = [name for name in DraftOut.model_fields if name != "can"]
    return {name: getattr(row, name) for name in names} | {"can": draft_acts(row, caller, plan)}


def compared_out(one: Compared, most: int) -> ComparedOut:
    """A subject of a what-if."""
    before, after = one.before, one.after
    return ComparedOut(
        subject_kind=one.subject_kind,
        subject=one.subject,
        agency=one.agency,
        unit=one.unit,
        score_before=before.score,
        score_after=after.score,
        difference=one.difference,
        band_before=before.band.id if before.band else None,
        band_after=after.band.id if after.band else None,
        vetoed_before=list(before.vetoed_by),
        vetoed_after=list(after.vetoed_by),
        causes=[_cause(cause) for cause in one.causes[:most]],
        causes_count=len(one.causes),
    )


def _cause(one: Cause) -> CauseOut:
    return CauseOut(
        basis=one.basis,
        basis_id=one.basis_id,
        entry_id=one.entry_id,
        occurred_on=one.occurred_on,
        line_before=one.before.line,
        points_before=one.before.points,
        line_after=one.after.line,
        points_after=one.after.points,
        difference=one.difference,
    )
