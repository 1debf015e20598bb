"""How each remote system speaks. No Airflow, no store, no mapping."""

from __future__ import annotations
