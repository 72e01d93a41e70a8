"""Certifications as they are shown: the checklist with its words, samples, reasons; the public list; a draw to check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.scoring.commands.certificates.basis import Desk
from services.scoring.commands.certificates.rows import refusal
from services.scoring.domain.certificates import sampling
from services.scoring.domain.certificates.checklist import Checklist
from services.scoring.domain.certificates.states import BY_SYSTEM, IN_FORCE, LOST, CertificationState, CertificationStep
from services.scoring.domain.rulebooks import Standard
from services.scoring.schemas.certificates import (
    CertificationFull,
    CertificationOut,
    ChecklistItemOut,
    DrawOut,
    EvidenceOut,
    PublicCertificate,
)
from shared.kit.access import Caller
from shared.rules.calendar import local_day
from shared.rules.law import Text

S = CertificationState
_ROW = (
    "id", "plan", "standard", "rulebook", "holder_kind", "holder", "agency", "area", "state", "round", "number", "started_at",
    "due_on", "applied_at", "applied_score", "granted_at", "valid_until", "suspended_at", "rectify_by", "ended_at", "version",
)  # fmt: skip


def both(text: Text) -> dict[str, str]:
    """A text in both languages."""
    return {"zh": text.zh, "en": text.en}


def title_of(desk: Desk, row: Any) -> dict[str, str]:
    """The standard's title."""
    return both(desk.governing(row)[1].name)


def certification_out(desk: Desk, row: Any) -> CertificationOut:
    """A row of a list."""
    return CertificationOut(
        **{name: getattr(row, name) for name in _ROW}, title=title_of(desk, row), in_force=S(row.state) in IN_FORCE
    )


def items_out(desk: Desk, row: Any, standard: Standard, checklist: Checklist) -> list[ChecklistItemOut]:
    """The checklist with its words and where the events behind each item are read."""
    named = {one.id: one for one in standard.indicators}
    return [
        ChecklistItemOut(
            id=item.id, title=both(named[item.id].name), clause=named[item.id].clause, assumed=named[item.id].assumed,
            verdict=item.verdict.value, veto=item.veto, points=item.points, figure=item.figure, value=item.value,
            at_least=item.at_least, at_most=item.at_most,
            months=needs.months if (needs := named[item.id].needs) is not None else None,
            evidence=f"{desk.dataref(row.id)}/items/{item.id}/evidence" if item.sources else None,
        )
        for item in checklist.items
    ]  # fmt: skip


def certification_full(
    desk: Desk, caller: Caller, row: Any, parts: Mapping[str, Sequence[Any]], checklist: Checklist
) -> CertificationFull:
    """Everything of a certification; words are opened, and the reading is recorded by whoever asks."""
    _, standard = desk.governing(row)
    steps = {one.id: one for one in standard.programme}
    return CertificationFull(
        **certification_out(desk, row).model_dump(),
        programme=[
            {
                "step": one.step, "title": both(steps[one.step].name) if one.step in steps else None,
                "clause": steps[one.step].clause if one.step in steps else None, "agency": one.agency,
                "due_on": one.due_on, "done_at": one.done_at, "late": _late(one.due_on, one.done_at),
                "proof": desk.open(row.id, one.proof),
            }
            for one in parts["steps"]
        ],
        items=items_out(desk, row, standard, checklist),
        score=checklist.score,
        pass_mark=checklist.pass_mark,
        passes=checklist.passes,
        proofs=[
            {
                "id": one.id, "indicator": one.indicator, "statement": desk.open(one.id, one.statement),
                "sha256": one.sha256, "agency": one.agency, "shown_at": one.shown_at,
            }
            for one in parts["proofs"]
        ],
        draws=[
            {
                "round": one.round, "part": one.part, "size": len(one.codes), "number": one.number, "digest": one.digest,
                "commitment": one.commitment, "word": one.word, "seed": one.seed, "committed_at": one.committed_at,
                "drawn_at": one.drawn_at,
            }
            for one in parts["draws"]
        ],
        samples=[
            {
                "round": one.round, "part": one.part, "code": one.code, "result": one.result,
                "note": desk.open(row.id, one.note), "inspected_at": one.inspected_at,
            }
            for one in parts["samples"]
        ],
        reasons=[reason_out(desk, row, one) for one in parts["reasons"]],
        history=[
            {key: value for key, value in line.items() if key != "words"}
            | {"note": desk.open(row.id, row.words.get(str(line["version"]))) if line.get("words") else ""}
            for line in row.history
        ],
        possible=[step.value for step in possible(desk, caller, row)],
    )  # fmt: skip


def possible(desk: Desk, caller: Caller, row: Any) -> list[CertificationStep]:
    """The steps the caller could take now."""
    return [step for step in CertificationStep if step not in BY_SYSTEM and refusal(desk, caller, row, step) is None]


def reason_out(desk: Desk, row: Any, one: Any) -> dict[str, Any]:
    """A reason of suspension: the condition or the item, with its clause; how it came to be known."""
    rulebook, standard = desk.governing(row)
    named = (
        rulebook.condition(one.what)
        if one.kind == "finding"
        else next((item for item in standard.indicators if item.id == one.what), None)
    )
    return {
        "kind": one.kind, "what": one.what, "title": both(named.name) if named is not None else None,
        "clause": named.clause if named is not None else None, "finding_id": one.finding_id, "events": one.events,
        "origin": one.origin, "since": one.since, "lifted_at": one.lifted_at,
    }  # fmt: skip


def _late(due: date | None, done_at: datetime | None) -> bool | None:
    return None if due is None or done_at is None else local_day(done_at) > due


def evidence_out(row: Any) -> EvidenceOut:
    """One event behind an item."""
    return EvidenceOut(**{name: getattr(row, name) for name in EvidenceOut.model_fields})


def draw_out(row: Any) -> DrawOut:
    """One part of a sample; before the word is given, the list itself stays closed."""
    drawn = row.seed is not None
    return DrawOut(
        certification=row.certification_id, scheme=sampling.SCHEME, round=row.round, part=row.part,
        codes=row.codes if drawn else [], digest=row.digest, commitment=row.commitment, number=row.number,
        secret=row.secret, word=row.word, seed=row.seed,
        chosen=list(sampling.draw(row.codes, row.number, row.seed).chosen) if drawn else [],
        committed_at=row.committed_at, drawn_at=row.drawn_at,
    )  # fmt: skip


def public_out(desk: Desk, row: Any, reasons: Sequence[Any]) -> PublicCertificate:
    """A certificate for anyone: its number, whose, since when, and whether it stands."""
    state, plan = S(row.state), desk.plan(row.plan)
    status = {S.REVOKED: "revoked", S.EXPIRED: "expired"}.get(state, "suspended" if state in LOST else "in_force")
    since = {"revoked": row.ended_at, "expired": row.ended_at, "suspended": row.suspended_at}.get(
        status, row.standing_since
    )
    causes = [reason_out(desk, row, one) for one in reasons]
    return PublicCertificate(
        number=row.number, title=title_of(desk, row), plan=row.plan, place=both(plan.area(row.area).name), area=row.area,
        standard=row.standard, rulebook=row.rulebook, status=status, granted_on=local_day(row.granted_at),
        valid_until=row.valid_until, since=local_day(since or row.granted_at),
        causes=[
            {"title": one["title"], "clause": one["clause"], "origin": one["origin"], "since": local_day(one["since"])}
            for one in causes
            if one["lifted_at"] is None
        ] if status == "suspended" else [],
    )  # fmt: skip
