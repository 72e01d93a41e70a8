"""The conversation by receipt: asked, answered, added; a closing contested, looked at again, rated."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import queries
from services.intake.commands.handovers import supplement_received
from services.intake.commands.raising import draft_again, open_lead, read_again
from services.intake.domain.conversation import MOST_MESSAGES, ContestState, Refused, decide_contest
from services.intake.queries import conversation as shown
from services.intake.queries.tips import visible_tips
from services.intake.queries.told import contest_out
from services.intake.tables import closing_contests, closing_ratings, kit, tip_messages, tips
from services.intake.tables.handovers import lead_parties
from shared.events.handovers import LeadReopened
from shared.events.intake import ContestDecided, FactAdded, OutcomeContested, OutcomeRated
from shared.kit import audit, clock, db, idempotency, outbox
from shared.kit.access import ANONYMOUS, Caller
from shared.kit.db import insert_many
from shared.kit.etag import etag
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, NotFound, Outdated
from shared.kit.service import Service


async def claimed(
    conn: AsyncConnection, service: Service, caller: Caller, what: str, key: str | None, asked: str, made: UUID, now: datetime
) -> UUID | None:
    """Take an Idempotency-Key for one change: the object of the same request sent before, or None. Raises Conflict."""
    if key is None:
        return None
    claim = idempotency.claim(service.settings.keys, caller, what, idempotency.check_key(key), asked.encode(), made)
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    return known


async def _locked(conn: AsyncConnection, tip_id: UUID) -> Any:
    return (await conn.execute(select(tips).where(tips.c.id == tip_id).with_for_update())).one()


def _facts(service: Service, tip: Any) -> dict[str, Any]:
    return {
        "tip_id": tip.id,
        "lead_id": tip.lead_id,
        "plan": tip.plan,
        "area": tip.area,
        "agency": tip.agency,
        "unit": tip.unit,
        "dataref": f"{service.settings.base_url('intake')}/v1/tips/{tip.id}",
    }


async def _write(
    conn: AsyncConnection, service: Service, tip_id: UUID, message_id: UUID, text: str, now: datetime, **columns: Any
) -> None:
    row = {
        "id": message_id,
        "tip_id": tip_id,
        "agency": None,
        "actor": None,
        "reply_to": None,
        "sealed": shown.sealed(service.settings.keys, tip_id, message_id, text),
        "urgent": False,
        "at": now,
        "read_at": None,
        **columns,
    }
    await insert_many(conn, tip_messages, [row])


async def ask(
    conn: AsyncConnection,
    service: Service,
    caller: Caller,
    tip_id: UUID,
    text: str,
    now: datetime,
    *,
    question: bool = True,
    message_id: UUID | None = None,
) -> UUID:
    """An officer asks the reporter (or, without `question`, tells them something); they read it by receipt.

    The caller's right to the tip is checked by whoever calls this. Returns the message's id.
    """
    made = message_id or new_id()
    await _write(
        conn, service, tip_id, made, text, now,
        author="officer", kind="question" if question else "word", agency=caller.agency, actor=caller.actor,
    )  # fmt: skip
    await audit.record(conn, kit, caller, "message.ask" if question else "message.tell", "tip", [tip_id], now)
    return made


async def ask_within_reach(
    conn: AsyncConnection,
    service: Service,
    caller: Caller,
    tip_id: UUID,
    text: str,
    now: datetime,
    *,
    question: bool,
    key: str | None,
) -> UUID:
    """`ask` for a tip within the caller's reach. Raises NotFound, or Conflict for a key used otherwise."""
    visible = await conn.execute(
        select(tips.c.id).where(tips.c.id == tip_id, visible_tips(caller, "tip.ask"))
    )
    if visible.one_or_none() is None:
        raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
    made = new_id()
    known = await claimed(conn, service, caller, "message.ask", key, f"{tip_id}\n{question}\n{text}", made, now)
    if known:
        return known
    return await ask(conn, service, caller, tip_id, text, now, question=question, message_id=made)


async def add_fact(
    conn: AsyncConnection, service: Service, tip_id: UUID, text: str, now: datetime, *, key: str | None = None
) -> tuple[UUID, bool]:
    """A reporter answers or adds; it is sealed, read again with the tip, and may turn it urgent at once.

    What an agency had asked to be added (补充) is received by it: clocks that stood still run again.

    Returns the message's id and whether somebody held or in danger was read from it. Raises Conflict when the tip
    holds as many messages as one tip can.
    """
    made = new_id()
    known = await claimed(conn, service, ANONYMOUS, "message.add", key, f"{tip_id}\n{text}", made, now)
    if known:
        row = await conn.execute(select(tip_messages.c.urgent).where(tip_messages.c.id == known))
        return known, bool(row.scalar())
    tip = await _locked(conn, tip_id)
    mine = select(func.count()).where(tip_messages.c.tip_id == tip_id, tip_messages.c.author == "reporter")
    if (await conn.execute(mine)).scalar_one() >= MOST_MESSAGES:
        raise Conflict(
            f"这条举报已有 {MOST_MESSAGES} 条补充，不能再加；之前的内容都已保存。如有新情况，请另行举报。 "
            "This report holds as many additions as it can; all are kept. Please report anew.",
            code="too-many-messages",
        )
    question = await shown.open_question(conn, tip_id)
    supplied = await supplement_received(conn, tip.lead_id, now) if tip.lead_id else 0
    tip, turned = await read_again(conn, service, tip, text, now)
    await _write(
        conn, service, tip_id, made, text, now,
        author="reporter", kind="answer" if question or supplied else "fact", reply_to=question, urgent=turned,
    )  # fmt: skip
    event = FactAdded(
        **_facts(service, tip), message_id=made, answer=bool(question or supplied), turned_urgent=turned, added_at=now
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, ANONYMOUS, "message.add", "tip", [tip_id], now, turned_urgent=turned)
    return made, turned


async def contest(
    conn: AsyncConnection, service: Service, tip_id: UUID, words: str, now: datetime, *, key: str | None = None
) -> UUID:
    """A reporter contests the present closing, once; a second person must look. Raises Conflict."""
    made = new_id()
    known = await claimed(conn, service, ANONYMOUS, "closing.contest", key, f"{tip_id}\n{words}", made, now)
    if known:
        return known
    tip = await _locked(conn, tip_id)
    standing = await shown.standing(conn, service, tip)
    closing = standing.closing
    if closing is None:
        raise Conflict(
            "这件事还在办理中，没有可以提异议的结果；未作更改。您可以直接补充情况。 "
            "It has not ended, so there is nothing to contest; you can add to it instead.",
            code="not-closed",
        )
    if standing.contest is not None:
        raise Conflict(
            "您已经对这个结果提过异议，已有另一位工作人员复查，不必重复。 You contested this outcome before; once is enough.",
            code="contested-before",
        )
    await insert_many(
        conn,
        closing_contests,
        [
            {
                "id": made,
                "tip_id": tip_id,
                "plan": tip.plan,
                "area": tip.area,
                "agency": closing.agency,
                "closing": closing.key,
                "outcome": closing.outcome,
                "state": ContestState.OPEN.value,
                "sealed": shown.sealed(service.settings.keys, tip_id, made, words),
                "closed_by": closing.by,
                "contested_at": now,
                "decided_by": None,
                "decided_at": None,
                "version": 1,
            }
        ],
    )
    event = OutcomeContested(
        **_facts(service, tip), contest_id=made, closing=closing.key, outcome=closing.outcome, contested_at=now
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, ANONYMOUS, "closing.contest", "tip", [tip_id], now, closing=closing.key)
    return made


async def decide(
    conn: AsyncConnection,
    service: Service,
    caller: Caller,
    contest_id: UUID,
    step: str,
    words: str,
    now: datetime,
    *,
    version: int,
    key: str,
) -> None:
    """The second look: `uphold` or `confirm`, by another person than the one who closed, with words to the reporter.

    An upheld triage makes the tip a lead, its clocks running since it came in; any other is told to whoever owns the
    closing by the event. Raises NotFound, Outdated, Forbidden (same person) or Conflict (decided before).
    """
    asked = f"{contest_id}\n{version}\n{step}\n{words}"
    if await claimed(conn, service, caller, "contest.decide", key, asked, contest_id, now):
        return
    found = select(closing_contests).where(closing_contests.c.id == contest_id, shown.visible_contests(caller))
    row = (await conn.execute(found.with_for_update())).one_or_none()
    if row is None:
        raise NotFound("没有这件异议，或不在您的权限内。 No such contest within your reach.")
    if row.version != version:
        raise Outdated(
            "这件异议已有变动，您的决定未保存；请刷新后再看。 It changed meanwhile; nothing was saved.",
            headers={"etag": etag(row.version)},
        )
    try:
        after = decide_contest(ContestState(row.state), step, actor=caller.actor, closed_by=row.closed_by)
    except Refused as refused:
        if refused.code == "same-person":
            raise Forbidden(
                "原结果是您作出的，复查须由另一人进行；未作更改。 You closed it; another person must look again.",
                code="same-person",
            ) from refused
        raise Conflict("这件异议已有决定，以首次决定为准。 It is decided; that stands.", code="decided") from refused
    tip = await _locked(conn, row.tip_id)
    if after is ContestState.UPHELD and tip.state == "referred":
        draft = draft_again(service, tip)
        tip = await open_lead(conn, service, tip, draft, now, clocks_from=tip.received_at, actor=caller)
    if after is ContestState.UPHELD and row.outcome == "not_accepted" and tip.lead_id:
        await _take_up_again(conn, tip, row.agency, now)
    await conn.execute(
        update(closing_contests)
        .where(closing_contests.c.id == contest_id)
        .values(state=after.value, decided_by=caller.actor, decided_at=now, version=row.version + 1)
    )
    await ask(conn, service, caller, row.tip_id, words, now, question=False)
    event = ContestDecided(
        **_facts(service, tip),
        contest_id=contest_id,
        closing=row.closing,
        outcome=row.outcome,
        upheld=after is ContestState.UPHELD,
        contested_at=row.contested_at,
        decided_at=now,
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, "contest.decide", "contest", [contest_id], now, decision=step)


async def _take_up_again(conn: AsyncConnection, tip: Any, agency: str, now: datetime) -> None:
    """A lead that an agency declined is pending there again, its clock restarted (令121 art. 35)."""
    party = await conn.execute(
        select(lead_parties.c.unit).where(lead_parties.c.lead_id == tip.lead_id, lead_parties.c.agency == agency)
    )
    event = LeadReopened(
        lead_id=tip.lead_id, tip_id=None, plan=tip.plan, area=tip.area, urgent=tip.urgent, agency=agency,
        unit=party.scalars().first(), reopened_at=now,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)


async def rate(
    conn: AsyncConnection, service: Service, tip_id: UUID, stars: int, words: str, now: datetime, *, key: str | None = None
) -> UUID:
    """A reporter rates the present closing, once, 1 to 5, with words or without. Raises Conflict."""
    made = new_id()
    known = await claimed(conn, service, ANONYMOUS, "closing.rate", key, f"{tip_id}\n{stars}\n{words}", made, now)
    if known:
        return known
    tip = await _locked(conn, tip_id)
    standing = await shown.standing(conn, service, tip)
    closing = standing.closing
    if closing is None:
        raise Conflict(
            "这件事还在办理中，办结后再请您评价。 It has not ended; please rate it when it has.", code="not-closed"
        )
    if standing.stars is not None:
        raise Conflict("您已经评价过这个结果，谢谢。 You rated this outcome before; thank you.", code="rated-before")
    sealed = shown.sealed(service.settings.keys, tip_id, made, words) if words else None
    row = {"id": made, "tip_id": tip_id, "closing": closing.key, "stars": stars, "sealed": sealed, "rated_at": now}
    await insert_many(conn, closing_ratings, [row])
    event = OutcomeRated(
        **_facts(service, tip), closing=closing.key, outcome=closing.outcome, stars=stars, rated_at=now
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, ANONYMOUS, "closing.rate", "tip", [tip_id], now, stars=stars)
    return made


async def read_contest(service: Service, caller: Caller, contest_id: UUID) -> dict[str, Any]:
    """A contest with its words; that they were read is recorded. NotFound when it is not there for this caller."""
    async with db.begin(service.engine) as conn:
        row = await shown.contest(conn, caller, contest_id)
        if row is None:
            raise NotFound("没有这件异议，或不在您的权限内。 No such contest within your reach.")
        tip = await shown.tip_row(conn, row.tip_id)
        await audit.record(conn, kit, caller, "contest.read", "contest", [contest_id], clock.now())
    keys = service.settings.keys
    return contest_out(row, caller) | {
        "version": row.version,
        "text": shown.opened(keys, row),
        "tip_text": queries.narrative(keys, tip)["text"],
    }
