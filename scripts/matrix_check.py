"""Tries the installed provider on the Airflow it is installed beside; ``matrix.py`` starts it in each environment.

Checks that the provider info fits this Airflow's schema, that every module imports, that Airflow lists the provider and
its connection types, that `mlconnector dags copy` gives a DAG file that parses, and that this DAG runs green against
the sandbox, twice, the second run posting nothing. Says what holds, line by line, and stops at the first that does not.
"""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import airflow
import jsonschema

import airflow_provider_mlconnector
from airflow_provider_mlconnector.get_provider_info import get_provider_info

PACKAGE = airflow_provider_mlconnector.__name__
DISTRIBUTION = "airflow-provider-mlconnector"
DAG_ID = "jaggaer_to_syspro_invoices"
INVOICES = 20
BIN = Path(sys.executable).parent
NOT_MODULES = ("migrations",)
"""Packages whose files alembic runs, not Python's import."""
NEWER = {f"{PACKAGE}.operators.retry": (3, 3)}
"""Modules made of what an older Airflow has not, with the first one that has; nothing else may need them."""


def main() -> None:
    """Run every check in the AIRFLOW_HOME of the environment."""
    provider_info_fits_the_schema()
    every_module_imports()
    airflow_lists_the_provider()
    dags = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    the_dags_are_copied(dags)
    the_dags_parse(dags)
    with sandbox() as url:
        the_dag_runs_green(url)


def provider_info_fits_the_schema() -> None:
    """Validate `get_provider_info()` against the schema this Airflow ships."""
    schema = next(Path(folder, "provider_info.schema.json") for folder in airflow.__path__)
    jsonschema.validate(get_provider_info(), json.loads(schema.read_text()))
    done(f"provider info fits the schema of Airflow {airflow.__version__}")


def every_module_imports() -> None:
    """Import every module of the package, from the installed wheel."""
    origin = str(airflow_provider_mlconnector.__file__)
    assert origin.startswith(sys.prefix), f"imported from {origin}, not from the wheel"
    version = tuple(int(part) for part in airflow.__version__.split(".")[:2])
    names = [
        module.name
        for module in pkgutil.walk_packages(airflow_provider_mlconnector.__path__, f"{PACKAGE}.")
        if not set(module.name.split(".")) & set(NOT_MODULES) and NEWER.get(module.name, (3, 0)) <= version
    ]
    for name in names:
        import_module(name)
    done(f"{len(names)} modules import")


def airflow_lists_the_provider() -> None:
    """Look the provider and its connection types up as Airflow's connection form does."""
    manager = import_module("airflow.providers_manager").ProvidersManager()
    assert DISTRIBUTION in manager.providers, f"Airflow does not list {DISTRIBUTION}"
    for conn_type in ("mlconnector_jaggaer", "mlconnector_syspro"):
        hook = manager.hooks.get(conn_type)
        assert hook is not None, f"connection type {conn_type} is missing or its hook does not import"
        assert hook.hook_class_name.startswith(PACKAGE), hook
    done("Airflow lists the provider and its connection types")


def the_dags_are_copied(dags: Path) -> None:
    """Copy the example DAGs out of the wheel, mapping files included."""
    run("mlconnector", "dags", "copy", str(dags))
    copied = sorted(str(file.relative_to(dags)) for file in dags.rglob("*.*"))
    assert any(name.endswith(".py") for name in copied), copied
    assert any(name.endswith(".yaml") for name in copied), copied
    done(f"mlconnector dags copy: {', '.join(copied)}")


def the_dags_parse(dags: Path) -> None:
    """Load the copied files as the DAG processor does."""
    try:
        module = import_module("airflow.dag_processing.dagbag")
    except ImportError:  # Airflow 3.1
        module = import_module("airflow.models.dagbag")
    bag = module.DagBag(str(dags))
    assert not bag.import_errors, bag.import_errors
    assert DAG_ID in bag.dags, f"{DAG_ID} is not among {sorted(bag.dags)}"
    done(f"{len(bag.dags)} DAG(s) parse")


@contextmanager
def sandbox() -> Iterator[str]:
    """Run the sandbox with well-formed invoices only, on a free port; gives its URL."""
    command = [str(BIN / "mlconnector"), "sandbox", "--port", "0", "--seed", "1", "--invoices", str(INVOICES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()  # "sandbox ready on http://..."
            assert " on http://" in line, f"the sandbox did not start: {line!r}"
            url = line.rsplit(maxsplit=1)[-1]
            call(url, "reset", {"invoices": INVOICES, "jaggaer": {"mix": "good"}})
            yield url
        finally:
            process.terminate()


def the_dag_runs_green(url: str) -> None:
    """Run the copied DAG twice: every invoice is posted by the first run, none by the second."""
    for system, connection in call(url, "credentials").items():
        connection.update(conn_type=f"mlconnector_{system}", extra={**connection["extra"], "allow_http": True})
        os.environ[f"AIRFLOW_CONN_{system.upper()}_DEFAULT"] = json.dumps(connection)
    run("airflow", "db", "migrate")
    run("mlconnector", "store", "upgrade")
    run("airflow", "dags", "test", DAG_ID)
    first = call(url, "ledger")["syspro"]
    run("airflow", "dags", "test", DAG_ID)
    second = call(url, "ledger")["syspro"]
    assert first["write_attempts"], "the first run wrote nothing"
    assert second["write_attempts"] == first["write_attempts"], "the second run wrote again"
    done(f"the DAG ran green twice; {len(first['write_attempts'])} write(s), all by the first run")


def call(url: str, command: str, body: object = None) -> dict[str, Any]:
    """Ask the sandbox's control API."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"{url}/_sandbox/{command}", data, timeout=30) as answer:
        result: dict[str, Any] = json.load(answer)
    return result


def run(*command: str) -> None:
    """Run a command of this environment; shows its time, and its output only if it fails."""
    started = time.monotonic()
    result = subprocess.run([str(BIN / command[0]), *command[1:]], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(result.stdout[-20_000:], result.stderr[-20_000:], sep="\n")
        sys.exit(f"FAILED: {' '.join(command)} (exit code {result.returncode})")
    print(f"    {' '.join(command)} ({time.monotonic() - started:.0f} s)", flush=True)


def done(text: str) -> None:
    """Say what holds."""
    print(f"ok: {text}", flush=True)


if __name__ == "__main__":
    main()
