"""Decisions about a proceeding: opening it and taking a step, by the table of its procedure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.casework.domain.procedures import OpenRule, Procedure, StepRule, Version
from services.casework.domain.proceedings.clocks import clocks_of, not_before
from services.casework.domain.proceedings.fields import values_of
from services.casework.domain.proceedings.parts import (
    Actor,
    Asked,
    Decision,
    Ground,
    Guard,
    Proceeding,
    Refused,
    Side,
    agencies_of,
)
from shared.rules import deadlines
from shared.rules.deadlines import Deadline
from shared.rules.plan import Plan


def decide_opening(
    procedure: Procedure, version: Version, proceeding: Proceeding, values: Mapping[str, Any], actor: Actor,
    ground: Ground, guards: Mapping[str, Guard],
) -> Decision:  # fmt: skip
    """Open a proceeding. Raises `Incomplete` or `Refused`."""
    rule = version.open
    owner_kind = ground.plan.agency(proceeding.owner.agency).kind
    if rule.by and owner_kind not in rule.by and not actor.system:
        raise Refused(
            "not-yours-to-open",
            f"{procedure.name.zh}不由本单位提出，未保存；可请 {'、'.join(agencies_of(ground.plan, rule.by))} 办理。",
            f"{procedure.name.en} is not your agency's to open; nothing was saved",
        )
    if rule.right is not None and rule.right not in actor.rights and not actor.system:
        raise Refused(
            "not-yours-to-open", f"{procedure.name.zh}由打传办或领导小组提出，您的岗位没有这项权限；未保存。",
            f"{procedure.name.en} is for the office or the leaders to open; nothing was saved", right=rule.right,
        )
    _check_counterpart(procedure, proceeding, ground.plan)
    if procedure.single and any(one.kind == procedure.procedure and not one.final for one in ground.siblings):
        raise Refused(
            "open-already", f"本案已有正在办理的{procedure.name.zh}，未重复建立。",
            f"the case has an open {procedure.name.en} already; no second one was made",
        )
    given, words = values_of(rule.fields, values, ground, lenient=actor.system)
    _approved(rule, actor, ground.plan)
    asked = Asked(procedure, version, proceeding, "open", given, dict(given), actor, ground, words)
    asked = _guarded(rule, guards, asked)
    given, facts = dict(asked.given), asked.facts
    clocks = clocks_of(version, rule.clocks, proceeding, given, facts, ground)
    return Decision(version.initial, facts, words, given, clocks)


def decide_step(
    procedure: Procedure, version: Version, proceeding: Proceeding, step_id: str, values: Mapping[str, Any],
    actor: Actor, ground: Ground, guards: Mapping[str, Guard],
) -> Decision:  # fmt: skip
    """Take a step. Raises `Refused` (unknown, not possible now, another's, not approved, papers missing, a guard's
    reason) or `Incomplete`."""
    step = version.steps.get(step_id)
    if step is None:
        raise Refused("no-such-step", f"{procedure.name.zh}没有这一步。", f"{procedure.name.en} has no step {step_id}")
    if proceeding.state not in step.sources:
        said = version.states[proceeding.state].name
        raise Refused(
            "not-possible-now",
            f"现在是“{said.zh}”，不能“{step.name.zh}”；可办的有：{_names(version, proceeding.state, zh=True)}。",
            f"it is “{said.en}” and cannot “{step.name.en}”; possible: {_names(version, proceeding.state, zh=False)}",
            state=proceeding.state,
            possible=sorted(version.steps_from(proceeding.state)),
        )
    if not may_take(step, proceeding, actor):
        raise Refused(
            "not-yours", f"“{step.name.zh}”由另一方办理，未保存。",
            f"“{step.name.en}” is another side's step; nothing was saved",
        )
    _approved(step, actor, ground.plan)
    # what follows from another step rests on that one's papers
    missing = [] if actor.system else [one for one in step.needs if one not in ground.documents]
    if missing:
        named = [ground.title(one) for one in missing]
        raise Refused(
            "papers-missing", f"还缺文书：{'、'.join(f'《{one.zh}》' for one in named)}；未保存，请先制作并签发。",
            f"documents are missing: {', '.join(one.en for one in named)}; nothing was saved, issue them first",
            documents=missing, named={kind: {"zh": one.zh, "en": one.en} for kind, one in zip(missing, named, strict=True)},
        )  # fmt: skip
    given, words = values_of(step.fields, values, ground, lenient=actor.system)
    facts = {**proceeding.facts, **given}
    asked = Asked(procedure, version, proceeding, step_id, given, facts, actor, ground, words)
    asked = _guarded(step, guards, asked)
    given, facts = dict(asked.given), dict(asked.facts)
    clocks = clocks_of(version, step.clocks, proceeding, given, facts, ground)
    return Decision(step.to or proceeding.state, facts, words, given, clocks)


def may_take(step: StepRule, proceeding: Proceeding, actor: Actor) -> bool:
    """Whether the step is this actor's; the owner records what a side without an account here answers."""
    if actor.system:
        return True

    def of(side: Side | None) -> bool:
        return side is not None and side.agency == actor.agency

    for by in step.by:
        if by == "owner" and of(proceeding.owner):
            return True
        if by == "counterpart" and (
            of(proceeding.counterpart)
            or (proceeding.counterpart is not None and proceeding.counterpart.outside and of(proceeding.owner))
        ):
            return True
        if (by == "office" and actor.office) or (by == "party" and actor.party):
            return True
        if by == "approver":  # whether the post may approve it is asked next, with an answer of its own
            return True
    return False


def side_of(plan: Plan, agency: str, unit: str | None = None) -> Side:
    """An agency as a side: what stands outside the plan has no account here."""
    inside = any(one.id == agency for one in plan.members)
    return Side(agency, unit, outside=not inside)


def decide_miss(
    version: Version, proceeding: Proceeding, name: str, now: datetime
) -> tuple[Deadline, str | None]:
    """A clock passed: the deadline after it, and the step the system takes then. Raises `DeadlineRefused`.

    A term is over at its last moment, and not missed.
    """
    rule, known = version.clocks.get(name), proceeding.clocks[name]
    if rule is not None and rule.term:
        after, _ = deadlines.meet(known, now=not_before(known, known.due))
    else:
        after, _ = deadlines.miss(known, now=now)
    step = rule.on_miss if rule else None
    return after, step if step and proceeding.state in version.steps[step].sources else None


def _check_counterpart(procedure: Procedure, proceeding: Proceeding, plan: Plan) -> None:
    rule, other = procedure.counterpart, proceeding.counterpart
    if rule is None:
        if other is not None:
            raise Refused("no-counterpart", f"{procedure.name.zh}没有对方单位。", f"{procedure.name.en} has no other side")
        return
    if other is None:
        if rule.required:
            raise Refused("counterpart-missing", "请写明对方单位；未保存。", "say which agency it goes to; nothing was saved")
        return
    if other.agency not in rule.others:
        try:
            kind = plan.agency(other.agency).kind
        except KeyError:
            raise Refused(
                "unknown-agency", "方案中没有这个单位；未保存。", "the plan has no such agency; nothing was saved"
            ) from None
        if (rule.kinds or rule.others) and kind not in rule.kinds:
            to = [*agencies_of(plan, rule.kinds), *(one.zh for one in rule.others.values())]
            raise Refused(
                "wrong-counterpart", f"{procedure.name.zh}应送：{'、'.join(to) or '（方案中没有）'}；未保存。",
                f"{procedure.name.en} goes to {', '.join((*rule.kinds, *rule.others))}; nothing was saved",
            )
    if other.agency == proceeding.owner.agency and other.unit == proceeding.owner.unit:
        raise Refused("same-side", "对方就是本单位；未保存。", "both sides are the same; nothing was saved")


def _names(version: Version, state: str, *, zh: bool) -> str:
    steps = version.steps_from(state).values()
    return ("、" if zh else ", ").join(step.name.zh if zh else step.name.en for step in steps) or ("无" if zh else "none")


def _approved(rule: StepRule | OpenRule, actor: Actor, plan: Plan) -> None:
    if rule.approval is None or actor.system:
        return
    if not plan.may_approve(actor.posts, rule.approval):
        posts = [post for post in plan.posts if rule.approval in post.approves]
        raise Refused(
            "approval-needed",
            f"这一步须由有审批权的岗位办理（{'、'.join(post.name.zh for post in posts) or '方案未设'}）；未保存。",
            f"this step is for a post that may approve it ({', '.join(post.name.en for post in posts) or 'none in the plan'})",
            approval=rule.approval,
        )


def _guarded(rule: StepRule | OpenRule, guards: Mapping[str, Guard], asked: Asked) -> Asked:
    """What was asked, with what the guards found out; each guard sees what those before it found."""
    for name in rule.guards:
        found = guards[name](asked) or {}
        kept = {k: v for k, v in found.items() if (known := rule.fields.get(k)) is not None and known.derived}
        if kept:
            asked = replace(asked, given={**asked.given, **kept}, facts={**asked.facts, **kept})
    return asked
