"""What the token endpoints of all systems have in common (RFC 6749), and tokens kept in this process alone."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.call import Reply
from airflow_provider_mlconnector.systems.json import UnreadableJson, loads

UNKNOWN_LIFETIME = 300.0
"""Seconds a token is kept when the answer states no usable ``expires_in``; a 401 renews it earlier."""
LONGEST_LIFETIME = 86_400.0
_TOKEN = re.compile(r"[!-~]+")
"""RFC 6749 allows blanks in tokens, a header (RFC 6750) does not; a line break would begin another header."""
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")


class MemoryTokenCache:
    """Tokens of this process only; for tests and for the connection form's *Test* button."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._users: dict[str, set[str]] = {}

    def get(self, key: str) -> tuple[str, datetime] | None:
        """Return ``(token, expires_at)`` or None."""
        return self._tokens.get(key)

    def put(self, key: str, token: str, expires_at: datetime) -> None:
        """Keep a token."""
        self._tokens[key] = (token, expires_at)

    def drop(self, key: str, token: str) -> None:
        """Forget ``token`` if it is still the one kept."""
        if self._tokens.get(key, ("",))[0] == token:
            del self._tokens[key]

    @contextmanager
    def exclusive(self, key: str) -> Iterator[None]:
        """Let one thread at a time ask for a token."""
        with self._locks.setdefault(key, threading.Lock()):
            yield

    def join(self, key: str, user: str, until: datetime) -> None:  # noqa: ARG002 - it ends with the process
        """Note that ``user`` works with the token."""
        self._users.setdefault(key, set()).add(user)

    def leave(self, key: str, user: str) -> bool:
        """Note that ``user`` no longer does; return True when nobody does."""
        users = self._users.setdefault(key, set())
        users.discard(user)
        return not users


@dataclass(frozen=True, slots=True)
class Grant:
    """A token as granted.

    Attributes:
        token: The access token, opaque.
        lifetime: Seconds from the request on.
        refresh: The refresh token, empty where none was issued.
    """

    token: str = field(repr=False)
    lifetime: float
    refresh: str = field(default="", repr=False)


def read_grant(reply: Reply, who: str) -> Grant:
    """Read the answer of a token endpoint.

    Args:
        reply: Status 200.
        who: Whose endpoint it is, for the message.

    Raises:
        ProtocolError: It holds no token. Without evidence: a damaged answer may still hold one.
    """
    answer = _json_object(reply.body)
    token, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token.strip()):
        msg = f"{who}'s token endpoint answered without an access_token that a header can carry"
        raise ProtocolError(msg, request_id=reply.request_id)
    return Grant(token.strip(), _lifetime(answer.get("expires_in")), refresh if isinstance(refresh, str) else "")


def error_code(body: bytes) -> str:
    """Return the OAuth error of an answer (``invalid_client``), empty where it has none that reads like one.

    A remote that echoes the request here must not get secrets into a message.
    """
    code = _json_object(body).get("error")
    return code if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""


def basic(client: str, secret: str) -> str:
    """Return the Authorization header of a client; both parts are form-encoded before they are joined (§2.3.1)."""
    pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _json_object(body: bytes) -> dict[str, object]:
    try:
        answer: dict[str, object] = loads(body, dict[str, object])
    except UnreadableJson:
        return {}
    return answer


def _lifetime(stated: object) -> float:
    """Return seconds; a missing, zero, negative or unreadable ``expires_in`` counts as unknown."""
    try:
        seconds = float(stated)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return UNKNOWN_LIFETIME
    return min(seconds, LONGEST_LIFETIME) if seconds > 0 else UNKNOWN_LIFETIME
