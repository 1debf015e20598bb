"""The remote systems, simulated over real HTTP, written from the reference alone: imports nothing else of the package."""

from __future__ import annotations
