"""What follows a tip, in words: as its reporter reads it, and as officers do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.outcomes import Standing, closing_words, step_words
from services.intake.queries import conversation as shown
from services.intake.queries.present import next_words
from services.intake.schemas.conversation import (
    BroughtOut,
    ContestOut,
    MessageOut,
    ReceiptFull,
    RevealedOut,
    RevealOut,
    StepOut,
)
from services.intake.schemas.tips import Words
from services.intake.tables import tips
from shared.kit import db, pagination
from shared.kit.access import Caller
from shared.kit.service import Service

REVEAL_WORDS = {
    "verify": Words(zh="核实情况", en="to check the facts"),
    "protect": Words(zh="保护举报人", en="to protect the reporter"),
    "reward": Words(zh="发放举报奖励", en="to pay a reward"),
    "testimony": Words(zh="请举报人作证", en="to ask the reporter to testify"),
    "rescue": Words(zh="解救被困人员", en="to free somebody held"),
}


def agency_words(service: Service, plan_id: str, agency: str | None) -> tuple[str, str]:
    """An agency's name in both languages; a general one for an agency the plan does not have."""
    try:
        name = service.plans[plan_id].agency(agency or "").name
    except KeyError:
        return "有关部门", "the agency in charge"
    return name.zh, name.en


def step_out(service: Service, plan_id: str, step: Any) -> StepOut:
    """A step in words."""
    zh, en = step_words(step.code, agency_words(service, plan_id, step.agency))
    return StepOut(code=step.code, at=step.at, words=Words(zh=zh, en=en))


def now_words(service: Service, tip: Any, standing: Standing) -> Words:
    """What a reporter is told first: the outcome if there is one, else what happens next."""
    if standing.closing is not None and standing.contest != "upheld":
        place = (standing.facts.get("zh", ""), standing.facts.get("en", ""))
        agency = agency_words(service, tip.plan, standing.closing.agency)
        zh, en = closing_words(standing.closing.outcome, agency, place)
        return Words(zh=zh, en=en)
    if standing.state in ("accepted", "late", "handing_over", "handed_over"):
        words = step_out(service, tip.plan, standing.steps[-1]).words
        return Words(zh=f"{words.zh}。", en=f"{words.en}.")
    return next_words(service, tip._mapping)


def message_out(keys: Any, row: Any, reader: str) -> MessageOut:
    """A message opened for a reader (`reporter` or `officer`); what the other side wrote and nobody read is unread."""
    return MessageOut(
        id=row.id,
        author=row.author,
        kind=row.kind,
        agency=row.agency,
        text=shown.opened(keys, row),
        at=row.at,
        unread=row.read_at is None and row.author != reader,
    )


async def thread(conn: Any, keys: Any, tip: Any, reader: str) -> list[MessageOut]:
    """All that was said after a tip, oldest first."""
    return [message_out(keys, row, reader) for row in await shown.messages(conn, tip.id)]


async def receipt_full(conn: Any, service: Service, tip: Any, *, named: bool) -> ReceiptFull:
    """All that the holder of a receipt may read of its tip."""
    standing = await shown.standing(conn, service, tip)
    revealed = []
    for row in await shown.reveals_to_tell(conn, tip.id):
        zh, en = agency_words(service, tip.plan, row.agency)
        revealed.append(
            RevealedOut(
                agency=row.agency,
                agency_name=Words(zh=zh, en=en),
                category=row.category,
                why=REVEAL_WORDS[row.category],
                approved_at=row.decided_at,
                viewed_at=row.first_viewed_at,
            )
        )
    return ReceiptFull(
        state=tip.state,
        received_at=tip.received_at,
        words=now_words(service, tip, standing),
        steps=[step_out(service, tip.plan, step) for step in standing.steps],
        outcome=standing.closing.outcome if standing.closing else None,
        messages=await thread(conn, service.settings.keys, tip, "reporter"),
        may_contest=standing.may_contest,
        contest=standing.contest,  # type: ignore[arg-type]
        may_rate=standing.may_rate,
        stars=standing.stars,
        contact_kept=named,
        revealed=revealed,
    )


def contest_out(row: Any, caller: Caller) -> dict[str, Any]:
    """A contest without its words."""
    names = ContestOut.model_fields.keys() - {"mine", "text", "tip_text"}
    return {name: getattr(row, name) for name in names} | {"mine": row.closed_by == caller.actor}


def reveal_out(row: Any, caller: Caller) -> dict[str, Any]:
    """A request without its reason."""
    names = RevealOut.model_fields.keys() - {"own", "reason"}
    return {name: getattr(row, name) for name in names} | {"own": row.requested_by == caller.actor}


async def told_of(conn: AsyncConnection, service: Service, tip_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What became of tips, for whoever brought them: its steps, the outcome's code and plain words, by tip (D-E4)."""
    found = (await conn.execute(select(tips).where(tips.c.id.in_(tip_ids)))).all() if tip_ids else []
    stand = await shown.standings(conn, service, found) if found else {}
    return {
        tip.id: {
            "outcome": stand[tip.id].closing.outcome if stand[tip.id].closing else None,
            "words": now_words(service, tip, stand[tip.id]).model_dump(),
            "steps": [step_out(service, tip.plan, step).model_dump() for step in stand[tip.id].steps],
        }
        for tip in found
    }


async def brought_page(
    service: Service, caller: Caller, cursor: str | None, limit: int
) -> tuple[list[BroughtOut], str | None]:
    """One page of what the caller brought in, with the cursor of the next."""
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    told = []
    async with db.begin(service.engine) as conn:
        found = await shown.brought(conn, caller, after=after, limit=limit)  # type: ignore[arg-type]
        rows, following = pagination.page(found, limit, lambda row: (row.received_at, row.id))
        stand = await shown.standings(conn, service, rows)
        for tip in rows:
            standing = stand[tip.id]
            told.append(
                BroughtOut(
                    tip_id=tip.id,
                    channel=tip.channel,
                    area=tip.area,
                    external_ref=tip.external_ref,
                    received_at=tip.received_at,
                    steps=[step_out(service, tip.plan, step) for step in standing.steps],
                    words=now_words(service, tip, standing),
                )
            )
    return told, following
