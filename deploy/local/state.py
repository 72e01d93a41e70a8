"""Where the one-machine runtime keeps what it makes: data, secrets, logs, process records."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
"""Top of the checkout (or of the unpacked distribution)."""

SERVICES = ("notify", "intake", "casework", "scoring")
"""The four services, in the order of their default ports (notify carries the home page)."""


@dataclass(frozen=True)
class State:
    """The state folder (`DACHUAN_HOME`, default `.dachuan/` at the top) and the places in it."""

    root: Path

    @classmethod
    def default(cls) -> State:
        """The folder named by `DACHUAN_HOME`, else `.dachuan/` beside the `dachuan` file."""
        return cls(Path(os.environ.get("DACHUAN_HOME") or REPOSITORY / ".dachuan").resolve())

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def jars(self) -> Path:
        """Local Maven repository; may be shared by several state folders (`DACHUAN_JARS`)."""
        return Path(os.environ.get("DACHUAN_JARS") or self.root / "jars")

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    def prepare(self) -> None:
        """Make the folders; secrets, logs and process records are for the owner only."""
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.secrets, self.run, self.logs, self.objects):
            folder.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write `path` whole or not at all, readable by its owner only (`mode`), and sync it to disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
