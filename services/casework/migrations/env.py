"""Alembic environment of casework."""

from services.casework.tables import metadata
from shared.kit.migrate import run_env

run_env(metadata)
