"""Short ways through the API of documents, and who walks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.integration.casework.conftest import Desk

INVESTIGATOR = {"agency": "commerce", "unit": "enforcement", "posts": ("investigator",), "principal_id": "writer"}
HEAD = {"agency": "commerce", "posts": ("head",), "principal_id": "head"}
POLICE = {"agency": "police", "posts": ("head",), "principal_id": "police-head"}
OFFICE = {"agency": "commerce", "unit": "office", "posts": ("office-staff",), "principal_id": "office-writer"}
DIRECTOR = {"agency": "commerce", "unit": "office", "posts": ("office-director",), "principal_id": "director"}
LEADER = {"agency": "politics_law", "posts": ("leader",), "principal_id": "leader"}


@dataclass
class Papers:
    """Documents through the API."""

    desk: Desk

    def headers(self, who: dict[str, Any], version: int | None = None, key: str | None = None) -> dict[str, str]:
        made = self.desk.bearer(**who) | {"idempotency-key": key or uuid4().hex}
        return made if version is None else made | {"if-match": f'"{version}"'}

    async def draft(self, case_id: UUID, kind: str, fields: dict[str, Any], who: dict[str, Any], **more: Any) -> httpx.Response:
        body = {"kind": kind, "fields": fields} | more.pop("body", {})
        return await self.desk.client.post(f"/v1/cases/{case_id}/documents", headers=self.headers(who, **more), json=body)

    async def act(
        self, step: str, document_id: str, version: int, who: dict[str, Any], body: Any = None, key: str | None = None
    ) -> httpx.Response:
        return await self.desk.client.post(
            f"/v1/documents/{document_id}/{step}", headers=self.headers(who, version, key), json=body or {}
        )

    async def get(self, path: str, who: dict[str, Any]) -> httpx.Response:
        return await self.desk.client.get(path, headers=self.desk.bearer(**who))

    async def issued(self, case_id: UUID, kind: str, fields: dict[str, Any], who: dict[str, Any], head: dict[str, Any]) -> dict[str, Any]:
        """Drafted, approved where it has to be, and issued."""
        made = await self.draft(case_id, kind, fields, who)
        assert made.status_code == 201, made.text
        told = made.json()
        if told["approval"]:
            approved = await self.act("approve", told["document_id"], told["version"], head)
            assert approved.status_code == 200, approved.text
            told = approved.json()
        done = await self.act("issue", told["document_id"], told["version"], who)
        assert done.status_code == 200, done.text
        return done.json()
