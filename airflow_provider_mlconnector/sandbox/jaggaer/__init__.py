"""JAGGAER's J1P interface and XML router, simulated from ``reference/jaggaer.md``: ``system.JaggaerSystem`` is it.

What it serves is named in ``system``, what people can do to it in ``person``, its switches in ``options``.
"""

from __future__ import annotations
