"""What open feed streams wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from services.scoring import metrics


class Pulse:
    """The number of the newest change, as last looked up, and the streams that wait for it to move."""

    def __init__(self) -> None:
        self.newest = 0
        self.streams = 0
        self._moved = asyncio.Condition()

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count an open stream."""
        self.streams += 1
        metrics.FEED_STREAMS.set(self.streams)
        try:
            yield
        finally:
            self.streams -= 1
            metrics.FEED_STREAMS.set(self.streams)

    async def changed(self, seen: int, patience_s: float) -> bool:
        """Wait until there is something newer than `seen`; False when patience ran out first."""
        try:
            async with asyncio.timeout(patience_s), self._moved:
                await self._moved.wait_for(lambda: self.newest != seen)
        except TimeoutError:
            return False
        return True

    async def beat(self, newest: int) -> None:
        """Tell the streams the number of the newest change."""
        if newest != self.newest:
            async with self._moved:
                self.newest = newest
                self._moved.notify_all()
