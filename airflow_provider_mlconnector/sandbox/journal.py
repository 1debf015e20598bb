"""A sandbox that outlives its process: what its systems were told to do is kept in a file and done again at the start.

One JSON object a line: the first names seed, invoices and start, each other one thing a system was told, written before
it is done. What only reads JAGGAER is left out; its tokens end with the process, as after a restart of the real one.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from airflow_provider_mlconnector.sandbox.app import SandboxApp, System
from airflow_provider_mlconnector.sandbox.clock import SimClock

CHANGING = frozenset({"add", "evict_all", "drop_rows"})
"""Methods of the systems, besides ``handle``, that change what they hold."""

Entry = dict[str, Any]


class JournalError(ValueError):
    """The file cannot be gone on with; the message says why."""


class JournaledSystem:
    """A system whose changes are written down first. Everything else goes straight to the system."""

    def __init__(self, name: str, system: System, file: TextIO, clock: SimClock, *, requests: bool) -> None:
        self._name, self._system, self._file, self._clock = name, system, file, clock
        self._requests = requests

    async def handle(self, request: Request) -> Response:
        """Answer one request, written down with its whole body."""
        if self._requests:
            self._write({"request": await _described(request)})
        return await self._system.handle(request)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for any method of the system
        method = getattr(self._system, name)
        if name not in CHANGING:
            return method

        def recorded(*arguments: object) -> object:
            self._write({"call": name, "arguments": arguments})
            return method(*arguments)

        return recorded

    def _write(self, entry: Entry) -> None:
        line = {"system": self._name, "at": self._clock.now().isoformat(), **entry}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


class JournaledApp(SandboxApp):
    """The sandbox over a journal file.

    Args:
        journal: The file; made if absent. Belongs to one process at a time.
        seed: As of ``SandboxApp``.
        invoices: How many invoices the JAGGAER tenant holds.

    Raises:
        JournalError: The file was made with another seed or number of invoices, or is no journal.
    """

    def __init__(self, journal: Path, *, seed: int, invoices: int) -> None:
        head, entries = _read(journal)
        if not head:
            # whole seconds: the generator drops the rest, so that a restart dates the same invoices alike
            head = {"seed": seed, "invoices": invoices, "start": datetime.now(UTC).replace(microsecond=0).isoformat()}
            journal.write_text(json.dumps(head) + "\n", encoding="utf-8")
        if (head["seed"], head["invoices"]) != (seed, invoices):
            message = f"{journal} was made with seed {head['seed']} and {head['invoices']} invoices: give the same"
            raise JournalError(message)
        super().__init__(seed=seed, jaggaer={"invoices": invoices}, start=datetime.fromisoformat(head["start"]))
        asyncio.run(self._replay(entries))
        file = journal.open("a", encoding="utf-8")
        for name, system in self.systems.items():
            self.systems[name] = JournaledSystem(name, system, file, self.clock, requests=name == "syspro")

    def reset(self, **_options: object) -> None:
        """Refuse: what is in the journal happened.

        Raises:
            ValueError: Always.
        """
        message = "a sandbox with a journal is not reset: stop it, delete the file and start it again"
        raise ValueError(message)

    async def _replay(self, entries: list[Entry]) -> None:
        latest = self.clock.now()
        for entry in entries:
            latest = datetime.fromisoformat(entry["at"])
            self.clock.set(latest)
            system = self.systems[entry["system"]]
            if "request" in entry:
                request = _request(entry["request"])
                self.requests.total = max(self.requests.total, request.state.request_no)
                await system.handle(request)
                continue
            try:
                getattr(system, entry["call"])(*entry["arguments"])
            except (ValueError, KeyError, TypeError):
                continue  # refused then as now: only the caller had to know
        self.clock.set(max(latest, datetime.now(UTC)))


def _read(journal: Path) -> tuple[Entry, list[Entry]]:
    """Return head and entries; a last line cut off by a kill never took effect and is removed."""
    if not journal.exists():
        return {}, []
    text = journal.read_text(encoding="utf-8")
    whole, newline, cut = text.rpartition("\n")
    if cut:
        journal.write_text(whole + newline, encoding="utf-8")
    entries = [*_entries(whole, journal)]
    if not entries:
        return {}, []
    if {"seed", "invoices", "start"} - entries[0].keys():
        message = f"{journal} is no sandbox journal"
        raise JournalError(message)
    return entries[0], entries[1:]


def _entries(text: str, journal: Path) -> Iterator[Entry]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            yield json.loads(line)
        except ValueError as error:
            message = f"{journal} line {number} is no JSON object"
            raise JournalError(message) from error


async def _described(request: Request) -> Entry:
    scope = request.scope
    return {
        "number": request.state.request_no,
        "method": scope["method"],
        "path": scope["path"],
        "raw_path": _text(scope.get("raw_path") or scope["path"].encode()),
        "query": _text(scope["query_string"]),
        "headers": [[_text(name), _text(value)] for name, value in scope["headers"]],
        "body": _text(await request.body()),
    }


def _request(entry: Mapping[str, Any]) -> Request:
    body = _bytes(entry["body"])

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": entry["method"],
        "path": entry["path"],
        "raw_path": _bytes(entry["raw_path"]),
        "query_string": _bytes(entry["query"]),
        "headers": [(_bytes(name), _bytes(value)) for name, value in entry["headers"]],
        "state": {"request_no": entry["number"], "wire": None},
    }
    return Request(scope, receive)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
