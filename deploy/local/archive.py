"""An ahead-of-time cache of Kafka's classes (JEP 483, JEP 514): half the start time and half its processor time.

The cache is made once by a short training run of a throw-away node. It is bound to the JRE, the jars and their
place; where they changed, the JVM ignores it and starts as without. It is a by-product, not to be shipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from deploy.local import jars
from deploy.local.kafka import ADMIN, Kafka, java
from deploy.local.ports import Ports
from deploy.local.postgres import new_password

# Classes only: the JVM refuses some of its own saved adapter code at each start, with three lines of warning.
_CLASSES_ONLY = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching", "-XX:-AOTStubCaching")


def place(repository: Path) -> Path:
    """File of the cache for the current jars and JRE."""
    release = (java().parents[1] / "release").read_bytes()
    name = hashlib.sha256(jars.LOCK.read_bytes() + release + str(repository).encode()).hexdigest()[:12]
    return repository / f"kafka-{name}.aot"


def options(repository: Path) -> list[str]:
    """JVM options that use the cache, where there is one."""
    cache = place(repository)
    return [f"-XX:AOTCache={cache}", *_CLASSES_ONLY, "-Xlog:aot*=off,cds*=off"] if cache.exists() else []


def ensure(repository: Path) -> bool:
    """Make the cache if it is missing: about ten seconds, once. True when it is there.

    The calling thread must live until the return. A failure is no error: Kafka then starts slower.
    """
    cache = place(repository)
    if cache.exists():
        return True
    repository.mkdir(parents=True, exist_ok=True)
    with open(repository / ".archive.lock", "w") as mutex:
        fcntl.flock(mutex, fcntl.LOCK_EX)
        if cache.exists():
            return True
        folder = Path(tempfile.mkdtemp(prefix="train-", dir=repository))
        try:
            made = _train(folder, repository)
            if made.exists():
                os.replace(made, cache)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return cache.exists()


def _train(folder: Path, repository: Path) -> Path:
    from shared.kit import topics

    ports, password = Ports.free(), new_password()
    node = Kafka(
        folder,
        repository=repository,
        log=folder / "kafka.log",
        port=ports.kafka,
        controller_port=ports.controller,
        admin_password=password,
        controller_password=new_password(),
    )
    made = folder / "kafka.aot"
    node.options = (f"-XX:AOTCacheOutput={made}", *_CLASSES_ONLY)
    node.start()
    try:
        admin = {
            "bootstrap.servers": node.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": ADMIN,
            "sasl.password": password,
        }
        contract = topics.load()
        topics.apply(admin, contract, passwords={topic.owner: new_password() for topic in contract})
        _send_and_read(admin, contract[0].topic)
    finally:
        # The cache is written at the end, by a second JVM.
        node.stop(patience=180)
    return made


def _send_and_read(connection: dict[str, str], topic: str) -> None:
    """Exercise the paths of every start: produce, join a group, fetch, commit."""
    from confluent_kafka import Consumer, Producer

    producer = Producer({"log_level": 0, "enable.idempotence": True, **connection})
    for number in range(100):
        producer.produce(topic, key=str(number), value=b"x" * 1000)
    producer.flush(10)
    consumer = Consumer({"log_level": 0, "group.id": "train", "auto.offset.reset": "earliest", **connection})
    consumer.subscribe([topic])
    consumer.consume(100, timeout=10)
    consumer.commit(asynchronous=False)
    consumer.close()
