"""Informant rewards and the fund that pays them; what time has taken from tips."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.intake.tables.base import metadata
from shared.kit.tables import TIMESTAMP

MONEY = Numeric(14, 2)

reward_claims = Table(
    "reward_claims",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False, unique=True),
    Column("area", Text),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("code_hash", LargeBinary, nullable=False),
    Column("misses", Integer, nullable=False),
    Column("missed_at", TIMESTAMP),
    Column("opened_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Index("reward_claims_by_plan", "plan", "state", "opened_at", "id"),
    comment="申领: a reporter asks for the reward by receipt; the one-time code is kept as an HMAC only",
)

reward_proposals = Table(
    "reward_proposals",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("lead_id", UUID, ForeignKey("leads.id"), nullable=False),
    Column("area", Text),
    Column("agency", Text, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("level", Text),
    Column("day", Date, nullable=False),
    Column("fine", MONEY, nullable=False),
    Column("confiscated", MONEY, nullable=False),
    Column("dens", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("document_no", Text, nullable=False),
    Column("finance_no", Text),
    Column("known_before", Boolean, nullable=False),
    Column("total", MONEY, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("fund", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", TIMESTAMP, nullable=False),
    Column("decided_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Index("reward_proposals_by_plan", "plan", "state", "proposed_at", "id"),
    Index("reward_proposals_by_lead", "lead_id"),
    comment="奖励建议: how much is proposed for whom, step by step, and how far it is decided",
)

reward_approvals = Table(
    "reward_approvals",
    metadata,
    Column("proposal_id", UUID, ForeignKey("reward_proposals.id"), primary_key=True),
    Column("approver", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    comment="审批: each approval by its person; two different ones release a payment",
)

reward_shares = Table(
    "reward_shares",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("proposal_id", UUID, ForeignKey("reward_proposals.id"), nullable=False),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False),
    Column("lead_id", UUID, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("amount", MONEY, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("token_hash", LargeBinary, unique=True),
    Column("token_until", TIMESTAMP),
    Column("paid_at", TIMESTAMP),
    Column("paid_by", Text),
    Column("voucher_no", Text),
    Index("reward_shares_by_proposal", "proposal_id"),
    Index("reward_shares_by_tip", "tip_id"),
    Index("reward_shares_once", "tip_id", "scheme", unique=True, postgresql_where=text("live")),
    comment="份额: one receipt's part of a reward; a receipt has at most one live part under a scheme",
)

reward_funds = Table(
    "reward_funds",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("fund", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("short", Boolean, nullable=False),
    comment="经费: one fund line in one year; who changes it locks this row. short: the last warning still stands",
)

fund_entries = Table(
    "fund_entries",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("plan", Text, nullable=False),
    Column("fund", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", MONEY, nullable=False),
    Column("proposal_id", UUID),
    Column("share_id", UUID),
    Column("document_no", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("by", Text, nullable=False),
    Index("fund_entries_by_fund", "plan", "fund", "year", "seq"),
    comment="经费流水: append-only; every figure of the fund is a sum of these",
)

legal_holds = Table(
    "legal_holds",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("lead_id", UUID, nullable=False),
    Column("document_no", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at", TIMESTAMP, nullable=False),
    Column("lifted_by", Text),
    Column("lifted_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Index("legal_holds_standing", "lead_id", postgresql_where=text("lifted_at IS NULL")),
    comment="留存: words of a lead's reporters are kept while a case needs them",
)

retention_progress = Table(
    "retention_progress",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("received_at", TIMESTAMP, nullable=False),
    Column("tip_id", UUID, nullable=False),
    Column("anonymised", BigInteger, nullable=False),
    comment="到期清理进度: tips up to here have been looked at; a broken-off round goes on from here",
)

retention_waiting = Table(
    "retention_waiting",
    metadata,
    Column("tip_id", UUID, ForeignKey("tips.id"), primary_key=True),
    Column("since", TIMESTAMP, nullable=False),
    comment="到期暂缓: due, but held by a case, a hold or a reward; looked at again every round",
)
