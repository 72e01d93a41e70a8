"""The compose file: valid, closed, and every service with only what it needs."""

import json
import re
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.image import secrets
from tests.guards.deploy import DEPLOY, ROOT, SERVICES

FOLDER = DEPLOY / "compose"
SCHEMA = Path(__file__).parent / "schemas" / "compose-spec.json"
"""The Compose Specification's own schema, as compose-go 2.16.2 ships it (Apache-2.0)."""


@cache
def compose() -> dict[str, Any]:
    """The file as compose reads it, with the variables of env.example put in."""
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    values = dict(
        line.split("=", 1)
        for line in (FOLDER / "env.example").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )

    def value(found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        assert name in values, f"{name} is used and not in env.example"
        return values[name] or (default[2:] if default and default.startswith(":-") else "")

    return yaml.safe_load(re.sub(r"\$\{(\w+)(:[-?][^}]*)?\}", value, text))


def services() -> dict[str, Any]:
    return compose()["services"]


def networks(name: str) -> set[str]:
    return set(services()[name].get("networks", ()))


def mounted(name: str) -> dict[str, str]:
    """Secret → file name (or path) in the container."""
    return {
        entry if isinstance(entry, str) else entry["source"]: entry if isinstance(entry, str) else entry["target"]
        for entry in services()[name].get("secrets", ())
    }


def test_it_is_a_compose_file() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(compose())


def test_the_schema_refuses_what_is_wrong() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    wrong = {**compose(), "services": {"x": {"image": "a", "memori": "1g"}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(wrong)


@pytest.mark.parametrize("name", services())
def test_no_container_has_more_rights_than_it_needs(name: str) -> None:
    service = services()[name]
    assert service["user"].split(":")[0] not in ("0", "root")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged") and not service.get("cap_add")
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} <= set(limits)
    assert re.fullmatch(r"[\w/-]+:v?\d[\w.]*", service["image"]), "a plain name, a fixed version"


def test_the_services_are_told_apart_and_reach_only_their_servers() -> None:
    for one, other in combinations(SERVICES, 2):
        assert not networks(one) & networks(other), f"{one} and {other} share a network"
    for name in SERVICES:
        beside = {other for other in services() if networks(other) & networks(name)} - {name}
        assert beside == {"ingress", "prometheus", "postgres", "kafka", f"migrate-{name}"}
        with_servers = {net for net in networks(name) if net in networks("postgres")}
        assert with_servers == {f"back-{name}"} and not with_servers & networks("ingress")
    opened = {net for net, made in compose()["networks"].items() if not (made or {}).get("internal")}
    assert opened == {"edge", "outside", "monitoring"}
    assert {name for name in SERVICES if networks(name) & opened} == {"notify"}
    assert not networks("postgres") & opened and not networks("kafka") & opened


def test_only_the_ingress_listens_to_the_world() -> None:
    for name, service in services().items():
        for port in service.get("ports", ()):
            assert name == "ingress" or port.startswith("127.0.0.1:"), f"{name} publishes {port}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_as_itself_with_its_own_secrets(name: str) -> None:
    service = services()[name]
    assert service["command"] == ["python", "-m", f"services.{name}.main"]
    environment = service["environment"]
    assert environment["DACHUAN_LISTEN_PORT"] == str(SERVICES[name])
    assert environment["DACHUAN_KAFKA_USERNAME"] == f"dachuan-{name}"
    assert environment.get("DACHUAN_ROOT_PATH", "") == ("" if name == "notify" else f"/{name}")
    assert environment[f"DACHUAN_{name.upper()}_URL"].endswith(environment.get("DACHUAN_ROOT_PATH", ""))
    assert "DACHUAN_LOCAL_MODE" not in environment, "demo accounts exist only on one machine"
    expected = {
        f"{name}_database_url": "DACHUAN_DATABASE_URL",
        f"{name}_kafka_password": "DACHUAN_KAFKA_PASSWORD",
        f"{name}_keys": "DACHUAN_KEYS_FILE",
        "jwks": "DACHUAN_JWKS_FILE",
    }
    if name == "notify":
        expected["token_key"] = "DACHUAN_TOKEN_KEY_FILE"
    assert mounted(name) == expected
    assert mounted(f"migrate-{name}") == {f"{name}_owner_database_url": "DACHUAN_OWNER_DATABASE_URL"}
    assert service["depends_on"] == {f"migrate-{name}": {"condition": "service_completed_successfully"}}
    assert services()[f"migrate-{name}"]["command"] == ["python", "-m", "shared.kit.migrate", name]
    assert service["healthcheck"]["test"][-2:] == ["deploy/image/healthcheck.py", "live"]


def test_a_service_knows_every_setting_it_is_given() -> None:
    from shared.kit.settings import ServiceSettings

    known = {f"DACHUAN_{field.upper()}" for field in ServiceSettings.model_fields} | {"DACHUAN_TOKEN_KEY_FILE"}
    for name in SERVICES:
        given = set(services()[name]["environment"]) | set(mounted(name).values())
        assert given <= known, f"{name}: {given - known}"


def test_every_secret_is_defined_made_and_used(tmp_path: Path) -> None:
    brought = set(secrets.write(tmp_path / "secrets", "postgres:5432"))
    made = {path.name for path in (tmp_path / "secrets").iterdir() if path.is_file()}
    defined = compose()["secrets"]
    assert {Path(entry["file"]).name for entry in defined.values()} == made | brought
    assert {name for service in services() for name in mounted(service)} == set(defined)


def test_every_mounted_file_exists() -> None:
    for name, service in services().items():
        for volume in service.get("volumes", ()):
            if volume["type"] == "bind" and volume["source"].startswith("."):
                assert (FOLDER / volume["source"]).exists(), f"{name}: {volume['source']}"
                assert volume["read_only"] is True
            elif volume["type"] == "volume":
                assert volume["source"] in compose()["volumes"]


def test_the_image_is_built_once_from_the_top() -> None:
    built = {name: service["build"] for name, service in services().items() if "build" in service}
    assert built == {"init": {"context": "../..", "dockerfile": "Dockerfile"}}
    assert (FOLDER / "../../Dockerfile").resolve() == ROOT / "Dockerfile"
    images = {services()[name]["image"] for name in (*SERVICES, "init", *(f"migrate-{s}" for s in SERVICES))}
    assert len(images) == 1


def test_kafka_and_postgresql_are_as_the_local_ones() -> None:
    from deploy.local import postgres

    command = services()["postgres"]["command"]
    for name in ("log_min_error_statement", "log_error_verbosity", "log_parameter_max_length_on_error", "jit"):
        assert f"--{name}={postgres._SETTINGS[name]}" in command, "what a reporter wrote must not reach a log"
    initdb = services()["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    for option in ("--locale-provider=builtin", "--locale=C.UTF-8", "--lc-ctype=C.UTF-8", "--auth=scram-sha-256"):
        assert option in initdb
    start = (DEPLOY / "kafka" / "start.sh").read_text(encoding="utf-8")
    assert "-Xmx512m" in start
