"""Handing in: one tip, a citizen's tip, many tips."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import TypeAdapter, ValidationError

from services.intake.commands import tips as commands
from services.intake.commands.door import admit, flag_unproven
from services.intake.commands.tips import TipDraft, TipTaken
from services.intake.domain.work import Outcome
from services.intake.queries import next_words, tip_out
from services.intake.schemas.tips import BatchIn, BatchOut, PublicTipIn, PublicTipOut, TipBody, TipIn, TipOut
from shared.kit import clock, db
from shared.kit.access import Caller, Public, Requires
from shared.kit.direct import DirectRoute
from shared.kit.idempotency import check_key
from shared.kit.problem import Forbidden, Invalid, Problem, TooLarge, invalid_input
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse, json_body, read_json
from shared.rules.plan import Plan

direct = APIRouter(tags=["tips"], route_class=DirectRoute)
router = APIRouter(tags=["tips"])

_TIPS = TypeAdapter(list[TipBody])


def at_the_door(request: Request, words: Callable[[], str]) -> Outcome:
    """Let a citizen's post in, or refuse it with a challenge while there is too much at once."""
    state = request.app.state
    return admit(state.door, state.settings, request.headers.get("dachuan-work", ""), words)


def _own_plan(service: Service, caller: Caller, plan_id: str) -> Plan:
    plan = commands.plan_of(service, plan_id)
    if caller.kind != "anonymous" and caller.reach("tip.submit") != "all" and caller.plan != plan.id:
        raise Forbidden(
            "只能向本单位所在的方案提交。 Tips can only be handed in under your own plan.", code="other-plan"
        )
    return plan


@direct.post("/tips", status_code=201, response_model=TipOut, openapi_extra=json_body(TipIn), summary="Hand in one tip")
async def hand_in(request: Request, caller: Caller = Depends(Requires("tip.submit"))) -> Response:
    """Record one tip; the answer comes after its commit. With an Idempotency-Key, sending again is safe."""
    body = await read_json(request, TipIn)
    taken = await _take(request, caller, body, body.plan, body.channel)
    return ORJSONResponse(
        tip_out(request.app.state.service, taken.row, taken.receipt, taken.replayed),
        status_code=200 if taken.replayed else 201,
    )


@direct.post(
    "/public/tips",
    status_code=201,
    response_model=PublicTipOut,
    openapi_extra=json_body(PublicTipIn),
    summary="Report as a citizen, without a name",
)
async def report(
    request: Request,
    caller: Caller = Depends(
        Public("anyone may report, 禁止传销条例 art. 6; nobody is asked who they are", reads_caller=False)
    ),
) -> Response:
    """Record a citizen's tip; the receipt in the answer is shown once and kept nowhere in readable form.

    Under load, 429 `work-needed` asks for proof of work in the header `Dachuan-Work` (see `/v1/public/work`).
    """
    body = await read_json(request, PublicTipIn)
    outcome = at_the_door(request, lambda: f"{body.subject}\n{body.text}\n{body.place or ''}")
    taken = await _take(request, caller, body, body.plan, "web")
    if outcome is Outcome.URGENT:
        await flag_unproven(request.app.state.service, taken.row["id"])
    answer = PublicTipOut(
        receipt=taken.receipt,
        state=taken.row["state"],
        next=next_words(request.app.state.service, taken.row),
        received_at=taken.row["received_at"],
    )
    return ORJSONResponse(answer.model_dump(mode="json"), status_code=200 if taken.replayed else 201)


async def _take(request: Request, caller: Caller, body: TipBody, plan_id: str, channel: str) -> TipTaken:
    service = request.app.state.service
    key = request.headers.get("idempotency-key")
    draft = commands.draft_tip(
        service,
        caller,
        body,
        plan=_own_plan(service, caller, plan_id),
        channel=channel,
        key=check_key(key) if key else None,
    )
    return await commands.submit(request.app.state.tips, draft)


@router.post(
    "/tips/batch", response_model=BatchOut, openapi_extra=json_body(BatchIn), summary="Hand in many tips at once"
)
async def hand_in_many(
    request: Request,
    dry_run: bool = Query(False, description="Check, read and route every row, and keep nothing"),
    caller: Caller = Depends(Requires("tip.submit")),
) -> Response:
    """Record up to 500 tips in one transaction. A wrong row is rejected with its field and reason; the others stand.

    A row's `external_ref` makes it safe to send again; rows without one need the request's Idempotency-Key.
    """
    service = request.app.state.service
    body = await read_json(request, BatchIn)
    most = service.settings.most_tips_a_batch  # type: ignore[attr-defined]
    if len(body.tips) > most:
        raise TooLarge(
            f"一次最多 {most} 条；未保存任何内容。 At most {most} tips a request; nothing was kept.", limit=most
        )
    plan = _own_plan(service, caller, body.plan)
    batch_key = request.headers.get("idempotency-key")
    rows: list[TipDraft | Problem] = []
    for index, tip in enumerate(_validated(body.tips)):
        if index % 20 == 19:
            # a bulk request must not keep single tips, or a held person's, waiting while it is read
            await asyncio.sleep(0)
        rows.append(
            tip if isinstance(tip, Problem) else _draft_row(service, caller, tip, plan, body.channel, batch_key, index)
        )
    drafts = [row for row in rows if isinstance(row, TipDraft)]
    results: list[Any] = []
    if drafts:
        async with db.begin(service.engine) as conn:
            if dry_run:
                results = list(await commands.try_tips(conn, drafts, clock.now()))
            else:
                results = list(await commands.receive_tips(conn, service, drafts, clock.now()))
    return ORJSONResponse(_batch_answer(service, rows, results, dry_run))


def _validated(raw: list[dict[str, object]]) -> list[TipBody | Problem]:
    try:
        return list(_TIPS.validate_python(raw))
    except ValidationError:
        checked: list[TipBody | Problem] = []
        for row in raw:
            try:
                checked.append(TipBody.model_validate_json(orjson.dumps(row)))
            except ValidationError as error:
                checked.append(invalid_input(error))
        return checked


def _draft_row(
    service: Service, caller: Caller, tip: TipBody, plan: Plan, channel: str, batch_key: str | None, index: int
) -> TipDraft | Problem:
    key = f"{channel}/{tip.external_ref}" if tip.external_ref else f"{batch_key}/{index}" if batch_key else None
    if key is None:
        return Invalid(
            "缺少 external_ref，且请求没有 Idempotency-Key，无法保证不重复；此条未保存。 "
            "Without external_ref or an Idempotency-Key a repeat could double it; this row was not kept.",
            errors=[{"field": "external_ref", "code": "missing", "message": "needed to make repeating safe"}],
        )
    try:
        return commands.draft_tip(service, caller, tip, plan=plan, channel=channel, key=key)
    except Problem as problem:
        return problem


def _batch_answer(
    service: Service, rows: list[TipDraft | Problem], results: list[Any], dry_run: bool
) -> dict[str, Any]:
    answers, waiting = [], iter(results)
    counts = {"created": 0, "replayed": 0, "rejected": 0}
    for index, row in enumerate(rows):
        result = row if isinstance(row, Problem) else next(waiting)
        if isinstance(result, Problem):
            status, tip, problem = "rejected", None, result.marshal()
        else:
            status, problem = "replayed" if result.replayed else "created", None
            tip = tip_out(service, result.row, None if dry_run else result.receipt, result.replayed)
        counts[status] += 1
        answers.append({"index": index, "status": status, "tip": tip, "problem": problem})
    return {**counts, "rows": answers}
