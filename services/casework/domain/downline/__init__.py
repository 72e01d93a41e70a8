"""The downline of a case (上下线): who recruited whom, counted by the rules of the criminal threshold. Pure functions."""

from services.casework.domain.downline.evaluation import Evaluation, evaluate
from services.casework.domain.downline.network import (
    FACT_KINDS,
    ROLES,
    Network,
    Standing,
    Strength,
    kinds_of,
    mask_of,
)
from services.casework.domain.downline.thresholds import Bounds

__all__ = [
    "FACT_KINDS",
    "ROLES",
    "Bounds",
    "Evaluation",
    "Network",
    "Standing",
    "Strength",
    "evaluate",
    "kinds_of",
    "mask_of",
]
