"""HTTP bodies of checkpoints, proofs and closed periods."""

import base64
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.scoring.domain.periods import PATTERN
from services.scoring.schemas.ledger import EntryOut, StandingOut


class CheckpointOut(BaseModel):
    """A signed checkpoint: its first `size` entries, up to `seq`, have this `root` (base64). `note` is what was signed."""

    number: int
    origin: str
    size: int
    root: str
    seq: int
    taken_at: datetime
    note: str

    @classmethod
    def of(cls, row: Any) -> "CheckpointOut":
        """From a row of `checkpoints`."""
        return cls(
            number=row.number,
            origin=row.origin,
            size=row.size,
            root=base64.b64encode(bytes(row.root)).decode(),
            seq=row.seq,
            taken_at=row.taken_at,
            note=row.note,
        )


class CheckpointsOut(BaseModel):
    """Checkpoints, newest first; ask for more with `before` of the last number."""

    items: list[CheckpointOut]
    more: bool


class InclusionOut(BaseModel):
    """That an entry is the leaf at `index` under a checkpoint: hash the leaf's bytes and the `path` (RFC 9162, 2.1.3.2)."""

    leaf: str = Field(description="The entry as canonical JSON, as its leaf is hashed")
    index: int
    path: list[str] = Field(description="Hashes in base64, from the leaf up")
    checkpoint: CheckpointOut


class ConsistencyOut(BaseModel):
    """That the second checkpoint's ledger extends the first's (RFC 9162, 2.1.4.2)."""

    first: CheckpointOut
    second: CheckpointOut
    path: list[str]


class LedgerKeyOut(BaseModel):
    """A public key that signs checkpoints, or did: as JWK, and as signed-note tools take it (`verifier`)."""

    kty: str = "OKP"
    crv: str = "Ed25519"
    alg: str = "EdDSA"
    use: str = "sig"
    kid: str
    x: str
    current: bool
    verifier: str


class LedgerKeysOut(BaseModel):
    """The ledger's name, as checkpoints say it, and its keys."""

    origin: str
    keys: list[LedgerKeyOut]


class PeriodIn(BaseModel):
    """The period to close: `2026`, `2026-Q4` or `2026-11`, of a plan (the caller's own unless named)."""

    model_config = ConfigDict(extra="forbid")

    period: str = Field(pattern=PATTERN)
    plan: str | None = Field(None, max_length=64)


class PeriodOut(BaseModel):
    """A closed period. `digest` is the SHA-256 of the frozen document, which the checkpoint names and signs."""

    plan: str
    period: str
    first: date
    last: date
    closed_at: datetime
    seq: int
    size: int
    entries: int
    digest: str
    checkpoint: int

    @classmethod
    def of(cls, row: Any) -> "PeriodOut":
        """From a row of `periods`."""
        return cls(
            plan=row.plan,
            period=row.label,
            first=row.first,
            last=row.last,
            closed_at=row.closed_at,
            seq=row.seq,
            size=row.size,
            entries=row.entries,
            digest=bytes(row.digest).hex(),
            checkpoint=row.checkpoint,
        )


class PeriodsOut(BaseModel):
    """Closed periods, newest first."""

    items: list[PeriodOut]


class PeriodFullOut(PeriodOut):
    """A closed period with its standings as frozen, as they would be known now, and what came later."""

    standings: list[StandingOut]
    known_now: list[StandingOut]
    corrections: list[EntryOut]
    more_corrections: bool
