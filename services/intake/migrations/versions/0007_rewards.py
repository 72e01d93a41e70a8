"""Rewards, budget, retention."""

from alembic import op

from shared.kit import schema

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE reward_claims (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        tip_id uuid NOT NULL UNIQUE REFERENCES tips (id),
        area text,
        state text NOT NULL CHECK (state IN ('open', 'refused')),
        reason text,
        code_hash bytea NOT NULL,
        misses integer NOT NULL,
        missed_at timestamptz,
        opened_at timestamptz NOT NULL,
        version integer NOT NULL,
        CHECK ((state = 'refused') = (reason IS NOT NULL))
    )
    """,
    "CREATE INDEX reward_claims_by_plan ON reward_claims (plan, state, opened_at, id)",
    """
    CREATE TABLE reward_proposals (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        lead_id uuid NOT NULL REFERENCES leads (id),
        area text,
        agency text NOT NULL,
        scheme text NOT NULL,
        level text,
        day date NOT NULL,
        fine numeric(14, 2) NOT NULL CHECK (fine >= 0),
        confiscated numeric(14, 2) NOT NULL CHECK (confiscated >= 0),
        dens integer NOT NULL CHECK (dens >= 0),
        source text NOT NULL CHECK (source IN ('hand', 'casework')),
        document_no text NOT NULL,
        finance_no text,
        known_before boolean NOT NULL,
        total numeric(14, 2) NOT NULL CHECK (total > 0),
        steps jsonb NOT NULL,
        provisional boolean NOT NULL,
        fund text NOT NULL,
        year integer NOT NULL,
        state text NOT NULL CHECK (state IN (
            'proposed', 'once_approved', 'approved', 'partly_paid', 'paid', 'refused', 'withdrawn', 'lapsed')),
        reason text,
        proposed_by text NOT NULL,
        proposed_at timestamptz NOT NULL,
        decided_at timestamptz,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX reward_proposals_by_plan ON reward_proposals (plan, state, proposed_at, id)",
    "CREATE INDEX reward_proposals_by_lead ON reward_proposals (lead_id)",
    """
    CREATE TABLE reward_approvals (
        proposal_id uuid NOT NULL REFERENCES reward_proposals (id),
        approver text NOT NULL,
        number integer NOT NULL CHECK (number IN (1, 2)),
        at timestamptz NOT NULL,
        PRIMARY KEY (proposal_id, approver),
        UNIQUE (proposal_id, number)
    )
    """,
    """
    CREATE TABLE reward_shares (
        id uuid PRIMARY KEY,
        proposal_id uuid NOT NULL REFERENCES reward_proposals (id),
        tip_id uuid NOT NULL REFERENCES tips (id),
        lead_id uuid NOT NULL,
        scheme text NOT NULL,
        amount numeric(14, 2) NOT NULL CHECK (amount > 0),
        live boolean NOT NULL,
        token_hash bytea UNIQUE,
        token_until timestamptz,
        paid_at timestamptz,
        paid_by text,
        voucher_no text,
        CHECK ((paid_at IS NULL) = (paid_by IS NULL)),
        CHECK (paid_at IS NULL OR (live AND voucher_no IS NOT NULL))
    )
    """,
    "CREATE INDEX reward_shares_by_proposal ON reward_shares (proposal_id)",
    "CREATE INDEX reward_shares_by_tip ON reward_shares (tip_id)",
    "CREATE UNIQUE INDEX reward_shares_once ON reward_shares (tip_id, scheme) WHERE live",
    """
    CREATE TABLE reward_funds (
        plan text NOT NULL,
        fund text NOT NULL,
        year integer NOT NULL,
        short boolean NOT NULL,
        PRIMARY KEY (plan, fund, year)
    )
    """,
    """
    CREATE TABLE fund_entries (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        plan text NOT NULL,
        fund text NOT NULL,
        year integer NOT NULL,
        kind text NOT NULL CHECK (kind IN ('budget', 'commitment', 'release', 'payment')),
        amount numeric(14, 2) NOT NULL,
        proposal_id uuid,
        share_id uuid,
        document_no text NOT NULL,
        at timestamptz NOT NULL,
        by text NOT NULL,
        CHECK (kind = 'budget' OR (amount > 0 AND proposal_id IS NOT NULL)),
        CHECK ((kind = 'payment') = (share_id IS NOT NULL))
    )
    """,
    "CREATE INDEX fund_entries_by_fund ON fund_entries (plan, fund, year, seq)",
    "CREATE UNIQUE INDEX fund_entries_paid_once ON fund_entries (share_id) WHERE kind = 'payment'",
    """
    CREATE TABLE legal_holds (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        lead_id uuid NOT NULL,
        document_no text NOT NULL,
        placed_by text NOT NULL,
        placed_at timestamptz NOT NULL,
        lifted_by text,
        lifted_at timestamptz,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX legal_holds_standing ON legal_holds (lead_id) WHERE lifted_at IS NULL",
    """
    CREATE TABLE retention_progress (
        plan text PRIMARY KEY,
        received_at timestamptz NOT NULL,
        tip_id uuid NOT NULL,
        anonymised bigint NOT NULL
    )
    """,
    """
    CREATE TABLE retention_waiting (
        tip_id uuid PRIMARY KEY REFERENCES tips (id),
        since timestamptz NOT NULL
    )
    """,
    "ALTER TABLE tips ADD COLUMN anonymised_at timestamptz",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    schema.append_only("intake", "fund_entries", "reward_approvals")
