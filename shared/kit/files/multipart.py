"""Multipart bodies (RFC 7578) as a stream: nothing of a file is ever gathered whole or put on disk.

Fields come as whole values, files as chunks. The names that files had are thrown away here, before anything sees them.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.kit.problem import BadRequest

_LONGEST_FIELD = 4096
_MOST_PARTS = 60
_LONGEST_HEADERS = 8192


@dataclass(frozen=True, slots=True)
class Field:
    """A plain field."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file; its chunks must be read before the next part is asked for."""

    name: str
    chunks: AsyncIterator[bytes]


def _unreadable() -> BadRequest:
    return BadRequest("表单内容不完整或无法读取，未保存任何内容。 The form is cut off or unreadable; nothing was kept.")


class _Events:
    """Turns the parser's callbacks into a list of what happened."""

    def __init__(self, boundary: bytes) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self.ended = False
        self._header, self._value, self._size = b"", b"", 0
        self.disposition = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": lambda data, start, end: self.seen.append(("data", bytes(data[start:end]))),
                "on_part_end": lambda: self.seen.append(("end", b"")),
                "on_header_field": self._on_field,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": lambda: self.seen.append(("begin", self.disposition)),
                "on_end": self._on_end,
            },
        )

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        try:
            self._parser.write(data)
        except MultipartParseError as error:
            raise _unreadable() from error
        seen, self.seen = self.seen, []
        return seen

    def _begin(self) -> None:
        self.disposition, self._size = b"", 0

    def _grow(self, more: int) -> None:
        self._size += more
        if self._size > _LONGEST_HEADERS:
            raise _unreadable()

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._grow(end - start)
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._grow(end - start)
        self._value += data[start:end]

    def _on_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self.disposition = self._value
        self._header, self._value = b"", b""

    def _on_end(self) -> None:
        self.ended = True


async def parts(content_type: str, body: AsyncIterator[bytes]) -> AsyncIterator[Field | Upload]:
    """The parts of a multipart body, in order; BadRequest where it is malformed or cut off."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 200:
        raise _unreadable()
    events = _Events(boundary)
    queue = _flow(events, body)
    count = 0
    async for what, disposition in queue:
        if what != "begin":
            continue
        count += 1
        _, told = parse_options_header(disposition)
        name = told.get(b"name", b"").decode("utf-8", "replace")
        if count > _MOST_PARTS or not name or len(name) > 100:
            raise _unreadable()
        if b"filename" in told or b"filename*" in told:
            upload = Upload(name, _until_end(queue))
            yield upload
            async for _rest in upload.chunks:
                pass
        else:
            value = b""
            async for chunk in _until_end(queue):
                value += chunk
                if len(value) > _LONGEST_FIELD:
                    raise _unreadable()
            try:
                yield Field(name, value.decode())
            except UnicodeDecodeError as error:
                raise _unreadable() from error
    if not events.ended:
        raise _unreadable()


async def _flow(events: _Events, body: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    async for chunk in body:
        for event in events.feed(chunk):
            yield event


async def _until_end(queue: AsyncIterator[tuple[str, bytes]]) -> AsyncIterator[bytes]:
    async for what, data in queue:
        if what == "end":
            return
        yield data
    raise _unreadable()
