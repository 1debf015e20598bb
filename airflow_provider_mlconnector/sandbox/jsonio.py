"""JSON as bytes, by orjson where it is installed: a soak serves 100,000 details from one process."""

from __future__ import annotations

import json
from importlib.util import find_spec

if find_spec("orjson"):
    import orjson

    def dumps(value: object) -> bytes:
        """Serialize to UTF-8 JSON without blanks; keys must be text."""
        return orjson.dumps(value)

else:  # pragma: no cover - the extra is installed where the tests run

    def dumps(value: object) -> bytes:
        """Serialize to UTF-8 JSON without blanks; keys must be text."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
