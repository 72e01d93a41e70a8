"""What the tests of evidence share: the room of one case, its officers, and requests as they make them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from shared.kit import clock
from tests.integration.casework.conftest import Desk, lead

OFFICERS = [{"number": "粤中市监001", "name": "甲某某"}, {"number": "粤中市监002", "name": "乙某某"}]


def described(**more: Any) -> dict[str, Any]:
    """An item as it is registered: a notebook found at a den, by two officers of commerce."""
    return {
        "kind": "physical",
        "track": "administrative",
        "basis": "prohibition_14",
        "title": "红色账本",
        "description": "记有三十七人的上下线",
        "features": "A5，封面有茶渍",
        "collected_at": (clock.now() - timedelta(hours=2)).isoformat(),
        "collected_where": "某某路5号301",
        "owner": "丙某某",
        "kept_where": "证物室一柜三格",
        "officers": OFFICERS,
    } | more


class Room:
    """The evidence room of one joint case of police and commerce."""

    def __init__(self, desk: Desk, case_id: UUID) -> None:
        self.desk, self.case_id = desk, case_id
        self.commerce = desk.bearer("commerce", ("investigator",), unit="enforcement", principal_id="c-1")
        self.commerce_head = desk.bearer("commerce", ("head",), unit="enforcement", principal_id="c-head")
        self.police = desk.bearer("police", ("investigator",), unit="economic_crime", principal_id="p-1")
        self.police_head = desk.bearer("police", ("head",), unit="economic_crime", principal_id="p-head")

    def key(self) -> dict[str, str]:
        self.desk.keys += 1
        return {"idempotency-key": f"evidence-key-{self.desk.keys:05d}"}

    async def post(self, path: str, who: dict[str, str], body: Any = None, *, version: int | None = None, **more: str) -> httpx.Response:
        headers = who | self.key() | {name.replace("_", "-"): value for name, value in more.items()}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        return await self.desk.client.post(f"/v1{path}", headers=headers, json=body if body is not None else {})

    async def item(self, who: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        answer = await self.post(f"/cases/{self.case_id}/evidence", who or self.commerce, described(**more))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def send(self, item: dict[str, Any], data: bytes | AsyncIterator[bytes], who: dict[str, str] | None = None, **more: str) -> httpx.Response:
        headers = (who or self.commerce) | {"content-type": "application/octet-stream"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return await self.desk.client.post(f"/v1/evidence/{item['item_id']}/files", headers=headers, content=data)

    async def read(self, item: dict[str, Any], who: dict[str, str] | None = None) -> dict[str, Any]:
        answer = await self.desk.get(f"/v1/evidence/{item['item_id']}", who or self.commerce)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def chain(self, item: dict[str, Any], who: dict[str, str] | None = None) -> dict[str, Any]:
        answer = await self.desk.get(f"/v1/evidence/{item['item_id']}/custody", who or self.commerce)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def actions(self, item: dict[str, Any], who: dict[str, str] | None = None) -> list[str]:
        chain = await self.chain(item, who)
        assert chain["faults"] == []
        return [line["action"] for line in chain["lines"]]

    async def offer(self, *items: dict[str, Any], who: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        body = {
            "items": [{"item_id": one["item_id"], "version": one["version"]} for one in items],
            "to_agency": "police",
            "to_unit": "economic_crime",
            "purpose": "transfer",
        } | more
        return await self.post(f"/cases/{self.case_id}/evidence/handovers", who or self.commerce, body)


async def opened(desk: Desk) -> Room:
    """A fresh case with its room."""
    [case_id] = await desk.open(lead())
    return Room(desk, case_id)


def kept(folder: Path) -> list[Path]:
    """What stands in the object storage."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def told(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem of a refusal, as it should be."""
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["type"] == f"urn:dachuan:problem:{code}" and problem["detail"]
    return problem


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
