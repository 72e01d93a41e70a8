"""A survey round (摸底排查, X-D1a): how far it has come."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Households to visit, visited, and found suspicious."""

    target: int
    reached: int
    found: int
    done: bool

    @property
    def percent(self) -> int:
        """Whole percent, never 100 before all is done."""
        if self.done:
            return 100
        return min(99, self.reached * 100 // self.target) if self.target else 0


def progress(target: int, visited: int, counted: int, found: int, done: bool) -> Progress:
    """A part's progress; it is done when told so, or when all its households were reached."""
    reached = visited + counted
    return Progress(target, reached, found, done or (target > 0 and reached >= target))


def total(parts: list[Progress]) -> Progress:
    """Several parts together; done when each is."""
    return Progress(
        sum(part.target for part in parts),
        sum(min(part.reached, part.target) if part.target else part.reached for part in parts),
        sum(part.found for part in parts),
        bool(parts) and all(part.done for part in parts),
    )
