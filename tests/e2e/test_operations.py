"""The operator's commands on a running instance: dead letters, and topics rebuilt from the outboxes."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer

from deploy.local.kafka import ADMIN
from deploy.local.state import REPOSITORY
from tests.e2e.town import Poster, Town, a_town, assert_exactly_once
from tests.patience import PATIENCE_S

QUEUE = "intake.lead.v1.casework.dlq"

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with a_town() as made:
        yield made


@pytest.fixture
def run(town: Town) -> Command:
    env = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "DACHUAN_HOME": str(town.cluster.state.root),
        "DACHUAN_POSTGRES_ADMIN_URL": town.cluster.postgres.admin_url,
        "DACHUAN_KAFKA_BOOTSTRAP": town.cluster.kafka.bootstrap,
        "DACHUAN_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "DACHUAN_KAFKA_ADMIN_USERNAME": ADMIN,
        "DACHUAN_KAFKA_ADMIN_PASSWORD": town.cluster.secrets.passwords["kafka-admin"],
    }

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "deploy.cli", *words],
            env=env, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return command


def waiting(run: Command, count: int) -> list[dict[str, str]]:
    until = time.monotonic() + PATIENCE_S
    while True:
        done = run("dlq", "list", "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        if len(found) == count:
            return found
        assert time.monotonic() < until, f"{len(found)} dead letters, not {count}"
        time.sleep(0.5)


def test_a_dead_letter_is_listed_shown_and_redriven(town: Town, run: Command) -> None:
    assert waiting(run, 0) == []
    producer = Producer({**town.cluster.kafka_admin, "log_level": 0})
    producer.produce("intake.lead.v1", key=b"k", value=b"\xff not an event", headers=[("ce_type", b"nonsense")])
    assert producer.flush(20) == 0
    one = waiting(run, 1)[0]
    assert one["queue"] == QUEUE and one["reason"].startswith("undecodable:")
    shown = json.loads(run("dlq", "show", QUEUE, one["id"]).stdout)
    assert shown["origin"].startswith("intake.lead.v1/")
    assert run("dlq", "show", QUEUE, "0/999").returncode == 4
    assert run("dlq", "redrive", "no.such.queue").returncode == 2
    again = run("dlq", "redrive", QUEUE, "--json")
    assert json.loads(again.stdout) == {"queue": QUEUE, "redriven": 1}, again.stderr
    # it is as undecodable as before: it comes back as a new dead letter, and the old one is done with
    assert waiting(run, 1)[0]["id"] != one["id"]


def test_topics_come_back_from_the_outboxes_and_nothing_is_done_twice(town: Town, run: Command) -> None:
    numbers = itertools.count()
    poster = Poster(town, "rebuild")
    for _ in range(15):
        poster.post(next(numbers))
    assert_exactly_once(town, 15)
    told = {name: town.count(name, "SELECT count(*) FROM outbox") for name in ("intake", "casework")}
    done = run("topics", "rebuild", "--json")
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)["events"]
    assert min(told.values()) >= 15 and all(sent[name] >= count for name, count in told.items())
    for _ in range(5):
        poster.post(next(numbers))
    assert_exactly_once(town, 20)
    assert run("topics", "rebuild", "no.such.topic").returncode == 2


def test_an_event_that_failed_is_applied_once_when_its_cause_is_mended(town: Town, run: Command) -> None:
    tips = town.count("intake", "SELECT count(*) FROM tips")
    before = len(json.loads(run("dlq", "list", "--json").stdout))
    town.count("casework", "ALTER TABLE number_register RENAME TO number_register_away")
    try:
        Poster(town, "mended").post(70_000)
        dead = waiting(run, before + 1)
    finally:
        town.count("casework", "ALTER TABLE number_register_away RENAME TO number_register")
    assert [one["reason"] for one in dead if one["type"] == "dachuan.lead.opened.v1"] == ["failed:ProgrammingError"]
    assert json.loads(run("dlq", "redrive", QUEUE, "--json").stdout)["redriven"] >= 1
    assert_exactly_once(town, tips + 1)
    # sent a second time, it is known by its id
    assert run("topics", "rebuild").returncode == 0
    assert_exactly_once(town, tips + 1)
