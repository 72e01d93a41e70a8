"""How much is proposed, each step told with its rule, its inputs and its result. Money is Decimal yuan to the fen."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from shared.rules.plan.rewards import RewardScheme

FEN = Decimal("0.01")
"""The smallest unit; a share that falls between two is rounded half up."""
MOST = Decimal("99999999999.99")


class NotReckonable(ValueError):
    """The facts do not fit the scheme; `code` says which: `level`, `dens`, `amount`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Number:
    """One number in force on the day, with where it stands and how sure it is (T, S, M)."""

    value: Decimal
    rule: str
    article: str
    certainty: str
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the reward is reckoned from: yuan fined, yuan confiscated, dens found."""

    fine: Decimal = Decimal(0)
    confiscated: Decimal = Decimal(0)
    dens: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the rule, what it says in words, what went in, and the yuan that came out."""

    rule: str
    zh: str
    en: str
    result: Decimal
    article: str = ""
    certainty: str = ""
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Amount:
    """The proposed sum with its steps. `settle_with_finance`: to be settled with the finance office first."""

    total: Decimal
    steps: tuple[Step, ...]
    settle_with_finance: bool
    provisional: bool


def yuan(value: Decimal) -> str:
    """An amount as people write it: 12,345.60."""
    return f"{value:,.2f}"


def reckon(scheme: RewardScheme, level_id: str | None, facts: Facts, number: Callable[[str], Number]) -> Amount:
    """The reward under a scheme. `number` gives each rule's number in force on the day that governs.

    Raises NotReckonable for negative or overlong amounts, a level the scheme does not have, or a den scheme
    without a den.
    """
    if min(facts.fine, facts.confiscated, facts.dens) < 0 or max(facts.fine, facts.confiscated) > MOST:
        raise NotReckonable("amount")
    steps: list[Step] = []

    def use(rule: str, zh: str, en: str, result: Decimal) -> Decimal:
        told = number(rule)
        steps.append(Step(rule, zh, en, result, told.article, told.certainty, told.provisional))
        return result

    if scheme.kind == "percent":
        total = _share(scheme, level_id, facts, number, use, steps)
    else:
        total = _per_den(scheme, facts, number, use)
    if scheme.cap is not None:
        most = number(scheme.cap).value
        if total > most:
            total = use(scheme.cap, f"超过每案上限，按 {yuan(most)} 元", f"above the cap, so {yuan(most)} yuan", most)
    settle = False
    if scheme.settle_with_finance is not None:
        bound = number(scheme.settle_with_finance).value
        settle = total >= bound
        if settle:
            use(
                scheme.settle_with_finance, f"达到 {yuan(bound)} 元，须先与同级财政商定",
                f"reaches {yuan(bound)} yuan: settle it with the finance office first", total,
            )  # fmt: skip
    return Amount(total, tuple(steps), settle, any(step.provisional for step in steps))


def _share(
    scheme: RewardScheme, level_id: str | None, facts: Facts, number: Callable[[str], Number],
    use: Callable[[str, str, str, Decimal], Decimal], steps: list[Step],
) -> Decimal:  # fmt: skip
    level = scheme.level(level_id)
    if level is None:
        raise NotReckonable("level")
    base = facts.fine + facts.confiscated
    steps.append(
        Step(
            "base", f"罚款 {yuan(facts.fine)} 元＋没收 {yuan(facts.confiscated)} 元",
            f"fined {yuan(facts.fine)} yuan and confiscated {yuan(facts.confiscated)} yuan", base,
        )
    )  # fmt: skip
    percent = number(level.percent).value
    exact = (base * percent / 100).quantize(FEN, ROUND_HALF_UP)
    total = use(
        level.percent, f"{level.name.zh}：{yuan(base)} 元的 {percent}%",
        f"{level.name.en}: {percent} % of {yuan(base)} yuan", exact,
    )  # fmt: skip
    if level.floor is not None:
        least = number(level.floor).value
        if total < least:
            total = use(
                level.floor, f"低于本级下限，按 {yuan(least)} 元",
                f"below the level's floor, so {yuan(least)} yuan", least,
            )  # fmt: skip
    return total


def _per_den(
    scheme: RewardScheme,
    facts: Facts,
    number: Callable[[str], Number],
    use: Callable[[str, str, str, Decimal], Decimal],
) -> Decimal:
    if facts.dens < 1:
        raise NotReckonable("dens")
    assert scheme.amount is not None
    each = number(scheme.amount).value
    total = (each * facts.dens).quantize(FEN, ROUND_HALF_UP)
    return use(
        scheme.amount, f"查实窝点 {facts.dens} 个，每个 {yuan(each)} 元",
        f"{facts.dens} dens found, {yuan(each)} yuan each", total,
    )  # fmt: skip
