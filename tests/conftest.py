"""What all tests share: the run's cluster and stack, needed tools, long tests."""

from __future__ import annotations

import os
import shutil
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.cluster import Cluster
from tests import instances

_RUN = pytest.StashKey[instances.Run]()
_DOOR = pytest.StashKey[dict[str, str]]()
_FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also the tests marked long")


def pytest_configure(config: pytest.Config) -> None:
    # The jars are those of the checkout's state folder even where a test sets a state folder of its own.
    from deploy.local.state import State

    os.environ.setdefault("DACHUAN_JARS", str(State.default().jars))
    if not hasattr(config, "workerinput"):
        config.stash[_RUN] = instances.Run()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Runs where pytest-xdist makes a worker: tell it where to ask."""
    config = node.config
    if _DOOR not in config.stash:
        config.stash[_DOOR] = config.stash[_RUN].listen()
    node.workerinput["door"] = config.stash[_DOOR]


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(_RUN, None)
    if run:
        run.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    twice = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    if twice:
        raise pytest.UsageError(f"of tests that share an id xdist runs one: {', '.join(twice[:5])}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_FAILED] = report.failed
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """After a failure everything the test stood on is made anew, for its second run as for the tests behind it."""
    if item.stash.get(_FAILED, False):
        item.session._setupstate.teardown_exact(None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why a test was run once more."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"first run of {report.nodeid}")
        terminalreporter.line(report.longreprtext)


def _ask(config: pytest.Config, what: str) -> Cluster:
    worker = getattr(config, "workerinput", None)
    where = instances.ask_run(worker["door"], what) if worker else config.stash[_RUN].ask(what)
    return instances.open_cluster(**where)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The run's PostgreSQL and Kafka, secured as in production. Its own `dachuan_<service>` databases are
    templates: take `databases` for one to use."""
    return _ask(request.config, "cluster")


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> instances.Stack:
    """The four real services of the run, over the run's cluster, on databases of their own."""
    return instances.Stack(_ask(request.config, "stack"))


@pytest.fixture
async def databases(cluster: Cluster) -> AsyncIterator[instances.Databases]:
    """Fresh, migrated databases of all four services for one test."""
    made = await instances.Databases(cluster, f"t{uuid.uuid4().hex[:12]}").create()
    yield made
    await made.drop()


@pytest.fixture
def state_folder() -> Iterator[Path]:
    """A folder for an instance of the test's own, removed afterwards (pytest's own are closed to PostgreSQL)."""
    folder = instances.make_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def need() -> Callable[[str, str], str]:
    """`need("promtool", "what for")`: the tool's path; without it the test is skipped, or in CI fails."""

    def find(tool: str, what_for: str) -> str:
        path = shutil.which(tool)
        if path is None:
            missing(f"{tool} is not installed: {what_for}")
        assert path
        return path

    return find


def missing(reason: str) -> None:
    """Skip for something the machine lacks; in CI (CI=true) fail, because there nothing may be left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"in CI nothing is skipped: {reason}", pytrace=False)
    pytest.skip(reason)
