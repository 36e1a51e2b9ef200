"""The files that deploy the product: by the field's own tools, and by what this product needs."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from streams.app import ROLES
from streams.settings import WATCHABLE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
BESIDE = sorted((DEPLOY / "compose").glob("*.yml"))
KUBERNETES = DEPLOY / "kubernetes"
MANIFESTS = sorted(KUBERNETES.glob("*.yaml"))
KUBERNETES_VERSION = "1.33"
WORKERS = {"monitor-0": "monitor", "monitor-1": "monitor"} | {role: role for role in ROLES[1:]}
DIGEST = re.compile(r"\$\{[A-Z]+_IMAGE:\?[^}]+\}|.+@sha256:[0-9a-f]{64}")
TOOLS = Path(sys.executable).parent


def said_by(*command: str) -> tuple[int, str]:
    """Run a tool of this environment; its exit code and its words."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@cache
def compose() -> dict[str, Any]:
    """Read the compose file, merged as YAML merges."""
    read = yaml.safe_load(COMPOSE.read_text())
    assert isinstance(read, dict)
    return read


@cache
def objects() -> list[dict[str, Any]]:
    """Read every Kubernetes object."""
    return [
        one
        for path in MANIFESTS
        for one in yaml.safe_load_all(path.read_text())
        if one["kind"] != "Kustomization"
    ]


def named(kind: str) -> dict[str, dict[str, Any]]:
    """Find the objects of one kind by name."""
    return {one["metadata"]["name"]: one for one in objects() if one["kind"] == kind}


def test_yamllint() -> None:
    """Every YAML file of the deployment is in its form."""
    listed = [str(path) for path in (COMPOSE, *MANIFESTS, *BESIDE)]
    options = ["--strict", "-c", str(DEPLOY / ".yamllint.yaml")]
    assert said_by(str(TOOLS / "yamllint"), *options, *listed) == (0, "")


def test_hadolint() -> None:
    """The Dockerfile has nothing that hadolint warns of."""
    assert said_by(str(TOOLS / "hadolint"), str(DEPLOY / "Dockerfile")) == (0, "")


def test_compose_keeps_to_its_specification() -> None:
    """The compose file is valid by the compose specification's own schema."""
    # The schema is taken from that package's data; its own command asks for a newer click.
    package = find_spec("check_jsonschema")
    assert package is not None
    assert package.origin is not None
    vendor = Path(package.origin).parent / "builtin_schemas" / "vendor"
    schema = vendor / "compose-spec.json"
    jsonschema.validate(compose(), json.loads(schema.read_text()))


def test_docker_reads_it(tmp_path: Path) -> None:
    """Docker Compose, where it is, resolves the file; an image that is not named is refused."""
    images = {f"{name}_IMAGE": f"{name.lower()}@sha256:{'0' * 64}" for name in image_names()}
    if shutil.which("docker") is None or said_by("docker", "compose", "version")[0] != 0:
        # The same promise without Docker: every variable that has no default is one of ours.
        asked = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
        assert asked == {*images, "KAFKA_CLUSTER_ID"}
        return
    env = os.environ | images | {"KAFKA_CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw"}
    command = ["docker", "compose", "-f", str(COMPOSE), "--profile", "*", "config", "--quiet"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    without = {name: value for name, value in env.items() if name != "KAFKA_IMAGE"}
    refused = subprocess.run(command, env=without, capture_output=True, text=True, check=False)
    assert "apache/kafka by its digest" in refused.stderr


def image_names() -> list[str]:
    """List what the compose file has images of."""
    return ["KAFKA", "INFLUXDB", "GRAFANA", "ALERTMANAGER", "INOWATCH"]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_knows_every_field(path: Path) -> None:
    """Each object is valid, strictly: a misspelt field would be ignored by the cluster."""
    for one in yaml.safe_load_all(path.read_text()):
        if one["kind"] != "Kustomization":
            kubernetes_validate.validate(one, KUBERNETES_VERSION, strict=True)


def test_kustomize_finds_every_file() -> None:
    """What `kubectl apply -k` reads is all there is, and the image comes by its digest."""
    read = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    here = {path.name for path in MANIFESTS} - {"kustomization.yaml"}
    assert set(read["resources"]) == here
    (image,) = read["images"]
    assert image["name"] == "inowatch"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", image["digest"])


def test_every_name_in_compose_is_one() -> None:
    """Secrets, volumes, networks and services that are named are there, and none is for nothing."""
    read = compose()
    secrets, volumes, networks = set(), set(), set()
    for service in read["services"].values():
        secrets |= {
            one if isinstance(one, str) else one["source"] for one in service.get("secrets", [])
        }
        volumes |= {volume.partition(":")[0] for volume in service.get("volumes", [])}
        networks |= set(service["networks"])
        assert set(service.get("depends_on", [])) <= read["services"].keys()
    assert secrets == read["secrets"].keys()
    assert {volume for volume in volumes if not volume.startswith(".")} == read["volumes"].keys()
    assert networks == read["networks"].keys()


def test_every_service_has_what_a_service_needs() -> None:
    """In compose: an image by digest, bounds, no privileges, no root, a check of health."""
    for name, service in compose()["services"].items():
        assert DIGEST.fullmatch(service["image"]), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["cpus"], name
        assert int(service["user"].split(":")[0]) > 0, name
        assert "healthcheck" in service, name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


def test_compose_runs_every_role_once() -> None:
    """Each role is a service of its own with an instance of its own, and is asked how it fares."""
    services = compose()["services"]
    places = set()
    for name, role in WORKERS.items():
        service = services[name]
        settings = service["environment"]
        assert service["command"] == ["run", role]
        assert service["read_only"] is True
        assert settings["INOWATCH_KAFKA_USER"] == role
        assert settings["INOWATCH_KAFKA_SECURITY"] == "sasl_ssl"
        assert "deploy" not in service, "a service that is scaled has one instance for all"
        places.add((role, settings["INOWATCH_INSTANCE"]))
        whole = ["CMD", "inowatch", "status"]
        expected = [*whole, "--role", role] if role in WATCHABLE else whole
        assert service["healthcheck"]["test"] == expected
        # Of Kafka's passwords each has its own and no other.
        passwords = [one for one in service["secrets"] if isinstance(one, dict)]
        assert passwords == [{"source": f"kafka-{role}-password", "target": "kafka-password"}]
    assert len(places) == len(WORKERS)


def test_the_secrets_that_compose_names_are_made(tmp_path: Path) -> None:
    """The script makes every certificate, key and password that the set-up does not; once."""
    script = DEPLOY / "compose" / "make-secrets.sh"
    assert said_by("sh", str(script), str(tmp_path)) == (0, "")
    made = {path.name: path for path in tmp_path.iterdir()}
    wanted = {Path(one["file"]).name for one in compose()["secrets"].values()}
    by_set_up = {f"kafka-{role}-password" for role in ROLES}
    by_set_up |= {"influxdb-write-token", "influxdb-grafana-token"}
    assert wanted - made.keys() == by_set_up
    assert {path.stat().st_mode & 0o777 for path in made.values()} == {0o600}
    for name in ("kafka-1", "influxdb", "grafana", "alertmanager", "deploy"):
        ssl.create_default_context().load_cert_chain(made[f"{name}.crt"], made[f"{name}.key"])
    before = {name: path.read_bytes() for name, path in made.items()}
    assert said_by("sh", str(script), str(tmp_path)) == (0, "")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_kubernetes_runs_every_role() -> None:
    """Each role is a set with a stable name for each worker, checks, bounds and no privileges."""
    sets = named("StatefulSet")
    assert set(sets) == set(ROLES)
    for role, one in sets.items():
        spec = one["spec"]
        assert spec["serviceName"] in named("Service"), role
        assert spec["podManagementPolicy"] == "Parallel", role
        pod = spec["template"]["spec"]
        (container,) = pod["containers"]
        assert container["args"] == ["run", role]
        assert container["image"] == "inowatch"
        whole = ["inowatch", "status"]
        asked = container["readinessProbe"]["exec"]["command"]
        assert asked == ([*whole, "--role", role] if role in WATCHABLE else whole)
        assert container["readinessProbe"]["timeoutSeconds"] >= 30
        env = {each["name"]: each for each in container["env"]}
        source = env["INOWATCH_INSTANCE"]["valueFrom"]["fieldRef"]["fieldPath"]
        assert source == "metadata.name", "the same after a restart, and nobody else's"
        assert env["INOWATCH_KAFKA_USER"]["value"] == role
        for bounds in ("requests", "limits"):
            assert container["resources"][bounds].keys() >= {"cpu", "memory"}, role
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        claims = [claim["metadata"] for claim in one["spec"].get("volumeClaimTemplates", [])]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            volume["name"] for volume in [*pod["volumes"], *claims]
        }


def test_every_setting_is_one() -> None:
    """A setting that is misspelt here would do nothing: each is one that the product reads."""
    asked = set(named("ConfigMap")["inowatch"]["data"])
    for one in named("StatefulSet").values():
        (container,) = one["spec"]["template"]["spec"]["containers"]
        asked |= {each["name"] for each in container["env"]}
    for service in compose()["services"].values():
        asked |= {name for name in service.get("environment", {}) if name.startswith("INOWATCH")}
    sources = "".join(path.read_text() for path in (ROOT / "streams").rglob("*.py"))
    assert [name for name in sorted(asked) if f'"{name}"' not in sources] == []


def test_what_is_one() -> None:
    """The board needs every partition; journal and watchdog are one a site: none has a second."""
    sets = named("StatefulSet")
    assert [sets[one]["spec"]["replicas"] for one in ("board", "journal", "watchdog")] == [1, 1, 1]


def test_every_role_has_a_budget_and_a_network_policy() -> None:
    """No role may be drained away at once, and each reaches only what it needs."""
    budgets, policies = named("PodDisruptionBudget"), named("NetworkPolicy")
    for role, one in named("StatefulSet").items():
        labels = one["spec"]["template"]["metadata"]["labels"]
        for kind, selector in (
            ("budget", budgets[role]["spec"]["selector"]),
            ("policy", policies[role]["spec"]["podSelector"]),
        ):
            assert selector["matchLabels"].items() <= labels.items(), (role, kind)
            assert selector["matchLabels"]["app.kubernetes.io/component"] == role
    shut = policies["nothing-else"]["spec"]
    assert (shut["podSelector"], set(shut["policyTypes"])) == ({}, {"Ingress", "Egress"})
    assert "ingress" not in shut
    assert "egress" not in shut


def test_the_guide_makes_what_the_manifests_ask_for() -> None:
    """Every ConfigMap and Secret that a role mounts is among the objects or in docs/deploy.md."""
    guide = (ROOT / "docs" / "deploy.md").read_text()
    for role, one in named("StatefulSet").items():
        volumes = one["spec"]["template"]["spec"]["volumes"]
        asked = [f"configmap {v['configMap']['name']} " for v in volumes if "configMap" in v]
        asked += [f"secret generic {v['secret']['secretName']} " for v in volumes if "secret" in v]
        assert len(asked) > 1, role
        for each in asked:
            assert f"create {each}" in guide or f"create {each.replace(role, '$role')}" in guide


def test_secrets_are_mounted_as_the_product_takes_them() -> None:
    """Kubernetes' own default is refused: each secret is for the pod's group, and nobody beyond."""
    for role, one in named("StatefulSet").items():
        pod = one["spec"]["template"]["spec"]
        mounted = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
        assert {secret["defaultMode"] for secret in mounted} == {0o440}, role
        assert pod["securityContext"]["fsGroup"] == 1000, role


def test_no_secret_stands_in_a_file() -> None:
    """Secrets are named by where they lie: no object of kind Secret, no key, no text of chance."""
    assert named("Secret") == {}
    for path in (COMPOSE, *MANIFESTS, *(DEPLOY / "compose").glob("*.*")):
        text = path.read_text()
        assert "PRIVATE KEY" not in text
        assert not re.search(r"(?i)(password|token|secret|key)\S*\s*[:=]\s*['\"]?[\w+]{20,}", text)
