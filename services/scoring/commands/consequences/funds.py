"""Special funds: a budget is given, sums are committed, released, paid; never more than is free (X-S1, D-L)."""

from __future__ import annotations

import zlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.consequences.basis import Basis, another, taken, words_of
from services.scoring.domain.consequences.funds import Balance, Move, balance, left_of
from services.scoring.queries.consequences import as_moves, moves_of
from services.scoring.tables import fund_moves, kit
from shared.events.consequences import FundMoved
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Invalid
from shared.rules.plan.parts import Fund


def fund_of(basis: Basis, plan: str, fund: str) -> Fund:
    """A fund of a plan. Raises `Invalid`."""
    for one in basis.plans[plan].funds if plan in basis.plans else ():
        if one.id == fund:
            return one
    raise Invalid("方案里没有这项经费；未作更改。 The plan has no such fund; nothing was changed.", code="no-such-fund")


async def move(
    conn: AsyncConnection,
    basis: Basis,
    caller: Caller,
    fund: str,
    kind: str,
    yuan: int,
    purpose: str,
    *,
    commitment: UUID | None = None,
    claim: Claim,
    now: datetime,
) -> UUID:
    """Give a budget, commit a sum, release or pay what was committed; who pays is not who committed.

    Raises `Invalid`, `Conflict` (more than is free, than the plan gives, or than is left of the commitment), `Forbidden`.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    plan = caller.plan or ""
    found = fund_of(basis, plan, fund)
    rows, _ = await locked(conn, plan, fund)
    if commitment is not None and kind == "pay":
        mine = [row for row in rows if row.id == commitment]
        another(caller, *(row.actor for row in mine))
        if any(row.measure_id for row in mine):
            raise Conflict(
                "这笔款在奖惩事项里支付；未作更改。 This sum is paid with its measure; nothing was changed.",
                code="paid-with-its-measure",
            )
    await put(
        conn, basis, found, plan, Move(claim.object_id, kind, yuan, commitment), words_of(purpose, True), caller, now
    )
    return claim.object_id


async def locked(conn: AsyncConnection, plan: str, fund: str) -> tuple[list[object], list[Move]]:
    """All moves of a fund; nobody else moves it until the commit."""
    await conn.execute(select(func.pg_advisory_xact_lock(zlib.crc32(f"scoring:fund:{plan}:{fund}".encode()))))
    rows = list(await moves_of(conn, plan, fund))
    return rows, as_moves(rows)


async def put(
    conn: AsyncConnection, basis: Basis, fund: Fund, plan: str, made: Move, purpose: str, caller: Caller, now: datetime,
    measure_id: UUID | None = None,
) -> Balance:  # fmt: skip
    """Write a move after checking it against all before; returns the balance after it. Raises `Conflict`, `Invalid`."""
    _, moves = await locked(conn, plan, fund.id)
    before = balance(moves)
    match made.kind:
        case "budget":
            if fund.yuan is not None and before.budget + made.yuan > fund.yuan:
                raise Conflict(
                    f"方案给这项经费 {fund.yuan} 元，已编 {before.budget} 元；未作更改。 "
                    f"The plan gives {fund.yuan} yuan, {before.budget} are budgeted; nothing was changed.",
                    code="over-the-plan",
                )
        case "commit":
            if made.yuan > before.free:
                raise Conflict(
                    f"经费可用 {before.free} 元，不足 {made.yuan} 元；未作更改，请先追加预算或释放其他承诺。 "
                    f"{before.free} yuan are free, {made.yuan} are asked for; nothing was changed.",
                    code="fund-short",
                    free=before.free,
                )
        case _:
            if made.commitment is None:
                raise Invalid(
                    "请写明是哪一笔承诺；未作更改。 Name the commitment; nothing was changed.", code="no-commitment"
                )
            if made.yuan > left_of(made.commitment, moves):
                raise Conflict(
                    "超过这笔承诺的余额；未作更改。 More than is left of this commitment; nothing was changed.",
                    code="over-the-commitment",
                )
    row = {
        "id": made.id, "plan": plan, "fund": fund.id, "kind": made.kind, "yuan": made.yuan, "purpose": purpose,
        "commitment": made.commitment, "measure_id": measure_id, "at": now, "actor": caller.actor,
    }  # fmt: skip
    await insert_many(conn, fund_moves, [row])
    after = balance([*moves, made])
    event = FundMoved(
        plan=plan,
        fund=fund.id,
        move_id=made.id,
        kind=made.kind,  # type: ignore[arg-type]
        yuan=made.yuan,
        purpose="measure" if measure_id else "other",
        measure_id=measure_id,
        budget=after.budget,
        committed=after.committed,
        paid=after.paid,
        free=after.free,
        at=now,
        clause=fund.clause,
        dataref=f"{basis.address}/v1/funds/{fund.id}",
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, f"fund.{made.kind}", "fund", [fund.id], now, yuan=made.yuan, plan=plan)
    return after
