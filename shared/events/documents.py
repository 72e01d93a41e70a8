"""Events of casework about documents (执法文书): kind, number and times; never what they say."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.common import DeadlineFact
from shared.events.envelope import EventData


class _DocumentEvent(EventData):
    TOPIC: ClassVar[str] = "casework.case.v1"

    document_id: UUID
    case_id: UUID
    proceeding_id: UUID | None
    plan: str
    area: str | None
    kind: str
    number: str
    issuer: str
    agency: str
    unit: str | None
    confidential: Literal["criminal", "operation"] | None
    dataref: str

    @property
    def key(self) -> str:
        return str(self.case_id)


class DocumentIssued(_DocumentEvent):
    """A document of a case was issued under its number; its contents are frozen with `digest` (SHA-256).

    `issuer` is an agency or `office`; `deadline` is the clock until service, where the law sets one. A confidential one
    (criminal track, an operation not yet opened) is for its issuer and those with a right of their own.
    """

    TYPE: ClassVar[str] = "dachuan.document.issued.v1"

    digest: str
    deadline: DeadlineFact | None
    issued_at: datetime


class DocumentServed(_DocumentEvent):
    """A document was served (送达): when, by which way, on which kind of receiver; `in_time` where a clock ran."""

    TYPE: ClassVar[str] = "dachuan.document.served.v1"

    way: str
    receiver: str
    deadline: DeadlineFact | None
    in_time: bool | None
    served_at: datetime


class DocumentWithdrawn(_DocumentEvent):
    """A document that was issued is withdrawn (撤销); its number stays used."""

    TYPE: ClassVar[str] = "dachuan.document.withdrawn.v1"

    was_served: bool
    withdrawn_at: datetime


ALL = (DocumentIssued, DocumentServed, DocumentWithdrawn)
