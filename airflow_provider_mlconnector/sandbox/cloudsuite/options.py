"""What can be switched on the simulated tenant: policies of the gateway, and behavior nobody has documented."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CloudSuiteOptions:
    """One tenant; every field can be given to ``POST /_sandbox/reset`` under ``cloudsuite``."""

    time_zone: str = "UTC"
