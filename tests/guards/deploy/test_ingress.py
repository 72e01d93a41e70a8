"""The ingress as it runs: the real nginx with the real file, before a service that notes every byte it is sent."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.guards.deploy import DEPLOY, SERVICES
from tests.patience import PATIENCE_S

CONFIG = DEPLOY / "ingress" / "nginx.conf"
KEEPER = DEPLOY / "ingress" / "keep-network-logs.sh"
CALLER = "203.0.113.9"


def free_port() -> int:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return link.getsockname()[1]


@dataclass
class Listener:
    """Stands where a service would: answers every request with 200 and keeps what it was sent."""

    port: int = field(default_factory=free_port)
    heads: list[str] = field(default_factory=list)

    def start(self) -> None:
        server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        while True:
            link, _ = server.accept()
            threading.Thread(target=self._answer, args=(link,), daemon=True).start()

    def _answer(self, link: socket.socket) -> None:
        data = b""
        while chunk := link.recv(65536):
            data += chunk
            while b"\r\n\r\n" in data:
                head, rest = data.split(b"\r\n\r\n", 1)
                length = re.search(rb"content-length: (\d+)", head, flags=re.I)
                body = int(length[1]) if length else 0
                if len(rest) < body:
                    break
                data = rest[body:]
                self.heads.append(head.decode())
                link.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


@dataclass
class Door:
    """nginx under test: its ports, its folder of connection logs, and the services behind it."""

    https: int
    http: int
    logs: Path
    behind: dict[str, Listener]

    def ask(
        self, path: str, *, method: str = "GET", body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str]]:
        context = ssl._create_unverified_context()
        link = http.client.HTTPSConnection("127.0.0.1", self.https, context=context, timeout=10)
        try:
            link.request(method, path, body=body or None, headers=headers or {})
            answer = link.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}
        finally:
            link.close()

    def written(self, pattern: str) -> str:
        """What the logs of a name pattern hold."""
        return "".join(path.read_text() for path in sorted(self.logs.glob(pattern)))


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dachuan.example.invalid")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "tls_certificate").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "tls_key").write_bytes(pem)


@pytest.fixture(scope="module")
def door(need: Callable[[str, str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    nginx = shutil.which("nginx", path="/usr/sbin") or need("nginx", "runs the ingress (Debian package nginx)")
    folder = tmp_path_factory.mktemp("ingress")
    logs = folder / "logs"
    logs.mkdir()
    certificate(folder)
    made = Door(free_port(), free_port(), logs, {name: Listener() for name in SERVICES})
    text = CONFIG.read_text(encoding="utf-8")
    # Only places and ports are changed; everything that is decided stays.
    changes = {
        "/var/log/dachuan-network": str(logs),
        "/run/secrets": str(folder),
        "/tmp/nginx": str(folder / "nginx"),
        "listen 8443": f"listen 127.0.0.1:{made.https}",
        "listen 8080": f"listen 127.0.0.1:{made.http}",
        "worker_processes auto": "worker_processes 1",
        **{f"server {name}:{port};": f"server 127.0.0.1:{made.behind[name].port};" for name, port in SERVICES.items()},
    }
    for old, new in changes.items():
        assert old in text, f"the configuration has no {old!r}"
        text = text.replace(old, new)
    if os.geteuid() == 0:
        text = f"user root;\n{text}"
    file = folder / "nginx.conf"
    file.write_text(text, encoding="utf-8")
    for listener in made.behind.values():
        listener.start()
    running = subprocess.Popen(
        [nginx, "-e", "stderr", "-p", str(folder), "-c", str(file), "-g", "daemon off;"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            assert running.poll() is None, running.stderr.read() if running.stderr else ""
            try:
                socket.create_connection(("127.0.0.1", made.https), 1).close()
                break
            except OSError:
                assert time.monotonic() < until, "nginx does not listen"
                time.sleep(0.05)
        yield made
    finally:
        running.terminate()
        running.wait(10)


def test_each_path_goes_to_its_service_without_its_first_part(door: Door) -> None:
    for name, path, expected in (
        ("notify", "/", "/"),
        ("notify", "/inbox?page=2", "/inbox?page=2"),
        ("intake", "/intake/", "/"),
        ("intake", "/intake/tips/new?lang=zh", "/tips/new?lang=zh"),
        ("casework", "/casework/v1/areas/%E5%A4%A7%E6%B6%8C?q=%2F", "/v1/areas/%E5%A4%A7%E6%B6%8C?q=%2F"),
        ("scoring", "/scoring/ledger", "/ledger"),
    ):
        assert door.ask(path)[0] == 200
        assert door.behind[name].heads[-1].splitlines()[0] == f"GET {expected} HTTP/1.1"


def test_no_address_and_no_browser_reaches_a_service(door: Door) -> None:
    forged = {
        name: CALLER
        for name in (
            "X-Forwarded-For", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP",
            "CF-Connecting-IP", "Ali-Cdn-Real-Ip", "X-Original-Forwarded-For",
        )
    }  # fmt: skip
    forged |= {"Forwarded": f"for={CALLER}", "Via": f"1.1 {CALLER}", "User-Agent": "Browser/7"}
    for name in SERVICES:
        path = "/" if name == "notify" else f"/{name}/"
        assert door.ask(path, method="POST", body=b"tip", headers=forged)[0] == 200
        head = door.behind[name].heads[-1]
        sent = {line.split(":", 1)[0].lower() for line in head.splitlines()[1:]}
        assert sent == {"host", "x-forwarded-proto", "content-length", "accept-encoding"}, name
        assert CALLER not in head and "127.0.0.1" not in head.replace(f"Host: 127.0.0.1:{door.https}", "")
        assert "Browser" not in head


def test_what_is_for_machines_inside_is_refused(door: Door) -> None:
    for prefix in ("", "/intake", "/casework", "/scoring"):
        for path in ("/metrics", "/healthz/ready", "/healthz/live"):
            before = sum(len(listener.heads) for listener in door.behind.values())
            assert door.ask(prefix + path)[0] == 404
            assert sum(len(listener.heads) for listener in door.behind.values()) == before


def test_connection_logs_hold_connections_and_nothing_of_a_tip(door: Door) -> None:
    for _ in range(3):
        door.ask("/intake/tips", method="POST", body=b"a den in building nine", headers={"Referer": "/secret-referer"})
    door.ask("/inbox-of-an-officer", headers={"Cookie": "session=secret-cookie"})
    until = time.monotonic() + PATIENCE_S
    while "127.0.0.1" not in door.written("20*.log") and time.monotonic() < until:
        time.sleep(0.05)
    tips, others = door.written("intake-*.log"), door.written("20*.log")
    assert set(re.sub(r"\d\d\d\d-\d\d-\d\dT\d\d ", "HOUR ", tips).splitlines()) == {f"HOUR 127.0.0.1 {door.https}"}
    line = rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d 127\.0\.0\.1 \d+ {door.https}"
    assert others and all(re.fullmatch(line, one) for one in others.splitlines())
    everything = door.written("*")
    for secret in ("POST", "/tips", "inbox", "secret", "building", "Python"):
        assert secret not in everything


def test_a_refused_request_leaves_no_trace_of_the_caller(door: Door) -> None:
    """nginx's error log would name client and request; it is closed below crit."""
    gone = door.behind["scoring"]
    context = ssl._create_unverified_context()
    link = http.client.HTTPSConnection("127.0.0.1", door.https, context=context, timeout=10)
    link.putrequest("POST", "/scoring/x")
    link.putheader("Content-Length", str(40 * 1024 * 1024))
    link.endheaders()
    assert link.getresponse().status == 413
    link.close()
    assert not any(head.startswith("POST /x") for head in gone.heads)
    assert door.written("error.log") == ""


def test_plain_http_is_sent_to_tls(door: Door) -> None:
    link = http.client.HTTPConnection("127.0.0.1", door.http, timeout=10)
    link.request("GET", "/intake/?a=1", headers={"Host": "dachuan.example.invalid"})
    answer = link.getresponse()
    assert answer.status == 308 and answer.headers["Location"] == "https://dachuan.example.invalid/intake/?a=1"
    assert door.ask("/")[1]["strict-transport-security"] == "max-age=31536000"
    assert door.ask("/intake")[1]["location"].endswith("/intake/")


def test_logs_are_kept_half_a_year_and_then_deleted(tmp_path: Path) -> None:
    old, young, other = tmp_path / "2026-01-01.log", tmp_path / "2026-06-01.log", tmp_path / "notes.txt"
    for path, days in ((old, 202), (young, 190), (other, 400)):
        path.write_text("x")
        then = time.time() - days * 86400
        os.utime(path, (then, then))
    environment = {"PATH": os.environ["PATH"], "DACHUAN_NETWORK_LOG_DIR": str(tmp_path)}
    subprocess.run(["sh", str(KEEPER), "once"], env=environment, check=True, timeout=10)
    assert not old.exists() and young.exists() and other.exists()
    short = subprocess.run(
        ["sh", str(KEEPER), "once"],
        env=environment | {"DACHUAN_NETWORK_LOG_DAYS": "30"},
        capture_output=True,
        timeout=10,
    )
    assert short.returncode == 64 and young.exists()
