"""The remote systems, simulated over real HTTP, from the reference alone: imports nothing else of the package."""

from __future__ import annotations
