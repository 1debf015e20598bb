"""A folder of files wherever it is: on the worker's own disk, or in object storage that a hook has opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as listed."""

    name: str
    size: int
    """Bytes."""


class StorageError(OSError):
    """Object storage does not answer as it should, in words; a later try may go well."""


class Folder(Protocol):
    """A flat list of files; ``str`` of it names the place, without secrets.

    Every method raises FileNotFoundError, PermissionError or NotADirectoryError for what will not change by itself, and
    another OSError for what may.
    """

    def entries(self) -> Sequence[Entry]:
        """List the files as they are now, no folders, in any order."""
        ...

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        ...

    def changed(self, name: str) -> datetime | None:
        """Return when a file was last written (aware, UTC), None where nobody knows: it was whole then."""
        ...


class LocalFolder:
    """A folder on this worker, or mounted there.

    Args:
        path: Absolute, the same on every worker.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def entries(self) -> list[Entry]:
        """List the files."""
        found = []
        for file in self._path.iterdir():
            try:
                if file.is_file():
                    found.append(Entry(file.name, file.stat().st_size))
            except FileNotFoundError:
                continue  # moved away meanwhile
        return found

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        return (self._path / name).read_bytes()

    def changed(self, name: str) -> datetime:
        """Return when a file was last written."""
        return datetime.fromtimestamp((self._path / name).stat().st_mtime, UTC)
