"""The place of a service where files arrive: the vault, the scanner, the cleaner, and a bounded number of seats."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from shared.kit.files.clamav import Scanner
from shared.kit.files.cleaning import Cleaner, Limits
from shared.kit.files.objects import Objects
from shared.kit.files.settings import FileSettings
from shared.kit.files.vault import Vault

S = TypeVar("S", bound=FileSettings)


class Room(Generic[S]):
    """What taking files needs; one a process."""

    def __init__(self, settings: S) -> None:
        self.settings = settings
        self.vault = Vault(Objects(settings.objects_dir, settings.objects_url, settings.objects_options))
        self.scanner = Scanner(settings.clamav)
        self.cleaner = Cleaner(
            Limits(memory_mb=settings.cleaning_memory_mb, cpu_s=settings.cleaning_cpu_s), settings.cleanings_at_once
        )
        self._places = asyncio.Semaphore(settings.uploads_at_once)

    async def free(self) -> bool:
        """Whether there is more room than the reserve (with S3, nobody knows: yes)."""
        room = await asyncio.to_thread(self.vault.objects.room)
        return room is None or room >= self.settings.objects_reserve_bytes

    @asynccontextmanager
    async def seat(self, busy: Callable[[], Exception], full: Callable[[], Exception]) -> AsyncIterator[None]:
        """A seat to receive one file; raises `busy` when none becomes free in time, `full` when the disk nearly is."""
        try:
            async with asyncio.timeout(self.settings.upload_wait_s):
                await self._places.acquire()
        except TimeoutError:
            raise busy() from None
        try:
            if not await self.free():
                raise full()
            yield
        finally:
            self._places.release()
