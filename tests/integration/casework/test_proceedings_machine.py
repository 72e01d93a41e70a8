"""Random ways through every procedure by the real commands on a real PostgreSQL: rows, steps, clocks and events agree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from services.casework.commands import Basis, open_cases
from services.casework.commands.proceedings import Wanted, mark_proceedings_missed, open_proceeding, take_step
from services.casework.domain.procedure_checks import running_in
from services.casework.domain.procedures import FieldRule, Procedure, Version
from services.casework.main import build
from services.casework.settings import Settings
from shared.kit import clock, db, idempotency
from shared.kit.access import Caller
from shared.kit.ids import new_id
from shared.kit.problem import Problem
from shared.kit.service import Service
from shared.rules.plan import Plan
from tests.instances import Databases
from tests.integration.casework.conftest import lead

KINDS = (
    "suspected_crime", "administrative_case", "public_order_case", "early_involvement", "assistance_in_evidence",
    "venue_raid", "telecom_information", "site_blocking", "internet_service_notice", "rescue", "relief", "dispersal",
    "transport_support", "raise_to_higher", "court_handover", "major_coordination", "other_town", "no_crime_return",
)  # fmt: skip
RIGHTS = {"proceeding.read": "plan", "proceeding.act": "plan", "criminal.read": "plan"}
POSTS = ("head", "office-director", "investigator", "leader")


def officer(agency: str, number: int, *, office: bool = False) -> Caller:
    rights = RIGHTS | ({"proceeding.coordinate": "plan"} if office else {})
    return Caller("officer", f"{agency}-{number}", "dayong", agency, None, POSTS, (), rights)


def value_of(field: FieldRule, plan: Plan, now: datetime) -> Any:
    """A value that the field's type and range allow."""
    if field.type == "code":
        return list(field.choices)[:2] if field.many else next(iter(field.choices))
    if field.type in ("int", "yuan"):
        return max(field.at_least or 0, 2)
    if field.type == "agency":
        return next((one.id for one in plan.agencies if not field.kinds or one.kind in field.kinds), plan.agencies[0].id)
    plain = {
        "bool": True, "text": "说明", "reference": "文〔2026〕1号", "area": plan.areas[0].id, "object": str(new_id()),
        "date": (now - timedelta(days=1)).date().isoformat(), "datetime": (now - timedelta(minutes=1)).isoformat(),
    }  # fmt: skip
    return plain[field.type]


class Walk(RuleBasedStateMachine):
    """One case, several proceedings; the model is the table: what it allows happens, what it does not changes nothing."""

    runner: asyncio.Runner
    service: Service
    basis: Basis
    databases: Databases

    def __init__(self) -> None:
        super().__init__()
        self.case: UUID | None = None
        self.now = clock.now()
        self.open: list[UUID] = []

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        async with db.begin(self.service.engine) as conn:
            return list(await conn.execute(text(statement), values))

    @property
    def plan(self) -> Plan:
        return self.basis.plan("dayong")

    @initialize()
    def empty(self) -> None:
        async def work() -> Any:
            await self.databases.empty("casework")
            async with db.begin(self.service.engine) as conn:
                return await open_cases(conn, self.basis, [(lead(), None)], self.now)

        [self.case] = self.do(work())

    def _claim(self, caller: Caller, made: UUID) -> Any:
        return idempotency.claim(self.service.settings.keys, caller, "walk", new_id().hex, b"x", made)

    @rule(kind=st.sampled_from(KINDS), number=st.integers(1, 2))
    def begin(self, kind: str, number: int) -> None:
        procedure = self.basis.procedures.get(kind)
        version = procedure.in_force(self.now.date())
        by = version.open.by or ("commerce",)
        owner = next(one.id for one in self.plan.agencies if one.kind in by)
        to = self._other(procedure, owner)
        values = {name: value_of(rule_, self.plan, self.now) for name, rule_ in version.open.fields.items() if rule_.required}
        caller, made = officer(owner, number), new_id()
        wanted = Wanted(kind, self.case, (to, None) if to else None, None, None, values)

        async def work() -> Any:
            async with db.begin(self.service.engine) as conn:
                return await open_proceeding(
                    conn, self.basis, caller, wanted, claim=self._claim(caller, made), now=self.now
                )

        try:
            self.open.append(self.do(work()))
        except Problem as problem:
            assert problem.type.rpartition(":")[2] in ("open-already", "criminal-case-open"), (kind, problem.detail)

    def _other(self, procedure: Procedure, owner: str) -> str | None:
        rule_ = procedure.counterpart
        if rule_ is None:
            return None
        kinds = [one.id for one in self.plan.agencies if (not rule_.kinds or one.kind in rule_.kinds) and one.id != owner]
        return kinds[0] if kinds and (rule_.kinds or not rule_.others) else next(iter(rule_.others))

    @rule(which=st.integers(0, 20), step=st.integers(0, 40), side=st.sampled_from(("right", "right", "other", "stranger")), data=st.data())
    def walk(self, which: int, step: int, side: str, data: st.DataObject) -> None:
        if not self.open:
            return
        row = self.do(self.rows("SELECT * FROM proceedings ORDER BY id"))[which % len(self.open)]
        version = self.basis.procedures.get(row.kind).version(row.procedure_version)
        ways = list(version.steps) if step % 4 == 0 else list(version.steps_from(row.state)) or list(version.steps)
        step_id = ways[step % len(ways)]
        rule_ = version.steps[step_id]
        sides = {"owner": row.agency, "counterpart": row.agency if row.to_outside else row.to_agency, "party": "commerce"}
        agency = sides.get(rule_.by[0]) or self.plan.office
        if side == "other":
            agency = row.to_agency if agency == row.agency and row.to_agency else row.agency
        caller = officer("finance" if side == "stranger" else agency, 3, office=side == "right" and "office" in rule_.by)
        values = {name: value_of(one, self.plan, self.now) for name, one in rule_.fields.items() if one.required}
        for kind in rule_.needs:
            self.do(self._issue(row.id, kind))
        before = self.do(self.rows("SELECT * FROM proceedings WHERE id = :id", id=row.id))[0]

        async def work() -> None:
            async with db.begin(self.service.engine) as conn:
                await take_step(
                    conn, self.basis, caller, row.id, step_id, values, version=row.version,
                    claim=self._claim(caller, row.id), now=self.now,
                )  # fmt: skip

        try:
            self.do(work())
        except Problem as problem:
            after = self.do(self.rows("SELECT * FROM proceedings WHERE id = :id", id=row.id))[0]
            assert after == before, "what is refused changes nothing"
            code = problem.type.rpartition(":")[2]
            assert code != "fields", (row.kind, step_id, problem.extras)
            if row.state not in rule_.sources:
                assert code == "not-possible-now"
            return
        after = self.do(self.rows("SELECT * FROM proceedings WHERE id = :id", id=row.id))[0]
        assert row.state in rule_.sources and side != "stranger"
        assert after.version >= before.version + 1

    async def _issue(self, proceeding_id: UUID, kind: str) -> None:
        await self.rows(
            "INSERT INTO documents (id, case_id, proceeding_id, plan, kind, issuer, agency, personal, state, contents, lacking,"
            " series, year, serial, number, digest, written_at, written_by, version, history) SELECT :id, :case, :p, 'dayong',"
            " :kind, 'commerce', 'commerce', false, 'issued', '\\x', 0, 'test', 2026, count(*) + 1, :number, 'x', now(), 'test', 1, '[]'"
            " FROM documents RETURNING id",
            id=new_id(), case=self.case, p=proceeding_id, kind=kind, number=new_id().hex,
        )  # fmt: skip

    @rule(hours=st.sampled_from((1, 30, 24 * 5, 24 * 40)))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

        async def work() -> int:
            async with db.begin(self.service.engine) as conn:
                return await mark_proceedings_missed(conn, self.basis, self.now)

        while self.do(work()):
            pass

    @invariant()
    def rows_steps_clocks_and_events_agree(self) -> None:
        if self.case is None:
            return
        found = self.do(self.rows("SELECT * FROM proceedings ORDER BY id"))
        self.open = [row.id for row in found]
        steps = self.do(self.rows("SELECT * FROM proceeding_steps ORDER BY proceeding_id, seq"))
        clocks = self.do(self.rows("SELECT * FROM deadlines WHERE proceeding_id IS NOT NULL ORDER BY id"))
        told = self.do(self.rows("SELECT type FROM outbox WHERE type LIKE 'dachuan.proceeding.%'"))
        for row in found:
            version: Version = self.basis.procedures.get(row.kind).version(row.procedure_version)
            assert row.final == version.states[row.state].final == (row.ended_at is not None)
            mine = [one for one in steps if one.proceeding_id == row.id]
            assert [one.seq for one in mine] == list(range(1, len(mine) + 1)) and row.version == len(mine)
            assert [one.from_state for one in mine[1:]] == [one.to_state for one in mine[:-1]]
            assert mine[-1].to_state == row.state and mine[0].step == "open"
            may = running_in(version)[row.state]
            open_ = [one for one in clocks if one.proceeding_id == row.id and one.state in ("running", "suspended", "missed")]
            assert {one.kind for one in open_} <= may, (row.kind, row.state, [one.kind for one in open_])
            assert len({one.kind for one in open_}) == len(open_), "one open clock of a name"
            assert row.missed == sum(one.state == "missed" for one in open_), (row.kind, row.state)
        assert sum(one.type.endswith("stepped.v1") for one in told) == len(steps) - len(found)
        assert sum(one.type.endswith("opened.v1") for one in told) == len(found)
        [case] = self.do(self.rows("SELECT missed FROM cases"))
        assert case.missed == sum(row.missed for row in found)


@pytest.fixture
def machine(own_database: Databases) -> Iterator[type[Walk]]:
    cluster = own_database.cluster
    made = Settings(
        database_url=own_database.app_url("casework"),
        kafka_bootstrap=cluster.kafka.bootstrap,
        kafka_password=cluster.secrets.kafka_users["casework"],
        jwks_file=cluster.secrets.jwks_file,
        keys_file=cluster.secrets.keys_file("casework"),
        local_mode=True,
    )
    with asyncio.Runner() as runner:
        service = build(made).state.service
        own = {"runner": runner, "service": service, "databases": own_database, "basis": Basis.of(service)}
        yield type("OwnWalk", (Walk,), own)
        runner.run(service.engine.dispose())


def test_whatever_way_is_walked_rows_steps_clocks_and_events_agree(machine: type[Walk]) -> None:
    """D-N3, X-D8c: transfers and requests in any order of steps, by any side, with clocks that pass."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
