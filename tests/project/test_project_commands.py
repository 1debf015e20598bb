"""The commands of the Makefile, of CI and of a commit hold together."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import yaml

BIN = Path(sys.executable).parent
COMMANDS = {
    *(
        "audit-speed",
        "chaos",
        "chaos-airflow",
        "chaos-kill",
        "clean",
        "demo",
        "format",
        "help",
        "lint",
        "limits",
        "month",
        "postgres",
        "requirements",
        "setup",
        "soak",
        "test",
        "test-matrix",
        "ui",
    ),
}
PARTS = ("unit", "postgres", "dags", "chaos", "scheduler", "project")


def make(root: Path, *arguments: str) -> str:
    # make run by make announces the directories it enters, which is no part of a plan
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_command_with_a_line_of_help(root: Path) -> None:
    listed = dict(re.findall(r"^make ([a-z-]+) +(\S.*)$", make(root), flags=re.MULTILINE))
    assert set(listed) == COMMANDS
    assert make(root) == make(root, "help")


@pytest.mark.parametrize(("target", "command"), [("demo", "mlconnector demo"), ("ui", "mlconnector demo --ui")])
def test_a_command_makes_the_environment_before_it_uses_it(target: str, command: str, root: Path) -> None:
    plan = make(root, "--dry-run", "--always-make", target)
    assert plan.index("scripts/make_venv.sh .venv requirements/dev.txt") < plan.index(command)


def test_make_test_runs_every_part_and_ci_runs_make_test(root: Path) -> None:
    plan = make(root, "--dry-run", "test")
    assert plan.splitlines()[-1].endswith("scripts/run_tests.py")
    assert "scripts/postgres.sh" in plan
    assert (root / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("\nmake test")


def test_every_test_belongs_to_exactly_one_part(root: Path) -> None:
    code = "import json, run_tests; print(json.dumps(run_tests.TESTS))"
    parts = json.loads(subprocess.check_output([sys.executable, "-c", code], cwd=root / "scripts", text=True))
    assert tuple(parts) == PARTS
    by_folder = {part for part, arguments in parts.items() if arguments[0] == f"tests/{part}"}
    for part in set(parts) - by_folder:
        assert {f"tests/{folder}" for folder in by_folder} == {
            argument.removeprefix("--ignore=") for argument in parts[part] if argument.startswith("--ignore=")
        }
    expressions = [arguments[arguments.index("-m") + 1] for arguments in parts.values() if "-m" in arguments]
    for airflow, postgres in product((True, False), repeat=2):
        holding = [text for text in expressions if eval(text, {"airflow": airflow, "postgres": postgres})]  # noqa: S307 - our own text
        assert len(holding) == 1, (airflow, postgres, holding)


def test_a_part_without_tests_fails(root: Path, tmp_path: Path) -> None:
    code = f"import run_tests; run_tests.TESTS['empty'] = (r'{tmp_path}',); print(run_tests.tests('empty').failed)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root / "scripts", capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "1"


def test_an_unknown_part_is_named(root: Path) -> None:
    command = [sys.executable, "scripts/run_tests.py", "unit", "nothing"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "no such part: nothing" in result.stderr


def test_hooks_of_a_commit_are_local_and_well_formed(root: Path) -> None:
    file = root / ".pre-commit-config.yaml"
    subprocess.run([BIN / "pre-commit", "validate-config", file], check=True)
    repositories = yaml.safe_load(file.read_text(encoding="utf-8"))["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    programs = [hook["entry"].split()[0] for hook in repositories[0]["hooks"]]
    assert programs == [".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/lint-imports"]
    assert {hook["language"] for hook in repositories[0]["hooks"]} == {"system"}


@pytest.mark.parametrize("file", ["dev.txt", "airflow-3.1.txt", "airflow-3.2.txt", "airflow-3.3.txt"])
def test_compiled_requirements_pin_everything_and_name_no_index(file: str, root: Path) -> None:
    lines = (root / "requirements" / file).read_text(encoding="utf-8").splitlines()
    assert len(lines) > 100
    assert [line for line in lines if not re.fullmatch(r"[\w.\[\]-]+==[\w.]+( ; .+)?", line)] == []
