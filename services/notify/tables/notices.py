"""Notices, what ends them before they come, and the ringing of urgent ones."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.notify.tables.base import metadata
from shared.kit.tables import TIMESTAMP

notices = Table(
    "notices",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("xid", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint")),
    Column("case_id", UUID),
    Column("handover_id", UUID),
    Column("lead_id", UUID),
    Column("number", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("kinds", JSONB, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("role", Text),
    Column("template", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("rule", Text),
    Column("due", TIMESTAMP),
    Column("provisional", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("signed_at", TIMESTAMP),
    Column("signed_by", Text),
    Column("done_at", TIMESTAMP),
    Column("in_time", Boolean),
    Column("version", Integer, nullable=False),
    Column("rung", Integer, nullable=False, server_default=text("0")),
    Column("matter", Text),
    Column("matter_id", UUID),
    Column("dataref", Text),
    Column("needs", Text),
    Column("items", Integer),
    Column("raised_at", TIMESTAMP),
    Column("post", Text),
    Column("transit", Text, nullable=False, server_default=text("'queued'")),
    Column("ladder", Text),
    Column("of_notice", UUID),
    Column("reminds", UUID),
    Column("parts", JSONB),
    Column("climb_at", TIMESTAMP),
    Column("climbed", Integer, nullable=False, server_default=text("0")),
)
"""Notices (通知), one for each post, unit or agency concerned; never just a person. The id follows from case, handover
or matter, addressee and template. `needs` is the right its reader must hold; `raised_at`: when its ladder began.

`state` is what the addressee did, `transit` how far the message came before (see `domain.progress`). `ladder` names the
rung of the notice `of_notice` that nobody signed; `climb_at`: when a notice climbs next. `reminds` is a clock."""

acceptances = Table(
    "acceptances",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("agency", Text, primary_key=True),
    Column("accepted_at", TIMESTAMP, nullable=False),
    Column("in_time", Boolean, nullable=False),
)
"""Who has accepted which case, kept because the news may come before the notice."""

matters_ended = Table(
    "matters_ended",
    metadata,
    Column("matter_id", UUID, primary_key=True),
    Column("template", Text, primary_key=True),
    Column("ended_at", TIMESTAMP, nullable=False),
    Column("in_time", Boolean, nullable=False),
)
"""Requests of matters that are fulfilled, kept because the news may come before the notice."""

rings = Table(
    "rings",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", TIMESTAMP, nullable=False),
    Column("next_at", TIMESTAMP, nullable=False),
    Column("answered_at", TIMESTAMP),
    Column("answered_by", Text),
)
"""Urgent cases (催签): `agency` leads the case, and it rings until one of its desks signs, or it accepts."""

ring_attempts = Table(
    "ring_attempts",
    metadata,
    Column("case_id", UUID, ForeignKey("rings.case_id"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("at", TIMESTAMP, nullable=False),
    Column("notices", JSONB, nullable=False),
    Column("wide", Boolean, nullable=False),
)
"""Each time it rang again, and for which notices; append-only."""
