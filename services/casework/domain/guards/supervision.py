"""Guards of supervision, inspections, incidents and what was not reported."""

from __future__ import annotations

from datetime import datetime

from services.casework.domain.proceedings import Asked, Guard, Refused
from shared.rules.deadlines import State


def no_order_to_oneself(asked: Asked) -> None:
    """Who supervises and who is supervised are two; a higher level's order says whose it is."""
    to, owner = asked.proceeding.counterpart, asked.proceeding.owner
    if to is not None and to.agency == owner.agency and (to.unit is None or to.unit == owner.unit):
        raise Refused(
            "own-agency", "不能督办本单位（本机构）；可写明本单位的其他内设机构。未保存。",
            "an agency does not supervise itself; name another unit of it. Nothing was saved",
        )  # fmt: skip
    if asked.facts.get("level") == "higher" and not asked.facts.get("from_agency"):
        raise Refused(
            "whose-order", "市（区）督办须写明上级督办单位；未保存。",
            "an order of the city or district names the agency it comes from; nothing was saved", field="from_agency",
        )  # fmt: skip


def level_office(asked: Asked) -> None:
    """The office issues its own orders."""
    if asked.facts.get("level") != "office":
        raise Refused(
            "level", "这是领导小组或上级的督办，由组长（副组长）签发；未保存。",
            "this order is the leaders' or a higher level's: a leader issues it. Nothing was saved",
        )  # fmt: skip


def level_above_office(asked: Asked) -> None:
    """What the leaders order, or pass on from above, a leader issues."""
    if asked.facts.get("level") == "office":
        raise Refused(
            "level", "这是打传办督办，由办公室主任签发；未保存。",
            "this order is the office's: its director issues it. Nothing was saved",
        )  # fmt: skip


def judge_of_the_level(asked: Asked) -> None:
    """The reply to a leader's order, or to one from above, is judged by a leader."""
    if asked.facts.get("level") == "office" or asked.actor.system:
        return
    if not asked.ground.plan.may_approve(asked.actor.posts, "supervision.list"):
        raise Refused(
            "level", "领导小组或上级督办的答复，由组长（副组长）审核；未保存。",
            "the reply to the leaders' or a higher level's order is judged by a leader; nothing was saved",
        )  # fmt: skip


def _was_late(asked: Asked) -> bool:
    clock = asked.proceeding.clocks.get("reply")
    missed = any(one.step == "escalate" for one in asked.proceeding.history)
    return missed or (clock is not None and clock.state is State.MET_LATE)


def replied_in_time(asked: Asked) -> None:
    """Settled in time is what no clock says was late."""
    if _was_late(asked):
        raise Refused(
            "was-late", "答复已逾期，只能按“逾期办结”审核；未保存。",
            "the reply came late: accept it as settled late. Nothing was saved",
        )  # fmt: skip


def replied_late(asked: Asked) -> None:
    """Settled late is what a clock says was late."""
    if not _was_late(asked):
        raise Refused(
            "was-in-time", "答复没有逾期，请按“审核通过”办理；未保存。",
            "the reply came in time: accept it as such. Nothing was saved",
        )  # fmt: skip


def extension_asked(asked: Asked) -> None:
    """More time is granted where it was asked for."""
    if not asked.facts.get("asked"):
        raise Refused(
            "not-asked", "对方没有申请延期；未保存。", "nobody asked for more time; nothing was saved"
        )  # fmt: skip


def problems_found(asked: Asked) -> None:
    """A notice to rectify names problems."""
    if not asked.facts.get("problems"):
        raise Refused("no-problems", "没有发现问题，请按“检查合格”办理；未保存。", "no problems were found; nothing was saved")


def no_problems_found(asked: Asked) -> None:
    """Passed is where nothing was found."""
    if asked.facts.get("problems"):
        raise Refused("problems", "检查发现了问题，须签发通报限期整改；未保存。", "problems were found: issue the notice")


def occurred_before_known(asked: Asked) -> None:
    """Nothing is known before it happens."""
    occurred, known = asked.facts.get("occurred_at"), asked.facts.get("known_at")
    if occurred and known and datetime.fromisoformat(known) < datetime.fromisoformat(occurred):
        raise Refused(
            "known-before", "知悉时间不能早于发生时间；未保存。",
            "it cannot be known before it happened; nothing was saved", field="known_at",
        )  # fmt: skip


def _told_at(asked: Asked) -> datetime | None:
    told = asked.facts.get("reported_at")
    return datetime.fromisoformat(told) if told else None


def not_self_reported(asked: Asked) -> None:
    """What the area itself reported before the office heard of it elsewhere was not concealed."""
    told = _told_at(asked)
    if told is not None and told <= datetime.fromisoformat(asked.facts["known_at"]):
        raise Refused(
            "self-reported", "本地在打传办得知之前已自行上报，不是隐报瞒报；未保存。",
            "the area had reported it before the office heard of it elsewhere: nothing was concealed. Nothing was saved",
        )  # fmt: skip


def self_reported_first(asked: Asked) -> None:
    """Reported by the area itself: before it was known from elsewhere."""
    told = _told_at(asked)
    if told is None or told > datetime.fromisoformat(asked.facts["known_at"]):
        raise Refused(
            "not-reported-before", "没有早于打传办得知时间的上报记录；未保存。",
            "there is no report of the area from before the office knew; nothing was saved",
        )  # fmt: skip


def report_told(asked: Asked) -> None:
    """Reported late is still reported: with its time."""
    told = _told_at(asked)
    if told is None or told <= datetime.fromisoformat(asked.facts["known_at"]):
        raise Refused(
            "no-late-report", "没有晚于打传办得知时间的上报记录；未保存。",
            "there is no report of the area from after the office knew; nothing was saved",
        )  # fmt: skip


GUARDS: dict[str, Guard] = {
    "no_order_to_oneself": no_order_to_oneself,
    "level_office": level_office,
    "level_above_office": level_above_office,
    "judge_of_the_level": judge_of_the_level,
    "replied_in_time": replied_in_time,
    "replied_late": replied_late,
    "extension_asked": extension_asked,
    "problems_found": problems_found,
    "no_problems_found": no_problems_found,
    "occurred_before_known": occurred_before_known,
    "not_self_reported": not_self_reported,
    "self_reported_first": self_reported_first,
    "report_told": report_told,
}
