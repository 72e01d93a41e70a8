"""Guards of penalties (处罚): the range on the day of the act, defence and hearing, large ones, crime.

Sources: 《禁止传销条例》 articles 24–27; 《行政处罚法》 articles 32, 35, 36, 45, 57, 63, 64; 移送规定 article 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from services.casework.domain.penalties import (
    CLOSING,
    CONFISCATING,
    PREFIX,
    ROLES,
    TIED_TO_A_PLACE,
    Band,
    band,
    illegal_gains,
    plain,
    shown,
    years_after,
    yuan,
)
from services.casework.domain.proceedings import Asked, Guard, Refused, Sibling
from shared.rules.calendar import local_day
from shared.rules.law import LimitInForce

TRACK = {"administrative_penalty": "administrative_case", "police_penalty": "public_order_case"}
_NOT_YET = frozenset({"verifying", "filing_asked", "accepted"})
_CRIMINAL_ARTICLES = frozenset({"fine_organise", "fine_lure"})


def track_open(asked: Asked) -> None:
    """A penalty belongs to a track that is filed and still open, of the same agency."""
    wanted = TRACK[asked.procedure.procedure]
    of = [one for one in asked.ground.siblings if one.kind == wanted and one.agency == asked.proceeding.owner.agency]
    if not any(not one.final and one.state not in _NOT_YET for one in of):
        raise Refused(
            "no-track",
            "本单位在本案没有已立案的行政案件，不能提出处罚；未保存。请先立案。",
            "your agency has no filed track in this case, so that nothing can be penalised; nothing was saved. File it first",
            track=wanted,
        )


def act_under_law(asked: Asked) -> Mapping[str, Any]:
    """The law of the day of the act governs: it was in force, the article is for this role, and it is not too late."""
    facts = asked.facts
    article, role = facts["article"], facts["role"]
    if role not in ROLES[article]:
        raise Refused(
            "role-of-another-article",
            "所选条款不适用于这一角色；未保存。请核对当事人角色和处罚条款。",
            "the article is not for this role; nothing was saved. Check the role and the article", role=role, article=article,
        )
    if role in TIED_TO_A_PLACE and not facts.get("place_id"):
        raise Refused(
            "place-missing",
            "处罚业主、承租人、会场和仓储提供者须写明场所编号（出租屋登记或本案场所）；未保存。",
            "a penalty of a landlord, tenant, venue or store names its place (of the register or of the case); nothing was saved",
        )
    act, found = date.fromisoformat(facts["act_on"]), date.fromisoformat(facts["found_on"])
    if found < act:
        raise Refused(
            "found-before-the-act", "发现日期不能早于违法行为终了日；未保存。",
            "it cannot be found before the act ended; nothing was saved",
        )
    if article.startswith("fine_tamper") and not facts.get("goods_value"):
        raise Refused(
            "goods-value-missing", "第二十七条的罚款按货值计算，请填写货值；未保存。",
            "the fine of article 27 is a share of the goods' value; give it; nothing was saved",
        )
    of = _band(asked)
    limitation = asked.ground.limit("penalty.limitation", act)
    last = years_after(act, int(limitation.value or 0))
    if found > last:
        raise Refused(
            "too-late",
            f"违法行为 {act} 终了，{last} 前未被发现的不再给予行政处罚（{limitation.article}）；未保存。",
            f"the act ended on {act}; what is not found by {last} is no longer penalised ({limitation.article}); nothing was saved",
            last=last.isoformat(),
        )
    return {
        "band_from": shown(of.low),
        "band_to": shown(of.high),
        "band_days": of.days,
        "law_certainty": of.limit.certainty,
        "law_provisional": of.limit.provisional or limitation.provisional,
    }


def gains_worked_out(asked: Asked) -> Mapping[str, Any]:
    """Illegal gains by their method (2008 rule, certainty S; the newer rule's text has not been seen)."""
    given = asked.given
    try:
        gains = illegal_gains(given["method"], yuan(given.get("income")), yuan(given.get("goods_cost")))
    except ValueError:
        raise Refused(
            "no-cost-taken-off",
            "拉人头、入门费的违法所得按全部收入计算，不扣除商品成本；未保存。",
            "gains from heads and entry fees are the full income, no cost is taken off; nothing was saved",
        ) from None
    rule = asked.ground.limit(f"gains.{given['method']}", date.fromisoformat(asked.facts["act_on"]))
    return {"illegal_gains": shown(gains), "gains_certainty": rule.certainty}


def proposal_lawful(asked: Asked) -> Mapping[str, Any]:
    """Fine or days within the range; less than the maximum has its grounds (D-B5a); what follows from its size."""
    facts = asked.facts
    article = facts["article"]
    of = _band(asked)
    fine = yuan(asked.given.get("fine"))
    amount = Decimal(asked.given.get("days") or 0) if of.days else fine
    grounds = tuple(asked.given.get("grounds") or ())
    _in_band(of, amount, reduced="reduced" in grounds)
    if of.days:
        _fine_beside_detention(asked, fine)
    not_maximum = amount < of.high
    if not_maximum and not grounds:
        raise Refused(
            "not-maximum-reason",
            f"方案要求顶格处罚（上限 {plain(of.high)} {of.unit[0]}）；低于上限的须写明理由；未保存。",
            f"the plan asks for the maximum ({plain(of.high)} {of.unit[1]}); less needs its grounds; nothing was saved",
            maximum=str(of.high),
        )
    told = facts.get("told_fine")
    if told is not None and facts.get("defended") is True and fine > yuan(told):
        raise Refused(
            "heavier-after-defence",
            "不得因当事人陈述、申辩而加重处罚（《行政处罚法》第四十五条）；未保存。",
            "a party is not penalised more heavily for having defended itself (article 45); nothing was saved",
        )
    if fine and asked.given.get("criminally_fined") is True:
        raise Refused(
            "criminally-fined",
            "同一行为已被人民法院判处罚金的，不再给予罚款（《行政处罚法》第三十五条）；未保存。",
            "who was fined by a criminal court for the same act is not fined again (article 35); nothing was saved",
        )
    _beside_the_fine(asked, article)
    gains = yuan(facts.get("illegal_gains")) if asked.given.get("confiscate_gains") is True else Decimal(0)
    return {
        "maximum": shown(of.high),
        "not_maximum": not_maximum,
        "below_range": amount < of.low,
        "due": shown(fine + gains),
        **_hearing(asked, fine + gains),
    }


def papers_told(asked: Asked) -> Mapping[str, Any]:
    """The party is told of its right to a hearing where there is one (articles 44, 63)."""
    if asked.facts.get("hearing_right") is True and asked.procedure.procedure == "administrative_penalty":
        if "hearing_rights_notice" not in asked.ground.documents:
            raise Refused(
                "papers-missing",
                "拟处罚达到听证标准，还须制作并签发《行政处罚听证告知书》；未保存。",
                "the penalty intended gives the right to a hearing: issue the notice of that right first; nothing was saved",
                documents=["hearing_rights_notice"],
                named={"hearing_rights_notice": asked.ground.title("hearing_rights_notice").model_dump()},
            )
    return {"told_fine": shown(yuan(asked.facts.get("fine")))}


def hearing_asked_in_time(asked: Asked) -> None:
    """A hearing is asked for by whoever has the right, within its term (article 64)."""
    if asked.facts.get("hearing_right") is not True:
        raise Refused(
            "no-hearing-right", "拟处罚未达到听证标准，当事人可以陈述申辩；未保存。",
            "the penalty intended gives no right to a hearing; the party may defend itself; nothing was saved",
        )
    clock = asked.proceeding.clocks.get("defence")
    if clock is not None and date.fromisoformat(asked.given["asked_on"]) > local_day(clock.due):
        raise Refused(
            "asked-too-late",
            f"要求听证的期限到 {local_day(clock.due)} 为止（{clock.article}）；未保存。",
            f"a hearing could be asked for until {local_day(clock.due)} ({clock.article}); nothing was saved",
        )


def hearing_called_ahead(asked: Asked) -> Mapping[str, Any]:
    """The party is told of the hearing so many working days ahead (article 64: seven)."""
    limit = asked.ground.limit("penalty.hearing_notice")
    called, held = date.fromisoformat(asked.given["called_on"]), date.fromisoformat(asked.given["hearing_on"])
    first = asked.ground.calendar.add_working_days(called, int(limit.limit.at_least or 0))
    if held < first.day:
        raise Refused(
            "hearing-too-soon",
            f"听证应提前 {plain(limit.limit.at_least)} 个工作日通知（{limit.article}），最早 {first.day}；未保存。",
            f"a hearing is announced {plain(limit.limit.at_least)} working days ahead ({limit.article}), {first.day} at the "
            "earliest; nothing was saved",
            earliest=first.day.isoformat(), provisional=first.provisional,
        )  # fmt: skip
    return {"hearing_provisional": first.provisional}


def hearing_held_when_called(asked: Asked) -> None:
    """It is recorded as held on the day it was called for or later."""
    called = asked.facts.get("hearing_on")
    if called and asked.given["held_on"] < called:
        raise Refused(
            "hearing-too-soon", f"听证定于 {called} 举行，不能登记为更早；未保存。",
            f"the hearing was called for {called}, it was not held before; nothing was saved",
        )


def defence_over(asked: Asked) -> None:
    """No decision before the party's time to defend itself, or to ask for a hearing, is over (articles 44, 64)."""
    clock = asked.proceeding.clocks.get("defence")
    if clock is not None and clock.state == "running" and asked.ground.now <= clock.due:
        raise Refused(
            "defence-term",
            f"当事人陈述申辩、要求听证的期限到 {local_day(clock.due)} 才满（{clock.article}）；未保存。",
            f"the party may defend itself and ask for a hearing until {local_day(clock.due)} ({clock.article}); nothing was saved",
            until=clock.due.isoformat(), certainty=clock.certainty,
        )  # fmt: skip


def discussed_when_large(asked: Asked) -> None:
    """Large penalties are discussed by the heads together (article 57)."""
    if asked.facts.get("large") is True and not asked.facts.get("discussed_on"):
        raise Refused(
            "not-discussed",
            "较大数额或责令停业、吊销的处罚须经负责人集体讨论（《行政处罚法》第五十七条）；未保存。请先登记集体讨论。",
            "a large penalty, a suspension or a revocation is discussed by the heads together (article 57); nothing was saved. "
            "Record the discussion first",
        )


def no_penalty_for_transfer(asked: Asked) -> None:
    """No penalty in place of a transfer: not while, or after, police take the organisers' crime (移送规定 art. 11)."""

    def stands(one: Sibling) -> bool:
        return one.kind == "suspected_crime" and (not one.final or one.outcome == "filed")

    if asked.facts.get("article") in _CRIMINAL_ARTICLES and any(stands(one) for one in asked.ground.siblings):
        raise Refused(
            "transfer-stands",
            "本案涉嫌犯罪移送尚未了结或公安已立案，不得以行政处罚代替移送（移送规定第十一条）；未保存。",
            "the case's transfer of a crime is open, or the police have filed it: no penalty in its place (article 11); "
            "nothing was saved",
        )


def decision_told(asked: Asked) -> Mapping[str, Any]:
    """What is decided is what was told: the decision carries it, so that whoever counts penalties learns it at once."""
    facts = {k: asked.facts[k] for k in _TOLD if k in asked.facts}
    if asked.facts.get("confiscate_gains") is True:
        facts["gains_confiscated"] = asked.facts.get("illegal_gains", "0.00")
    return facts


_TOLD = (
    "article", "role", "party", "place_id", "fine", "days", "maximum", "not_maximum", "below_range", "grounds",
    "confiscate_goods", "suspension", "revoke_licence", "hearing_right", "law_provisional", "due",
)  # fmt: skip


def _band(asked: Asked) -> Band:
    """The range on the day of the act. Raises `Refused` where the law was not yet in force then."""
    facts = asked.facts
    act = date.fromisoformat(facts["act_on"])
    limit = asked.ground.limit(PREFIX[asked.procedure.procedure] + facts["article"], act)
    _in_force(limit, act, asked)
    return band(limit, yuan(facts.get("goods_value")))


def _in_force(limit: LimitInForce, act: date, asked: Asked) -> None:
    first = asked.ground.law.lines(limit.rule_id)[0].effective_from
    if first is not None and act < first:
        raise Refused(
            "before-the-law",
            f"{limit.article}自 {first} 起施行，违法行为终了日 {act} 在此之前，不能适用；未保存。",
            f"{limit.article} is in force from {first}; the act ended on {act}, before it; nothing was saved",
            first=first.isoformat(),
        )


def _in_band(of: Band, amount: Decimal, *, reduced: bool) -> None:
    if amount > of.high or (amount < of.low and not reduced):
        zh, en = of.unit
        raise Refused(
            "out-of-range",
            f"{of.limit.article}的幅度是 {plain(of.low)} 至 {plain(of.high)} {zh}，所填 {plain(amount)} {zh}不在其中；"
            f"{'减轻处罚的请在理由中选“减轻”；' if amount < of.low else ''}未保存。",
            f"{of.limit.article} allows {plain(of.low)} to {plain(of.high)} {en}, not {plain(amount)}; "
            f"{'choose “reduced” among the grounds to go below; ' if amount < of.low else ''}nothing was saved",
            low=str(of.low), high=str(of.high), certainty=of.limit.certainty, provisional=of.limit.provisional,
        )  # fmt: skip


def _fine_beside_detention(asked: Asked, fine: Decimal) -> None:
    if not fine:
        return
    act = date.fromisoformat(asked.facts["act_on"])
    rule = f"{PREFIX[asked.procedure.procedure]}{asked.facts['article']}_fine"
    if rule not in asked.ground.law:
        raise Refused(
            "no-fine-here", "这一条款只规定拘留，没有罚款；未保存。",
            "this article gives detention, no fine; nothing was saved",
        )
    _in_band(band(asked.ground.limit(rule, act)), fine, reduced="reduced" in (asked.given.get("grounds") or ()))


def _beside_the_fine(asked: Asked, article: str) -> None:
    given = asked.given
    if (given.get("suspension") is True or given.get("revoke_licence") is True) and article not in CLOSING:
        raise Refused(
            "not-for-this-article",
            "停业整顿、吊销营业执照只与第二十四条的处罚并用（第二十五条）；未保存。",
            "a business is suspended or its licence revoked beside article 24 only (article 25); nothing was saved",
        )
    gains, takes = asked.facts.get("illegal_gains"), given.get("confiscate_gains") is True
    if takes and gains is None:
        raise Refused(
            "gains-not-worked-out", "还没有认定违法所得，请先登记违法所得；未保存。",
            "illegal gains have not been worked out; do that first; nothing was saved",
        )
    if not takes and article in CONFISCATING and yuan(gains) > 0:
        raise Refused(
            "gains-to-confiscate", f"这一条款并没收违法所得（已认定 {gains} 元）；未保存。",
            f"this article confiscates illegal gains as well ({gains} yuan worked out); nothing was saved",
        )


def _hearing(asked: Asked, money: Decimal) -> dict[str, Any]:
    """Whether the size gives a right to a hearing (art. 63); thresholds that are not verified say so."""
    entity = asked.facts.get("party") == "entity"
    if asked.procedure.procedure == "police_penalty":
        rule = "police.hearing_unit" if entity else "police.hearing_person"
    else:
        rule = "penalty.hearing_entity" if entity else "penalty.hearing_person"
    limit = asked.ground.limit(rule)
    given = asked.given
    large = money >= Decimal(str(limit.limit.at_least)) or given.get("suspension") is True or given.get("revoke_licence") is True
    return {
        "hearing_right": large or given.get("goods_large") is True,
        "hearing_unverified": limit.certainty == "M" and not limit.limit.verified,
        "large": large,
    }


GUARDS: dict[str, Guard] = {
    one.__name__: one
    for one in (
        track_open, act_under_law, gains_worked_out, proposal_lawful, papers_told, hearing_asked_in_time,
        hearing_called_ahead, hearing_held_when_called, defence_over, discussed_when_large, no_penalty_for_transfer,
        decision_told,
    )
}  # fmt: skip
