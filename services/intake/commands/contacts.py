"""A reporter's contact is shown only when two persons have agreed to it, for a reason, for a limited time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.conversation import claimed
from services.intake.commands.reports import Contact, opened_contact
from services.intake.domain.conversation import Refused, Reveal, RevealState, decide_reveal, may_view
from services.intake.queries import contacts as shown
from services.intake.queries.conversation import sealed
from services.intake.queries.tips import visible_tips
from services.intake.tables import contact_reveals, kit, reporter_contacts, tips
from shared.events.followups import RevealDecided, RevealRequested
from shared.kit import audit, outbox
from shared.kit.access import Caller, service_caller
from shared.kit.db import insert_many
from shared.kit.etag import etag
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, NotFound, Outdated
from shared.kit.service import Service
from shared.rules.calendar import WorkingCalendar, local_day
from shared.rules.deadlines import open_deadline
from shared.rules.plan import Plan

_WHY_NOT = {
    "decided": "这件申请已有决定，以首次决定为准。 This request is decided; that stands.",
    "lapsed": "这件申请已过期，未作更改；如仍需要，请重新申请。 This request has lapsed; ask anew if it is still needed.",
    "not-approved": "这件申请没有获得批准，不能查看。 This request is not approved.",
    "expired": "查看时间已过；如仍需要，请重新申请。 The time to look is over; ask anew if it is still needed.",
}


def _refusal(refused: Refused) -> Conflict | Forbidden:
    if refused.code == "same-person":
        return Forbidden(
            "申请人不能自己批准，须由另一人决定；未作更改。 Whoever asked cannot approve; another person must.",
            code="same-person",
        )
    if refused.code == "not-yours":
        return Forbidden(
            "只有申请人本人可以这样做；未作更改。 Only the person who asked may do this.", code="not-yours"
        )
    return Conflict(_WHY_NOT[refused.code], code=refused.code)


def _until(service: Service, plan: Plan, clock: str, now: datetime) -> datetime:
    """The end of a named clock of the plan that starts now."""
    rule = plan.clock(clock)
    if rule is None:
        raise Conflict(
            f"方案没有规定“{clock}”的时限，不能办理；请联系打传办补上。 The plan has no such time limit; ask the office.",
            code="no-rule",
        )
    calendar = WorkingCalendar.load(service.settings.law_dir / "calendar.yaml")
    limit = plan.limit(rule, local_day(now), service.law)
    return open_deadline(id="", kind=clock, rule=limit, start=now, calendar=calendar)[0].due


async def request_reveal(
    conn: AsyncConnection,
    service: Service,
    caller: Caller,
    tip_id: UUID,
    category: str,
    reason: str,
    now: datetime,
    *,
    key: str,
) -> UUID:
    """Ask to see who reported a tip. Raises NotFound (no such tip, or nobody left a contact) or Conflict (asked before)."""
    made = new_id()
    asked = f"{tip_id}\n{category}\n{reason}"
    known = await claimed(conn, service, caller, "reveal.request", key, asked, made, now)
    if known:
        return known
    query = (
        select(tips.c.plan, tips.c.area)
        .join(reporter_contacts, reporter_contacts.c.tip_id == tips.c.id)
        .where(tips.c.id == tip_id, visible_tips(caller, "reporter.request"))
    )
    tip = (await conn.execute(query)).one_or_none()
    if tip is None:
        raise NotFound(
            "没有这条举报、不在您的权限内，或举报人没有留联系方式。 No such tip within reach, or nobody left a contact."
        )
    row = {
        "id": made,
        "tip_id": tip_id,
        "plan": tip.plan,
        "area": tip.area,
        "state": RevealState.REQUESTED.value,
        "category": category,
        "sealed": sealed(service.settings.keys, tip_id, made, reason),
        "requested_by": caller.actor,
        "agency": caller.agency or "",
        "requested_at": now,
        "lapses_at": _until(service, service.plans[tip.plan], "reveal_request", now),
        "views": 0,
        "version": 1,
    }
    kept = await insert_many(conn, contact_reveals, [row], conflict="ON CONFLICT DO NOTHING", returning="id")
    if not kept:
        raise Conflict(
            "您对这条举报的申请还在等待决定，不必重复。 Your request for this tip still waits for its decision.",
            code="asked-before",
        )
    event = RevealRequested(
        **_facts(service, made, row), category=category, lapses_at=row["lapses_at"], requested_at=now
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, "reveal.request", "reveal", [made], now, tip_id=str(tip_id), category=category)
    return made


async def decide(
    conn: AsyncConnection,
    service: Service,
    caller: Caller,
    reveal_id: UUID,
    step: str,
    now: datetime,
    *,
    version: int,
    key: str,
) -> None:
    """Approve or refuse as the second person, or withdraw as the first.

    Approving needs a post that the plan lets approve `reporter.reveal` (X-O1), whatever else the caller may do.
    Raises NotFound, Outdated, Forbidden (same person, post) or Conflict (decided, lapsed).
    """
    if await claimed(conn, service, caller, "reveal.decide", key, f"{reveal_id}\n{version}\n{step}", reveal_id, now):
        return
    row = await _locked(conn, caller, reveal_id)
    if row.version != version:
        raise Outdated(
            "这件申请已有变动，您的决定未保存；请刷新后再看。 It changed meanwhile; nothing was saved.",
            headers={"etag": etag(row.version)},
        )
    plan = service.plans[row.plan]
    entitled = caller.plan == row.plan and plan.may_approve(caller.posts, "reporter.reveal")
    if step in ("approve", "refuse") and not entitled:
        raise Forbidden(
            "您的岗位不能批准揭示举报人；未作更改。 Your post may not approve this; nothing was changed.", code="not-your-post"
        )
    try:
        after = decide_reveal(as_reveal(row), step, actor=caller.actor, now=now)
    except Refused as refused:
        raise _refusal(refused) from refused
    until = _until(service, plan, "reveal_view", now) if after is RevealState.APPROVED else None
    await conn.execute(
        update(contact_reveals)
        .where(contact_reveals.c.id == reveal_id)
        .values(
            state=after.value,
            decided_by=caller.actor,
            decided_agency=caller.agency,
            decided_at=now,
            view_until=until,
            version=row.version + 1,
        )
    )
    event = RevealDecided(**_facts(service, reveal_id, row._mapping), outcome=after.value, decided_at=now)
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(
        conn, kit, caller, f"reveal.{step}", "reveal", [reveal_id], now, tip_id=str(row.tip_id), category=row.category
    )


async def view(conn: AsyncConnection, service: Service, caller: Caller, reveal_id: UUID, now: datetime) -> Contact:
    """The contact, for the person who asked, while the approval lasts; every look is on record.

    Raises NotFound, Forbidden or Conflict.
    """
    row = await _locked(conn, caller, reveal_id)
    try:
        may_view(as_reveal(row), actor=caller.actor, now=now)
    except Refused as refused:
        raise _refusal(refused) from refused
    contact = (
        await conn.execute(select(reporter_contacts).where(reporter_contacts.c.tip_id == row.tip_id))
    ).one_or_none()
    if contact is None:
        raise NotFound("联系方式已按期清除。 The contact was removed when its time was over.", code="removed")
    await conn.execute(
        update(contact_reveals)
        .where(contact_reveals.c.id == reveal_id)
        .values(views=row.views + 1, first_viewed_at=row.first_viewed_at or now)
    )
    await audit.record(conn, kit, caller, "reveal.view", "reveal", [reveal_id], now, tip_id=str(row.tip_id))
    return opened_contact(service, contact)


async def lapse(conn: AsyncConnection, service: Service, now: datetime, *, limit: int = 500) -> int:
    """End the requests that nobody decided in time; returns how many, at most `limit`."""
    due = (
        select(contact_reveals)
        .where(contact_reveals.c.state == RevealState.REQUESTED.value, contact_reveals.c.lapses_at <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    actor = service_caller("intake")
    rows = (await conn.execute(due)).all()
    if not rows:
        return 0
    for row in rows:
        decide_reveal(as_reveal(row), "lapse", actor=actor.actor, now=now)
    ids = [row.id for row in rows]
    await conn.execute(
        update(contact_reveals)
        .where(contact_reveals.c.id.in_(ids))
        .values(state=RevealState.LAPSED.value, decided_at=now, version=contact_reveals.c.version + 1)
    )
    told = [
        RevealDecided(**_facts(service, row.id, row._mapping), outcome=RevealState.LAPSED.value, decided_at=now)
        for row in rows
    ]
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(conn, kit, actor, "reveal.lapse", "reveal", ids, now)
    return len(ids)


def _facts(service: Service, reveal_id: UUID, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the events of a request tell: ids and codes; who asked stays here."""
    return {
        "reveal_id": reveal_id,
        "tip_id": row["tip_id"],
        "plan": row["plan"],
        "area": row["area"],
        "agency": row["agency"],
        "dataref": f"{service.settings.base_url('intake')}/v1/reveals/{reveal_id}",
    }


def as_reveal(row: Any) -> Reveal:
    """A recorded request as the rules see it."""
    return Reveal(RevealState(row.state), row.requested_by, row.lapses_at, row.view_until)


async def _locked(conn: AsyncConnection, caller: Caller, reveal_id: UUID) -> Any:
    found = select(contact_reveals).where(contact_reveals.c.id == reveal_id, shown.visible_reveals(caller))
    row = (await conn.execute(found.with_for_update())).one_or_none()
    if row is None:
        raise NotFound("没有这件申请，或不在您的权限内。 No such request within your reach.")
    return row
