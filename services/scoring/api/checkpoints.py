"""Checkpoints and proofs: what an outsider needs to see that nobody changed the ledger, with the public key alone."""

from __future__ import annotations

import base64
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.scoring.commands.checkpoints import KEY
from services.scoring.domain.notes import verifier_key
from services.scoring.queries import tree
from services.scoring.schemas.checkpoints import (
    CheckpointOut,
    CheckpointsOut,
    ConsistencyOut,
    InclusionOut,
    LedgerKeyOut,
    LedgerKeysOut,
)
from shared.kit import db
from shared.kit.access import Caller, Public, Requires
from shared.kit.problem import NotFound
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["checkpoints"])
well_known = APIRouter(tags=["checkpoints"])

RIGHT = "score.read"
KEYS_PATH = "/.well-known/dachuan-ledger-keys"
_OPEN = Public("sizes, hashes and signatures say nothing of anyone, and everyone may check them")
Number = Annotated[int, Query(ge=1, description="A checkpoint's number")]


@well_known.get(
    KEYS_PATH, response_model=LedgerKeysOut, summary="The public keys that sign checkpoints of the ledger",
    dependencies=[Depends(_OPEN)],
)  # fmt: skip
async def keys(request: Request) -> Response:
    """Note them down when you first meet this ledger: later checkpoints are checked by them."""
    signer = request.app.state.sealing.signer
    told = []
    for generation, key in signer.keys.public_keys(KEY).items():
        raw, verifier = key.public_bytes_raw(), verifier_key(signer.origin, key)
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        told.append(
            LedgerKeyOut(kid=verifier.split("+")[1], x=x, current=generation == signer.keys.current, verifier=verifier)
        )
    out = LedgerKeysOut(origin=signer.origin, keys=told)
    return ORJSONResponse(out.model_dump(mode="json"), headers={"cache-control": "public, max-age=300"})


def _missing() -> NotFound:
    return NotFound("没有这个检查点。 There is no such checkpoint.")


@router.get(
    "/checkpoints", response_model=CheckpointsOut, summary="Checkpoints, newest first", dependencies=[Depends(_OPEN)]
)
async def list_(
    request: Request,
    before: Annotated[int | None, Query(ge=1, description="Only those with a lower number")] = None,
    limit: int = Query(50, ge=1, le=500),
) -> Response:
    """All that were ever taken; each is signed and stands for every one before it."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await tree.newest(conn, before=before, limit=limit)
    out = CheckpointsOut(items=[CheckpointOut.of(row) for row in rows[:limit]], more=len(rows) > limit)
    return ORJSONResponse(out.model_dump(mode="json"))


@router.get(
    "/checkpoints/latest", summary="The newest checkpoint as a signed note", dependencies=[Depends(_OPEN)],
    response_class=Response, responses={200: {"content": {"text/plain": {}}}},
)  # fmt: skip
async def latest(request: Request) -> Response:
    """Plain text (C2SP signed note)."""
    async with db.begin(request.app.state.service.engine) as conn:
        row = await tree.latest(conn)
    if row is None:
        raise _missing()
    return Response(row.note, media_type="text/plain; charset=utf-8", headers={"cache-control": "no-cache"})


@router.get(
    "/checkpoints/consistency", response_model=ConsistencyOut, summary="Proof that one checkpoint extends another",
    dependencies=[Depends(_OPEN)],
)  # fmt: skip
async def consistency(request: Request, first: Number, second: Number) -> Response:
    """By number. A reader that keeps the newest checkpoint it has checked needs nothing else to trust the next."""
    async with db.begin(request.app.state.service.engine) as conn:
        found = await tree.consistency(conn, first, second)
    if found is None:
        raise _missing()
    old, new, path = found
    out = ConsistencyOut(first=CheckpointOut.of(old), second=CheckpointOut.of(new), path=_texts(path))
    return ORJSONResponse(out.model_dump(mode="json"))


@router.get("/ledger/{entry_id}/proof", response_model=InclusionOut, summary="Proof that an entry is in the ledger")
async def inclusion(
    request: Request,
    entry_id: UUID,
    caller: Caller = Depends(Requires(RIGHT)),
    checkpoint: Annotated[int | None, Query(ge=1, description="A checkpoint's number; the newest without it")] = None,
) -> Response:
    """The leaf, its place and the path to a checkpoint's root. An entry is covered about a minute after it is recorded."""
    async with db.begin(request.app.state.service.engine) as conn:
        try:
            found = await tree.inclusion(conn, caller, RIGHT, entry_id, checkpoint)
        except tree.NotCovered:
            raise NotFound(
                "这条记录尚未被检查点覆盖，约一分钟后再试。 No checkpoint covers this entry yet; try again in a minute.",
                code="not-covered",
            ) from None
    if found is None:
        raise NotFound("没有这条记分，或不在您的权限内。 No such entry within your reach.")
    out = InclusionOut(
        leaf=found.leaf.decode(),
        index=found.index,
        path=_texts(found.path),
        checkpoint=CheckpointOut.of(found.checkpoint),
    )
    return ORJSONResponse(out.model_dump(mode="json"))


def _texts(hashes: Any) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]
