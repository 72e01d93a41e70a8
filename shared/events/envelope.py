"""The envelope every event travels in: CloudEvents 1.0 in Kafka binary mode, JSON data in UTF-8."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

Lane = Literal["normal", "urgent"]


class EventData(BaseModel):
    """Base of every event's data.

    A producer fills every field; a consumer ignores fields it does not know, so that additions within a
    version are compatible. No name, phone, address of a person or free text ever stands in an event.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    TYPE: ClassVar[str]
    """CloudEvents `type`, for example `dachuan.case.opened.v1`."""
    TOPIC: ClassVar[str]
    """The topic of its aggregate stream."""

    @property
    def key(self) -> str:
        """The aggregate's id: events of one key stay in order."""
        raise NotImplementedError

    @property
    def topic(self) -> str:
        """Where this event is sent; an urgent one may leave its aggregate's topic for the fast lane."""
        return self.TOPIC

    @property
    def lane(self) -> Lane:
        """The outbox lane: nothing queues in front of `urgent`."""
        return "normal"


D = TypeVar("D", bound=EventData)


@dataclass(frozen=True, slots=True)
class Event(Generic[D]):
    """One received event.

    `time` is when the fact happened, `recordedat` when the producing transaction recorded it; both are kept
    for ever, so that a score can be computed as known on any day.
    """

    id: UUID
    type: str
    source: str
    key: str
    time: datetime
    recordedat: datetime
    traceparent: str | None
    data: D
