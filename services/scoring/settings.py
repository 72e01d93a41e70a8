"""Scoring's environment."""

from pathlib import Path

from pydantic import Field

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What scoring needs beside the common settings."""

    service: str = "scoring"

    rulebooks_dir: Path = Path(__file__).resolve().parents[2] / "deploy" / "rulebooks"
    """The rulebooks that come with the program; published ones stand in the database beside them."""

    owner_database_url: str | None = None
    """The owner role's address; only `rebuild` needs it, the running service is not given it."""

    rebuild_join_s: float = Field(default=40.0, gt=0)
    """How long `rebuild` waits for all partitions: longer than a session, so a killed instance is waited out."""

    feed_pulse_s: float = Field(default=0.5, gt=0)
    """How often open feed streams look for changes; one look serves all of them."""

    feed_heartbeat_s: float = Field(default=15.0, gt=0)
    """How often a silent stream says that it lives, and its reader's sign-in is checked again."""

    feed_streams: int = Field(default=200, ge=1)
    """Open feed streams at most; further ones are asked to come back later."""
