"""Guards of carrying a penalty out (执行): instalments, payments, enforcement, detention, offset, publication.

Sources: 《行政处罚法》 articles 66, 72; 移送规定 article 11; 《市场监督管理行政处罚信息公示规定》 articles 9–13.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from services.casework.domain.penalties import plain, shown, yuan
from services.casework.domain.proceedings import Asked, Guard, Refused
from shared.rules.calendar import SHANGHAI, local_day
from shared.rules.deadlines import open_deadline


def instalments_cover(asked: Asked) -> Mapping[str, Any]:
    """A plan of instalments comes to what is still owed (行政处罚法 art. 66)."""
    t, left = asked.ground.tallies, _left(asked)
    planned = Decimal(t.get("planned", 0)) / 100
    if not t.get("instalments") or planned != left:
        raise Refused(
            "instalments-differ",
            f"分期合计 {plain(planned)} 元，应缴未缴 {plain(left)} 元，两者须相等；请在下方填写分期；未保存。",
            f"the instalments come to {plain(planned)} yuan, {plain(left)} are owed; they must be the same. Enter them below; "
            "nothing was saved",
        )
    return {
        "instalments": t["instalments"], "instalments_until": date.fromordinal(t["last_due"]).isoformat(),
        "next_instalment": _next(asked),
    }  # fmt: skip


def payments_told(asked: Asked) -> Mapping[str, Any]:
    """What is paid and what is left; no more than is owed."""
    left = _left(asked)
    if left < 0:
        raise Refused(
            "too-much", f"登记的缴款比应缴多 {plain(-left)} 元，请核对；未保存。",
            f"that is {plain(-left)} yuan more than is owed; check it; nothing was saved",
        )
    return {
        "paid": shown(yuan(asked.facts.get("due")) - left), "left": shown(left),
        # what a court collects has no instalments
        "next_instalment": _next(asked) if asked.facts.get("instalments") and asked.proceeding.state == "served" else None,
    }  # fmt: skip


def instalment_passed(asked: Asked) -> Mapping[str, Any]:
    """An instalment's day passed unpaid: what is overdue now, and which comes next."""
    late = Decimal(asked.ground.tallies.get("overdue", 0)) / 100
    return {"overdue": shown(late), "next_instalment": _next(asked)}


def payment_overdue(asked: Asked) -> None:
    """A court is asked to enforce what is overdue, not what is not due yet."""
    clock, now = asked.proceeding.clocks.get("pay"), asked.ground.now
    late = clock is not None and clock.state != "cancelled" and now > clock.due and _left(asked) > 0
    if not late and not asked.ground.tallies.get("overdue"):
        raise Refused(
            "not-due-yet", "缴款期限未满，也没有逾期的分期，不能申请强制执行；未保存。",
            "nothing is overdue yet, a court cannot be asked to enforce it; nothing was saved",
        )


def carried_out(asked: Asked) -> Mapping[str, Any]:
    """It is closed when everything owed is paid and detention, if any, was served or ended."""
    left = _left(asked)
    if left > 0:
        raise Refused(
            "money-left", f"还有 {plain(left)} 元没有缴清，不能结案；未保存。",
            f"{plain(left)} yuan are still owed, it cannot be closed; nothing was saved", left=shown(left),
        )
    if asked.facts.get("days") and not asked.facts.get("detained_until"):
        raise Refused(
            "detention-left", "行政拘留的执行情况还没有登记，不能结案；未保存。",
            "the detention has not been recorded as served, it cannot be closed; nothing was saved",
        )
    return {"paid": shown(yuan(asked.facts.get("due")) - left)}


def detention_served(asked: Asked) -> None:
    """The days served are no more than the days decided."""
    start, end = date.fromisoformat(asked.given["detained_from"]), date.fromisoformat(asked.given["detained_until"])
    days = int(asked.facts.get("days") or 0)
    if not days or end <= start or (end - start).days > days:
        raise Refused(
            "days-differ", f"决定拘留 {days} 日，所填起止日期不符；未保存。",
            f"{days} days were decided, the dates do not fit; nothing was saved",
        )


def offset_bounded(asked: Asked) -> None:
    """Only a fine that was paid is set off against a criminal one, after a conviction (移送规定 art. 11)."""
    paid = yuan(asked.facts.get("due")) - _left(asked)
    most = min(paid, yuan(asked.facts.get("fine")))
    if not any(one.kind == "criminal_case" and one.outcome == "convicted" for one in asked.ground.siblings):
        raise Refused(
            "not-convicted", "本案还没有判处罚金的刑事判决，没有可折抵的罚金；未保存。",
            "no criminal judgment stands in this case, there is nothing to set off; nothing was saved",
        )
    if yuan(asked.given["offset"]) > most:
        raise Refused(
            "offset-too-much", f"折抵不能超过已缴的罚款 {plain(most)} 元；未保存。",
            f"no more than the fine paid ({plain(most)} yuan) is set off; nothing was saved",
        )


def publication_ends(asked: Asked) -> Mapping[str, Any]:
    """Until when it is shown: three months for minor ones, else three years (公示规定 art. 13)."""
    on = date.fromisoformat(asked.given["published_on"])
    rule = asked.ground.limit("publish.shown_minor" if asked.given.get("minor") is True else "publish.shown", on)
    start = datetime.combine(on, time(), SHANGHAI)
    shown_for, _ = open_deadline(id="", kind="shown", rule=rule, start=start, calendar=asked.ground.calendar)
    return {"shown_until": local_day(shown_for.due).isoformat()}


def publication_over(asked: Asked) -> Mapping[str, Any]:
    """It is shown until its last day, and ends once."""
    until = asked.facts.get("shown_until")
    if not until or asked.facts.get("publication_ended_on") or asked.ground.day.isoformat() <= until:
        raise Refused(
            "still-shown", "公示期限未满或已经停止公示；未保存。",
            "it is to be shown longer, or is shown no more; nothing was saved",
        )
    return {"publication_ended_on": asked.ground.day.isoformat()}


def was_published(asked: Asked) -> None:
    """Only what was published is withdrawn from the public."""
    if not asked.facts.get("published_on"):
        raise Refused(
            "not-published", "这件处罚没有公示，直接办理撤销；未保存。",
            "this penalty was never published: revoke it without more; nothing was saved",
        )


def was_not_published(asked: Asked) -> None:
    """What was published is withdrawn from the public within its term, not just revoked."""
    if asked.facts.get("published_on"):
        raise Refused(
            "published", "这件处罚已公示，请办理“撤销并撤回公示”；未保存。",
            "this penalty was published: use “revoke and withdraw”; nothing was saved",
        )


def _next(asked: Asked) -> str | None:
    day = asked.ground.tallies.get("next_due")
    return date.fromordinal(day).isoformat() if day else None


def _left(asked: Asked) -> Decimal:
    return yuan(asked.facts.get("due")) - Decimal(asked.ground.tallies.get("paid", 0)) / 100


GUARDS: dict[str, Guard] = {
    one.__name__: one
    for one in (
        instalments_cover, payments_told, instalment_passed, payment_overdue, carried_out, detention_served, offset_bounded, publication_ends,
        publication_over, was_published, was_not_published,
    )
}  # fmt: skip
