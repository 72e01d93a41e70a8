"""Rows of the prevention registers as they come in, by form, by file or by API, and what became of them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.intake.domain.registers import people


def _blank(value: Any) -> Any:
    """An empty cell says nothing; a whole number that a sheet keeps as 301.0 is 301."""
    if isinstance(value, str):
        value = value.strip()
        return value or None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if value is None or isinstance(value, (bool, list, dict)) else str(value)


def _number(value: Any) -> Any:
    value = _blank(value)
    if isinstance(value, str):
        digits = people.fold(value)
        if not digits.isdecimal():
            raise PydanticCustomError("not_number", "要填整数 / a whole number is needed")
        return int(digits)
    return value


def _by(check: Any, code: str, words: str) -> BeforeValidator:
    def validate(value: Any) -> Any:
        value = _blank(value)
        if not isinstance(value, str):
            return value
        found = check(value)
        if found is None:
            raise PydanticCustomError(code, words)  # type: ignore[arg-type]
        return found

    return BeforeValidator(validate)


_Cell = BeforeValidator(_blank)
Short = Annotated[str, StringConstraints(max_length=64), _Cell]
Text = Annotated[str, StringConstraints(max_length=200), _Cell]
Needed = Annotated[str, StringConstraints(min_length=1, max_length=120), _Cell]
Count = Annotated[int, Field(ge=0, le=500), BeforeValidator(_number)]
Seats = Annotated[int, Field(ge=1, le=200_000), BeforeValidator(_number)]
Phone = Annotated[
    str | None, _by(people.phone, "bad_phone", "电话号码不对，请核对 / not a number that can be dialled")
]
IdNumber = Annotated[
    str | None,
    _by(people.id_number, "bad_id_number", "身份证号校验不通过，请核对 / the identity number fails its check digit"),
]
Licence = Annotated[
    str | None,
    _by(people.licence, "bad_licence", "统一社会信用代码校验不通过 / the credit code fails its check character"),
]
_REGISTRATION = {
    "registered": "registered", "已备案": "registered", "已登记": "registered", "是": "registered", "已": "registered",
    "unregistered": "unregistered", "未备案": "unregistered", "未登记": "unregistered", "否": "unregistered",
    "未": "unregistered",
}  # fmt: skip
_STATE = {"active": "active", "出租中": "active", "在租": "active", "ended": "ended", "停租": "ended", "已停租": "ended"}
Registration = Annotated[
    str | None, _by(_REGISTRATION.get, "unknown_registration", "只填“已备案”或“未备案” / registered or unregistered")
]
UnitState = Annotated[str | None, _by(_STATE.get, "unknown_state", "只填“出租中”或“停租” / active or ended")]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Short | None = None
    """The register's own number; what makes a second import of the same row safe. Without one the address is."""
    area: Needed


class UnitRow(_Row):
    """One rental unit (出租屋). The landlord is encrypted; occupants are a count and nothing more."""

    estate: Annotated[str, StringConstraints(max_length=120), BeforeValidator(lambda v: _blank(v) or "")] = ""
    building: Annotated[str, StringConstraints(max_length=40), BeforeValidator(lambda v: _blank(v) or "")] = ""
    room: Annotated[str, StringConstraints(min_length=1, max_length=40), _Cell]
    tier: Short | None = None
    registration: Registration = None
    state: UnitState = None
    occupants: Count | None = None
    agent: Text | None = None
    landlord_name: Short | None = None
    landlord_phone: Phone = None
    landlord_id_number: IdNumber = None


class EstateRow(_Row):
    """One estate (小区) with its property manager."""

    name: Needed
    kind: Short | None = None
    address: Text | None = None
    manager: Text | None = None
    contact_name: Short | None = None
    contact_phone: Phone = None


class AgentRow(_Row):
    """One rental agent (出租中介)."""

    name: Needed
    licence: Licence = None
    address: Text | None = None
    contact_name: Short | None = None
    contact_phone: Phone = None


class VenueRow(_Row):
    """One meeting or exhibition venue (会议展览场地)."""

    name: Needed
    kind: Short | None = None
    address: Text | None = None
    capacity: Seats | None = None
    contact_name: Short | None = None
    contact_phone: Phone = None


Row = UnitRow | EstateRow | AgentRow | VenueRow
Register = Literal["rentals", "estates", "agents", "venues"]
ROWS: dict[str, type[_Row]] = {"rentals": UnitRow, "estates": EstateRow, "agents": AgentRow, "venues": VenueRow}


class RowError(BaseModel):
    """What is wrong with one field of one row."""

    field: str
    code: str
    message: str


class RowOutcome(BaseModel):
    """What became of one row. `row` is its line in the file (the heading is line 1), or its place in a list."""

    row: int
    status: Literal["created", "changed", "same", "rejected"]
    id: UUID | None = None
    errors: list[RowError] = []


class ImportOut(BaseModel):
    """What became of a file; only rejected rows are listed."""

    register_: Register = Field(alias="register")
    dry_run: bool
    rows: int
    created: int
    changed: int
    same: int
    rejected: int
    rejects: list[RowOutcome]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UnitChange(_Strict):
    """What changes about a unit; what is left out stays."""

    tier: Short | None = None
    registration: Registration = None
    state: UnitState = None
    occupants: Count | None = None
    agent: Text | None = None
    landlord_name: Short | None = None
    landlord_phone: Phone = None
    landlord_id_number: IdNumber = None


class PersonSearch(_Strict):
    """Exactly one of them; looked up by its keyed token, in the body so that it stands in no address."""

    name: Short | None = None
    phone: Phone = None
    id_number: IdNumber = None


class CheckIn(_Strict):
    """What a patrol found at one unit. `at` is when it was there, for one sent later from a phone without a net."""

    result: Literal["in_order", "not_home", "occupants_changed", "suspicion"]
    signs: Annotated[list[Short], Field(max_length=20)] = []
    occupants: Count | None = None
    at: AwareDatetime | None = None
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""


class AgentVisit(_Strict):
    """A visit to an agent: what was handed over, and whether (and by whom) it was signed for."""

    materials: Annotated[list[Short], Field(max_length=20)] = []
    signed: bool = False
    signer: Short | None = None


class Booking(_Strict):
    """A venue's booking."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    purpose: Needed
    attendees: Seats | None = None
    organiser: Text | None = None


class VenueCheck(_Strict):
    """A check of a venue, perhaps of one booking: in order, closed, or a finding with its signs."""

    result: Literal["in_order", "closed", "finding"]
    signs: Annotated[list[Short], Field(max_length=20)] = []
    booking_id: UUID | None = None
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""


class SurveyIn(_Strict):
    """A survey round (摸底排查): its days and communities (none: all of the plan)."""

    plan: Needed
    title: Needed
    first: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    due: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    areas: Annotated[list[Needed], Field(max_length=200)] = []


class PartReport(_Strict):
    """What a survey team did by hand in one part: further households visited and found suspicious."""

    counted: Annotated[int, Field(ge=0, le=100_000)] = 0
    found: Annotated[int, Field(ge=0, le=10_000)] = 0
    target: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    done: bool | None = None
