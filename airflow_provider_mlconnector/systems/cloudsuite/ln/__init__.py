"""Infor CloudSuite LN over OData, version 4 (reference/cloudsuite.md §4c)."""

from __future__ import annotations
