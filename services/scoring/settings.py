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

    rebuild_shards: int = Field(default=2, ge=1, le=32)
    """Processes that a rebuild decodes and values events in."""

    ledger_origin: str = ""
    """The ledger's name in its checkpoints; empty: the service's address without its scheme, and `/ledger`."""

    checkpoint_s: float = Field(default=60.0, gt=0)
    """How often a checkpoint is taken, where there are new entries."""

    objects_dir: Path | None = None
    """A folder outside the database for checkpoints and frozen periods; they are on `scoring.checkpoint.v1`, too."""
    objects_url: str = ""
    """`s3://bucket/prefix` in place of a folder."""
    objects_endpoint: str = ""
    objects_region: str = ""
    objects_access_key_id: str = ""
    objects_secret_access_key: str = ""

    feed_pulse_s: float = Field(default=0.5, gt=0)
    """How often open feed streams look for changes; one look serves all of them."""

    feed_heartbeat_s: float = Field(default=15.0, gt=0)
    """How often a silent stream says that it lives, and its reader's sign-in is checked again."""

    feed_streams: int = Field(default=200, ge=1)
    """Open feed streams at most; further ones are asked to come back later."""

    @property
    def origin(self) -> str:
        """The ledger's name."""
        return self.ledger_origin or f"{self.scoring_url.split('://', 1)[-1].rstrip('/')}/ledger"

    @property
    def objects_options(self) -> dict[str, str]:
        """What obstore is told of an S3 storage, where set."""
        told = {
            "endpoint": self.objects_endpoint,
            "region": self.objects_region,
            "access_key_id": self.objects_access_key_id,
            "secret_access_key": self.objects_secret_access_key,
        }
        return {name: value for name, value in told.items() if value}
