"""Demo accounts: from the shipped list, by the real command, in the local mode only."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from deploy.local import demo
from deploy.local.cluster import Cluster
from tests.instances import Databases
from tests.integration.notify.conftest import House

SECRET = "0123456789abcdef0123456789abcdef"


def seed(
    cluster: Cluster, database: Databases, wanted: object, *, local: str = "1"
) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "DACHUAN_DATABASE_URL": database.app_url("notify"),
        "DACHUAN_JWKS_FILE": str(cluster.secrets.jwks_file),
        "DACHUAN_KEYS_FILE": str(cluster.secrets.keys_file("notify")),
        "DACHUAN_TOKEN_KEY_FILE": str(cluster.secrets.token_key_file),
        "DACHUAN_LOCAL_MODE": local,
        "PYTHONPATH": os.getcwd(),
    }
    return subprocess.run(
        [sys.executable, "-m", "services.notify.main", "seed-demo"],
        input=json.dumps(wanted), env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


async def test_the_shipped_list_signs_in_and_can_be_seeded_again(
    cluster: Cluster, database: Databases, house: House
) -> None:
    wanted = demo.people()
    for account in wanted["accounts"]:
        account["password"] = f"{account['login']} may come in"
    for system in wanted["systems"]:
        system["secret"] = SECRET
    total = len(wanted["accounts"]) + len(wanted["systems"])
    first = seed(cluster, database, wanted)
    assert first.returncode == 0, first.stderr
    assert f"{total} made, 0 changed" in first.stdout
    wanted["accounts"][0]["password"] = "a password of today"
    second = seed(cluster, database, wanted)
    assert "0 made, 1 changed" in second.stdout, second.stderr
    for account in wanted["accounts"]:
        assert (await house.sign_in(account["login"], account["password"])).status_code == 303, account["login"]
        assert (await house.page("/")).status_code == 200
    for system in wanted["systems"]:
        assert (await house.token((system["client_id"], SECRET))).status_code == 200
    object.__setattr__(house.settings, "local_mode", False)
    house.client.cookies.clear()
    assert (await house.sign_in(wanted["accounts"][0]["login"], "a password of today")).status_code == 401
    assert (await house.token((wanted["systems"][0]["client_id"], SECRET))).status_code == 401


async def test_outside_the_local_mode_nothing_is_seeded(cluster: Cluster, database: Databases, house: House) -> None:
    one = {"login": "demo", "password": "come in, come in", "plan": "dayong", "agency": "police", "display": "演示"}
    refused = seed(cluster, database, {"accounts": [one]}, local="0")
    assert refused.returncode == 2 and "DACHUAN_LOCAL_MODE" in refused.stderr
    await house.officer("demo")
    taken = seed(cluster, database, {"accounts": [one]})
    assert taken.returncode == 2, "a real account is never taken over"
    assert await house.rows("SELECT 1 FROM accounts WHERE demo") == []
