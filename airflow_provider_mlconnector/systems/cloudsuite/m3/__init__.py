"""Infor CloudSuite M3 over MI REST, version 2 (reference/cloudsuite.md §4b)."""

from __future__ import annotations
