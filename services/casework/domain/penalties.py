"""What a penalty may be: the range of its article on the day of the act, illegal gains, and who is fined for what.

Sources: 《禁止传销条例》 articles 24–27, 《治安管理处罚法》, 《行政处罚法》 articles 32, 35, 36. Amounts are yuan. Pure.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shared.rules.law import LimitInForce, Unit

PREFIX: Mapping[str, str] = {"administrative_penalty": "prohibition.", "police_penalty": "police."}
"""The law of each kind of penalty: an article is the name of its rule without this."""

ROLES: Mapping[str, frozenset[str]] = {
    "fine_organise": frozenset({"organiser"}),
    "fine_lure": frozenset({"organiser", "recruiter"}),
    "fine_join": frozenset({"participant", "recruiter"}),
    "fine_premises": frozenset({"landlord", "tenant", "venue", "storage", "supplier"}),
    "fine_tamper": frozenset({"organiser", "recruiter", "participant", "landlord", "tenant", "venue", "storage", "supplier"}),
    "fine_tamper_refuses": frozenset(
        {"organiser", "recruiter", "participant", "landlord", "tenant", "venue", "storage", "supplier"}
    ),
    "detain_organise": frozenset({"organiser"}),
    "detain_organise_light": frozenset({"organiser"}),
    "detain_lure": frozenset({"organiser", "recruiter"}),
    "detain_lure_grave": frozenset({"organiser", "recruiter"}),
    "landlord_unregistered": frozenset({"landlord"}),
    "landlord_unreported": frozenset({"landlord"}),
    "landlord_unreported_grave": frozenset({"landlord"}),
}
"""Whom each article is for. A sub-letting tenant (二房东) answers as landlord under the police's articles."""

TIED_TO_A_PLACE = frozenset({"landlord", "tenant", "venue", "storage"})
"""Roles whose penalty names the rental, venue or store (D-B5b, X-D7c)."""

CLOSING = frozenset({"fine_organise", "fine_lure", "fine_join"})
"""Articles beside which a business may be suspended or its licence revoked (article 25)."""

CONFISCATING = frozenset({"fine_organise", "fine_lure", "fine_premises"})
"""Articles that confiscate illegal gains beside the fine."""

FULL_INCOME = frozenset({"headcount", "entry_fee"})
"""Ways of counting illegal gains at the full income; team pay is counted net of the goods' cost."""

CENT = Decimal("0.01")


def yuan(value: object) -> Decimal:
    """An amount as facts keep it; nothing is nothing."""
    return Decimal(str(value or 0))


def shown(amount: Decimal) -> str:
    """An amount as facts keep it: yuan with two decimals."""
    return str(amount.quantize(CENT))


@dataclass(frozen=True, slots=True)
class Band:
    """The range of an article: `low` and `high` inclusive, in yuan or, for detention, days."""

    rule: str
    days: bool
    low: Decimal
    high: Decimal
    limit: LimitInForce

    @property
    def unit(self) -> tuple[str, str]:
        return ("日", "days") if self.days else ("元", "yuan")


def band(limit: LimitInForce, goods_value: Decimal = Decimal(0)) -> Band:
    """The range that a rule in force gives; a share or a multiple is of the goods' value."""
    line = limit.limit
    low, high = Decimal(str(line.at_least or 0)), Decimal(str(line.at_most or line.amount or 0))
    if line.unit is Unit.PERCENT:
        low, high = low * goods_value / 100, high * goods_value / 100
    elif line.unit is Unit.TIMES:
        low, high = low * goods_value, high * goods_value
    return Band(line.id, line.unit is Unit.CALENDAR_DAYS, low.quantize(CENT), high.quantize(CENT), limit)


def illegal_gains(method: str, income: Decimal, goods_cost: Decimal) -> Decimal:
    """Illegal gains: heads and entry fees at the full income, team pay net of the goods' cost; never below nothing.

    Raises ValueError where costs are taken off that the method does not take off.
    """
    if method in FULL_INCOME and goods_cost:
        raise ValueError("goods cost is not taken off")
    return max(income - goods_cost, Decimal(0))


def years_after(day: date, years: int) -> date:
    """The same day so many years later (the last of February for the 29th)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def plain(value: object) -> str:
    """A number as people read it: thousands apart, cents only where there are any."""
    number = Decimal(str(value or 0))
    return f"{number:,.0f}" if number == number.to_integral() else f"{number:,.2f}"


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
