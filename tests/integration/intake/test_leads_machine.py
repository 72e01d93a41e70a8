"""Tips, merges and splits in any order on a real PostgreSQL: nothing is lost, every act is reversible, the first stays first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from services.intake.commands import leads as commands
from services.intake.commands import tips as tip_commands
from services.intake.main import build
from services.intake.schemas.tips import TipBody
from services.intake.settings import Settings
from shared.kit import clock, db
from shared.kit.access import Caller
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Outdated
from shared.kit.service import Service
from tests.instances import Databases

OFFICER = Caller("officer", "o-1", "dayong", "commerce", "office", rights={"lead.join": "plan", "lead.read": "plan"})
PLACES = ("兴华里5栋301", "兴华里5栋302", "金桥公寓2栋502", "金桥公寓2栋", "翠湖花园")


class Leads(RuleBasedStateMachine):
    """Merge, undo, split and further tips by an officer who may; the model is who handed in what, and when."""

    runner: asyncio.Runner
    service: Service
    databases: Databases

    def __init__(self) -> None:
        super().__init__()
        self.tips: dict[UUID, Any] = {}
        self.undone: set[UUID] = set()

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    async def _rows(self, statement: str, **values: Any) -> list[Any]:
        async with db.begin(self.service.engine) as conn:
            return list(await conn.execute(text(statement), values))

    @initialize()
    def empty(self) -> None:
        self.do(self.databases.empty("intake"))

    @rule(place=st.sampled_from(PLACES), days=st.integers(0, 400), urgent=st.booleans())
    def hand_in(self, place: str, days: int, urgent: bool) -> None:
        held = "，我弟弟被控制不让出门，手机被收走，请马上救人" if urgent else ""
        body = TipBody(text=f"安堂社区{place}有传销窝点，拉人头发展下线{held}", posted_at=clock.now() - timedelta(days=days))

        async def work() -> Any:
            draft = tip_commands.draft_tip(
                self.service, OFFICER, body, plan=self.service.plans["dayong"], channel="web", key=None
            )
            async with db.begin(self.service.engine) as conn:
                return (await tip_commands.receive_tips(conn, self.service, [draft], clock.now()))[0]

        taken = self.do(work())
        self.tips[taken.row["id"]] = taken.row["received_at"]

    async def _live(self) -> list[Any]:
        return await self._rows("SELECT * FROM leads WHERE merged_into IS NULL ORDER BY id")

    def _act(self, about: UUID, work: Any) -> None:
        async def run() -> Any:
            async with db.begin(self.service.engine) as conn:
                claim = commands.claim(self.service, OFFICER, "test", about, 0, b"", str(new_id()))
                return await work(conn, claim)

        try:
            self.do(run())
        except (Conflict, Outdated):
            pass

    @precondition(lambda self: len(self.tips) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        live = self.do(self._live())
        one, other = data.draw(st.sampled_from(live)), data.draw(st.sampled_from(live))
        self._act(
            one.id,
            lambda conn, claim: commands.merge(
                conn, self.service, OFFICER, one.id, other.id, version=one.version, taken=claim, now=clock.now()
            ),
        )

    @precondition(lambda self: len(self.tips) > 1)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        joins = self.do(self._rows("SELECT j.*, l.version FROM lead_joins j JOIN leads l ON l.id = j.lead_id WHERE action = 'merged'"))
        if not joins:
            return
        join = data.draw(st.sampled_from(joins))
        before = self.do(self._rows("SELECT * FROM leads WHERE id = :id", id=join.lead_id))[0]
        self._act(
            join.lead_id,
            lambda conn, claim: commands.unmerge(
                conn, self.service, OFFICER, join.lead_id, join.id, version=before.version, taken=claim, now=clock.now()
            ),
        )
        after = self.do(self._rows("SELECT * FROM leads WHERE id = :id", id=join.other_id))[0]
        undone = self.do(self._rows("SELECT 1 FROM lead_joins WHERE undoes = :id", id=join.id))
        if undone and join.id not in self.undone:
            self.undone.add(join.id)
            home = {str(row.id) for row in self.do(self._rows("SELECT id FROM tips WHERE lead_id = :id", id=after.id))}
            assert after.merged_into is None and home and home <= set(join.tips)

    @precondition(lambda self: len(self.tips) > 1)
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        lead = data.draw(st.sampled_from(self.do(self._live())))
        there = [row.id for row in self.do(self._rows("SELECT id FROM tips WHERE lead_id = :id ORDER BY id", id=lead.id))]
        moved = data.draw(st.lists(st.sampled_from(there), min_size=1, unique=True))
        self._act(
            lead.id,
            lambda conn, claim: commands.split(
                conn, self.service, OFFICER, lead.id, moved, version=lead.version, taken=claim, now=clock.now()
            ),
        )

    @invariant()
    def nothing_is_lost_and_the_first_stays_first(self) -> None:
        tips = self.do(self._rows("SELECT * FROM tips"))
        assert {tip.id: tip.received_at for tip in tips} == self.tips, "no tip and no date is lost or changed"
        leads = {lead.id: lead for lead in self.do(self._rows("SELECT * FROM leads"))}
        for tip in tips:
            assert leads[tip.lead_id].merged_into is None, "a tip stands in a lead that lives"
        for lead in leads.values():
            own = sorted((tip.received_at, tip.id) for tip in tips if tip.lead_id == lead.id)
            assert lead.tips == len(own)
            if lead.merged_into is not None:
                assert not own
                continue
            assert own and (lead.received_at, lead.first_tip) == own[0], "the earliest reporter stands"
            assert set(lead.kinds) == {kind for tip in tips if tip.lead_id == lead.id for kind in tip.kinds}
        indexed = self.do(self._rows("SELECT lead_id, sum(tips) AS n FROM lead_targets GROUP BY lead_id"))
        assert {row.lead_id for row in indexed} == {tip.lead_id for tip in tips}, "each lead that lives is found"


@pytest.fixture
def machine(own_database: Databases) -> Iterator[type[Leads]]:
    cluster = own_database.cluster
    settings_ = Settings(
        database_url=own_database.app_url("intake"),
        kafka_bootstrap=cluster.kafka.bootstrap,
        kafka_password=cluster.secrets.kafka_users["intake"],
        jwks_file=cluster.secrets.jwks_file,
        keys_file=cluster.secrets.keys_file("intake"),
        local_mode=True,
    )
    with asyncio.Runner() as runner:
        service = build(settings_).state.service
        yield type("OwnLeads", (Leads,), {"runner": runner, "service": service, "databases": own_database})
        runner.run(service.engine.dispose())


def test_whatever_officers_do_nothing_is_lost(machine: type[Leads]) -> None:
    """D-M6, point 3: merging is reversible and keeps every number, every date and the earliest reporter."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
