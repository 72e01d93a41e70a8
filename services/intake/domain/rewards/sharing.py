"""Who gets a reward: the earliest reporter; those at the same time, or joined by officers, share it equally."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from services.intake.domain.rewards.amount import FEN


@dataclass(frozen=True, slots=True)
class Report:
    """One report of the matter: whose receipt, when it came in, by which channel."""

    tip_id: UUID
    received_at: datetime
    channel: str


@dataclass(frozen=True, slots=True)
class Entitled:
    """The receipts that share the reward, earliest first.

    `known_before`: an agency's own report (patrol, net patrol, …) is earlier still, so the matter was known;
    the officer who proposes must weigh that. `later` counts reports that came too late.
    """

    tips: tuple[UUID, ...]
    known_before: bool
    later: int


def entitled(
    reports: Sequence[Report],
    *,
    channels: Collection[str],
    window: timedelta = timedelta(0),
    joined: Collection[UUID] = (),
    excluded: Collection[UUID] = (),
) -> Entitled:
    """The earliest report by a natural person, those within `window` of it, and those that officers joined to it.

    Only reports by `channels` count; `excluded` are receipts that were refused a reward.
    """
    persons = sorted(
        (r for r in reports if r.channel in channels and r.tip_id not in excluded),
        key=lambda r: (r.received_at, r.tip_id),
    )
    if not persons:
        return Entitled((), False, 0)
    first = persons[0].received_at
    chosen = [r for r in persons if r.received_at - first <= window or r.tip_id in joined]
    known = any(r.channel not in channels and r.received_at < first for r in reports)
    return Entitled(tuple(r.tip_id for r in chosen), known, len(persons) - len(chosen))


def split(total: Decimal, parts: int) -> tuple[Decimal, ...]:
    """Equal parts to the fen that add up to the whole: the fen left over go one each to the earliest.

    Raises ValueError for no parts, or a total that is negative or finer than a fen.
    """
    if parts < 1 or total < 0 or total != total.quantize(FEN):
        raise ValueError("a total in whole fen, and at least one part")
    fen = int(total / FEN)
    each, over = divmod(fen, parts)
    return tuple(FEN * (each + (1 if index < over else 0)) for index in range(parts))
