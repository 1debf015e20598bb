"""The wheel, installed into a clean Airflow: connections, operators, and a copied DAG that runs green."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HOLDS = (
    "provider info fits the schema of Airflow 3.3",
    "modules import",
    "Airflow lists the provider and its connection types",
    "mlconnector_maintenance.py, syspro_jaggaer.py",
    "15 DAG(s) parse",
    "the DAG ran green twice; 20 write(s), all by the first run",
)


@pytest.mark.timeout(900)
def test_a_wheel_in_a_clean_airflow_gives_connections_operators_and_a_dag_that_runs_green(root: Path) -> None:
    command = [sys.executable, "scripts/matrix.py", "3.3"]
    result = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert result.returncode == 0, result.stdout
    said = [line.removeprefix("ok: ") for line in result.stdout.splitlines() if line.startswith("ok: ")]
    assert [expected for expected in HOLDS if not any(expected in line for line in said)] == [], result.stdout


def test_an_airflow_without_pins_is_refused(root: Path) -> None:
    command = [sys.executable, "scripts/matrix.py", "2.11"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "no pins for Airflow 2.11 (there are 3.1, 3.2, 3.3)" in result.stdout


def test_the_wheel_holds_the_package_its_types_migrations_and_examples_and_nothing_else(
    root: Path, tmp_path: Path
) -> None:
    command = [str(Path(sys.executable).parent / "hatchling"), "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    package = "airflow_provider_mlconnector"
    assert {
        f"{package}/py.typed",
        f"{package}/example_dags/syspro_jaggaer.py",
        f"{package}/example_dags/mlconnector_maintenance.py",
        f"{package}/example_dags/mappings/jaggaer_to_syspro.yaml",
        f"{package}/store/migrations/env.py",
    } <= names
    assert {name.split("/")[0] for name in names} == {package, f"{package}-0.1.0.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert [name for name in names if name.endswith((".pyc", ".db", ".log"))] == []
