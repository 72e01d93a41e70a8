"""A joint operation as its readers are shown it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from services.casework.domain.procedures import Procedures, UnknownProcedure
from services.casework.queries.operations import Line, OperationFull
from services.casework.queries.present import Presenter
from services.casework.queries.proceedings_present import SEALED_BY
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing


class OperationPresenter:
    """Turns rows into `OperationOut`, `OperationFullOut` and `EntryOut`."""

    def __init__(self, base: Presenter, procedures: Procedures, keys: KeyRing, address: str) -> None:
        self._base, self._procedures, self._keys, self._address = base, procedures, keys, address

    def out(self, line: Line, now: datetime) -> dict[str, Any]:
        """An operation in a list; its hours only for those who read it."""
        row, facts = line.row, line.row.facts if line.open else {}
        plan = self._base.plan(row.plan)
        return {
            "operation_id": row.id,
            "number": row.number,
            "plan": row.plan,
            "area": row.area,
            "case_id": row.case_id,
            "case_number": row.case_number,
            "agency": row.agency,
            "agency_name": self._base.agency_name(plan, row.agency),
            "state": row.state,
            "state_name": self._state(row),
            "final": row.final,
            "secret": row.known_from is None or row.known_from > now,
            "open": line.open,
            "starts_at": facts.get("starts_at"),
            "meets_at": facts.get("meets_at"),
            "opened_at": row.opened_at,
            "links": {
                "self": f"{self._address}/v1/operations/{row.id}",
                "proceeding": f"{self._address}/v1/proceedings/{row.id}",
                "page": f"{self._address}/operations/{row.id}",
            },
        }

    def full(self, caller: Caller, full: OperationFull, now: datetime) -> dict[str, Any]:
        """One operation with everything in it."""
        row = full.row
        plan = self._base.plan(row.plan)
        emergency = self._words(row.id, full.words[-1].words) if full.words else None
        forces = [
            {
                "force_id": force.id,
                "agency": force.agency,
                "agency_name": self._base.agency_name(plan, force.agency),
                "unit": force.unit,
                "people": force.people,
                "vehicles": force.vehicles,
                "task": said.get("task"),
                "meeting_point": said.get("meeting_point"),
                "present": muster.present,
                "missing": muster.missing,
                "answered": muster.answered,
                "mine": force.agency == caller.agency
                and not (force.unit and caller.unit and force.unit != caller.unit),
                "version": force.version,
            }
            for force, muster in zip(full.forces, full.musters, strict=True)
            for said in (self._words(row.id, force.words),)
        ]
        return self.out(Line(row, True), now) | {
            "facts": dict(row.facts),
            "words": self._words(row.id, full.first_words),
            "emergency_plan": emergency,
            "members": [
                {
                    "member_id": one.id,
                    "agency": one.agency,
                    "agency_name": self._base.agency_name(plan, one.agency) if one.agency else None,
                    "unit": one.unit,
                    "post": one.post,
                    "principal": one.principal,
                    "named_at": one.named_at,
                }
                for one in full.members
            ],
            "forces": forces,
            "people": sum(one["people"] for one in forces),
            "present": sum(one["present"] for one in forces),
            "missing": sum(one["missing"] for one in forces),
            "figures": full.figures,
            "entries": [self.entry(caller, row, one) for one in full.entries],
            "started_at": full.started_at,
            "version": row.version,
        }

    def entry(self, caller: Caller, row: Any, one: Any) -> dict[str, Any]:
        """One result from the scene."""
        said = self._words(row.id, one.words)
        return {
            "entry_id": one.id,
            "kind": one.kind,
            "at": one.at,
            "counts": dict(one.counts),
            "force_id": one.force_id,
            "area": one.area,
            "place": said.get("place"),
            "note": said.get("note"),
            "den_id": one.den_id,
            "place_id": one.place_id,
            "person_ids": list(one.person_ids),
            "agency": one.agency,
            "agency_name": self._base.agency_name(self._base.plan(row.plan), one.agency),
            "recorded_at": one.recorded_at,
            "withdrawn": one.withdrawn_at is not None,
            "mine": caller.agency in (one.agency, row.agency),
        }

    def _words(self, proceeding_id: Any, sealed: bytes | None) -> dict[str, str]:
        if not sealed:
            return {}
        return dict(orjson.loads(self._keys.open(SEALED_BY, proceeding_id.bytes, bytes(sealed))))

    def _state(self, row: Any) -> dict[str, str]:
        try:
            name = self._procedures.get(row.kind).version(row.procedure_version).states[row.state].name
        except (UnknownProcedure, KeyError):
            return {"zh": row.state, "en": row.state}
        return {"zh": name.zh, "en": name.en}
