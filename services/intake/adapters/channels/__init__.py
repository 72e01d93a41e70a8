"""Outside systems' formats: one envelope, one function for each (docs/agencies/handins.md shows them all)."""

from collections.abc import Callable
from dataclasses import dataclass

from services.intake.adapters.channels import formats
from services.intake.adapters.channels.envelope import Handin, Unreadable, Wrong

__all__ = ["FORMATS", "Format", "Handin", "Unreadable", "Wrong"]


@dataclass(frozen=True, slots=True)
class Format:
    """One outside format: the channel its items come by, its media type, and the function that reads it."""

    name: str
    channel: str
    media_type: str
    read: Callable[[bytes], list[Handin | Wrong]]


FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("110", "110", "application/json", formats.police_calls),
        Format("12315", "12315", "application/json", formats.consumer_line),
        Format("12345", "12345", "application/xml", formats.service_line),
        Format("petition", "petition", "application/json", formats.petitions),
        Format("telecom", "telecom", "text/csv", formats.telecom_notices),
        Format("media", "media", "application/json", formats.media_monitoring),
        Format("net-patrol", "net-patrol", "text/csv", formats.net_patrol),
    )
}
"""Every format by its name in the address."""
