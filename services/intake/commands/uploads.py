"""Requests that bring files, and answers that are files: what the API and the pages have in common."""

from uuid import UUID

from fastapi import Request

from services.intake import queries
from services.intake.commands import evidence as commands
from shared.kit.access import ANONYMOUS, Caller
from shared.kit.files.kinds import TAKEN
from shared.kit.files.multipart import Field, Upload, parts
from shared.kit.idempotency import check_key
from shared.kit.problem import Invalid, Problem
from shared.kit.service import Service


async def take_form(request: Request) -> list[commands.FileTaken | Problem]:
    """The files of a multipart form, each taken or refused. The receipt stands before them."""
    service: Service = request.app.state.service
    tip_id: UUID | None = None
    results: list[commands.FileTaken | Problem] = []
    key = request.headers.get("idempotency-key")
    async for part in parts(request.headers.get("content-type", ""), request.stream()):
        if isinstance(part, Field):
            if part.name == "receipt" and tip_id is None:
                row = await queries.tip_by_receipt(service, request.app.state.receipt_misses, part.value)
                tip_id = row.id
            elif part.name == "idempotency_key" and key is None:
                key = part.value
        elif tip_id is None:
            raise Invalid(
                "请先填回执号，再选文件；没有保存任何内容。 The receipt must come before the files; nothing was kept.",
                code="receipt-first",
            )
        else:
            own = f"{check_key(key)}/{len(results)}" if key else None
            results.append(await _take(request, ANONYMOUS, tip_id, part, own))
    return results


async def _take(
    request: Request, caller: Caller, tip_id: UUID, part: Upload, key: str | None
) -> commands.FileTaken | Problem:
    state = request.app.state
    try:
        return await commands.take_file(state.service, state.evidence, caller, tip_id, part.chunks, key=key)
    except Problem as problem:
        if problem.status == 400:
            raise
        return problem


async def take_for_officer(request: Request, tip_id: UUID, caller: Caller) -> list[commands.FileTaken | Problem]:
    """The file or files of an officer's request, each taken or refused."""
    given = request.headers.get("idempotency-key")
    key = check_key(given) if given else None
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        return [await _take(request, caller, tip_id, Upload("", request.stream()), key)]
    results = []
    async for part in parts(kind, request.stream()):
        if isinstance(part, Upload):
            results.append(await _take(request, caller, tip_id, part, f"{key}/{len(results)}" if key else None))
    return results


def ending(media_type: str) -> str:
    """How a download of a media type ends."""
    return TAKEN[media_type].ending
