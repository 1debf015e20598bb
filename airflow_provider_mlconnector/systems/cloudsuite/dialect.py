"""The seam between the gateway and a product's own language: what a dialect must bring (reference/cloudsuite.md §4e).

A dialect is a folder beside this module. Its ``dialect.py`` holds one :class:`Dialect`, imported only when a connection
chooses it, and light: what it names is imported when it is used. docs/dialects.md shows how to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from airflow_provider_mlconnector.systems.call import Params, Reply
from airflow_provider_mlconnector.systems.cloudsuite.options import CloudSuiteOptions
from airflow_provider_mlconnector.systems.ports import Fence
from airflow_provider_mlconnector.systems.transport import Effect

Place = tuple[str, str]
"""Module below the dialect's package, and a name in it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a connection test looked at; a ``warning`` is missed only by flows that may not be in use."""

    name: str
    ok: bool
    message: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """One product.

    Sources, targets and the ledger are classes called with ``(name, gateway, options)``: the Airflow connection's id,
    a :class:`Gateway` and the dialect's own options.

    Attributes:
        name: As chosen in the connection.
        title: For people.
        options: Its model of options; unknown ones are refused there.
        sources: Kind of document → class that implements ``ports.DocumentSource``.
        targets: Kind of document → class that implements ``ports.DocumentTarget``.
        probe: Function called with ``(gateway, options, needed)``, which logs in, tries what the kinds of documents in
            ``needed`` (empty: all of them) ask for, changes nothing, and returns an iterable of :class:`Finding`.
        ledger: Class that implements ``ports.LedgerFigures``; None where the dialect cannot be reconciled.
        refused: Kind of document → why this dialect cannot carry it, in words for people.
    """

    name: str
    title: str
    options: type[CloudSuiteOptions]
    sources: Mapping[str, Place]
    targets: Mapping[str, Place]
    probe: Place
    ledger: Place | None = None
    refused: Mapping[str, str] | None = None


class Gateway(Protocol):
    """The ION API Gateway as dialects see it: token, pace, repeats of reads and gateway errors are its own business."""

    @property
    def connection(self) -> str:
        """The Airflow connection's id, for messages."""
        ...

    @property
    def tenant(self) -> str:
        """The tenant's id (``ti``)."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds one request may take in all."""
        ...

    def get(
        self,
        path: str,
        name: str,
        *,
        params: Params = (),
        headers: Mapping[str, str] | None = None,
        accepts: frozenset[int] = frozenset(),
    ) -> Reply:
        """Read.

        Args:
            path: Below the tenant, such as ``/CSI/IDORequestService/ido/load/SLPos``.
            name: What logs and errors call the request.
            params: Query.
            headers: Beside authorization and ``Accept: application/json``.
            accepts: Statuses besides 200 that the caller reads itself.

        Raises:
            ConfigurationError: No such suite or path, or not allowed (403, 404, 405), with the gateway's own words.
            MLConnectorError: As ``Transport.send``; 401 was answered by a new token and repeated once.
        """
        ...

    def post(
        self,
        path: str,
        name: str,
        body: object,
        *,
        effect: Effect,
        params: Params = (),
        headers: Mapping[str, str] | None = None,
        fence: Fence | None = None,
        accepts: frozenset[int] = frozenset(),
    ) -> Reply:
        """Send a JSON body (anything JSON-able; Decimal as a plain number).

        Args:
            path: See :meth:`get`, as all others.
            name: See :meth:`get`.
            body: The document.
            effect: ``READ`` for queries that travel by POST, ``WRITE``, or ``ABSOLUTE`` where repeating is safe.
            params: Query.
            headers: See :meth:`get`.
            fence: Checked right before the bytes of a write leave.
            accepts: Statuses besides 200 that are a parsed business answer of the product.

        Raises:
            AmbiguousOutcome: A write left and no answer came that the caller could read.
            MLConnectorError: Any other is proof that nothing was executed.
        """
        ...
