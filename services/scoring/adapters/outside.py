"""Checkpoints and frozen periods outside the database: a folder or an S3 bucket, one object each, never written over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson

from shared.kit.files.objects import Objects

_LATEST = "checkpoints/latest.json"


class Outside:
    """The objects beside the database. `checkpoints/<number>.note` are the signed notes as they were taken."""

    def __init__(self, folder: Path | None, url: str = "", options: dict[str, str] | None = None) -> None:
        self._objects = Objects(folder or Path("/nonexistent"), url, options) if folder or url else None

    @property
    def kept(self) -> bool:
        """Whether there is a place at all."""
        return self._objects is not None

    async def store(self, number: int, note: str) -> None:
        """Keep a note."""
        assert self._objects is not None
        await self._objects.put(_key(number), note.encode())

    async def freeze(self, plan: str, label: str, document: bytes) -> None:
        """Keep the document of a closed period."""
        assert self._objects is not None
        await self._objects.put(f"periods/{plan}/{label}.json", document)

    async def point(self, number: int, note: str) -> None:
        """Remember the newest note."""
        assert self._objects is not None
        await self._objects.put(_LATEST, orjson.dumps({"number": number, "note": note}))

    async def latest(self) -> tuple[int, str] | None:
        """The newest note and its number."""
        if self._objects is None:
            return None
        try:
            found = orjson.loads(await self._objects.get(_LATEST))
        except FileNotFoundError:
            return None
        return found["number"], found["note"]

    async def notes(self) -> AsyncIterator[tuple[int, str]]:
        """All notes by number."""
        if self._objects is None:
            return
        for key in await self._objects.under("checkpoints/"):
            if key.endswith(".note"):
                number = int(key.removeprefix("checkpoints/").removesuffix(".note").replace("/", ""))
                yield number, (await self._objects.get(key)).decode()

    async def frozen(self) -> dict[tuple[str, str], bytes]:
        """All documents of closed periods, by plan and period."""
        if self._objects is None:
            return {}
        found = {}
        for key in await self._objects.under("periods/"):
            _, plan, name = key.split("/")
            found[plan, name.removesuffix(".json")] = await self._objects.get(key)
        return found


def _key(number: int) -> str:
    text = f"{number:012d}"
    return f"checkpoints/{text[:4]}/{text[4:8]}/{text[8:]}.note"
