"""Tips, and the leads they make."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.intake.tables.base import metadata
from shared.kit.tables import TIMESTAMP

leads = Table(
    "leads",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("kinds", JSONB, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("rule", Text, nullable=False),
    Column("received_at", TIMESTAMP, nullable=False),
    Column("tips", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("first_tip", UUID, comment="the earliest reporter's; the number alone, never who it is"),
    Column("last_at", TIMESTAMP, comment="when its target was last spoken of"),
    Column("urgent_at", TIMESTAMP, comment="when it last rang"),
    Column("closed_at", TIMESTAMP),
    Column("merged_into", UUID, ForeignKey("leads.id"), comment="the lead it was joined with; its tips are there"),
    Column("gathering_at", TIMESTAMP, comment="when signals about its place became a gathering"),
    Column("major_at", TIMESTAMP, comment="when the plan's rule made it a major lead (重大线索)"),
    Column("targets", JSONB, nullable=False, server_default=text("'[]'"), comment="see domain/aims.py"),
    Index("leads_by_plan", "plan", "received_at", "id"),
    Index("leads_by_agency", "plan", "agency", "received_at", "id", postgresql_where=text("merged_into IS NULL")),
    Index("leads_by_area", "plan", "area", "received_at", "id", postgresql_where=text("merged_into IS NULL")),
    Index("leads_of_many", "plan", "received_at", "id", postgresql_where=text("tips > 1 AND merged_into IS NULL")),
    Index("leads_urgent", "plan", "received_at", "id", postgresql_where=text("urgent AND merged_into IS NULL")),
    Index("leads_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    Index(
        "leads_may_be_major",
        "plan",
        "id",
        postgresql_where=text(
            "major_at IS NULL AND merged_into IS NULL AND closed_at IS NULL"
            " AND (urgent OR tips > 1 OR gathering_at IS NOT NULL)"
        ),
    ),
    Index("leads_major", "plan", "received_at", "id", postgresql_where=text("major_at IS NOT NULL AND merged_into IS NULL")),
    Index("leads_gathering", "plan", "received_at", "id", postgresql_where=text("gathering_at IS NOT NULL")),
    comment="线索: what is known of one suspected pyramid-selling target; clocks start at received_at of its first tip",
)

tips = Table(
    "tips",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("area", Text),
    Column("state", Text, nullable=False),
    Column("relevant", Boolean, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("kinds", JSONB, nullable=False),
    Column("belongs_to", Text),
    Column("agency", Text),
    Column("unit", Text),
    Column("rule", Text, nullable=False),
    Column("lead_id", UUID, ForeignKey("leads.id")),
    Column("narrative", LargeBinary, nullable=False),
    Column("lexicon", Text, nullable=False),
    Column("receipt_hash", LargeBinary, nullable=False, unique=True),
    Column("source_agency", Text),
    Column("brought_by", Text),
    Column("external_ref", Text),
    Column("posted_at", TIMESTAMP),
    Column("received_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Column("targets", JSONB, nullable=False, server_default=text("'[]'"), comment="what it aims at, see domain/aims.py"),
    Column("reviewed_at", TIMESTAMP, comment="when an officer confirmed or corrected its reading"),
    Column("reviewed_by", Text),
    Column("anonymised_at", TIMESTAMP),
    Column("handed_back_at", TIMESTAMP, comment="when the line that distributed it was given it back"),
    Index("tips_by_plan", "plan", "received_at", "id"),
    Index("tips_urgent", "plan", "received_at", "id", postgresql_where=text("urgent")),
    Index("tips_by_lead", "lead_id"),
    Index(
        "tips_unreviewed",
        "plan",
        "agency",
        "urgent",
        "received_at",
        "id",
        postgresql_where=text("reviewed_at IS NULL AND state = 'lead'"),
    ),
    Index("tips_reviewed", "plan", "reviewed_at", postgresql_where=text("reviewed_at IS NOT NULL")),
    Index(
        "tips_to_hand_back",
        "plan",
        "channel",
        "received_at",
        "id",
        postgresql_where=text(
            "state = 'referred' AND lead_id IS NULL AND handed_back_at IS NULL AND NOT urgent"
            " AND anonymised_at IS NULL AND source_agency IS NOT NULL"
        ),
    ),
    Index("tips_by_bringer", "brought_by", "received_at", "id", postgresql_where=text("brought_by IS NOT NULL")),
    comment="举报: one message as it came in; its words are sealed, its sender is not known here",
)
