"""Airflow provider that moves procurement and finance documents between SYSPRO, Infor CloudSuite and JAGGAER."""

from __future__ import annotations

__version__ = "0.1.0"
