"""Liveness and readiness that tell the truth.

A part (relay, consumer, job) reports after each round that did what it should, and when it could not. A
*required* part that is unwell makes the service not ready; one that is stuck, saying nothing for twice its
patience, makes it not alive, and the process ends itself so that its supervisor starts it anew.
"""

import time
from dataclasses import dataclass, field

from shared.kit import metrics


@dataclass
class Component:
    """One part of a service and when it last got on."""

    name: str
    patience_s: float
    required: bool = True
    last_well: float = field(default_factory=time.monotonic)
    last_heard: float = field(default_factory=time.monotonic)
    trouble: str | None = "starting"
    may_end_process: bool = False

    def well(self) -> None:
        """The part did its work, or has none to do."""
        self.last_well = self.last_heard = time.monotonic()
        self.trouble = None

    def unwell(self, reason: str) -> None:
        """The part could not do its work and will try again; `reason` is a code.

        It is not ready, but alive: starting the process anew would not bring back a broker or a database.
        """
        self.trouble = reason
        self.last_heard = time.monotonic()

    @property
    def silent_s(self) -> float:
        """Seconds since the part last got on."""
        return time.monotonic() - self.last_well

    @property
    def ready(self) -> bool:
        return self.trouble is None and self.silent_s < self.patience_s

    @property
    def dead(self) -> bool:
        return self.may_end_process and time.monotonic() - self.last_heard > 2 * self.patience_s


class Health:
    """All parts of one service."""

    def __init__(self) -> None:
        self.components: dict[str, Component] = {}

    def component(
        self, name: str, patience_s: float, *, required: bool = True, may_end_process: bool = False
    ) -> Component:
        """Register a part."""
        made = Component(name, patience_s, required, may_end_process=may_end_process)
        self.components[name] = made
        return made

    def ready(self) -> bool:
        """Whether every required part is well; also sets the gauges."""
        for part in self.components.values():
            metrics.COMPONENT_READY.labels(part.name).set(part.ready)
        answer = all(part.ready for part in self.components.values() if part.required)
        metrics.READY.set(answer)
        return answer

    def alive(self) -> bool:
        """Whether no part is stuck beyond hope."""
        return not any(part.dead for part in self.components.values())

    def report(self) -> dict[str, dict[str, object]]:
        """Each part's state, for people."""
        return {
            part.name: {
                "ready": part.ready,
                "required": part.required,
                "reason": part.trouble,
                "silent_s": round(part.silent_s, 1),
            }
            for part in self.components.values()
        }
