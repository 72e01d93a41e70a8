"""Reporting with help: the questions, the places to pick, a report with answers and, if wanted, a contact."""

from typing import Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.api.handing_in import at_the_door
from services.intake.commands import reports
from services.intake.commands import tips as commands
from services.intake.commands.door import flag_unproven
from services.intake.commands.reports import Contact
from services.intake.domain.questions import Question, catalogue, parsed, statements
from services.intake.domain.work import Outcome
from services.intake.queries import next_words
from services.intake.queries.places import picks
from services.intake.schemas.conversation import (
    KindOut,
    OptionOut,
    PlaceOut,
    PlacesOut,
    QuestionOut,
    QuestionsOut,
    ReportIn,
    ReportOut,
)
from services.intake.schemas.tips import TipBody, Words
from shared.kit import clock, db
from shared.kit.access import ANONYMOUS, Caller, Public
from shared.kit.idempotency import check_key
from shared.kit.problem import Invalid
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(prefix="/public", tags=["reporting"])

_ANYONE = Public("anyone may report, 禁止传销条例 art. 6; nobody is asked who they are", reads_caller=False)


@router.get("/questions", response_model=QuestionsOut, summary="Questions that help to report, by kind")
async def questions(_: Caller = Depends(_ANYONE)) -> Response:
    """All kinds and their questions; every one can be skipped."""
    book = catalogue()
    told = QuestionsOut(
        kinds=[
            KindOut(
                id=kind.id,
                danger=kind.danger,
                words=Words(zh=kind.zh, en=kind.en),
                questions=[_question(one) for one in kind.questions],
            )
            for kind in book.kinds
        ],
        common=[_question(one) for one in book.common],
    )
    return ORJSONResponse(told.model_dump())


def _question(one: Question) -> QuestionOut:
    options = [OptionOut(id=option.id, words=Words(zh=option.zh, en=option.en)) for option in one.options]
    return QuestionOut(id=one.id, form=one.form, words=Words(zh=one.zh, en=one.en), options=options)


@router.get("/places", response_model=PlacesOut, summary="Communities of a plan, or the estates in one")
async def places(
    request: Request,
    _: Caller = Depends(_ANYONE),
    plan: str = Query(max_length=48),
    area: str | None = Query(None, max_length=48),
    find: str = Query("", max_length=40),
) -> Response:
    """Names of places that anybody can see on a map; nothing about who lives there."""
    service: Service = request.app.state.service
    known = commands.plan_of(service, plan)
    if area is not None and known.area_of(area) != area:
        raise Invalid(
            "方案中没有这个区域。 The plan has no such area.",
            code="unknown-area",
            errors=[{"field": "area", "code": "unknown", "message": "no such area in the plan"}],
        )
    async with db.begin(service.engine) as conn:
        found = await picks(conn, known, area, find.strip())
    items = [PlaceOut(id=p.id, level=p.level, words=Words(zh=p.zh, en=p.en)) for p in found]
    return ORJSONResponse(PlacesOut(items=items).model_dump())


@router.post("/reports", status_code=201, response_model=ReportOut, summary="Report with answers, named or not")
async def report(request: Request, body: ReportIn, _: Caller = Depends(_ANYONE)) -> Response:
    """Record a citizen's report; with an Idempotency-Key, sending again is safe. The receipt is shown once.

    Under load, 429 `work-needed` asks for proof of work in the header `Dachuan-Work` (see `/v1/public/work`).
    """
    service: Service = request.app.state.service
    _check(body)
    told = f"{body.subject}\n{body.text}\n{body.place or ''}\n{statements(body.kinds, body.answers)}"
    outcome = at_the_door(request, lambda: told)
    key = request.headers.get("idempotency-key")
    draft = reports.draft_report(
        service,
        ANONYMOUS,
        TipBody.model_validate(body.model_dump(exclude={"plan", "kinds", "answers", "contact"})),
        plan=commands.plan_of(service, body.plan),
        channel="web",
        key=check_key(key) if key else None,
        ticked=body.kinds,
        answers=body.answers,
    )
    taken = await commands.submit(request.app.state.tips, draft)
    if outcome is Outcome.URGENT:
        await flag_unproven(service, taken.row["id"])
    kept = False
    contact = Contact(**body.contact.model_dump()) if body.contact else Contact()
    if contact:
        async with db.begin(service.engine) as conn:
            kept = await reports.keep_contact(conn, service, ANONYMOUS, taken.row["id"], contact, clock.now())
    answer: dict[str, Any] = {
        "receipt": taken.receipt,
        "state": taken.row["state"],
        "next": next_words(service, taken.row).model_dump(),
        "received_at": taken.row["received_at"],
        "contact_kept": kept or (bool(contact) and taken.replayed),
    }
    return ORJSONResponse(answer, status_code=200 if taken.replayed else 201)


def _check(body: ReportIn) -> None:
    """Ids that no question has are told, not silently dropped."""
    known = {kind.id for kind in catalogue().kinds}
    wrong = [f"kinds.{at}" for at, kind in enumerate(body.kinds) if kind not in known]
    for asked, given in body.answers.items():
        if len(parsed([f"{asked}={said}" for said in given]).get(asked, ())) != len(given):
            wrong.append(f"answers.{asked}")
    if wrong:
        raise Invalid(
            "有的选项不存在，见所列字段；未保存任何内容。 Some choices do not exist; nothing was kept.",
            code="unknown-choice",
            errors=[{"field": field, "code": "unknown", "message": "see /v1/public/questions"} for field in wrong],
        )
