"""Events of scoring about certificates (无传销社区、镇区): programme, application, sample, decision, what became of them.

No event tells who acted. `holder` is the community's agency, or the plan of a town.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import EventData


class _CertificateEvent(EventData):
    """`standard` is its id in the rulebook that governs (`rulebook`: id@version); `certification_id` the round."""

    TOPIC: ClassVar[str] = "scoring.certificate.v1"

    certification_id: UUID
    plan: str
    standard: str
    rulebook: str
    clause: str | None
    holder_kind: Literal["town", "community", "agency", "unit", "post"]
    holder: str
    agency: str
    area: str
    dataref: str

    @property
    def key(self) -> str:
        return str(self.certification_id)


class CreationStarted(_CertificateEvent):
    """A creation programme (创建) began; `steps` are to be done, the certificate is asked for by `due_on`."""

    TYPE: ClassVar[str] = "dachuan.certificate.creation-started.v1"

    steps: int
    due_on: date | None
    started_at: datetime


class CreationStepDone(_CertificateEvent):
    """A step of the programme was shown to be done; `late`: after its day."""

    TYPE: ClassVar[str] = "dachuan.certificate.creation-step-done.v1"

    step: str
    by_agency: str
    due_on: date | None
    late: bool
    done_at: datetime


class CertificateApplied(_CertificateEvent):
    """The certificate was applied for, with the checklist's score; `round` grows with each rectification."""

    TYPE: ClassVar[str] = "dachuan.certificate.applied.v1"

    round: int
    score: Decimal
    applied_at: datetime


class CertificateSampleCommitted(_CertificateEvent):
    """What can be inspected was frozen (`digests` by part), and a secret committed to, before anyone could choose."""

    TYPE: ClassVar[str] = "dachuan.certificate.sample-committed.v1"

    round: int
    digests: dict[str, str]
    sizes: dict[str, int]
    commitment: str
    committed_at: datetime


class CertificateSampleDrawn(_CertificateEvent):
    """The sample was drawn: `secret` and `word` make the seeds, so that anyone can compute the choice again."""

    TYPE: ClassVar[str] = "dachuan.certificate.sample-drawn.v1"

    round: int
    secret: str
    word: str
    seeds: dict[str, str]
    chosen: dict[str, int]
    drawn_at: datetime


class CertificateInspected(_CertificateEvent):
    """The inspection of the sample ended, with how many were found good, bad or could not be seen."""

    TYPE: ClassVar[str] = "dachuan.certificate.inspected.v1"

    round: int
    good: int
    bad: int
    unreachable: int
    inspected_at: datetime


class CertificateRectificationOrdered(_CertificateEvent):
    """What was found must be put right by a day before anything is decided (整改)."""

    TYPE: ClassVar[str] = "dachuan.certificate.rectification-ordered.v1"

    round: int
    by: date
    ordered_at: datetime


class CertificateGranted(_CertificateEvent):
    """The certificate was granted by two persons; it stands until `valid_until`, or for as long as its facts do."""

    TYPE: ClassVar[str] = "dachuan.certificate.granted.v1"

    number: str
    valid_until: date | None
    granted_at: datetime


class CertificateRefused(_CertificateEvent):
    """The certificate was refused by two persons."""

    TYPE: ClassVar[str] = "dachuan.certificate.refused.v1"

    refused_at: datetime


class CertificateSuspended(_CertificateEvent):
    """A veto suspended the certificate at once: a confirmed finding, or an indicator that no longer holds.

    `origin` tells what the area found itself from what was exposed, where that is known; `events` are behind it.
    """

    TYPE: ClassVar[str] = "dachuan.certificate.suspended.v1"

    number: str
    cause: Literal["finding", "indicator"]
    what: str
    finding_id: UUID | None
    origin: str | None
    events: tuple[UUID, ...]
    suspended_at: datetime


class CertificateRestored(_CertificateEvent):
    """A suspended certificate is in force again: by its procedure, or because the finding behind it was taken back."""

    TYPE: ClassVar[str] = "dachuan.certificate.restored.v1"

    number: str
    cause: Literal["procedure", "taken_back"]
    restored_at: datetime


class CertificateRevoked(_CertificateEvent):
    """The certificate was taken away by two persons."""

    TYPE: ClassVar[str] = "dachuan.certificate.revoked.v1"

    number: str
    revoked_at: datetime


class CertificateExpired(_CertificateEvent):
    """The time of the certificate ended."""

    TYPE: ClassVar[str] = "dachuan.certificate.expired.v1"

    number: str
    expired_at: datetime


class CertificateMissed(EventData):
    """The day a certificate had to be there passed without it (D-Q1.1: 未完成创建). Only this event counts for scoring.

    `stood` is where the round stood at that moment (`none`: there was none).
    """

    TYPE: ClassVar[str] = "dachuan.certificate.missed.v1"
    TOPIC: ClassVar[str] = "scoring.certificate.v1"

    due_id: UUID
    certification_id: UUID | None
    plan: str
    standard: str
    rulebook: str
    clause: str | None
    holder_kind: Literal["town", "community", "agency", "unit", "post"]
    holder: str
    agency: str
    area: str
    due_on: date
    stood: str
    missed_at: datetime
    dataref: str

    @property
    def key(self) -> str:
        return str(self.due_id)


ALL: tuple[type[EventData], ...] = (
    CreationStarted, CreationStepDone, CertificateApplied, CertificateSampleCommitted, CertificateSampleDrawn,
    CertificateInspected, CertificateRectificationOrdered, CertificateGranted, CertificateRefused,
    CertificateSuspended, CertificateRestored, CertificateRevoked, CertificateExpired, CertificateMissed,
)  # fmt: skip
