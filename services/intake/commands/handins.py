"""Taking in what other systems hand over: each item a tip, whole or not at all, and a receipt of the exchange."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.adapters.channels import Format, Handin, Wrong
from services.intake.commands import tips as tip_commands
from services.intake.commands.tips import TipDraft, TipTaken
from services.intake.schemas.tips import TipBody
from services.intake.tables import kit
from services.intake.tables.handins import handin_exchanges, handins
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.problem import Invalid, Problem, invalid_input
from shared.kit.service import Service
from shared.rules.plan import Plan


@dataclass(frozen=True, slots=True)
class Drafted:
    """One item, read: its number, and its tip's draft or the problem with it."""

    external_ref: str | None
    item: Handin | None
    result: TipDraft | Problem


def draft(service: Service, caller: Caller, plan: Plan, form: Format, item: Handin | Wrong) -> Drafted:
    """An item as a tip's draft. A region the plan does not know is left open; the office decides."""
    if isinstance(item, Wrong):
        refusal = Invalid(
            f"“{item.field}”{item.zh}；此条未保存，请改正后重发。 “{item.field}” {item.en}; this item was not kept.",
            errors=[{"field": item.field, "code": item.code, "message": item.en}],
        )
        return Drafted(item.external_ref, None, refusal)
    try:
        body = TipBody.model_validate(
            {
                "subject": item.subject, "text": item.text, "area": plan.area_of(item.region), "place": item.place,
                "posted_at": item.posted_at, "external_ref": item.external_ref,
            }
        )  # fmt: skip
        made: TipDraft | Problem = tip_commands.draft_tip(
            service, caller, body, plan=plan, channel=form.channel, key=f"handin/{form.name}/{item.external_ref}"
        )
    except ValidationError as error:
        made = invalid_input(error)
    except Problem as problem:
        made = problem
    return Drafted(item.external_ref, item, made)


async def take(
    conn: AsyncConnection,
    service: Service,
    caller: Caller,
    plan: Plan,
    form: Format,
    drafted: Sequence[Drafted],
    body: bytes,
    now: datetime,
) -> tuple[UUID, list[TipTaken | Problem]]:
    """Record what can be taken, in one transaction; the exchange's id and one result an item, in order.

    An agency's exchanges are recorded one after the other, so that who follows its cursor misses none.
    """
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"handins/{plan.id}/{caller.agency}", 0))))
    drafts = [one.result for one in drafted if isinstance(one.result, TipDraft)]
    taken = iter(await tip_commands.receive_tips(conn, service, drafts, now) if drafts else [])
    results: list[TipTaken | Problem] = [
        next(taken) if isinstance(one.result, TipDraft) else one.result for one in drafted
    ]
    kept = [result for result in results if isinstance(result, TipTaken)]
    exchange: dict[str, Any] = {
        "id": new_id(), "plan": plan.id, "agency": caller.agency, "caller": caller.actor, "format": form.name,
        "items": len(results), "created": sum(not one.replayed for one in kept),
        "replayed": sum(one.replayed for one in kept), "rejected": len(results) - len(kept),
        "body_hash": service.settings.keys.token("idempotency", "handin", body), "at": now,
    }  # fmt: skip
    await insert_many(conn, handin_exchanges, [exchange])
    rows = {
        result.row["id"]: {
            "tip_id": result.row["id"], "exchange_id": exchange["id"], "plan": plan.id, "agency": caller.agency,
            "format": form.name, "external_ref": one.item.external_ref, "dispatched_by": one.item.dispatched_by,
            "dispatch_no": one.item.dispatch_no, "at": now,
        }
        for one, result in zip(drafted, results, strict=True)
        if one.item is not None and isinstance(result, TipTaken)
    }  # fmt: skip
    await insert_many(conn, handins, list(rows.values()), conflict="ON CONFLICT (tip_id) DO NOTHING")
    await audit.record(
        conn, kit, caller, "handin.take", "exchange", [exchange["id"]], now,
        format=form.name, created=exchange["created"], replayed=exchange["replayed"], rejected=exchange["rejected"],
    )  # fmt: skip
    return exchange["id"], results


async def preview(conn: AsyncConnection, drafted: Sequence[Drafted], now: datetime) -> list[TipTaken | Problem]:
    """What `take` would answer to each item, with nothing kept."""
    drafts = [one.result for one in drafted if isinstance(one.result, TipDraft)]
    tried = iter(await tip_commands.try_tips(conn, drafts, now))
    return [next(tried) if isinstance(one.result, TipDraft) else one.result for one in drafted]


def version_of(standing: dict[str, Any]) -> str:
    """A short digest that changes when anything of an item's standing does."""
    return hashlib.sha256(orjson.dumps(standing, default=str)).hexdigest()[:16]
