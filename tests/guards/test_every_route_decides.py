"""No route without a decision about who may call it."""

from __future__ import annotations

import importlib

import pytest

from deploy.cli.contracts import settings_for_documents
from deploy.local.state import SERVICES
from shared.kit.access import Public, Requires, SignedIn
from shared.kit.web import decisions
from shared.rules.plan.vocabulary import RIGHTS


def _app(service: str):
    settings = importlib.import_module(f"services.{service}.settings").Settings
    return importlib.import_module(f"services.{service}.main").build(settings(**settings_for_documents(service)))


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_says_who_may_call_it(service: str) -> None:
    """Deny by default: a route names a right that exists, or says why it is open to anyone."""
    found = decisions(_app(service))
    assert len(found) > 5
    undecided = [f"{method} {path}" for method, path, decision in found if decision is None and path != "/static"]
    assert not undecided, "give each of these Requires(right), SignedIn() or Public(why)"
    for method, path, decision in found:
        if isinstance(decision, Public):
            assert len(decision.why) > 10, f"{method} {path}: why is it public?"
        elif isinstance(decision, Requires) and not isinstance(decision, SignedIn):
            assert decision.right in RIGHTS, f"{method} {path}: no such right {decision.right}"
