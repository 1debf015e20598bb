"""An Airflow task runs one step of the pipeline and returns a reference."""

from __future__ import annotations
