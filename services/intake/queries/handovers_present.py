"""Handovers and what belongs to them as their readers are shown them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.intake.queries import handovers as queries
from shared.kit.access import Caller
from shared.kit.service import Service
from shared.rules.plan import Plan


def place(plan: Plan | None, agency: str | None, unit: str | None, distributor: str | None = None) -> dict[str, Any]:
    """An agency with its unit by name; a distributor's line by its own name."""
    zh = en = agency or distributor or ""
    if plan is not None and agency is not None:
        try:
            found = plan.agency(agency)
            zh, en = found.name.zh, found.name.en
            part = found.unit(unit) if unit else None
            if part:
                zh, en = f"{zh}{part.name.zh}", f"{en}, {part.name.en}"
        except KeyError:
            pass
    elif plan is not None and plan.handover and distributor:
        line = plan.handover.distributor(distributor)
        if line:
            zh, en = line.name.zh, line.name.en
    return {"agency": agency, "unit": unit, "name": {"zh": zh, "en": en}}


def reason_words(plan: Plan | None, code: str | None) -> dict[str, str] | None:
    """A reason in words; its code where the plan no longer has it."""
    if code is None:
        return None
    if plan is not None and plan.handover:
        for one in plan.handover.reasons:
            if one.id == code:
                return {"zh": one.name.zh, "en": one.name.en}
    return {"zh": code, "en": code}


def handover_out(service: Service, caller: Caller, row: Any, now: datetime) -> dict[str, Any]:
    """A handover in a list."""
    plan = service.plans.get(row.plan)
    base = service.settings.base_url("intake")
    here = f"{base}/v1/handovers/{row.id}"
    may = queries.possible(caller, row)
    matter = f"/leads/{row.lead_id}" if row.lead_id else f"/tips/{row.tip_id}"
    return {
        "handover_id": row.id,
        "number": row.number,
        "their_number": row.their_number,
        "lead_id": row.lead_id,
        "tip_id": row.tip_id,
        "plan": row.plan,
        "area": row.area,
        "kinds": row.kinds,
        "urgent": row.urgent,
        "source": place(plan, row.from_agency, row.from_unit),
        "to": place(plan, row.to_agency, row.to_unit, row.distributor),
        "distributor": row.distributor,
        "reason": row.reason,
        "reason_words": reason_words(plan, row.reason),
        "answer_reason": row.answer_reason,
        "answer_reason_words": reason_words(plan, row.answer_reason),
        "assigned": place(plan, row.assigned_agency, row.assigned_unit) if row.assigned_agency else None,
        "state": row.state,
        "attempt": row.attempt,
        "rule": row.rule,
        "article": row.article,
        "certainty": row.certainty,
        "due": row.due,
        "provisional": row.provisional,
        "late": bool(row.answer_late_at or row.decision_late_at)
        or (row.state in ("proposed", "escalated") and row.due < now),
        "proposed_at": row.proposed_at,
        "answered_at": row.answered_at,
        "escalated_at": row.escalated_at,
        "decided_at": row.decided_at,
        "version": row.version,
        "may": may,
        "links": {"self": here, "page": f"{base}/handovers/{row.id}", "matter": f"{base}/v1{matter}"}
        | {action: f"{here}/{action}" for action in may},
    }


def handover_full(
    service: Service, caller: Caller, row: Any, now: datetime, note: str, answer_note: str
) -> dict[str, Any]:
    """One handover with its opened words and its history."""
    lines = [
        {key: one.get(key) for key in ("version", "step", "agency", "unit", "reason")}
        | {"at": datetime.fromisoformat(one["at"])}
        for one in row.history
    ]
    return handover_out(service, caller, row, now) | {"note": note, "answer_note": answer_note, "history": lines}


def figure_out(plan: Plan | None, row: Any) -> dict[str, Any]:
    """One agency's figures."""
    return {
        "agency": row.agency,
        "name": place(plan, row.agency, None)["name"],
        "answer_seconds_mean": float(row.mean) if row.mean is not None else None,
        "answer_seconds_most": float(row.most) if row.most is not None else None,
    } | {
        name: getattr(row, name)
        for name in ("received", "accepted", "refused", "returned", "late", "open", "sent", "sent_back")
    }


def matter_out(service: Service, row: Any) -> dict[str, Any]:
    """A bounced matter."""
    plan = service.plans.get(row.plan)
    held = place(plan, None if row.distributor else row.agency, None if row.distributor else row.unit, row.distributor)
    return {
        name: getattr(row, name)
        for name in (
            "lead_id", "tip_id", "plan", "area", "kinds", "urgent", "handovers", "bounces", "late", "first_at", "last_at",
        )
    } | {"holder": held}  # fmt: skip


def supplement_out(row: Any) -> dict[str, Any]:
    """A supplement without its words."""
    return {"supplement_id": row.id} | {
        name: getattr(row, name)
        for name in ("lead_id", "agency", "unit", "state", "asked_at", "due", "ended_at", "version")
    }
