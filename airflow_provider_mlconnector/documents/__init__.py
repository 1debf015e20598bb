"""The canonical data model and the life of a document. Bottom of the house: imports nothing above it."""

from __future__ import annotations
