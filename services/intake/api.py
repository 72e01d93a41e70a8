"""JSON routes of intake: for citizens' own programs, officers' pages and agencies' systems."""

import time
from collections import deque
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import TypeAdapter, ValidationError

from services.intake import commands, queries
from services.intake.commands import TipDraft, TipTaken
from services.intake.domain.receipts import clean_receipt
from services.intake.schemas import (
    BatchIn,
    BatchOut,
    PublicTipIn,
    PublicTipOut,
    ReceiptIn,
    ReceiptOut,
    TipBody,
    TipFull,
    TipIn,
    TipOut,
    Words,
)
from services.intake.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Public, Requires
from shared.kit.committer import Committer
from shared.kit.idempotency import check_key
from shared.kit.pagination import Page
from shared.kit.problem import Forbidden, Invalid, NotFound, Problem, TooLarge, TooMany, invalid_input
from shared.kit.service import Service
from shared.kit.trace import TraceAnswer, TraceRequest, TraceStep
from shared.kit.web import ORJSONResponse, json_body, read_json
from shared.rules.plan import Plan, RoutingFacts

router = APIRouter(prefix="/v1", tags=["tips"])

_TIPS = TypeAdapter(list[TipBody])


def service_of(request: Request) -> Service:
    """The service behind a request."""
    return request.app.state.service


def _own_plan(service: Service, caller: Caller, plan_id: str) -> Plan:
    plan = commands.plan_of(service, plan_id)
    if caller.kind != "anonymous" and caller.reach("tip.submit") != "all" and caller.plan != plan.id:
        raise Forbidden(
            "只能向本单位所在的方案提交。 Tips can only be handed in under your own plan.", code="other-plan"
        )
    return plan


@router.post("/tips", status_code=201, response_model=TipOut, openapi_extra=json_body(TipIn), summary="Hand in one tip")
async def hand_in(request: Request, caller: Caller = Depends(Requires("tip.submit"))) -> Response:
    """Record one tip; the answer comes after its commit. With an Idempotency-Key, sending again is safe."""
    body = await read_json(request, TipIn)
    taken = await _take(request, caller, body, body.plan, body.channel)
    return ORJSONResponse(
        tip_out(service_of(request), taken.row, taken.receipt, taken.replayed),
        status_code=200 if taken.replayed else 201,
    )


@router.post(
    "/public/tips",
    status_code=201,
    response_model=PublicTipOut,
    openapi_extra=json_body(PublicTipIn),
    summary="Report as a citizen, without a name",
)
async def report(
    request: Request,
    caller: Caller = Depends(Public("anyone may report, 禁止传销条例 art. 6; nobody is asked who they are")),
) -> Response:
    """Record a citizen's tip; the receipt in the answer is shown once and kept nowhere in readable form."""
    body = await read_json(request, PublicTipIn)
    taken = await _take(request, caller, body, body.plan, "web")
    answer = PublicTipOut(
        receipt=taken.receipt,
        state=taken.row["state"],
        next=next_words(service_of(request), taken.row),
        received_at=taken.row["received_at"],
    )
    return ORJSONResponse(answer.model_dump(mode="json"), status_code=200 if taken.replayed else 201)


async def _take(request: Request, caller: Caller, body: TipBody, plan_id: str, channel: str) -> TipTaken:
    service = service_of(request)
    key = request.headers.get("idempotency-key")
    draft = commands.draft_tip(
        service,
        caller,
        body,
        plan=_own_plan(service, caller, plan_id),
        channel=channel,
        key=check_key(key) if key else None,
    )
    return await take_draft(request, draft)


async def take_draft(request: Request, draft: TipDraft) -> TipTaken:
    """Record a draft with all that arrive at the same time; a held person's tip goes first."""
    committer: Committer[TipDraft, TipTaken | Problem] = request.app.state.tips
    taken = await committer.submit(draft, first=draft.reading.urgent)
    if isinstance(taken, Problem):
        raise taken
    return taken


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
    service = service_of(request)
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
        rows.append(
            tip if isinstance(tip, Problem) else _draft_row(service, caller, tip, plan, body.channel, batch_key, index)
        )
    drafts = [row for row in rows if isinstance(row, TipDraft)]
    if dry_run:
        results: list[Any] = [TipTaken(commands._tip_row(d, clock.now()), "", replayed=False) for d in drafts]
    elif drafts:
        async with db.begin(service.engine) as conn:
            results = list(await commands.receive_tips(conn, service, drafts, clock.now()))
    else:
        results = []
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


def tip_out(service: Service, row: Any, receipt: str | None, replayed: bool) -> dict[str, Any]:
    """A recorded tip (a mapping) as `TipOut`."""
    routing = _routing(service, row)
    return {
        "tip_id": row["id"],
        "receipt": receipt,
        "replayed": replayed,
        "state": row["state"],
        "relevant": row["relevant"],
        "urgent": row["urgent"],
        "kinds": row["kinds"],
        "area": row["area"],
        "agency": row["agency"],
        "unit": row["unit"],
        "rule": row["rule"],
        "reason": {"zh": routing.reason_zh, "en": routing.reason_en},
        "referral": None
        if routing.referral_topic is None
        else {"topic": routing.referral_topic, "place": {"zh": routing.referral_zh, "en": routing.referral_en}},
        "lead_id": row["lead_id"],
        "received_at": row["received_at"],
    }


def _routing(service: Service, row: Any) -> Any:
    return service.plans[row["plan"]].route(
        RoutingFacts(
            kinds=frozenset(row["kinds"]),
            urgent=row["urgent"],
            area=row["area"],
            channel=row["channel"],
            relevant=row["relevant"] or row["urgent"],
            belongs_to=row["belongs_to"],
        )
    )


def next_words(service: Service, row: Any) -> Words:
    """What happens next with a tip, in plain words for the citizen."""
    if row["state"] == "referred":
        routing = _routing(service, row)
        return Words(
            zh=f"您反映的情况看起来不属于传销，建议联系：{routing.referral_zh}。如您认为与传销有关，可凭回执号补充。",
            en=f"This does not look like pyramid selling; the right place is: {routing.referral_en}. "
            "If you think it is, add to it with your receipt.",
        )
    if row["urgent"]:
        return Words(
            zh="已立即转给公安。如果有人正被困或受伤，请马上拨打 110，并说明地点。",
            en="Handed to the police at once. If somebody is held or hurt right now, call 110 and say where.",
        )
    agency = service.plans[row["plan"]].agency(row["agency"])
    return Words(
        zh=f"已交{agency.name.zh}核查，公安和市场监管等部门会共同办理。凭回执号可随时查看进展。",
        en=f"Handed to {agency.name.en}; police and commerce work on it together. Follow it with your receipt.",
    )


@router.get("/tips", response_model=Page[TipOut], summary="Tips in my reach, newest first")
async def list_tips(
    request: Request,
    caller: Caller = Depends(Requires("tip.read")),
    state: str | None = Query(None, pattern="^(lead|referred)$"),
    channel: str | None = Query(None, max_length=20),
    urgent: bool | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page of tips; their words are not in it."""
    service = service_of(request)
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(service.engine) as conn:
        found = await queries.list_tips(
            conn,
            caller,
            state=state,
            channel=channel,
            urgent=urgent,
            after=after,
            limit=limit,  # type: ignore[arg-type]
        )
    shown, following = pagination.page(found, limit, lambda row: (row.received_at, row.id))
    items = [tip_out(service, row._mapping, None, False) for row in shown]
    return ORJSONResponse({"items": items, "next": following})


@router.get("/tips/{tip_id}", response_model=TipFull, summary="One tip with its words; the reading is recorded")
async def get_tip(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.read"))) -> Response:
    """One tip: its words, the words that made us read it so, and the routing rules tried, matched, skipped."""
    return ORJSONResponse(await full_tip(service_of(request), caller, tip_id))


async def full_tip(service: Service, caller: Caller, tip_id: UUID) -> dict[str, Any]:
    """A tip as `TipFull`, recorded as read; NotFound when it is not there for this caller."""
    async with db.begin(service.engine) as conn:
        row = await queries.tip(conn, caller, tip_id)
        if row is None:
            raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
        await audit.record(conn, kit, caller, "tip.read", "tip", [tip_id], clock.now())
    told = queries.narrative(service.settings.keys, row)
    return {
        **tip_out(service, row._mapping, None, False),
        "channel": row.channel,
        "subject": told["subject"],
        "text": told["text"],
        "place": told["place"],
        "posted_at": row.posted_at,
        "external_ref": row.external_ref,
        "words": [{"code": code, "words": "、".join(words)} for code, *words in told["words"]],
        "steps": [
            {"rule": s.rule, "outcome": s.outcome, "why": s.why, "why_en": s.why_en}
            for s in _routing(service, row._mapping).steps
        ],
    }


@router.get("/leads/{lead_id}", summary="One lead")
async def get_lead(request: Request, lead_id: UUID, caller: Caller = Depends(Requires("lead.read"))) -> Response:
    """One lead (线索): what is known of the target, and its tips' ids."""
    service = service_of(request)
    async with db.begin(service.engine) as conn:
        found = await queries.lead(conn, caller, lead_id)
    if found is None:
        raise NotFound("没有这条线索，或不在您的权限内。 No such lead within your reach.")
    row, tip_ids = found
    return ORJSONResponse({**row._mapping, "tip_ids": tip_ids})


class MissLimit:
    """Counts wrong receipts in all, with no address: beyond the limit, look-ups pause."""

    def __init__(self, a_minute: int) -> None:
        self._most = a_minute
        self._misses: deque[float] = deque(maxlen=a_minute)

    def check(self) -> None:
        """TooMany while the last minute saw too many wrong receipts."""
        if len(self._misses) == self._most and time.monotonic() - self._misses[0] < 60:
            raise TooMany(
                "查询过于频繁，请一分钟后再试；您的举报不受影响。 Too many look-ups; wait a minute. Your tip is safe.",
                headers={"retry-after": "60"},
            )

    def miss(self) -> None:
        """Note a wrong receipt."""
        self._misses.append(time.monotonic())


@router.post("/receipts", response_model=ReceiptOut, summary="Follow a tip by its receipt")
async def follow(
    request: Request,
    body: ReceiptIn,
    _: Caller = Depends(Public("the receipt is the right; it is never part of an address")),
) -> Response:
    """How the tip stands. A wrong receipt tells nothing about any other."""
    row = await tip_by_receipt(request, body.receipt)
    words = next_words(service_of(request), row._mapping)
    return ORJSONResponse({"state": row.state, "received_at": row.received_at, "words": words.model_dump()})


async def tip_by_receipt(request: Request, typed: str) -> Any:
    """The tip of a typed receipt; Invalid for a slip of typing, NotFound for one that does not exist."""
    service = service_of(request)
    receipt = clean_receipt(typed)
    if receipt is None:
        raise Invalid(
            "回执号应为16位数字，请核对是否抄错。 A receipt has 16 digits; please check for a slip.",
            code="bad-receipt",
            errors=[{"field": "receipt", "code": "checksum", "message": "not a receipt"}],
        )
    limit: MissLimit = request.app.state.receipt_misses
    limit.check()
    async with db.begin(service.engine) as conn:
        row = await queries.by_receipt(conn, service.settings.keys, receipt)
    if row is None:
        limit.miss()
        raise NotFound("没有找到这个回执号，请核对后再试。 No tip has this receipt; please check it.")
    return row


@router.post("/trace", response_model=TraceAnswer, summary="Steps of a tip at intake")
async def trace(request: Request, body: TraceRequest, caller: Caller = Depends(Requires("trace.read"))) -> Response:
    """Steps by receipt, tip id or lead id. A receipt is accepted in the body only."""
    service = service_of(request)
    keys = service.settings.keys
    ids, hashes = [], []
    for given in body.ids:
        try:
            ids.append(UUID(given))
        except ValueError:
            if receipt := clean_receipt(given):
                hashes.append(keys.token("receipt_lookup", receipt))
    async with db.begin(service.engine) as conn:
        rows = await queries.for_trace(conn, caller, ids, hashes)
        await audit.record(conn, kit, caller, "tip.trace", "tip", [row.id for row in rows], clock.now())
    return ORJSONResponse(
        TraceAnswer(
            steps=[step for row in rows for step in _steps(service, row)],
            related=[str(i) for row in rows for i in (row.id, row.lead_id) if i],
        ).model_dump(mode="json")
    )


def _steps(service: Service, row: Any) -> list[TraceStep]:
    routing = _routing(service, row._mapping)

    def step(code: str, zh: str, en: str, **facts: Any) -> TraceStep:
        return TraceStep(
            at=row.received_at, service="intake", step=code, title_zh=zh, title_en=en,
            object_type="tip", object_id=str(row.id), facts=facts,
        )  # fmt: skip

    steps = [
        step("tip.received", "收到举报", "Tip received", channel=row.channel, plan=row.plan, area=row.area),
        step(
            "tip.read",
            "判读内容",
            "Text read",
            relevant=row.relevant,
            urgent=row.urgent,
            kinds=",".join(row.kinds),
            lexicon=row.lexicon,
        ),
    ]
    if row.state == "referred":
        steps.append(
            step(
                "tip.referred",
                f"不属传销，应由{routing.referral_zh}处理",
                f"Belongs to {routing.referral_en}",
                rule=row.rule,
            )
        )
    else:
        steps.append(
            step(
                "lead.routed",
                f"转{service.plans[row.plan].agency(row.agency).name.zh}：{routing.reason_zh}",
                f"Routed to {row.agency}: {routing.reason_en}",
                rule=row.rule,
                agency=row.agency,
                unit=row.unit,
                lead_id=str(row.lead_id),
            )
        )
    return steps
