"""Identifiers."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUID version 7 (RFC 9562): unique, and close in time means close in an index."""
    return uuid7()
