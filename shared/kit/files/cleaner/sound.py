"""Recordings: their tags taken off (mutagen), and where a format keeps more than tags, only the sound kept."""

import io

import mutagen
from mutagen import apev2, id3
from mutagen.flac import FLAC, SeekTable, StreamInfo

from shared.kit.files.cleaner import RefusedError

_AMR_FRAMES = (12, 13, 15, 17, 19, 20, 26, 31, 5, 6, 5, 5, 0, 0, 0, 0)
"""Bytes of an AMR frame after its first, by mode (RFC 4867 §5.3)."""
_WAV_KEPT = frozenset({b"fmt ", b"fact", b"data"})


def clean(media_type: str, data: bytes) -> bytes:
    """The recording without tags, pictures and comments."""
    try:
        if media_type == "audio/wav":
            return _wav(data)
        if media_type == "audio/amr":
            return _amr(data)
        file = io.BytesIO(data)
        if media_type in ("audio/mpeg", "audio/aac"):
            id3.delete(file)
            file.seek(0)
            apev2.delete(file)
            file.seek(0)
            if mutagen.File(file) is None:
                raise RefusedError("broken")
        elif media_type == "audio/flac":
            sound = FLAC(file)
            sound.metadata_blocks = [b for b in sound.metadata_blocks if isinstance(b, (StreamInfo, SeekTable))]
            file.seek(0)
            sound.save(file, deleteid3=True, padding=lambda _: 0)
        else:
            sound = mutagen.File(file)
            if sound is None:
                raise RefusedError("broken")
            file.seek(0)
            sound.delete(file)
        return file.getvalue()
    except mutagen.MutagenError as error:
        raise RefusedError("broken") from error


def _wav(data: bytes) -> bytes:
    out, at = [], 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if kind in _WAV_KEPT:
            out.append(kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2))
        at += 8 + size + size % 2
    if not any(chunk.startswith(b"fmt ") for chunk in out):
        raise RefusedError("broken")
    whole = b"WAVE" + b"".join(out)
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole


def _amr(data: bytes) -> bytes:
    magic = b"#!AMR\n"
    if not data.startswith(magic):
        raise RefusedError("broken")
    at = len(magic)
    while at < len(data):
        end = at + 1 + _AMR_FRAMES[data[at] >> 3 & 15]
        if end > len(data):
            break
        at = end
    return data[:at]
