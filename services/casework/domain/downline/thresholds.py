"""The criminal threshold (刑法 224-1) as rules of the day of the act, and what a count says about each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from services.casework.domain.downline.counting import Count
from services.casework.domain.downline.network import Standing
from shared.rules.law import LawBook, LimitInForce

FILING, LEADER_PRIOR, GRAVE = "filing", "leader_prior", "grave"
_IDS = (
    "crime.filing_persons", "crime.filing_levels", "crime.leader_prior_persons", "crime.leader_prior_levels",
    "crime.leader_prior_admin_years", "crime.grave_persons", "crime.grave_yuan", "crime.grave_prior_persons",
    "crime.grave_consequence", "crime.grave_other",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bounds:
    """The lines of the law in force on the day of the act, by rule id."""

    day: date
    lines: dict[str, LimitInForce]

    @classmethod
    def of(cls, law: LawBook, day: date) -> Bounds:
        """The bounds of a day. Raises `UnknownRule` where the law files lack a line."""
        return cls(day, {rule: law.in_force(rule, day) for rule in _IDS})

    def least(self, rule: str) -> int:
        """The number from which on a rule holds, inclusive (以上)."""
        return int(self.lines[rule].limit.at_least or 0)

    @property
    def levels(self) -> int:
        return self.least("crime.filing_levels")


@dataclass(frozen=True, slots=True)
class Item:
    """One bound and how far the count is from it; money in yuan, rounded down."""

    rule: str
    value: int
    bound: int
    article: str
    certainty: str
    provisional: bool

    @property
    def missing(self) -> int:
        return max(self.bound - self.value, 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the counts say of one rule: `filing` (立案追诉), `leader_prior` (曾受处罚者为组织、领导者), `grave` (情节严重).

    `items` are the bounds asked for; of a grave case each one alone is enough, of the others all are needed.
    """

    rule: str
    reached: bool
    items: tuple[Item, ...]


def has_prior(standing: Standing, bounds: Bounds, acts: tuple[int, ...] = ()) -> bool:
    """A criminal record for it ever, or an administrative penalty within the term before an act (以内 inclusive).

    `acts`: ordinals of recruitments after the penalty; without any the day of evaluation stands for the act.
    """
    if standing.convicted:
        return True
    if standing.penalised_on is None:
        return False
    start, years = standing.penalised_on, int(bounds.lines["crime.leader_prior_admin_years"].value or 0)
    try:
        end = start.replace(year=start.year + years)
    except ValueError:
        end = date(start.year + years, 3, 1) - timedelta(days=1)
    days = acts or (bounds.day.toordinal(),)
    return any(start.toordinal() <= day <= end.toordinal() for day in days)


def judge(own: Count, whole: Count, standing: Standing, prior: bool, bounds: Bounds) -> tuple[Verdict, ...]:
    """The verdicts on one organiser.

    Whoever leads by role or by a prior record with a downline of his own answers for the whole organisation; of
    anyone else only the own downline counts.
    """

    def item(rule: str, value: int) -> Item:
        line = bounds.lines[rule]
        return Item(rule, value, bounds.least(rule), line.article, line.certainty, line.provisional)

    verdicts = []
    leads = bool(standing.roles)
    if prior:
        needed = (item("crime.leader_prior_persons", own.heads), item("crime.leader_prior_levels", own.levels))
        by_prior = not any(one.missing for one in needed)
        leads = leads or by_prior
        verdicts.append(Verdict(LEADER_PRIOR, by_prior, needed))
    counted = whole if leads else own
    filing = (item("crime.filing_persons", counted.heads), item("crime.filing_levels", counted.levels))
    reached = not any(one.missing for one in filing)
    verdicts.insert(0, Verdict(FILING, reached, filing))
    yuan = max(own.paid, standing.collected) // 100
    grave = [item("crime.grave_persons", counted.heads), item("crime.grave_yuan", yuan)]
    if prior:
        grave.append(item("crime.grave_prior_persons", counted.heads))
    grave.append(item("crime.grave_consequence", int("consequence" in standing.grave)))
    grave.append(item("crime.grave_other", int("other" in standing.grave)))
    verdicts.append(Verdict(GRAVE, reached and any(not one.missing for one in grave), tuple(grave)))
    return tuple(verdicts)
