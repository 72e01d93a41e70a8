"""Files with a tip as their sender and officers are told of them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake.schemas.tips import Words


class FileOut(BaseModel):
    """One file, by its number within its tip. No name: the one it had is not kept."""

    file_id: UUID
    number: int
    kind: Literal["image", "audio", "video", "document"]
    media_type: str
    size: int = Field(description="Bytes of the original")
    state: Literal["received", "cleaned", "refused", "quarantined"]
    reason: Words | None = Field(default=None, description="Why there is no copy to look at, where there is none")
    source: Literal["reporter", "agency"]
    received_at: datetime


class OfficerFileOut(FileOut):
    """One file as an entitled officer sees it."""

    sha256: str = Field(description="Of the original, in hex: the proof that it is what came in")
    scan: Literal["not_scanned", "clean", "found", "failed"]
    copy_type: str | None = Field(default=None, description="Media type of the copy without metadata")
    copy_size: int | None = None


class FileResult(BaseModel):
    """What became of one file of a request, by its place in it."""

    index: int
    status: Literal["created", "replayed", "rejected"]
    file: FileOut | None = None
    problem: dict[str, object] | None = None


class FilesOut(BaseModel):
    """What became of each file, in order."""

    created: int
    replayed: int
    rejected: int
    files: list[FileResult]


class FileList(BaseModel):
    """The files of a tip."""

    items: list[OfficerFileOut]


class OwnFileList(BaseModel):
    """The files of a tip, as its reporter sees them, and how many more can come."""

    items: list[FileOut]
    left: int


class OriginalIn(BaseModel):
    """Why an original is opened. What metadata says may lead to the reporter: `warned` says that this is understood."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Literal["no-copy", "authenticity", "court", "scan-review"]
    warned: Literal[True]


class WorkOut(BaseModel):
    """Proof of work as it stands: `bits` 0 means that none is asked for now."""

    challenge: str
    bits: int
    algorithm: Literal["sha-256"] = "sha-256"
    wait_s: int = Field(description="Without working, the challenge itself is good after so many seconds")
    expires_at: datetime


Proof = Annotated[str, StringConstraints(max_length=300)]
