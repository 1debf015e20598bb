"""What an answer of the gateway or its login server says, in words a person may see (reference/cloudsuite.md §3.5)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from airflow_provider_mlconnector.systems.json import UnreadableJson, loads

_PLACES = ("message", "Message", "fault.message", "fault.detail", "responseMessage", "error_description")
"""Body shapes are undocumented; these are the places clients look at, in turn."""
_LONGEST = 300
_LONGEST_READ = 20_000
_LONGEST_SECRET = 8_000
_UNSEEN = ("script", "style", "head")
_TAG = re.compile(r"<[^<>]*>")
_HEADER = re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
"""An echoed Authorization header; its base64 holds the client's secret."""
_ID_HEADER = re.compile(r"request-?id|correlation|trace", re.IGNORECASE)


def said(body: bytes, *, hidden: Iterable[str] = ()) -> str:
    """Return the remote's own words in one line, empty where it has none.

    Args:
        body: An answer's: JSON of any known shape, HTML or plain text.
        hidden: Secrets that must not show, should the remote echo them, in whatever coding they were sent.
    """
    veils = _veils(hidden)
    text = _veiled(body[: _LONGEST_READ + _LONGEST_SECRET].decode("utf-8", errors="replace"), veils)[:_LONGEST_READ]
    text = text.strip()
    if text.startswith(("{", "[", '"')):
        text = _from_json(body)
    for name in _UNSEEN:
        text = _without(text, name)
    text = _veiled(" ".join(html.unescape(_TAG.sub(" ", text)).split()), veils)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _veils(hidden: Iterable[str]) -> list[re.Pattern[str]]:
    """Return what to look for: a remote may echo a form or a URL, where secrets are coded. The longest come first."""
    forms = {form for secret in hidden if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    return [re.compile(re.escape(form), re.IGNORECASE) for form in sorted(forms, key=len, reverse=True)]


def _veiled(text: str, veils: Iterable[re.Pattern[str]]) -> str:
    for veil in veils:
        text = veil.sub("***", text)
    return _HEADER.sub(r"\1 ***", text)


def _without(text: str, name: str) -> str:
    """Take out what stands between such tags; only up to the last closing one, so that none is looked for in vain."""
    ends = [found.end() for found in re.finditer(rf"</{name}\s*>", text, re.IGNORECASE)]
    if not ends:
        return text
    pairs = re.compile(rf"<{name}\b.*?</{name}\s*>", re.IGNORECASE | re.DOTALL)
    return pairs.sub(" ", text[: ends[-1]]) + text[ends[-1] :]


def _from_json(body: bytes) -> str:
    try:
        answer: Any = loads(body)
    except UnreadableJson:
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
