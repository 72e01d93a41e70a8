"""The processes of a rebuild: each takes a part of the cases, and writes what they come to."""

from __future__ import annotations

import asyncio
import gc
import marshal
import multiprocessing
import shutil
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from services.scoring.commands.refilling import Loaded, Message, Shard, shard_of
from services.scoring.domain.books import Books


class ShardFailed(RuntimeError):
    """A process of the rebuild ended with an error; its words say which."""


class Shards:
    """Forked processes with the rulebooks of this one. `end` must follow, whatever happened."""

    def __init__(self, books: Books, database_url: str, count: int) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="dachuan-rebuild-"))
        self._waiting: list[list[Message]] = [[] for _ in range(count)]
        self._pipes: list[Connection] = []
        self._processes = []
        forking = multiprocessing.get_context("fork")
        url = database_url.replace("+asyncpg", "")
        for number in range(count):
            ours, theirs = forking.Pipe()
            folder = self._folder / str(number)
            folder.mkdir()
            process = forking.Process(target=_work, args=(theirs, books, folder, url), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def put(self, key: bytes | None, message: Message) -> None:
        """An event for the process that has its case; `send` hands it over."""
        self._waiting[shard_of(key, len(self._waiting))].append(message)

    async def send(self) -> None:
        """Hand over what was put; waits while a process is behind. Raises `ShardFailed`."""
        for number, messages in enumerate(self._waiting):
            if messages:
                await self._call(number, marshal.dumps(messages))
                self._waiting[number] = []

    async def load(self) -> list[Loaded]:
        """Let all write what they have; what each had. Raises `ShardFailed`."""
        await self.send()
        for number in range(len(self._pipes)):
            await self._call(number, b"")
        found = []
        for pipe in self._pipes:
            try:
                answer = await asyncio.to_thread(pipe.recv)
            except EOFError:
                raise ShardFailed("a process of the rebuild was ended from outside") from None
            if isinstance(answer, str):
                raise ShardFailed(answer)
            found.append(answer)
        return found

    async def _call(self, number: int, message: bytes) -> None:
        try:
            await asyncio.to_thread(self._pipes[number].send_bytes, message)
        except OSError:
            why = self._pipes[number].recv() if self._pipes[number].poll(1) else "it was ended from outside"
            raise ShardFailed(str(why)) from None

    def end(self) -> None:
        """End the processes and remove their files."""
        for process, pipe in zip(self._processes, self._pipes, strict=True):
            process.kill()
            process.join(5)
            pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _work(pipe: Connection, books: Books, folder: Path, database_url: str) -> None:
    # millions of small tuples and no cycles: looking for some costs more than all the rest
    gc.disable()
    shard = Shard(books, folder)
    try:
        while message := pipe.recv_bytes():
            shard.take(marshal.loads(message))
        pipe.send(asyncio.run(shard.load(database_url)))
    except EOFError:
        return
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
