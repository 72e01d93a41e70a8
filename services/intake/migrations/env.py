"""Alembic environment of intake."""

from services.intake.tables import metadata
from shared.kit.migrate import run_env

run_env(metadata)
