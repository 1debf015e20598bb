"""The remote systems, simulated over real HTTP. Imports nothing else of the package (written from the reference alone)."""

from __future__ import annotations
