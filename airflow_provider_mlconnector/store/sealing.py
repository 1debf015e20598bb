"""How an event is sealed into the chain: pure functions of keys and content, so that a proof can be checked anywhere.

All keys come from the audit key, one for each purpose and subject. That of a document, of one event's text or of one
link may be handed out with an export: whoever has it can check, or guess, that one thing, and nothing else.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from airflow_provider_mlconnector.store.keyring import KeyRing

COVERED: Final = (
    "document_id",
    "kind",
    "state_before",
    "state_after",
    "dag_id",
    "run_id",
    "task_id",
    "map_index",
    "try_number",
    "user_name",
    "batch_id",
    "mapping_version",
    "reason_code",
    "detail_digest",
)
"""What of an event its seal covers, behind its time, in this order."""
_covered = itemgetter(*COVERED)
_encode = json.JSONEncoder(separators=(",", ":")).encode


def document_key(keyring: KeyRing, document_id: str) -> bytes:
    """Return the key under which all events of a document are digested."""
    return keyring.key_for("document", document_id)


def detail_key(keyring: KeyRing, document_id: str, at: datetime, kind: str) -> bytes:
    """Return the key under which one event's reason and detail are digested."""
    return keyring.key_for("detail", f"{document_id}\n{at.isoformat()}\n{kind}")


def link_key(keyring: KeyRing, seq: int) -> bytes:
    """Return the key of one link of the chain."""
    return keyring.key_for("link", str(seq))


def content_digest(key: bytes, row: Mapping[str, Any]) -> str:
    """Return the digest of an event's columns (hex).

    Args:
        key: Of its document.
        row: The columns of :data:`COVERED`, and ``at``, aware in UTC.
    """
    return hmac.digest(key, _encode([row["at"].isoformat(), *_covered(row)]).encode(), "sha256").hex()


def detail_digest(key: bytes, plain: bytes) -> str:
    """Return the digest of an event's reason and detail (hex)."""
    return hmac.digest(key, plain, "sha256").hex()


def link(key: bytes, previous: str, seq: int, digest: str) -> str:
    """Return the code that ties an event to its place behind the one before it (hex)."""
    return hmac.digest(key, f"{previous}\n{seq}\n{digest}".encode(), "sha256").hex()
