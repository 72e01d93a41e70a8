"""Prevention registers: estates, rental units, agents, venues; patrols; survey rounds."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.schema import SchemaItem

from services.intake.tables.base import metadata
from shared.kit.tables import TIMESTAMP


def _place() -> list[SchemaItem]:
    """What every registered place has. `words` is what is searched; `grams` the database makes of them."""
    return [
        Column("id", UUID, primary_key=True),
        Column("plan", Text, nullable=False),
        Column("area", Text, nullable=False),
        Column("number", Text),
        Column("words", Text, nullable=False),
        Column("grams", ARRAY(Text), nullable=False),
        Column("created_at", TIMESTAMP, nullable=False),
        Column("updated_at", TIMESTAMP, nullable=False),
        Column("version", Integer, nullable=False),
    ]


def _fact() -> list[SchemaItem]:
    return [
        Column("id", UUID, primary_key=True),
        Column("plan", Text, nullable=False),
        Column("area", Text, nullable=False),
    ]


def _named() -> list[SchemaItem]:
    return [
        Column("name", Text, nullable=False),
        Column("name_key", Text, nullable=False),
        Column("address", Text),
        Column("contact", LargeBinary),
    ]


estates = Table(
    "estates",
    metadata,
    *_place(),
    *_named(),
    Column("kind", Text, nullable=False),
    Column("manager", Text),
    comment="小区（含物业公司）: `contact` is sealed",
)
agents = Table(
    "agents",
    metadata,
    *_place(),
    *_named(),
    Column("licence", Text),
    Column("visited_at", TIMESTAMP),
    Column("signed_at", TIMESTAMP),
    comment="出租中介: visited and signed for",
)
venues = Table(
    "venues",
    metadata,
    *_place(),
    *_named(),
    Column("kind", Text, nullable=False),
    Column("capacity", Integer),
    Column("checked_at", TIMESTAMP),
    Column("findings", Integer, nullable=False),
    comment="会议展览场地",
)
rental_units = Table(
    "rental_units",
    metadata,
    *_place(),
    Column("address_key", Text, nullable=False),
    Column("estate_id", UUID),
    Column("estate", Text, nullable=False),
    Column("building", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("tier", Text),
    Column("registration", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("occupants", Integer),
    Column("agent_id", UUID),
    Column("landlord", LargeBinary),
    Column("landlord_name", LargeBinary),
    Column("landlord_phone", LargeBinary),
    Column("landlord_id_number", LargeBinary),
    Column("den_at", TIMESTAMP),
    Column("den_case", UUID),
    Column("due_from", Date, nullable=False),
    Column("last_patrol_on", Date),
    comment="出租屋: the landlord is sealed, `landlord_*` are keyed tokens; occupants are a count, nothing more",
)
dens = Table(
    "dens",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("place_id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("unit_id", UUID),
    Column("found_at", TIMESTAMP, nullable=False),
    Column("applied_at", TIMESTAMP),
    comment="窝点: what casework told; `applied_at` is empty while the unit is not yet in the register",
)
patrol_tasks = Table(
    "patrol_tasks",
    metadata,
    *_fact(),
    Column("unit_id", UUID, nullable=False),
    Column("estate_id", UUID),
    Column("estate", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("starts", Date, nullable=False),
    Column("due", Date, nullable=False),
    Column("next_miss", Date, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("done_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    comment="巡查任务: one unfinished task a unit at most",
)
check_ins = Table(
    "check_ins",
    metadata,
    *_fact(),
    Column("unit_id", UUID, nullable=False),
    Column("task_id", UUID, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("received_at", TIMESTAMP, nullable=False),
    Column("actor", Text, nullable=False),
    Column("agency", Text),
    Column("result", Text, nullable=False),
    Column("signs", JSONB, nullable=False),
    Column("occupants", Integer),
    Column("in_time", Boolean, nullable=False),
    Column("tip_id", UUID),
    Column("lead_id", UUID),
    comment="巡查登记",
)
agent_visits = Table(
    "agent_visits",
    metadata,
    *_fact(),
    Column("agent_id", UUID, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor", Text, nullable=False),
    Column("agency", Text),
    Column("materials", JSONB, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("signer", LargeBinary),
)
venue_bookings = Table(
    "venue_bookings",
    metadata,
    *_fact(),
    Column("venue_id", UUID, nullable=False),
    Column("starts_at", TIMESTAMP, nullable=False),
    Column("ends_at", TIMESTAMP, nullable=False),
    Column("attendees", Integer),
    Column("purpose", Text, nullable=False),
    Column("organiser", LargeBinary),
    Column("organiser_token", LargeBinary),
    Column("state", Text, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
)
venue_checks = Table(
    "venue_checks",
    metadata,
    *_fact(),
    Column("venue_id", UUID, nullable=False),
    Column("booking_id", UUID),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor", Text, nullable=False),
    Column("agency", Text),
    Column("result", Text, nullable=False),
    Column("signs", JSONB, nullable=False),
    Column("tip_id", UUID),
    Column("lead_id", UUID),
)
survey_rounds = Table(
    "survey_rounds",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("first", Date, nullable=False),
    Column("due", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("closed_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    comment="摸底排查",
)
survey_parts = Table(
    "survey_parts",
    metadata,
    *_fact(),
    Column("round_id", UUID, nullable=False),
    Column("estate_id", UUID),
    Column("estate", Text, nullable=False),
    Column("target", Integer, nullable=False),
    Column("visited", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("found", Integer, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("updated_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    comment="One estate, or the rest of one community, in one round",
)
survey_visits = Table(
    "survey_visits",
    metadata,
    Column("round_id", UUID, primary_key=True),
    Column("unit_id", UUID, primary_key=True),
    Column("part_id", UUID, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
)
unit_figures = Table(
    "unit_figures",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("area", Text, primary_key=True),
    Column("tier", Text, primary_key=True),
    Column("registration", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    comment="Rental units in use, counted by the database as they come and go",
)
task_figures = Table(
    "task_figures",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("area", Text, primary_key=True),
    Column("estate_id", UUID, primary_key=True),
    Column("estate", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    comment="Unfinished patrol tasks, counted by the database as they come and go",
)
