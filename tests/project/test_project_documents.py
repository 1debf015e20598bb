"""What the README and docs/ name exists: tests, files, commands, DAGs, options, reasons; done is what a test shows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from airflow_provider_mlconnector.cli import app
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions

PACKAGE = "airflow_provider_mlconnector"
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "docs/quickstart.md",
    "docs/flows.md",
    "docs/coverage.md",
    "docs/delivery.md",
    "docs/dialects.md",
    "docs/faults.md",
    "benchmarks/README.md",
)
COVERAGE = "docs/coverage.md"
NAMED = re.compile(r"`((?:tests/)?[\w./-]*test_\w+\.py)(?:::(\w+))?`|`(tests/[\w./-]+)`")
HOLE = re.compile(r"\\\{\w+\\\}")
"""A name in braces, as `re.escape` leaves it."""


def text_of(page: str, root: Path) -> str:
    return (root / page).read_text(encoding="utf-8")


def functions(file: Path) -> set[str]:
    body = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(body) if isinstance(node, ast.FunctionDef)}


def missing_tests(text: str, root: Path) -> list[str]:
    """Return what a text names of the tests that is not there: files, functions, folders without any test."""
    missing = []
    for path, name, folder in NAMED.findall(text):
        place = root / (path or folder)
        if folder and not path:
            found = place.is_file() or any(place.rglob("test_*.py"))
        else:
            found = place.is_file() and (not name or name in functions(place))
        if not found:
            missing.append(f"{path}::{name}" if name else path or folder)
    return missing


def tables(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield each table of a page: its header and its rows, cells stripped."""
    for block in re.findall(r"(?:^\|.*\|$\n?)+", text, flags=re.MULTILINE):
        header, line, *rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in block.splitlines()]
        assert set("".join(line)) <= set("-| "), block
        yield header, rows


def first_words(text: str, column: str) -> list[str]:
    """Return the code words in the first column of every table whose header starts with ``column``."""
    cells = [row[0] for header, rows in tables(text) if header[0].strip(" |") == column for row in rows]
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("page", PAGES)
def test_every_test_a_page_names_exists(page: str, root: Path) -> None:
    assert missing_tests(text_of(page, root), root) == []


def test_a_test_that_does_not_exist_is_found(root: Path) -> None:
    here = "tests/project/test_project_documents.py"
    assert missing_tests(f"`{here}`, `{here}::test_every_test_a_page_names_exists`, `tests/project/`", root) == []
    wrong = f"`{here}::test_nothing`, `tests/project/test_nothing.py`, `tests/nothing/`"
    assert len(missing_tests(wrong, root)) == 3


@pytest.mark.parametrize("page", PAGES)
def test_every_file_a_page_links_to_exists(page: str, root: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", text_of(page, root))
    assert [link for link in links if not (root / page).parent.joinpath(link).is_file()] == []


def test_every_heading_a_page_links_to_exists(root: Path) -> None:
    wrong = []
    for page in PAGES:
        for link, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", text_of(page, root)):
            target = (root / page).parent / link if link else root / page
            heads = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            if anchor not in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}:
                wrong.append(f"{page}: {link}#{anchor}")
    assert wrong == []


def test_what_is_called_done_names_a_test_and_what_is_not_names_none(root: Path) -> None:
    shown = {"done": 0, "in part": 0, "not done": 0}
    for header, rows in tables(text_of(COVERAGE, root)):
        for row in rows:
            assert len(row) == len(header), row
            if "state" not in header:
                assert NAMED.search(row[-1]) or row[-1].startswith("`make "), row
                continue
            state, _, rest = row[header.index("state")].partition("; missing: ")
            assert state in shown, row
            shown[state] += 1
            assert bool(NAMED.search(row[-1])) is (state != "not done"), row
            assert bool(rest) is (state == "in part"), row
    assert shown["done"] > 40, "most of the pair"


def dag_ids(root: Path) -> set[str]:
    found: set[str] = set()
    for file in sorted((root / "dags").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        schedules = re.search(r"^SCHEDULES[^=]*= \{\n(.*?)^\}", text, flags=re.MULTILINE | re.DOTALL)
        assert schedules is not None, file.name
        found |= set(re.findall(r'^    "(\w+)":', schedules.group(1), flags=re.MULTILINE))
    return found


def test_the_readme_tells_of_every_example_dag_and_of_no_other(root: Path) -> None:
    assert set(first_words(text_of("README.md", root), "DAG")) == dag_ids(root)


def test_the_readme_tells_of_every_command_and_of_no_other(root: Path) -> None:
    told = first_words(text_of("README.md", root), "command")
    verbs = {each for words in told for each in words.removeprefix("mlconnector ").split()[0].split("\\|")}
    assert verbs == set(get_command(app).commands) - {"demo"}  # type: ignore[attr-defined]
    mentioned = {name for page in PAGES for name in re.findall(r"`mlconnector ([a-z]+)", text_of(page, root))}
    assert mentioned <= set(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_a_page_names_is_in_the_makefile(page: str, root: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", text_of("Makefile", root), flags=re.MULTILINE))
    targets |= set(re.findall(r"\b(test-[a-z]+)\b", text_of("Makefile", root)))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text_of(page, root), flags=re.MULTILINE))
    assert named - targets == set()


@pytest.mark.parametrize("page", ["README.md", "docs/flows.md"])
def test_every_option_a_page_names_exists(page: str, root: Path) -> None:
    models = (Route, SysproOptions, CsiOptions, JaggaerOptions, JaggaerContract)
    known = {name for model in models for name in model.model_fields}
    named = {word.split(".")[0].split(":")[0] for word in first_words(text_of(page, root), "option")}
    assert len(named) > 5
    assert named - known == set()


def reason_codes(root: Path) -> list[re.Pattern[str]]:
    """Return what reason codes the package can give: its texts that look like one, with holes for what is filled in."""
    sources = [
        file.read_text(encoding="utf-8") for file in (root / PACKAGE).rglob("*.py") if "sandbox" not in str(file)
    ]
    texts = {found for text in sources for found in re.findall(r'"([a-z]+(?:_[a-z_]*)?(?:\{\w+\}[a-z_]*)?)"', text)}
    texts |= {found for text in sources for found in re.findall(r'"(\{\w+\}_[a-z_]+)"', text)}
    # codes made of nothing but parts stand whole in what the docstring says is raised
    raised = [line for text in sources for line in text.splitlines() if re.match(r"\s+(Parked|Rejected): ", line)]
    texts |= {found for line in raised for found in re.findall(r"``([a-z_]+)``", line)}
    return [re.compile(HOLE.sub("[a-z_]+", re.escape(text))) for text in texts]


def test_every_reason_a_page_names_can_be_given(root: Path) -> None:
    codes, named = reason_codes(root), first_words(text_of("docs/flows.md", root), "reason")
    assert len(named) > 40
    assert [word for word in named if not any(code.fullmatch(word) for code in codes)] == []
    assert not any(code.fullmatch("no_such_reason") for code in codes)
