"""Files with a tip (证据材料): where each stands. No I/O."""

from collections.abc import Mapping
from enum import StrEnum


class FileState(StrEnum):
    """Where a file stands."""

    RECEIVED = "received"
    """Sealed; no cleaned copy (yet: `reason` is empty; or none can be made: `reason` says why)."""
    CLEANED = "cleaned"
    """A copy without metadata stands beside the sealed original."""
    REFUSED = "refused"
    """Found to be harmful after it was taken; its bytes are gone."""
    QUARANTINED = "quarantined"
    """Kept sealed, shown to nobody but by the right to originals: a virus, or it broke the cleaning."""


TRANSITIONS: Mapping[FileState, frozenset[FileState]] = {
    FileState.RECEIVED: frozenset({FileState.CLEANED, FileState.REFUSED, FileState.QUARANTINED}),
    FileState.CLEANED: frozenset({FileState.QUARANTINED}),
    FileState.REFUSED: frozenset(),
    FileState.QUARANTINED: frozenset(),
}
"""From each state to which; a signature learned later quarantines what was shown before."""


def may_become(now: FileState, then: FileState) -> bool:
    """Whether a file may go from one state to another."""
    return then in TRANSITIONS[now]


ORIGINAL_REASONS = ("no-copy", "authenticity", "court", "scan-review")
"""Why an officer opens an original: there is no cleaned copy; its authenticity is in doubt; a court or procurator
asks; a finding of the scanner is checked."""
