"""Infor CloudSuite behind the ION API Gateway, simulated from ``reference/cloudsuite.md``: ``system`` is its door.

What it serves is named in ``system``, its switches in ``options``; each product is a
:class:`surface.Surface` of its own.
"""

from __future__ import annotations
