"""The keys that the code asks for are those that key files are made with, also those made for containers and long ago."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from deploy.image import secrets as image
from deploy.local.secrets import Secrets
from deploy.local.state import SERVICES, write_private
from shared.kit.crypto import KEY_NAMES, KeyRing

ROOT = Path(__file__).parents[3]
_ASKING = {"seal", "open", "token", "key"}
_NAMED = {"SEALED_BY", "_KEY", "_KEY_NAME"}


def asked_for(service: str) -> set[str]:
    """Names of keys that a service's code gives as words to its key ring, or keeps as a constant for that."""
    found: set[str] = set()
    for file in (ROOT / "services" / service).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ASKING and node.args:
                ring, first = ast.unparse(node.func.value), node.args[0]
                if ring.endswith("keys") and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                found |= {node.value.value for target in node.targets if ast.unparse(target) in _NAMED}
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_key_the_code_asks_for_is_made(service: str) -> None:
    assert asked_for(service) <= set(KEY_NAMES[service])


def test_the_search_finds_keys() -> None:
    """Otherwise the test above could not fail."""
    assert {"narrative", "receipt_lookup", "target", "work"} <= asked_for("intake")
    assert "case" in asked_for("casework") and "contact" in asked_for("notify")


def test_secrets_for_containers_learn_the_keys_of_an_upgrade_and_lose_none(tmp_path: Path) -> None:
    """An installation in containers made before intake had its newer keys: the documented command adds them."""
    folder = tmp_path / "secrets"
    made = Secrets(folder / "source")
    made.ensure()
    first = json.loads(made.keys_file("intake").read_text(encoding="utf-8"))
    newer = {"target", "reporter", "file", "work"}
    old = {"current": "k1", "keys": {"k1": {k: v for k, v in first["keys"]["k1"].items() if k not in newer}}}
    write_private(made.keys_file("intake"), json.dumps(old))
    image.write(folder, "postgres:5432")
    for service in SERVICES:
        given = json.loads((folder / f"{service}_keys").read_text(encoding="utf-8"))
        assert all(set(keys) == set(KEY_NAMES[service]) for keys in given["keys"].values()), service
    after = json.loads((folder / "intake_keys").read_text(encoding="utf-8"))["keys"]["k1"]
    assert {name: after[name] for name in old["keys"]["k1"]} == old["keys"]["k1"], "what was there stays"
    assert newer <= set(after)
    before = (folder / "intake_keys").read_text(encoding="utf-8")
    image.write(folder, "postgres:5432")
    assert (folder / "intake_keys").read_text(encoding="utf-8") == before, "a second run changes nothing"


def test_a_ring_that_lacks_a_key_says_so_at_start(tmp_path: Path) -> None:
    """A service started with an old key file stops with the key's name, not at the first tip."""
    text = json.loads(KeyRing.generate("intake"))
    del text["keys"]["k1"]["work"]
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(text), encoding="utf-8")
    with pytest.raises(ValueError, match="work"):
        KeyRing.load(file, "intake")
