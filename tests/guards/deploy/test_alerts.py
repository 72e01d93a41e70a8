"""Alert rules: valid, proved to fire and to stay quiet, and explained to the person who is woken."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.guards.deploy import DEPLOY, ROOT, SERVICES

PROMETHEUS = DEPLOY / "prometheus"
RULES = PROMETHEUS / "rules" / "dachuan.yml"
TESTS = sorted((PROMETHEUS / "tests").glob("*.test.yml"))
RUNNING = ROOT / "docs" / "ops" / "running.md"
WHY = "checks alert rules (Debian package prometheus)"


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_configuration_and_rules(need: Callable[[str, str], str]) -> None:
    said = run(need("promtool", WHY), "check", "config", PROMETHEUS / "prometheus.yml")
    assert f"{len(list(rules()))} rules found" in said


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name.split(".")[0])
def test_the_rules_fire_when_they_should_and_only_then(file: Path, need: Callable[[str, str], str]) -> None:
    run(need("promtool", WHY), "test", "rules", file)


def test_promtool_notices_a_rule_that_fires_too_late(need: Callable[[str, str], str], tmp_path: Path) -> None:
    """The tests above can fail: with another patience in the rule, one does."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    changed = RULES.read_text(encoding="utf-8").replace(
        "expr: dachuan_ready == 0\n        for: 2m", "expr: dachuan_ready == 0\n        for: 2h"
    )
    assert "for: 2h" in changed
    (tmp_path / "rules" / "dachuan.yml").write_text(changed, encoding="utf-8")
    test = tmp_path / "tests" / "health.test.yml"
    test.write_bytes((PROMETHEUS / "tests" / "health.test.yml").read_bytes())
    done = subprocess.run([need("promtool", WHY), "test", "rules", test], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "DachuanServiceNotReady" in done.stdout + done.stderr


def test_every_alert_has_a_firing_and_a_quiet_test() -> None:
    fires, quiet = set(), set()
    for file in TESTS:
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
            for one in group.get("promql_expr_test", ()):
                fires |= {name for name in re.findall(r'alertname="(\w+)"', one["expr"]) if one["exp_samples"]}
            quiet |= {one["alertname"] for one in group.get("alert_rule_test", ()) if not one["exp_alerts"]}
    names = {rule["alert"] for rule in rules()}
    assert fires == names
    assert quiet == names


def test_every_alert_says_what_it_is_in_both_languages_and_where_to_read_on() -> None:
    headings = re.findall(r"^### (\w+)$", RUNNING.read_text(encoding="utf-8"), flags=re.M)
    named = [heading for heading in headings if heading.startswith("Dachuan")]
    assert sorted(named) == sorted(rule["alert"] for rule in rules())
    for rule in rules():
        notes = rule["annotations"]
        assert set(notes) == {"summary", "summary_zh", "runbook"}, rule["alert"]
        assert re.search(r"[\u4e00-\u9fff]", notes["summary_zh"]) and notes["summary"].isascii()
        assert notes["runbook"] == f"docs/ops/running.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["for"], "a single bad scrape is no alert"


def test_alertmanager_wakes_the_duty_officer_for_what_is_critical_only(need: Callable[[str, str], str]) -> None:
    amtool = need("amtool", "checks alertmanager.yml (Debian package prometheus-alertmanager)")
    file = PROMETHEUS / "alertmanager.yml"
    run(amtool, "check-config", file)
    to = {
        severity: run(amtool, "config", "routes", "test", f"--config.file={file}", f"severity={severity}").strip()
        for severity in ("critical", "warning", "info")
    }
    assert to == {"critical": "duty-officer", "warning": "operators", "info": "operators"}


def test_every_service_is_scraped_under_its_name() -> None:
    scrapes = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    found = {
        scrape["job_name"]: (dns["names"], dns["port"])
        for scrape in scrapes
        for dns in scrape.get("dns_sd_configs", ())
    }
    assert found == {f"dachuan-{name}": ([f"{name}-pods"], port) for name, port in SERVICES.items()}
    absent = next(rule["expr"] for rule in rules() if rule["alert"] == "DachuanServiceAbsent")
    assert set(re.findall(r'job="dachuan-(\w+)"', absent)) == set(SERVICES)
