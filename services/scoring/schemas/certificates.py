"""HTTP bodies of certificates."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{3,63}$")]


class CreationIn(BaseModel):
    """A creation programme to be started: the standard and who is to be certified."""

    model_config = ConfigDict(extra="forbid")

    standard: Code
    holder: Code
    plan: Code | None = None


class CertificationStepIn(BaseModel):
    """What a step needs; each uses its own fields.

    `note`: why, what was done, where it is on record; no names of persons. `programme`: the step of the programme that
    is done. `indicator` and `sha256`: what is shown, and the checksum of its paper. `word`: the applicant's word that
    reveals the sample, letters and digits. `lists`: what can be inspected, of kinds that no event tells. `part`, `code`
    and `result`: what was found at one of the sample. `by`: until when it must be put right.
    """

    model_config = ConfigDict(extra="forbid")

    note: Words = ""
    programme: Code | None = None
    indicator: Code | None = None
    sha256: Sha256 | None = None
    word: Word | None = None
    lists: dict[Code, list[Code]] = Field(default_factory=dict, max_length=10)
    part: Code | None = None
    code: Code | None = None
    result: Literal["good", "bad", "unreachable"] | None = None
    by: date | None = None


class CertificationOut(BaseModel):
    """A certification without its words. `in_force`: its holder may call itself certified now."""

    id: UUID
    plan: str
    standard: str
    title: dict[str, str]
    rulebook: str
    holder_kind: str
    holder: str
    agency: str
    area: str
    state: str
    in_force: bool
    round: int
    number: str | None
    started_at: datetime
    due_on: date | None
    applied_at: datetime | None
    applied_score: Decimal | None
    granted_at: datetime | None
    valid_until: date | None
    suspended_at: datetime | None
    rectify_by: date | None
    ended_at: datetime | None
    version: int


class ChecklistItemOut(BaseModel):
    """One item: what is needed, what the events tell, whether it is there, and where its events are read."""

    id: str
    title: dict[str, str]
    clause: str | None
    assumed: bool
    verdict: Literal["met", "unmet", "shown", "silent"]
    veto: bool
    points: Decimal
    figure: str | None
    value: Decimal | None
    at_least: Decimal | None
    at_most: Decimal | None
    months: int | None
    evidence: str | None


class CertificationFull(CertificationOut):
    """A certification with programme, checklist, proofs, draws, samples, reasons of suspension and history."""

    programme: list[dict[str, Any]]
    items: list[ChecklistItemOut]
    score: Decimal
    pass_mark: Decimal | None
    passes: bool
    proofs: list[dict[str, Any]]
    draws: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    history: list[dict[str, Any]]
    possible: list[str]


class EvidenceOut(BaseModel):
    """One event behind an item. `dataref` opens it under the reader's own rights."""

    event_id: UUID
    type: str
    source: str
    what: str
    object_id: UUID
    area: str | None
    agency: str | None
    at: datetime
    recorded_at: datetime
    dataref: str | None


class StandardOut(BaseModel):
    """A standard in force: what it asks, by which rulebook, of whom; and where each stands."""

    id: str
    plan: str
    rulebook: str
    title: dict[str, str]
    clause: str | None
    assumed: bool
    subject: str
    due: str | None
    pass_mark: Decimal | None
    holders: list[dict[str, Any]]


class StandardsOut(BaseModel):
    items: list[StandardOut]


class PublicCertificate(BaseModel):
    """A certificate as anyone may read it. `cause`: why it is suspended, by the clause; no person is in it."""

    number: str
    title: dict[str, str]
    plan: str
    place: dict[str, str]
    area: str
    standard: str
    rulebook: str
    status: Literal["in_force", "suspended", "revoked", "expired"]
    granted_on: date
    valid_until: date | None
    since: date
    causes: list[dict[str, Any]]


class PublicCertificates(BaseModel):
    """The public list, as of `at`."""

    at: datetime
    items: list[PublicCertificate]


class DrawOut(BaseModel):
    """One part of a sample with everything that computes it again (`examples/certificate_sample/verify.py`).

    Before the word is given only the frozen list's digest and the commitment stand here.
    """

    certification: UUID
    scheme: str
    round: int
    part: str
    codes: list[str]
    digest: str
    commitment: str
    number: int
    secret: str | None
    word: str | None
    seed: str | None
    chosen: list[str]
    committed_at: datetime
    drawn_at: datetime | None


class DrawsOut(BaseModel):
    items: list[DrawOut]
