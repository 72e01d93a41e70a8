"""Documents as their readers are shown them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.casework.domain.documents import values as v
from services.casework.domain.documents.catalogue import Catalogue
from services.casework.domain.documents.kinds import OFFICE, Basis, DocumentField, Kind
from services.casework.domain.documents.states import (
    FROZEN,
    DocumentAction,
    DocumentState,
    next_document_state,
)
from services.casework.domain.states import TransitionRefused
from shared.kit.access import Caller
from shared.rules.law import LawBook, Text
from shared.rules.plan import Plan

_NEEDS = {
    DocumentAction.EDIT: "document.draft",
    DocumentAction.DISCARD: "document.draft",
    DocumentAction.ISSUE: "document.issue",
    DocumentAction.SERVE: "document.issue",
    DocumentAction.WITHDRAW: "document.issue",
}


def words(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def name_of(plan: Plan | None, issuer: str) -> dict[str, str]:
    """An issuer's name; its code where the plan no longer has it."""
    try:
        if plan is not None:
            return words(plan.office_body.name if issuer == OFFICE else plan.agency(issuer).name)
    except KeyError:
        pass
    return {"zh": issuer, "en": issuer}


def basis_out(one: Basis) -> dict[str, Any]:
    return {
        "cited": one.cited,
        "certainty": one.certainty,
        "unverified": one.certainty != "T",
        "note": words(one.note) if one.note else None,
    }


def field_out(field: DocumentField) -> dict[str, Any]:
    return {
        "id": field.id,
        "name": words(field.name),
        "type": field.type,
        "required": field.required,
        "source": field.source,
        "longest": field.longest,
        "least": field.least,
        "personal": field.personal or field.type == "person",
        "hint": words(field.hint) if field.hint else None,
        "options": [{"id": one.id, "name": words(one.name)} for one in field.options],
        "columns": [
            {"id": one.id, "name": words(one.name), "type": one.type, "required": one.required} for one in field.columns
        ],
    }


def fault_out(fault: v.Fault) -> dict[str, Any]:
    return {"field": fault.field, "code": fault.code, "message": {"zh": fault.zh, "en": fault.en}}


@dataclass(frozen=True, slots=True)
class Sight:
    """What the caller is to a document: whether they may read it, write on its issuer's side, and approve it."""

    readable: bool
    own_side: bool
    approves: bool


@dataclass(frozen=True, slots=True)
class DocumentPresenter:
    """Rows of documents as API and pages show them."""

    catalogue: Catalogue
    law: LawBook
    address: str

    def kind_out(self, kind: Kind, *, mine: bool, approval: str | None) -> dict[str, Any]:
        return {
            "id": kind.id,
            "name": words(kind.name),
            "title": kind.printed_title,
            "track": kind.track,
            "issuers": list(kind.issuers),
            "approval": approval,
            "serve": kind.serve,
            "series": kind.series,
            "personal": kind.personal,
            "clauses": list(kind.clauses),
            "basis": [basis_out(one) for one in kind.basis],
            "fields": [field_out(one) for one in kind.fields],
            "mine": mine,
        }

    def document_out(self, caller: Caller, plan: Plan | None, row: Any, sight: Sight) -> dict[str, Any]:
        """A document in a list."""
        kind = self.catalogue.kinds.get(row.kind)
        here = f"{self.address}/v1/documents/{row.id}"
        links = {"self": here, "page": f"{self.address}/documents/{row.id}"}
        if sight.readable and row.state != "discarded":
            links |= {"docx": f"{here}.docx", "pdf": f"{here}.pdf"}
        return {
            "document_id": row.id,
            "case_id": row.case_id,
            "case_number": row.case_number,
            "proceeding_id": row.proceeding_id,
            "kind": row.kind,
            "name": words(kind.name) if kind else {"zh": row.kind, "en": row.kind},
            "issuer": row.issuer,
            "issuer_name": name_of(plan, row.issuer),
            "agency": row.agency,
            "unit": row.unit,
            "confidential": row.confidential,
            "personal": row.personal,
            "approval": row.approval,
            "state": row.state,
            "number": row.number,
            "lacking": row.lacking,
            "written_at": row.written_at,
            "approved_at": row.approved_at,
            "approved_post": row.approved_post,
            "issued_at": row.issued_at,
            "served_at": row.served_at,
            "withdrawn_at": row.withdrawn_at,
            "version": row.version,
            "readable": sight.readable,
            "may": _acts(caller, row, sight),
            "links": links,
        }

    def document_full(
        self, caller: Caller, plan: Plan, row: Any, sight: Sight, contents: dict[str, Any], services: Sequence[Any]
    ) -> dict[str, Any]:
        """One document with what it says: as frozen once it was issued."""
        kind = self.catalogue.kinds[row.kind]
        kept = contents["values"]
        frozen = contents.get("frozen")
        printed = frozen["printed"] if frozen else v.printed(kind, kept, plan)
        unissued = row.state not in FROZEN
        faults = v.missing(kind, kept) + v.beyond_law(kind, kept, plan, self.law) if unissued else []
        return self.document_out(caller, plan, row, sight) | {
            "fields": [
                field_out(one) | {"value": kept.get(one.id), "printed": printed.get(one.id, "")} for one in kind.fields
            ],
            "missing": [fault_out(one) for one in faults],
            "basis": [basis_out(one) for one in kind.basis],
            "services": [
                {"served_at": one.served_at, "way": one.way, "receiver": one.receiver, "in_time": one.in_time}
                for one in services
            ],
            "withdrawal_reason": contents.get("withdrawn", {}).get("reason"),
            "digest": row.digest,
            "history": row.history,
        }


def _acts(caller: Caller, row: Any, sight: Sight) -> list[str]:
    """What the caller may do now: by state, side, right, and for approval by post and another's draft."""
    found = []
    for action in DocumentAction:
        try:
            next_document_state(DocumentState(row.state), action, needs_approval=row.approval is not None)
        except (TransitionRefused, ValueError):
            continue
        if action is DocumentAction.APPROVE:
            allowed = sight.approves and row.written_by != caller.actor and row.lacking == 0
        else:
            allowed = sight.own_side and caller.reach(_NEEDS[action]) is not None
        if action is DocumentAction.WITHDRAW and row.approval is not None:
            allowed = allowed and sight.approves
        if action is DocumentAction.ISSUE:
            allowed = allowed and row.lacking == 0
        if allowed:
            found.append(action.value)
    return found
