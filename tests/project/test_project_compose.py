"""docker-compose.yaml fits the compose schema, asks for every secret, and points at files that exist.

No container engine is at hand where this runs: nothing is started.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from airflow_provider_mlconnector.demo.cloud import DAG_FILE
from airflow_provider_mlconnector.demo.cloud_site import CloudSite
from airflow_provider_mlconnector.demo.simulated import Site
from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.store import KeyRing

BIN = Path(sys.executable).parent
SECRET = re.compile(r"PASSWORD|SECRET|KEY|CONN(?:_|$)", re.IGNORECASE)
ASKED_FOR = re.compile(r"\$\{(\w+):\?[^}]+\}")
SANDBOXES = {"sandbox", "sandbox-cloudsuite"}
SERVERS = {"postgres", *SANDBOXES, "api-server", "scheduler", "dag-processor", "triggerer"}


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docker-compose.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose(text: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def validate(file: Path) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_fits_the_compose_schema(root: Path) -> None:
    result = validate(root / "docker-compose.yaml")
    assert result.returncode == 0, result.stdout


def test_the_schema_finds_a_mistake(text: str, tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yaml"
    broken.write_text(text.replace("condition: service_healthy", "conditoin: service_healthy"), encoding="utf-8")
    assert validate(broken).returncode == 1


def test_every_server_has_a_health_check_and_init_runs_once_before_airflow(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {name for name, service in services.items() if "healthcheck" in service} == SERVERS
    assert set(services) == SERVERS | {"init"}
    assert services["init"]["restart"] == "no"
    for name in SERVERS - {"postgres", *SANDBOXES}:
        assert services[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    healthy = {"condition": "service_healthy"}
    assert services["init"]["depends_on"] == dict.fromkeys({"postgres", *SANDBOXES}, healthy)


def test_secrets_come_from_outside_and_a_missing_one_is_named(compose: dict[str, Any]) -> None:
    secrets = {
        name: value
        for service in compose["services"].values()
        for name, value in service.get("environment", {}).items()
        if SECRET.search(name)
    }
    assert len(secrets) >= 9
    assert [name for name, value in secrets.items() if not ASKED_FOR.search(value)] == []


def made_env(root: Path) -> dict[str, str]:
    lines = subprocess.check_output([sys.executable, "docker/make_env.py"], cwd=root, text=True).splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_the_made_env_answers_everything_asked_for_with_new_values_each_time(text: str, root: Path) -> None:
    first, second = made_env(root), made_env(root)
    assert set(first) == set(ASKED_FOR.findall(text))
    assert {name for name in first if first[name] == second[name]} == {"MLCONNECTOR_CUT_OVER"}


def test_the_made_keys_open_a_key_ring(root: Path) -> None:
    env = made_env(root)
    ring = KeyRing.parse(env["MLCONNECTOR_ENCRYPTION_KEYS"], env["MLCONNECTOR_AUDIT_KEY"])
    blob, key_id = ring.encrypt(b"payload", aad="document")
    assert ring.decrypt(blob, key_id, aad="document") == b"payload"


def test_files_it_mounts_and_builds_from_exist(compose: dict[str, Any], root: Path) -> None:
    mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", [])]
    local = {mount.split(":")[0] for mount in mounts if mount.startswith("./")}
    assert local == {"./docker/second_database.sh"}
    assert [path for path in local if not (root / path).exists()] == []
    assert (root / compose["services"]["init"]["build"]["dockerfile"]).exists()
    assert (root / "docker" / "init.sh").exists()
    for script in sorted((root / "docker").glob("*.sh")):
        subprocess.run(["bash", "-n", script], check=True)


def test_the_image_is_the_airflow_that_is_tested(root: Path) -> None:
    image = re.search(
        r"^FROM apache/airflow:([\d.]+)-python3\.11$", (root / "docker/Dockerfile").read_text("utf-8"), re.MULTILINE
    )
    assert image
    assert f"apache-airflow=={image[1]}" in (root / "requirements/dev.txt").read_text("utf-8").splitlines()


def test_the_sites_are_set_up_as_the_demo_sets_them_up(root: Path, tmp_path: Path) -> None:
    (tmp_path / DAG_FILE.name).write_bytes((root / "dags" / DAG_FILE.name).read_bytes())
    command = [sys.executable, str(root / "docker" / "simulated_sites.py"), str(tmp_path)]
    with serving(invoices=3) as sandbox:
        env = {**os.environ, "SANDBOX_URL": sandbox.url, "CLOUDSUITE_SANDBOX_URL": sandbox.url}
        first, again = (json.loads(subprocess.check_output(command, env=env, text=True)) for _ in range(2))
        assert first == again == {**Site(sandbox.url).connections(), **CloudSite(sandbox.url).connections()}
    named = (tmp_path / DAG_FILE.name).read_text(encoding="utf-8")
    assert 'JAGGAER, CLOUDSUITE = "jaggaer_cloudsuite", "cloudsuite_default"' in named
    assert {"jaggaer_cloudsuite", "cloudsuite_default", "jaggaer_default", "syspro_default"} == set(first)


def test_every_address_and_file_init_needs_is_given_to_it(compose: dict[str, Any], root: Path) -> None:
    given = compose["services"]["init"]["environment"]
    assert {given[name] for name in ("SANDBOX_URL", "CLOUDSUITE_SANDBOX_URL")} == {
        f"http://{name}:8100" for name in SANDBOXES
    }
    asked = set(re.findall(r'"\$([A-Z_]+)"', (root / "docker" / "init.sh").read_text(encoding="utf-8")))
    assert asked
    assert asked - given.keys() == set()
    # DAGs, their logs and the audit trail's anchor lie where every part of Airflow sees them
    volumes = {mount.split(":")[1] for mount in compose["services"]["scheduler"]["volumes"]}
    for name in ("AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__MLCONNECTOR__ANCHOR_FILE"):
        assert any(f"{given[name]}/".startswith(f"{volume}/") for volume in volumes), name


def sandbox_commands(compose: dict[str, Any]) -> list[list[str]]:
    sandboxes = [compose["services"][name] for name in sorted(SANDBOXES)]
    return [[*service["entrypoint"], *service["command"]][1:] for service in sandboxes]


def init_commands(root: Path) -> list[list[str]]:
    text = (root / "docker" / "init.sh").read_text(encoding="utf-8")
    return [line.split()[1:] for line in text.splitlines() if line.startswith("mlconnector ")]


def test_commands_of_the_containers_exist(compose: dict[str, Any], root: Path) -> None:
    commands = [*sandbox_commands(compose), *init_commands(root)]
    assert {words[0] for words in commands} == {"sandbox", "store", "dags"}
    for words in commands:
        names = [word for word in words[:2] if word.isalpha()]
        code = "from airflow_provider_mlconnector.cli import app; app()"
        shown = subprocess.check_output([sys.executable, "-c", code, *names, "--help"], text=True)
        assert [word for word in words if word.startswith("--") and word not in shown] == []
