"""The metrics page, the alert rules and the dashboard name the metrics that the code has, all of them and no others."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.guards.deploy import DEPLOY, ROOT, SERVICES

PAGE = ROOT / "docs" / "ops" / "metrics.md"
RULES = DEPLOY / "prometheus" / "rules" / "dachuan.yml"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "dachuan-overview.json"


@dataclass(frozen=True)
class Metric:
    name: str
    type: str
    labels: frozenset[str]


# Each service is a process with a registry of its own; here they are read in one process each, as they run.
_COLLECT = """
import importlib, json, sys
from shared.kit.metrics import REGISTRY
if sys.argv[1]:
    importlib.import_module(f"services.{sys.argv[1]}.metrics")
print(json.dumps([
    [c._name + ("_total" if c._type == "counter" else ""), c._type, list(c._labelnames)]
    for c in REGISTRY._collector_to_names
]))
"""


def _collect(service: str) -> dict[str, Metric]:
    done = subprocess.run(
        [sys.executable, "-c", _COLLECT, service], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return {name: Metric(name, kind, frozenset(labels)) for name, kind, labels in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def existing() -> dict[str, Metric]:
    """Every metric of the kit and of the services, by its name in Prometheus."""
    found = _collect("")
    for service in SERVICES:
        if (ROOT / "services" / service / "metrics.py").exists():
            found |= _collect(service)
    return found


def documented() -> dict[str, tuple[Metric, str, str]]:
    """Name → the metric as the page describes it, its query, and the whole section."""
    found = {}
    for section in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]:
        name = re.match(r"`(\w+)`", section)
        line = re.search(r"^(counter|gauge|histogram) · (no labels|labels (.+?)) · (.+)$", section, flags=re.M)
        query = re.search(r"```promql\n(.+?)\n```", section, flags=re.S)
        assert name and line and query, f"section without name, type line or query:\n{section[:200]}"
        labels = frozenset(re.findall(r"`(\w+)`", line[3] or ""))
        found[name[1]] = (Metric(name[1], line[1], labels), query[1], section)
    return found


def rule_expressions() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def dashboard_expressions() -> Iterator[tuple[str, str]]:
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def uses(expression: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Each metric in an expression, with the labels that its selector names."""
    for name, selector in re.findall(r"\b(dachuan_\w+)(\{[^}]*\})?", expression):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        yield base, frozenset(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', "", selector)))


def grouped(expression: str) -> frozenset[str]:
    """The labels that an expression groups or matches by."""
    return frozenset(
        word.strip() for inner in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for word in inner.split(",")
    )


def test_the_page_describes_exactly_the_metrics_that_exist(existing: dict[str, Metric]) -> None:
    page = {name: metric for name, (metric, _, _) in documented().items()}
    assert sorted(page) == sorted(existing), "docs/ops/metrics.md and the code differ"
    differing = {name for name in page if page[name] != existing[name]}
    assert not differing, f"type or labels differ: {[(page[n], existing[n]) for n in differing]}"


def test_every_section_has_a_query_on_its_metric_and_says_what_to_do() -> None:
    for name, (_, query, section) in documented().items():
        assert name in {used for used, _ in uses(query)}, f"{name}: the query asks something else"
        assert "When it is bad:" in section, name


@pytest.mark.parametrize("source", [rule_expressions, dashboard_expressions])
def test_rules_and_dashboard_use_only_what_exists(
    source: Callable[[], Iterator[tuple[str, str]]], existing: dict[str, Metric]
) -> None:
    always = frozenset({"job", "instance", "le"})
    for where, expression in source():
        known = always
        for name, labels in uses(expression):
            assert name in existing, f"{where}: {name} does not exist"
            wrong = labels - existing[name].labels - always
            assert not wrong, f"{where}: {name} has no label {wrong}"
            known |= existing[name].labels
        assert grouped(expression) <= known, f"{where}: groups by unknown labels {grouped(expression) - known}"


def test_every_metric_is_watched(existing: dict[str, Metric]) -> None:
    """A metric that neither an alert nor the dashboard shows is one that nobody will look at."""
    watched = {name for source in (rule_expressions, dashboard_expressions) for _, e in source() for name, _ in uses(e)}
    assert set(existing) - watched == set()


def test_the_queries_are_promql(need: Callable[[str, str], str], tmp_path: Path) -> None:
    promtool = need("promtool", "checks PromQL and metrics (Debian package prometheus)")
    queries = [(name, query) for name, (_, query, _) in documented().items()]
    queries += [(title, e.replace("$job", ".+")) for title, e in dashboard_expressions()]
    rules = [{"record": f"check:{number}", "expr": query} for number, (_, query) in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_kit_exposes_passes_promtool(need: Callable[[str, str], str]) -> None:
    from prometheus_client import generate_latest

    promtool = need("promtool", "checks PromQL and metrics (Debian package prometheus)")
    registry = importlib.import_module("shared.kit.metrics").REGISTRY
    done = subprocess.run(
        [promtool, "check", "metrics"], input=generate_latest(registry), capture_output=True, timeout=30
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_whole() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = board["panels"]
    assert [p["title"] for p in panels if p["type"] == "row"] == [
        "线索流转 · Tips flow",
        "转发与消费 · Relay and consumers",
        "时限与计分 · Deadlines and scoring",
        "HTTP",
        "健康 · Health",
    ]
    assert len({p["id"] for p in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
        if panel["type"] != "row":
            assert panel["targets"] and all(t["datasource"]["uid"] == "prometheus" for t in panel["targets"])
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())
    assert [s["uid"] for s in source["datasources"]] == ["prometheus"]
