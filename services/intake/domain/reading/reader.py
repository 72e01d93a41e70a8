"""`read`: from a message's words to a `Reading`."""

import re

from services.intake.domain.reading.model import Reading, Reason

LEXICON_VERSION = "0"

_NAMED = re.compile(r"(?<!宣)传销(?!售)|拉人头|发展下线")
_HELD = re.compile(r"困在|被关|关在|被困|控制\d+个人")


def read(subject: str, text: str) -> Reading:
    """Read one message. Never raises; the same words always give the same reading."""
    whole = f"{subject}\n{text}"
    named = tuple(dict.fromkeys(_NAMED.findall(whole)))
    held = tuple(dict.fromkeys(_HELD.findall(whole)))
    if not named:
        return Reading(relevant=False, belongs_to="other")
    reasons = (Reason("named", named), *((Reason("held", held),) if held else ()))
    return Reading(
        relevant=True,
        kinds=("confinement",) if held else ("unspecified",),
        urgent=bool(held),
        score=100,
        reasons=reasons,
    )
