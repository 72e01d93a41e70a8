"""Verification of major leads, lost reward codes, and figures over time."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.intake.tables.base import metadata
from shared.kit.tables import TIMESTAMP

lead_verifications = Table(
    "lead_verifications",
    metadata,
    Column("lead_id", UUID, ForeignKey("leads.id"), primary_key=True),
    Column("plan", Text, nullable=False),
    Column("causes", JSONB, nullable=False, comment="why the plan calls the lead major; empty: it does not"),
    Column("state", Text, nullable=False),
    Column("rule", Text),
    Column("article", Text),
    Column("certainty", Text),
    Column("calendar", Text),
    Column("start", TIMESTAMP),
    Column("due", TIMESTAMP, comment="empty for a lead that is not major: it has no clock"),
    Column("provisional", Boolean, nullable=False),
    Column("marked_at", TIMESTAMP, nullable=False),
    Column("missed_at", TIMESTAMP),
    Column("outcome", Text),
    Column("note", LargeBinary),
    Column("in_time", Boolean),
    Column("verified_at", TIMESTAMP),
    Column("verified_by", Text),
    Column("verified_agency", Text),
    Column("version", Integer, nullable=False),
    Index("lead_verifications_due", "plan", "due", "lead_id", postgresql_where=text("state = 'waiting'")),
    Index("lead_verifications_missed", "plan", "missed_at", "lead_id", postgresql_where=text("state = 'missed'")),
    comment="核查: a major lead's clock, and what its verification found (D-Q1.4)",
)

reward_code_requests = Table(
    "reward_code_requests",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("claim_id", UUID, ForeignKey("reward_claims.id"), nullable=False),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_at", TIMESTAMP, nullable=False),
    Column("first_by", Text),
    Column("first_at", TIMESTAMP),
    Column("second_by", Text),
    Column("second_at", TIMESTAMP),
    Column("refused_by", Text),
    Column("refused_at", TIMESTAMP),
    Column("given_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Index(
        "reward_code_requests_one", "claim_id", unique=True,
        postgresql_where=text("state IN ('asked', 'agreed', 'released')"),
    ),
    Index("reward_code_requests_by_plan", "plan", "state", "asked_at", "id"),
    comment="补发领奖密码: a lost code is replaced once two persons have agreed; the old one is dead from then on",
)  # fmt: skip

trend_days = Table(
    "trend_days",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("area", Text, primary_key=True, comment="empty: not known"),
    Column("kind", Text, primary_key=True, comment="empty: all kinds, each tip once"),
    Column("agency", Text, primary_key=True),
    Column("unit", Text, primary_key=True, comment="empty: the agency as a whole"),
    Column("tips", Integer, nullable=False),
    Column("urgent", Integer, nullable=False),
    comment="趋势: tips about pyramid selling by China day, community and kind, counted anew for days that change",
)

trend_progress = Table(
    "trend_progress",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("counted_until", Date, nullable=False, comment="every day before this one is counted"),
    Column("looked_at", TIMESTAMP, nullable=False, comment="corrections until then are counted"),
)
