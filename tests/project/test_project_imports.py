"""Which way imports point, what the package depends on, and what stays unloaded."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

PACKAGE = "airflow_provider_mlconnector"
BIN = Path(sys.executable).parent

NEVER_IMPORTED = {
    "psycopg",  # SQLAlchemy loads its driver by the name in the URL
    "apache-airflow-providers-http",  # for the notifier of users' DAGs: our own calls do not go through it
}
"""Declared all the same."""
COME_ALONG = {
    "starlette",  # Airflow's API server is made of these two
    "uvicorn",
    "pydantic-core",  # one release of pydantic has one of these
}
"""Imported but not declared."""
FORMS_OF_AIRFLOW_3_1 = {"wtforms", "flask_appbuilder"}
"""Imported only by the connection forms of Airflow 3.1, only where they are installed."""


def test_imports_point_one_way(root: Path) -> None:
    result = subprocess.run([BIN / "lint-imports"], cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "4 kept, 0 broken" in result.stdout


def normal(name: str) -> str:
    """Spell a distribution's name the one canonical way."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(pyproject: dict[str, Any]) -> set[str]:
    project = pyproject["project"]
    requirements = list(chain(project["dependencies"], *project["optional-dependencies"].values()))
    return {normal(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in requirements}


def imported(root: Path) -> set[str]:
    """Give every module imported anywhere in the package or the DAGs, apart from Python's own and ours."""
    names: set[str] = set()
    for file in [*(root / PACKAGE).rglob("*.py"), *(root / "dags").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return {name for name in names if name.split(".")[0] not in {*sys.stdlib_module_names, PACKAGE}}


def distributions(module: str) -> set[str]:
    """Give the distributions a module may come from; Airflow's share one root package."""
    parts = module.split(".")
    if parts[:2] == ["airflow", "providers"]:
        known = {normal(name) for name in packages_distributions()["airflow"]}
        return known & {"apache-airflow-providers-" + "-".join(parts[2:end]) for end in (3, 4)}
    if parts[0] == "airflow":
        return {"apache-airflow"}
    return {normal(name) for name in packages_distributions().get(parts[0], ())}


def test_every_dependency_is_imported(root: Path, pyproject: dict[str, Any]) -> None:
    used = set().union(*(distributions(module) for module in imported(root)))
    assert declared(pyproject) - used - NEVER_IMPORTED == set()


def test_every_import_is_a_declared_dependency(root: Path, pyproject: dict[str, Any]) -> None:
    allowed = declared(pyproject) | COME_ALONG
    undeclared = {module: distributions(module) for module in imported(root) if not distributions(module) & allowed}
    assert {module for module in undeclared if module.split(".")[0] not in FORMS_OF_AIRFLOW_3_1} == set()


BARE_DAG = """
from datetime import datetime
from airflow.sdk import DAG, Param
from airflow.providers.common.compat.sdk import BaseOperator, BaseSensorOperator
params = {"a": Param(default=False, type="boolean")}
with DAG(dag_id="bare", schedule="@daily", start_date=datetime(2026, 1, 1), params=params):
    BaseOperator(task_id="one") >> BaseSensorOperator(task_id="two")
"""
PARSE = """
import json, runpy, sys
runpy.run_path(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""


def modules_loaded(file: Path) -> set[str]:
    """Give the modules that a fresh Python has loaded once it has parsed a DAG file."""
    result = subprocess.run([sys.executable, "-c", PARSE, file], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_parsing_a_dag_file_loads_only_the_operators(root: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.py"
    bare.write_text(BARE_DAG, encoding="utf-8")
    without_us = modules_loaded(bare)
    assert "airflow.sdk" in without_us
    for file in sorted((root / "dags").glob("*.py")):
        ours = modules_loaded(file) - without_us
        assert {f"{PACKAGE}.operators.{name}" for name in ("documents", "replay")} & ours, file.name
        foreign = {name.split(".")[0] for name in ours}
        assert foreign.isdisjoint(
            {"lxml", "alembic", "requests", "sqlalchemy", "psycopg", "starlette", "fastapi", "rich"}
        )
        heavy = ("cli", "demo", "documents", "hooks", "mapping", "plugin", "sandbox", "store", "sync", "systems")
        loaded = {name for name in ours if name.startswith(tuple(f"{PACKAGE}.{part}" for part in heavy))}
        assert loaded <= {f"{PACKAGE}.sync", f"{PACKAGE}.sync.route"}, file.name


def test_starting_the_command_line_loads_neither_airflow_nor_the_sandbox() -> None:
    heavy = ["airflow", "starlette", "lxml", f"{PACKAGE}.sandbox"]
    code = f"import sys, {PACKAGE}.cli; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_sandbox_is_imported_inside_functions_only(root: Path) -> None:
    def at_the_top(file: Path) -> list[str]:
        body = ast.parse(file.read_text(encoding="utf-8")).body
        return [name for node in body if f"{PACKAGE}.sandbox" in (name := ast.unparse(node)) and "import" in name[:7]]

    files = [file for file in (root / PACKAGE).rglob("*.py") if "sandbox" not in file.relative_to(root).parts]
    assert [(str(file), names) for file in files if (names := at_the_top(file))] == []
