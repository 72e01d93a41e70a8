"""What a plan says of publicity (宣传): kinds of campaigns with their proofs, who does what where and how often, warnings.

A *campaign* asks one agency (or each community) for one thing at each of its targets in each of its rounds; the services
make the schedule from it and show what is missing.
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from shared.rules.law import Text
from shared.rules.plan.dates import FromDate, ToDate
from shared.rules.plan.parts import Id, Interval, Named, Part

PLACE_KINDS = (
    "community", "school", "factory", "station", "dock", "port", "talent_market", "labour_market", "job_agency", "job_site",
    "venue", "other",
)  # fmt: skip
"""Kinds of places that campaigns go to: 社区, 学校, 工厂, 车站, 码头, 港口, 人才市场, 劳务市场, 求职中介, 求职网站, 场馆, 其他."""

Proof = Literal["photo", "document", "link"]


class Figure(Named):
    """A number told with a proof. ``at_most`` names the figure it cannot exceed (delivered ≤ sent)."""

    required: bool = False
    at_most: Id | None = None


class CampaignKind(Named):
    """A kind of campaign: what proves it (all of ``needs``, one of ``one_of``), whether ``reach`` must be told, figures.

    ``material``: the kind of material it spreads (slogan, letter, sms, film, column, notice), which is then named.
    """

    needs: tuple[Proof, ...] = ()
    one_of: tuple[Proof, ...] = ()
    reach: bool = True
    figures: tuple[Figure, ...] = ()
    groups: bool = False
    material: Literal["slogan", "letter", "sms", "film", "column", "notice"] | None = None

    @model_validator(mode="after")
    def _proved(self) -> CampaignKind:
        if not self.needs and not self.one_of and not self.reach and not any(f.required for f in self.figures):
            raise ValueError(
                "要写怎样才算有证明：needs、one_of、reach 或必填数字 / say what proves it: needs, one_of, reach or a required figure"
            )
        return self


class PublicityPlace(Named):
    """A place that campaigns go to; more are registered while the plan runs."""

    kind: Literal[
        "community", "school", "factory", "station", "dock", "port", "talent_market", "labour_market", "job_agency",
        "job_site", "venue", "other",
    ]  # fmt: skip
    area: Id | None = None


class Targets(Part):
    """Where a campaign goes: one of these."""

    town: bool = False
    communities: bool = False
    operators: bool = False
    places: tuple[Id, ...] = ()
    place_kinds: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one(self) -> Targets:
        given = [self.town, self.communities, self.operators, bool(self.places or self.place_kinds)]
        if sum(given) != 1:
            raise ValueError(
                "town、communities、operators 或 places/place_kinds 选一种"
                " / give one of town, communities, operators or places/place_kinds"
            )
        return self

    @field_validator("place_kinds")
    @classmethod
    def _kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [kind for kind in kinds if kind not in PLACE_KINDS]
        if wrong:
            raise ValueError(f"没有这种场所：{wrong[0]} / no such kind of place: {wrong[0]}")
        return kinds


class Campaign(Named):
    """What is asked: of the agency ``by`` (none: of each community itself), at the targets, every so often.

    Without ``every`` it is asked once, by its last day. It runs from ``from`` to ``to`` or over its ``phases``; without
    either it goes on. ``proof_days``: how long after a round its proof may still come in time.
    """

    kind: Id
    by: Id | None = None
    unit: Id | None = None
    targets: Targets
    first: FromDate | None = Field(default=None, alias="from")
    last: ToDate | None = Field(default=None, alias="to")
    phases: tuple[Id, ...] = ()
    every: Interval | None = None
    proof_days: int = Field(default=0, ge=0, le=60)

    @model_validator(mode="after")
    def _timed(self) -> Campaign:
        if self.phases and (self.first or self.last):
            raise ValueError("phases 与 from/to 二选一 / give phases or from and to")
        if self.first and self.last and self.first > self.last:
            raise ValueError("from 晚于 to / from is after to")
        if self.every is None and not self.phases and self.last is None:
            raise ValueError("只做一次的要写 to 或 phases / what is done once needs to or phases")
        if self.by is None and not self.targets.communities:
            raise ValueError("要写 by：由谁负责；只有各社区自办的可以不写 / say by whom; only communities do without")
        return self


class MapSpot(Part):
    """Where an area stands on the sketch, in hundredths from the left and from the top; not to scale."""

    area: Id
    x: int = Field(ge=0, le=100)
    y: int = Field(ge=0, le=100)


class WarningRules(Part):
    """How warnings are numbered: ``number`` with {year} and {number}; ``clause`` and ``article`` they rest on."""

    clause: str | None = None
    article: Text = Text(zh="《禁止传销条例》第二十三条", en="Regulation on the prohibition of pyramid selling, art. 23")
    number: str = "打传警示〔{year}〕{number:04d}号"
    title: Text = Text(zh="打击传销警示", en="Warnings against pyramid selling")

    @field_validator("number")
    @classmethod
    def _form(cls, text: str) -> str:
        try:
            made = text.format(year=2026, number=1)
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError("只可用 {year} 和 {number} / only {year} and {number}") from error
        if "2026" not in made or made == text.format(year=2026, number=2):
            raise ValueError("要含 {year} 和 {number} / it needs {year} and {number}")
        return text


class PublicityRules(Part):
    """All of it. ``hotlines``: published numbers (服务热线) that public texts may hold, besides those of 3 to 6 digits.

    ``remind_days``: how many days before a round's proofs are due its agency is reminded.
    """

    clause: str | None = None
    assumed: bool = False
    kinds: tuple[CampaignKind, ...] = ()
    groups: tuple[Named, ...] = ()
    operators: tuple[Named, ...] = ()
    places: tuple[PublicityPlace, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    map: tuple[MapSpot, ...] = ()
    hotlines: tuple[str, ...] = ()
    remind_days: int = Field(default=3, ge=0, le=30)
    warnings: WarningRules = WarningRules()

    @field_validator("hotlines")
    @classmethod
    def _numbers(cls, numbers: tuple[str, ...]) -> tuple[str, ...]:
        for number in numbers:
            if not re.fullmatch(r"[0-9-]{3,15}", number) or re.fullmatch(r"1[3-9][0-9]{9}", number.replace("-", "")):
                raise ValueError(
                    f"“{number}”不是公布的热线；手机号不能作热线 / not a published line; a mobile number cannot be one"
                )
        return numbers

    def kind(self, kind_id: str) -> CampaignKind:
        """The kind with this id. Raises `KeyError`."""
        for kind in self.kinds:
            if kind.id == kind_id:
                return kind
        raise KeyError(kind_id)

    def campaign(self, campaign_id: str) -> Campaign | None:
        """The campaign with this id, or None where the plan no longer has it."""
        return next((one for one in self.campaigns if one.id == campaign_id), None)
