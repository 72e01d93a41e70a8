"""Conditions that calendars show: reports, duties and certificates late or left out; and what others exposed."""

from __future__ import annotations

from collections.abc import Sequence

from services.scoring.domain.detectors.facts import Fact, Ground, Origin, Proposal, propose
from shared.events.certificates import CertificateMissed
from shared.events.duties import DutyDone, DutyDropped, DutyGivenBack, DutyMissed
from shared.events.publicity import CampaignDone, CampaignMissed, ExposureRecorded, ExposureWithdrawn
from shared.events.reports import ReportMissed, ReportSubmitted

_NEGLECT = frozenset({"duty_undone", "complaint_unhandled", "concealed"})
"""Grounds of an exposure that are somebody's omission, whoever had found the matter itself first."""


def late_report(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-R: a report came late, or has not come. In time after all: nothing was late."""
    came = [fact for fact in facts if fact.type == ReportSubmitted.TYPE]
    late = [fact for fact in facts if fact.type == ReportMissed.TYPE] + [fact for fact in came if fact.data["late"]]
    if not late or any(not fact.data["late"] for fact in came):
        return []
    fact = late[0].data
    return [
        propose(
            "late_report", "D-R", late, plan=ground.plan, subject_kind="agency", agency=fact["agency"],
            area=fact["area"], report=fact["kind"], came="late" if came else "no",
        )
    ]  # fmt: skip


def late_duty(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.3, D-M2: a duty that the plan, a campaign or a meeting set was not done in its time (布置工作不认真完成).

    Dropped: nothing is missed by what came before. Given back: what was called done before was not.
    """
    dropped, back = _last(facts, DutyDropped.TYPE), _last(facts, DutyGivenBack.TYPE)
    facts = [fact for fact in facts if dropped is None or fact.order > dropped.order]
    done = [
        fact
        for fact in facts
        if fact.type in (DutyDone.TYPE, CampaignDone.TYPE) and (back is None or fact.order > back.order)
    ]
    late = [fact for fact in facts if fact.type in (DutyMissed.TYPE, CampaignMissed.TYPE)]
    late += [fact for fact in done if fact.data["late"]]
    if not late or any(not fact.data["late"] for fact in done):
        return []
    fact = late[0].data
    return [
        propose(
            "late_duty", "D-Q1.3", late, plan=ground.plan, subject_kind="unit", agency=fact["agency"] or ground.office,
            unit=fact["unit"], area=fact["area"], kind=fact.get("origin") or "campaign",
            duty=fact.get("duty") or fact.get("campaign"), by_clause=fact["clause"], done="late" if done else "no",
        )
    ]  # fmt: skip


def missed_creation(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.1: the day of the certificate passed without it (未完成创建)."""
    missed = [fact for fact in facts if fact.type == CertificateMissed.TYPE]
    if not missed:
        return []
    fact = missed[0].data
    return [
        propose(
            "missed_creation", "D-Q1.1", missed, plan=ground.plan, subject_kind=fact["holder_kind"],
            agency=fact["agency"], area=fact["area"], standard=fact["standard"], stood=fact["stood"],
        )
    ]  # fmt: skip


def exposure(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.3: media or a superior made it known (被曝光). The last version told holds; a withdrawn one never was.

    What the area had found and reported itself before is no exposure, unless the exposure is of an omission.
    """
    told = [fact for fact in facts if fact.type == ExposureRecorded.TYPE]
    if not told or any(fact.type == ExposureWithdrawn.TYPE for fact in facts):
        return []
    last = max(told, key=lambda fact: (fact.data["version"], fact.order))
    known = last.data
    own = bool(known["found_before"])
    if own and not _NEGLECT.intersection(known["grounds"]):
        return []
    return [
        propose(
            "exposure", "D-Q1.3", [last], plan=ground.plan, subject_kind="town",
            agency=known["agency"] or ground.office, unit=known["unit"], area=known["area"],
            origin=Origin.SELF_REPORTED if own else Origin.EXPOSED, source=known["source"], medium=known["medium"],
            level=known["level"], grounds=",".join(sorted(known["grounds"])) or None,
        )
    ]  # fmt: skip


def _last(facts: Sequence[Fact], type_: str) -> Fact | None:
    return max((fact for fact in facts if fact.type == type_), key=lambda fact: fact.order, default=None)
