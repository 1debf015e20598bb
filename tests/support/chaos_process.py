"""Workers as processes: one that is killed reaches neither the store nor the network again, not even in ``finally``."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any
from unittest import mock

from support.chaos_time import Actor
from support.remote import Killed

from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.store import Store, shared
from airflow_provider_mlconnector.sync import mappings

_load_once = functools.cache(load_mapping)
"""Every try of every task reads the mapping, which stays as it is."""
_LEFT_OPEN: list[Any] = []
"""What dead workers held: nothing may close it for them."""


class Process:
    """One try of one task."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.actor: Actor | None = None
        self.done = False
        self.error: BaseException | None = None
        self.result: Any = None

    def alive(self) -> None:
        """Let nothing happen any more in the name of a dead process."""
        if self.dead:
            raise Killed

    def kill(self) -> None:
        """Kill it, wherever it is: it does nothing more."""
        self.dead = True


class ProcessStore:
    """The store as one process sees it."""

    def __init__(self, store: Store, alive: Callable[[], None]) -> None:
        self._store, self._alive = store, alive

    @property
    def tokens(self) -> ProcessTokens:
        self._alive()
        return ProcessTokens(self._store.tokens, self._alive)

    def __getattr__(self, name: str) -> Any:
        self._alive()
        return getattr(self._store, name)


class ProcessTokens:
    """The token cache as one process sees it: a lock it holds when it dies stays taken until it lapses."""

    def __init__(self, tokens: Any, alive: Callable[[], None]) -> None:
        self._tokens, self._alive = tokens, alive

    def __getattr__(self, name: str) -> Any:
        self._alive()
        return getattr(self._tokens, name)

    @contextmanager
    def exclusive(self, key: str) -> Iterator[None]:
        self._alive()
        lock = self._tokens.exclusive(key)
        lock.__enter__()
        try:
            yield
        except Killed:
            _LEFT_OPEN.append(lock)
            raise
        except BaseException as error:
            lock.__exit__(type(error), error, error.__traceback__)
            raise
        else:
            self._alive()
            lock.__exit__(None, None, None)


class _OwnLocks(dict[str, Lock]):
    """Processes share no threading locks."""

    def setdefault(self, key: str, default: Any = None) -> Lock:
        return Lock()


def _unlock_cached_properties() -> None:
    """Take the lock from every cached property: before Python 3.12 all instances of a class share it."""
    modules = [module for name, module in sys.modules.items() if name.startswith("airflow_provider_mlconnector.")]
    classes = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    for found in classes:
        for attribute in vars(found).values():
            if isinstance(attribute, functools.cached_property) and hasattr(attribute, "lock"):
                attribute.lock = nullcontext()


@contextmanager
def processes() -> Iterator[None]:
    """Let threads be processes: what the package shares between threads of one process is shared by none."""
    _unlock_cached_properties()
    with (
        mock.patch.object(shared, "_LOCAL", _OwnLocks()),
        mock.patch.object(mappings, "load_mapping", _load_once),
        mock.patch.object(functools, "RLock", nullcontext),  # of modules loaded later
    ):
        yield
    _LEFT_OPEN.clear()
