"""No tracked file names a registry, a machine or a secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FORBIDDEN = {
    # written so that this file does not match itself
    "a package registry's host": r"\b(?:pypi|pythonhosted|npmjs|debian)\.(?:org|com)\b",
    "a container registry's host": r"\b(?:docker|ghcr|quay|gcr)\.io\b",
    "a path of one machine": r"(?<![\w.:/}\])])/(?:work|root|Users|home/(?!airflow\b)\w+)/[\w.]",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]",
    "a token of a hosted service": r"\b(?:ghp_|github_pat_|glpat-|xox[abp]-|AKIA)[A-Za-z0-9_-]{16,}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
}
URL_WITH_PASSWORD = r"\w+://[\w.-]+:(?!\$|\{|\*\*\*)[^@\s:/\"'<>]{4,}@"


def places(files: list[Path], pattern: str, root: Path) -> list[str]:
    found = []
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{file.relative_to(root)}:{line}: {match.group()[:60]}")
    return found


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str, tracked: list[Path], root: Path) -> None:
    assert places(tracked, FORBIDDEN[what], root) == []


def test_no_address_outside_the_tests_carries_a_password(tracked: list[Path], root: Path) -> None:
    files = [file for file in tracked if "tests" not in file.relative_to(root).parts]
    assert places(files, URL_WITH_PASSWORD, root) == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a package registry's host", "index-url = https://" + "pypi" + ".org/simple"),
        ("a container registry's host", "FROM " + "ghcr" + ".io/someone/image"),
        ("a path of one machine", "see " + "/ro" + "ot/.cache"),
        ("a path of one machine", '"' + "/ho" + "me/ada/project"),
        ("a private key", "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE"),
        ("a token of a hosted service", "ghp_" + "a" * 36),
        ("a signed token", "ey" + "J" + "a" * 20 + ".ey" + "J" + "b" * 20 + "." + "c" * 20),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text(line, encoding="utf-8")
    assert places([tmp_path / "file.txt"], FORBIDDEN[what], tmp_path)


def test_scripts_that_people_start_are_executable(tracked: list[Path]) -> None:
    started = [file for file in tracked if file.read_bytes().startswith(b"#!")]
    assert started
    assert [str(file) for file in started if not file.stat().st_mode & 0o100] == []
