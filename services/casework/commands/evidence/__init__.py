"""Evidence: items, their files, custody, handings over and packages; every step in a chain that cannot be changed unseen."""

from services.casework.commands.evidence.room import EvidenceRoom

__all__ = ["EvidenceRoom"]
