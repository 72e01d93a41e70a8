"""Rulebooks (考核细则) as dated data: lines, conditions, the ladder, standards; in force by the time of the event."""

from services.scoring.domain.rulebooks.load import (
    RulebookError,
    check_text,
    check_tree,
    load_tree,
    read_rulebook,
    read_text,
)
from services.scoring.domain.rulebooks.model import Rulebook
from services.scoring.domain.rulebooks.parts import (
    Band,
    Condition,
    Department,
    Detector,
    Indicator,
    LadderStep,
    Line,
    Measure,
    Section,
    Standard,
)
from services.scoring.domain.rulebooks.shelf import CHINA, Rulebooks
from services.scoring.domain.rulebooks.shipped import Shipped, read_shipped

__all__ = [
    "CHINA",
    "Band",
    "Condition",
    "Department",
    "Detector",
    "Indicator",
    "LadderStep",
    "Line",
    "Measure",
    "Rulebook",
    "RulebookError",
    "Rulebooks",
    "Section",
    "Shipped",
    "Standard",
    "check_text",
    "check_tree",
    "load_tree",
    "read_rulebook",
    "read_shipped",
    "read_text",
]
