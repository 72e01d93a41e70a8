"""The plan as everybody in it should know it: who does what, when, within which time, by which article."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from shared.kit import clock
from shared.kit.access import Caller, Requires
from shared.kit.problem import NotFound
from shared.kit.service import Service
from shared.rules.law import LimitInForce, Text, UnknownRule
from shared.rules.plan import Plan
from shared.rules.plan.parts import Agency, Duty
from shared.web.forms import see_other
from shared.web.render import page

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Clock:
    """One time limit as shown: of acceptance (by whom, urgent or not) or of something else, and the rule of today."""

    what: Text
    agency: str | None
    kind: str | None
    urgent: bool | None
    accepting: bool
    rule: LimitInForce | None
    """None when the rule was repealed and nothing took its place."""


@router.get("/plans")
async def plans(request: Request, caller: Caller = Depends(Requires("plan.read"))) -> Response:
    """The caller's own plan, or the list for one who may see all."""
    service: Service = request.app.state.service
    if caller.reach("plan.read") != "all" and caller.plan in service.plans:
        return see_other(request, f"/plans/{caller.plan}")
    shown = [service.plans[name] for name in sorted(service.plans)]
    return page(request, "plans.html", {"plans": shown}, service="intake", caller=caller)


@router.get("/plans/{plan_id}")
async def plan(request: Request, plan_id: str, caller: Caller = Depends(Requires("plan.read"))) -> HTMLResponse:
    """One plan: phases, agencies with their duties, clocks with their articles, reporting, patrols, assumptions."""
    service: Service = request.app.state.service
    found = service.plans.get(plan_id)
    if found is None or (caller.reach("plan.read") != "all" and caller.plan != plan_id):
        raise NotFound("没有这个方案，或不在您的权限内。 No such plan within your reach.")
    today = clock.now().astimezone(clock.CHINA).date()
    return page(
        request,
        "plan.html",
        {
            "plan": found,
            "today": today,
            "members": [(agency, _duties(found, agency)) for agency in found.members if agency.kind != "community"],
            "communities": [agency for agency in found.members if agency.kind == "community"],
            "clocks": _clocks(service, found, today),
            "phases": [(phase, found.phase_state(phase.id, today)) for phase in found.phases],
            "report_dates": found.report_dates(),
            "own": caller.agency if caller.plan == plan_id else None,
        },
        service="intake",
        caller=caller,
    )


def _duties(plan: Plan, agency: Agency) -> list[Duty]:
    return list(plan.duties_of(agency.id))


def _clocks(service: Service, plan: Plan, today: date) -> list[Clock]:
    named = [(line.rule, line.agency, line.kind, line.urgent, True) for line in plan.deadlines.acceptance]
    named += [(rule, None, None, None, False) for rule in plan.deadlines.clocks.values()]
    clocks = []
    for rule_id, agency, kind, urgent, accepting in named:
        try:
            rule = plan.limit(rule_id, today, service.law)
        except UnknownRule:
            clocks.append(Clock(Text(zh=rule_id, en=rule_id), agency, kind, urgent, accepting, None))
        else:
            clocks.append(Clock(rule.limit.what, agency, kind, urgent, accepting, rule))
    return clocks
