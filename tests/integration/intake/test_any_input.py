"""Intake answers any input clearly (points 1 and 6 of what users lack: nobody is sent away by an error)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from schemathesis.schemas import APIOperation

from deploy.local.cluster import Cluster
from services.intake.main import build
from services.intake.settings import Settings
from tests.integration.any_input import Door, door_of, each_operation


@pytest.fixture(scope="module")
def door(cluster: Cluster) -> Iterator[Door]:
    with door_of(cluster, "intake", build, Settings, task=lambda app: app.state.tips.run()) as made:
        yield made


@each_operation("intake")
def test_no_input_breaks_the_service(operation: APIOperation, door: Door) -> None:
    door.ask(operation)


def test_the_door_is_the_real_one(door: Door) -> None:
    """Else the test above would pass on a service that refuses everything."""
    answer = httpx.post(
        f"{door.address}/v1/tips", json={"plan": "dayong", "channel": "hotline", "text": "安堂社区有人搞传销拉人头"},
        headers=door.callers[0],
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
