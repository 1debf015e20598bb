"""Where files are, as a connection names it: an absolute path, or a location in object storage."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from airflow_provider_mlconnector.systems.jaggaer.folder import Entry, Folder, LocalFolder, StorageError

log = logging.getLogger(__name__)
_ON_DISK: Final = frozenset({"", "file", "local"})
"""Schemes whose folders exist or do not; a prefix of an object store is there as long as something is below it."""


def open_folder(location: str) -> Folder:
    """Return the folder at a location.

    Args:
        location: ``/data/export``, ``file:///data/export`` or ``s3://connection@bucket/prefix``: what Airflow's
            ``ObjectStoragePath`` takes, with the connection of the storage in front of the bucket.

    Raises:
        ValueError: There is no such thing here; its text is a sentence about the field.
    """
    if "://" not in location:
        if not Path(location).is_absolute():
            msg = "must be an absolute path, the same on every worker"
            raise ValueError(msg)
        return LocalFolder(Path(location))
    from airflow.providers.common.compat.sdk import AirflowNotFoundException
    from airflow.sdk import ObjectStoragePath

    scheme, _, rest = location.partition("://")
    who = rest.partition("/")[0].rpartition("@")[0]
    if ":" in who:
        msg = "holds a user and password: name an Airflow connection in front of the bucket instead"
        raise ValueError(msg)
    path = ObjectStoragePath(location)
    try:
        return ObjectFolder(location, path.fs, path.path)
    except (ValueError, ImportError) as error:
        msg = f"is in {scheme!r}, which needs an Airflow provider that is not installed here ({type(error).__name__})"
        raise ValueError(msg) from error
    except AirflowNotFoundException as error:
        msg = f"names connection {who!r} of its storage, which cannot be used ({type(error).__name__})"
        raise ValueError(msg) from error


class ObjectFolder:
    """A prefix in object storage.

    Args:
        location: As the connection names it.
        fs: An fsspec file system.
        root: The prefix as that file system names it.
    """

    def __init__(self, location: str, fs: Any, root: str) -> None:  # noqa: ANN401 - fsspec is not typed
        self._location = location
        self._fs = fs
        self._root = root.rstrip("/")

    def __str__(self) -> str:
        return self._location

    def entries(self) -> list[Entry]:
        """List the files, never from the file system's own cache: two passes over it would always agree."""
        with _storage():
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(self._root, detail=True)
            except FileNotFoundError:
                if not self._is_empty():
                    raise
                log.info("Nothing is below %s", self._location)
                return []
        files = [each for each in found if each["type"] == "file"]
        return [Entry(str(each["name"]).rpartition("/")[2], int(each["size"] or 0)) for each in files]

    def read(self, name: str) -> bytes:
        """Return an object's content."""
        with _storage():
            return bytes(self._fs.cat_file(f"{self._root}/{name}"))

    def changed(self, name: str) -> datetime | None:
        """Return when an object was written, None where the storage does not tell."""
        with _storage():
            try:
                when: datetime = self._fs.modified(f"{self._root}/{name}")
            except NotImplementedError:
                return None
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)

    def _is_empty(self) -> bool:
        """Tell whether a prefix is merely empty: its bucket is there."""
        protocols = {self._fs.protocol} if isinstance(self._fs.protocol, str) else set(self._fs.protocol)
        bucket = self._root.lstrip("/").partition("/")[0]
        return not protocols & _ON_DISK and bool(self._fs.exists(bucket))


@contextmanager
def _storage() -> Iterator[None]:
    """Turn what a storage's own library raises into an OSError; its class says what it was, its text might say more."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise StorageError(type(error).__name__) from error
