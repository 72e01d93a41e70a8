"""The environment of a service that keeps files."""

from pathlib import Path

from shared.kit.settings import ServiceSettings


class FileSettings(ServiceSettings):
    """Where files stand and how many may come at once."""

    objects_dir: Path = Path("/var/lib/dachuan/objects")
    """Where files are kept, sealed, unless `objects_url` names a bucket."""
    objects_url: str = ""
    """`s3://bucket/prefix` for an S3 storage instead of a folder."""
    objects_endpoint: str = ""
    objects_region: str = ""
    objects_access_key_id: str = ""
    objects_secret_access_key: str = ""
    objects_reserve_bytes: int = 1024 * 1024 * 1024
    """Free space below which no file is taken, so that the rest never lacks room."""

    clamav: str = ""
    """clamd's address, `tcp://host:3310` or `unix:///run/clamav/clamd.ctl`; empty: files are recorded as not scanned."""

    uploads_at_once: int = 8
    """Files being received together; more wait, then are asked to come back."""
    upload_wait_s: float = 20.0
    """How long a further upload waits for its turn."""
    upload_patience_s: float = 900.0
    """How long one file may take to arrive."""
    cleanings_at_once: int = 2
    cleaning_memory_mb: int = 512
    """Address space of one cleaning process."""
    cleaning_cpu_s: int = 20

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
