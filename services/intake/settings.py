"""Intake's environment."""

from shared.kit.files.settings import FileSettings


class Settings(FileSettings):
    """What intake needs beside the common settings."""

    service: str = "intake"

    most_tips_a_batch: int = 500
    """Tips in one bulk request; each bulk request is one transaction."""

    receipt_misses_a_minute: int = 60
    """Wrong receipts answered per minute in all; beyond, look-ups pause, so receipts cannot be guessed."""

    most_files: int = 10
    """Files with one tip."""
    most_file_bytes: int = 50 * 1024 * 1024
    """Bytes of one file."""
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

    largest_register_file: int = 30 * 1024 * 1024
    """Bytes of a sheet with which a register is brought in."""
