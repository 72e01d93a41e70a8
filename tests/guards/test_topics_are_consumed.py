"""A topic names as its consumers exactly those services that consume it: rights and dead letters follow that list."""

import ast
from pathlib import Path

import pytest

from services.casework import consumers as casework
from services.intake import consumers as intake
from services.notify import consumers as notify
from services.scoring import consumers as scoring
from shared.kit import topics

DIRECTORY = "notify.directory.v1"
CONSUMED = {
    "intake": {*intake.NORMAL_TOPICS, *intake.URGENT_TOPICS},
    "casework": {topic for name in dir(casework) if name.endswith("_TOPICS") for topic in getattr(casework, name)},
    "notify": {notify.CASE_TOPIC, notify.URGENT_TOPIC, notify.HANDOVER_TOPIC, *notify.MATTER_TOPICS},
    "scoring": {topic for topics in scoring.TOPICS.values() for topic in topics},
}


def _calls(service: str) -> list[ast.Call]:
    main = Path(__file__).parents[2] / "services" / service / "main.py"
    tree = ast.parse(main.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]


@pytest.mark.parametrize("service", CONSUMED)
def test_the_topics_say_who_consumes_them(service: str) -> None:
    """What main subscribes to, and nothing else, stands in the topics' files."""
    named = [call.func.attr for call in _calls(service)]  # type: ignore[attr-defined]
    consumed = CONSUMED[service] | ({DIRECTORY} if "consume_directory" in named else set())
    assert {one.topic for one in topics.load() if service in one.consumers} == consumed


@pytest.mark.parametrize("service", CONSUMED)
def test_main_subscribes_by_the_named_topics_only(service: str) -> None:
    """A topic written out in main would escape the test above."""
    for call in _calls(service):
        if call.func.attr == "consume":  # type: ignore[attr-defined]
            written = [node.value for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant)]
            assert not written, f"{service} consumes {written} without a name"
