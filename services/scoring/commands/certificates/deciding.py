"""The decision: one person proposes, another confirms; who applied does neither. Granted, refused, restored, revoked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates.applying import by_the_course, lacking, needed, now_of
from services.scoring.commands.certificates.basis import number_of
from services.scoring.commands.certificates.inspecting import counts
from services.scoring.commands.certificates.rows import Round, facts, saved, told
from services.scoring.domain.certificates.checklist import Checklist, shift
from services.scoring.domain.certificates.states import CertificationState, CertificationStep
from services.scoring.queries.consequences import blocking
from services.scoring.schemas.certificates import CertificationStepIn
from services.scoring.tables import certificate_numbers, certification_reasons
from shared.events import EventData
from shared.events.certificates import (
    CertificateGranted,
    CertificateRectificationOrdered,
    CertificateRefused,
    CertificateRestored,
    CertificateRevoked,
)
from shared.kit.problem import Conflict, Invalid
from shared.rules.calendar import local_day

S, T = CertificationState, CertificationStep


def vetoed(checklist: Checklist) -> Conflict:
    """The refusal of a grant against the facts."""
    return Conflict(
        "一票否决项不成立（见 items），不能认定；未作更改。 "
        "An item without which nothing passes is not there (see items); nothing was changed.",
        code="vetoed",
        items=lacking(checklist),
    )


async def _nothing_in_the_way(conn: AsyncConnection, one: Round) -> None:
    """A tool of the ladder that keeps certificates back does so until it is lifted (D-Q1)."""
    rows = await blocking(conn, one.row.plan, "certificate", one.row.holder_kind, one.row.holder)
    if rows:
        raise Conflict(
            "政策工具生效期间不能认定或恢复；未作更改，解除后再办。 "
            "A tool of the ladder keeps the certificate back until it is lifted; nothing was changed.",
            code="blocked",
            tools=[str(row.id) for row in rows],
        )


async def order_rectification(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """What the inspection found must be put right by a day (整改)."""
    if body.by is None or not body.note:
        raise needed("by", "请写明整改内容和期限", "Say what must be put right, and by when")
    if body.by < local_day(one.now):
        raise Invalid("整改期限已经过去；未保存。 That day has passed; nothing was kept.", code="past")
    row = await saved(conn, one, body.note, line={"by": body.by.isoformat()}, rectify_by=body.by)
    event = CertificateRectificationOrdered(**facts(one.desk, row), round=one.row.round, by=body.by, ordered_at=one.now)
    return await told(conn, one, [event], by=body.by.isoformat())


async def propose(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """The first person's proposal: grant, refuse, restore or revoke. A grant against the facts is not possible."""
    if one.step is T.PROPOSE_GRANT:
        await _nothing_in_the_way(conn, one)
        checklist = await now_of(conn, one)
        if not checklist.passes:
            raise vetoed(checklist)
        if (await counts(conn, one)).get("bad") and not body.note:
            raise needed(
                "note",
                "抽查有不合格的，请写明为何仍建议认定",
                "Some of the sample were bad: say why it is granted all the same",
            )
    elif not body.note:
        raise needed("note", "请写明理由", "Give the reason")
    await saved(conn, one, body.note, proposed_by=one.caller.actor, proposed_at=one.now)
    return await told(conn, one, [])


async def object_(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """The second person does not agree: the proposal falls."""
    if not body.note:
        raise needed("note", "请写明不同意的理由", "Say why you do not agree")
    await saved(conn, one, body.note, proposed_by=None, proposed_at=None)
    return await told(conn, one, [])


async def deny(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """A request to restore is turned down; the certificate stays suspended."""
    if not body.note:
        raise needed("note", "请写明理由", "Give the reason")
    await saved(conn, one, body.note)
    return await told(conn, one, [])


async def confirm(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """The second person confirms what the first proposed."""
    work = {
        S.GRANT_PROPOSED: _grant, S.REFUSAL_PROPOSED: _refuse, S.RESTORE_PROPOSED: _restore, S.REVOCATION_PROPOSED: _revoke,
    }[S(one.row.state)]  # fmt: skip
    event, more = await work(conn, one, body)
    return await told(conn, one, [*more, event], state=one.row.state)


Done = tuple[EventData, list[Any]]


async def _grant(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> Done:
    await _nothing_in_the_way(conn, one)
    checklist = await now_of(conn, one)
    if not checklist.passes:
        raise vetoed(checklist)
    day = local_day(one.now)
    number = await _number(conn, one, day.year)
    until = shift(day, one.standard.months) if one.standard.months else None
    more = await by_the_course(conn, one)
    row = await saved(
        conn, one, body.note, line={"number": number}, number=number, granted_at=one.now, standing_since=one.now,
        decided_by=one.caller.actor, decided_items=checklist.frozen(), valid_until=until, suspended_at=None,
    )  # fmt: skip
    return CertificateGranted(**facts(one.desk, row), number=number, valid_until=until, granted_at=one.now), more


async def _number(conn: AsyncConnection, one: Round, year: int) -> str:
    statement = insert(certificate_numbers).values(plan=one.plan.id, standard=one.standard.id, year=year, last=1)
    statement = statement.on_conflict_do_update(
        index_elements=["plan", "standard", "year"], set_={"last": certificate_numbers.c.last + 1}
    ).returning(certificate_numbers.c.last)
    return number_of(one.plan, one.standard, year, (await conn.execute(statement)).scalar_one())


async def _refuse(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> Done:
    row = await saved(conn, one, body.note, decided_by=one.caller.actor)
    return CertificateRefused(**facts(one.desk, row), refused_at=one.now), []


async def _restore(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> Done:
    await _nothing_in_the_way(conn, one)
    checklist = await now_of(conn, one)
    # what lies in the past has been atoned for; what still stands has not (an open den)
    standing = {item.id for item in one.standard.indicators if item.needs is None or item.needs.months is None}
    if any(item.id in standing for item in checklist.vetoed):
        raise vetoed(checklist)
    r = certification_reasons.c
    await conn.execute(
        update(certification_reasons)
        .where(r.certification_id == one.row.id, r.lifted_at.is_(None))
        .values(lifted_at=one.now)
    )
    row = await saved(
        conn, one, body.note, standing_since=one.now, suspended_at=None, decided_by=one.caller.actor,
        decided_items=checklist.frozen(),
    )  # fmt: skip
    event = CertificateRestored(**facts(one.desk, row), number=row.number, cause="procedure", restored_at=one.now)
    return event, []


async def _revoke(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> Done:
    row = await saved(conn, one, body.note, decided_by=one.caller.actor)
    return CertificateRevoked(**facts(one.desk, row), number=row.number, revoked_at=one.now), []
