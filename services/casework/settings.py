"""Casework's environment."""

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What casework needs beside the common settings."""

    service: str = "casework"
