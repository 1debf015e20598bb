"""The one way to read JSON that came from outside.

Whatever is wrong with a text ends in one error: nesting deep enough to exhaust the interpreter's stack, which would
otherwise leave a write neither done nor open, counts as unreadable like a missing brace. Of a key that stands twice the
last one counts. ``NaN`` and ``Infinity`` are no JSON.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_ESCAPE = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F]..|\\.")
_LONE = 6


class UnreadableJson(ValueError):
    """The bytes are not JSON, even after repairing broken characters."""


def loads(data: bytes, kind: Any = None) -> Any:  # noqa: ANN401 - JSON
    """Decode JSON with exact decimals, or into ``kind`` (such as ``list[msgspec.Raw]``).

    Broken UTF-8 and lone surrogates (texts cut inside an emoji) become U+FFFD, so that one such text does not make a
    whole page unreadable.

    Raises:
        UnreadableJson: Not JSON, or not of this kind; the message says where, and quotes nothing.
    """
    try:
        return _decode(data, kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        try:
            return _decode(_repaired(data), kind)
        except RecursionError:
            problem = "it is nested too deeply"
        except (msgspec.MsgspecError, ValueError) as error:
            problem = str(error)
    raise UnreadableJson(problem)


def _decode(data: bytes, kind: Any) -> Any:  # noqa: ANN401 - JSON
    return _decoder.decode(data) if kind is None else msgspec.json.decode(data, type=kind)


def _repaired(data: bytes) -> bytes:
    text = data.decode("utf-8", errors="replace").encode()
    return _ESCAPE.sub(lambda m: b"\\ufffd" if len(m[0]) == _LONE else m[0], text)
