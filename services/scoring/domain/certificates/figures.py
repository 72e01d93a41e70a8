"""Figures of a community or town from its evidence, and which facts spoil which figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.scoring.domain.certificates.evidence import DROPPED
from shared.rules.law import Text

Tally = Mapping[str, Mapping[frozenset[str], int]]
"""Source → what was told of an object → of how many objects: an object is counted once, whatever is told of it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: where it comes from, how it is made, and what spoils it (so that a fact is weighed when it comes)."""

    id: str
    text: Text
    source: str
    of: Callable[[Tally], Decimal | None]
    spoilt_by: frozenset[str]
    shown: frozenset[str] | None = None
    """What of the source is the evidence; None: all of it."""
    percent: bool = False


def _count(source: str, having: Iterable[str], without: Iterable[str] = ()) -> Callable[[Tally], Decimal | None]:
    any_of, none_of = frozenset(having), frozenset(without) | {DROPPED}

    def count(tally: Tally) -> Decimal | None:
        told = tally.get(source, {})
        return Decimal(sum(number for whats, number in told.items() if whats & any_of and not whats & none_of))

    return count


def _share(
    source: str, good: Iterable[str], bad: Iterable[str], unless: Iterable[str] = ()
) -> Callable[[Tally], Decimal | None]:
    """Of what was good or bad, the percentage that was good and nothing of `unless`; None where there was neither."""
    goods, bads = frozenset(good), frozenset(bad)
    spoil = frozenset(unless) or bads

    def share(tally: Tally) -> Decimal | None:
        told = {whats: number for whats, number in tally.get(source, {}).items() if DROPPED not in whats}
        whole = sum(number for whats, number in told.items() if whats & (goods | bads))
        well = sum(number for whats, number in told.items() if whats & goods and not whats & spoil)
        return (Decimal(100 * well) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP) if whole else None

    return share


def _figure(
    id: str, source: str, of: Callable[[Tally], Decimal | None], zh: str, en: str, *, spoilt_by: Iterable[str] = (),
    shown: Iterable[str] | None = None, percent: bool = False,
) -> Figure:  # fmt: skip
    return Figure(
        id,
        Text(zh=zh, en=en),
        source,
        of,
        frozenset(spoilt_by),
        frozenset(shown) if shown is not None else None,
        percent,
    )


FIGURES: Mapping[str, Figure] = {
    one.id: one
    for one in (
        _figure("dens_found", "dens", _count("dens", ["found"]), "发现传销窝点", "dens found",
                spoilt_by=["found"], shown=["found"]),
        _figure("dens_standing", "dens", _count("dens", ["found"], ["cleared"]), "尚未清除的窝点", "dens not cleared",
                spoilt_by=["found"]),
        _figure("relapses", "relapses", _count("relapses", ["again"]), "死灰复燃", "places used again",
                spoilt_by=["again"]),
        _figure("gatherings", "gatherings", _count("gatherings", ["found"]), "聚集预警", "gatherings",
                spoilt_by=["found"]),
        _figure("venue_findings", "venues", _count("venues", ["found"]), "会展场地被用于传销", "venues used",
                spoilt_by=["found"]),
        _figure("exposures", "exposures", _count("exposures", ["exposed"], ["known_before"]), "被曝光（此前未自查）",
                "exposures of what had not been found before", spoilt_by=["exposed"]),
        _figure("survey_share", "survey", _share("survey", ["done"], ["undone"]), "摸底排查完成率",
                "survey rounds completed", spoilt_by=["undone"], percent=True),
        _figure("patrols_share", "patrols", _share("patrols", ["in_time"], ["late", "overdue"]), "巡查按期率",
                "patrols in time", spoilt_by=["late", "overdue"], percent=True),
        _figure("patrols_overdue", "patrols", _count("patrols", ["overdue"], ["in_time", "late"]), "逾期未巡查",
                "patrols still overdue", spoilt_by=["overdue"]),
        _figure("revisits_share", "revisits", _share("revisits", ["in_time"], ["late", "overdue"]), "回访按期率",
                "revisits in time", spoilt_by=["late", "overdue"], percent=True),
        _figure("revisits_overdue", "revisits", _count("revisits", ["overdue"], ["in_time", "late"]), "逾期未回访",
                "revisits still overdue", spoilt_by=["overdue"]),
        _figure("duties_share", "duties", _share("duties", ["in_time"], ["late", "missed"]), "职责按期完成率",
                "duties done in time", spoilt_by=["late", "missed"], percent=True),
        _figure("duties_missed", "duties", _count("duties", ["missed"], ["in_time", "late"]), "未履行的职责",
                "duties not done", spoilt_by=["missed"]),
        _figure("reports_share", "reports", _share("reports", ["in_time"], ["late", "missed"]), "报送按期率",
                "reports in time", spoilt_by=["late", "missed"], percent=True),
        _figure("reports_missed", "reports", _count("reports", ["missed"], ["in_time", "late"]), "缺报",
                "reports not sent", spoilt_by=["missed"]),
        _figure("publicity_done", "publicity", _count("publicity", ["in_time", "late", "visited", "warned"]), "宣传活动",
                "publicity done"),
        _figure("publicity_share", "publicity", _share("publicity", ["in_time", "late"], ["missed"], ["missed"]),
                "宣传计划完成率", "campaigns done", spoilt_by=["missed"], percent=True),
        _figure("leads_unverified", "leads", _count("leads", ["missed"], ["in_time"]), "重大线索未按期核查",
                "major leads not verified in time", spoilt_by=["missed"]),
        _figure("rentals_registered", "rentals", _count("rentals", ["rental"]), "登记的出租屋", "rental units registered"),
        _figure("cases_closed", "cases", _count("cases", ["closed"]), "办结案件", "cases closed"),
        _figure("findings", "findings", _count("findings", ["confirmed", "veto"]), "确认的扣分情形", "confirmed findings",
                spoilt_by=["confirmed", "veto"]),
        _figure("veto_findings", "findings", _count("findings", ["veto"]), "确认的一票否决情形", "confirmed veto findings",
                spoilt_by=["veto"]),
    )
}  # fmt: skip
"""Every figure a standard can ask for. A figure that is not here is shown by a person with proof."""

POINTS, CERTIFIED = "points", "certified_percent"
OTHERS: Mapping[str, Text] = {
    POINTS: Text(zh="台账得分（本考核年度）", en="points in the ledger, this assessment year"),
    CERTIFIED: Text(zh="已认定社区的比例", en="communities certified"),
}
"""Figures that no single event tells: of the ledger, and of certificates themselves."""
