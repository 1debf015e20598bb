"""The pipeline in plain Python: each step a function of unit of work, ports and route."""

from __future__ import annotations
