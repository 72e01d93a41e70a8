"""`up`: one instance from nothing to ready, watched over until it is told to stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from deploy.local import archive, demo, jars
from deploy.local.cluster import Cluster
from deploy.local.instance import Instance, only_one
from deploy.local.outside import Outside, Servers
from deploy.local.ports import Ports, conflicts
from deploy.local.process import Identity, Records
from deploy.local.services import Spec, specs
from deploy.local.state import SERVICES, State
from deploy.local.supervisor import Supervisor


class AlreadyRunningError(RuntimeError):
    """Another `up` holds this state folder."""


class PortTakenError(RuntimeError):
    """Something else listens where we should; nothing has been started."""


class StopAsked(BaseException):
    """Ctrl-C or SIGTERM while starting."""


def up(
    state: State,
    *,
    base: int,
    settings: Mapping[str, str],
    say: Callable[[str], None],
    sample: bool = False,
    greeted: Callable[[], None] = lambda: None,
) -> None:
    """Start everything, say where it is, watch over it, and stop everything on SIGINT, SIGTERM or SIGHUP.

    Args:
        base: first port. settings: the environment, which may name an outside PostgreSQL and Kafka.
        say: takes one line for people. sample: also bring in the shipped sample messages.
        greeted: called when all has been said that belongs to the start.

    Raises:
        AlreadyRunningError, PortTakenError, OutsideError: before anything has been started.
        JarError, PostgresError, KafkaError, MigrationError, StartError, …: after what had started was stopped.
    """
    try:
        _up(state, base, settings, say, sample, greeted)
    except StopAsked:
        say("stopped")


def _up(
    state: State,
    base: int,
    settings: Mapping[str, str],
    say: Callable[[str], None],
    sample: bool,
    greeted: Callable[[], None],
) -> None:
    servers = Servers.from_settings(settings)
    ports = Ports.from_base(base)
    with only_one(state) as lock, _stop_signals() as stop:
        if lock is None:
            raise AlreadyRunningError("another ./dachuan up runs in this folder")
        for name in Records(state.run).end_leftovers():
            say(f"ended a left-over {name} of an earlier run")
        taken = conflicts(ports.named(embedded=servers is None))
        if taken:
            raise PortTakenError("\n".join(taken))
        instance = Instance(
            state,
            ports.services,
            Identity.of("supervisor", os.getpid()),
            postgres_port=None if servers else ports.postgres,
            kafka_port=None if servers else ports.kafka,
            servers=servers,
        )
        instance.write("starting")
        try:
            _run(instance, ports, say, sample, greeted, stop)
        except StopAsked:
            instance.write("stopped")
            raise
        except BaseException as error:
            instance.write("failed", str(error) or type(error).__name__)
            raise


def _run(
    instance: Instance,
    ports: Ports,
    say: Callable[[str], None],
    sample: bool,
    greeted: Callable[[], None],
    stop: _Stop,
) -> None:
    def note(phase: str, seconds: float) -> None:
        instance.phases[phase] = round(seconds, 2)
        say(f"{phase:<12} {seconds:5.1f} s")

    state = instance.state
    if instance.servers:
        cluster: Cluster | Outside = Outside(state, instance.servers, note=note)
    else:
        _fetch(state, say)
        cluster = Cluster(state, ports, note=note)
    begun = time.monotonic()
    secrets = cluster.secrets
    made = specs(
        ports=ports.services,
        backing=cluster.backing,
        logins=secrets.logins,
        kafka_passwords=secrets.kafka_users,
        keys_file={name: secrets.keys_file(name) for name in SERVICES},
        jwks_file=secrets.jwks_file,
        token_key_file=secrets.token_key_file,
        objects=state.objects,
    )
    supervisor = Supervisor(cluster, made, log=say)
    supervisor.start()
    try:
        note("services", time.monotonic() - begun)
        _welcome(instance, made[0], sample, say)
        greeted()
        stop.running = True
        supervisor.run(stop.asked.is_set)
    finally:
        stop.running = True
        instance.write("stopping")
        say("stopping")
        supervisor.stop()
        say("stopped")
    instance.write("stopped")


def _welcome(instance: Instance, notify: Spec, sample: bool, say: Callable[[str], None]) -> None:
    """Demo accounts, sample messages, the address. Trouble with these is told; the instance runs all the same."""
    try:
        if demo.seed(instance, notify):
            say("demo accounts made")
        instance.write("ready")
        if sample:
            demo.bring_sample(instance, say)
            demo.bring_registers(instance, say)
    except demo.DemoError as error:
        say(str(error))
    demo.greet(instance, say)
    instance.greeted = True
    instance.write("ready")


def _fetch(state: State, say: Callable[[str], None]) -> None:
    """What is fetched or made once: Kafka's jars, and the cache of its classes."""

    def progress(done: int, total: int) -> None:
        if done == 0:
            say(f"getting Apache Kafka: {total} jars, checked against the lock")
        elif done % 15 == 0 or done == total:
            say(f"getting Apache Kafka: {done} of {total}")

    jars.class_path(state.jars, progress=progress)
    if not archive.place(state.jars).exists():
        say("preparing Kafka for fast starts (once, about ten seconds)")
        if not archive.ensure(state.jars):
            say("that did not work; Kafka will start more slowly")


class _Stop:
    """Whether to stop; while starting, a signal interrupts at once."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.running = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        first = not self.asked.is_set()
        self.asked.set()
        if first and not self.running:
            raise StopAsked


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    stop = _Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
