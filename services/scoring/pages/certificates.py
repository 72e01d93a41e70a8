"""Pages of certificates: the desk with what waits for me and what is late, one certification, its evidence, the public list."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from services.scoring.commands.certificates import Desk, start, take_step
from services.scoring.commands.certificates.reading import full_of
from services.scoring.commands.certificates.requests import claim_of, not_found, public_list
from services.scoring.commands.certificates.rows import refusal
from services.scoring.domain.certificates.states import (
    BY_SYSTEM,
    ENDED,
    IN_FORCE,
    CertificationState,
    CertificationStep,
)
from services.scoring.queries import certificates as queries
from services.scoring.queries import certificates_present as present
from services.scoring.queries.findings_present import page_of
from services.scoring.schemas.certificates import CertificationStepIn, CreationIn
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Public, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated, Problem
from shared.rules.calendar import local_day
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.i18n import N_
from shared.web.render import page

router = APIRouter(include_in_schema=False, tags=["pages"])

READ = "certificate.read"
_ROWS = 50
S, T = CertificationState, CertificationStep

NEXT = {
    S.CREATING: (T.DO_STEP, T.APPLY), S.APPLIED: (T.COMMIT,), S.COMMITTED: (T.DRAW,), S.DRAWN: (T.RESULT, T.FINISH),
    S.INSPECTED: (T.PROPOSE_GRANT,), S.RECTIFYING: (T.RECTIFIED,), S.GRANT_PROPOSED: (T.CONFIRM,),
    S.REFUSAL_PROPOSED: (T.CONFIRM,), S.SUSPENDED: (T.ASK_RESTORE,), S.RESTORE_ASKED: (T.PROPOSE_RESTORE,),
    S.RESTORE_PROPOSED: (T.CONFIRM,), S.REVOCATION_PROPOSED: (T.CONFIRM,),
}  # fmt: skip
"""The step that a state waits for."""

TABS = (
    ("mine", N_("Waits for me")),
    ("late", N_("Late")),
    ("open", N_("Under way")),
    ("standing", N_("Granted")),
    ("ended", N_("Ended")),
)

STEPS: dict[CertificationStep, tuple[str, str, str]] = {
    T.DO_STEP: (N_("A step of the programme is done"), N_("What was done, and where it is on record"), "check"),
    T.ATTEST: (N_("Show an item that no figure tells"), N_("What shows it, and where it is on record"), "file-text"),
    T.APPLY: (N_("Apply for the certificate"), N_("Remarks"), "send"),
    T.WITHDRAW: (N_("Take the application back"), N_("Remarks"), "x"),
    T.COMMIT: (N_("Freeze the lists for the sample"), N_("Remarks"), "lock"),
    T.DRAW: (N_("Give the word and draw the sample"), "", "pointer"),
    T.RESULT: (N_("Enter what was found"), N_("What was found there"), "list-check"),
    T.FINISH: (N_("End the inspection"), N_("Remarks"), "check"),
    T.ORDER_RECTIFICATION: (N_("Have it put right"), N_("What must be put right"), "refresh"),
    T.RECTIFIED: (N_("It is put right"), N_("What was put right, and where it is on record"), "check"),
    T.PROPOSE_GRANT: (N_("Propose to grant"), N_("Remarks"), "trophy"),
    T.PROPOSE_REFUSAL: (N_("Propose to refuse"), N_("Reason"), "x"),
    T.CONFIRM: (N_("Confirm as the second person"), N_("Remarks"), "users"),
    T.OBJECT: (N_("Do not agree"), N_("Reason"), "x"),
    T.ASK_RESTORE: (N_("Ask for it back"), N_("What was put right, and where it is on record"), "refresh"),
    T.DENY_RESTORE: (N_("Turn the request down"), N_("Reason"), "x"),
    T.PROPOSE_RESTORE: (N_("Propose to restore"), N_("Reason"), "refresh"),
    T.PROPOSE_REVOCATION: (N_("Propose to take it away"), N_("Reason"), "alert-triangle"),
}
"""Step → its words on the button, the label of its field, its picture."""

WORDS_NEEDED = frozenset(STEPS) - {
    T.APPLY, T.WITHDRAW, T.COMMIT, T.DRAW, T.RESULT, T.FINISH, T.PROPOSE_GRANT, T.CONFIRM,
}  # fmt: skip


def desk_of(request: Request) -> Desk:
    """The certificates' desk of the running service."""
    return request.app.state.certificates


def _waits(desk: Desk, caller: Caller, row: Any, steps: list[Any]) -> bool:
    """Whether a certification waits for this caller."""
    wanted = [step for step in NEXT.get(S(row.state), ()) if refusal(desk, caller, row, step) is None]
    if S(row.state) is S.CREATING:
        undone = [one for one in steps if one.done_at is None and one.step not in _COURSE]
        mine = any(caller.agency in (one.agency, row.agency) for one in undone)
        return (T.DO_STEP in wanted and mine) or (T.APPLY in wanted and not undone)
    return bool(wanted)


_COURSE = frozenset({"apply", "inspection", "inspect", "rectify", "recognition"})


def _late(row: Any, steps: list[Any], today: date) -> bool:
    """A step, a rectification or the day of the certificate itself has passed."""
    if S(row.state) in (*ENDED, *IN_FORCE):
        return False
    overdue = any(one.done_at is None and one.due_on is not None and one.due_on < today for one in steps)
    passed = [day for day in (row.rectify_by, row.due_on if row.granted_at is None else None) if day is not None]
    return overdue or any(day < today for day in passed)


@router.get("/certificates")
async def desk_page(
    request: Request,
    caller: Caller = Depends(Requires(READ)),
    show: Literal["mine", "late", "open", "standing", "ended"] = "mine",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """What waits for me comes first; then what is late; and who has no programme yet."""
    desk, now = desk_of(request), clock.now()
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(desk.service.engine) as conn:
        open_ = await queries.listed(conn, caller, states=queries.OPEN, limit=500)
        steps = await queries.steps_of(conn, [row.id for row in open_])
        ended = await queries.listed(conn, caller, states=[s.value for s in ENDED], after=after, limit=_ROWS)
    today = local_day(now)
    standing = {
        S.GRANTED.value,
        S.SUSPENDED.value,
        S.RESTORE_ASKED.value,
        S.RESTORE_PROPOSED.value,
        S.REVOCATION_PROPOSED.value,
    }
    by = {
        "mine": [row for row in open_ if _waits(desk, caller, row, steps[row.id])],
        "late": [row for row in open_ if _late(row, steps[row.id], today)],
        "open": [row for row in open_ if row.state not in standing],
        "standing": [row for row in open_ if row.state in standing],
    }
    shown, following = pagination.page(ended, _ROWS, lambda row: (row.started_at, row.id))
    by["ended"] = list(shown)
    return page(
        request,
        "certificates.html",
        {
            "show": show,
            "tabs_of": [(code, words, None if code == "ended" else len(by[code])) for code, words in TABS],
            "rows": [
                (row, desk.governing(row)[1], _late(row, steps[row.id], today), _progress(steps[row.id]))
                for row in by[show]
            ],
            "next": following if show == "ended" else None,
            "startable": _startable(desk, caller, open_, now),
            "in_force": sum(1 for row in open_ if row.state == S.GRANTED.value),
            "suspended": sum(1 for row in open_ if row.state in standing - {S.GRANTED.value}),
            "late": len(by["late"]),
        },
        service="scoring",
        caller=caller,
    )


def _progress(steps: list[Any]) -> tuple[int, int]:
    return sum(1 for one in steps if one.done_at is not None), len(steps)


def _startable(desk: Desk, caller: Caller, open_: Any, now: datetime) -> list[tuple[Any, list[Any]]]:
    """Standards with the holders for whom this caller can start a programme."""
    if caller.plan not in desk.service.plans:
        return []
    plan, taken = desk.plan(caller.plan), {(row.standard, row.holder) for row in open_ if row.plan == caller.plan}
    organises = caller.reach("certificate.inspect") in ("plan", "all")
    applies = caller.reach("certificate.apply") is not None
    found = []
    for _, standard in desk.standards(plan.id, now):
        holders = [
            one
            for one in desk.holders(plan, standard)
            if (standard.id, one.id) not in taken and (organises or (applies and one.agency == caller.agency))
        ]
        if holders:
            found.append((standard, holders))
    return found


class StartForm(Form):
    """Whose programme is started, under which standard."""

    standard: str
    holder: str


@router.post("/certificates")
async def start_page(request: Request, caller: Caller = Depends(Requires(READ))) -> Response:
    """Start a programme from the page."""
    desk = desk_of(request)
    sent = await read_form(request, StartForm)
    body = CreationIn(standard=sent.standard, holder=sent.holder)
    claim = claim_of(desk, caller, "certification.start", str(sent.idempotency_key), "start", body, 0, new_id())
    async with db.begin(desk.service.engine) as conn:
        made = await start(conn, desk, caller, body, claim, clock.now())
    return see_other(request, f"/certificates/{made}", done="step_taken")


@router.get("/public/certificates")
async def public_page(
    request: Request,
    caller: Caller = Depends(
        Public("who is certified, and whether it stands, is for everyone to read; no person is in it")
    ),
) -> HTMLResponse:
    """The public list. Open to anyone, knows nobody."""
    found = await public_list(desk_of(request), clock.now())
    return page(
        request, "certificates_public.html", {"items": found.items, "at": found.at}, service="scoring", public=True
    )


@router.get("/certificates/{certification_id}")
async def one(request: Request, certification_id: UUID, caller: Caller = Depends(Requires(READ))) -> HTMLResponse:
    """One certification: what can be done now, the checklist, programme, sample, history; the reading is recorded."""
    return await _page(request, caller, certification_id)


async def _page(
    request: Request,
    caller: Caller,
    certification_id: UUID,
    refused: Problem | None = None,
    sent: Any = None,
    tried: str = "",
) -> HTMLResponse:
    desk, now = desk_of(request), clock.now()
    async with db.begin(desk.service.engine) as conn:
        full = await full_of(conn, desk, caller, certification_id, now)
        row = await queries.one(conn, caller, certification_id)
    assert row is not None
    _, standard = desk.governing(row)
    can = [(step, *STEPS[step], step in WORDS_NEEDED) for step in STEPS if step.value in full.possible]
    undone = [
        one
        for one in full.programme
        if one["done_at"] is None and one["step"] not in _COURSE and caller.agency in (one["agency"], full.agency)
    ]
    return page(
        request,
        "certification.html",
        {
            "one": full,
            "standard": standard,
            "can": [entry for entry in can if not (entry[0] is T.DO_STEP and not undone)],
            "undone": undone,
            "to_show": [item for item in full.items if item.value is None],
            "open_samples": [
                sample for sample in full.samples if sample["round"] == full.round and sample["result"] is None
            ],
            "round_samples": [sample for sample in full.samples if sample["round"] == full.round],
            "draws": [one for one in full.draws if one["round"] == full.round],
            "open_reasons": [reason for reason in full.reasons if reason["lifted_at"] is None],
            "moment_of": datetime.fromisoformat,
            "refused": refused,
            "outdated": isinstance(refused, Outdated),
            "lacking": getattr(refused, "extras", {}).get("items", []) if refused else [],
            "kept": sent,
            "tried": tried,
        },
        service="scoring",
        status=refused.status if refused else 200,
        caller=caller,
    )


class CertificationStepForm(VersionedForm):
    """A step with what it needs; `sample` is part and code."""

    note: str = ""
    programme: str | None = None
    indicator: str | None = None
    sha256: str | None = None
    word: str | None = None
    sample: str | None = None
    result: Literal["good", "bad", "unreachable"] | None = None
    by: date | None = None


@router.post("/certificates/{certification_id}/{step}")
async def act(
    request: Request,
    certification_id: UUID,
    step: CertificationStep,
    caller: Caller = Depends(Requires(READ)),
) -> Response:
    """Take a step from the page; when it cannot be done, the page comes again and says why, with what was typed."""
    desk = desk_of(request)
    if step in BY_SYSTEM:
        raise NotFound("这一步由系统办理。 The system takes this step by itself.", code="step-not-found")
    sent = await read_form(request, CertificationStepForm)
    part, _, code = (sent.sample or "").partition(":")
    body = CertificationStepIn(
        note=sent.note[:1000], programme=sent.programme, indicator=sent.indicator, sha256=sent.sha256, word=sent.word,
        part=part or None, code=code or None, result=sent.result, by=sent.by,
    )  # fmt: skip
    claim = claim_of(
        desk, caller, f"certification.{step.value}", str(sent.idempotency_key), str(certification_id), body, sent.version,
        certification_id,
    )  # fmt: skip
    try:
        async with db.begin(desk.service.engine) as conn:
            await take_step(conn, desk, caller, certification_id, step, sent.version, body, claim, clock.now())
    except (Outdated, Conflict, Invalid, Forbidden) as refused:
        return await _page(request, caller, certification_id, refused, sent, step.value)
    return see_other(request, f"/certificates/{certification_id}", done="step_taken")


@router.get("/certificates/{certification_id}/items/{indicator}")
async def evidence(
    request: Request,
    certification_id: UUID,
    indicator: Annotated[str, Path(max_length=48)],
    caller: Caller = Depends(Requires(READ)),
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> HTMLResponse:
    """The events behind an item of the checklist, the newest first."""
    desk = desk_of(request)
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(desk.service.engine) as conn:
        row = await queries.one(conn, caller, certification_id)
        if row is None:
            raise not_found()
        item = next((item for item in desk.governing(row)[1].indicators if item.id == indicator), None)
        if item is None:
            raise NotFound("标准中没有这一项。 The standard has no such item.", code="item-not-found")
        rows = await queries.behind(conn, desk.plan(row.plan), row, item, clock.now(), after=after, limit=_ROWS)
    shown, following = pagination.page(rows, _ROWS, lambda found: (found.at, found.event_id))
    return page(
        request,
        "certificate_evidence.html",
        {
            "row": row,
            "item": item,
            "rows": [present.evidence_out(one) for one in shown],
            "next": following,
            "page_of": page_of,
        },
        service="scoring",
        caller=caller,
    )
