"""Notify answers any input clearly: never a 5xx, and a refusal says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from schemathesis.schemas import APIOperation

from deploy.local.cluster import Cluster
from services.notify.main import build
from services.notify.settings import Settings
from tests.integration.any_input import Door, door_of, each_operation


@pytest.fixture(scope="module")
def door(cluster: Cluster) -> Iterator[Door]:
    with door_of(cluster, "notify", build, Settings, token_key_file=cluster.secrets.token_key_file) as made:
        yield made


@each_operation("notify")
def test_no_input_breaks_the_service(operation: APIOperation, door: Door) -> None:
    door.ask(operation)
