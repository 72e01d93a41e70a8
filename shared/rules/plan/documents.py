"""What a plan says of documents (文书): marks and styles of their numbers, and approvals of its own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from shared.rules.plan.parts import Code, Id, Part
from shared.rules.plan.vocabulary import APPROVALS

Mark = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=r"^[^{}\x00-\x1f]+$")]
Style = Annotated[str, StringConstraints(min_length=3, max_length=80, pattern=r"^[^\x00-\x1f]*\{year\}[^\x00-\x1f]*\{n\}[^\x00-\x1f]*$")]


class DocumentRules(Part):
    """``marks``: 发文机关代字 by agency id (`office`: the conference's office). ``series``: style by number series.

    ``approvals``: by kind of document, the approval it needs here instead of the one of its kind; "" for none.
    Kinds and series are those of `deploy/documents`; `./dachuan documents check` compares.
    """

    clause: str | None = None
    assumed: bool = False
    marks: dict[Id, Mark] = Field(default_factory=dict)
    series: dict[Code, Style] = Field(default_factory=dict)
    approvals: dict[Code, str] = Field(default_factory=dict)

    @field_validator("approvals")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        for kind, approval in value.items():
            if approval and approval not in APPROVALS:
                raise ValueError(f"{kind}：没有这种审批 {approval} / no such approval {approval}")
        return value
