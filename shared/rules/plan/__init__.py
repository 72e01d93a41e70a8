"""A town's plan as data: bodies, agencies, areas, duties, phases, calendar, routing, clocks, access.

`load_plan` / `load_plans` give validated, frozen `Plan` objects; `check_plan` says what is wrong or worth knowing,
each with ``file:line``. Files live in `deploy/plans/<id>/`; `docs/plans.md` tells a town how to write its own.
"""

from shared.rules.plan.findings import Finding
from shared.rules.plan.load import PlanError, check_plan, load_plan, load_plans
from shared.rules.plan.model import Plan
from shared.rules.plan.routing import Party, Routing, RoutingFacts, RuleStep
from shared.rules.yaml_source import Where

__all__ = [
    "Finding", "Party", "Plan", "PlanError", "Routing", "RoutingFacts", "RuleStep", "Where", "check_plan", "load_plan",
    "load_plans",
]
