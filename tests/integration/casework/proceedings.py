"""Short ways through the API of proceedings, and who walks them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from services.casework.commands.proceedings import mark_proceedings_missed
from shared.kit import db
from shared.kit.ids import new_id
from tests.integration.casework.conftest import Desk

COMMERCE = {"agency": "commerce", "unit": "enforcement", "posts": ("investigator",), "principal_id": "investigator"}
COMMERCE_HEAD = {"agency": "commerce", "unit": "enforcement", "posts": ("head",), "principal_id": "head"}
POLICE = {"agency": "police", "unit": "economic_crime", "posts": ("head",), "principal_id": "police-head"}
POLICE_DESK = {"agency": "police", "posts": ("desk",), "principal_id": "police-desk"}
OFFICE = {"agency": "commerce", "unit": "office", "posts": ("office-director",), "principal_id": "director"}
EDUCATION = {"agency": "education", "posts": ("head",), "principal_id": "education-head"}
SOCIAL = {"agency": "social_affairs", "posts": ("head",), "principal_id": "social-head"}
STABILITY = {"agency": "politics_law", "posts": ("head",), "principal_id": "stability-head"}


@dataclass
class Way:
    """A proceeding of a case, walked through the API."""

    desk: Desk
    case_id: UUID | None
    kind: str
    id: str = ""
    told: Any = None

    async def post(self, path: str, who: dict[str, Any], body: dict[str, Any], version: int | None = None) -> httpx.Response:
        headers = self.desk.bearer(**who) | {"idempotency-key": uuid4().hex}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        return await self.desk.client.post(path, headers=headers, json=body)

    async def ask(self, who: dict[str, Any], to: str | None = None, unit: str | None = None, **values: Any) -> httpx.Response:
        """Open it, whatever is answered."""
        body: dict[str, Any] = {"kind": self.kind, "values": values}
        if to:
            body["counterpart"] = {"agency": to, "unit": unit}
        path = f"/v1/cases/{self.case_id}/proceedings" if self.case_id else "/v1/proceedings"
        return await self.post(path, who, body)

    async def open(self, who: dict[str, Any], to: str | None = None, unit: str | None = None, **values: Any) -> Any:
        answer = await self.ask(who, to, unit, **values)
        assert answer.status_code == 201, answer.text
        self.told = answer.json()
        self.id = self.told["proceeding_id"]
        return self.told

    async def attempt(self, step: str, who: dict[str, Any], version: int | None = None, **values: Any) -> httpx.Response:
        """Take a step from the newest version, whatever is answered."""
        if version is None:
            [row] = await self.desk.rows("SELECT version FROM proceedings WHERE id = :id", id=UUID(self.id))
            version = row.version
        return await self.post(f"/v1/proceedings/{self.id}/steps/{step}", who, {"values": values}, version)

    async def step(self, step: str, who: dict[str, Any], **values: Any) -> Any:
        answer = await self.attempt(step, who, **values)
        assert answer.status_code == 200, answer.text
        self.told = answer.json()
        return self.told

    async def read(self, who: dict[str, Any]) -> httpx.Response:
        return await self.desk.get(f"/v1/proceedings/{self.id}", self.desk.bearer(**who))

    async def issue(self, *kinds: str) -> None:
        """Documents issued for it, as rows: how they come to be is tested with documents."""
        async with db.begin(self.desk.service.engine) as conn:
            for kind in kinds:
                await conn.execute(
                    text(
                        "INSERT INTO documents (id, case_id, proceeding_id, plan, kind, issuer, agency, personal, state,"
                        " contents, lacking, series, year, serial, number, digest, written_at, written_by, version, history)"
                        " VALUES (:id, :case, :proceeding, 'dayong', :kind, 'commerce', 'commerce', false, 'issued', '\\x',"
                        " 0, :kind, 2026, (SELECT count(*) + 1 FROM documents), :number, 'x', now(), 'test', 1, '[]')"
                    ),
                    {"id": new_id(), "case": self.case_id, "proceeding": UUID(self.id), "kind": kind, "number": uuid4().hex},
                )

    async def miss(self, later: datetime) -> int:
        """One round of the clocks, at a moment."""
        async with db.begin(self.desk.service.engine) as conn:
            return await mark_proceedings_missed(conn, self.desk.basis, later)

    async def clocks(self) -> dict[str, Any]:
        """The latest clock of each name."""
        found = await self.desk.rows(
            "SELECT * FROM deadlines WHERE proceeding_id = :id ORDER BY id", id=UUID(self.id)
        )
        return {one.kind: one for one in found}

    async def state_of(self, kind: str) -> str | None:
        """The state of the case's newest proceeding of another kind."""
        found = await self.desk.rows(
            "SELECT state FROM proceedings WHERE case_id = :case AND kind = :kind ORDER BY id DESC LIMIT 1",
            case=self.case_id, kind=kind,
        )  # fmt: skip
        return found[0].state if found else None

    async def told_events(self, ending: str) -> list[Any]:
        return [data for _, data in await self.desk.events() if ending in data.TYPE]
