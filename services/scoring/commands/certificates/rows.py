"""What the commands of certificates share: a locked row that the caller may change, its history, what is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates.basis import Desk
from services.scoring.domain.certificates.states import (
    BY_APPLICANT,
    CertificationRefused,
    CertificationState,
    CertificationStep,
    after,
    right_of,
)
from services.scoring.domain.rulebooks import Rulebook, Standard
from services.scoring.queries.certificates import reach
from services.scoring.tables import certifications, kit
from shared.events import EventData
from shared.kit import audit, idempotency, outbox
from shared.kit.access import Caller
from shared.kit.etag import etag
from shared.kit.problem import Conflict, Forbidden, NotFound, Outdated
from shared.rules.plan import Plan

S, T = CertificationState, CertificationStep


@dataclass(frozen=True, slots=True)
class Round:
    """A certification under the caller's hand: its row, the plan and the standard it began under."""

    desk: Desk
    row: Any
    plan: Plan
    rulebook: Rulebook
    standard: Standard
    caller: Caller
    step: CertificationStep
    now: datetime

    @property
    def agency(self) -> str:
        return self.caller.agency or ""


def round_of(desk: Desk, row: Any, caller: Caller, step: CertificationStep, now: datetime) -> Round:
    """A row with what governs it."""
    rulebook, standard = desk.governing(row)
    return Round(desk, row, desk.plan(row.plan), rulebook, standard, caller, step, now)


async def locked(
    conn: AsyncConnection, desk: Desk, caller: Caller, certification_id: UUID, version: int, step: CertificationStep,
    now: datetime,
) -> Round:  # fmt: skip
    """A certification, locked, with which the caller may take this step, in the version they read.

    Raises NotFound, Forbidden, Conflict, Outdated.
    """
    row = (
        await conn.execute(
            select(certifications).where(certifications.c.id == certification_id, reach(caller)).with_for_update()
        )
    ).one_or_none()
    if row is None:
        raise NotFound(
            "没有这项认定，或不在您的权限内。 No such certification within your reach.", code="certification-not-found"
        )
    why = refusal(desk, caller, row, step)
    if why is not None:
        raise why
    if row.version != version:
        since = [one for one in row.history if one["version"] > version]
        raise Outdated(
            "您打开后这项认定已有变动（见 changes），您的操作未保存；请查看最新情况后再提交。 "
            "The certification changed since you read it (see changes); nothing was saved. Look again, then send again.",
            headers={"etag": etag(row.version)},
            current=etag(row.version),
            changes=since,
        )
    return round_of(desk, row, caller, step, now)


def refusal(desk: Desk, caller: Caller, row: Any, step: CertificationStep) -> Conflict | Forbidden | None:
    """Why the caller cannot take this step now; None when they can."""
    try:
        after(S(row.state), step)
    except CertificationRefused:
        return Conflict(
            "这项认定现在的状态不能这样办，未作更改；请查看最新情况。 "
            "The certification is past that; nothing was changed. Look at its present state.",
            code="not-possible-now",
            state=row.state,
        )
    right = right_of(step)
    held = right is not None and caller.reach(right) is not None
    if step is T.DO_STEP:
        held = held or caller.reach("certificate.inspect") is not None
    elif step in BY_APPLICANT:
        held = held and caller.agency == row.agency
    else:
        # who applies neither inspects nor decides
        held = held and caller.agency != row.agency and caller.actor != row.applied_by
    if held and caller.reach(right or "") != "all" and row.plan != caller.plan:
        held = False
    if not held:
        return Forbidden(
            "您可以查看这项认定，但这一步由他人办理（申报单位不能检查和认定自己）；未作更改。 "
            "You may see this certification, but this step is for others: who applies neither inspects nor decides. "
            "Nothing was changed.",
            code="not-your-step",
        )
    if step in (T.CONFIRM, T.OBJECT) and caller.actor == row.proposed_by:
        return Forbidden(
            "认定由两人作出：提出意见的人不能再确认，请由另一人办理；未作更改。 "
            "Two persons decide: whoever proposed cannot confirm. Another person has to; nothing was changed.",
            code="second-person-needed",
        )
    if step is T.CONFIRM and not may_confirm(desk, caller, row):
        return Forbidden(
            "您的岗位不能作出认定：由方案规定的审批岗位或认定机关确认；未作更改。 "
            "Your post cannot decide this: the post that the plan names, or the body it goes to, confirms. Nothing was changed.",
            code="approval-needed",
        )
    return None


def may_confirm(desk: Desk, caller: Caller, row: Any) -> bool:
    """The post that the standard names decides, or the body it goes to; a town is recognised by that body alone."""
    _, standard = desk.governing(row)
    if standard.to is not None and caller.agency == standard.to:
        return True
    if row.holder_kind == "town" and standard.to is not None:
        return False
    return desk.plan(row.plan).may_approve(caller.posts, standard.decided_by)


def history_line(row: Any, now: datetime, step: str, agency: str | None, **more: Any) -> dict[str, Any]:
    """One line of the history: what was done when by which agency; codes and counts alone."""
    return {
        "version": (row.version if row is not None else 0) + 1,
        "at": now.isoformat(),
        "step": step,
        "agency": agency,
    } | more


async def saved(
    conn: AsyncConnection, one: Round, note: str = "", *, line: Mapping[str, Any] | None = None, **values: Any
) -> Any:
    """Save a certification after a step: its state, the words said with it (sealed), a line of history. The row afterwards."""
    row, state = one.row, after(S(one.row.state), one.step)
    entry = history_line(row, one.now, one.step.value, one.caller.agency, to=state.value, **dict(line or {}))
    words = row.words
    if note:
        words = {**words, str(entry["version"]): one.desk.seal_text(row.id, note)}
        entry["words"] = True
    changed = update(certifications).where(certifications.c.id == row.id)
    if state in (S.REFUSED, S.REVOKED, S.EXPIRED):
        values.setdefault("ended_at", one.now)
    changed = changed.values(
        state=state.value, version=row.version + 1, history=[*row.history, entry], words=words, **values
    ).returning(certifications)
    return (await conn.execute(changed)).one()


def facts(desk: Desk, row: Any) -> dict[str, Any]:
    """What every event of a certification carries."""
    _, standard = desk.governing(row)
    return {
        "certification_id": row.id, "plan": row.plan, "standard": row.standard, "rulebook": row.rulebook,
        "clause": standard.clause, "holder_kind": row.holder_kind, "holder": row.holder, "agency": row.agency,
        "area": row.area, "dataref": desk.dataref(row.id),
    }  # fmt: skip


async def told(conn: AsyncConnection, one: Round, events: Sequence[EventData], **noted: Any) -> UUID:
    """Tell what was done, and record who did it."""
    if events:
        await outbox.put(conn, kit.outbox, list(events), one.now)
    await audit.record(
        conn, kit, one.caller, f"certification.{one.step.value}", "certification", [one.row.id], one.now, **noted
    )
    return one.row.id


async def take_key(conn: AsyncConnection, claim: idempotency.Claim, now: datetime) -> UUID | None:
    """The object of the same request sent before, or None. Raises Conflict for a key used otherwise."""
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    return known
