"""The rulebooks as the ledger uses them: of every plan, those in force at the time of an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from services.scoring.domain.rulebook import Rulebook
from services.scoring.domain.rulebooks import Rulebook as Version
from services.scoring.domain.rulebooks import Rulebooks
from shared.rules.plan import Plan


class PlanBooks:
    """One plan's rulebooks over time."""

    def __init__(self, plan: Plan, shelf: Rulebooks) -> None:
        self.plan = plan
        self.homes: Mapping[str, str | None] = shelf.homes[plan.id]
        self.communities = shelf.communities[plan.id]
        self._shelf = shelf
        self._views: dict[str, Rulebook] = {}
        # the shelf gives the same tuple for the same day: hashing its rulebooks would cost more than the look-up saves
        self._at: dict[int, tuple[tuple[Version, ...], tuple[Rulebook, ...]]] = {}

    def at(self, moment: datetime) -> tuple[Rulebook, ...]:
        """The rulebooks in force at a moment; none where the plan has none yet."""
        found = self._shelf.in_force(self.plan.id, moment)
        known = self._at.get(id(found))
        if known is None or known[0] is not found:
            if len(self._at) > 5000:
                self._at.clear()
            known = self._at[id(found)] = (found, tuple(self._view(one) for one in found))
        return known[1]

    def _view(self, version: Version) -> Rulebook:
        found = self._views.get(version.ref)
        if found is None:
            found = self._views[version.ref] = Rulebook(
                plan=self.plan.id,
                id=version.name,
                lines={},
                homes=self.homes,
                communities=self.communities,
                source=version,
                office=self.plan.office,
            )
        return found


class Books(Mapping[str, PlanBooks]):
    """Plan → its rulebooks. `shelf` holds every version known; publication adds to it."""

    def __init__(self, plans: Mapping[str, Plan], versions: Iterable[Version] = ()) -> None:
        self.plans = dict(plans)
        self.shipped = tuple(versions)
        self.newest = -1
        """The number of the newest published version that was read from the database; -1: none was read yet."""
        self.replace(self.shipped)

    def replace(self, versions: Iterable[Version]) -> None:
        """Know these versions and no others. Of one version given twice the first counts."""
        self.shelf = Rulebooks(self.plans, versions)
        self._of = {name: PlanBooks(plan, self.shelf) for name, plan in self.plans.items()}

    def __getitem__(self, plan_id: str) -> PlanBooks:
        return self._of[plan_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)
