"""Guards of measures (强制措施): approval in writing, papers on the spot, the period, and where the goods went.

Sources: 《禁止传销条例》 articles 14–19 and 27, 《行政强制法》 articles 19 and 27, 《行政处罚法》 article 56.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.casework.domain.proceedings import AHEAD, Asked, Guard, Refused

OUTCOMES = ("returned", "confiscated", "destroyed", "transferred")
"""What becomes of an item; before that it is `kept`."""

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "lifting": ("returned",),
    "lapsed": ("returned",),
    "confiscate": ("confiscated", "destroyed", "returned"),
    "destroy": ("destroyed", "returned"),
    "transfer": ("transferred", "returned"),
}
"""Which outcomes an item may have: of a lifted or lapsed measure, or by what was decided about the goods."""

_DECIDED = frozenset({"decided", "served", "executing", "enforcing", "executed"})


def outcomes_of(state: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The outcomes that items of a measure may have now; none while it stands."""
    return ALLOWED.get(str(facts.get("disposal")) if state == "disposing" else state, ())


def approved(asked: Asked) -> Mapping[str, Any]:
    """The approval is given in the form that the law asks for; when it was given is kept."""
    kind = asked.procedure.procedure
    if asked.given.get("form") == "oral" and kind != "stop_order":
        article = "《禁止传销条例》第十四条" if kind in PRIOR_APPROVAL else "《行政强制法》第十八条"
        raise Refused(
            "no-oral-approval",
            f"{asked.procedure.name.zh}须事先书面批准，不适用口头批准（{article}）；未保存。请办理书面批准后再实施。",
            f"{asked.procedure.name.en} needs approval in writing, an oral one does not do ({article}); nothing was saved. "
            "Have it approved in writing first",
        )
    return {"approved_at": asked.ground.now.isoformat()}


def after_approval(asked: Asked) -> None:
    """It was carried out after it was approved, not before."""
    done, given = asked.given.get("executed_at"), asked.facts.get("approved_at")
    if done and given and datetime.fromisoformat(done) + AHEAD < datetime.fromisoformat(given).replace(second=0):
        raise Refused(
            "before-approval",
            f"实施时间早于批准时间（{given[:16].replace('T', ' ')}）：没有事先批准的，不能登记为经批准实施；未保存。",
            f"it was carried out before it was approved ({given[:16]}): without prior approval it cannot stand as approved; "
            "nothing was saved",
            approved_at=given,
        )


def papers_on_the_spot(asked: Asked) -> None:
    """Decision and list are handed over on the spot (article 17); only where it is urgent does the decision follow."""
    wanted = [name for name in ("decision_given", "list_given") if name in asked.version.steps[asked.step].fields]
    if missing := [name for name in wanted if asked.given.get(name) is not True]:
        raise Refused(
            "on-the-spot",
            "决定书和清单须当场交付当事人（《禁止传销条例》第十七条）；不及时实施可能影响查处的，"
            "可先行实施，并在 24 小时内补办决定书送达。未保存。",
            "decision and list are handed over on the spot (article 17); where waiting would harm the case it may be carried "
            "out first and the decision made up and served within 24 hours; nothing was saved",
            missing=missing,
        )


def items_listed(asked: Asked) -> None:
    """What is sealed or seized stands on a list before it is."""
    if not asked.ground.tallies.get("items"):
        raise Refused(
            "no-list",
            "还没有登记清单上的物品：请先逐件登记（查封场所的，登记场所本身）；未保存。",
            "nothing is on the list yet: enter each item first (for premises, the premises themselves); nothing was saved",
        )


def period_not_over(asked: Asked) -> None:
    """Once the period has passed nothing is decided any more: the measure counts as lifted (article 19)."""
    clock = asked.proceeding.clocks.get("period")
    if clock is None or asked.actor.system:
        return
    if clock.state == "missed" or (clock.state == "running" and asked.ground.now > clock.due):
        raise Refused(
            "period-over",
            f"期限已于 {clock.due:%Y-%m-%d} 届满，未作决定的视为解除（{clock.article}），只能退还物品；未保存。",
            f"the period ended on {clock.due:%Y-%m-%d}; without a decision the measure counts as lifted ({clock.article}) "
            "and what is left is to return the goods; nothing was saved",
            ended=clock.due.isoformat(),
        )


def complex_case(asked: Asked) -> None:
    """The period is lengthened for complex cases only (article 18)."""
    if asked.given.get("complex") is not True:
        raise Refused(
            "not-complex",
            "只有案件情况复杂的才可延长（《禁止传销条例》第十八条）；未保存。",
            "only a complex case may have it longer (article 18); nothing was saved",
        )


def tallied(asked: Asked) -> Mapping[str, Any]:
    """How many items there are, worth how much, and what became of them."""
    t = asked.ground.tallies
    found: dict[str, Any] = {"items": t.get("items", 0), "items_kept": t.get("kept", 0)}
    found |= {f"items_{one}": t.get(one, 0) for one in OUTCOMES}
    return found | {"items_value": str((Decimal(t.get("value", 0)) / 100).quantize(Decimal("0.01")))}


def goods_accounted(asked: Asked) -> Mapping[str, Any]:
    """It ends when every item is accounted for."""
    left = asked.ground.tallies.get("kept", 0)
    if left:
        raise Refused(
            "goods-left",
            f"还有 {left} 件物品没有写明去向，请逐件登记退还、没收、销毁或移交后再办结；未保存。",
            f"{left} item(s) are not accounted for: enter for each whether it was returned, confiscated, destroyed or "
            "transferred, then close; nothing was saved",
            left=left,
        )
    return tallied(asked)


def disposal_grounded(asked: Asked) -> None:
    """Goods are confiscated by a penalty decision and handed over with a transfer, not by the measure itself."""
    disposal = asked.given.get("disposal")
    siblings = asked.ground.siblings
    if disposal == "confiscate" and not any(
        one.facts.get("confiscate_goods") is True and one.state in _DECIDED for one in siblings
    ):
        raise Refused(
            "no-confiscation",
            "没收物品须有处罚决定：本案还没有作出没收物品的处罚决定；未保存。请先作出处罚决定，或选择其他处理。",
            "goods are confiscated by a penalty decision, and the case has none that does; nothing was saved. "
            "Decide the penalty first, or choose otherwise",
        )
    if disposal == "transfer" and not any(
        one.kind in ("suspected_crime", "criminal_case") and one.state in ("filed", "done", "to_procurator", "in_court")
        for one in siblings
    ):
        raise Refused(
            "no-transfer",
            "移交物品须有公安机关立案：本案的涉嫌犯罪移送尚未立案；未保存。",
            "goods are handed over where the police have filed the case, and they have not; nothing was saved",
        )


def within_papers_time(asked: Asked) -> Mapping[str, Any]:
    """Papers made up late are taken, and said to be late (article 17: within 24 hours)."""
    clock = asked.proceeding.clocks.get("papers")
    return {"made_up_late": bool(clock and (clock.state == "missed" or asked.ground.now > clock.due))}


def tampering_band(asked: Asked) -> Mapping[str, Any]:
    """The range of the fine for tampering, by the goods' value (article 27)."""
    again = asked.given.get("refuses") is True
    limit = asked.ground.limit(
        "prohibition.fine_tamper_refuses" if again else "prohibition.fine_tamper",
        datetime.fromisoformat(asked.given["tampered_at"]).date(),
    ).limit
    value, per = Decimal(asked.given["tampered_value"]), Decimal(1 if again else 100)
    low, high = (value * Decimal(str(n or 0)) / per for n in (limit.at_least, limit.at_most))
    return {"tamper_fine_from": str(low.quantize(Decimal("0.01"))), "tamper_fine_to": str(high.quantize(Decimal("0.01")))}


def frozen_until_ahead(asked: Asked) -> None:
    """A freeze ends after it begins."""
    start, end = asked.given.get("frozen_on"), asked.given.get("frozen_until")
    if start and end and end <= start:
        raise Refused(
            "ends-before-it-begins", "冻结截止日期应晚于开始日期；未保存。",
            "the freeze would end before it begins; nothing was saved",
        )


def in_order(asked: Asked) -> None:
    """The stretch that is asked about ends no earlier than it begins."""
    if (asked.given.get("to_on") or "") < (asked.given.get("from_on") or ""):
        raise Refused(
            "ends-before-it-begins", "查询截止日不能早于起始日；未保存。",
            "the inquiry would end before it begins; nothing was saved",
        )


def money_being_moved(asked: Asked) -> None:
    """A freeze is asked for where evidence shows that money is being moved or hidden (article 14(1)(8))."""
    if asked.given.get("evidence") is not True and not asked.actor.system:
        raise Refused(
            "no-evidence",
            "有证据证明转移或者隐匿违法资金的，才可申请冻结（《禁止传销条例》第十四条第一款第八项）；未保存。",
            "a freeze is asked for only where evidence shows that money is being moved or hidden (article 14(1)(8)); "
            "nothing was saved",
        )


def nothing_held(asked: Asked) -> None:
    """A track is not closed while its agency still holds goods or a penalty is not carried out."""
    kinds = frozenset((*MEASURES, "administrative_penalty", "police_penalty"))
    owner = asked.proceeding.owner.agency
    left = [one for one in asked.ground.siblings if one.kind in kinds and one.agency == owner and not one.final]
    if left:
        raise Refused(
            "still-open",
            f"本案还有 {len(left)} 件强制措施或处罚没有办结，案件不能结案；未保存。",
            f"{len(left)} measure(s) or penalt(ies) of the case are still open; it cannot be closed; nothing was saved",
            left=[str(one.id) for one in left],
        )


MEASURES = (
    "seal_premises", "seize_goods", "seize_papers", "account_inquiry", "freeze_request", "stop_order",
    "evidence_registration", "police_seizure",
)
"""The procedures of measures."""

PRIOR_APPROVAL = ("seal_premises", "seize_goods", "seize_papers", "account_inquiry", "freeze_request")
"""Those that article 14(2) of the regulation lets begin only after prior approval in writing."""

HOLDING = ("seal_premises", "seize_goods", "seize_papers", "evidence_registration", "police_seizure")
"""Those that hold goods, papers or premises, item by item."""

GUARDS: dict[str, Guard] = {
    "approved": approved,
    "after_approval": after_approval,
    "papers_on_the_spot": papers_on_the_spot,
    "items_listed": items_listed,
    "period_not_over": period_not_over,
    "complex_case": complex_case,
    "tallied": tallied,
    "goods_accounted": goods_accounted,
    "disposal_grounded": disposal_grounded,
    "within_papers_time": within_papers_time,
    "tampering_band": tampering_band,
    "frozen_until_ahead": frozen_until_ahead,
    "in_order": in_order,
    "money_being_moved": money_being_moved,
    "nothing_held": nothing_held,
}
