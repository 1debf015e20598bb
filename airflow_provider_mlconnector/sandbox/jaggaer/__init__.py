"""JAGGAER's J1P interface, simulated from ``reference/jaggaer.md``; ``system.JaggaerSystem`` is its face."""

from __future__ import annotations
