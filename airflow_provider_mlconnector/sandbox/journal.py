"""A sandbox that outlives its process: what its systems were told to do is kept in a file and done again at the start.

One JSON object a line: the first names seed, invoices and start, each other one thing a system was told, written before
it is done. What only reads JAGGAER or CloudSuite is left out; their tokens end with the process, as after a restart of
the real ones, and what the gateway refused is forgotten.
While a thing written down is done the clock stands still, so that a replay dates it to the same microsecond.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from airflow_provider_mlconnector.sandbox.app import SandboxApp, System
from airflow_provider_mlconnector.sandbox.clock import SimClock

CHANGING = frozenset({"add", "evict_all", "drop_rows", "kill_tokens", "kill_refresh"})
"""Methods of the systems, besides ``handle``, that change what they hold."""

Entry = dict[str, Any]


class JournalError(ValueError):
    """The file cannot be gone on with; the message says why."""


class JournalClock(SimClock):
    """A clock that can stand still."""

    _pinned: datetime | None = None

    def now(self) -> datetime:
        """Return the present simulated moment, or the one the clock stands at."""
        return self._pinned or super().now()

    @contextmanager
    def standing(self, moment: datetime) -> Iterator[None]:
        """Stand at ``moment``. Nothing done meanwhile may wait, or others would see the clock stand."""
        self._pinned = moment
        try:
            yield
        finally:
            self._pinned = None


class JournaledSystem:
    """A system whose changes are written down first. Everything else goes straight to the system."""

    def __init__(
        self, name: str, system: System, file: TextIO, clock: JournalClock, changes: Callable[[Request], bool]
    ) -> None:
        self._name, self._system, self._file, self._clock = name, system, file, clock
        self._changes = changes

    async def handle(self, request: Request) -> Response:
        """Answer one request, written down with its whole body if it may change the system (``changes``)."""
        if not self._changes(request):
            return await self._system.handle(request)
        described = await _described(request)  # from here on the body is at hand: handling waits for nothing
        with self._clock.standing(self._write({"request": described})):
            return await self._system.handle(request)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for any method of the system
        method = getattr(self._system, name)
        if name not in CHANGING:
            return method

        def recorded(*arguments: object) -> object:
            with self._clock.standing(self._write({"call": name, "arguments": arguments})):
                return method(*arguments)

        return recorded

    def _write(self, entry: Entry) -> datetime:
        moment = self._clock.now()
        line = {"system": self._name, "at": moment.isoformat(), **entry}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        return moment


class JournaledApp(SandboxApp):
    """The sandbox over a journal file.

    Args:
        journal: The file; made if absent. Belongs to one process at a time.
        seed: As of ``SandboxApp``.
        invoices: How many invoices the JAGGAER tenant holds.
        jaggaer: Further fields of ``JaggaerOptions``, such as ``purchase_orders``.
        syspro: Fields of ``SysproOptions``.
        cloudsuite: Fields of ``CloudSuiteOptions``.

    Raises:
        JournalError: The file was made with another seed, number of invoices or further fields, or is no journal.
    """

    def __init__(
        self,
        journal: Path,
        *,
        seed: int,
        invoices: int,
        jaggaer: Mapping[str, Any] | None = None,
        syspro: Mapping[str, Any] | None = None,
        cloudsuite: Mapping[str, Any] | None = None,
    ) -> None:
        given = {"jaggaer": jaggaer or {}, "syspro": syspro or {}, "cloudsuite": cloudsuite or {}}
        options = {name: json.loads(json.dumps(dict(more))) for name, more in given.items()}
        head, entries = _read(journal)
        if not head:
            # whole seconds: the generator drops the rest, so that a restart dates the same invoices alike
            head = {"seed": seed, "invoices": invoices, "start": datetime.now(UTC).replace(microsecond=0).isoformat()}
            head |= {name: more for name, more in options.items() if more}
            journal.write_text(json.dumps(head) + "\n", encoding="utf-8")
        _same(journal, head, {"seed": seed, "invoices": invoices, **options})
        clock = JournalClock(datetime.fromisoformat(head["start"]))
        tenant = {"invoices": invoices, **options.pop("jaggaer")}
        super().__init__(seed=seed, jaggaer=tenant, **options, clock=clock)
        asyncio.run(self._replay(entries, clock))
        self.jaggaer.kill_tokens()
        self.cloudsuite.kill_tokens()
        self.cloudsuite.kill_refresh()
        file = journal.open("a", encoding="utf-8")
        changing: dict[str, Callable[[Request], bool]] = {
            "jaggaer": lambda request: request.method != "GET",
            "syspro": lambda _request: True,  # there even a query leaves traces in its session
            "cloudsuite": self.cloudsuite.changes,
        }
        for name, system in self.systems.items():
            self.systems[name] = JournaledSystem(name, system, file, clock, changing[name])

    def reset(self, **_options: object) -> None:
        """Refuse: what is in the journal happened.

        Raises:
            ValueError: Always.
        """
        message = "a sandbox with a journal is not reset: stop it, delete the file and start it again"
        raise ValueError(message)

    async def _replay(self, entries: list[Entry], clock: JournalClock) -> None:
        latest = clock.now()
        for entry in entries:
            latest = datetime.fromisoformat(entry["at"])
            clock.set(latest)
            with clock.standing(latest):
                await self._redo(entry)
        clock.set(max(latest, datetime.now(UTC)))

    async def _redo(self, entry: Entry) -> None:
        system = self.systems[entry["system"]]
        if "request" in entry:
            request = _request(entry["request"])
            self.requests.total = max(self.requests.total, request.state.request_no)
            await system.handle(request)
            return
        with suppress(ValueError, KeyError, TypeError):  # refused then as now: only the caller had to know
            getattr(system, entry["call"])(*entry["arguments"])


def _same(journal: Path, head: Entry, given: Entry) -> None:
    """Refuse a journal that was made with something else than what is given now."""
    if (head["seed"], head["invoices"]) != (given["seed"], given["invoices"]):
        message = f"{journal} was made with seed {head['seed']} and {head['invoices']} invoices: give the same"
        raise JournalError(message)
    for name, title in (("jaggaer", "JAGGAER's"), ("syspro", "SYSPRO's"), ("cloudsuite", "CloudSuite's")):
        if head.get(name, {}) != given[name]:
            message = f"{journal} was made with {title} {head.get(name, {})}: give the same"
            raise JournalError(message)


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
