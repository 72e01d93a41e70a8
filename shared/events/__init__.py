"""The published language of the four services: the envelope and one module of frozen models per producer."""

from shared.events import casework, intake, notify, scoring
from shared.events.envelope import Event, EventData, Lane

EVENT_TYPES: dict[str, type[EventData]] = {
    model.TYPE: model
    for model in (
        intake.LeadOpened,
        casework.CaseOpened,
        casework.CaseAccepted,
        casework.DeadlineMissed,
        notify.PrincipalPublished,
        scoring.LedgerEntryRecorded,
        scoring.StandingPublished,
    )
}
"""Every event that exists, by its CloudEvents `type`."""

__all__ = ["EVENT_TYPES", "Event", "EventData", "Lane"]
