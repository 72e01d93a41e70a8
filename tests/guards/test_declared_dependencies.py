"""What runs in production may import only what `pyproject.toml` asks for, not what a test tool happens to bring."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from deploy.local.state import REPOSITORY

OWN = {"services", "shared", "deploy", "tests"}


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_every_import_of_the_running_code_is_declared() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_name(one) for one in project["dependencies"]}
    # A framework's own foundation is imported together with it: Starlette with FastAPI, for example.
    declared |= {
        _name(one) for base in ("fastapi", "fastapi-problem") for one in requires(base) or [] if "extra" not in one
    }
    owners = packages_distributions()
    undeclared = {}
    for folder in ("services", "shared", "deploy"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for module in _imported(path) - OWN - set(sys.stdlib_module_names):
                if not declared & {_name(one) for one in owners.get(module, [])}:
                    undeclared.setdefault(module, str(path.relative_to(REPOSITORY)))
    assert not undeclared, f"add to pyproject.toml and run ./dachuan lock: {undeclared}"
