"""The environment each service process is given: its own secrets, nobody else's, and nothing of the caller's but
settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.databases import Login
from deploy.local.state import REPOSITORY, SERVICES


@dataclass(frozen=True)
class Backing:
    """The PostgreSQL and Kafka that services use: the embedded ones or others."""

    postgres_address: str
    kafka: Mapping[str, str]
    """`DACHUAN_KAFKA_…` settings that all services share: bootstrap, protocol, CA file."""


@dataclass(frozen=True)
class Spec:
    """How to run one service."""

    name: str
    port: int
    env: Mapping[str, str]
    command: tuple[str, ...] = field(default=())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def passed_on() -> dict[str, str]:
    """Settings of the caller that services may see: plain ones, never credentials or administrators' addresses."""
    own = ("DACHUAN_HOME", "DACHUAN_JARS", "DACHUAN_POSTGRES_ADMIN_URL", "DACHUAN_DATABASE_URL")
    secret = ("PASSWORD", "SECRET", "OWNER", "ADMIN", "_KEY")
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("DACHUAN_") and name not in own and not any(word in name for word in secret)
    }


def base_environment() -> dict[str, str]:
    """What any Python process of ours needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE") if name in os.environ}
    return {
        "PATH": "/usr/bin:/bin",
        **kept,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",
    }


def specs(
    *,
    ports: Mapping[str, int],
    backing: Backing,
    logins: Mapping[str, Login],
    kafka_passwords: Mapping[str, str],
    keys_file: Mapping[str, Path],
    jwks_file: Path,
    token_key_file: Path,
    objects: Path,
) -> list[Spec]:
    """The four services of a local instance."""
    urls = {f"DACHUAN_{name.upper()}_URL": f"http://127.0.0.1:{ports[name]}" for name in SERVICES}
    made = []
    for name in SERVICES:
        env = {
            **base_environment(),
            **urls,
            **passed_on(),
            **backing.kafka,
            "DACHUAN_SERVICE": name,
            "DACHUAN_LISTEN_PORT": str(ports[name]),
            "DACHUAN_DATABASE_URL": logins[name].app_url(backing.postgres_address),
            "DACHUAN_KAFKA_USERNAME": f"dachuan-{name}",
            "DACHUAN_KAFKA_PASSWORD": kafka_passwords[name],
            "DACHUAN_KEYS_FILE": str(keys_file[name]),
            "DACHUAN_JWKS_FILE": str(jwks_file),
            "DACHUAN_OBJECTS_DIR": str(objects / name),
            "DACHUAN_LOCAL_MODE": "1",
        }
        if name == "notify":
            env["DACHUAN_TOKEN_KEY_FILE"] = str(token_key_file)
        made.append(Spec(name, ports[name], env, (sys.executable, "-m", f"services.{name}.main")))
    return made
