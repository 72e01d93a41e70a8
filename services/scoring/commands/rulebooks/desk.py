"""What commands about rulebooks decide by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.scoring.domain.books import Books
from services.scoring.domain.rulebooks import Shipped
from shared.kit import idempotency
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.idempotency import Claim
from shared.kit.service import Service
from shared.rules.plan import Plan


@dataclass(frozen=True, slots=True)
class Desk:
    """Books in use, the shipped files, the plans; `address` is the base under which versions are opened."""

    books: Books
    shipped: Shipped
    plans: Mapping[str, Plan]
    keys: KeyRing
    address: str

    @classmethod
    def of(cls, service: Service, books: Books, shipped: Shipped) -> Desk:
        """The desk of a running service."""
        return cls(books, shipped, service.plans, service.settings.keys, service.settings.base_url("scoring"))

    def claim(self, caller: Caller, operation: str, key: str, asked: str, object_id: UUID) -> Claim:
        """The Idempotency-Key of one request. Raises `BadRequest` for an unusable key."""
        return idempotency.claim(
            self.keys, caller, operation, idempotency.check_key(key), asked.encode(), object_id
        )
