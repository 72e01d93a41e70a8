"""What is said after a tip, by receipt and by officers; a reporter's contact and who may see it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake.domain.conversation import LONGEST_MESSAGE
from services.intake.schemas.tips import PublicTipIn, PublicTipOut, ReceiptOut, Words

Message = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_MESSAGE)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=1000)]
Receipt = Annotated[str, StringConstraints(max_length=60)]
Category = Literal["verify", "protect", "reward", "testimony", "rescue"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ContactIn(_Strict):
    """How a reporter who wants to be known can be reached; sealed apart from the tip."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=30)] = ""
    address: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""


class ReportIn(PublicTipIn):
    """A citizen's report with help: kinds ticked, questions answered, and, if they want, a contact."""

    kinds: list[str] = Field(default=[], max_length=20, description="Ids of /v1/public/questions")
    answers: dict[str, list[Annotated[str, StringConstraints(max_length=200)]]] = Field(default={}, max_length=40)
    contact: ContactIn | None = None


class ReportOut(PublicTipOut):
    """What a citizen gets for a report; `contact_kept` tells whether the contact was sealed."""

    contact_kept: bool


class OptionOut(BaseModel):
    id: str
    words: Words


class QuestionOut(BaseModel):
    """One question: `one` option, `many` options, or typed `text`."""

    id: str
    form: Literal["one", "many", "text"]
    words: Words
    options: list[OptionOut]


class KindOut(BaseModel):
    """A kind to tick and what is then asked; `danger`: call 110 first."""

    id: str
    danger: bool
    words: Words
    questions: list[QuestionOut]


class QuestionsOut(BaseModel):
    """All that the public form can ask. Every question can be skipped."""

    kinds: list[KindOut]
    common: list[QuestionOut]


class PlaceOut(BaseModel):
    """A place to pick: a community of the plan, or an estate or road in one."""

    id: str
    level: str
    words: Words


class PlacesOut(BaseModel):
    items: list[PlaceOut]


class AddedIn(_Strict):
    """What a reporter answers or adds. The receipt stands in the body, never in an address."""

    receipt: Receipt
    text: Message


class ContestIn(_Strict):
    """Why a reporter contests the outcome."""

    receipt: Receipt
    text: Message


class RatingIn(_Strict):
    """How a reporter rates the outcome."""

    receipt: Receipt
    stars: int = Field(ge=1, le=5)
    text: Note = ""


class ContactByReceiptIn(ContactIn):
    """A contact given later, by receipt."""

    receipt: Receipt


class StepOut(BaseModel):
    """One thing that happened; without a time, what is so now."""

    code: str
    at: datetime | None
    words: Words


class MessageOut(BaseModel):
    """One message. `author` is `reporter` or `officer`; no person is named."""

    id: UUID
    author: Literal["reporter", "officer"]
    kind: Literal["question", "answer", "fact", "word"]
    agency: str | None
    text: str
    at: datetime
    unread: bool


class RevealedOut(BaseModel):
    """That the reporter's contact was revealed: when, to which agency, and why."""

    agency: str
    agency_name: Words
    category: Category
    why: Words
    approved_at: datetime
    viewed_at: datetime | None


class ReceiptFull(ReceiptOut):
    """Where a report stands, all that was said, and what its reporter can do now."""

    steps: list[StepOut]
    outcome: str | None
    messages: list[MessageOut]
    may_contest: bool
    contest: Literal["open", "upheld", "confirmed"] | None
    may_rate: bool
    stars: int | None
    contact_kept: bool
    revealed: list[RevealedOut]


class AddedOut(BaseModel):
    """What a reporter added is kept; `urgent` when it goes to the police at once."""

    id: UUID
    urgent: bool


class MadeOut(BaseModel):
    id: UUID


class AskIn(_Strict):
    """What an agency asks the reporter, or tells them (`question` false)."""

    text: Message
    question: bool = True


class MessagesOut(BaseModel):
    items: list[MessageOut]


class AnswerOut(BaseModel):
    """A tip with words of its reporter that no officer has read."""

    tip_id: UUID
    lead_id: UUID | None
    urgent: bool
    unread: int


class AnswersOut(BaseModel):
    items: list[AnswerOut]


class ContestOut(BaseModel):
    """A contested closing; `text` are the reporter's words, `tip_text` the report's, shown with one contest only."""

    id: UUID
    tip_id: UUID
    plan: str
    area: str | None
    agency: str | None
    outcome: str
    state: Literal["open", "upheld", "confirmed"]
    contested_at: datetime
    decided_at: datetime | None
    mine: bool = Field(description="Whether the caller closed it and so cannot look again")
    text: str | None = None
    tip_text: str | None = None


class ContestDecisionIn(_Strict):
    """The second look, with words that the reporter reads."""

    decision: Literal["uphold", "confirm"]
    text: Message


class RevealIn(_Strict):
    """Why a reporter's contact is needed."""

    category: Category
    reason: Reason


class RevealOut(BaseModel):
    """A request to see a contact; the contact itself is in none of these."""

    id: UUID
    tip_id: UUID
    plan: str
    area: str | None
    agency: str
    category: Category
    reason: str | None = None
    state: Literal["requested", "approved", "refused", "withdrawn", "lapsed"]
    own: bool
    requested_at: datetime
    lapses_at: datetime
    decided_at: datetime | None
    view_until: datetime | None
    views: int


class RevealDecisionIn(_Strict):
    decision: Literal["approve", "refuse", "withdraw"]


class BroughtOut(BaseModel):
    """What became of a tip that the caller brought in, in plain words."""

    tip_id: UUID
    channel: str
    area: str | None
    external_ref: str | None
    received_at: datetime
    steps: list[StepOut]
    words: Words
