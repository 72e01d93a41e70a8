"""Evidence as its readers are shown it; whoever shows words records the reading."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.casework.adapters.evidence_words import opened, opened_line
from services.casework.domain.custody import Entry, faults
from services.casework.domain.evidence import bases, in_prosecution
from shared.kit.crypto import KeyRing
from shared.kit.files.kinds import TAKEN
from shared.rules.calendar import local_day
from shared.rules.law import LawBook


class EvidencePresenter:
    """Turns rows into the bodies of `schemas.evidence`."""

    def __init__(self, keys: KeyRing, law: LawBook, address: str, most_copied_bytes: int) -> None:
        self._keys, self._law, self._address, self._most = keys, law, address, most_copied_bytes

    def words(self, row: Any) -> dict[str, Any]:
        """What is said of an item."""
        return opened(self._keys, row.id, row.particulars)

    def item_out(self, row: Any) -> dict[str, Any]:
        """An item as `ItemOut`."""
        said = self.words(row)
        same = (
            "case_id", "case_number", "proceeding_id", "number", "kind", "track", "state", "collected_at", "received_at",
            "agency", "unit", "holder_agency", "holder_unit", "offered_agency", "offered_unit", "files", "version",
        )  # fmt: skip
        shown = {name: getattr(row, name) for name in same}
        return shown | {
            "item_id": row.id, "title": said["title"], "quantity": said["quantity"], "measure": said["measure"],
        }  # fmt: skip

    def item_full(self, row: Any, files: Sequence[Any], copies: Sequence[Any]) -> dict[str, Any]:
        """An item as `ItemFull`."""
        said, basis, law = self.words(row), bases()[row.basis], in_prosecution(row.kind, row.track)
        rule = self._law.in_force("prohibition.officers", local_day(row.collected_at))
        plain = ("description", "features", "collected_where", "owner", "kept_where", "officers")
        return (
            self.item_out(row)
            | {name: said[name] for name in plain}
            | {
                "officers_rule": {"article": rule.article, "certainty": rule.certainty, "provisional": rule.provisional},
                "basis": {
                    "code": basis.code,
                    "words": {"zh": basis.zh, "en": basis.en},
                    "tracks": list(basis.tracks),
                    "article": basis.article,
                    "certainty": basis.certainty,
                    "provisional": False,
                },
                "in_prosecution": {
                    "use": law.use, "article": law.article, "certainty": law.certainty, "provisional": False,
                },
                "person_id": row.person_id,
                "place_id": row.place_id,
                "file_list": [self.file_out(one) for one in files],
                "copies": [self.copy_out(one) for one in copies],
                "custody_length": row.custody_length,
                "custody_head": bytes(row.custody_head).hex(),
                "may_hold": bool(row.may_hold),
            }
        )  # fmt: skip

    def file_out(self, row: Any) -> dict[str, Any]:
        """A file as `FileOut`."""
        return {
            "file_id": row.id,
            "number": row.number,
            "kind": row.kind,
            "media_type": row.media_type,
            "size": row.size,
            "sha256": bytes(row.sha256).hex(),
            "sm3": bytes(row.sm3).hex(),
            "scan": row.scan,
            "state": row.state,
            "received_at": row.received_at,
            "checked_at": row.checked_at,
            "copyable": (
                row.state == "whole" and row.media_type in TAKEN and row.size <= self._most and row.scan != "found"
            ),
        }

    @staticmethod
    def copy_out(row: Any) -> dict[str, Any]:
        """A working copy as `CopyOut`."""
        return {
            "copy_id": row.id,
            "file_id": row.file_id,
            "file_number": row.file_number,
            "mark": row.mark,
            "marked": row.marked,
            "sha256": bytes(row.sha256).hex(),
            "size": row.size,
            "media_type": row.media_type,
            "made_at": row.made_at,
        }

    def custody_out(self, item: Any, rows: Sequence[Any]) -> dict[str, Any]:
        """A chain as `CustodyOut`, checked as it is shown."""
        wrong = faults(
            ((entry_of(row), bytes(row.hash)) for row in rows), bytes(item.custody_head), item.custody_length
        )
        lines = []
        for row in rows:
            said: dict[str, str] = {}
            if row.words is not None:
                spoken = opened_line(self._keys, item.id, row.words)
                if hashlib.sha256(spoken).digest() != bytes(row.words_sha256):
                    wrong.append(f"words:{row.seq}")
                said = orjson.loads(spoken)["words"]
            same = {name: getattr(row, name) for name in ("seq", "at", "action", "actor", "agency", "unit", "facts")}
            lines.append(same | {"words": said, "hash": bytes(row.hash).hex()})
        return {
            "item_id": item.id,
            "length": item.custody_length,
            "head": bytes(item.custody_head).hex(),
            "faults": wrong,
            "lines": lines,
        }

    def handover_out(self, row: Any, items: Sequence[Any]) -> dict[str, Any]:
        """A handing over as `HandoverOut`; `items`: the rows of what it is about, as far as the caller may see them."""
        said = opened(self._keys, row.id, row.words)
        seen = {str(one.id): one for one in items}
        told = []
        for one in row.items:
            item = seen.get(one)
            told.append(
                {"item_id": one}
                | ({"number": item.number, "title": self.words(item)["title"], "kind": item.kind} if item else {})
            )
        same = (
            "case_id", "case_number", "purpose", "from_agency", "from_unit", "to_agency", "to_unit", "offered_at", "rule",
            "due", "provisional", "state", "answered_at", "version",
        )  # fmt: skip
        in_time = None if row.due is None or row.state != "accepted" else row.answered_at <= row.due
        return {name: getattr(row, name) for name in same} | {
            "handover_id": row.id,
            "items": told,
            "in_time": in_time,
            "note": said.get("note", ""),
            "receipt": said.get("receipt", ""),
            "reason": said.get("reason", ""),
            "may_answer": bool(row.to_me) and row.state == "offered",
            "may_withdraw": bool(row.from_me) and row.state == "offered",
        }

    def export_out(self, row: Any, case_id: UUID) -> dict[str, Any]:
        """A package as `ExportOut`."""
        here = f"{self._address}/v1/evidence/exports/{row.id}"
        return {
            "export_id": row.id,
            "case_id": case_id,
            "items": len(row.items),
            "files": row.files,
            "bytes": row.bytes,
            "reason": row.reason,
            "agency": row.agency,
            "made_at": row.made_at,
            "manifest_sha256": bytes(row.manifest_sha256).hex(),
            "key_id": row.key_id,
            "links": {"self": here, "package": f"{here}/package"},
        }

    def item_list(
        self, case_id: UUID, number: str, proceeding_id: UUID | None, rows: Sequence[Any], files: Sequence[Any], now: datetime
    ) -> dict[str, Any]:
        """The list of items as `ItemList`."""
        hashes: dict[UUID, list[str]] = {}
        for file in files:
            hashes.setdefault(file.item_id, []).append(bytes(file.sha256).hex())
        lines = []
        for row in rows:
            said = self.words(row)
            plain = ("title", "features", "quantity", "measure", "owner", "collected_where", "kept_where", "officers")
            lines.append(
                {name: said[name] for name in plain}
                | {
                    "item_id": row.id,
                    "number": row.number,
                    "kind": row.kind,
                    "collected_at": row.collected_at,
                    "article": bases()[row.basis].article,
                    "in_prosecution": in_prosecution(row.kind, row.track).use,
                    "files": row.files,
                    "sha256": hashes.get(row.id, []),
                    "state": row.state,
                    "holder_agency": row.holder_agency,
                }
            )
        return {
            "case_id": case_id,
            "case_number": number,
            "proceeding_id": proceeding_id,
            "made_at": now,
            "total": len(lines),
            "lines": lines,
        }


def entry_of(row: Any) -> Entry:
    """The custody line a row keeps."""
    words = bytes(row.words_sha256) if row.words_sha256 is not None else None
    return Entry(
        str(row.item_id), row.seq, row.at, row.action, row.actor, row.agency, row.unit, row.facts, words, bytes(row.previous)
    )
