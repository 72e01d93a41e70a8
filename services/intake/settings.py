"""Intake's environment."""

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What intake needs beside the common settings."""

    service: str = "intake"

    most_tips_a_batch: int = 500
    """Tips in one bulk request; each bulk request is one transaction."""

    receipt_misses_a_minute: int = 60
    """Wrong receipts answered per minute in all; beyond, look-ups pause, so receipts cannot be guessed."""
