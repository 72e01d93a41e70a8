"""Who is party to a joint case: one party an agency, whatever number of its units the routing names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from services.casework.domain.states import PartyState
from shared.rules.plan import Plan

Involved = tuple[str, str | None, str]
"""Agency, unit (None: the whole agency) and role, as the plan's routing gives them."""

LEAD, CO, COORDINATOR = "lead", "co", "coordinator"
_WEIGHT = {LEAD: 0, CO: 1, COORDINATOR: 2}


class UnknownParty(LookupError):
    """A lead names an agency or a role that the plan does not have."""


@dataclass(frozen=True, slots=True)
class Party:
    """An agency's part in a case.

    `role` is the strongest of its units' roles and `unit` the unit that has it: that unit answers for the clock.
    `units` are all of its units that the case concerns; empty means the whole agency.
    """

    agency: str
    unit: str | None
    role: str
    units: tuple[str, ...] = ()
    state: PartyState = PartyState.PENDING

    @property
    def must_accept(self) -> bool:
        """Lead and co-agencies accept; a coordinator (the office, a command centre) only follows."""
        return self.role != COORDINATOR


def parties_of(plan: Plan, involved: tuple[Involved, ...]) -> tuple[Party, ...]:
    """The parties of a joint case, lead first; police and commerce belong to every one (条例 art. 4, D-N3).

    Raises `UnknownParty` when the plan has no such agency or the role is none of ours.
    """
    return _parties(_Members.of(plan), involved)


@dataclass(frozen=True, slots=True)
class _Members:
    agencies: frozenset[str]
    always: tuple[str, ...]

    @staticmethod
    def of(plan: Plan) -> _Members:
        found = _members.get(id(plan))
        if found is None or found[0] is not plan:
            always = tuple(agency.id for kind in ("police", "commerce") for agency in plan.agencies_of_kind(kind)[:1])
            found = _members[id(plan)] = (plan, _Members(frozenset(a.id for a in plan.members), always))
        return found[1]


_members: dict[int, tuple[Plan, _Members]] = {}


@lru_cache(maxsize=4096)
def _parties(members: _Members, involved: tuple[Involved, ...]) -> tuple[Party, ...]:
    by_agency: dict[str, list[Involved]] = {}
    for one in involved:
        agency, _, role = one
        if agency not in members.agencies or role not in _WEIGHT:
            raise UnknownParty(f"{agency} ({role})")
        by_agency.setdefault(agency, []).append(one)
    for agency in members.always:
        by_agency.setdefault(agency, [(agency, None, CO)])
    made = []
    for agency, parts in by_agency.items():
        _, unit, role = min(parts, key=lambda part: _WEIGHT[part[2]])
        whole = any(part[1] is None for part in parts)
        units = () if whole else tuple(dict.fromkeys(part[1] for part in parts if part[1]))
        made.append(Party(agency, unit, role, units))
    return tuple(sorted(made, key=lambda party: _WEIGHT[party.role]))
