"""JSON routes of rulebooks: read, compare, check, draft, publish by two persons, what if (X-D1c, D-C1)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response

from services.scoring.commands.rulebooks import drafts
from services.scoring.commands.rulebooks.desk import Desk
from services.scoring.commands.rulebooks.shelf import today
from services.scoring.domain.rulebooks import Rulebook
from services.scoring.domain.rulebooks.difference import changes
from services.scoring.domain.rulebooks.drafts import DraftAct
from services.scoring.queries import rulebooks as seen
from services.scoring.queries.rulebook_present import compared_out, draft_fields, finding_out, rulebook_out
from services.scoring.queries.rulebooks import drafts_or_publishes, must_draft_or_publish, no_rulebook
from services.scoring.queries.trial import by_ref, counterpart, trial
from services.scoring.schemas.rulebooks import (
    DraftFullOut,
    DraftOut,
    DraftReasonIn,
    DraftsOut,
    RulebookChangeOut,
    RulebookCheckOut,
    RulebookDifferenceOut,
    RulebookFullOut,
    RulebooksOut,
    RulebookTextIn,
    TrialIn,
    TrialOut,
)
from services.scoring.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.problem import Invalid
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["rulebooks"])

RIGHT = "score.read"
Key = Annotated[str, Header(description="The same key again has its effect once")]
_CHANGED = {
    403: {"description": "Not yours to do, or a second person must"},
    404: {"description": "Not within reach"},
    409: {"description": "Not possible now, published already, or the key was used for another request"},
    412: {"description": "It changed since"},
    422: {"description": "The rulebook has mistakes, or begins in the past"},
    428: {"description": "If-Match is missing"},
}


def desk_of(request: Request) -> Desk:
    """What commands about rulebooks decide by."""
    return request.app.state.desk


async def standing_of(request: Request, caller: Caller, rulebook: str, edition: str) -> seen.Standing:
    """One version a caller may read. Raises `NotFound`."""
    desk = desk_of(request)
    async with db.begin(request.app.state.service.engine) as conn:
        found = await seen.versions(conn, desk.books, caller, today(clock.now()))
    for one in found:
        if (one.rulebook.id, one.rulebook.version) == (rulebook, edition):
            return one
    raise no_rulebook()


@router.get(
    "/rulebooks", response_model=RulebooksOut, summary="Rulebooks of my plan: in force, to come, over; examples"
)
async def listed(request: Request, caller: Caller = Depends(Requires(RIGHT))) -> Response:
    """Every version; what is in force first."""
    desk = desk_of(request)
    async with db.begin(request.app.state.service.engine) as conn:
        found = await seen.versions(conn, desk.books, caller, today(clock.now()))
    out = RulebooksOut(items=[rulebook_out(one) for one in found])
    return ORJSONResponse(out.model_dump(mode="json"))


@router.get("/rulebooks/{rulebook}/{edition}", response_model=RulebookFullOut, summary="One version, whole, as data")
async def one(request: Request, rulebook: str, edition: str, caller: Caller = Depends(Requires(RIGHT))) -> Response:
    """Lines, conditions, ladder, standards, measures, each with its clause; `assumed` marks what no text gives."""
    found = await standing_of(request, caller, rulebook, edition)
    out = RulebookFullOut(**rulebook_out(found).model_dump(), content=found.rulebook.model_dump(mode="json"))
    return ORJSONResponse(out.model_dump(mode="json"))


@router.get(
    "/rulebooks/{rulebook}/{edition}/difference/{other}", response_model=RulebookDifferenceOut,
    summary="What differs between a version and another of any rulebook (`id@version`, or a version of the same)",
)  # fmt: skip
async def difference(
    request: Request, rulebook: str, edition: str, other: str, caller: Caller = Depends(Requires(RIGHT))
) -> Response:
    """From the first to the other, part by part."""
    before = (await standing_of(request, caller, rulebook, edition)).rulebook
    name, _, version = other.rpartition("@")
    after = (await standing_of(request, caller, name or rulebook, version)).rulebook
    return ORJSONResponse(_difference(before, after).model_dump(mode="json"))


def _difference(before: Rulebook, after: Rulebook) -> RulebookDifferenceOut:
    found = [
        RulebookChangeOut(where=one.where, kind=one.kind, before=one.before, after=one.after)
        for one in changes(before, after)
    ]
    return RulebookDifferenceOut(before=before.ref, after=after.ref, changes=found)


@router.post("/rulebooks/check", response_model=RulebookCheckOut, summary="Check a rulebook's text; keeps nothing")
async def check(request: Request, body: RulebookTextIn, caller: Caller = Depends(Requires(RIGHT))) -> Response:
    """Every mistake with its line, worst first."""
    rulebook, found = drafts.check(desk_of(request), body.source)
    out = RulebookCheckOut(
        ok=rulebook is not None and not any(one.severity == "error" for one in found),
        rulebook=rulebook.id if rulebook else None,
        edition=rulebook.version if rulebook else None,
        findings=[finding_out(one) for one in found],
    )
    return ORJSONResponse(out.model_dump(mode="json"))


@router.post("/rulebooks/trial", response_model=TrialOut, summary="What if: a period's facts under another version")
async def what_if(request: Request, body: TrialIn, caller: Caller = Depends(Requires(RIGHT))) -> Response:
    """Last year under this year's rules: the difference of each unit and the entries that cause it. Keeps nothing."""
    service: Service = request.app.state.service
    desk = desk_of(request)
    after = await version_to_try(request, caller, body.rulebook, body.draft, body.source)
    plan = body.plan or caller.plan or (after.plans[0] if after.plans else "")
    before = by_ref(desk.books, body.against) if body.against else counterpart(desk.books, plan, after, body.last)
    found = await trial(service.engine, desk.books, caller, plan, before, after, body.first, body.last)
    async with db.begin(service.engine) as conn:
        await audit.record(
            conn, kit, caller, "rulebook.trial", "rulebook", [after.ref], clock.now(), against=before.ref, plan=plan
        )
    out = TrialOut(
        plan=plan,
        before=before.ref,
        after=after.ref,
        first=found.first,
        last=found.last,
        obligations=found.obligations,
        decisions=found.decisions,
        changed=sum(bool(unit.causes) for unit in found.units),
        units=[compared_out(unit, body.causes) for unit in found.units],
    )
    return ORJSONResponse(out.model_dump(mode="json", by_alias=True))


async def version_to_try(
    request: Request, caller: Caller, ref: str | None, draft: UUID | None, source: str | None
) -> Rulebook:
    """The version that a what-if is about: a published one, a draft's, or a text's. Raises `Invalid`, `NotFound`."""
    desk = desk_of(request)
    if sum(one is not None for one in (ref, draft, source)) != 1:
        raise Invalid(
            "rulebook、draft、source 三者写一个。 Give exactly one of rulebook, draft and source.", code="one-of-three"
        )
    if ref is not None:
        return by_ref(desk.books, ref)
    if draft is not None:
        async with db.begin(request.app.state.service.engine) as conn:
            row = await seen.one_draft(conn, caller, draft) if drafts_or_publishes(caller) else None
        if row is None:
            raise drafts.not_found()
        source = row.source
    rulebook, found = drafts.check(desk, source or "")
    wrong = [finding for finding in found if finding.severity == "error"]
    if rulebook is None:
        raise Invalid(
            f"细则读不出来：第 {wrong[0].where.line} 行，{wrong[0].text_zh} "
            f"The rulebook cannot be read: line {wrong[0].where.line}, {wrong[0].text_en}",
            code="rulebook-mistakes",
            findings=[drafts.told(finding) for finding in found],
        )
    return rulebook


# -- drafts -----------------------------------------------------------------------------------------------------------


@router.get("/rulebook-drafts", response_model=DraftsOut, summary="Drafts of my plan, the newest first")
async def list_drafts(request: Request, caller: Caller = Depends(Requires(RIGHT))) -> Response:
    """With what I can do with each. For those who draft or publish."""
    desk = desk_of(request)
    must_draft_or_publish(caller)
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await seen.list_drafts(conn, caller)
    out = DraftsOut(items=[DraftOut(**draft_fields(row, caller, desk.plans.get(row.plan))) for row in rows])
    return ORJSONResponse(out.model_dump(mode="json"))


@router.post(
    "/rulebook-drafts", status_code=201, response_model=DraftFullOut, summary="Begin a draft",
    responses={403: _CHANGED[403], 409: _CHANGED[409], 422: _CHANGED[422]},
)  # fmt: skip
async def begin(
    request: Request, body: RulebookTextIn, idempotency_key: Key, caller: Caller = Depends(Requires("rulebook.draft"))
) -> Response:
    """Mistakes may still be in it; it must be a rulebook of one's own plan. Needs `Idempotency-Key`."""
    desk = desk_of(request)
    claim = desk.claim(caller, "rulebook.draft", idempotency_key, body.source, new_id())
    async with db.begin(request.app.state.service.engine) as conn:
        draft_id = await drafts.create(conn, desk, caller, body.source, claim, clock.now())
    return await _draft(request, caller, draft_id, status=201)


@router.get("/rulebook-drafts/{draft_id}", response_model=DraftFullOut, summary="One draft with its check; its ETag")
async def one_draft(request: Request, draft_id: UUID, caller: Caller = Depends(Requires(RIGHT))) -> Response:
    """Its text, what the check finds, what was done with it. For those who draft or publish."""
    must_draft_or_publish(caller)
    return await _draft(request, caller, draft_id)


@router.put(
    "/rulebook-drafts/{draft_id}", response_model=DraftFullOut, responses=_CHANGED, summary="Write a draft anew"
)
async def edit(
    request: Request, draft_id: UUID, body: RulebookTextIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("rulebook.draft")),
) -> Response:  # fmt: skip
    """Needs `If-Match` and `Idempotency-Key`."""
    return await _act(request, caller, draft_id, DraftAct.EDIT, idempotency_key, source=body.source)


@router.post(
    "/rulebook-drafts/{draft_id}/submission", response_model=DraftFullOut, responses=_CHANGED, summary="Hand a draft in"
)
async def submit(
    request: Request, draft_id: UUID, idempotency_key: Key, caller: Caller = Depends(Requires("rulebook.draft"))
) -> Response:
    """Only without mistakes, beginning tomorrow or later. Needs `If-Match` and `Idempotency-Key`."""
    return await _act(request, caller, draft_id, DraftAct.SUBMIT, idempotency_key)


@router.post(
    "/rulebook-drafts/{draft_id}/withdrawal",
    response_model=DraftFullOut,
    responses=_CHANGED,
    summary="Withdraw a draft",
)
async def withdraw(
    request: Request, draft_id: UUID, idempotency_key: Key, caller: Caller = Depends(Requires("rulebook.draft"))
) -> Response:
    """Needs `If-Match` and `Idempotency-Key`."""
    return await _act(request, caller, draft_id, DraftAct.WITHDRAW, idempotency_key)


@router.post(
    "/rulebook-drafts/{draft_id}/return", response_model=DraftFullOut, responses=_CHANGED,
    summary="Give a draft back with the reason",
)  # fmt: skip
async def give_back(
    request: Request, draft_id: UUID, body: DraftReasonIn, idempotency_key: Key,
    caller: Caller = Depends(Requires("rulebook.publish")),
) -> Response:  # fmt: skip
    """By a second person. Needs `If-Match` and `Idempotency-Key`."""
    return await _act(request, caller, draft_id, DraftAct.RETURN, idempotency_key, reason=body.reason)


@router.post(
    "/rulebook-drafts/{draft_id}/publication", response_model=DraftFullOut, responses=_CHANGED,
    summary="Publish a draft: never changed after",
)  # fmt: skip
async def publish(
    request: Request, draft_id: UUID, idempotency_key: Key, caller: Caller = Depends(Requires("rulebook.publish"))
) -> Response:
    """By a second person whose post may publish. Needs `If-Match` and `Idempotency-Key`."""
    return await _act(request, caller, draft_id, DraftAct.PUBLISH, idempotency_key)


async def _act(
    request: Request, caller: Caller, draft_id: UUID, what: DraftAct, key: str, *, source: str | None = None,
    reason: str = "",
) -> Response:  # fmt: skip
    desk, version = desk_of(request), required_version(request)
    claim = desk.claim(
        caller, f"rulebook.{what.value}", key, f"{draft_id}:{version}:{what.value}\n{source or reason}", draft_id
    )
    async with db.begin(request.app.state.service.engine) as conn:
        await drafts.act(
            conn, desk, caller, draft_id, what, source=source, reason=reason, version=version, claim=claim,
            now=clock.now(),
        )  # fmt: skip
    return await _draft(request, caller, draft_id)


async def _draft(request: Request, caller: Caller, draft_id: UUID, status: int = 200) -> Response:
    desk = desk_of(request)
    async with db.begin(request.app.state.service.engine) as conn:
        row = await seen.one_draft(conn, caller, draft_id)
    if row is None:
        raise drafts.not_found()
    _, found = drafts.check(desk, row.source)
    out = DraftFullOut(
        **draft_fields(row, caller, desk.plans.get(row.plan)),
        source=row.source,
        findings=[finding_out(one) for one in found],
        history=row.history,
    )
    headers: dict[str, Any] = {"etag": etag(row.version)}
    return ORJSONResponse(out.model_dump(mode="json"), status_code=status, headers=headers)
