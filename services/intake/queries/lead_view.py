"""A lead as its callers are shown it: targets without persons, a timeline, reasons in words, the rules tried."""

from collections.abc import Sequence
from typing import Any

from services.intake.domain.aims import shown
from services.intake.domain.leads import state_of
from services.intake.domain.reviews import Effect
from services.intake.queries.leads import LeadFull
from services.intake.queries.present import routing_of
from shared.kit.service import Service

_REASONS = {
    "room": ("同一房间", "the same room"),
    "floor": ("同一楼层", "the same floor"),
    "building": ("同一栋", "the same building"),
    "estate": ("同一小区", "the same estate"),
    "place_name": ("地名相近", "a similar name of the place"),
    "road": ("同一门牌", "the same street number"),
    "phone": ("同一电话", "the same phone number"),
    "person": ("同一人", "the same person"),
    "org": ("同一组织", "the same organisation"),
    "app": ("同一软件或平台", "the same app or site"),
    "wording": ("文字相近", "similar wording"),
}
_STEPS = {
    "received": ("收到举报", "A tip came in"),
    "joined": ("举报并入", "A tip joined"),
    "merged": ("线索并入", "A lead was joined with it"),
    "merged_away": ("并入另一线索", "Joined with another lead"),
    "split": ("拆出举报", "Tips were split off"),
    "split_from": ("由另一线索拆出", "Split off from another lead"),
    "unmerged": ("还原并入", "A joining was undone"),
    "unmerged_from": ("从另一线索还原", "Taken out of another lead again"),
    "corrected": ("研判为与本线索无关，移出", "Found not to concern it, and taken out"),
    "gathering": ("同一地点信号增多，提示聚集", "Signals about the place became a gathering"),
    "case": ("立为联合案件", "A joint case was opened"),
    "accepted": ("受理", "Accepted"),
    "closed": ("线索办结", "The lead was closed"),
}

REVIEWED = {
    Effect.NONE: ("已确认判读。", "The reading is confirmed."),
    Effect.CHANGE: ("已更正，线索随之更新。", "Corrected; the lead follows."),
    Effect.RAISE: ("已更正为紧急，立即转公安。", "Corrected to urgent; the police are told at once."),
    Effect.OPEN: ("已更正为传销线索，时限从最初收到之时起算。", "Corrected to a lead; its clocks start with its first receipt."),
    Effect.LEAVE: ("已更正为无关，移出线索；其余举报不受影响。", "Corrected; it left the lead, the other tips stay."),
    Effect.KEEP: (
        "已记下更正。这是线索的唯一举报：线索仍在，是否受理请由承办单位作出决定。",
        "The correction is kept. It is all the lead has: the lead stands until its agency decides on acceptance.",
    ),
}
"""What is said after a review."""


def reason_words(reason: str) -> dict[str, str]:
    """A reason code with its words, in Chinese and English."""
    code, _, said = reason.partition(" ")
    zh, en = _REASONS.get(code, (code, code))
    return {"zh": f"{zh}：{said}" if said else zh, "en": f"{en}: {said}" if said else en}


def targets_out(targets: Sequence[str]) -> list[dict[str, Any]]:
    """Stored targets as shown; keyed tokens stay inside."""
    out = []
    for target in targets:
        kind, words = shown(target)
        if kind == "text":
            continue
        out.append({"kind": kind, "words": words, "mentioned_only": target.startswith("~")})
    return out


def lead_out(row: Any) -> dict[str, Any]:
    """A row of `leads` as `LeadOut`."""
    return {
        "lead_id": row.id,
        "version": row.version,
        "plan": row.plan,
        "area": row.area,
        "kinds": row.kinds,
        "urgent": row.urgent,
        "state": state_of(row).value,
        "agency": row.agency,
        "unit": row.unit,
        "rule": row.rule,
        "tips": row.tips,
        "received_at": row.received_at,
        "last_at": row.last_at,
        "gathering_at": row.gathering_at,
        "merged_into": row.merged_into,
        "targets": targets_out(row.targets),
    }


def full_out(service: Service, full: LeadFull) -> dict[str, Any]:
    """A lead as `LeadFullOut`."""
    lead = full.lead
    accepted = [party.accepted_at for party in full.parties if party.accepted_at]
    return {
        **lead_out(lead),
        "closed_at": lead.closed_at,
        "tip_ids": [tip.id for tip in full.tips],
        "all_tips": [
            {
                "tip_id": tip.id,
                "version": tip.version,
                "channel": tip.channel,
                "received_at": tip.received_at,
                "posted_at": tip.posted_at,
                "external_ref": tip.external_ref,
                "kinds": tip.kinds,
                "urgent": tip.urgent,
                "reviewed_at": tip.reviewed_at,
                "earliest": tip.id == lead.first_tip,
                "readable": tip.id in full.shown_tips,
            }
            for tip in full.tips
        ],
        "timeline": timeline(full),
        "suggestions": [suggestion_out(one) for one in full.suggestions],
        "gatherings": [
            {
                "gathering_id": one.id,
                "level": one.level,
                "place": one.place,
                "signals": one.signals,
                "found_at": one.found_at,
            }
            for one in full.gatherings
        ],
        "cases": [
            {
                name: getattr(party, name)
                for name in ("lead_id", "number", "agency", "unit", "role", "state", "due", "accepted_at")
            }
            for party in full.parties
        ],
        "merged_lead_ids": [one.id for one in full.merged],
        "routing": lead_routing(service, full),
        "acted_after_seconds": (min(accepted) - lead.received_at).total_seconds() if accepted else None,
    }


def suggestion_out(row: Any) -> dict[str, Any]:
    """A suggestion as `SuggestionOut`, told from the side of the lead it is shown with."""
    return {
        "suggestion_id": row.id,
        "version": row.version,
        "kind": row.kind,
        "state": row.state,
        "score": row.score,
        "reasons": [reason_words(reason) for reason in row.reasons],
        "lead_id": row.about,
        "area": row.area,
        "kinds": row.kinds,
        "tips": row.tips,
        "received_at": row.received_at,
        "made_at": row.made_at,
    }


def timeline(full: LeadFull) -> list[dict[str, Any]]:
    """What happened, oldest first; each joining that can still be undone says so."""
    lead = full.lead
    undone = {join.undoes for join in full.joins if join.undoes}
    gone = {one.id for one in full.merged}
    came_later = {tip for join in full.joins if join.action == "joined" for tip in join.tips}
    items = [
        _item(tip.received_at, "received", tips=[tip.id]) for tip in full.tips if str(tip.id) not in came_later
    ]
    for join in full.joins:
        away = join.other_id == lead.id
        step = {"merged": "merged_away", "split": "split_from", "unmerged": "unmerged_from"}.get(join.action) if away else None
        items.append(
            _item(
                join.at,
                step or join.action,
                agency=join.agency,
                number=join.id,
                tips=join.tips,
                other=join.lead_id if away else join.other_id,
                score=join.score or None,
                reasons=[reason_words(reason) for reason in join.reasons],
                may_undo=full.mine
                and not away
                and join.action == "merged"
                and join.id not in undone
                and join.other_id in gone,
            )
        )
    items += [_item(one.found_at, "gathering") for one in full.gatherings]
    for party in full.parties:
        if party.accepted_at:
            items.append(_item(party.accepted_at, "accepted", agency=party.agency))
    if lead.closed_at:
        items.append(_item(lead.closed_at, "closed"))
    return sorted(items, key=lambda item: item["at"])


def _item(
    at: Any, step: str, *, agency: str | None = None, number: Any = None, tips: Sequence[Any] = (), other: Any = None,
    score: int | None = None, reasons: Sequence[Any] = (), may_undo: bool = False,
) -> dict[str, Any]:  # fmt: skip
    zh, en = _STEPS[step]
    return {
        "at": at,
        "step": step,
        "title": {"zh": zh, "en": en},
        "agency": agency,
        "number": number,
        "tips": list(tips),
        "other_lead_id": other,
        "score": score,
        "reasons": list(reasons),
        "may_undo": may_undo,
    }


def lead_routing(service: Service, full: LeadFull) -> dict[str, Any]:
    """How the lead came to its agency: the recorded rule, and every rule of the plan as it decides about the tip that
    was routed so. A plan changed since only says so; it moves nothing."""
    lead = full.lead
    routed = next((tip for tip in full.tips if tip.rule == lead.rule), full.tips[0] if full.tips else None)
    if routed is None:
        return {"rule": lead.rule, "agency": lead.agency, "unit": lead.unit, "rules_changed": False, "steps": []}
    now = routing_of(service, routed._mapping)
    return {
        "rule": lead.rule,
        "agency": lead.agency,
        "unit": lead.unit,
        "rules_changed": now.rule != routed.rule or (now.agency, now.unit) != (routed.agency, routed.unit),
        "steps": [
            {"rule": step.rule, "outcome": step.outcome, "why": {"zh": step.why, "en": step.why_en}} for step in now.steps
        ],
    }
