"""`./dachuan contracts`: what is published to others, generated from the code and compared with it."""

from __future__ import annotations

import difflib
import importlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from deploy.local.state import REPOSITORY, SERVICES
from shared.events import EVENT_TYPES
from shared.kit import topics

app = typer.Typer(help="Write and check the published contracts.", no_args_is_help=True)

FOLDER = REPOSITORY / "shared" / "contracts"
RELEASED = FOLDER / "released"
"""The contracts as last released: what outside systems rely on. `release` moves it forward."""


@app.command()
def write() -> None:
    """Generate schemas, AsyncAPI and OpenAPI anew from the code."""
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {len(generated())} files below {FOLDER.relative_to(REPOSITORY)}")


@app.command()
def check(json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False) -> None:
    """Whether the committed contracts are those of the code, and nothing released was broken."""
    wrong = [*stale(), *broken()]
    if json_:
        typer.echo(json.dumps(wrong, ensure_ascii=False))
    for line in [] if json_ else wrong:
        typer.echo(line, err=True)
    if not wrong and not json_:
        typer.echo("the contracts are those of the code, and compatible with the last release")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def release() -> None:
    """Take the present contracts as released; from then on they may only grow."""
    wrong = [*stale(), *broken()]
    if wrong:
        typer.echo("\n".join(wrong), err=True)
        raise typer.Exit(1)
    for path in [*(FOLDER / "schemas").glob("*.json"), *(FOLDER / "openapi").glob("*.json")]:
        target = RELEASED / path.relative_to(FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    typer.echo("released")


def generated() -> dict[Path, str]:
    """Every generated file and its text."""
    made = {FOLDER / "schemas" / f"{short(name)}.json": _json(schema(name)) for name in EVENT_TYPES}
    made[FOLDER / "asyncapi.yaml"] = asyncapi()
    made |= {FOLDER / "openapi" / f"{service}.json": _json(openapi(service)) for service in SERVICES}
    return made


def short(event_type: str) -> str:
    """The file name of an event: its type without our prefix."""
    return event_type.removeprefix("dachuan.")


def schema(event_type: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event's data, as its producer writes it."""
    made = EVENT_TYPES[event_type].model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:dachuan:schema:{short(event_type)}",
        **made,
    }


def asyncapi() -> str:
    """The AsyncAPI 3.1 document of all topics."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for event_type, model in EVENT_TYPES.items():
        messages[_name(event_type)] = {
            "name": event_type,
            "summary": (model.__doc__ or "").strip().split("\n")[0],
            "contentType": "application/json",
            "headers": {"$ref": "#/components/schemas/cloudEventHeaders"},
            "payload": {"$ref": f"./schemas/{short(event_type)}.json"},
        }
    for topic in topics.load():
        name = _name(topic.topic)
        channels[name] = {
            "address": topic.topic,
            "description": topic.description.strip(),
            "messages": {_name(e.type): {"$ref": f"#/components/messages/{_name(e.type)}"} for e in topic.events},
            "bindings": {
                "kafka": {
                    "topic": topic.topic,
                    "partitions": topic.partitions,
                    "topicConfiguration": {
                        "cleanup.policy": [topic.retention.cleanup],
                        "retention.ms": topic.retention.ms,
                    },
                }
            },
            "x-owner": topic.owner,
            "x-key": topic.key,
            "x-dead-letters": topic.dead_letters(),
        }
        for action, services in (("send", topic.producers), ("receive", topic.consumers)):
            for service in services:
                operations[f"{service}_{action}_{name}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{name}"},
                    "tags": [{"name": service}],
                }
    document = {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Dachuan events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka binary mode: attributes as ce_ headers, data as JSON in UTF-8.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": {
                "cloudEventHeaders": {
                    "type": "object",
                    "required": ["ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "ce_recordedat"],
                    "properties": {
                        "ce_id": {"type": "string", "format": "uuid", "description": "Equal for a repeated event"},
                        "ce_source": {"type": "string", "description": "/dachuan/<service>"},
                        "ce_specversion": {"const": "1.0"},
                        "ce_type": {"type": "string"},
                        "ce_time": {"type": "string", "format": "date-time", "description": "When it happened"},
                        "ce_recordedat": {
                            "type": "string",
                            "format": "date-time",
                            "description": "When its producer recorded it",
                        },
                        "ce_partitionkey": {"type": "string"},
                        "ce_traceparent": {"type": "string", "description": "W3C trace context"},
                        "content-type": {"const": "application/json"},
                    },
                }
            },
        },
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return "# Generated by ./dachuan contracts write.\n" + text


def openapi(service: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a service."""
    module = importlib.import_module(f"services.{service}.main")
    settings = importlib.import_module(f"services.{service}.settings").Settings
    made = module.build(settings(**settings_for_documents(service)))
    document = made.openapi()
    document["servers"] = [{"url": "/"}]
    return document


def settings_for_documents(service: str) -> dict[str, Any]:
    """Settings that build an app without connecting to anything: keys made for the moment, gone with the process."""
    import atexit
    import shutil
    import tempfile

    from joserfc.jwk import OKPKey

    from shared.kit.crypto import KeyRing

    folder = Path(tempfile.mkdtemp(prefix="dachuan-contracts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, private=True, auto_kid=True)
    (folder / "keys.json").write_text(KeyRing.generate(service))
    (folder / "jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    (folder / "token.json").write_text(json.dumps(key.as_dict(private=True)))
    os.environ.setdefault("DACHUAN_TOKEN_KEY_FILE", str(folder / "token.json"))
    return {
        "database_url": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
        "jwks_file": folder / "jwks.json",
        "keys_file": folder / "keys.json",
    }


def stale() -> list[str]:
    """Committed contracts that are not those of the code."""
    wrong = []
    for path, text in generated().items():
        name = path.relative_to(REPOSITORY)
        there = path.read_text(encoding="utf-8") if path.exists() else ""
        if there != text:
            difference = list(difflib.unified_diff(there.splitlines(), text.splitlines(), lineterm="", n=1))[2:12]
            wrong.append(
                f"{name}: not what the code says; run ./dachuan contracts write and look at the difference:\n  "
                + "\n  ".join(difference)
            )
    return wrong


def broken() -> list[str]:
    """What of the released event schemas no longer holds. Within a version, events may only gain fields."""
    wrong = []
    for path in sorted((RELEASED / "schemas").glob("*.json")):
        before = json.loads(path.read_text(encoding="utf-8"))
        now = FOLDER / "schemas" / path.name
        if not now.exists():
            wrong.append(f"{path.stem}: was released and is gone; keep it until nobody reads it")
            continue
        wrong += [
            f"{path.stem}: {what}; keep the field as it was and publish a new version of the event instead"
            for what in _lost(before, json.loads(now.read_text(encoding="utf-8")), before.get("title", ""))
        ]
    for path in sorted((RELEASED / "openapi").glob("*.json")):
        before = json.loads(path.read_text(encoding="utf-8"))
        now = json.loads((FOLDER / "openapi" / path.name).read_text(encoding="utf-8"))
        wrong += [
            f"{path.stem} API: {what}; keep it as it was and offer the new beside it"
            for what in lost_of_api(before, now)
        ]
    return wrong


def lost_of_api(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What callers of a released API would miss: operations, answers and fields that are gone or changed."""
    lost = []
    for path, operations in before["paths"].items():
        for method, old in operations.items():
            new = now["paths"].get(path, {}).get(method)
            if new is None:
                lost.append(f"{method.upper()} {path} was removed")
                continue
            known = {(p["in"], p["name"]) for p in old.get("parameters", [])}
            lost += [
                f"{method.upper()} {path} now demands {p['name']}"
                for p in new.get("parameters", [])
                if p.get("required") and (p["in"], p["name"]) not in known
            ]
            lost += [
                f"{method.upper()} {path} no longer answers {status}"
                for status in old.get("responses", {})
                if status not in new.get("responses", {})
            ]
    schemas = now.get("components", {}).get("schemas", {})
    for name, old in before.get("components", {}).get("schemas", {}).items():
        if name in schemas:
            lost += _lost(old, schemas[name], name)
    return lost


_WORDS = ("title", "description", "$id", "examples")


def _lost(before: Mapping[str, Any], now: Mapping[str, Any], where: str) -> list[str]:
    """Differences other than additions."""
    lost = []
    for name, old in before.get("properties", {}).items():
        new = now.get("properties", {}).get(name)
        if new is None:
            lost.append(f"{where}.{name} was removed")
        elif _bare(old) != _bare(new):
            lost.append(f"{where}.{name} changed its type")
    for name in before.get("required", []):
        if name not in now.get("required", []):
            lost.append(f"{where}.{name} is no longer always there")
    for name, old in before.get("$defs", {}).items():
        lost += _lost(old, now.get("$defs", {}).get(name, {}), name)
    return lost


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _bare(v) for k, v in value.items() if k not in _WORDS}
    return [_bare(v) for v in value] if isinstance(value, list) else value


def _name(value: str) -> str:
    return value.removeprefix("dachuan.").replace(".", "_").replace("-", "_")


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
