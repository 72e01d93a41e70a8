"""What the API and the pages of certificates share: the Idempotency-Key of a request, what is not there, the public list."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from services.scoring.commands.certificates.basis import Desk
from services.scoring.queries import certificates as queries
from services.scoring.queries.certificates_present import public_out
from services.scoring.schemas.certificates import PublicCertificates
from shared.kit import db, idempotency
from shared.kit.access import Caller
from shared.kit.problem import NotFound


def claim_of(
    desk: Desk, caller: Caller, operation: str, key: str, about: str, body: BaseModel, version: int, object_id: UUID
) -> idempotency.Claim:
    """The Idempotency-Key of one request about a certification. Raises BadRequest for an unusable key."""
    asked = f"{about}:{version}\n{body.model_dump_json()}".encode()
    keys = desk.service.settings.keys
    return idempotency.claim(keys, caller, operation, idempotency.check_key(key), asked, object_id)


def not_found() -> NotFound:
    """The answer for what is not there, or not for this caller."""
    return NotFound(
        "没有这项认定，或不在您的权限内。 No such certification within your reach.", code="certification-not-found"
    )


async def public_list(desk: Desk, now: datetime) -> PublicCertificates:
    """The public list as of now."""
    async with db.begin(desk.service.engine) as conn:
        rows = [row for row in await queries.public(conn) if row.plan in desk.service.plans]
        reasons = await queries.reasons_of(conn, [row.id for row in rows])
    return PublicCertificates(at=now, items=[public_out(desk, row, reasons.get(row.id, [])) for row in rows])
