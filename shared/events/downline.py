"""Events of the criminal threshold (刑法 224-1): what the facts of a case show, told when it changes."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from shared.events.casework import _CaseEvent

Rule = Literal["filing", "leader_prior", "grave"]


class RuleFact(BaseModel):
    """A line of the law that holds, how sure its text is, and whether it stands in for another day's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rule: str
    certainty: Literal["T", "S", "M"]
    provisional: bool


class DownlineEvaluated(_CaseEvent):
    """The threshold was reached or lost for some organiser: `filing` (立案追诉), `leader_prior`, `grave` (情节严重).

    `levels` and `heads_from` (the lower end of a band) are the greatest of any organiser; nobody is named or numbered.
    """

    TYPE: ClassVar[str] = "dachuan.case.downline-evaluated.v1"

    number: str
    version: int
    gained: tuple[Rule, ...]
    lost: tuple[Rule, ...]
    reached: tuple[Rule, ...]
    levels: int
    heads_from: int
    organisers: int
    rules: tuple[RuleFact, ...]
    evaluated_at: datetime


ALL = (DownlineEvaluated,)
