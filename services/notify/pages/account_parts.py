"""What the pages of accounts and of agencies' systems share: sent once, refused, changed meanwhile, what may be chosen."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.queries.directory import Change
from services.notify.tables import kit
from shared.kit import clock, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, Outdated, Problem
from shared.kit.service import Service
from shared.rules.plan import Plan
from shared.web.forms import Form
from shared.web.render import told

Manager = Depends(Requires("directory.manage"))
REFUSALS = (Conflict, Forbidden, Invalid, Outdated)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was saved: the words, the wrong fields, and the version the page was made from when it is an old one."""

    words: str
    faults: tuple[tuple[str, str], ...]
    status: int
    outdated: int | None = None

    def missed(self, history: list[Change]) -> list[Change]:
        """What others did since that version; nothing when the page was not an old one."""
        return [] if self.outdated is None else [one for one in history if one.version > self.outdated]


def why(request: Request, problem: Problem, version: int | None = None) -> Refused:
    """A refusal for the page that shows it."""
    errors = (problem.extras or {}).get("errors") or []
    faults = tuple((str(one["field"]), str(one["message"])) for one in errors)
    return Refused(told(request, problem), faults, int(problem.status), version if isinstance(problem, Outdated) else None)


async def first_time(
    conn: AsyncConnection, svc: Service, caller: Caller, what: str, sent: Form, about: UUID | None = None
) -> tuple[bool, UUID]:
    """Take the form's key: whether it is new, and the id of the object it made or changed (`about`; a new one otherwise)."""
    asked = orjson.dumps([sent.model_dump(mode="json"), str(about or "")])
    claim = idempotency.claim(svc.settings.keys, caller, what, str(sent.idempotency_key), asked, about or new_id())
    earlier = await idempotency.take(conn, kit.idempotency, claim, clock.now())
    if isinstance(earlier, Conflict):
        raise earlier
    return earlier is None, earlier or claim.object_id


def plans_of(svc: Service, caller: Caller) -> list[str]:
    """The plans whose accounts the caller manages, their own first."""
    every = sorted(svc.plans) if caller.reach("directory.manage") == "all" else [caller.plan or ""]
    return sorted((one for one in every if one in svc.plans), key=lambda one: one != caller.plan)


def plan_asked(svc: Service, caller: Caller, asked: str | None) -> Plan:
    """The plan asked for, the caller's own without a word; Forbidden when it is not theirs to manage."""
    within = plans_of(svc, caller)
    wanted = asked or (within[0] if within else "")
    if wanted not in within:
        raise Forbidden("只能管理本方案的账号。 Only accounts of your own plan.")
    return svc.plans[wanted]


def choices(plan: Plan, standing: Any = None) -> dict[str, Any]:
    """Agencies with their units, posts and areas to choose from; what stands but is no longer in the plan stays in sight."""
    places = [f"{one.id}/{unit}" if unit else one.id for one in plan.agencies for unit in (None, *(u.id for u in one.units))]
    posts, areas = [one.id for one in plan.posts], [one.id for one in plan.areas]
    place = ""
    if standing is not None:
        place = f"{standing.agency}/{standing.unit}" if standing.unit else standing.agency
        places += [place] if place not in places else []
        posts += [one for one in standing.posts if one not in posts]
        areas += [one for one in standing.areas if one not in areas]
    return {"places": places, "place": place, "posts": posts, "areas": areas}
