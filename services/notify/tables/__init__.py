"""Notify's database: one module a capability; the kit's tables."""

from services.notify.tables.base import kit, metadata
from services.notify.tables.clocks import clocks, digests
from services.notify.tables.directory import accounts, systems, totp_used
from services.notify.tables.duties import duties, duty_proofs, meetings
from services.notify.tables.ladder import climbs, contacts, leaves, seats
from services.notify.tables.notices import acceptances, matters_ended, notices, ring_attempts, rings
from services.notify.tables.reports import bulletin_numbers, bulletins, figures, reporters, reports
from services.notify.tables.webhooks import deliveries, endpoints

__all__ = [
    "acceptances",
    "accounts",
    "bulletin_numbers",
    "bulletins",
    "climbs",
    "clocks",
    "contacts",
    "deliveries",
    "digests",
    "duties",
    "duty_proofs",
    "endpoints",
    "figures",
    "kit",
    "leaves",
    "matters_ended",
    "meetings",
    "metadata",
    "notices",
    "reporters",
    "reports",
    "ring_attempts",
    "rings",
    "seats",
    "systems",
    "totp_used",
]
