"""One CSI configuration as every source and target of it shares it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import IdoClient
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway


class CsiSystem:
    """A configuration: one site's data.

    Args:
        name: The Airflow connection's id.
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, gateway: Gateway, options: CsiOptions) -> None:
        self._name = name
        self._gateway = gateway
        self._options = options
        self._ido = IdoClient(gateway, options)
        self._zone = ZoneInfo(options.time_zone)

    @property
    def name(self) -> str:
        """The connection's id."""
        return self._name

    @property
    def tenant(self) -> str:
        """The configuration: its keys are its own."""
        return self._options.configuration

    @property
    def settle_seconds(self) -> float:
        """Our own deadline plus what CSI may still work after it."""
        return self._gateway.timeout + self._options.remote_timeout
