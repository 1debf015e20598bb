"""The end of the audit trail, kept in a file outside the database: shows a trail that was cut or a store set back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import ChainHead

SETTING: Final = "[mlconnector] anchor_file"


def read_anchor(path: Path | str) -> ChainHead | None:
    """Read an anchor file; None where no file is named or it does not exist yet.

    Raises:
        ConfigurationError: The file is there, but it is no anchor.
    """
    if not str(path) or not Path(path).exists():
        return None
    try:
        return ChainHead(**json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        message = f"{path} is not an anchor written by `mlconnector audit anchor`"
        raise ConfigurationError(message, field=SETTING) from None


def behind_anchor(store: Store, path: Path | str) -> str:
    """Say why the store does not continue its anchor (set back, or another one); empty when it does or none is kept."""
    anchor = read_anchor(path)
    return store.behind(anchor) if anchor else ""


def write_anchor(store: Store, path: Path | str) -> ChainHead:
    """Write the end of the store's audit trail; an anchor the store does not continue is never overwritten.

    Raises:
        ConfigurationError: No file is named, or the store is behind the anchor that is there.
    """
    if not str(path):
        message = f"name a file with --file, or set {SETTING}"
        raise ConfigurationError(message, field=SETTING)
    behind = behind_anchor(store, path)
    if behind:
        message = f"{path} is kept, since this store does not continue it: {behind}"
        raise ConfigurationError(message, field=SETTING)
    head = store.head()
    target = Path(path)
    fresh = target.with_name(target.name + ".new")
    fresh.write_text(json.dumps(asdict(head)) + "\n", encoding="utf-8")
    fresh.replace(target)
    return head
