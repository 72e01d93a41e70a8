"""Requests about evidence: what the API and the pages have in common."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.evidence import handovers, uploads
from services.casework.commands.evidence.room import EvidenceRoom, claim_of, no_item
from services.casework.domain.evidence import HandoverAction
from services.casework.queries import evidence as queries
from services.casework.queries.evidence_present import EvidencePresenter
from shared.kit import clock, db
from shared.kit.access import Caller
from shared.kit.files.multipart import Field, parts
from shared.kit.problem import BadRequest, Invalid


def is_upload(path: str) -> bool:
    """Whether a path takes a file of evidence: these bodies alone may be large."""
    return path.startswith(("/v1/evidence/", "/evidence/")) and path.endswith("/files")


def room_of(request: Request) -> EvidenceRoom:
    """The evidence room of this process."""
    return request.app.state.evidence


def present(request: Request) -> EvidencePresenter:
    """How evidence is shown."""
    return request.app.state.evidence_present


async def full_item(request: Request, conn: AsyncConnection, caller: Caller, item_id: UUID) -> dict[str, Any]:
    """An item as `ItemFull`. Raises `NotFound`."""
    row = await queries.item(conn, caller, item_id)
    if row is None:
        raise no_item()
    files, copies = await queries.files_of(conn, [item_id]), await queries.copies_of(conn, item_id)
    return present(request).item_full(row, files, copies)


async def receive(request: Request, caller: Caller, item_id: UUID) -> uploads.FileTaken:
    """The file of a request: its whole body, or the first file of a form."""
    room, key = room_of(request), request.headers.get("idempotency-key")
    told = digest_of(request)
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        return await uploads.take_file(room, caller, item_id, request.stream(), key=key, expected=told)
    async for part in parts(kind, request.stream()):
        if isinstance(part, Field):
            if part.name == "sha256" and part.value.strip():
                told = _digest(lambda value=part.value: bytes.fromhex(value.strip()))
            elif part.name == "idempotency_key" and key is None:
                key = part.value
            continue
        return await uploads.take_file(room, caller, item_id, part.chunks, key=key, expected=told)
    raise Invalid("没有选择文件。 There is no file in the request.", code="no-file")


def digest_of(request: Request) -> bytes | None:
    """The SHA-256 that a Content-Digest or Repr-Digest (RFC 9530) or Digest (RFC 3230) header tells, if any."""
    for name, opening, closing in (("content-digest", ":", ":"), ("repr-digest", ":", ":"), ("digest", "", "")):
        for part in (request.headers.get(name) or "").split(","):
            algorithm, _, value = part.strip().partition("=")
            if algorithm.lower() == "sha-256" and value:
                plain = value.removeprefix(opening).removesuffix(closing)
                return _digest(lambda plain=plain: base64.b64decode(plain, validate=True))
    return None


def _digest(read: Callable[[], bytes]) -> bytes:
    try:
        found = read()
    except (ValueError, binascii.Error):
        found = b""
    if len(found) != 32:
        raise BadRequest(
            "所报的 SHA-256 无法读取，没有保存任何内容。 The SHA-256 you gave cannot be read; nothing was kept.", code="bad-digest"
        )
    return found


Change = Callable[..., Awaitable[UUID]]


async def changed(
    request: Request, caller: Caller, operation: str, change: Change, item_id: UUID, version: int, body: BaseModel, key: str
) -> UUID:
    """Carry out a change of one item in a transaction of its own."""
    room = room_of(request)
    asked = item_id.bytes + str(version).encode() + body.model_dump_json().encode()
    claim = claim_of(room, caller, operation, key, asked, item_id)
    async with db.begin(room.service.engine) as conn:
        return await change(conn, room, caller, item_id, version, body, claim, clock.now())


async def answered(
    request: Request, caller: Caller, handover_id: UUID, action: HandoverAction, version: int, body: BaseModel, key: str
) -> None:
    """Carry out an answer in a transaction of its own."""
    room = room_of(request)
    asked = handover_id.bytes + str(version).encode() + body.model_dump_json().encode()
    claim = claim_of(room, caller, f"evidence.{action.value}", key, asked, handover_id)
    async with db.begin(room.service.engine) as conn:
        await handovers.answer(conn, room, caller, handover_id, version, action, body, claim, clock.now())
