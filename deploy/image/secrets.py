"""`python -m deploy.image.secrets FOLDER`: every secret that an installation in containers needs, one file each.

Made once and never overwritten; running it again after an upgrade adds only what is new. The certificate
(`tls_certificate`, `tls_key`) and the mail password (`smtp_password`) are the operator's to bring.
"""

import argparse
import sys
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from deploy.local.secrets import Secrets
from deploy.local.state import SERVICES, write_private

BROUGHT = ("tls_certificate", "tls_key", "smtp_password")
"""Files that the operator puts there."""

# Containers run under user ids of their own and see single files; the closed folder keeps everybody else out.
_READABLE = 0o444


def contents(folder: Path, postgres: str) -> dict[str, str]:
    """File name → content of everything that is derived from the generated secrets.

    Args:
        folder: where the generated secrets stand (`FOLDER/source`).
        postgres: host:port under which containers reach PostgreSQL.
    """
    secrets = Secrets(folder)
    secrets.ensure()
    passwords = secrets.passwords
    files = {
        "postgres_password": passwords["postgres-admin"],
        "kafka_admin_password": passwords["kafka-admin"],
        "kafka_controller_password": passwords["kafka-controller"],
        "postgres_admin_url": f"postgresql://postgres:{passwords['postgres-admin']}@{postgres}/postgres",
        "passwords": (folder / "passwords.json").read_text(encoding="utf-8"),
        "token_key": secrets.token_key_file.read_text(encoding="utf-8"),
        "jwks": secrets.jwks_file.read_text(encoding="utf-8"),
    }
    for service in SERVICES:
        login = secrets.logins[service]
        files[f"{service}_database_url"] = login.app_url(postgres)
        files[f"{service}_owner_database_url"] = login.owner_url(postgres)
        files[f"{service}_kafka_password"] = secrets.kafka_users[service]
        files[f"{service}_keys"] = secrets.keys_file(service).read_text(encoding="utf-8")
    return files


def write(folder: Path, postgres: str) -> list[str]:
    """Make what is missing in `folder` (0700); returns the names that the operator has still to bring."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = contents(folder / "source", postgres)
    once = {
        "kafka_cluster_id": urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="),
        "grafana_password": uuid.uuid4().hex,
    }
    for name, text in made.items():
        write_private(folder / name, text, mode=_READABLE)
    for name, text in once.items():
        if not (folder / name).exists():
            write_private(folder / name, text, mode=_READABLE)
    return [name for name in BROUGHT if not (folder / name).exists()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.image.secrets", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--postgres", default="postgres:5432", help="host:port of PostgreSQL (default %(default)s)")
    chosen = parser.parse_args()
    missing = write(chosen.folder, chosen.postgres)
    sys.stdout.write(f"secrets are in {chosen.folder}\n")
    if missing:
        sys.stdout.write(f"still to bring: {', '.join(missing)}\n")


if __name__ == "__main__":
    main()
