"""Drafts of rulebooks: made, edited, handed in, given back, withdrawn, published by a second person (X-D1c)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.rulebooks.desk import Desk
from services.scoring.commands.rulebooks.shelf import TURN, adopt, digest_of, today
from services.scoring.domain.rulebooks import Rulebook, check_text
from services.scoring.domain.rulebooks.checks import together
from services.scoring.domain.rulebooks.drafts import BY_ANOTHER, DraftAct, DraftRefused, DraftState, after
from services.scoring.tables import kit, rulebook_drafts, rulebooks
from shared.events.consequences import RulebookPublished
from shared.kit import audit, idempotency, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.etag import etag
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated
from shared.rules.plan.findings import Finding

LONGEST = 400_000
"""Characters of a rulebook at most."""

d = rulebook_drafts.c


def told(finding: Finding) -> dict[str, Any]:
    """A mistake or a doubt as it is told."""
    return {
        "severity": finding.severity, "line": finding.where.line, "code": finding.code, "zh": finding.text_zh,
        "en": finding.text_en,
    }  # fmt: skip


def check(desk: Desk, source: str) -> tuple[Rulebook | None, list[Finding]]:
    """The rulebook a text makes, and everything wrong or doubtful in it, also beside the versions in use."""
    rulebook, found = check_text(source, "draft.yaml", desk.plans)
    if rulebook is not None:
        others = [one for one in desk.books.shelf if one.ref != rulebook.ref]
        name = f"{rulebook.id}/{rulebook.version}.yaml"
        found += [
            replace(one, where=replace(one.where, file="draft.yaml"))
            for one in together([*others, rulebook], desk.plans)
            if one.where.file == name
        ]
    return rulebook, found


def _read(desk: Desk, caller: Caller, source: str) -> Rulebook:
    if len(source) > LONGEST:
        raise Invalid(f"细则过长，最多 {LONGEST} 字。 Too long: at most {LONGEST} characters.", code="too-long")
    rulebook, found = check(desk, source)
    if rulebook is None:
        raise _unusable(found)
    if caller.reach("rulebook.draft") != "all" and rulebook.plans != (caller.plan,):
        raise Forbidden(
            "只能起草本方案的细则（plans 只写本方案）；未保存。 "
            "Only your own plan's rulebooks: let plans name it alone. Nothing was kept.",
            code="other-plan",
        )
    return rulebook


def _unusable(found: list[Finding]) -> Invalid:
    wrong = [one for one in found if one.severity == "error"]
    first = wrong[0] if wrong else found[0]
    return Invalid(
        f"细则有 {len(wrong)} 处错误（第一处在第 {first.where.line} 行：{first.text_zh}）；未作更改，改好再交。 "
        f"{len(wrong)} mistakes, the first in line {first.where.line}: {first.text_en}. Nothing was changed.",
        code="rulebook-mistakes",
        findings=[told(one) for one in found],
    )


async def create(conn: AsyncConnection, desk: Desk, caller: Caller, source: str, claim: Claim, now: datetime) -> UUID:
    """Begin a draft; mistakes may still be in it, but it must be a rulebook of the caller's plan.

    Raises `Invalid`, `Forbidden`, `Conflict` (the version is published already, or the key was used otherwise).
    """
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    if known is not None:
        return known
    rulebook = _read(desk, caller, source)
    await _not_published(conn, desk, rulebook)
    row = {
        "id": claim.object_id, "plan": caller.plan or rulebook.plans[0], "rulebook": rulebook.id,
        "edition": rulebook.version, "valid_from": rulebook.valid_from, "source": source,
        "state": DraftState.DRAFT.value, "agency": caller.agency or "", "unit": caller.unit,
        "drafted_by": caller.actor, "drafted_at": now, "version": 1,
        "history": [_noted("create", caller, now, 1, digest_of(source))],
    }  # fmt: skip
    await insert_many(conn, rulebook_drafts, [row])
    await audit.record(
        conn, kit, caller, "rulebook.draft", "rulebook_draft", [claim.object_id], now, rulebook=rulebook.ref
    )
    return claim.object_id


async def act(
    conn: AsyncConnection,
    desk: Desk,
    caller: Caller,
    draft_id: UUID,
    what: DraftAct,
    *,
    source: str | None = None,
    reason: str = "",
    version: int,
    claim: Claim,
    now: datetime,
) -> UUID:
    """Do something with a draft; the same request again has its effect once.

    Raises `NotFound`, `Forbidden` (a second person must), `Conflict` (not possible now), `Outdated`, `Invalid`.
    """
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    if known is not None:
        return known
    row = (
        await conn.execute(select(rulebook_drafts).where(d.id == draft_id, d.plan == caller.plan).with_for_update())
    ).one_or_none()
    if row is None:
        raise not_found()
    if row.version != version:
        raise Outdated(
            "您打开后草案有变动，您的操作未保存；请查看最新内容后再提交。 "
            "The draft changed since you read it; nothing was saved. Look again, then send again.",
            headers={"etag": etag(row.version)},
            current=etag(row.version),
        )
    try:
        state = after(DraftState(row.state), what)
    except DraftRefused:
        raise Conflict(
            "草案当前状态不能办理这一步；未作更改。 Not possible in the draft's present state; nothing was changed.",
            code="not-possible-now",
            state=row.state,
        ) from None
    changes: dict[str, Any] = {"state": state.value, "version": row.version + 1}
    match what:
        case DraftAct.EDIT:
            if source is None:
                raise Invalid("请写细则内容；未作更改。 The text is missing; nothing was changed.", code="text-missing")
            changes |= await _edited(conn, desk, caller, row, source, now)
        case DraftAct.SUBMIT:
            await _ready(conn, desk, caller, row.source, now)
            changes |= {"submitted_by": caller.actor, "submitted_at": now, "reason": None}
        case DraftAct.WITHDRAW:
            changes |= {"decided_by": caller.actor, "decided_at": now}
        case _:
            _another(desk, caller, row, what)
            changes |= {"reason": _why(reason)} if what is DraftAct.RETURN else {"decided_by": caller.actor, "decided_at": now}
            if what is DraftAct.PUBLISH:
                await _publish(conn, desk, caller, row, now)
    digest = digest_of(changes.get("source", row.source))
    changes["history"] = [*row.history, _noted(what.value, caller, now, row.version + 1, digest)]
    await conn.execute(update(rulebook_drafts).where(d.id == draft_id).values(**changes))
    await audit.record(
        conn, kit, caller, f"rulebook.{what.value}", "rulebook_draft", [draft_id], now,
        rulebook=f"{row.rulebook}@{row.edition}", state=state.value,
    )  # fmt: skip
    return draft_id


def not_found() -> NotFound:
    """The refusal of a draft that is not there or not within reach."""
    return NotFound("没有此草案，或不在您的权限内。 No such draft within your reach.", code="draft-not-found")


def _noted(what: str, caller: Caller, now: datetime, version: int, digest: str) -> dict[str, Any]:
    return {
        "act": what, "by": caller.actor, "agency": caller.agency, "posts": list(caller.posts), "at": now.isoformat(),
        "version": version, "sha256": digest,
    }  # fmt: skip


def _why(reason: str) -> str:
    if not reason.strip():
        raise Invalid("请写明退回理由；未作更改。 Say why; nothing was changed.", code="words-missing", fields=["reason"])
    return reason.strip()


async def _edited(
    conn: AsyncConnection, desk: Desk, caller: Caller, row: Any, source: str, now: datetime
) -> dict[str, Any]:
    rulebook = _read(desk, caller, source)
    await _not_published(conn, desk, rulebook)
    return {
        "source": source, "rulebook": rulebook.id, "edition": rulebook.version, "valid_from": rulebook.valid_from,
        "drafted_by": caller.actor, "drafted_at": now,
    }  # fmt: skip


async def _ready(conn: AsyncConnection, desk: Desk, caller: Caller, source: str, now: datetime) -> Rulebook:
    rulebook, found = check(desk, source)
    if rulebook is None or any(one.severity == "error" for one in found):
        raise _unusable(found)
    first = today(now) + timedelta(days=1)
    if rulebook.valid_from < first:
        raise Invalid(
            f"valid_from 不能早于明天（{first}）：已经发生的事不重新计分；未作更改。 "
            f"valid_from must be {first} or later: what happened already is not valued anew. Nothing was changed.",
            code="begins-in-the-past",
            earliest=first.isoformat(),
        )
    await _not_published(conn, desk, rulebook)
    return rulebook


async def _not_published(conn: AsyncConnection, desk: Desk, rulebook: Rulebook) -> None:
    same = select(rulebooks.c.edition).where(
        rulebooks.c.rulebook == rulebook.id, rulebooks.c.edition == rulebook.version
    )
    if desk.books.shelf.get(rulebook.id, rulebook.version) or (await conn.execute(same)).first() is not None:
        raise Conflict(
            f"{rulebook.ref} 已发布，发布后不能修改；请换一个 version。未作更改。 "
            f"{rulebook.ref} is published and is never changed; choose another version. Nothing was changed.",
            code="already-published",
        )


def _another(desk: Desk, caller: Caller, row: Any, what: DraftAct) -> None:
    plan = desk.plans.get(row.plan)
    if caller.kind != "officer" or plan is None or not plan.may_approve(caller.posts, "rulebook.publish"):
        raise Forbidden(
            "方案没有授权您的岗位发布细则；未作更改。 The plan does not let your post publish rulebooks; nothing was changed.",
            approval="rulebook.publish",
        )
    if what in BY_ANOTHER and caller.actor in (row.drafted_by, row.submitted_by):
        raise Forbidden(
            "须由起草、提交以外的第二人办理；未作更改。 "
            "Somebody else than who wrote and handed it in must do this; nothing was changed.",
            code="second-person",
        )


async def _publish(conn: AsyncConnection, desk: Desk, caller: Caller, row: Any, now: datetime) -> None:
    rulebook = await _ready(conn, desk, caller, row.source, now)
    await adopt(conn, desk.shipped, now)
    await conn.execute(TURN)
    digest = digest_of(row.source)
    made = await insert_many(
        conn,
        rulebooks,
        [
            {
                "rulebook": rulebook.id, "edition": rulebook.version, "plans": list(rulebook.plans),
                "valid_from": rulebook.valid_from, "source": row.source, "sha256": digest, "origin": "published",
                "draft_id": row.id, "drafted_by": row.submitted_by, "published_by": caller.actor, "published_at": now,
            }
        ],
        conflict="ON CONFLICT DO NOTHING",
        returning="seq",
    )  # fmt: skip
    if not made:
        raise Conflict(
            "同一天已有这份细则的另一版生效，或此版刚刚发布；未作更改。 "
            "Another version begins on that day, or this one was just published; nothing was changed.",
            code="already-published",
        )
    event = RulebookPublished(
        plan=row.plan,
        rulebook=rulebook.id,
        edition=rulebook.version,
        clause=rulebook.clause,
        dataref=f"{desk.address}/v1/rulebooks/{rulebook.id}/{rulebook.version}",
        valid_from=rulebook.valid_from,
        lines=len(rulebook.lines),
        assumed=sum(line.assumed for line in rulebook.lines),
        sha256=digest,
        published_at=now,
    )
    await outbox.put(conn, kit.outbox, [event], now)
