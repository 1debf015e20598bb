"""What every dialect must bring, and that docs/dialects.md speaks of what is there."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.hooks.cloudsuite import DIALECTS
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Dialect
from airflow_provider_mlconnector.systems.cloudsuite.options import CloudSuiteOptions
from airflow_provider_mlconnector.systems.ports import DocumentSource, DocumentTarget, LedgerFigures

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "airflow_provider_mlconnector"
PAGE = (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")
KINDS = {"purchase_order", "supplier", "invoice", "ledger_account", "cost_center"}
PORTS = {"sources": DocumentSource, "targets": DocumentTarget, "ledger": LedgerFigures}


def dialect(name: str) -> Dialect:
    found = import_module(DIALECTS[name]).DIALECT
    assert isinstance(found, Dialect)
    return found


def places(name: str) -> Iterator[tuple[str, Any]]:
    """Yield the role of each place of a dialect, and what is there."""
    its = dialect(name)
    folder = DIALECTS[name].rpartition(".")[0]
    named = [("sources", place) for place in its.sources.values()] + [
        ("targets", place) for place in its.targets.values()
    ]
    named += [("probe", its.probe), *([("ledger", its.ledger)] if its.ledger else [])]
    for role, (module, what) in named:
        yield role, getattr(import_module(f"{folder}.{module}"), what)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_place_holds_what_its_port_asks_for(name: str) -> None:
    for role, found in places(name):
        if role == "probe":
            assert list(inspect.signature(found).parameters) == ["gateway", "options", "needed"]
            continue
        assert list(inspect.signature(found).parameters) == ["name", "gateway", "options"], found
        wanted = {member for member in vars(PORTS[role]) if not member.startswith("_")}
        built = found("conn", None, dialect(name).options())
        assert wanted <= set(dir(built)), (found, wanted - set(dir(built)))


@pytest.mark.parametrize("name", DIALECTS)
def test_each_kind_of_document_is_carried_or_refused_with_a_reason(name: str) -> None:
    its = dialect(name)
    assert its.name == name
    assert issubclass(its.options, CloudSuiteOptions)
    carried = {*its.sources, *its.targets}
    refused = its.refused or {}
    assert carried | refused.keys() == KINDS
    assert all(len(reason.split()) > 5 for reason in refused.values())
    # what is refused is refused in one direction at least
    assert not refused.keys() & its.sources.keys() & its.targets.keys()


@pytest.mark.parametrize("name", DIALECTS)
def test_no_dialect_knows_another(name: str) -> None:
    folder = PACKAGE / "systems" / "cloudsuite" / name
    others = tuple(f"airflow_provider_mlconnector.systems.cloudsuite.{other}" for other in DIALECTS if other != name)
    for file in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [one for one in imported if one.startswith(others)], (file.name, imported)


@pytest.mark.parametrize("name", DIALECTS)
def test_looking_at_a_dialect_loads_nothing_of_it_but_its_options(name: str) -> None:
    module = DIALECTS[name]
    folder = module.rpartition(".")[0]
    code = f"import sys, {module}; print(*sorted(m for m in sys.modules if m.startswith('{folder}.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == [f"{folder}.dialect", f"{folder}.options"]


def test_nothing_outside_names_a_dialect_but_the_hook() -> None:
    for part in ("sync", "store", "operators", "mapping", "documents", "systems/jaggaer", "systems/ports"):
        for file in sorted((PACKAGE / part).rglob("*.py")):
            assert not re.search(r"cloudsuite\.(csi|m3|ln|fsm)\b", file.read_text(encoding="utf-8")), file


# the page


def test_every_test_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) > 20
    for path, test in named:
        body = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        functions = {node.name for node in ast.walk(body) if isinstance(node, ast.FunctionDef)}
        assert not test or test in functions, f"{path}::{test}"


def test_the_page_names_every_file_of_the_worked_example_and_no_other() -> None:
    section = PAGE.split("## What M3 brings")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+\.py)`", section))
    there = {file.name for file in (PACKAGE / "systems" / "cloudsuite" / "m3").glob("*.py")}
    assert named == there - {"__init__.py", "base.py"}


def test_every_shared_file_the_page_names_exists() -> None:
    section = PAGE.split("## What is there already")[1].split("\n## ")[0]
    named = re.findall(r"`((?:hooks|systems)/[\w/.]+)`", section)
    assert len(named) >= 8
    assert [path for path in named if not (PACKAGE / path).exists()] == []


def test_the_page_says_of_each_product_what_it_carries() -> None:
    words = {
        "purchase_order": "orders",
        "supplier": "suppliers",
        "invoice": "invoices",
        "ledger_account": "accounts",
        "cost_center": "cost centers",
    }
    section = PAGE.split("## The dialects")[1].split("\n### ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` [^|]*\|([^\n]*)\|$", section, flags=re.MULTILINE))
    assert rows.keys() == DIALECTS.keys()
    for name, row in rows.items():
        reads, writes = (cell.strip() for cell in row.split("|")[:2])
        its = dialect(name)
        assert reads == ", ".join(words[kind] for kind in words if kind in its.sources and kind != "invoice") + (
            ", invoices" if "invoice" in its.sources else ""
        )
        assert writes == (
            ", ".join(words[kind] for kind in ("invoice", "supplier") if kind in its.targets) or "nothing"
        )


def test_every_option_of_m3_the_page_names_exists() -> None:
    section = PAGE.split("### M3 in detail")[1]
    options = dialect("m3").options.model_fields
    named = set(re.findall(r"`([a-z_]+)(?:: \w+)?`", section))
    assert len(named) >= 8
    assert named <= options.keys()
