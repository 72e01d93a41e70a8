"""What a plan says of handing matters over, declining them, asking for more, and ringing for a held person."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from shared.rules.law import Text
from shared.rules.plan.parts import AcceptanceLine, Code, Named, Part

ReasonUse = Literal["hand_over", "decline", "refuse", "return"]


class HandoverReason(Named):
    """Why a matter is handed over, declined, refused or returned.

    ``ends``: declining for it ends the agency's obligation, since nobody else in the plan takes the matter; without
    it a declined matter is handed over, and its agency stays responsible until another one has accepted it.
    ``sideways``: it may go straight to its agency even where a distributor's matters go back through it.
    """

    uses: tuple[ReasonUse, ...] = Field(min_length=1)
    ends: bool = False
    sideways: bool = False


class Distributor(Part):
    """A line that distributes what comes in by a channel: what is not ours goes back through it, never sideways.

    ``leads``: so does pyramid selling that is another agency's; without it, only what is not pyramid selling.
    ``returns``: what is not pyramid selling goes back by an officer's word, or by itself ``wait_hours`` after it came in
    unless an officer has read it otherwise by then; ``reason`` is the one given.
    """

    channel: Code
    name: Text
    leads: bool = False
    returns: Literal["officer", "rule"] = "officer"
    wait_hours: int = Field(default=24, ge=0, le=240)
    reason: Code = "not_pyramid"
    article: str = ""
    certainty: Annotated[str, StringConstraints(pattern="^[TSM]$")] = "M"


class Supplement(Part):
    """Asking the reporter for more (补正): how long the answer may take, how often, and which clocks stand still."""

    rule: Code
    suspends: tuple[Code, ...] = ()
    most: int = Field(gt=0)


class Ringing(Part):
    """How a held person's notice rings until someone signs: how often, and after how long the others are rung too."""

    every_minutes: int = Field(gt=0)
    widen_after_minutes: int = Field(gt=0)


class HandoverRules(Part):
    """Numbers, reasons and clocks of handovers. ``refusals``: so many bring the matter before the office.

    ``number`` is the style of our numbers, with ``{year}`` and ``{n}``. ``answer`` and ``decide`` name the rules for
    the receiver's answer and the office's decision; the first line that fits decides, as with acceptance.
    """

    number: str = Field(min_length=5, max_length=60)
    answer: tuple[AcceptanceLine, ...]
    decide: tuple[AcceptanceLine, ...]
    refusals: int = Field(gt=0)
    reasons: tuple[HandoverReason, ...] = Field(min_length=1)
    distributors: tuple[Distributor, ...] = ()
    supplement: Supplement | None = None
    ring: Ringing | None = None

    @model_validator(mode="after")
    def _number(self) -> HandoverRules:
        try:
            if self.number.format(year=2026, n=1) == self.number:
                raise ValueError
        except (ValueError, KeyError, IndexError):
            raise ValueError("number 要含 {year} 和 {n} / number needs {year} and {n}") from None
        return self

    def reason(self, code: str, use: ReasonUse) -> HandoverReason | None:
        """The reason with this code, when it may be given for this use."""
        return next((one for one in self.reasons if one.id == code and use in one.uses), None)

    def distributor(self, channel: str) -> Distributor | None:
        """The line that distributes what comes by this channel, or None."""
        return next((one for one in self.distributors if one.channel == channel), None)


def rule_for(lines: tuple[AcceptanceLine, ...], agency: str | None, kind: str | None, urgent: bool) -> str:
    """The id of the rule of the first line that fits. Raises `LookupError`; a valid plan ends with one for all."""
    for line in lines:
        if line.agency in (None, agency) and line.kind in (None, kind) and line.urgent in (None, urgent):
            return line.rule
    raise LookupError("no line fits; a valid plan ends with one for all")
