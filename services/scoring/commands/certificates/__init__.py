"""The only writers of certificates: programme, application, sample and inspection, decision, and the watch over them."""

from services.scoring.commands.certificates.basis import Desk, Holder
from services.scoring.commands.certificates.stepping import start, take_step
from services.scoring.commands.certificates.watching import (
    effect_of,
    ensure_dues,
    expire,
    keep_evidence,
    settle_dues,
)

__all__ = [
    "Desk", "Holder", "effect_of", "ensure_dues", "expire", "keep_evidence", "settle_dues", "start", "take_step",
]  # fmt: skip
