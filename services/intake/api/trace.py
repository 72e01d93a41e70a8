"""Intake's steps of a tip's journey."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake import queries
from services.intake.domain.receipts import clean_receipt
from services.intake.queries import routing_of
from services.intake.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.kit.trace import TraceAnswer, TraceRequest, TraceStep
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["trace"])


@router.post("/trace", response_model=TraceAnswer, summary="Steps of a tip at intake")
async def trace(request: Request, body: TraceRequest, caller: Caller = Depends(Requires("trace.read"))) -> Response:
    """Steps by receipt, tip id or lead id. A receipt is accepted in the body only."""
    service = request.app.state.service
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
    routing = routing_of(service, row._mapping)

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
