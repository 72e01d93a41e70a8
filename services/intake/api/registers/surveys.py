"""Survey rounds (摸底排查, X-D1a): opened, reported, closed; their progress."""

from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.api.registers.common import own_plan, required_key
from services.intake.commands.registers import surveys as commands
from services.intake.queries.registers import surveys
from services.intake.schemas.registers import PartReport, SurveyIn
from services.intake.tables import kit
from shared.kit import clock, db, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.ids import new_id
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["surveys"])


@router.get("/surveys", summary="Survey rounds with their progress")
async def rounds(
    request: Request,
    caller: Caller = Depends(Requires("survey.read")),
    area: str | None = Query(None, max_length=48),
) -> Response:
    """Open ones first; the progress is that of what is in reach."""
    async with db.begin(request.app.state.service.engine) as conn:
        return ORJSONResponse({"items": [_told(one) for one in await surveys.rounds(conn, caller, area)]})


@router.post("/surveys", status_code=201, summary="Open a round (Idempotency-Key)")
async def open_round(
    request: Request, body: SurveyIn, caller: Caller = Depends(Requires("survey.manage"))
) -> Response:
    """A part for each estate of the communities named, and one for the rest of each."""
    service: Service = request.app.state.service
    plan = own_plan(service, caller, "survey.manage", body.plan)
    key, now, fresh = required_key(request), clock.now(), new_id()
    claim = idempotency.claim(service.settings.keys, caller, "survey.open", key, body.model_dump_json().encode(), fresh)
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        if known is None:
            await commands.open_round(conn, service, caller, plan, body, now, round_id=fresh)
        elif not isinstance(known, UUID):
            raise known
    made = known or fresh
    return ORJSONResponse({"id": made}, status_code=201 if known is None else 200)


@router.get("/surveys/{round_id}", summary="One round: communities and estates with their progress")
async def one(request: Request, round_id: UUID, caller: Caller = Depends(Requires("survey.read"))) -> Response:
    """Progress on one page (X-D1a)."""
    async with db.begin(request.app.state.service.engine) as conn:
        found = await surveys.one(conn, caller, round_id)
    areas = [
        {**_told(area), "parts": [_told(part) for part in area["parts"]]} for area in found["areas"]
    ]  # fmt: skip
    return ORJSONResponse({**_told(found), "areas": areas}, headers={"etag": etag(found["version"])})


@router.post("/surveys/parts/{part_id}/reports", summary="Add what a team did by hand (If-Match, Idempotency-Key)")
async def report(
    request: Request, part_id: UUID, body: PartReport, caller: Caller = Depends(Requires("survey.read"))
) -> Response:
    """Households visited and found suspicious since the last report; perhaps the target, perhaps that it is done."""
    service: Service = request.app.state.service
    version, key, now = required_version(request), required_key(request), clock.now()
    claim = idempotency.claim(
        service.settings.keys, caller, "survey.report", key, f"{part_id}\n{body.model_dump_json()}".encode(), part_id
    )
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        if known is None:
            await commands.report_part(conn, service, caller, part_id, body, version, now)
        elif not isinstance(known, UUID):
            raise known
    return Response(status_code=204)


@router.post("/surveys/{round_id}/closure", status_code=204, summary="Close a round (If-Match, Idempotency-Key)")
async def close(
    request: Request, round_id: UUID, caller: Caller = Depends(Requires("survey.manage"))
) -> Response:
    """Its figures stand from then on."""
    service: Service = request.app.state.service
    version, key, now = required_version(request), required_key(request), clock.now()
    claim = idempotency.claim(service.settings.keys, caller, "survey.close", key, str(round_id).encode(), round_id)
    async with db.begin(service.engine) as conn:
        known = await idempotency.take(conn, kit.idempotency, claim, now)
        if known is None:
            await commands.close_round(conn, service, caller, round_id, version, now)
        elif not isinstance(known, UUID):
            raise known
    return Response(status_code=204)


def _told(row: dict) -> dict:
    made = row["progress"]
    return {
        **{name: value for name, value in row.items() if name not in ("progress", "areas", "parts")},
        "progress": {
            "target": made.target, "reached": made.reached, "found": made.found, "done": made.done,
            "percent": made.percent,
        },
    }  # fmt: skip
