"""Who answers for a matter: handovers and their answers, decisions not to accept, supplements, and what casework tells."""

from services.intake.commands.handovers.answers import accept, decide, escalate, refuse, send_back, withdraw
from services.intake.commands.handovers.handing_back import hand_back, hand_back_by_rule
from services.intake.commands.handovers.lateness import mark_late
from services.intake.commands.handovers.obligations import (
    decline,
    end_supplement,
    expire_supplements,
    reopen,
    request_supplement,
    supplement_received,
)
from services.intake.commands.handovers.proposing import propose_lead, propose_tip
from services.intake.commands.handovers.rooms import Rules

__all__ = [
    "Rules",
    "accept",
    "decide",
    "decline",
    "end_supplement",
    "escalate",
    "expire_supplements",
    "hand_back",
    "hand_back_by_rule",
    "mark_late",
    "propose_lead",
    "propose_tip",
    "refuse",
    "reopen",
    "request_supplement",
    "send_back",
    "supplement_received",
    "withdraw",
]
