"""What the bodies of notify have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]
Codes = Annotated[list[Code], Field(max_length=50)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Scopes = Annotated[list[Annotated[str, StringConstraints(max_length=48)]], Field(min_length=1, max_length=30)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
