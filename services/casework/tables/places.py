"""Places (窝点、场所) and what binds them and persons."""

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from services.casework.tables.base import metadata
from shared.kit.tables import TIMESTAMP

registered_places = Table(
    "registered_places",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("seen_at", TIMESTAMP, nullable=False),
    comment="ids of intake's registers, as its events name them; no addresses",
)

places = Table(
    "places",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("kind", Text, nullable=False),
    Column("details", LargeBinary, nullable=False, comment="sealed: the address, or the site's"),
    Column("address_token", LargeBinary, nullable=False),
    Column("grams", ARRAY(Text), nullable=False),
    Column("registered_id", UUID),
    Column("landlord_id", UUID),
    Column("cleared_at", TIMESTAMP, comment="when last cleared"),
    Column("again", Integer, nullable=False, comment="how often seen again after it was cleared (死灰复燃)"),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("updated_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    comment="a place known once, whoever writes its address",
)

dens = Table(
    "dens",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("place_id", UUID, nullable=False),
    Column("case_id", UUID, nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("state", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("found_at", TIMESTAMP, nullable=False),
    Column("officers", Integer, nullable=False),
    Column("persons", Integer, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("cleared_at", TIMESTAMP),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("history", JSONB, nullable=False),
    comment="a place found used in a case: cleared, sealed, unsealed",
)

revisits = Table(
    "revisits",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("den_id", UUID, nullable=False),
    Column("place_id", UUID, nullable=False),
    Column("case_id", UUID, nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("agency", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("due", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("done_at", TIMESTAMP),
    Column("actor", Text),
    Column("missed_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    comment="回访: a cleared den is looked at again on the plan's days",
)

recurrences = Table(
    "recurrences",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("kind", Text, nullable=False),
    Column("case_id", UUID, nullable=False),
    Column("place_id", UUID),
    Column("person_id", UUID),
    Column("cause", Text, nullable=False),
    Column("since", TIMESTAMP, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    comment="死灰复燃: a place, landlord or person seen again",
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("case_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("from_id", UUID, nullable=False),
    Column("to_id", UUID, nullable=False),
    Column("to_type", Text, nullable=False),
    Column("from_type", Text, nullable=False),
    Column("stated_at", TIMESTAMP, nullable=False),
    Column("actor", Text, nullable=False),
    Column("removed_at", TIMESTAMP),
    Column("removed_by", Text),
    comment="关系: stated in a case; what follows from equal tokens is not stored twice",
)
