"""Cleaning in a process apart: it has little memory, time and nothing else, and what it dies of stays with it."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson

_ROOT = Path(__file__).resolve().parents[3]
_PIECE = 256 * 1024

Keep = Callable[[AsyncIterator[bytes]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the cleaner says: `cleaned` (a copy of `size` bytes was kept), `kept` (none can be made, `reason` of
    `UNCLEANED`), `refused` (`reason` of `REFUSALS`) or `broke` (it died, by its limits or by the file)."""

    outcome: Literal["cleaned", "kept", "refused", "broke"]
    reason: str | None = None
    media_type: str = ""
    copy_type: str | None = None
    copy_size: int | None = None
    marked: bool = False
    """Whether the copy carries the mark that was asked for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one cleaning may use."""

    memory_mb: int = 512
    cpu_s: int = 20
    wall_s: float = 40.0


class Cleaner:
    """Starts `python -m shared.kit.files.cleaner` for each file; at most `at_once` run together."""

    def __init__(self, limits: Limits, at_once: int) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(at_once)

    async def clean(
        self, media_type: str, plain: AsyncIterator[bytes], keep: Keep, wait_s: float, mark: str = ""
    ) -> Verdict | None:
        """Judge a file and hand its cleaned copy to `keep`; None when no place became free within `wait_s`.

        `mark` (ASCII letters, digits, spaces, points, hyphens) is written across the copy where its kind allows.
        """
        try:
            async with asyncio.timeout(wait_s):
                await self._places.acquire()
        except TimeoutError:
            return None
        try:
            return await self._run(media_type, plain, keep, mark)
        finally:
            self._places.release()

    async def _run(self, media_type: str, plain: AsyncIterator[bytes], keep: Keep, mark: str) -> Verdict:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-s", "-m", "shared.kit.files.cleaner",
            media_type, str(self._limits.memory_mb), str(self._limits.cpu_s), mark,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": os.defpath, "PYTHONPATH": str(_ROOT), "LC_ALL": "C.UTF-8", "PYTHONSAFEPATH": "1"},
            cwd="/",
            limit=_PIECE,
        )  # fmt: skip
        broke = Verdict("broke", "cleaning-failed", media_type)
        try:
            async with asyncio.timeout(self._limits.wall_s):
                return await self._talk(process, media_type, plain, keep) or broke
        except TimeoutError:
            return broke
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @staticmethod
    async def _talk(
        process: asyncio.subprocess.Process, media_type: str, plain: AsyncIterator[bytes], keep: Keep
    ) -> Verdict | None:
        assert process.stdin and process.stdout
        with contextlib.suppress(ConnectionError):
            async for chunk in plain:
                process.stdin.write(chunk)
                await process.stdin.drain()
            process.stdin.close()
        try:
            told = orjson.loads(await process.stdout.readline())
        except (ValueError, orjson.JSONDecodeError):
            return None
        if told["outcome"] != "cleaned":
            return Verdict(told["outcome"], told["reason"], told["media_type"])
        size, expected = 0, told["size"]
        stdout = process.stdout

        async def copy() -> AsyncIterator[bytes]:
            nonlocal size
            while piece := await stdout.read(_PIECE):
                size += len(piece)
                yield piece

        await keep(copy())
        if size != expected or await process.wait() != 0:
            return None
        return Verdict("cleaned", None, told["media_type"], told["copy_type"], size, told["marked"])
