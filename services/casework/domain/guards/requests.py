"""Guards of transfers and requests."""

from __future__ import annotations

from datetime import datetime

from services.casework.domain.proceedings import Asked, Guard, Refused


def no_penalty_in_lieu(asked: Asked) -> None:
    """No penalty takes the place of a transfer: none is decided while one is under way (移送规定 art. 11)."""
    under_way = [one for one in asked.ground.siblings if one.kind == "suspected_crime" and not one.final]
    if under_way:
        raise Refused(
            "transfer-under-way",
            "本案涉嫌犯罪的移送尚未办完，不得以行政处罚代替移送（第十一条）；未保存。",
            "a transfer of the suspected crime is under way: no penalty takes its place (article 11); nothing was saved",
            proceeding=str(under_way[0].id),
        )


def no_crime_open(asked: Asked) -> None:
    """Police return a case only once their criminal case has ended (条例 art. 13)."""
    still = [one for one in asked.ground.siblings if one.kind == "criminal_case" and not one.final]
    if still:
        raise Refused(
            "criminal-case-open",
            "本案的刑事案件还在办理，不能以“未发现犯罪”移回；请先作出不予立案或撤销案件的决定。未保存。",
            "the criminal case is still open; decide not to file, or drop it, before returning the case",
            proceeding=str(still[0].id),
        )


def commanded_by_the_office(asked: Asked) -> None:
    """Once the joint duty (联勤) is called, the town's office commands (D-B4)."""
    if asked.facts.get("joint_duty") and asked.proceeding.state != "commanded":
        raise Refused(
            "command-missing",
            "已启动镇区联勤，须先由打传办登记指挥；未保存。",
            "the joint duty is called: the office takes command first; nothing was saved",
        )


def report_after_the_raid(asked: Asked) -> None:
    """The city is told of a raid after it has ended."""
    ended = asked.facts.get("ended_at")
    for name in ("command_centre_at", "public_order_at"):
        told = asked.given.get(name)
        if told and ended and datetime.fromisoformat(told) < datetime.fromisoformat(ended):
            raise Refused(
                "report-before-raid",
                "上报时间早于清查结束时间，请核对；未保存。",
                f"{name} lies before the end of the raid; nothing was saved",
                field=name,
            )


def all_homes_told(asked: Asked) -> None:
    """Every home area is told before a dispersal ends."""
    told, homes = int(asked.facts.get("told") or 0), int(asked.facts.get("homes") or 0)
    if told < homes:
        raise Refused(
            "homes-not-told",
            f"共 {homes} 个来源地，只告知了 {told} 个；未保存。",
            f"{told} of {homes} home areas are told; nothing was saved",
        )


def volumes_agree(asked: Asked) -> None:
    """Who signs for a file received as many volumes as were sent."""
    sent, received = asked.facts.get("volumes"), asked.given.get("volumes_received")
    if sent != received:
        raise Refused(
            "volumes-differ",
            f"移送 {sent} 卷，签收 {received} 卷；请当面点清，或写明理由退回。未保存。",
            f"{sent} volumes were sent and {received} are signed for; count again, or refuse with reasons",
        )


GUARDS: dict[str, Guard] = {
    "no_penalty_in_lieu": no_penalty_in_lieu,
    "no_crime_open": no_crime_open,
    "commanded_by_the_office": commanded_by_the_office,
    "report_after_the_raid": report_after_the_raid,
    "all_homes_told": all_homes_told,
    "volumes_agree": volumes_agree,
}
