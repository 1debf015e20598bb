"""One SYSPRO company as every source and target of it shares it: operator, lease, log-on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions


class SysproSystem:
    """A company, and the one session its operator may have.

    Args:
        name: The Airflow connection's id.
        client: For the operator and company of the connection.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, client: SysproClient, options: SysproOptions) -> None:
        self._name = name
        self._client = client
        self._options = options

    @property
    def name(self) -> str:
        """The connection's id."""
        return self._name

    @property
    def tenant(self) -> str:
        """The company: its keys are its own."""
        return self._options.company

    @property
    def operator_lease(self) -> str:
        """One session per operator: the installation, company and operator, however many connections share them."""
        who = (self._client.transport.authority, self._client.company, self._client.operator)
        return "syspro:" + ":".join(part.strip().lower() for part in who)

    @property
    def settle_seconds(self) -> float:
        """Our own deadline plus what SYSPRO may still work after it."""
        return self._client.transport.timeout + self._options.remote_timeout

    @contextmanager
    def logged_on(self) -> Iterator[SysproClient]:
        """Log on afresh, which ends any session a lost worker still holds, and log off at the end.

        The caller holds :attr:`operator_lease`.
        """
        self._client.logon()
        try:
            yield self._client
        finally:
            self._client.logoff()
