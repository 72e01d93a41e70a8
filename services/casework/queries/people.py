"""Persons, places and revisits in the form in which they are answered: opened, with links; for API and pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters import people
from services.casework.domain import persons as domain
from services.casework.domain.persons import StepKind
from services.casework.queries import persons as queries
from services.casework.queries import places as place_queries
from services.casework.queries.places import PlaceFull
from services.casework.tables import kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.clock import CHINA
from shared.kit.settings import ServiceSettings
from shared.rules.calendar import local_day


def _disposition(code: str | None) -> dict[str, str] | None:
    return queries.words_of(StepKind.DISPOSITION.value, code) if code else None


class People:
    """Opens what is sealed and gives it the form of the schemas. Whoever asks records the reading in the audit log."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._keys = settings.keys
        self._base, self._intake = settings.base_url("casework"), settings.base_url("intake")

    def details(self, row: Any, record: UUID | None = None) -> dict[str, Any]:
        """The sealed details of a record."""
        return people.opened(self._keys, record or row.person_id, row.details)

    def part(self, row: Any, now: datetime) -> dict[str, Any]:
        """A person's part in one case."""
        return {
            "case_person_id": row.id,
            "case_id": row.case_id,
            "case_number": row.number,
            "person_id": row.subject_id,
            "name": self.details(row)["name"],
            "role": row.role,
            "role_since": row.role_since,
            "place_id": row.place_id,
            "agency": row.agency,
            "unit": row.unit,
            "area": row.area,
            "plan": row.plan,
            "found_at": row.found_at,
            "recorded_at": row.recorded_at,
            "late": row.late,
            "seen_before": row.seen_before,
            "disposition": row.disposition,
            "disposition_words": _disposition(row.disposition),
            "disposed_at": row.disposed_at,
            "follow_up_due": row.follow_up_due,
            "entry_due": row.entry_due,
            "entered_at": row.entered_at,
            "entry_number": row.entry_number,
            "entry_late": (row.entered_at or now) > row.entry_due,
            "version": row.version,
            "mine": row.mine,
            "may_enter": row.may_enter,
            "links": {
                "self": f"{self._base}/v1/case-persons/{row.id}",
                "person": f"{self._base}/v1/persons/{row.subject_id}",
                "page": f"{self._base}/persons/{row.subject_id}",
                "case": f"{self._base}/v1/cases/{row.case_id}",
            },
        }

    def seen(self, others: tuple[list[Any], int]) -> dict[str, Any]:
        """曾涉传, as far as the caller may know."""
        own, elsewhere = others
        return {
            "seen": bool(own or elsewhere),
            "cases": [
                {
                    "case_id": row.case_id, "number": row.number, "role": row.role, "found_at": row.found_at,
                    "disposition": row.disposition, "disposition_words": _disposition(row.disposition),
                    "links": {"case": f"{self._base}/v1/cases/{row.case_id}", "page": f"{self._base}/cases/{row.case_id}"},
                }
                for row in own
            ],
            "elsewhere": elsewhere,
        }  # fmt: skip

    def step(self, row: Any) -> dict[str, Any]:
        """One step with the article it rests on."""
        line = domain.codes(StepKind(row.kind)).get(row.code)
        article = row.article or (line.article if line else "") or None
        return {
            "step_id": row.id, "kind": row.kind, "code": row.code, "words": queries.words_of(row.kind, row.code),
            "at": row.at, "recorded_at": row.recorded_at, "agency": row.agency, "unit": row.unit,
            "officers": row.officers, "basis": row.basis, "article": article,
            "certainty": row.certainty or (line.certainty if line else "") or None, "facts": row.facts,
            "due": row.due, "state": row.state,
        }  # fmt: skip

    async def full_parts(
        self, conn: AsyncConnection, caller: Caller, rows: Sequence[Any], now: datetime
    ) -> list[dict[str, Any]]:
        """Parts with their steps and where their persons were seen before, in a fixed number of statements."""
        seen = await queries.seen_before(conn, caller, rows)
        steps = await queries.steps_of(conn, [row.id for row in rows]) if rows else {}
        return [
            self.part(row, now)
            | {
                "steps": [self.step(one) for one in steps.get(row.id, ())],
                "history": row.history,
                "seen_before_in": self.seen(seen[row.id]),
            }
            for row in rows
        ]

    async def person(self, conn: AsyncConnection, caller: Caller, person_id: UUID, now: datetime) -> dict[str, Any] | None:
        """One person with all their parts within reach, or None."""
        found = await queries.get_person(conn, caller, person_id)
        if found is None:
            return None
        row, parts, elsewhere = found
        details = people.opened(self._keys, row.id, row.details)
        # what was recorded under the records merged into this one belongs to it
        for part in parts:
            own = self.details(part)
            names = {details["name"], *details["aliases"]}
            details["aliases"] += [one for one in (own["name"], *own["aliases"]) if one not in names]
            details["phones"] = list(dict.fromkeys([*details["phones"], *own["phones"]]))
            if not details.get("id_number") and own.get("id_number"):
                details |= {"id_kind": own["id_kind"], "id_number": own["id_number"]}
        return {
            "person_id": row.id,
            "name": details["name"],
            "aliases": details["aliases"],
            "id_kind": details.get("id_kind", row.id_kind),
            "id_number": details.get("id_number"),
            "phones": details["phones"],
            "home_area": row.home_area,
            "version": row.version,
            "cases": await self.full_parts(conn, caller, parts, now),
            "elsewhere": elsewhere,
            "merges": await queries.merges_of(conn, row.id),
            "links": {
                "self": f"{self._base}/v1/persons/{row.id}",
                "page": f"{self._base}/persons/{row.id}",
                "network": f"{self._base}/v1/network?person={row.id}",
            },
        }

    def found(self, one: dict[str, Any]) -> dict[str, Any]:
        """A person in the answer of a search: only the end of the document's number."""
        record, details = one["record"], one["details"]
        number = details.get("id_number")
        return {
            "person_id": record.id, "name": details["name"], "id_kind": record.id_kind,
            "id_end": number[-4:] if number else None, "home_area": record.home_area, "cases": one["cases"],
            "last_found_at": one["last"],
            "links": {"self": f"{self._base}/v1/persons/{record.id}", "page": f"{self._base}/persons/{record.id}"},
        }  # fmt: skip

    # -- places -------------------------------------------------------------------------------------------------

    def address(self, place_id: UUID, sealed: bytes) -> str:
        """A place's address."""
        return people.opened(self._keys, place_id, sealed)["address"]

    def place(self, row: Any) -> dict[str, Any]:
        """A place in a list."""
        return {
            "place_id": row.id, "kind": row.kind, "address": self.address(row.id, row.details), "area": row.area,
            "plan": row.plan, "registered_id": row.registered_id, "cleared_at": row.cleared_at, "again": row.again,
            "version": row.version,
            "links": {
                "self": f"{self._base}/v1/places/{row.id}", "page": f"{self._base}/places/{row.id}",
                "network": f"{self._base}/v1/network?place={row.id}",
                **({"register": self.register_page(row.kind, row.registered_id)} if row.registered_id else {}),
            },
        }  # fmt: skip

    def register_page(self, kind: str, registered_id: UUID) -> str:
        """The place's page in intake's registers."""
        return f"{self._intake}/{'venues' if kind == 'venue' else 'rentals'}/{registered_id}"

    def den(self, row: Any) -> dict[str, Any]:
        """A place as it was found in one case."""
        return {
            "den_id": row.id, "place_id": row.place_id, "case_id": row.case_id, "case_number": row.number,
            "kind": row.kind, "address": self.address(row.place_id, row.details), "area": row.area, "plan": row.plan,
            "state": row.state, "agency": row.agency, "unit": row.unit, "found_at": row.found_at,
            "officers": row.officers, "persons": row.persons, "again": row.again, "cleared_at": row.cleared_at,
            "version": row.version, "history": row.history, "mine": row.mine,
            "links": {
                "self": f"{self._base}/v1/dens/{row.id}", "place": f"{self._base}/v1/places/{row.place_id}",
                "page": f"{self._base}/places/{row.place_id}", "case": f"{self._base}/v1/cases/{row.case_id}",
            },
        }  # fmt: skip

    def revisit(self, row: Any, today: Any) -> dict[str, Any]:
        """A revisit; its address is part of the task."""
        return {
            "revisit_id": row.id, "den_id": row.den_id, "place_id": row.place_id, "area": row.area, "plan": row.plan,
            "agency": row.agency, "number": row.number, "due": row.due, "state": row.state,
            "late": row.state == "overdue" or (row.state == "open" and row.due < today), "outcome": row.outcome,
            "done_at": row.done_at, "version": row.version, "kind": row.kind,
            "address": self.address(row.place_id, row.details), "registered_id": row.registered_id,
        }  # fmt: skip

    def place_full(self, full: PlaceFull, caller: Caller, now: datetime) -> dict[str, Any]:
        """One place with all within reach of it; its landlord's name only to those who may read persons."""
        today = local_day(now)
        landlord = None
        if full.landlord is not None and caller.reach("person.read") is not None:
            details = self.details(full.landlord, full.landlord.id)
            landlord = {"person_id": full.landlord.subject_id, "name": details["name"]}
        return self.place(full.place) | {
            "landlord": landlord,
            "dens": [self.den(row) for row in full.dens],
            "elsewhere": full.elsewhere,
            "revisits": [self.revisit(row, today) for row in full.revisits],
            "recurrences": [
                {"kind": row.kind, "cause": row.cause, "since": row.since, "at": row.at} for row in full.recurrences
            ],
        }

    async def of_case(self, conn: AsyncConnection, caller: Caller, case_id: UUID, now: datetime) -> dict[str, Any]:
        """Persons and places of one case for its page, with the case's own entry; the reading is recorded."""
        rows = await queries.parts_of_case(conn, caller, case_id)
        dens = await place_queries.dens_of_case(conn, caller, case_id)
        seen = await queries.seen_before(conn, caller, rows)
        if rows or dens:
            await audit.record(
                conn, kit, caller, "person.list", "case", [case_id], now, count=len(rows), dens=len(dens)
            )
        return {
            "persons": [self.part(row, now) | {"seen": bool(seen[row.id][0] or seen[row.id][1])} for row in rows],
            "dens": [self.den(row) for row in dens],
            "entry": await queries.case_entry(conn, case_id),
            "now": now.astimezone(CHINA).strftime("%Y-%m-%dT%H:%M"),
        }
