"""The journey of one tip: each service tells its own steps, and the ids under which the others know more."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class TraceRequest(BaseModel):
    """Ids (or, at intake, a receipt) to look for. Sent as a body, since a receipt may not stand in an address."""

    model_config = ConfigDict(extra="forbid")

    ids: list[str] = Field(min_length=1, max_length=50)


class TraceStep(BaseModel):
    """One thing that happened, without personal data."""

    at: datetime
    service: str
    step: str
    """A code such as `tip.received`."""
    title_zh: str
    title_en: str
    object_type: str
    object_id: str
    facts: dict[str, str | int | bool | None] = {}


class TraceAnswer(BaseModel):
    """What one service knows, and the ids to ask the others for."""

    steps: list[TraceStep]
    related: list[str]
