"""Scoring answers any input clearly: never a 5xx, and a refusal says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from schemathesis.schemas import APIOperation

from deploy.local.cluster import Cluster
from services.scoring.main import build
from services.scoring.settings import Settings
from tests.integration.any_input import Door, door_of, each_operation


@pytest.fixture(scope="module")
def door(cluster: Cluster) -> Iterator[Door]:
    with door_of(cluster, "scoring", build, Settings) as made:
        yield made


@each_operation("scoring")
def test_no_input_breaks_the_service(operation: APIOperation, door: Door) -> None:
    door.ask(operation)
