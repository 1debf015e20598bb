"""What an answer of the gateway or its login server says, in words a person may see (reference/cloudsuite.md §3.5)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

_PLACES = ("message", "Message", "fault.message", "fault.detail", "responseMessage", "error_description")
"""Body shapes are undocumented; these are the places clients look at, in turn."""
_LONGEST = 300
_LONGEST_READ = 20_000
_UNSEEN = re.compile(r"<(script|style|head)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_ID_HEADER = re.compile(r"request-?id|correlation|trace", re.IGNORECASE)


def said(body: bytes, *, hidden: Iterable[str] = ()) -> str:
    """Return the remote's own words in one line, empty where it has none.

    Args:
        body: An answer's: JSON of any known shape, HTML or plain text.
        hidden: Secrets that must not show, should the remote echo them.
    """
    text = body[:_LONGEST_READ].decode("utf-8", errors="replace").strip()
    if text.startswith(("{", "[", '"')):
        text = _from_json(body)
    text = " ".join(html.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", text))).split())
    for secret in hidden:
        text = text.replace(secret, "***")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _from_json(body: bytes) -> str:
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""
    if isinstance(answer, str):
        return answer
    return next((found for place in _PLACES if (found := _at(answer, place))), "")


def _at(answer: object, place: str) -> str:
    for key in place.split("."):
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer.strip() if isinstance(answer, str) else ""


def remote_ids(headers: Mapping[str, str]) -> str:
    """Return what an answer's headers call it (their names are unknown, §3.4), empty where they do not."""
    found = (f"{name} {value}" for name, value in headers.items() if value and _ID_HEADER.search(name))
    return ", ".join(found)
