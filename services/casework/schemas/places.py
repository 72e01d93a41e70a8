"""Bodies of the places' part of casework's API."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.casework.domain.places import PlaceKind

Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]
AreaId = Annotated[str, StringConstraints(max_length=48)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DenBody(_Body):
    """A place found used in a case: when, by how many officers, with how many people in it.

    `registered_id`: the place's id in intake's registers, from its page there; `area`: without it the case's.
    """

    kind: PlaceKind
    address: Address
    area: AreaId | None = None
    registered_id: UUID | None = None
    found_at: AwareDatetime
    officers: int = Field(ge=1, le=2000)
    persons: int = Field(ge=0, le=5000)


class DenStep(_Body):
    """捣毁、查封、解封: when, by how many officers."""

    step: Literal["clear", "seal", "unseal"]
    at: AwareDatetime
    officers: int = Field(1, ge=1, le=2000)


class RevisitBody(_Body):
    """What was found when looking again."""

    outcome: Literal["quiet", "let_again", "people_back", "seal_broken", "nobody_there"]
    at: AwareDatetime


class LandlordBody(_Body):
    """The landlord of a place: a person of a case within reach; none takes the entry away."""

    person_id: UUID | None


class PlaceSearch(_Body):
    """Part of an address, or of a site's."""

    words: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]


class LinkBody(_Body):
    """A relation stated in a case. An organisation is named and known once under its name."""

    kind: Literal[
        "recruited_by", "relative", "lives_with", "works_for", "lives_at", "rents", "member_of", "leads", "used_by"
    ]
    from_type: Literal["person", "place"]
    from_id: UUID
    to_type: Literal["person", "place", "organisation"]
    to_id: UUID | None = None
    organisation: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)] | None = None

    @model_validator(mode="after")
    def _one(self) -> LinkBody:
        if (self.to_type == "organisation") != (self.organisation is not None):
            raise ValueError("name the organisation, and only it / 组织写名称，其他写 to_id")
        if (self.to_type == "organisation") == (self.to_id is not None):
            raise ValueError("to_id names a person or place / to_id 为人员或场所")
        return self


class DenOut(BaseModel):
    """A place as it was found in one case. `again`: it had been cleared before."""

    den_id: UUID
    place_id: UUID
    case_id: UUID
    case_number: str
    kind: PlaceKind
    address: str
    area: str | None
    state: str
    agency: str
    unit: str | None
    found_at: datetime
    officers: int
    persons: int
    again: bool
    cleared_at: datetime | None
    version: int
    plan: str
    mine: bool
    history: list[dict[str, Any]]
    links: dict[str, str]


class RevisitOut(BaseModel):
    """A revisit of a cleared den. `address` where the caller may read the place."""

    revisit_id: UUID
    den_id: UUID
    place_id: UUID
    area: str | None
    agency: str
    number: int
    due: date
    state: str
    late: bool
    plan: str
    outcome: str | None
    done_at: datetime | None
    version: int
    kind: PlaceKind
    address: str
    registered_id: UUID | None


class PlaceOut(BaseModel):
    """A place in a list: `again` counts how often it came back."""

    place_id: UUID
    kind: PlaceKind
    address: str
    area: str | None
    registered_id: UUID | None
    cleared_at: datetime | None
    again: int
    plan: str
    version: int
    links: dict[str, str]


class PlaceFullOut(PlaceOut):
    """One place: every case it was found in within reach, its revisits, and how it came back."""

    landlord: dict[str, Any] | None
    dens: list[DenOut]
    elsewhere: int
    revisits: list[RevisitOut]
    recurrences: list[dict[str, Any]]


class RegisteredOut(BaseModel):
    """A place of intake's registers, as its events named it."""

    registered_id: UUID
    area: str
    kind: Literal["rental", "venue"]
    page: str


class TrendOut(BaseModel):
    """How often places, landlords and persons came back in an area in a month (X-G2), and how many dens were found."""

    area: str | None
    month: date
    dens: int
    cleared: int
    places: int
    landlords: int
    persons: int


class NodeOut(BaseModel):
    """A person, place, phone or organisation of the network."""

    id: str
    type: Literal["person", "place", "phone", "organisation"]
    label: str
    role: str | None = None
    again: bool = False
    page: str | None = None
    depth: int


class NetworkEdgeOut(BaseModel):
    """What binds two of them; `stated`: an officer said so, else it follows from the record."""

    source: str
    target: str
    kind: str
    stated: bool


class NetworkOut(BaseModel):
    """The network around one of them, as far as the caller's cases reach; `cut`: more than is shown."""

    nodes: list[NodeOut]
    edges: list[NetworkEdgeOut]
    cut: bool
