"""Static files from memory: named by their content hash in the query, so browsers may keep them for ever."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from shared.kit.access import Public
from shared.kit.problem import NotFound

FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_SMALL = 1024


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file's bytes, plain and gzipped, its type and the first 16 digits of its SHA-256."""

    content: bytes
    packed: bytes | None
    media_type: str
    digest: str


@cache
def load(path: str) -> StaticFile | None:
    """A file of the static folder; None for what is not there or lies outside it."""
    if path not in _names():
        return None
    content = (FOLDER / path).read_bytes()
    media_type = _TYPES.get(Path(path).suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    packed = gzip.compress(content, 9, mtime=0) if len(content) > _SMALL else None
    return StaticFile(content, packed, media_type, hashlib.sha256(content).hexdigest()[:16])


@cache
def _names() -> frozenset[str]:
    return frozenset(file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*") if file.is_file())


def address(path: str, root_path: str = "") -> str:
    """The address of a static file with its content hash; KeyError for one that does not exist."""
    found = load(path)
    if found is None:
        raise KeyError(path)
    return f"{root_path}/static/{path}?v={found.digest}"


def mount_static(app: FastAPI) -> None:
    """Serve `/static/*` of the shared theme."""
    router = APIRouter(tags=["pages"])

    @router.get(
        "/static/{path:path}", include_in_schema=False, dependencies=[Depends(Public("the theme; the same for all"))]
    )
    async def static_file(path: str, request: Request) -> Response:
        found = load(path)
        if found is None:
            raise NotFound("没有这个文件。 There is no such file.")
        headers = {
            "cache-control": _FOREVER if request.query_params.get("v") == found.digest else _ASK_AGAIN,
            "etag": f'"{found.digest}"',
            "vary": "accept-encoding",
        }
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(found.packed, media_type=found.media_type, headers={**headers, "content-encoding": "gzip"})
        return Response(found.content, media_type=found.media_type, headers=headers)

    app.include_router(router)
