"""The typed environment that every service shares; a service adds its own in its `settings.py`."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kit.crypto import KeyRing

_ROOT = Path(__file__).resolve().parents[2]


class ServiceSettings(BaseSettings):
    """Settings read from the environment with the prefix `DACHUAN_`; secrets come as files or variables."""

    model_config = SettingsConfigDict(env_prefix="DACHUAN_", extra="ignore", frozen=True)

    service: str
    """The service's name: consumer group, Kafka principal `dachuan-<service>`, database `dachuan_<service>`."""

    database_url: str
    database_pool: int = 8

    kafka_bootstrap: str = "127.0.0.1:8411"
    kafka_security_protocol: Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"] = "SASL_PLAINTEXT"
    kafka_username: str | None = None
    kafka_password: str | None = None
    kafka_ca_file: Path | None = None

    listen_host: str = "127.0.0.1"
    listen_port: int = 8400
    root_path: str = ""

    notify_url: str = "http://127.0.0.1:8400"
    intake_url: str = "http://127.0.0.1:8401"
    casework_url: str = "http://127.0.0.1:8402"
    scoring_url: str = "http://127.0.0.1:8403"

    plans_dir: Path = _ROOT / "deploy" / "plans"
    law_dir: Path = _ROOT / "deploy" / "law"
    plans: str = ""
    """Comma-separated plan ids this installation runs; empty means all found."""

    jwks_file: Path
    keys_file: Path
    local_mode: bool = False
    page_locale: str = "zh_CN"

    max_json_bytes: int = 4 * 1024 * 1024
    batch_events: int = Field(default=500, ge=1, le=5000)
    """How many events one consumer transaction takes at most."""
    stuck_after_s: float = 60.0
    """A consumer with lag and no progress for so long is not ready; for twice as long, the process exits."""

    @property
    def plan_ids(self) -> list[str] | None:
        """The chosen plans, or None for all."""
        return [p.strip() for p in self.plans.split(",") if p.strip()] or None

    @cached_property
    def keys(self) -> KeyRing:
        """This service's keys; they never stand in its database."""
        return KeyRing.load(self.keys_file, self.service)

    def base_url(self, service: str) -> str:
        """Where a service's pages and API are reached from outside."""
        return {
            "notify": self.notify_url,
            "intake": self.intake_url,
            "casework": self.casework_url,
            "scoring": self.scoring_url,
        }[service].rstrip("/")
