"""What the routes of the registers share: keys, plans, single rows, files."""

from typing import Any

from fastapi import Request, Response

from services.intake.commands.registers import importing
from services.intake.schemas.registers import Register, RowOutcome
from shared.kit import clock
from shared.kit.access import Caller
from shared.kit.idempotency import check_key
from shared.kit.problem import BadRequest, Forbidden, Invalid, NotFound
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse
from shared.rules.plan import Plan


def required_key(request: Request) -> str:
    """The Idempotency-Key; BadRequest without one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        raise BadRequest(
            "请携带 Idempotency-Key，重发才不会重复。 Send an Idempotency-Key, so that sending again doubles nothing.",
            code="idempotency-key-required",
        )
    return check_key(key)


def own_plan(service: Service, caller: Caller, right: str, plan_id: str | None) -> Plan:
    """The plan named, or the caller's own. Forbidden for another one's, NotFound for none."""
    wanted = plan_id or caller.plan or ""
    if caller.reach(right) != "all" and wanted != caller.plan:
        raise Forbidden("只能在本方案内登记。 Entries can only be made under your own plan.", code="other-plan")
    try:
        return service.plans[wanted]
    except KeyError:
        raise NotFound("没有这个方案。 There is no such plan.") from None


def entered(outcome: RowOutcome) -> Response:
    """The answer for one row entered by API: 201 when new, 200 when known; Invalid with its reasons when rejected."""
    if outcome.status == "rejected":
        raise Invalid(
            "请改正所列字段；未保存任何内容。 Correct the listed fields; nothing was kept.",
            errors=[error.model_dump() for error in outcome.errors],
        )
    return ORJSONResponse(
        {"id": outcome.id, "status": outcome.status}, status_code=201 if outcome.status == "created" else 200
    )


async def take_file(
    request: Request, caller: Caller, register: Register, plan_id: str | None, dry_run: bool
) -> dict[str, Any]:
    """Import the request's body, a sheet, into a register."""
    service: Service = request.app.state.service
    plan = own_plan(service, caller, importing.RIGHTS[register], plan_id)
    return await importing.import_register(
        service, caller, plan, register, await request.body(), dry_run, clock.now()
    )
