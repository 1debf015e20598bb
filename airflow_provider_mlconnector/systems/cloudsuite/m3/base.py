"""One M3 company as every source and target of it shares it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import MiClient
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options


class M3System:
    """A company, or one division of it.

    Args:
        name: The Airflow connection's id.
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, gateway: Gateway, options: M3Options) -> None:
        self._name = name
        self._gateway = gateway
        self._options = options
        self._mi = MiClient(gateway, options)
        self._zone = ZoneInfo(options.time_zone)

    @property
    def name(self) -> str:
        """The connection's id."""
        return self._name

    @property
    def tenant(self) -> str:
        """Company and division: their keys are their own."""
        return "/".join(part for part in (self._options.company, self._options.division) if part)

    @property
    def settle_seconds(self) -> float:
        """Our own deadline plus what M3 may still work after it."""
        return self._gateway.timeout + self._options.remote_timeout
