"""Kafka's jars: the locked content, or none."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.kafka import Kafka
from deploy.local.state import State


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the jars (linked, not copied: 44 MB)."""
    source = State.default().jars
    jars.class_path(source)
    for jar in jars.locked():
        target = jar.path(tmp_path)
        target.parent.mkdir(parents=True)
        os.link(jar.path(source), target) if _same_device(source, tmp_path) else shutil.copy(jar.path(source), target)
    return tmp_path


def _same_device(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _tamper(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)


def test_every_jar_is_locked_with_its_checksum_and_no_address() -> None:
    locked = jars.locked()
    assert {jar.name for jar in locked} >= {"org.apache.kafka:kafka_2.13:4.4.0", "org.apache.kafka:kafka-clients:4.4.0"}
    assert all(len(jar.sha256) == 64 for jar in locked)
    assert "://" not in jars.LOCK.read_text()


def test_a_changed_jar_is_refused_by_name(repository: Path) -> None:
    jar = jars.locked()[1].path(repository)
    _tamper(jar)
    with pytest.raises(jars.JarError, match="refused") as refused:
        jars.class_path(repository)
    assert str(jar) in str(refused.value)
    assert hashlib.sha256(jar.read_bytes()).hexdigest() != jars.locked()[1].sha256, "it must be left for inspection"


def test_kafka_does_not_start_on_a_changed_jar(repository: Path, state_folder: Path) -> None:
    _tamper(jars.locked()[0].path(repository))
    node = Kafka(
        state_folder / "kafka",
        repository=repository,
        log=state_folder / "kafka.log",
        port=1,
        controller_port=2,
        admin_password="a",
        controller_password="b",
    )
    with pytest.raises(jars.JarError):
        node.prepare()
    assert not (state_folder / "kafka").exists()


def test_a_lock_entry_without_checksum_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "lock.toml"
    lock.write_text('[[dependencies]]\ngroupId = "a"\nartifactId = "b"\nversion = "1"\n')
    with pytest.raises(jars.JarError, match="b has no checksum"):
        jars.locked(lock)


def test_what_is_fetched_is_checked_before_it_is_kept(tmp_path: Path) -> None:
    """A real small jar from the repository, under a lock that expects other content."""
    small = next(jar for jar in jars.locked() if jar.artifact == "jopt-simple")
    lock = tmp_path / "lock.toml"
    lock.write_text(
        f'[[dependencies]]\ngroupId = "{small.group}"\nartifactId = "{small.artifact}"\n'
        f'version = "{small.version}"\nsha256 = "{"0" * 64}"\n'
    )
    with pytest.raises(jars.JarError, match="another content"):
        jars.class_path(tmp_path / "repository", lock=lock)
    assert not small.path(tmp_path / "repository").exists()
