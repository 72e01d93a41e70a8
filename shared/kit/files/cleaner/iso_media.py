"""MP4, M4A, MOV (ISO/IEC 14496-12): boxes that tell of place, device, time or person become free space.

Nothing is moved, so the sample tables stay right.
"""

import struct
from collections.abc import Iterator

from shared.kit.files.cleaner import RefusedError

_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"moof", b"traf", b"mvex"})
_TELLING = frozenset({b"udta", b"meta", b"uuid", b"XMP_", b"free", b"skip", b"wide", b"loci", b"cprt", b"tref"})
_DATED = frozenset({b"mvhd", b"tkhd", b"mdhd"})
_MOST_BOXES = 200_000


def clean(data: bytes) -> bytes:
    """The recording without user data, metadata boxes, dates and names of handlers."""
    made = bytearray(data)
    _scrub(made, 0, len(made), 0, [0])
    if b"moov" not in {kind for kind, *_ in _boxes(made, 0, len(made))}:
        raise RefusedError("broken")
    return bytes(made)


def _boxes(data: bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """(type, start, start of content, end) of each box."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            size, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            raise RefusedError("broken")
        yield kind, start, start + head, start + size
        start += size
    if start != end and any(data[start:end]):
        raise RefusedError("broken")


def _scrub(data: bytearray, start: int, end: int, depth: int, count: list[int]) -> None:
    if depth > 12:
        raise RefusedError("bomb")
    for kind, at, content, box_end in list(_boxes(data, start, end)):
        count[0] += 1
        if count[0] > _MOST_BOXES:
            raise RefusedError("bomb")
        if kind in _TELLING:
            data[at + 4 : at + 8] = b"free"
            data[content:box_end] = bytes(box_end - content)
        elif kind in _DATED:
            dates = 16 if data[content] == 1 else 8
            data[content + 4 : content + 4 + dates] = bytes(dates)
        elif kind == b"hdlr" and box_end - content > 24:
            data[content + 24 : box_end] = bytes(box_end - content - 24)
        elif kind in _CONTAINERS:
            _scrub(data, content, box_end, depth + 1, count)
