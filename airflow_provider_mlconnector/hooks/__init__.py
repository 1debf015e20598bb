"""An Airflow connection becomes a system client."""

from __future__ import annotations
