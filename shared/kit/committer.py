"""Group commit: requests that arrive together share one transaction.

A request hands its command over and waits; one task takes all that wait, applies them in one transaction,
commits, then answers each. Alone, a request waits for nobody; while several come together, a few milliseconds' worth
are gathered, since a transaction costs much and one more command in it little.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.kit import clock, crash, db

GATHER_S = 0.01
"""How long commands are gathered while they come in company, in seconds."""

C = TypeVar("C")
R = TypeVar("R")

Apply = Callable[[AsyncConnection, Sequence[C], datetime], Awaitable[list[R]]]


class Committer(Generic[C, R]):
    """Applies commands of one kind in shared transactions.

    `apply` returns one result a command, in order. When a shared transaction fails for a reason other than an
    unreachable database, each command is tried alone, so that one bad command cannot fail its neighbours.
    """

    def __init__(self, engine: AsyncEngine, apply: Apply[C, R], *, most: int = 200) -> None:
        self._engine = engine
        self._apply = apply
        self._most = most
        self._waiting: deque[tuple[C, asyncio.Future[R]]] = deque()
        self._arrived = asyncio.Event()
        self._crowded = False

    async def submit(self, command: C, *, first: bool = False) -> R:
        """Apply a command; returns after its commit. `first` puts it in front of all that wait."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if first else self._waiting.append)((command, future))
        self._arrived.set()
        return await future

    async def run(self) -> None:
        """Apply what arrives, batch after batch; runs until cancelled."""
        while True:
            await self._arrived.wait()
            if self._crowded:
                await asyncio.sleep(GATHER_S)
            taken = []
            while self._waiting and len(taken) < self._most:
                taken.append(self._waiting.popleft())
            if not self._waiting:
                self._arrived.clear()
            taken = [(command, future) for command, future in taken if not future.done()]
            self._crowded = len(taken) > 1
            if not taken:
                continue
            try:
                results = await self._transaction([command for command, _ in taken])
            except Exception as error:
                if len(taken) == 1 or db.unavailable(error):
                    self._fail(taken, error)
                else:
                    await self._one_by_one(taken)
                continue
            for (_, future), result in zip(taken, results, strict=True):
                if not future.done():
                    future.set_result(result)

    async def _one_by_one(self, taken: list[tuple[C, asyncio.Future[R]]]) -> None:
        for command, future in taken:
            try:
                result = (await self._transaction([command]))[0]
            except Exception as error:
                self._fail([(command, future)], error)
            else:
                if not future.done():
                    future.set_result(result)

    @staticmethod
    def _fail(taken: list[tuple[C, asyncio.Future[R]]], error: Exception) -> None:
        for _, future in taken:
            if not future.done():
                future.set_exception(error)

    async def _transaction(self, commands: Sequence[C]) -> list[R]:
        async with db.begin(self._engine) as conn:
            results = await self._apply(conn, commands, clock.now())
        crash.point("api.after_commit")
        return results
