"""Which ports an instance uses, and who holds one that is taken."""

from __future__ import annotations

import contextlib
import errno
import random
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local.state import SERVICES

_LOWEST_FREE = 10_000
_LENT = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True)
class Ports:
    """The ports of one instance, all on 127.0.0.1."""

    services: dict[str, int]
    postgres: int
    kafka: int
    controller: int

    @classmethod
    def from_base(cls, base: int) -> Ports:
        """`base` … `base`+3 for the services (notify, the home page, first), `base`+10 … +12 for the embedded
        PostgreSQL, Kafka and Kafka's controller.

        Raises:
            ValueError: the range does not fit below 65536 or needs a privileged port.
        """
        if not 1024 <= base <= 65000:
            raise ValueError(f"port base {base}: must be between 1024 and 65000")
        return cls({name: base + i for i, name in enumerate(SERVICES)}, base + 10, base + 11, base + 12)

    @classmethod
    def free(cls) -> Ports:
        """Ports that nobody uses now (for tests).

        They lie below those the system lends to outgoing connections: one of these could take the port of a server
        that is just being started again, and keep it.
        """
        ceiling = _first_lent()
        with contextlib.ExitStack() as held:
            numbers: list[int] = []
            while len(numbers) < len(SERVICES) + 3:
                probe = held.enter_context(socket.socket())
                with contextlib.suppress(OSError):
                    probe.bind(("127.0.0.1", random.randrange(_LOWEST_FREE, ceiling)))
                    numbers.append(probe.getsockname()[1])
        return cls(dict(zip(SERVICES, numbers, strict=False)), *numbers[len(SERVICES) :])

    def named(self, *, embedded: bool = True) -> dict[str, int]:
        """Name → port of everything that will listen."""
        inner = {"postgres": self.postgres, "kafka": self.kafka, "kafka controller": self.controller}
        return {**self.services, **(inner if embedded else {})}


def _first_lent() -> int:
    """The lowest port the system lends to outgoing connections; 32768 where it does not tell (Linux's own)."""
    try:
        first = int(_LENT.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = 32_768
    return first if first > _LOWEST_FREE + 1000 else 32_768


def taken(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something listens there already."""
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT is free, one with a listener is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return True
            raise
    return False


def holder(port: int) -> str:
    """Who listens on a port, as far as this user may know: "nginx (process 123)", or ""."""
    try:
        for link in psutil.net_connections("tcp"):
            if link.status == psutil.CONN_LISTEN and link.laddr.port == port and link.pid:
                return f"{psutil.Process(link.pid).name()} (process {link.pid})"
    except psutil.Error:
        pass
    return ""


def conflicts(ports: dict[str, int]) -> list[str]:
    """One clear line per port that is taken."""
    lines = []
    for name, port in ports.items():
        if taken(port):
            who = holder(port)
            lines.append(f"port {port} (for {name}) is taken" + (f" by {who}" if who else ""))
    return lines
