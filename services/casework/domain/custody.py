"""The custody chain (保管链) of an item: one line an event, each bound to the one before by its SHA-256. No I/O.

A line is compact JSON with sorted keys in UTF-8; its hash is the SHA-256 of exactly these bytes, and the next line
carries it as `previous`. So anybody can check an exported chain with `sha256sum`, and nobody can change, drop, insert
or reorder a line unseen. Words (places, notes, names) stand outside the line, which carries the SHA-256 of their JSON
with a random salt in it: a chain can be shown without them, and they can be proved later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

BEGINNING = bytes(32)
"""What the first line follows."""

ACTIONS = (
    "received", "file_received", "copy_made", "copy_read", "original_read", "moved", "offered", "handed_over", "refused",
    "withdrawn", "returned", "destruction_proposed", "destruction_refused", "destroyed", "exported", "package_read",
    "damage_found", "damage_mended",
)  # fmt: skip
"""What stands in a chain."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of an item's custody. `facts`: codes, counts, ids and hashes; `words`: SHA-256 of what was said."""

    item: str
    seq: int
    at: datetime
    action: str
    actor: str
    agency: str | None
    unit: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    words: bytes | None = None
    previous: bytes = BEGINNING

    def line(self) -> bytes:
        """The line, without its line end."""
        return json.dumps(
            {
                "action": self.action,
                "actor": self.actor,
                "agency": self.agency,
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "facts": dict(self.facts),
                "item": self.item,
                "previous": self.previous.hex(),
                "seq": self.seq,
                "unit": self.unit,
                "words": self.words.hex() if self.words is not None else None,
            },
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        ).encode()

    def hash(self) -> bytes:
        """The SHA-256 of the line."""
        return hashlib.sha256(self.line()).digest()


def words_line(words: Mapping[str, str], salt: str, seq: int) -> bytes:
    """What was said at an event, as the JSON line whose SHA-256 its entry carries. `salt`: 32 random hex digits."""
    return json.dumps(
        {"salt": salt, "seq": seq, "words": dict(words)}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


def faults(entries: Iterable[tuple[Entry, bytes]], head: bytes, length: int) -> list[str]:
    """What is wrong with a chain of (entry, recorded hash): codes with the line's number, or nothing.

    `head` and `length` are kept with the item: a chain that was cut at its end does not fit them.
    """
    found, previous, expected = [], BEGINNING, 1
    for entry, recorded in entries:
        if entry.seq != expected:
            found.append(f"missing:{expected}")
        if entry.previous != previous:
            found.append(f"unlinked:{entry.seq}")
        if entry.hash() != recorded:
            found.append(f"changed:{entry.seq}")
        previous, expected = recorded, entry.seq + 1
    if previous != head or expected != length + 1:
        found.append(f"cut:{expected - 1}")
    return found
