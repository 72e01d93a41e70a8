"""A recorded tip as its callers are shown it."""

from typing import Any

from services.intake.schemas.tips import Words
from shared.kit.service import Service
from shared.rules.plan import Routing, RoutingFacts


def tip_out(service: Service, row: Any, receipt: str | None, replayed: bool) -> dict[str, Any]:
    """A recorded tip (a mapping) as `TipOut`."""
    routing = routing_of(service, row)
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


def routing_of(service: Service, row: Any) -> Routing:
    """The plan's routing of a recorded tip (a mapping), with the rules tried."""
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
        routing = routing_of(service, row)
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
