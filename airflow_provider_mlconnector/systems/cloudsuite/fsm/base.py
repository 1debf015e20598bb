"""What FSM's sources share."""

from __future__ import annotations

from datetime import datetime

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.cloudsuite.fsm.landmark import LandmarkClient
from airflow_provider_mlconnector.systems.cloudsuite.fsm.options import FsmOptions
from airflow_provider_mlconnector.systems.ports import SourceRecord
from airflow_provider_mlconnector.systems.reading import OpenSource

COST_CENTERS = "AccountingUnit"


class FsmSource(OpenSource):
    """Lists of one tenant. Nothing public tells what changed since a moment, so each pass reads all there is.

    Args:
        name: The Airflow connection's id.
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, gateway: Gateway, options: FsmOptions) -> None:
        self.name = name
        self._gateway = gateway
        self._options = options
        self._fsm = LandmarkClient(gateway, options)

    @property
    def tenant(self) -> str:
        """The company, or the tenant where all companies are read: its keys are its own."""
        return self._options.company or self._gateway.tenant

    def remote_time(self) -> datetime:
        """Return the remote's clock (aware, UTC), as the answer to a small list tells it.

        Raises:
            ProtocolError: The answer carries no Date header.
        """
        code = self._options.called("cost_center.code")
        page = next(iter(self._fsm.pages(COST_CENTERS, [code], limit=1)))
        if page.date is None:
            msg = f"{self._fsm.where}: answers carry no Date header, so FSM's clock is unknown"
            raise ProtocolError(msg)
        return page.date

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record: lists say everything."""
        return record
