"""The pipeline serves every pair of systems, so what it tells people names none of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pipeline import Pipeline
from support.remote import invoice

from airflow_provider_mlconnector import mapping, sync

SYSTEMS = re.compile(r"SYSPRO|JAGGAER|CloudSuite|Infor\b")
"""As people write them; lower case they are parts of names."""
MODULES = sorted(file for package in (sync, mapping) for file in Path(package.__path__[0]).glob("*.py"))


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield what a module may say; docstrings are for its readers."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def test_texts_are_told_from_docstrings() -> None:
    module = ast.parse(
        '"""Of SYSPRO."""\nX = 1\n"""Of SYSPRO too."""\ndef f():\n    """It."""\n    return f"in {X} SYSPRO"'
    )
    assert [text for text in texts(module) if SYSTEMS.search(text)] == [" SYSPRO"]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_message_of_the_pipeline_names_a_system(file: Path) -> None:
    assert [text for text in texts(ast.parse(file.read_text(encoding="utf-8"))) if SYSTEMS.search(text)] == []


def test_a_credit_memo_that_names_no_original_says_what_to_do(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("C1", kind="credit_memo"))
    pipeline.all()
    found = pipeline.documents()["C1"]
    assert (found.state, found.reason_code) == ("parked", "original_unknown")
    assert found.reason == (
        f"credit memo {found.number} names no original invoice, and the target credits one invoice by another;"
        " name it in the source, or book the memo by hand"
    )
