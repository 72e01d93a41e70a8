"""What a kind of document is (文书种类): who issues it on what basis, its fields, signatures, number series and wording."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.rules.law import Text
from shared.rules.plan.vocabulary import AGENCY_KINDS, APPROVALS

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
OFFICE = "office"
"""Issuer of what the office of the joint conference signs itself, whichever agency hosts it."""

SOURCES = (
    "case.number", "case.area", "case.received", "case.opened", "case.kinds", "case.parties", "case.lead",
    "issuer.name", "issuer.unit", "office.name", "agency.police", "agency.commerce", "agency.procuratorate",
    "agency.court", "agency.telecom", "today", "now", "persons", "evidence", "places", "limit",
)  # fmt: skip
"""Where a field may be filled from: the case, the plan, the day, or the case's registers (`persons:name`,
`evidence:physical`, `limit:prohibition.seal_period` say which part, kind or rule after the colon)."""

Type = Literal["text", "longtext", "date", "datetime", "money", "count", "agency", "person", "place", "choice", "items"]
_OF_PERSONS = ("persons:name", "persons:id", "persons:phone")
LONGEST = {"text": 200, "longtext": 20_000, "person": 80, "place": 300}
"""Characters that a field of a type takes, unless it says less."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(Part):
    """A column of a list."""

    id: Id
    name: Text
    type: Literal["text", "longtext", "date", "money", "count", "person", "place"] = "text"
    required: bool = True


class Option(Part):
    id: Id
    name: Text


class Within(Part):
    """A date no later than a rule's time after another date field; both days count as the law counts them."""

    rule: str
    after: Id


class DocumentField(Part):
    """One thing a document says.

    ``from``: where it is filled from; it can be changed in the draft. ``least``: so many rows of a list at least.
    ``personal``: tells of a person, so the document is for those on the case alone.
    """

    id: Id
    name: Text
    type: Type = "text"
    required: bool = True
    source: str | None = Field(default=None, alias="from")
    most: int | None = Field(default=None, ge=1, le=20_000)
    least: int | None = Field(default=None, ge=0, le=1000)
    columns: tuple[Column, ...] = ()
    options: tuple[Option, ...] = ()
    personal: bool = False
    within: Within | None = None
    rule: str | None = None
    hint: Text | None = None

    @property
    def longest(self) -> int:
        return self.most or LONGEST.get(self.type, 200)

    @model_validator(mode="after")
    def _fits(self) -> DocumentField:
        if (self.type == "items") != bool(self.columns):
            raise ValueError("items 要写 columns，其他类型不写 / give columns for items, and for nothing else")
        if (self.type == "choice") != bool(self.options):
            raise ValueError("choice 要写 options，其他类型不写 / give options for choice, and for nothing else")
        if self.source and self.source.partition(":")[0] not in SOURCES:
            raise ValueError(f"不认识的来源 {self.source} / no such source {self.source}; one of {', '.join(SOURCES)}")
        if self.source in ("persons", "persons:") or ((self.source or "").startswith("persons:") and self.source not in _OF_PERSONS):
            raise ValueError("persons: 后写 name、id 或 phone / persons: takes name, id or phone")
        if self.source == "limit" or ((self.source or "").startswith("limit:") and self.type != "date"):
            raise ValueError("limit: 后写规则，类型为 date / limit:RULE fills a date")
        if self.within and self.type != "date":
            raise ValueError("within 只用于 date / within is for dates")
        return self


class Basis(Part):
    """What the document rests on. Certainty: T text read, S quoted, M recalled or assumed. ``rule``: a line of the law."""

    instrument: str
    article: str = ""
    certainty: Literal["T", "S", "M"]
    rule: str | None = None
    note: Text | None = None

    @property
    def cited(self) -> str:
        return f"{self.instrument}{self.article}"


class Signature(Part):
    """A place to sign by hand; ``post``: the plan's post that signs, where there is one."""

    name: Text
    post: str | None = None
    count: int = Field(default=1, ge=1, le=10)


class Block(Part):
    """One piece of the default template's wording: exactly one of these. ``when``: only if this field is given."""

    text: str | None = None
    to: str | None = None
    heading: str | None = None
    form: tuple[tuple[Id, ...], ...] | None = None
    table: Id | None = None
    when: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> Block:
        if sum(one is not None for one in (self.text, self.to, self.heading, self.form, self.table)) != 1:
            raise ValueError("只写 text、to、heading、form、table 中的一项 / give one of text, to, heading, form, table")
        return self


class Series(Part):
    """A number series. Style: {place} {mark} {word} {year} {n}; see `numbers`."""

    id: Id
    name: Text
    word: str = Field(min_length=1, max_length=12)
    style: str
    certainty: Literal["T", "S", "M"] = "M"
    note: Text | None = None

    @model_validator(mode="after")
    def _style(self) -> Series:
        check_style(self.style)
        return self


_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_HOLES = re.compile(r"\{([^{}]*)\}")
_KNOWN_HOLES = frozenset({"place", "mark", "word", "year", "n"})


def check_style(style: str) -> None:
    """ValueError for a number style without {n} or {year}, or with anything unknown in braces."""
    holes = _HOLES.findall(style)
    unknown = [one for one in holes if one not in _KNOWN_HOLES]
    if unknown or "{" in _HOLES.sub("", style) or "}" in _HOLES.sub("", style):
        raise ValueError(
            "编号样式只能用 {place} {mark} {word} {year} {n} / a style knows {place} {mark} {word} {year} {n} only"
        )
    if holes.count("n") != 1 or holes.count("year") != 1:
        raise ValueError("编号样式要有一个 {year} 和一个 {n} / a style needs one {year} and one {n}")
    if not 3 <= len(style) <= 80 or not style.isprintable():
        raise ValueError("编号样式 3–80 个字 / a style has 3 to 80 characters")


class Kind(Part):
    """A kind of document.

    ``issuers``: kinds of agency that issue it, `office` for the office of the conference. ``track``: `criminal` and
    `operation` are seen by their issuer and by those with a right of their own. ``approval``: a word of the plan's
    approvals; a post that holds it approves before the number is given. ``serve``: rule of the clock until service.
    """

    id: Id
    name: Text
    title: str | None = None
    issuers: tuple[str, ...] = Field(min_length=1)
    track: Literal["common", "administrative", "criminal", "operation"] = "common"
    basis: tuple[Basis, ...] = Field(min_length=1)
    series: Id
    approval: str | None = None
    serve: str | None = None
    closing: Literal["seal", "signatures", "none"] = "seal"
    clauses: tuple[str, ...] = ()
    fields: tuple[DocumentField, ...] = Field(min_length=1)
    signatures: tuple[Signature, ...] = ()
    body: tuple[Block, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Kind:
        names = [one.id for one in self.fields]
        for name in names:
            if names.count(name) > 1 or name in RESERVED:
                raise ValueError(f"字段 {name} 重复或是保留名 / field {name} is given twice or reserved")
        wrong = [one for one in self.issuers if one != OFFICE and one not in AGENCY_KINDS]
        if wrong:
            raise ValueError(f"没有这类单位 {wrong[0]} / no such kind of agency {wrong[0]}")
        if self.approval and self.approval not in APPROVALS:
            raise ValueError(f"没有这种审批 {self.approval} / no such approval {self.approval}")
        for one in self.fields:
            if one.within and one.within.after not in names:
                raise ValueError(f"{one.id} 的 within.after 不是本文书的字段 / within.after of {one.id} is no field here")
        for block in self.body:
            used = [name for row in block.form or () for name in row] + [one for one in (block.table, block.when) if one]
            said = " ".join(one for one in (block.text, block.to, block.heading) if one)
            unknown = [name for name in [*used, *_PLACEHOLDER.findall(said)] if name not in names and name not in RESERVED]
            if unknown:
                raise ValueError(f"正文用了没有的字段 {unknown[0]} / the body uses an unknown field {unknown[0]}")
            if block.table and self.field(block.table).type != "items":
                raise ValueError(f"table 只用于 items 字段 / table is for a field of type items: {block.table}")
        return self

    def field(self, name: str) -> DocumentField:
        """The field with this id. Raises `KeyError`."""
        for one in self.fields:
            if one.id == name:
                return one
        raise KeyError(name)

    @property
    def personal(self) -> bool:
        """Whether it tells of persons."""
        return any(one.personal or one.type == "person" for one in self.fields)

    @property
    def printed_title(self) -> str:
        return self.title or self.name.zh

    @property
    def doubtful(self) -> bool:
        """Whether some of its basis was only recalled or assumed, to be checked by a lawyer."""
        return any(one.certainty == "M" for one in self.basis)


RESERVED = frozenset({"number", "title", "issuer", "issued_on", "check_code", "basis_text", "approved_text", "loop"})
"""What every template may use beside the kind's fields."""
