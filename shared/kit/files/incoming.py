"""A file on its way in: measured and looked at while it streams through."""

from collections.abc import AsyncIterator, Callable

from shared.kit.files.sniffing import HEAD, identify


class Incoming:
    """Streams chunks on. After the first `HEAD` bytes `judged(media type or None, reason)` may raise to refuse it;
    past `most` bytes `too_large(most)` is raised."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        most: int,
        too_large: Callable[[int], Exception],
        judged: Callable[[str | None, str], None],
    ) -> None:
        self._chunks, self._most, self._too_large, self._judged = chunks, most, too_large, judged
        self._head, self._size, self._told = b"", 0, False
        self.media_type: str | None = None
        self.reason = ""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            self._size += len(chunk)
            if self._size > self._most:
                raise self._too_large(self._most)
            if not self._told:
                self._head += chunk[: HEAD - len(self._head)]
                if len(self._head) == HEAD:
                    self._identify(whole=False)
            yield chunk
        if not self._told:
            self._identify(whole=self._size == len(self._head))

    def _identify(self, *, whole: bool) -> None:
        self._told = True
        self.media_type, self.reason = identify(self._head, whole=whole)
        self._head = b""
        self._judged(self.media_type, self.reason)
