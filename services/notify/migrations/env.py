"""Alembic environment of notify."""

from services.notify.tables import metadata
from shared.kit.migrate import run_env

run_env(metadata)
