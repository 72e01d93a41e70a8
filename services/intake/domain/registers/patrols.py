"""A patrol task: its states, what a check-in does to it, and which moment counts."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.rules.calendar import local_day


class TaskState(StrEnum):
    """Where a patrol task stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"
    DROPPED = "dropped"
    """The unit is no longer let; nobody need go."""


class Act(StrEnum):
    """What happens to a task."""

    COMPLETE = "complete"
    MISS_OUT = "miss_out"
    """Somebody came and nobody was at home: an attempt; the patrol is still owed."""
    GO_LATE = "go_late"
    FOUND_DEN = "found_den"
    DROP = "drop"


TRANSITIONS: dict[tuple[TaskState, Act], TaskState] = {
    (TaskState.OPEN, Act.COMPLETE): TaskState.DONE,
    (TaskState.OPEN, Act.MISS_OUT): TaskState.OPEN,
    (TaskState.OPEN, Act.GO_LATE): TaskState.OVERDUE,
    (TaskState.OPEN, Act.FOUND_DEN): TaskState.OPEN,
    (TaskState.OPEN, Act.DROP): TaskState.DROPPED,
    (TaskState.OVERDUE, Act.COMPLETE): TaskState.DONE,
    (TaskState.OVERDUE, Act.MISS_OUT): TaskState.OVERDUE,
    (TaskState.OVERDUE, Act.GO_LATE): TaskState.OVERDUE,
    (TaskState.OVERDUE, Act.FOUND_DEN): TaskState.OVERDUE,
    (TaskState.OVERDUE, Act.DROP): TaskState.DROPPED,
}
"""What may happen to a task; any other pair is refused."""

UNFINISHED = (TaskState.OPEN.value, TaskState.OVERDUE.value)


class Result(StrEnum):
    """What a patrol found."""

    IN_ORDER = "in_order"
    NOT_HOME = "not_home"
    OCCUPANTS_CHANGED = "occupants_changed"
    SUSPICION = "suspicion"


def act_of(result: Result) -> Act:
    """What a check-in does to its task."""
    return Act.MISS_OUT if result is Result.NOT_HOME else Act.COMPLETE


def decide(state: TaskState, act: Act) -> TaskState | None:
    """The next state, or None when that may not happen."""
    return TRANSITIONS.get((state, act))


@dataclass(frozen=True, slots=True)
class Moment:
    """When a check-in counts."""

    at: datetime
    trusted: bool
    """False when the phone's moment was not believed and the moment of receipt counts."""


def counted(said: datetime | None, received: datetime, grace: timedelta) -> Moment:
    """The phone's moment, when it is not in the future and not older than the plan's grace; else that of receipt."""
    if said is None or said > received:
        return Moment(received, said is None or said - received < timedelta(minutes=5))
    if received - said > grace:
        return Moment(received, False)
    return Moment(said, True)


def in_time(at: datetime, due: date) -> bool:
    """Whether a patrol at a moment kept a due day, which runs to its end in China time."""
    return local_day(at) <= due
