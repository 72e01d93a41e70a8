"""Custody under any order of steps by two agencies: a model says who may, the chain never breaks, an item has one keeper."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.casework.conftest import Desk
from tests.integration.casework.evidence_room import Room, opened


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's files stand, sealed."""
    monkeypatch.setenv("DACHUAN_OBJECTS_DIR", str(tmp_path / "objects"))
    return tmp_path / "objects"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["offer", "accept", "refuse", "withdraw", "move", "return", "propose", "approve", "spare", "file"]),
        st.sampled_from(["commerce", "police"]),
    ),
    min_size=3,
    max_size=12,
)


class Model:
    """What should be: the keeper, the state, the open offer, and how many lines the chain has."""

    def __init__(self) -> None:
        self.keeper, self.state, self.lines, self.files = "commerce", "held", 1, 0

    def step(self, step: str, who: str) -> bool:
        """Whether the step is possible for them; and what follows."""
        other = "police" if self.keeper == "commerce" else "commerce"
        keeps = who == self.keeper
        allowed = {
            "offer": keeps and self.state == "held",
            "accept": who == other and self.state == "offered",
            "refuse": who == other and self.state == "offered",
            "withdraw": keeps and self.state == "offered",
            "move": keeps and self.state == "held",
            "return": keeps and self.state == "held",
            "propose": keeps and self.state == "held",
            "approve": keeps and self.state == "to_destroy",
            "spare": keeps and self.state == "to_destroy",
            "file": keeps and self.state == "held",
        }[step]
        if allowed:
            self.lines += 1
            self.state = {
                "offer": "offered", "return": "returned", "propose": "to_destroy", "approve": "destroyed",
            }.get(step, "held")  # fmt: skip
            if step == "accept":
                self.keeper = other
            self.files += step == "file"
        return allowed


async def carried_out(room: Room, item: dict[str, Any], handover: dict[str, Any], step: str, who: str, number: int) -> int:
    """The step through the API, with the newest version; the status of its answer."""
    officer, head = (room.commerce, room.commerce_head) if who == "commerce" else (room.police, room.police_head)
    now = await room.read(item, room.police)
    version, path = now["version"], f"/evidence/{item['item_id']}"
    if step == "offer":
        to = ("police", "economic_crime") if who == "commerce" else ("commerce", "enforcement")
        answer = await room.offer(now, who=officer, to_agency=to[0], to_unit=to[1], purpose="keeping")
        if answer.status_code == 201:
            handover.update(answer.json())
    elif step in ("accept", "refuse", "withdraw"):
        if not handover:
            return 409
        read = await room.desk.get(f"/v1/evidence/handovers/{handover['handover_id']}", officer)
        at, body = {
            "accept": ("acceptance", {"receipt": f"r{number}", "kept_where": f"k{number}"}),
            "refuse": ("refusal", {"reason": "no"}),
            "withdraw": ("withdrawal", {}),
        }[step]
        answer = await room.post(f"/evidence/handovers/{handover['handover_id']}/{at}", officer, body, version=read.json()["version"])
    elif step == "file":
        answer = await room.send(item, f"file {number} of {who}".encode() * 40, officer)
    else:
        at, body, by = {
            "move": ("move", {"kept_where": f"m{number}"}, officer),
            "return": ("return", {"receiver": "x", "reason": "y"}, officer),
            "propose": ("destruction", {"reason": "y"}, officer),
            "approve": ("destruction/decision", {"approve": True}, head),
            "spare": ("destruction/decision", {"approve": False}, head),
        }[step]
        answer = await room.post(f"{path}/{at}", by, body, version=version)
    return answer.status_code


async def test_any_order_of_steps_leaves_one_keeper_and_a_whole_chain__x_d7b(desk: Desk) -> None:
    """X-D7b: whatever two agencies try in whatever order, only what the model allows happens, and all of it is in the chain."""
    room = await opened(desk)
    loop = asyncio.get_running_loop()

    async def run(steps: list[tuple[str, str]]) -> None:
        item, model, handover = await room.item(), Model(), {}
        for number, (step, who) in enumerate(steps):
            status = await carried_out(room, item, handover, step, who, number + item["number"] * 100)
            assert (status < 300) == model.step(step, who), (step, who, status, model.__dict__)
        now, chain = await room.read(item, room.police), await room.chain(item, room.police)
        assert (now["holder_agency"], now["state"], now["files"]) == (model.keeper, model.state, model.files)
        assert chain["faults"] == [] and len(chain["lines"]) == chain["length"] == model.lines

    @settings(
        max_examples=12, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(STEPS)
    def machine(steps: list[tuple[str, str]]) -> None:
        asyncio.run_coroutine_threadsafe(run(steps), loop).result(60)

    await asyncio.to_thread(machine)
