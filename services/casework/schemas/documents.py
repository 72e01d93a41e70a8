"""Bodies of documents in casework's API."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.casework.schemas.cases import Words

Way = Literal["direct", "left", "entrusted", "mail", "forwarded", "announced", "electronic"]
Receiver = Literal["party", "family", "representative", "unit", "agency", "absent"]
State = Literal["draft", "approved", "issued", "served", "withdrawn", "discarded"]
Act = Literal["edit", "approve", "issue", "serve", "withdraw", "discard"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class DocumentIn(_In):
    """A new draft. `fields` by id; those not given are filled from the case where the kind says so.

    `case_person_id`: the person of the case it is about; without it the only one recorded there.
    """

    kind: str = Field(max_length=48)
    fields: dict[str, Any] = Field(default_factory=dict, max_length=100)
    proceeding_id: UUID | None = None
    case_person_id: UUID | None = None


class DocumentValuesIn(_In):
    """All values of a draft anew; a field left out is empty."""

    fields: dict[str, Any] = Field(max_length=100)


class NothingIn(_In):
    """Nothing but who and when, which are known."""


class ServiceIn(_In):
    """How a document was served; of who received it only the kind."""

    served_at: AwareDatetime
    way: Way
    receiver: Receiver


class WithdrawalIn(_In):
    """Why a document is withdrawn; kept sealed with it."""

    reason: str = Field(min_length=2, max_length=2000)


class StyleIn(_In):
    """A style of numbers; `version` is the one read, 0 when none was set."""

    style: str = Field(min_length=3, max_length=80)
    version: int = Field(ge=0)


class FirstIn(_In):
    """The first number to give out this year, where lower ones were given on paper."""

    first: int = Field(ge=1, le=999_999)


class DocumentBasisOut(BaseModel):
    """What a kind rests on. `certainty`: T text read, S quoted, M recalled or assumed, to be checked."""

    cited: str
    certainty: Literal["T", "S", "M"]
    unverified: bool
    note: Words | None


class OptionOut(BaseModel):
    id: str
    name: Words


class ColumnOut(BaseModel):
    id: str
    name: Words
    type: str
    required: bool


class KindFieldOut(BaseModel):
    """A field of a kind. `source`: where it is filled from; `longest`: characters it takes."""

    id: str
    name: Words
    type: str
    required: bool
    source: str | None
    longest: int
    least: int | None
    personal: bool
    hint: Words | None
    options: list[OptionOut]
    columns: list[ColumnOut]


class KindOut(BaseModel):
    """A kind of document; `mine`: the caller's agency (or office) issues it."""

    id: str
    name: Words
    title: str
    track: str
    issuers: list[str]
    approval: str | None
    serve: str | None
    series: str
    personal: bool
    clauses: list[str]
    basis: list[DocumentBasisOut]
    fields: list[KindFieldOut]
    mine: bool


class DocumentOut(BaseModel):
    """A document in a list: number and stage, nothing of what it says.

    `lacking` counts required fields still empty; `readable`: the caller may open its contents; `may`: what the caller
    may do with it now, as far as rights and state go.
    """

    document_id: UUID
    case_id: UUID
    case_number: str
    proceeding_id: UUID | None
    kind: str
    name: Words
    issuer: str
    issuer_name: Words
    agency: str
    unit: str | None
    confidential: Literal["criminal", "operation"] | None
    personal: bool
    approval: str | None
    state: State
    number: str | None
    lacking: int
    written_at: datetime
    approved_at: datetime | None
    approved_post: str | None
    issued_at: datetime | None
    served_at: datetime | None
    withdrawn_at: datetime | None
    version: int
    readable: bool
    may: list[Act]
    links: dict[str, str]


class DocumentFieldOut(KindFieldOut):
    """A field with its value as kept and as printed."""

    value: Any
    printed: Any


class FaultOut(BaseModel):
    field: str
    code: str
    message: Words


class ServedOut(BaseModel):
    served_at: datetime
    way: Way
    receiver: Receiver
    in_time: bool | None


class DocumentFull(DocumentOut):
    """One document with what it says; reading it is recorded. `digest`: SHA-256 of what was frozen at its issue."""

    fields: list[DocumentFieldOut]
    missing: list[FaultOut]
    basis: list[DocumentBasisOut]
    services: list[ServedOut]
    withdrawal_reason: str | None
    digest: str | None
    history: list[dict[str, Any]]


class Documents(BaseModel):
    items: list[DocumentOut]


class SeriesOut(BaseModel):
    """A number series of an issuer. `assumed`: neither plan nor office set mark or style; no national one was verified."""

    id: str
    name: Words
    style: str
    version: int
    mark: str
    assumed: bool
    year: int
    last: int
    first: int
    next: str


class RegisterOut(BaseModel):
    issuer: str
    issuer_name: Words
    series: list[SeriesOut]
    items: list[DocumentOut]
    next: str | None


class TemplateOut(BaseModel):
    """The template in use. `version` 0: the default that came with the kind."""

    kind: str
    name: Words
    issuer: str
    version: int
    own: bool
    warnings: list[str]
