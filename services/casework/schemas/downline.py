"""Bodies of the downline's part of casework's API."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Kind = Literal["statement", "payment", "rebate", "bank", "chart", "edata"]
Role = Literal["initiator", "manager", "trainer", "key"]
Grave = Literal["consequence", "other"]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Yuan = Annotated[Decimal, Field(ge=0, le=10**11, decimal_places=2)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NamedBody(_Body):
    """A member by code (编号、账号、昵称), and what is known of the person behind it."""

    code: Words
    name: Words | None = None
    identity: Annotated[str, StringConstraints(strip_whitespace=True, max_length=30)] | None = None
    account: Words | None = None


class _FactBody(_Body):
    kind: Kind
    denies: bool = Field(False, description="The fact speaks against the recruitment; it is kept beside the others")
    on: date | None = None
    amount: Yuan | None = Field(None, description="Yuan that the recruit paid, or got for a rebate")
    evidence_id: UUID | None = None
    source: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] | None = None


class MemberBody(NamedBody, _FactBody):
    """A member without an upline known, with the fact that shows the membership."""

    organisation: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] | None = None


class EdgeBody(_FactBody):
    """A recruitment: who recruited whom, and a fact that carries or denies it."""

    upline: NamedBody
    downline: NamedBody
    organisation: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] | None = None


class FactBody(_FactBody):
    """A further fact about a recruitment between members already there, by their numbers."""

    upline: Annotated[int, Field(gt=0)]
    downline: Annotated[int, Field(gt=0)]


class MemberChange(_Body):
    """What is recorded of a member; what is left out stays, null empties it. Money in yuan."""

    organisation: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] | None = None
    person_id: UUID | None = None
    roles: Annotated[list[Role], Field(max_length=4)] | None = Field(
        None, description="Part as a leader: 发起策划操纵, 管理协调, 宣传培训, 其他关键作用"
    )
    convicted: bool | None = Field(None, description="Ever punished for it by a criminal court")
    penalised_on: date | None = Field(None, description="Day of an administrative penalty for it")
    left_on: date | None = Field(None, description="Left the organisation in form")
    still_paid: bool | None = Field(None, description="Draws pay from it after leaving")
    collected: Yuan | None = Field(None, description="Money taken from participants, where told as a sum")
    grave: Annotated[list[Grave], Field(max_length=2)] | None = None


class DownlineOut(BaseModel):
    """The downline of a case in figures, and what its current evaluation says."""

    case_id: UUID
    version: int
    members: int
    edges: int
    facts: int
    reached: list[str]
    links: dict[str, str]


class DownlineMemberOut(BaseModel):
    """A member: protected data, whose reading is recorded."""

    no: int
    code: str
    name: str | None
    identity: str | None
    account: str | None
    organisation: str | None
    person_id: UUID | None
    roles: list[str]
    convicted: bool
    penalised_on: date | None
    left_on: date | None
    still_paid: bool
    collected: float
    grave: list[str]
    version: int
    elsewhere: list[dict[str, Any]] | None = None
    beyond_reach: int | None = None
    facts: list[dict[str, Any]] | None = None


class DownlineEdgeOut(BaseModel):
    """A recruitment summed up from its facts; `disputed`: a fact denies it, or the member has another upline too."""

    upline: int
    downline: int
    kinds: list[str]
    denied: bool
    disputed: bool
    first_on: date | None
    paid: float
    facts: int


class RecordedOut(BaseModel):
    """What a fact entered by hand came to."""

    downline: int | None
    new_facts: int
    version: int
    replayed: bool


class ImportOut(BaseModel):
    """What a file came to: `rejected` rows with field and reason, `disputed` members that have two uplines now."""

    import_id: UUID
    dry_run: bool
    repeated: bool
    columns: dict[str, int]
    rows: int
    members: int
    facts: int
    same: int
    rejected: int
    disputed: int
    rejects: list[dict[str, Any]]
    preview: list[list[str]]
    version: int
