"""CloudSuite Industrial (SyteLine): IDO REST v2 (reference/cloudsuite.md §4a)."""

from __future__ import annotations
