"""A mapping from the text people write (YAML or JSON), with the line number in every error."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.mapping.model import MappingSet, sections

MAX_NODES = 200_000
"""Beyond any real mapping; stops texts whose aliases multiply."""
MAX_DEPTH = 10
_SHOWN = 10
_Lines = dict[tuple[str, ...], int]


def load_mapping(text: str, *, origin: str) -> MappingSet:
    """Read a mapping.

    Every scalar is taken as text, exactly as written: ``0010`` stays ``0010`` and ``NO`` is not a truth value.

    Args:
        text: YAML, or JSON (which YAML contains), such as an Airflow Variable's value.
        origin: What errors call it ("file jaggaer_to_syspro.yaml").

    Raises:
        ConfigurationError: Names origin, line and problem, of up to ten problems.
    """
    problems: list[tuple[int, str]] = []
    lines: _Lines = {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _failure(origin, [(mark.line + 1 if mark else 1, error.problem or "not YAML")]) from None
    except RecursionError:
        raise _failure(origin, [(1, "nested too deeply for a mapping")]) from None
    except yaml.YAMLError as error:
        raise _failure(origin, [(1, f"not YAML: {error}")]) from None
    if not isinstance(node, yaml.MappingNode):
        raise _failure(origin, [(1, "a mapping is a set of named sections such as accounts:, not a single value")])
    plain = _Reader(lines, problems).read(node, ())
    if problems:
        raise _failure(origin, problems)
    try:
        return MappingSet.model_validate(plain)
    except ValidationError as error:
        found = [(_line_of(lines, detail["loc"]), _in_words(detail)) for detail in error.errors()]
        raise _failure(origin, found) from None


class _Reader:
    """Turns nodes into plain values, noting where each stands."""

    def __init__(self, lines: _Lines, problems: list[tuple[int, str]]) -> None:
        self._lines = lines
        self._problems = problems
        self._count = 0

    def read(self, node: yaml.Node, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - YAML
        self._lines.setdefault(path, node.start_mark.line + 1)
        self._count += 1
        if len(path) > MAX_DEPTH:
            self._problems.append((node.start_mark.line + 1, "nested too deeply for a mapping"))
            return None
        if self._count > MAX_NODES:
            if self._count == MAX_NODES + 1:
                self._problems.append((node.start_mark.line + 1, "too large for a mapping"))
            return None
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, str(n))) for n, item in enumerate(node.value)]
        return None if node.tag == "tag:yaml.org,2002:null" else node.value

    def _pairs(self, node: yaml.MappingNode, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._problems.append((line, "a key must be a single value"))
                continue
            key = key_node.value
            if key in seen:
                place = f" in {'.'.join(path)}" if path else ""
                self._problems.append((line, f"{key} is given twice{place}, first in line {seen[key]}"))
                continue
            seen[key] = line
            self._lines[(*path, key)] = line
            value = self.read(value_node, (*path, key))
            if value is not None or path:  # a section with everything commented out is an absent section
                yield key, value


def _failure(origin: str, problems: list[tuple[int, str]]) -> ConfigurationError:
    shown = [f"line {line}: {text}" for line, text in sorted(problems)[:_SHOWN]]
    more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
    return ConfigurationError(f"mapping in {origin}: {'; '.join(shown + more)}", field=origin)


def _line_of(lines: _Lines, loc: tuple[int | str, ...]) -> int:
    path = tuple(str(part) for part in loc)
    # the model sees more levels than the text has (a code alone stands for an entry): the nearest one above is it
    return next(lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines)


def _in_words(detail: ErrorDetails) -> str:
    # numbers are positions in a list; codes made of digits are texts
    loc = [part for part in detail["loc"] if isinstance(part, str)]
    place = ".".join(loc)
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(loc[-1], _known(loc[:-1]), n=1)
        return f"unknown key {place}" + (f" (did you mean {near[0]}?)" if near else "")
    if detail["type"] == "missing":
        return f"{place} is missing"
    reason = detail["msg"].removeprefix("Value error, ")
    return f"{place}: {reason[:1].lower()}{reason[1:]}" if place else reason


def _known(path: list[str]) -> list[str]:
    for pattern, model in sections().items():
        if len(pattern) == len(path) and all(p in ("*", part) for p, part in zip(pattern, path, strict=True)):
            return [field.alias or name for name, field in model.model_fields.items()]
    return []
