"""What becomes of a tip: read, placed, routed by the plan. No I/O."""

from dataclasses import dataclass
from enum import StrEnum

from services.intake.domain.reading import Reading
from shared.rules.plan import Plan, Routing, RoutingFacts


class TipState(StrEnum):
    """Where a tip stands."""

    LEAD = "lead"
    """It concerns pyramid selling and is (part of) a lead."""
    REFERRED = "referred"
    """It does not; triage ended with the place it belongs to."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What triage by rule decided for one tip; an officer may correct it."""

    state: TipState
    area: str | None
    routing: Routing


def triage(plan: Plan, reading: Reading, *, area: str | None, text: str, channel: str) -> Decision:
    """Decide by the plan's ordered routing rules (D-B2, D-A5).

    The area is the one the sender named, else the one their words name; without any, the plan's rule for a
    missing area sends it to the office. Somebody held is never sent away, whatever the matter: an urgent tip
    is a lead.
    """
    place = area or plan.area_of(text)
    relevant = reading.relevant or reading.urgent
    routing = plan.route(
        RoutingFacts(
            kinds=frozenset(reading.kinds),
            urgent=reading.urgent,
            area=place,
            channel=channel,
            relevant=relevant,
            belongs_to=None if relevant else reading.belongs_to,
        )
    )
    return Decision(TipState.LEAD if routing.agency else TipState.REFERRED, place, routing)
