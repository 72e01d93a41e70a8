"""What the API and the pages of documents share: one change, one reading, a list, the register, a template."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.casework.commands.documents import drafting, numbers, templates
from services.casework.commands.documents.desk import Desk, approving_post, body_approvals, in_office
from services.casework.commands.documents.reading import Form, make_file, pressed, readable, record_reading
from services.casework.domain.documents.kinds import OFFICE, Kind
from services.casework.domain.documents.numbers import mark_of, style_of
from services.casework.queries import documents as queries
from services.casework.queries.documents_present import DocumentPresenter, Sight, name_of, words
from services.casework.schemas.documents import DocumentIn
from shared.kit import clock, db, pagination
from shared.kit.access import Caller
from shared.kit.problem import Forbidden, NotFound
from shared.kit.service import Service
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

Change = Callable[..., Awaitable[UUID]]


@dataclass(frozen=True, slots=True)
class DocumentRoom:
    """Documents of a running service, each call in a transaction of its own."""

    service: Service
    desk: Desk
    present: DocumentPresenter

    def plan_of(self, caller: Caller) -> Plan:
        """The caller's plan. Raises `NotFound` for a caller of none."""
        plan = self.desk.basis.plans.get(caller.plan or "")
        if plan is None or caller.agency not in {one.id for one in plan.agencies}:
            raise NotFound("没有您的方案或单位。 There is no plan or agency of yours here.", code="no-plan")
        return plan

    def my_kinds(self, caller: Caller) -> tuple[Kind, ...]:
        """The kinds that the caller's agency, or the office, issues."""
        plan = self.plan_of(caller)
        return self.desk.catalogue.issued_by(plan, caller.agency or "", in_office=in_office(plan, caller))

    def kinds(self, caller: Caller) -> list[dict[str, Any]]:
        """Every kind, those of the caller's agency marked `mine`."""
        plan = self.plan_of(caller)
        mine = {one.id for one in self.my_kinds(caller)}
        return [
            self.present.kind_out(one, mine=one.id in mine, approval=self.desk.approval_of(plan, one))
            for one in self.desk.catalogue.kinds.values()
        ]

    def sight(self, caller: Caller, row: Any) -> Sight:
        """What the caller is to a document."""
        plan = self.desk.basis.plans.get(row.plan)
        own_side = caller.plan == row.plan and caller.agency == row.agency
        if plan is not None and row.issuer == OFFICE:
            own_side = own_side and in_office(plan, caller)
        approves = bool(
            plan and row.approval and caller.plan == row.plan and approving_post(plan, caller, row.agency, row.approval)
        )
        return Sight(queries.opened_to(caller, row, body_approvals(plan, caller)), own_side, approves)

    def shown(self, caller: Caller, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Rows of documents as a list shows them."""
        plans = self.desk.basis.plans
        return [self.present.document_out(caller, plans.get(row.plan), row, self.sight(caller, row)) for row in rows]

    async def full(self, caller: Caller, document_id: UUID) -> dict[str, Any]:
        """A document with its contents; that they were read is recorded. Raises `NotFound` or `Forbidden`."""
        async with db.begin(self.service.engine) as conn:
            row = await readable(conn, self.desk, caller, document_id)
            services = await queries.services_of(conn, document_id)
            await record_reading(conn, caller, row, "document.read", clock.now())
        plan = self.desk.basis.plan(row.plan)
        return self.present.document_full(caller, plan, row, self.sight(caller, row), self.desk.open(row), services)

    async def of_case(self, caller: Caller, case_id: UUID) -> list[dict[str, Any]]:
        """A case's documents. Raises `NotFound`."""
        approvals = body_approvals(self.desk.basis.plans.get(caller.plan or ""), caller)
        async with db.begin(self.service.engine) as conn:
            known = await queries.case_known(conn, caller, case_id)
            rows = await queries.of_case(conn, caller, case_id, approvals)
        if not known:
            raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
        return self.shown(caller, rows)

    async def waiting(self, caller: Caller) -> list[dict[str, Any]]:
        """Complete drafts of others that the caller's posts may approve, oldest first."""
        plan = self.plan_of(caller)
        approvals = sorted({what for post in plan.posts if post.id in caller.posts for what in post.approves})
        async with db.begin(self.service.engine) as conn:
            rows = await queries.waiting_for(conn, caller, approvals)
        return self.shown(caller, [row for row in rows if self.sight(caller, row).approves])

    async def draft(self, caller: Caller, case_id: UUID, body: DocumentIn, key: str) -> UUID:
        """A new draft of a case, once for a key."""
        asked = f"{case_id}:".encode() + body.model_dump_json().encode()
        claim = drafting.fresh_claim(self.desk, caller, "document.draft", key, asked)
        async with db.begin(self.service.engine) as conn:
            return await drafting.draft(
                conn, self.desk, caller, case_id, body.kind, body.fields, body.proceeding_id, claim, clock.now(),
                body.case_person_id,
            )

    async def act(
        self, caller: Caller, document_id: UUID, change: Change, key: str, version: int, body: BaseModel, **given: Any
    ) -> UUID:
        """Carry one change out, once for a key."""
        asked = f"{document_id}:{version}:".encode() + body.model_dump_json().encode()
        claim = drafting.fresh_claim(self.desk, caller, f"document.{change.__name__}", key, asked, document_id)
        async with db.begin(self.service.engine) as conn:
            return await change(conn, self.desk, caller, document_id, **given, version=version, claim=claim, now=clock.now())

    async def file(self, caller: Caller, document_id: UUID, form: Form) -> tuple[str, bytes]:
        """A document's file with its name; the reading is recorded before it is made."""
        async with db.begin(self.service.engine) as conn:
            row, job = await make_file(conn, self.desk, caller, document_id, form, clock.now())
        return f"{job.title}{row.number or '（草稿）'}.{form}", await pressed(job)

    def issuer_of(self, caller: Caller, asked: str) -> str:
        """Whose register: the caller's agency, or the office for its members. Raises `Forbidden` for another's."""
        plan = self.plan_of(caller)
        office = in_office(plan, caller)
        if not asked:
            return OFFICE if office and caller.unit in (None, OFFICE) else caller.agency or ""
        if asked == caller.agency or (asked == OFFICE and office):
            return asked
        raise Forbidden("这是别的单位的登记簿。 That is another agency's register.", code="not-your-register")

    async def register(
        self, caller: Caller, issuer: str, *, series: str | None, year: int | None, cursor: str | None, limit: int
    ) -> dict[str, Any]:
        """The series of an issuer with their settings, and the numbers given out, newest first."""
        desk, plan = self.desk, self.plan_of(caller)
        this_year = local_day(clock.now()).year
        after: Any = pagination.decode(cursor, (datetime.fromisoformat, UUID))
        async with db.begin(self.service.engine) as conn:
            counted = await queries.counters(conn, plan.id, issuer, this_year)
            own = await queries.styles(conn, plan.id, issuer)
            found = await queries.register(conn, caller, issuer, series=series, year=year, after=after, limit=limit)
        rows, following = pagination.page(found, limit, lambda row: (row.issued_at, row.id))
        kind_of = plan.agency(plan.office if issuer == OFFICE else issuer).kind
        used = {
            kind.series for kind in desk.catalogue.kinds.values() if (OFFICE if issuer == OFFICE else kind_of) in kind.issuers
        }
        mark, plans_own = mark_of(plan, issuer, desk.catalogue.marks)
        listed = []
        for one in desk.catalogue.series.values():
            if one.id not in used:
                continue
            last, first = counted.get(one.id, (0, 1))
            set_here = own.get(one.id)
            style = set_here.style if set_here else style_of(plan, one, issuer)
            listed.append({
                "id": one.id,
                "name": words(one.name),
                "style": style,
                "version": set_here.version if set_here else 0,
                "mark": mark,
                "assumed": set_here is None and not (plans_own and one.id in plan.documents.series),
                "year": this_year,
                "last": last,
                "first": first,
                "next": numbers.printed(desk, plan, issuer, one.id, style, this_year, last + 1),
            })  # fmt: skip
        return {
            "issuer": issuer,
            "issuer_name": name_of(plan, issuer),
            "series": listed,
            "items": self.shown(caller, rows),
            "next": following,
        }

    async def set_style(self, caller: Caller, issuer: str, series: str, style: str, version: int) -> None:
        """Numbers of a series in another style from now on."""
        plan = self.plan_of(caller)
        async with db.begin(self.service.engine) as conn:
            await numbers.set_style(
                conn, self.desk, caller, plan, issuer, series, style, version=version, now=clock.now()
            )

    async def set_first(self, caller: Caller, issuer: str, series: str, first: int) -> None:
        """This year's numbers of a series from here on."""
        plan = self.plan_of(caller)
        async with db.begin(self.service.engine) as conn:
            await numbers.set_first(conn, self.desk, caller, plan, issuer, series, first, clock.now())

    async def templates(self, caller: Caller) -> list[dict[str, Any]]:
        """The kinds the caller's side issues, each with its template's version."""
        plan = self.plan_of(caller)
        found = []
        async with db.begin(self.service.engine) as conn:
            own: dict[str, dict[str, Any]] = {}
            for kind in self.my_kinds(caller):
                issuer = drafting.issuer_for(plan, caller, kind)
                if issuer not in own:
                    own[issuer] = await queries.own_templates(conn, plan.id, issuer)
                row = own[issuer].get(kind.id)
                found.append(self._template_out(kind, issuer, row.version if row else 0, bool(row and row.sha256), []))
        return found

    async def template(self, caller: Caller, kind_id: str) -> tuple[bytes, int]:
        """The Word template that the caller's side uses for a kind, and its version."""
        kind, plan = self.desk.kind(kind_id), self.plan_of(caller)
        issuer = drafting.issuer_for(plan, caller, kind)
        async with db.begin(self.service.engine) as conn:
            content = await templates.current_template(conn, self.desk, plan.id, issuer, kind)
            row = (await queries.own_templates(conn, plan.id, issuer)).get(kind_id)
        return content, row.version if row else 0

    async def set_template(self, caller: Caller, kind_id: str, content: bytes | None, version: int) -> dict[str, Any]:
        """Check an edited template and take it into use; None: back to the default."""
        kind, plan = self.desk.kind(kind_id), self.plan_of(caller)
        issuer = drafting.issuer_for(plan, caller, kind)
        faults = await templates.checked(kind, content) if content is not None else []
        async with db.begin(self.service.engine) as conn:
            made = await templates.set_template(
                conn, caller, plan, issuer, kind, content, version=version, now=clock.now(), faults=faults
            )
        return self._template_out(kind, issuer, made, content is not None, [str(one["message"]) for one in faults])

    @staticmethod
    def _template_out(kind: Kind, issuer: str, version: int, own: bool, warnings: list[str]) -> dict[str, Any]:
        return {
            "kind": kind.id, "name": words(kind.name), "issuer": issuer, "version": version, "own": own,
            "warnings": warnings,
        }  # fmt: skip
