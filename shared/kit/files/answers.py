"""Answers that are files."""

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse


def download(chunks: AsyncIterator[bytes], media_type: str, size: int | None, name: str) -> StreamingResponse:
    """A download that a browser neither opens, guesses at, runs nor keeps. `size` in bytes where it is known."""
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "content-security-policy": "sandbox; default-src 'none'",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }
    return StreamingResponse(
        chunks, media_type=media_type, headers=headers if size is None else headers | {"content-length": str(size)}
    )
