"""What the routes of persons and places share: keys, claims, the reading put on record."""

from typing import Any
from uuid import UUID

from fastapi import Request

from services.casework.commands import Basis
from services.casework.commands.reach import claim_of
from services.casework.queries.people import People
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import BadRequest, NotFound


def basis_of(request: Request) -> Basis:
    """What commands decide by."""
    return request.app.state.basis


def people_of(request: Request) -> People:
    """What opens and shapes persons and places."""
    return request.app.state.people


def claim(request: Request, caller: Caller, operation: str, asked: Any, object_id: UUID) -> Claim:
    """The request's Idempotency-Key for this content. Raises `BadRequest` without one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        raise BadRequest(
            "请携带 Idempotency-Key，重发时用同一个键，不会重复登记；未保存任何内容。 "
            "Send an Idempotency-Key, the same one when you repeat; nothing was kept.",
            code="idempotency-key-required",
        )
    return claim_of(basis_of(request).keys, caller, operation, key, repr(asked).encode(), object_id)


def nobody() -> NotFound:
    """No such person within reach."""
    return NotFound("没有这个人员，或不在您的权限内。 No such person within your reach.", code="person-not-found")


def no_place() -> NotFound:
    """No such place within reach."""
    return NotFound("没有这个场所，或不在您的权限内。 No such place within your reach.", code="place-not-found")
