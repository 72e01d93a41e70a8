"""Notify's database: one module a capability; the kit's tables."""

from services.notify.tables.base import kit, metadata
from services.notify.tables.clocks import clocks, digests
from services.notify.tables.directory import accounts, systems, totp_used
from services.notify.tables.duties import duties, duty_proofs, meetings
from services.notify.tables.ladder import climbs, contacts, leaves, seats
from services.notify.tables.notices import acceptances, matters_ended, notices, ring_attempts, rings
from services.notify.tables.public import (
    campaign_items,
    campaign_records,
    campaign_schedules,
    exposures,
    kept_files,
    publicity_log,
    publicity_material_versions,
    publicity_materials,
    publicity_places,
    warning_numbers,
    warning_recalls,
    warning_steps,
    warning_versions,
    warnings,
)
from services.notify.tables.reports import bulletin_numbers, bulletins, figures, reporters, reports
from services.notify.tables.webhooks import deliveries, endpoints

__all__ = [
    "acceptances",
    "accounts",
    "bulletin_numbers",
    "bulletins",
    "campaign_items",
    "campaign_records",
    "campaign_schedules",
    "climbs",
    "clocks",
    "contacts",
    "deliveries",
    "digests",
    "duties",
    "duty_proofs",
    "endpoints",
    "exposures",
    "figures",
    "kept_files",
    "kit",
    "leaves",
    "matters_ended",
    "meetings",
    "metadata",
    "notices",
    "publicity_log",
    "publicity_material_versions",
    "publicity_materials",
    "publicity_places",
    "reporters",
    "reports",
    "ring_attempts",
    "rings",
    "seats",
    "systems",
    "totp_used",
    "warning_numbers",
    "warning_recalls",
    "warning_steps",
    "warning_versions",
    "warnings",
]
