"""A simulated SYSPRO site, written from reference/syspro.md alone. What it leaves open is in ``sim_texts``."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.syspro.options import SysproOptions
from airflow_provider_mlconnector.sandbox.syspro.system import SysproSystem

__all__ = ["SysproOptions", "SysproSystem"]
