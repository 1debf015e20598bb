"""Code maps between systems: versions, effective dates, importers."""

from __future__ import annotations
