"""The published contracts are those of the code, hold together, and do not break what was released."""

from __future__ import annotations

import json
from types import SimpleNamespace

import jsonschema
import pytest

from deploy.cli import contracts
from shared.events import EVENT_TYPES
from shared.kit import kafka, topics

EXAMPLES = sorted((contracts.FOLDER / "examples").glob("*.json"))


def _record(example: dict) -> SimpleNamespace:
    headers = [(name, value.encode()) for name, value in example["headers"].items()]
    return SimpleNamespace(headers=headers, key=example["key"].encode(), value=json.dumps(example["data"]).encode())


def test_the_committed_contracts_are_those_of_the_code() -> None:
    assert contracts.stale() == []


def test_nothing_released_was_broken() -> None:
    assert contracts.broken() == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_fits_its_schema_and_is_decoded(path) -> None:
    example = json.loads(path.read_text(encoding="utf-8"))
    event_type = example["headers"]["ce_type"]
    jsonschema.validate(example["data"], contracts.schema(event_type))
    event = kafka.decode(_record(example))
    assert event is not None and event.type == event_type
    assert event.data.topic == example["topic"] and event.data.key == example["key"] == event.key
    assert json.loads(event.data.model_dump_json()) == example["data"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_consumer_bears_a_field_added_later(path) -> None:
    example = json.loads(path.read_text(encoding="utf-8"))
    example["data"]["added_later"] = {"anything": 1}
    event = kafka.decode(_record(example))
    assert event is not None and event.type == example["headers"]["ce_type"]


def test_every_event_stands_on_a_topic_with_schema_and_example() -> None:
    told = {event.type: event for topic in topics.load() for event in topic.events}
    assert set(told) == set(EVENT_TYPES)
    for event in told.values():
        assert (contracts.FOLDER / event.schema_).exists()
        assert event.examples and all((contracts.FOLDER / example).exists() for example in event.examples)


def test_events_carry_no_personal_data() -> None:
    """No field for a name, phone, address or text of a person: events travel to everyone who subscribes."""
    forbidden = ("name", "phone", "address", "text", "narrative", "subject", "login", "email", "receipt", "person")
    for event_type in EVENT_TYPES:
        schema = contracts.schema(event_type)
        for part in (schema, *schema.get("$defs", {}).values()):
            for field in part.get("properties", {}):
                assert not any(word in field for word in forbidden), f"{event_type}: {field}"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s["properties"].pop("plan"), "plan was removed"),
        (lambda s: s["properties"]["plan"].update(type="integer"), "plan changed its type"),
        (lambda s: s["required"].remove("plan"), "plan is no longer always there"),
        (lambda s: s["$defs"]["PartyFact"]["properties"].pop("role"), "role was removed"),
    ],
)
def test_the_check_finds_what_breaks_and_lets_additions_pass(change, told: str) -> None:
    before = contracts.schema("dachuan.lead.opened.v1")
    now = json.loads(json.dumps(before))
    now["properties"]["more"] = {"type": "string"}
    assert contracts._lost(before, now, "LeadOpened") == []
    change(now)
    assert any(told in line for line in contracts._lost(before, now, "LeadOpened"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["paths"].pop("/v1/tips/batch"), "POST /v1/tips/batch was removed"),
        (lambda d: d["paths"]["/v1/tips"].pop("get"), "GET /v1/tips was removed"),
        (
            lambda d: d["paths"]["/v1/tips"]["get"]["parameters"].append(
                {"in": "query", "name": "more", "required": True, "schema": {}}
            ),
            "now demands more",
        ),
        (lambda d: d["paths"]["/v1/tips"]["post"]["responses"].pop("201"), "no longer answers 201"),
        (lambda d: d["components"]["schemas"]["TipOut"]["properties"].pop("receipt"), "TipOut.receipt was removed"),
    ],
)
def test_the_check_finds_what_breaks_callers_of_the_api(change, told: str) -> None:
    path = contracts.FOLDER / "openapi" / "intake.json"
    before, now = json.loads(path.read_text(encoding="utf-8")), json.loads(path.read_text(encoding="utf-8"))
    now["paths"]["/v1/more"] = {"get": {"responses": {"200": {}}}}
    assert contracts.lost_of_api(before, now) == []
    change(now)
    assert any(told in line for line in contracts.lost_of_api(before, now))
