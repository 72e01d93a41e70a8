"""What commands on documents decide by: kinds, plans, law, keys, and where templates stand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from services.casework.commands.basis import Basis
from services.casework.domain.documents.catalogue import Catalogue
from services.casework.domain.documents.kinds import OFFICE, Kind
from services.casework.settings import Settings
from shared.kit.access import Caller
from shared.kit.problem import NotFound
from shared.rules.plan import Plan

_KEY = "document"


@dataclass(frozen=True)
class Desk:
    """Kinds of documents with the basis of casework. `Desk.of` raises `CatalogueError` for kinds that cannot be used."""

    basis: Basis
    catalogue: Catalogue
    folder: Path
    fonts: tuple[str, ...]

    @classmethod
    def of(cls, basis: Basis, settings: Settings) -> Desk:
        fonts = (str(settings.fonts_dir),) if settings.fonts_dir else ()
        return cls(basis, Catalogue.load(settings.documents_dir, basis.law), settings.documents_dir, fonts)

    def kind(self, kind_id: str) -> Kind:
        """The kind with this id. Raises `NotFound`."""
        try:
            return self.catalogue.kinds[kind_id]
        except KeyError:
            raise NotFound(
                "没有这种文书；可用的种类见 GET /v1/document-kinds。 No such kind of document; see GET /v1/document-kinds.",
                code="no-such-kind",
            ) from None

    def approval_of(self, plan: Plan, kind: Kind) -> str | None:
        """What has to be approved before a kind is issued under a plan; None for nothing."""
        return plan.documents.approvals.get(kind.id, kind.approval) or None

    @cached_property
    def layout(self) -> bytes:
        """The layout that PDF is set in now."""
        return (self.folder / "layout.typ").read_bytes()

    def default_template(self, kind: Kind) -> bytes:
        """The template that comes with the kind."""
        return (self.folder / "templates" / f"{kind.id}.docx").read_bytes()

    def seal(self, document_id: UUID, contents: Mapping[str, Any]) -> bytes:
        """A document's contents as they are kept."""
        return self.basis.keys.seal(_KEY, document_id.bytes, orjson.dumps(dict(contents)))

    def open(self, row: Any) -> dict[str, Any]:
        """The contents a row keeps. Whoever shows them records the reading."""
        return orjson.loads(self.basis.keys.open(_KEY, row.id.bytes, bytes(row.contents)))

    def dataref(self, document_id: UUID) -> str:
        return f"{self.basis.address}/v1/documents/{document_id}"


def in_office(plan: Plan, caller: Caller) -> bool:
    """Whether the caller is of the office: of its own agency, or with a post of it in the agency that hosts it."""
    if caller.agency != plan.office:
        return False
    own = {post.id for post in plan.posts if post.body == plan.office_body.id}
    return plan.agency(plan.office).kind == OFFICE or not own.isdisjoint(caller.posts)


def approving_post(plan: Plan, caller: Caller, agency: str, approval: str) -> str | None:
    """The post by which the caller may approve for an agency: one of that agency, or one of a body of the plan."""
    for post in plan.posts:
        if post.id in caller.posts and approval in post.approves and (post.body or caller.agency == agency):
            return post.id
    return None


def body_approvals(plan: Plan | None, caller: Caller) -> list[str]:
    """What the caller approves for every agency, by a post of a body such as the leading group."""
    if plan is None:
        return []
    return sorted({what for post in plan.posts if post.body and post.id in caller.posts for what in post.approves})


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
