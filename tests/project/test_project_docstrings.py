"""Every public name explains itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Give public classes and functions of a module, and public methods of public classes."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{prefix}{node.name}.")


def explained_elsewhere(node: Definition) -> bool:
    """Whether the decorators say that another definition carries the docstring."""
    names = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return bool(names & {"overload", "override", "setter"})


def undocumented(source: str) -> list[str]:
    tree = ast.parse(source)
    missing = [] if ast.get_docstring(tree) else ["module"]
    return missing + [
        name for name, node in public(tree.body) if not ast.get_docstring(node) and not explained_elsewhere(node)
    ]


@pytest.mark.parametrize("folder", ["airflow_provider_mlconnector", "dags", "scripts", "docker"])
def test_every_public_name_has_a_docstring(folder: str, root: Path) -> None:
    files = sorted((root / folder).rglob("*.py"))
    assert files
    found = {str(file.relative_to(root)): undocumented(file.read_text(encoding="utf-8")) for file in files}
    assert {file: names for file, names in found.items() if names} == {}


def test_a_missing_docstring_is_found() -> None:
    source = '"""M."""\nclass A:\n    """A."""\n    def b(self): ...\ndef _c(): ...\ndef d(): ...\n'
    assert undocumented(source) == ["A.b", "d"]
