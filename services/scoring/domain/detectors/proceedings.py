"""Conditions that proceedings of casework show: rescues, incidents, major-case reports, concealment, supervision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.scoring.domain.detectors.facts import Fact, Ground, Origin, Proposal, propose
from shared.events.proceedings import ProceedingDeadlineMissed, ProceedingOpened, ProceedingStepped

KINDS = (
    "rescue", "incident", "higher_case", "major_report", "concealment", "supervision", "listed_supervision", "inspection",
)  # fmt: skip
"""Kinds of proceedings whose events are kept."""

ORDERS = ("supervision", "listed_supervision", "inspection")
"""Work that a higher level or the office set (上级布置工作): its other side owes an answer by a clock."""

_EXPOSED = frozenset({"media", "other_agency", "agency", "higher", "notice", "inspection"})


def of(facts: Sequence[Fact], kind: str) -> list[Fact]:
    """The facts of proceedings of a kind."""
    return [fact for fact in facts if fact.data.get("kind") == kind]


def ended(facts: Sequence[Fact]) -> str | None:
    """The outcome of a proceeding that has ended, or None."""
    return next((fact.data["outcome"] for fact in facts if fact.type == ProceedingStepped.TYPE and fact.data["final"]), None)


def said(facts: Sequence[Fact]) -> dict[str, Any]:
    """The published facts of a proceeding: what was said last of each stands."""
    found: dict[str, Any] = {}
    for fact in facts:
        found |= fact.data.get("facts") or {}
    return found


def missed(facts: Sequence[Fact], clocks: Sequence[str]) -> list[Fact]:
    """Clocks (of these names) that passed without their act."""
    return [
        fact
        for fact in facts
        if fact.type == ProceedingDeadlineMissed.TYPE and fact.data["deadline"]["kind"].rpartition(".")[2] in clocks
    ]


def stepped(facts: Sequence[Fact], step: str) -> list[Fact]:
    """The times a step was taken."""
    return [fact for fact in facts if fact.type == ProceedingStepped.TYPE and fact.data["step"] == step]


def _opening(facts: Sequence[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.type == ProceedingOpened.TYPE]


def missed_rescue(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.6: people who should have been freed were not, or not in time: a clock of a rescue passed, or it is on record.

    Where nobody was held after all, nothing was missed.
    """
    mine = of(facts, "rescue")
    outcome = ended(mine)
    late, recorded = missed(mine, ground.rules.rescue_clocks), stepped(mine, "record_missed")
    if outcome == "not_found" or not (late or recorded):
        return []
    owner = (late or recorded)[0].data
    agency = owner["deadline"]["agency"] if late else owner["to_agency"] or owner["agency"]
    unit = owner["deadline"]["unit"] if late else owner["to_unit"]
    known = said(mine)
    return [
        propose(
            "missed_rescue", "D-Q1.6", [*_opening(mine), *late, *recorded], plan=ground.plan, subject_kind="town",
            agency=agency, unit=unit, area=mine[0].data["area"], clocks=len(late), outcome=outcome,
            persons=known.get("persons"), harm=known.get("harm"),
        )
    ]  # fmt: skip


def grave_incident(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.2: unlawful confinement, injury or death with grave effect, by the facts of an incident as last reported."""
    mine, rules = of(facts, "incident"), ground.rules.grave
    if not mine or ended(mine) == "unfounded":
        return []
    known = said(mine)
    harmed = known.get("what") in rules.what or any(
        int(known.get(name) or 0) >= least
        for name, least in (("deaths", rules.deaths), ("injured", rules.injured), ("confined", rules.confined))
    )
    if not harmed or known.get("influence") not in rules.influence:
        return []
    telling = [fact for fact in mine if fact.type == ProceedingOpened.TYPE or fact.data.get("facts")]
    reported, source = stepped(mine, "first_report"), known.get("source")
    if source in _EXPOSED:
        origin = Origin.EXPOSED
    else:
        origin = Origin.SELF_REPORTED if reported and not missed(mine, ("first",)) else Origin.SELF_FOUND
    first = telling[0].data
    return [
        propose(
            "grave_incident", "D-Q1.2", telling, plan=ground.plan, subject_kind="town", agency=first["agency"],
            unit=first["unit"], area=first["area"], origin=origin, what=known.get("what"), deaths=known.get("deaths"),
            injured=known.get("injured"), confined=known.get("confined"), influence=known.get("influence"),
        )
    ]  # fmt: skip


def made_by_higher(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.4: a case in the area was made by a higher level, and not at the area's own request."""
    mine = of(facts, "higher_case")
    if ended(mine) != "made_by_higher":
        return []
    known, last = said(mine), stepped(mine, "confirm")
    return [
        propose(
            "made_by_higher", "D-Q1.4", [*_opening(mine), *last], plan=ground.plan, subject_kind="town",
            agency=ground.office, area=mine[0].data["area"], origin=Origin.EXPOSED, made_by=known.get("made_by"),
            lead_known=_yes(known.get("lead_known")), lead_verified=_yes(known.get("lead_verified")),
            persons=known.get("persons"),
        )
    ]  # fmt: skip


def late_major_report(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.8: a major case was not reported upward in time; where it proved not to be major, nothing was late."""
    mine = of(facts, "major_report")
    late = missed(mine, ("report",))
    if not late or ended(mine) == "not_major":
        return []
    fact, reported = late[0].data, stepped(mine, "report")
    return [
        propose(
            "late_major_report", "D-Q1.8", [*_opening(mine), *late, *reported], plan=ground.plan, subject_kind="town",
            agency=fact["deadline"]["agency"], unit=fact["deadline"]["unit"], area=fact["area"],
            origin=Origin.SELF_REPORTED if reported else Origin.SELF_FOUND, reported=_yes(bool(reported)),
        )
    ]  # fmt: skip


def concealment(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.7: known elsewhere and not reported by the area, as its inquiry found. What the area reported itself, or
    did not know, is no concealment."""
    return _inquiry(facts, ground, "concealed", "concealment", "D-Q1.7", Origin.EXPOSED)


def reported_late(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.8: the inquiry found that the area had reported by itself, but late: told apart from concealment."""
    return _inquiry(facts, ground, "reported_late", "reported_late", "D-Q1.8", Origin.SELF_REPORTED)


def _inquiry(
    facts: Sequence[Fact], ground: Ground, outcome: str, condition: str, clause: str, origin: Origin
) -> list[Proposal]:
    mine = of(facts, "concealment")
    if ended(mine) != outcome:
        return []
    last = [fact for fact in mine if fact.type == ProceedingStepped.TYPE and fact.data["final"]]
    fact, known = last[0].data, said(mine)
    return [
        propose(
            condition, clause, [*_opening(mine), *stepped(mine, "explain"), *last], plan=ground.plan,
            subject_kind="town", agency=fact["to_agency"] or fact["agency"], unit=fact["to_unit"], area=fact["area"],
            origin=origin, what=known.get("what"), source=known.get("source"),
        )
    ]  # fmt: skip


def neglected_order(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.3, D-N4: work set by a higher level or the office was not answered in its time (布置工作不认真完成)."""
    found = []
    for kind in ORDERS:
        mine = of(facts, kind)
        late = [
            fact
            for fact in missed(mine, ground.rules.order_clocks)
            if fact.data["deadline"]["agency"] == fact.data["to_agency"]
        ]
        if late and ended(mine) not in ("withdrawn", "struck"):
            fact = late[0].data
            found.append(
                propose(
                    "neglected_order", "D-Q1.3", [*_opening(mine), *late], plan=ground.plan, subject_kind="town",
                    agency=fact["deadline"]["agency"], unit=fact["deadline"]["unit"], area=fact["area"],
                    clocks=len(late), kind=kind,
                )
            )  # fmt: skip
    return found


def _yes(value: Any) -> str | None:
    return None if value is None else "yes" if value else "no"
