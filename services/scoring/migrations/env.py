"""Alembic environment of scoring."""

from services.scoring.tables import metadata
from shared.kit.migrate import run_env

run_env(metadata)
