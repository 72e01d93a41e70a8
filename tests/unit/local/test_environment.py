"""What the test of the two commands runs as its test: the environment is whole."""

import importlib

import pytest


@pytest.mark.parametrize("name", ["aiokafka", "asyncpg", "confluent_kafka", "fastapi", "hypothesis", "sqlalchemy"])
def test_the_environment_has_what_the_lock_says(name: str) -> None:
    assert importlib.import_module(name).__name__ == name
