"""Waiting for the seals of the audit log."""

from __future__ import annotations

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kit import audit
from shared.kit.crypto import KeyRing
from shared.kit.tables import KitTables


async def until_sealed(engine: AsyncEngine, kit: KitTables, keys: KeyRing, service: str, count: int) -> None:
    """Seal until `count` more entries are covered: an entry waits for every transaction older than its own, and those
    of other tests on the same server are among them."""
    sealed = 0
    async with asyncio.timeout(60):
        while sealed < count:
            sealed += await audit.seal(engine, kit, keys, service)
            await asyncio.sleep(0.05)
    assert sealed == count
