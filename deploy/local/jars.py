"""Apache Kafka's jars: fetched once by jgo, and checked against the committed lock at every start.

The lock (`kafka.lock.toml`, jgo's own format) names every jar with its SHA-256. A jar that differs is never put on
a class path.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import ssl
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).with_name("kafka.lock.toml")
_KAFKA = "org.apache.kafka:kafka_2.13:4.4.0"
_LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5"


class JarError(RuntimeError):
    """A jar is missing and cannot be fetched, or its content is not the locked one."""


@dataclass(frozen=True)
class Jar:
    """One locked jar: its Maven coordinates, SHA-256 and file below the local repository."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    def path(self, repository: Path) -> Path:
        suffix = f"-{self.classifier}" if self.classifier else ""
        folder = repository.joinpath(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}{suffix}.jar"


def locked(lock: Path = LOCK) -> list[Jar]:
    """The jars of a lock file, in class path order.

    Raises:
        JarError: an entry has no checksum.
    """
    jars = []
    for entry in tomllib.loads(lock.read_text(encoding="utf-8"))["dependencies"]:
        if not entry.get("sha256"):
            raise JarError(f"{lock.name}: {entry['artifactId']} has no checksum")
        jars.append(
            Jar(
                entry["groupId"],
                entry["artifactId"],
                entry["version"],
                entry.get("classifier", ""),
                entry["sha256"],
            )
        )
    return jars


def class_path(
    repository: Path, *, lock: Path = LOCK, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Path]:
    """Every jar's file, present and with the locked content.

    Missing jars are fetched into `repository` (a Maven local repository). A jar that is there but differs is
    refused, not replaced: someone should look at it.

    Args:
        progress: called with the number of jars fetched and to fetch.

    Raises:
        JarError: a checksum differs, or a jar cannot be fetched.
    """
    jars = locked(lock)
    missing = [jar for jar in jars if not jar.path(repository).exists()]
    if missing:
        repository.mkdir(parents=True, exist_ok=True)
        with open(repository / ".lock", "w") as mutex:
            fcntl.flock(mutex, fcntl.LOCK_EX)
            missing = [jar for jar in missing if not jar.path(repository).exists()]
            _fetch(missing, repository, progress)
    with ThreadPoolExecutor(2) as pool:
        same = pool.map(lambda jar: _matches(jar, repository), jars)
        wrong = [jar for jar, matches in zip(jars, same, strict=True) if not matches]
    if wrong:
        listed = "\n".join(f"  {jar.path(repository)}" for jar in wrong)
        raise JarError(
            f"the content of these jars is not the one in {lock.name}; refused. "
            f"If you did not change them on purpose, delete them and start again:\n{listed}"
        )
    return [jar.path(repository) for jar in jars]


def _matches(jar: Jar, repository: Path) -> bool:
    with open(jar.path(repository), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def _fetch(jars: list[Jar], repository: Path, progress: Callable[[int, int], None]) -> None:
    """Fetch into a side folder, check, then move in place, so that a killed start leaves no half jar."""
    if not jars:
        return
    from jgo.maven import MavenContext

    _trust()
    side = repository / ".incoming"
    context = MavenContext(repo_cache=side, timeout=120)
    done = 0
    progress(done, len(jars))

    def fetch(jar: Jar) -> Jar:
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        try:
            component.artifact(classifier=jar.classifier).resolve()
        except Exception as error:
            raise JarError(f"{jar.name} could not be fetched: {error}") from error
        if not _matches(jar, side):
            jar.path(side).unlink()
            raise JarError(f"{jar.name} came with another content than {LOCK.name} says; refused")
        return jar

    with ThreadPoolExecutor(4) as pool:
        for jar in pool.map(fetch, jars):
            target = jar.path(repository)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(jar.path(side), target)
            done += 1
            progress(done, len(jars))


def _trust() -> None:
    """Trust whom this machine trusts: requests, which jgo fetches with, knows only a list of its own, without the
    authority that a company or office adds."""
    known = (
        os.environ.get("SSL_CERT_FILE"),
        os.environ.get("PIP_CERT"),
        ssl.get_default_verify_paths().cafile,
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
    )
    found = next((path for path in known if path and os.path.exists(path)), None)
    if found:
        os.environ.setdefault("REQUESTS_CA_BUNDLE", found)


def write_lock(repository: Path, lock: Path = LOCK) -> int:
    """Resolve Kafka's dependencies anew and write the lock file (`./dachuan lock`). Number of jars locked.

    The log binding, which Kafka's own package adds too, is added apart: resolved together, jgo would take the
    versions managed by log4j's POM for Kafka's jars as well.
    """
    from jgo.env import LockFile
    from jgo.maven import MavenContext

    _trust()
    context = MavenContext(repo_cache=repository, timeout=120)
    inputs, transitive = context.resolver.resolve([context.create_dependency(_KAFKA)])
    binding = context.create_dependency(_LOG_BINDING)
    written = LockFile.from_resolved_dependencies(
        [*inputs, *transitive, binding], environment_name="dachuan-kafka", min_java_version=17
    )
    # jgo notes the time of writing; the same jars leave the file as it was.
    fresh = lock.with_suffix(".new")
    written.save(fresh)
    if lock.exists() and locked(fresh) == locked(lock):
        fresh.unlink()
    else:
        os.replace(fresh, lock)
    return len(written.dependencies)
