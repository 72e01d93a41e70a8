"""Notify's database: one module a capability; the kit's tables."""

from services.notify.tables.base import kit, metadata
from services.notify.tables.directory import accounts, systems, totp_used
from services.notify.tables.notices import acceptances, matters_ended, notices, ring_attempts, rings
from services.notify.tables.webhooks import deliveries, endpoints

__all__ = [
    "acceptances",
    "accounts",
    "deliveries",
    "endpoints",
    "kit",
    "matters_ended",
    "metadata",
    "notices",
    "ring_attempts",
    "rings",
    "systems",
    "totp_used",
]
