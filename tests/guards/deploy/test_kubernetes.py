"""The Kubernetes files: valid against Kubernetes' own schemas, closed, and every service with only what it needs."""

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.image import secrets
from tests.conftest import missing
from tests.guards.deploy import DEPLOY, SERVICES

FOLDER = DEPLOY / "kubernetes"
VERSION = "1.34"

Manifest = dict[str, Any]


@cache
def render(kubectl: str, what: str) -> tuple[Manifest, ...]:
    done = subprocess.run([kubectl, "kustomize", str(FOLDER / what)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


@pytest.fixture
def kubectl(need: Callable[[str, str], str]) -> str:
    found = need("kubectl", "renders the Kubernetes files")
    said = subprocess.run([found, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=20)
    minor = int(json.loads(said.stdout)["clientVersion"]["minor"].rstrip("+"))
    if minor < 27:
        missing(f"kubectl 1.{minor} renders with a kustomize from before labels and renaming patches; 1.27 is needed")
    return found


@pytest.fixture
def everything(kubectl: str) -> tuple[Manifest, ...]:
    return render(kubectl, "single")


def of(manifests: tuple[Manifest, ...], kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def pods(manifests: tuple[Manifest, ...]) -> Iterator[tuple[str, Manifest]]:
    """Name and pod template of everything that runs."""
    for one in manifests:
        if one["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]


def containers(pod: Manifest) -> Iterator[Manifest]:
    yield from pod["spec"].get("initContainers", ())
    yield from pod["spec"]["containers"]


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector (matchLabels, matchExpressions with In) takes these labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", ()))


@pytest.mark.parametrize("what", ["base", "single", "admin"])
def test_every_manifest_is_valid(what: str, kubectl: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="a test requirement")
    for manifest in render(kubectl, what):
        kubernetes_validate.validate(manifest, VERSION, strict=True)
        assert manifest["kind"] == "Namespace" or manifest["metadata"]["namespace"] == "dachuan"


def test_the_validation_refuses_what_is_wrong(everything: tuple[Manifest, ...]) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="a test requirement")
    wrong = {**of(everything, "Service")["intake"], "spek": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_no_container_has_more_rights_than_it_needs(everything: tuple[Manifest, ...]) -> None:
    for name, pod in pods(everything):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in containers(pod):
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False and context["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"] and "memory" in container["resources"]["requests"], name
            assert ":" in container["image"] and "." not in container["image"].split(":")[0], name


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_as_itself_with_its_own_secrets(name: str, everything: tuple[Manifest, ...]) -> None:
    pod = of(everything, "Deployment")[name]["spec"]["template"]["spec"]
    (migrate,), (service,) = pod["initContainers"], pod["containers"]
    assert migrate["args"] == ["python", "-m", "shared.kit.migrate", name]
    assert service["args"] == ["python", "-m", f"services.{name}.main"]
    environment = {one["name"]: one["value"] for one in service["env"]}
    assert environment == {
        "DACHUAN_LISTEN_PORT": str(SERVICES[name]),
        "DACHUAN_ROOT_PATH": "" if name == "notify" else f"/{name}",
        "DACHUAN_KAFKA_USERNAME": f"dachuan-{name}",
    }
    assert service["ports"] == [{"name": "http", "containerPort": SERVICES[name]}]
    volumes = {one["name"]: one.get("secret", {}).get("secretName") for one in pod["volumes"]}
    files = {"files"} if name in ("notify", "intake", "casework") else set()
    assert volumes == {"secrets": f"dachuan-{name}", "owner": f"dachuan-{name}-owner", "tmp": None, **dict.fromkeys(files)}
    assert {one["name"] for one in service["volumeMounts"]} == {"secrets", "tmp", *files}, "never the owner's password"
    assert {one["name"] for one in migrate["volumeMounts"]} == {"owner", "tmp"}
    for found in (of(everything, "Service")[name], of(everything, "Service")[f"{name}-pods"]):
        assert found["spec"]["selector"] == {
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/part-of": "dachuan",
        }
        assert found["spec"]["ports"] == [{"name": "http", "port": SERVICES[name], "targetPort": "http"}]
    address = of(everything, "ConfigMap")["dachuan"]["data"][f"DACHUAN_{name.upper()}_URL"]
    assert address.endswith(environment["DACHUAN_ROOT_PATH"])


def test_services_reach_their_servers_and_never_each_other(everything: tuple[Manifest, ...]) -> None:
    policies = of(everything, "NetworkPolicy")
    assert policies["deny-all"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(everything)}

    def may_send(sender: str, receiver: str) -> bool:
        return any(
            selects(policy["spec"]["podSelector"], labels[sender])
            and any(
                selects(peer["podSelector"], labels[receiver])
                for rule in policy["spec"].get("egress", ())
                for peer in rule.get("to", ())
                if "podSelector" in peer
            )
            for policy in policies.values()
        )

    def may_take(receiver: str, sender: str) -> bool:
        return any(
            selects(policy["spec"]["podSelector"], labels[receiver])
            and any(
                "from" not in rule or any(selects(peer["podSelector"], labels[sender]) for peer in rule["from"])
                for rule in policy["spec"].get("ingress", ())
            )
            for policy in policies.values()
        )

    def reaches(sender: str, receiver: str) -> bool:
        return may_send(sender, receiver) and may_take(receiver, sender)

    for one, other in combinations(SERVICES, 2):
        assert not reaches(one, other) and not reaches(other, one)
    for name in SERVICES:
        assert reaches(name, "postgres") and reaches(name, "kafka")
        assert reaches("ingress", name) and reaches("prometheus", name)
        assert not reaches(name, "ingress") and not reaches("postgres", name)
    assert reaches("provision", "postgres") and reaches("provision", "kafka")
    assert reaches("grafana", "prometheus") and reaches("prometheus", "alertmanager")
    assert not any(reaches("ingress", server) for server in ("postgres", "kafka"))
    outside = {
        name
        for name in SERVICES
        for policy in policies.values()
        if policy["metadata"]["name"] != "names" and selects(policy["spec"]["podSelector"], labels[name])
        for rule in policy["spec"].get("egress", ())
        for peer in rule.get("to", ())
        if "ipBlock" in peer
    }
    assert outside == {"notify"}


def test_the_secrets_script_makes_what_the_pods_mount(
    kubectl: str, everything: tuple[Manifest, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "secrets"
    for name in secrets.write(folder, "postgres:5432"):
        (folder / name).write_text("brought")
    done = subprocess.run(
        ["sh", str(FOLDER / "secrets.sh"), str(folder), "--show"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    made = {one["metadata"]["name"]: set(one["data"]) for one in yaml.safe_load_all(done.stdout) if one}
    mounted = {
        volume["secret"]["secretName"]
        for _, pod in pods(everything)
        for volume in pod["spec"].get("volumes", ())
        if "secret" in volume
    }
    assert mounted == set(made)
    common = {"DACHUAN_DATABASE_URL", "DACHUAN_KAFKA_PASSWORD", "DACHUAN_KEYS_FILE", "DACHUAN_JWKS_FILE"}
    assert made["dachuan-intake"] == common
    assert made["dachuan-notify"] == common | {"DACHUAN_TOKEN_KEY_FILE"}
    provision = of(everything, "Job")["provision"]["spec"]["template"]["spec"]["volumes"][0]["secret"]
    assert {item["key"] for item in provision["items"]} == made["dachuan-admin"]


def test_the_config_maps_hold_the_files_that_are_tested(everything: tuple[Manifest, ...]) -> None:
    held = {
        name: content
        for one in everything
        if one["kind"] == "ConfigMap"
        for name, content in one["data"].items()
        if "." in name
    }
    for path in (
        "ingress/nginx.conf",
        "ingress/keep-network-logs.sh",
        "kafka/server.properties",
        "kafka/start.sh",
        "prometheus/prometheus.yml",
        "prometheus/rules/dachuan.yml",
        "prometheus/alertmanager.yml",
        "grafana/dashboards/dachuan-overview.json",
    ):
        assert held[Path(path).name] == (DEPLOY / path).read_text(encoding="utf-8"), path
