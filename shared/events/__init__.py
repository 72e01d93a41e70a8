"""The published language of the four services: the envelope and one module of frozen models per producer."""

from shared.events import (
    casework,
    casework_evidence,
    documents,
    downline,
    duties,
    evidence,
    followups,
    handovers,
    intake,
    leads,
    notify,
    operations,
    persons,
    places,
    proceedings,
    publicity,
    reports,
    rewards,
    scoring,
)
from shared.events.envelope import Event, EventData, Lane

EVENT_TYPES: dict[str, type[EventData]] = {
    model.TYPE: model
    for model in (
        intake.LeadOpened,
        intake.FactAdded,
        intake.OutcomeContested,
        intake.ContestDecided,
        intake.OutcomeRated,
        intake.PlaceRegistered,
        intake.PatrolCompleted,
        intake.PatrolOverdue,
        intake.RentalTierChanged,
        intake.SurveyRoundProgress,
        intake.SurveyRoundClosed,
        intake.VenueFinding,
        intake.AgentVisited,
        *casework_evidence.ALL,
        *documents.ALL,
        *downline.ALL,
        *duties.ALL,
        *evidence.ALL,
        *followups.ALL,
        *handovers.ALL,
        *leads.ALL,
        *operations.ALL,
        *proceedings.ALL,
        *publicity.ALL,
        *reports.ALL,
        *rewards.ALL,
        *persons.ALL,
        *places.ALL,
        casework.CaseOpened,
        casework.CaseAccepted,
        casework.DeadlineMissed,
        casework.PartyJoined,
        casework.PartyLeft,
        casework.DeadlineMoved,
        casework.CaseClosed,
        casework.CaseTakenUp,
        casework.DenFound,
        notify.PrincipalPublished,
        scoring.LedgerEntryRecorded,
        scoring.StandingPublished,
    )
}
"""Every event that exists, by its CloudEvents `type`."""

__all__ = ["EVENT_TYPES", "Event", "EventData", "Lane"]
