"""Intake's environment."""

from pathlib import Path

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What intake needs beside the common settings."""

    service: str = "intake"

    most_tips_a_batch: int = 500
    """Tips in one bulk request; each bulk request is one transaction."""

    receipt_misses_a_minute: int = 60
    """Wrong receipts answered per minute in all; beyond, look-ups pause, so receipts cannot be guessed."""

    objects_dir: Path = Path("/var/lib/dachuan/objects")
    """Where files that come with tips are kept, sealed, unless `objects_url` names a bucket."""
    objects_url: str = ""
    """`s3://bucket/prefix` for an S3 storage instead of a folder."""
    objects_endpoint: str = ""
    objects_region: str = ""
    objects_access_key_id: str = ""
    objects_secret_access_key: str = ""

    clamav: str = ""
    """clamd's address, `tcp://host:3310` or `unix:///run/clamav/clamd.ctl`; empty: files are recorded as not scanned."""

    most_files: int = 10
    """Files with one tip."""
    most_file_bytes: int = 50 * 1024 * 1024
    """Bytes of one file."""
    uploads_at_once: int = 8
    """Files being received together; more wait, then are asked to come back."""
    upload_wait_s: float = 20.0
    """How long a further upload waits for its turn."""
    upload_patience_s: float = 900.0
    """How long one file may take to arrive."""
    objects_reserve_bytes: int = 1024 * 1024 * 1024
    """Free space below which no file is taken, so that tips never lack room."""
    cleanings_at_once: int = 2
    cleaning_memory_mb: int = 512
    """Address space of one cleaning process."""
    cleaning_cpu_s: int = 20
    cleaning_wait_s: float = 20.0
    """How long an upload waits for its cleaning to begin; later ones are cleaned by the job."""

    work_free_a_second: float = 20.0
    """Anonymous posts a second that are taken without proof of work, on average."""
    work_burst: int = 200
    """How many may come at once before proof of work is asked for."""
    work_valid_s: int = 600
    """How long a challenge is good for."""
    work_wait_s: int = 20
    """How long somebody without scripts waits instead of working."""
    waits_a_second: float = 2.0
    """How many of those who waited are taken a second."""

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

    largest_register_file: int = 30 * 1024 * 1024
    """Bytes of a sheet with which a register is brought in."""
