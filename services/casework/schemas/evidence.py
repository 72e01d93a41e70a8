"""Bodies of the API of evidence."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.casework.schemas.cases import Words

KindCode = Literal["physical", "documentary", "audio_visual", "electronic", "statement", "inspection", "expert"]
TrackCode = Literal["administrative", "criminal"]
StateCode = Literal["held", "offered", "to_destroy", "returned", "destroyed"]
PurposeCode = Literal["keeping", "transfer", "examination", "court"]
ReasonCode = Literal["investigation", "authenticity", "examination", "court", "no_copy"]
ExportReason = Literal["transfer", "prosecution", "court", "review", "examination"]

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
Needed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,47}$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OfficerIn(_In):
    """An officer who collected it: the number of the warrant card, and the name."""

    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    name: Needed


class EvidenceIn(_In):
    """An item as it is registered. `officers`: those who collected it, as many different ones as the law asks."""

    kind: KindCode
    track: TrackCode
    basis: Code = Field(description="A code of `bases`: by which article it was collected")
    title: Needed
    description: Long = ""
    features: Long = ""
    quantity: int = Field(1, ge=1, le=1_000_000)
    measure: Annotated[str, StringConstraints(strip_whitespace=True, max_length=10)] = "件"
    collected_at: AwareDatetime
    collected_where: Needed
    owner: Short = ""
    kept_where: Needed
    officers: list[OfficerIn] = Field(min_length=1, max_length=20)
    proceeding_id: UUID | None = None
    person_id: UUID | None = None
    place_id: UUID | None = None


class MoveIn(_In):
    """Where it is kept from now on, and why."""

    kept_where: Needed
    note: Short = ""


class ReturnIn(_In):
    """To whom it is given back, and why."""

    receiver: Needed
    reason: Needed


class DestructionIn(_In):
    """Why it is to be destroyed; `files`: whether what its files say is destroyed with it."""

    reason: Needed
    files: bool = False


class DecisionIn(_In):
    """The second person's decision; a refusal says why."""

    approve: bool
    note: Short = ""


class OriginalIn(_In):
    """Why an original is opened."""

    reason: ReasonCode


class OfferedItem(_In):
    """An item and the version that was seen."""

    item_id: UUID
    version: int = Field(ge=1)


class HandoverIn(_In):
    """Items offered to an agency (or a unit, or another person of one's own)."""

    items: list[OfferedItem] = Field(min_length=1, max_length=500)
    to_agency: Code
    to_unit: Code | None = None
    purpose: PurposeCode
    filed_on: AwareDatetime | None = Field(
        None, description="Purpose `transfer`: when the police filed the case, from which the law's limit runs"
    )
    note: Short = ""


class AcceptIn(_In):
    """The receiver's own number of the receipt, and where the items are kept there."""

    receipt: Needed
    kept_where: Needed
    note: Short = ""


class RefuseIn(_In):
    """Why the items are not taken."""

    reason: Needed


class WithdrawIn(_In):
    """Nothing but that the offer is taken back."""


class ExportIn(_In):
    """What goes into a package, and what it is for."""

    items: list[UUID] = Field(min_length=1, max_length=2000)
    reason: ExportReason
    note: Short = ""


class FileOut(BaseModel):
    """A file of an item. `state`: `whole`, `damaged` (its bytes no longer fit their hash) or `destroyed`."""

    file_id: UUID
    number: int
    kind: str
    media_type: str
    size: int
    sha256: str
    sm3: str
    scan: str
    state: str
    received_at: datetime
    checked_at: datetime
    copyable: bool


class FileTakenOut(BaseModel):
    """A file that was taken, or had been with the same key."""

    file: FileOut
    replayed: bool


class CopyOut(BaseModel):
    """A working copy: `mark` is written across it where its kind allows (`marked`)."""

    copy_id: UUID
    file_id: UUID
    file_number: int
    mark: str
    marked: bool
    sha256: str
    size: int
    media_type: str
    made_at: datetime


class ArticleOut(BaseModel):
    """An article, and how sure its text is: T read, S quoted, M recalled (to be checked)."""

    article: str
    certainty: str
    provisional: bool = False


class EvidenceBasisOut(ArticleOut):
    """A legal basis for collecting."""

    code: str
    words: Words
    tracks: list[str]


class InProsecutionOut(ArticleOut):
    """Whether it may be used in prosecution (刑诉法54)."""

    use: str


class ItemOut(BaseModel):
    """An item as a list shows it."""

    item_id: UUID
    case_id: UUID
    case_number: str
    proceeding_id: UUID | None
    number: int
    kind: str
    track: str
    title: str
    quantity: int
    measure: str
    state: StateCode
    collected_at: datetime
    received_at: datetime
    agency: str
    unit: str | None
    holder_agency: str
    holder_unit: str | None
    offered_agency: str | None
    offered_unit: str | None
    files: int
    version: int


class ItemFull(ItemOut):
    """One item with its words, files and working copies."""

    description: str
    features: str
    collected_where: str
    owner: str
    kept_where: str
    officers: list[dict[str, str]]
    officers_rule: ArticleOut
    basis: EvidenceBasisOut
    in_prosecution: InProsecutionOut
    person_id: UUID | None
    place_id: UUID | None
    file_list: list[FileOut]
    copies: list[CopyOut]
    custody_length: int
    custody_head: str
    may_hold: bool


class CustodyLine(BaseModel):
    """One line of a chain, with its words where there are some."""

    seq: int
    at: datetime
    action: str
    actor: str
    agency: str | None
    unit: str | None
    facts: dict[str, Any]
    words: dict[str, str]
    hash: str


class CustodyOut(BaseModel):
    """An item's custody chain; `faults` is empty while every line fits the one before and its words fit the line."""

    item_id: UUID
    length: int
    head: str
    faults: list[str]
    lines: list[CustodyLine]


class HandoverOut(BaseModel):
    """A handing over, with its words."""

    handover_id: UUID
    case_id: UUID
    case_number: str
    purpose: str
    items: list[dict[str, Any]]
    from_agency: str
    from_unit: str | None
    to_agency: str
    to_unit: str | None
    offered_at: datetime
    rule: str | None
    due: datetime | None
    provisional: bool
    state: Literal["offered", "accepted", "refused", "withdrawn"]
    answered_at: datetime | None
    in_time: bool | None
    note: str
    receipt: str
    reason: str
    may_answer: bool
    may_withdraw: bool
    version: int


class ExportOut(BaseModel):
    """A package that was made. `manifest_sha256` is that of its manifest.txt, which `key_id`'s key has signed."""

    export_id: UUID
    case_id: UUID
    items: int
    files: int
    bytes: int
    reason: str
    agency: str | None
    made_at: datetime
    manifest_sha256: str
    key_id: str
    links: dict[str, str]


class ListLine(BaseModel):
    """A line of the list of items (物品清单、证据清单) as documents need it."""

    item_id: UUID
    number: int
    kind: str
    title: str
    features: str
    quantity: int
    measure: str
    owner: str
    collected_at: datetime
    collected_where: str
    kept_where: str
    officers: list[dict[str, str]]
    article: str
    in_prosecution: str
    files: int
    sha256: list[str]
    state: str
    holder_agency: str


class ItemList(BaseModel):
    """The list, for the document that carries it."""

    case_id: UUID
    case_number: str
    proceeding_id: UUID | None
    made_at: datetime
    total: int
    lines: list[ListLine]


class PublicKeyOut(BaseModel):
    """A key that signs manifests: `key_id` is the SHA-256 of its public key's DER form."""

    key_id: str
    current: bool
    pem: str
    jwk: dict[str, str]


class PublicKeysOut(BaseModel):
    """All keys that ever signed a manifest here."""

    keys: list[PublicKeyOut]
