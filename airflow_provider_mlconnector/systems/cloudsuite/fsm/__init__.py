"""Infor Financials and Supply Management (Landmark) by its generic lists (reference/cloudsuite.md §4d)."""

from __future__ import annotations
