"""What certificates are given and weighed by: plans, the standards in force, keys, the address."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.scoring.domain.books import Books
from services.scoring.domain.rulebooks import Rulebook, Standard
from shared.kit.problem import Conflict, Invalid
from shared.kit.service import Service
from shared.rules.plan import Plan

SEALED_BY = "finding"
"""The key that seals words and secrets, each bound to its record."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who can be certified: a community by its agency, a town by its plan; `agency` applies, `area` is its own."""

    kind: str
    id: str
    agency: str
    area: str


@dataclass(frozen=True, slots=True)
class Desk:
    """The service with its rulebooks."""

    service: Service
    books: Books

    def plan(self, plan_id: str | None) -> Plan:
        """A plan that is run here. Raises `Invalid`."""
        plan = self.service.plans.get(plan_id or "")
        if plan is None:
            raise Invalid("这里没有运行这个方案。 This plan is not run here.", code="unknown-plan")
        return plan

    def standards(self, plan_id: str, at: datetime) -> Iterator[tuple[Rulebook, Standard]]:
        """The standards in force for a plan at a moment."""
        for rulebook in self.books.shelf.in_force(plan_id, at):
            for standard in rulebook.standards:
                yield rulebook, standard

    def governing(self, row: Any) -> tuple[Rulebook, Standard]:
        """The version of the rulebook and the standard a round began under. Raises `Conflict` where it is gone."""
        name, _, version = row.rulebook.rpartition("@")
        rulebook = self.books.shelf.get(name, version)
        standard = rulebook.standard(row.standard) if rulebook is not None else None
        if rulebook is None or standard is None:
            raise Conflict(
                f"找不到本轮适用的细则 {row.rulebook}；未作更改，请联系运维。 "
                f"The rulebook {row.rulebook} of this round cannot be found; nothing was changed. Ask the operators.",
                code="rulebook-gone",
            )
        return rulebook, standard

    def holders(self, plan: Plan, standard: Standard) -> list[Holder]:
        """Who a standard is for."""
        if standard.subject == "community":
            return [
                Holder("community", one.id, one.id, one.area)
                for one in plan.agencies
                if one.kind == "community" and one.area
            ]
        town = next((area.id for area in plan.areas if area.parent is None), None)
        return [Holder("town", plan.id, plan.office, town)] if standard.subject == "town" and town else []

    def step_agency(self, plan: Plan, by: str, holder: Holder) -> str:
        """Whose a step of a programme is: an agency of the plan, the office, the holder itself."""
        if by == "office":
            return plan.office
        return by if any(one.id == by for one in plan.agencies) else holder.agency

    def seal(self, record: UUID, words: str) -> bytes:
        return self.service.settings.keys.seal(SEALED_BY, record.bytes, words.encode())

    def seal_text(self, record: UUID, words: str) -> str:
        """Sealed words as they stand in JSON."""
        return base64.b64encode(self.seal(record, words)).decode()

    def open(self, record: UUID, sealed: bytes | str | None) -> str:
        """Kept words, opened; whoever calls this records the reading."""
        if not sealed:
            return ""
        data = base64.b64decode(sealed) if isinstance(sealed, str) else bytes(sealed)
        return self.service.settings.keys.open(SEALED_BY, record.bytes, data).decode()

    def dataref(self, certification_id: UUID) -> str:
        """Where a caller with rights of their own opens a certification."""
        return f"{self.service.settings.base_url('scoring')}/v1/certifications/{certification_id}"


def number_of(plan: Plan, standard: Standard, year: int, running: int) -> str:
    """The number on a certificate: 西园街道无传销社区〔2026〕3号."""
    town = next((area.name.zh for area in plan.areas if area.parent is None), plan.id)
    return f"{town}{standard.name.zh}〔{year}〕{running}号"
