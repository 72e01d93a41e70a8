"""The local mode's demo sign-ins and sample messages: made after every part is ready, and told to the newcomer."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.local.instance import Instance
from deploy.local.services import Spec, base_environment
from deploy.local.state import REPOSITORY

_LIST = Path(__file__).with_name("demo.json")
REGISTRAR = "dachuan-registers"
"""OAuth2 client id of the demo's rental register."""
SAMPLE = REPOSITORY / "deploy" / "samples" / "messages.jsonl"


class DemoError(RuntimeError):
    """The demo accounts or sample messages could not be brought in; everything else runs."""


def people() -> dict[str, list[dict[str, Any]]]:
    """The demo accounts and systems, without secrets."""
    return json.loads(_LIST.read_text(encoding="utf-8"))


def seed(instance: Instance, notify: Spec) -> bool:
    """Hand the demo accounts to notify's own command, with generated passwords. False when that had been done.

    Raises:
        DemoError: notify refused.
    """
    secrets, wanted = instance.secrets, people()
    for account in wanted["accounts"]:
        account["password"] = secrets.demo_password(account["login"])
    for system in wanted["systems"]:
        system["secret"] = secrets.passwords["importer-client"]
    text = json.dumps(wanted)
    mark = instance.state.run / "demo-seeded"
    fingerprint = hashlib.sha256(f"{text}{instance.backing.postgres_address}".encode()).hexdigest()
    if mark.exists() and mark.read_text() == fingerprint:
        return False
    done = subprocess.run(
        [*notify.command, "seed-demo"], input=text, env=notify.env, cwd=REPOSITORY, capture_output=True, text=True
    )
    if done.returncode:
        raise DemoError(f"demo accounts were not made:\n{(done.stderr or done.stdout).strip()[-1500:]}")
    mark.write_text(fingerprint)
    return True


def greet(instance: Instance, say: Callable[[str], None]) -> None:
    """Print the one address and how to sign in."""
    say("")
    say(f"打传已启动，请打开  Dachuan is up; open  {instance.address}")
    say("")
    say("演示账号，仅限本机模式  Demo sign-ins, for the local mode only (passwords are this machine's own):")
    for account in people()["accounts"]:
        password = instance.secrets.demo_password(account["login"])
        say(f"  {account['login']:<20} {password}   {account['display']}")
    say("")


def bring_sample(instance: Instance, say: Callable[[str], None]) -> None:
    """Import the shipped sample messages through the public agency API, as `./dachuan import` does.

    Raises:
        DemoError: the import failed.
    """
    say(f"bringing in the sample messages ({SAMPLE.relative_to(REPOSITORY)})")
    command = [sys.executable, "-m", "deploy.cli", "import", str(SAMPLE)]
    command += ["--plan", "dayong", "--channel", "message-board"]
    env = {**base_environment(), "DACHUAN_HOME": str(instance.state.root)}
    done = subprocess.run(command, env=env, cwd=REPOSITORY, capture_output=True, text=True)
    for line in done.stdout.strip().splitlines():
        say(f"  {line}")
    if done.returncode:
        raise DemoError(f"the sample messages were not brought in:\n{done.stderr.strip()[-1500:]}")


def bring_registers(instance: Instance, say: Callable[[str], None]) -> None:
    """Import the shipped made-up registers and open a survey round, as an agency's system does; repeating is safe.

    Raises:
        DemoError: a file or the round was refused.
    """
    intake, notify = instance.url("intake"), instance.url("notify")
    with httpx.Client(timeout=60) as http:
        try:
            answer = http.post(
                f"{notify}/oauth2/token",
                data={"grant_type": "client_credentials"},
                auth=(REGISTRAR, instance.secrets.passwords["importer-client"]),
            )
            who = {"authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
            for register in ("agents", "rentals", "venues"):
                content = (SAMPLE.parent / f"{register}.csv").read_bytes()
                path = f"{intake}/v1/registers/{register}/import?dry_run=false"
                told = http.post(path, content=content, headers=who).raise_for_status().json()
                say(f"  {register}: {told['created']} new, {told['same']} known, {told['rejected']} rejected")
            today = date.today()
            body = {
                "plan": "dayong",
                "title": "出租屋摸底排查（演示）",
                "first": today.replace(day=1).isoformat(),
                "due": (today.replace(day=1) + timedelta(days=59)).isoformat(),
                "areas": ["dayong-antang", "dayong-nanwen", "dayong-lantian"],
            }
            key = {"idempotency-key": f"demo-survey-{today:%Y-%m}"}
            http.post(f"{intake}/v1/surveys", json=body, headers=who | key).raise_for_status()
        except httpx.HTTPError as error:
            raise DemoError(f"the sample registers were not brought in: {type(error).__name__}: {error}") from error
