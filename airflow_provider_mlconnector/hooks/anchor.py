"""Ends of the audit trail, kept outside the database: show a trail that was cut, rewritten, or a store set back.

One line of JSON per anchor, the newest last. Every one of them still fits a store that was only added to, and the last
one that fits tells from where on a rewritten trail differs. Keep the file where those who administer the database
cannot write: a folder of another machine, or object storage that keeps earlier versions.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from airflow_provider_mlconnector.errors import ConfigurationError, Unavailable
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import ChainHead

SETTING: Final = "[mlconnector] anchor_file"
KEPT: Final = 1000
"""Anchors a file holds; beyond it, every second one of its older half is left out."""


def read_anchors(location: Path | str) -> tuple[ChainHead, ...]:
    """Read an anchor file, oldest first; empty where no file is named or it does not exist yet.

    Args:
        location: A path, or an object such as ``s3://connection@bucket/mlconnector/anchor``.

    Raises:
        ConfigurationError: The file is there, but it is no anchor; or its storage cannot be used.
        Unavailable: The object storage cannot be reached.
    """
    if not str(location):
        return ()
    try:
        return tuple(_anchor(line) for line in _read(str(location)).splitlines() if line.strip())
    except (ValueError, TypeError, KeyError):
        message = f"{location} is not an anchor written by `mlconnector audit anchor`"
        raise ConfigurationError(message, field=SETTING) from None


def behind_anchor(store: Store, location: Path | str) -> str:
    """Say why the store does not continue its anchors (set back, rewritten, or another one); empty when it does."""
    return store.behind(*read_anchors(location))


def write_anchor(store: Store, location: Path | str) -> ChainHead:
    """Add the end of the store's audit trail; anchors the store does not continue are kept, and nothing is added.

    Raises:
        ConfigurationError: No file is named, or the store is behind an anchor that is there.
        Unavailable: The file or its storage cannot be written.
    """
    if not str(location):
        message = f"name a file with --file, or set {SETTING}"
        raise ConfigurationError(message, field=SETTING)
    with _alone(str(location)):
        anchors = read_anchors(location)
        behind = store.behind(*anchors)
        if behind:
            message = f"{location} is kept, since this store does not continue it: {behind}"
            raise ConfigurationError(message, field=SETTING)
        head = store.head()
        if head not in anchors:
            _write(str(location), _thinned([*anchors, head]))
    return head


def _anchor(line: str) -> ChainHead:
    body = json.loads(line)
    return ChainHead(store_id=str(body["store_id"]), seq=int(body["seq"]), mac=str(body["mac"]))


def _thinned(anchors: Sequence[ChainHead]) -> Sequence[ChainHead]:
    if len(anchors) <= KEPT:
        return anchors
    half = KEPT // 2
    return [*anchors[:half:2], *anchors[half:]]


# --- where it is ---------------------------------------------------------------------------------------------------


def _read(location: str) -> str:
    with _storage(location):
        if "://" in location:
            path = _object(location)
            return path.read_text(encoding="utf-8") if path.exists() else ""
        return Path(location).read_text(encoding="utf-8") if Path(location).exists() else ""


def _write(location: str, anchors: Sequence[ChainHead]) -> None:
    text = "".join(json.dumps(asdict(anchor)) + "\n" for anchor in anchors)
    with _storage(location):
        if "://" in location:
            _object(location).write_text(text, encoding="utf-8")
            return
        fresh = Path(f"{location}.new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(location)


def _object(location: str) -> Any:  # noqa: ANN401 - Airflow is imported when one is used
    from airflow.sdk import ObjectStoragePath

    return ObjectStoragePath(location)


@contextmanager
def _alone(location: str) -> Iterator[None]:
    """Let one process at a time add to a file; object storage has no such lock, the later of two writes stands."""
    if "://" in location:
        yield
        return
    with _storage(location):
        handle = os.open(f"{location}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _storage(location: str) -> Iterator[None]:
    """Turn what a disk or a storage's own library raises into ours; its class says what it was."""
    try:
        yield
    except (ConfigurationError, UnicodeDecodeError):
        raise
    except (ValueError, ImportError) as error:
        message = f"{SETTING}: {location.partition('://')[0]!r} needs a provider that is not installed here"
        raise ConfigurationError(message, field=SETTING) from error
    except Exception as error:
        message = f"the anchor at {location} cannot be read or written ({type(error).__name__}); run again"
        raise Unavailable(message) from error
