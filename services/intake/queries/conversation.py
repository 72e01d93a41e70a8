"""What follows a tip: where it stands, what was said, what its reporter contests."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.outcomes import Closing, Standing, Step
from services.intake.queries.present import routing_of
from services.intake.tables import closing_contests, closing_ratings, contact_reveals, lead_declines, tip_messages, tips
from services.intake.tables.handovers import case_closings, handovers, lead_parties, supplements
from shared.kit.access import Caller, scope
from shared.kit.crypto import KeyRing
from shared.kit.service import Service


def sealed(keys: KeyRing, tip_id: UUID, message_id: UUID, text: str) -> bytes:
    """Words sealed to one message of one tip."""
    return keys.seal("narrative", tip_id.bytes + message_id.bytes, text.encode())


def opened(keys: KeyRing, row: Any) -> str:
    """The words of a message, contest or rating. Whoever calls this records the reading, unless by receipt."""
    return keys.open("narrative", row.tip_id.bytes + row.id.bytes, bytes(row.sealed)).decode()


async def messages(conn: AsyncConnection, tip_id: UUID) -> Sequence[Row[Any]]:
    """All that was said after a tip, oldest first."""
    query = select(tip_messages).where(tip_messages.c.tip_id == tip_id)
    return (await conn.execute(query.order_by(tip_messages.c.at, tip_messages.c.id))).all()


async def mark_read(conn: AsyncConnection, tip_id: UUID, author: str, now: datetime) -> None:
    """Note that the other side has read what `author` wrote."""
    await conn.execute(
        update(tip_messages)
        .where(tip_messages.c.tip_id == tip_id, tip_messages.c.author == author, tip_messages.c.read_at.is_(None))
        .values(read_at=now)
    )


async def open_question(conn: AsyncConnection, tip_id: UUID) -> UUID | None:
    """The last question that the reporter has not answered yet."""
    last = (
        select(tip_messages.c.id, tip_messages.c.kind)
        .where(tip_messages.c.tip_id == tip_id, tip_messages.c.kind.in_(("question", "answer")))
        .order_by(tip_messages.c.at.desc(), tip_messages.c.id.desc())
        .limit(1)
    )
    row = (await conn.execute(last)).one_or_none()
    return row.id if row and row.kind == "question" else None


async def standing(conn: AsyncConnection, service: Service, tip: Any) -> Standing:
    """Where one tip stands; see `standings`."""
    return (await standings(conn, service, [tip]))[tip.id]


async def standings(conn: AsyncConnection, service: Service, found: Sequence[Any]) -> dict[UUID, Standing]:
    """Where tips stand, by all that intake knows: triage, parties and handovers, contests, ratings.

    Nine statements, however many tips.
    """
    ids = [tip.id for tip in found]
    leads = [tip.lead_id for tip in found if tip.lead_id]
    asked = await _asked(conn, ids, leads)
    parties = await _grouped(conn, select(lead_parties).where(lead_parties.c.lead_id.in_(leads)), "lead_id")
    declines = await _grouped(
        conn, select(lead_declines).where(lead_declines.c.lead_id.in_(leads)).order_by(lead_declines.c.at), "lead_id"
    )
    moves = await _grouped(
        conn, select(handovers).where(handovers.c.matter_id.in_([*leads, *ids])), "matter_id"
    )  # a matter is a lead, or a tip that is none
    contests = await _grouped(
        conn,
        select(closing_contests)
        .where(closing_contests.c.tip_id.in_(ids))
        .order_by(closing_contests.c.contested_at),
        "tip_id",
    )
    ratings = await _grouped(conn, select(closing_ratings).where(closing_ratings.c.tip_id.in_(ids)), "tip_id")
    ends = await _grouped(
        conn,
        select(case_closings).where(case_closings.c.lead_id.in_(leads), case_closings.c.taken_up_at.is_(None)),
        "lead_id",
    )
    return {
        tip.id: _stands(
            tip,
            asked=tip.id in asked or tip.lead_id in asked,
            parties=parties.get(tip.lead_id, ()),
            declines=declines.get(tip.lead_id, ()),
            moves=moves.get(tip.lead_id or tip.id, ()),
            contests=contests.get(tip.id, ()),
            ratings=ratings.get(tip.id, ()),
            ends=ends.get(tip.lead_id, ()),
            place=_place(service, tip),
        )
        for tip in found
    }


async def _grouped(conn: AsyncConnection, query: Select[Any], by: str) -> dict[Any, list[Any]]:
    rows: dict[Any, list[Any]] = defaultdict(list)
    for row in await conn.execute(query):
        rows[getattr(row, by)].append(row)
    return rows


async def _asked(conn: AsyncConnection, ids: Sequence[UUID], leads: Sequence[UUID]) -> set[UUID]:
    """Tips and leads whose reporters are asked something that they have not answered."""
    last = (
        select(tip_messages.c.tip_id, tip_messages.c.kind)
        .ext(distinct_on(tip_messages.c.tip_id))
        .where(tip_messages.c.tip_id.in_(ids), tip_messages.c.kind.in_(("question", "answer")))
        .order_by(tip_messages.c.tip_id, tip_messages.c.at.desc(), tip_messages.c.id.desc())
    )
    waiting = select(supplements.c.lead_id).where(supplements.c.lead_id.in_(leads), supplements.c.state == "asked")
    found = {row.tip_id for row in await conn.execute(last) if row.kind == "question"}
    return found | {row.lead_id for row in await conn.execute(waiting)}


def _stands(
    tip: Any,
    *,
    asked: bool,
    parties: Sequence[Any],
    declines: Sequence[Any],
    moves: Sequence[Any],
    contests: Sequence[Any],
    ratings: Sequence[Any],
    ends: Sequence[Any],
    place: dict[str, str],
) -> Standing:
    steps = [Step("received", tip.received_at), Step("read")]
    closing: Closing | None = None
    if tip.state == "referred":
        back = next((move.answered_at for move in moves if move.state == "accepted" and not move.to_agency), None)
        # one key: whoever contested the reading has contested it, handed back or not
        closing = Closing("triage", "handed_back" if back else "referred", back or tip.received_at)
    else:
        steps.append(Step("with_agency", None, tip.agency))
        closing = _ended(ends) or _declined(parties, declines)
    steps += sorted(_travelled(parties, moves), key=lambda step: step.at or tip.received_at)
    if asked:
        steps.append(Step("asked"))
    if closing:
        steps.append(Step("closed", closing.at, closing.agency))
    for row in contests:
        steps.append(Step("contested", row.contested_at))
        if row.decided_at:
            steps.append(Step(row.state, row.decided_at))
    if closing is None:
        return Standing(tuple(steps))
    contest = next((row.state for row in contests if row.closing == closing.key), None)
    stars = next((row.stars for row in ratings if row.closing == closing.key), None)
    return Standing(tuple(steps), closing, contest, stars, place)


def _travelled(parties: Sequence[Any], moves: Sequence[Any]) -> list[Step]:
    """Who took a lead up or was late, and on whose way it is or went."""
    told = []
    for party in parties:
        if party.accepted_at:
            told.append(Step("accepted", party.accepted_at, party.agency))
        elif party.late_at and party.state == "pending":
            told.append(Step("late", party.late_at, party.agency))
    for move in moves:
        to = move.assigned_agency or move.to_agency
        if move.state == "accepted" and not to:
            told.append(Step("handed_back", move.answered_at))
        elif move.state in ("accepted", "decided") and to:
            told.append(Step("handed_over", move.decided_at or move.answered_at, to))
        elif move.state in ("proposed", "escalated") and to:
            told.append(Step("handing_over", move.proposed_at, to))
    return told


def _ended(ends: Sequence[Any]) -> Closing | None:
    """The end of the lead's case, by casework's word; each closing of a case is contested and rated once."""
    if not ends:
        return None
    last = max(ends, key=lambda end: end.closed_at)
    return Closing(f"case:{last.case_id}:{last.closed_at:%Y%m%dT%H%M%S}", last.outcome, last.closed_at, last.agency)


def _declined(parties: Sequence[Any], declines: Sequence[Any]) -> Closing | None:
    """The end of a lead that an agency declined and that nobody else has; its key is that last decision's."""
    declined = [party for party in parties if party.state == "declined" and party.ended_at]
    if not declined or any(party.state in ("pending", "accepted") for party in parties):
        return None
    last = max(declined, key=lambda party: party.ended_at)
    by = next((one.actor for one in reversed(declines) if one.agency == last.agency), None)
    key = f"declined:{last.agency}:{last.ended_at:%Y%m%dT%H%M%S}"
    return Closing(key, "not_accepted", last.ended_at, last.agency, by)


def _place(service: Service, tip: Any) -> dict[str, str]:
    if tip.state != "referred":
        return {}
    routing = routing_of(service, tip._mapping)
    return {"zh": routing.referral_zh or "", "en": routing.referral_en or ""}


async def ratings(conn: AsyncConnection, tip_id: UUID) -> Sequence[Row[Any]]:
    """How a reporter rated the ends of a tip, oldest first."""
    query = select(closing_ratings).where(closing_ratings.c.tip_id == tip_id)
    return (await conn.execute(query.order_by(closing_ratings.c.rated_at))).all()


async def reveals_to_tell(conn: AsyncConnection, tip_id: UUID) -> Sequence[Row[Any]]:
    """When and by which agency the reporter's contact was revealed: what the reporter reads by receipt."""
    query = select(
        contact_reveals.c.agency, contact_reveals.c.category, contact_reveals.c.decided_at,
        contact_reveals.c.first_viewed_at,
    ).where(contact_reveals.c.tip_id == tip_id, contact_reveals.c.state == "approved")  # fmt: skip
    return (await conn.execute(query.order_by(contact_reveals.c.decided_at))).all()


def visible_contests(caller: Caller) -> ColumnElement[bool]:
    """Contests within a caller's reach."""
    return scope(
        caller,
        "outcome.review",
        plan=closing_contests.c.plan,
        agency=lambda agency: closing_contests.c.agency == agency,
        area=closing_contests.c.area,
    )


async def contests(
    conn: AsyncConnection, caller: Caller, *, state: str, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """Contests in reach, oldest first, one more than `limit` when there is a next page."""
    query = select(closing_contests).where(visible_contests(caller), closing_contests.c.state == state)
    if after:
        query = query.where(tuple_(closing_contests.c.contested_at, closing_contests.c.id) > tuple_(*after))
    query = query.order_by(closing_contests.c.contested_at, closing_contests.c.id).limit(limit + 1)
    return (await conn.execute(query)).all()


async def contest(conn: AsyncConnection, caller: Caller, contest_id: UUID) -> Row[Any] | None:
    """One contest with its tip, if the caller may see it."""
    query = select(closing_contests).where(closing_contests.c.id == contest_id, visible_contests(caller))
    return (await conn.execute(query)).one_or_none()


async def tip_row(conn: AsyncConnection, tip_id: UUID) -> Row[Any]:
    """A tip whose reading the caller's right to something of it allows."""
    return (await conn.execute(select(tips).where(tips.c.id == tip_id))).one()


async def brought(
    conn: AsyncConnection, caller: Caller, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """Tips that the caller in person brought in (D-E4), newest first, with how many words wait to be read there."""
    query = select(tips).where(tips.c.brought_by == caller.id, tips.c.plan == caller.plan)
    if after:
        query = query.where(tuple_(tips.c.received_at, tips.c.id) < tuple_(*after))
    query = query.order_by(tips.c.received_at.desc(), tips.c.id.desc()).limit(limit + 1)
    return (await conn.execute(query)).all()


async def answered(
    conn: AsyncConnection, visible: ColumnElement[bool], *, limit: int
) -> Sequence[Row[Any]]:
    """Tips within a condition whose reporters wrote something that no officer has read, newest first."""
    unread = select(tip_messages.c.tip_id).where(
        tip_messages.c.author == "reporter", tip_messages.c.read_at.is_(None)
    )
    query = select(tips).where(visible, tips.c.id.in_(unread)).order_by(tips.c.received_at.desc()).limit(limit)
    return (await conn.execute(query)).all()


async def unread(conn: AsyncConnection, tip_ids: Sequence[UUID], author: str) -> dict[UUID, int]:
    """How many messages of an author are unread, by tip; tips without any are left out."""
    query = (
        select(tip_messages.c.tip_id, func.count().label("n"))
        .where(tip_messages.c.tip_id.in_(tip_ids), tip_messages.c.author == author, tip_messages.c.read_at.is_(None))
        .group_by(tip_messages.c.tip_id)
    )
    return {row.tip_id: row.n for row in await conn.execute(query)}

