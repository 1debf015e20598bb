"""Everything durable, behind one unit of work."""

from __future__ import annotations
