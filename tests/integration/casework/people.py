"""Made-up persons and places for casework's tests, and the requests that record them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx
from stdnum.cn import ric

from shared.kit import clock
from tests.integration.casework.conftest import Desk

_keys = count(1)


def id_number(order: int = 1, county: str = "440106", born: str = "19900307") -> str:
    """A made-up number with a right check digit."""
    stem = f"{county}{born}{order:03d}"
    return stem + ric.calc_check_digit(stem + "0")


def fresh_key() -> dict[str, str]:
    return {"idempotency-key": f"people-key-{next(_keys):06d}"}


def ago(**past: float) -> datetime:
    return clock.now() - timedelta(**past)


def person(name: str = "甲小明", role: str = "participant", **more: Any) -> dict[str, Any]:
    """A person as an officer would send it."""
    return {"name": name, "role": role, "found_at": ago(hours=1).isoformat()} | more


def identified(order: int = 1, **more: Any) -> dict[str, Any]:
    return person(**{"id_kind": "resident", "id_number": id_number(order)} | more)


def den(address: str = "青岗花园12栋301", **more: Any) -> dict[str, Any]:
    return {
        "kind": "rental", "address": address, "found_at": ago(hours=2).isoformat(), "officers": 6, "persons": 9,
    } | more  # fmt: skip


async def post(desk: Desk, path: str, who: dict[str, str], body: Any, *, version: int | None = None, **headers: str) -> httpx.Response:
    """Send as an officer's system would: with a fresh key, and the version seen where there is one."""
    own = who | fresh_key() | headers
    if version is not None:
        own |= {"if-match": f'"{version}"'}
    return await desk.client.post(path, headers=own, json=body)


async def record(desk: Desk, case_id: UUID, body: dict[str, Any], who: dict[str, str] | None = None) -> dict[str, Any]:
    """A person recorded; the answer."""
    made = await post(desk, f"/v1/cases/{case_id}/persons", who or desk.bearer("police"), body)
    assert made.status_code == 201, made.text
    return made.json()


async def step(desk: Desk, part: dict[str, Any], who: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    """A step of a person, at the version the part has."""
    body = {"at": clock.now().isoformat()} | body
    return await post(
        desk, f"/v1/case-persons/{part['case_person_id']}/steps", who or desk.bearer("police"), body, version=part["version"]
    )


async def found(desk: Desk, case_id: UUID, body: dict[str, Any] | None = None, who: dict[str, str] | None = None) -> dict[str, Any]:
    """A den recorded; the answer."""
    made = await post(desk, f"/v1/cases/{case_id}/dens", who or desk.bearer("police"), body or den())
    assert made.status_code == 201, made.text
    return made.json()


async def den_step(desk: Desk, made: dict[str, Any], what: str, at: datetime | None = None, who: dict[str, str] | None = None) -> dict[str, Any]:
    body = {"step": what, "at": (at or clock.now()).isoformat(), "officers": 4}
    answer = await post(desk, f"/v1/dens/{made['den_id']}/steps", who or desk.bearer("police"), body, version=made["version"])
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(desk: Desk, name: str) -> list[Any]:
    """The events of one class in the outbox."""
    return [data for _, data in await desk.events() if type(data).__name__ == name]
