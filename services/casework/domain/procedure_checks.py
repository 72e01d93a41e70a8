"""What a procedure's table may still have wrong although every name in it is defined: dead ends and forgotten clocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.casework.domain.procedures import ClockWork, Procedure, Version


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake in a version of a procedure: `code` for programs, the state, step, clock or document it is about."""

    procedure: str
    version: str
    code: str
    about: str
    zh: str
    en: str


def check(procedure: Procedure, documents: Iterable[str] | None = None) -> tuple[Finding, ...]:
    """Every mistake of a procedure; `documents` are the kinds of documents that can be issued, None: not checked."""
    found: list[Finding] = []
    for version in procedure.versions:

        def tell(code: str, about: str, zh: str, en: str, version: Version = version) -> None:
            found.append(Finding(procedure.procedure, version.version, code, about, zh, en))

        reached = reachable(version)
        for state in version.states.keys() - reached:
            tell("never-reached", state, f"状态“{state}”到不了", f"state {state} is never reached")
        for state, rule in version.states.items():
            if rule.final:
                later = {one for step in version.steps.values() if state in step.sources for one in step.clocks.ending}
                for clock in sorted(running_in(version).get(state, frozenset()) - later):
                    tell(
                        "clock-left", f"{state}.{clock}", f"办结于“{state}”时期限“{clock}”可能还在走，须办到或撤销",
                        f"clock {clock} may still run when it ends as {state}: meet it or cancel it",
                    )
                continue
            if not ends_from(version, state):
                tell("no-end", state, f"从“{state}”办不到任何结果", f"no end can be reached from {state}")
            if not version.steps_from(state):
                tell("no-way-on", state, f"“{state}”没有人能办的下一步", f"nobody can take a step from {state}")
            by_post = any("approver" in step.by for step in version.steps_from(state).values())
            if rule.awaits is None and not by_post:
                tell("waits-for-nobody", state, f"没有写“{state}”等谁办（awaits）", f"{state} does not say whom it waits for")
        for name, clock in version.clocks.items():
            step = version.steps[clock.on_miss] if clock.on_miss else None
            if step is not None and "system" not in step.by:
                tell("not-the-systems", f"{name}.{clock.on_miss}", f"“{clock.on_miss}”不由系统办（by 缺 system）",
                     f"{clock.on_miss} is not the system's to take (by: system)")  # fmt: skip
            if not any(name in (*work.start, *work.replace.values(), *work.until) for work in _works(version)):
                tell("never-started", name, f"期限“{name}”从不起算", f"clock {name} is never started")
        if documents is not None:
            known = frozenset(documents)
            for step_id, rule in version.steps.items():
                for kind in rule.needs:
                    if kind not in known:
                        tell("no-such-document", f"{step_id}.{kind}", f"没有文书“{kind}”", f"no kind of document {kind}")
    return tuple(found)


def reachable(version: Version) -> frozenset[str]:
    """The states that some way leads to."""
    return _closure(version, version.initial)


def ends_from(version: Version, state: str) -> frozenset[str]:
    """The ends that can be reached from a state."""
    return frozenset(one for one in _closure(version, state) if version.states[one].final)


def running_in(version: Version) -> dict[str, frozenset[str]]:
    """Which clocks may be open (running, suspended or missed) in each state, whatever way led there."""
    open_in: dict[str, frozenset[str]] = {version.initial: _after(frozenset(), version.open.clocks)}
    changed = True
    while changed:
        changed = False
        for step in version.steps.values():
            for source in step.sources:
                if source not in open_in:
                    continue
                to = step.to or source
                now = open_in.get(to, frozenset()) | _after(open_in[source], step.clocks)
                if now != open_in.get(to):
                    open_in[to] = now
                    changed = True
    return open_in


def _closure(version: Version, first: str) -> frozenset[str]:
    seen, todo = {first}, [first]
    while todo:
        state = todo.pop()
        for step in version.steps.values():
            to = step.to
            if state in step.sources and to is not None and to not in seen:
                seen.add(to)
                todo.append(to)
    return frozenset(seen)


def _works(version: Version) -> tuple[ClockWork, ...]:
    return (version.open.clocks, *(step.clocks for step in version.steps.values()))


def _after(before: frozenset[str], work: ClockWork) -> frozenset[str]:
    after = set(before) - work.ending
    for old, new in work.replace.items():
        if old in before:
            after.discard(old)
            after.add(new)
    return frozenset(after | set(work.start) | set(work.until))
