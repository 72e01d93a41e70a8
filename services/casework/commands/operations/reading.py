"""Reading one operation: what it holds is protected, so that it was read is recorded with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.operations.common import no_operation
from services.casework.queries.operations import get_operation
from services.casework.queries.operations_present import OperationPresenter
from services.casework.tables import kit
from shared.kit import audit
from shared.kit.access import Caller


async def read_operation(
    conn: AsyncConnection, present: OperationPresenter, caller: Caller, operation_id: UUID, now: datetime
) -> dict[str, Any]:
    """One operation as the caller is shown it. Raises `NotFound` for one that the caller must not know of."""
    full = await get_operation(conn, caller, operation_id)
    if full is None:
        raise no_operation()
    await audit.record(conn, kit, caller, "operation.read", "proceeding", [operation_id], now)
    return present.full(caller, full, now)
