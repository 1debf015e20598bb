"""What the demo knows of the CloudSuite pair after a run: our store's side, and the simulated systems' own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.demo.facts import amount, plain_key, walk_trail
from airflow_provider_mlconnector.demo.home import Home
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor, ChainReport, DocumentRecord

INTO_CSI: Final = "jaggaer_to_cloudsuite_invoices"
INTO_JAGGAER: Final = "cloudsuite_to_jaggaer_invoices"
WRITTEN: Final = frozenset({State.SUBMITTED, State.ACCEPTED, State.POSTED})
"""States of what a route has written itself."""
Row = Mapping[str, Any]
_PAGE: Final = 500


@dataclass(frozen=True, slots=True, order=True)
class Bill:
    """An invoice or credit memo as both systems and our store must know it; a credit's ``value`` is negative."""

    supplier: str
    number: str
    currency: str
    value: Decimal

    def __str__(self) -> str:
        return f"{self.supplier} {self.number}: {self.currency} {amount(self.value, self.currency)}"


@dataclass(frozen=True, slots=True)
class CloudBooks:
    """The store's side.

    Attributes:
        documents: Invoices by route.
        chain: The audit trail of the whole store, walked.
        behind: Why the store does not continue its anchors, empty when it does.
    """

    documents: Mapping[str, Sequence[DocumentRecord]]
    chain: ChainReport
    behind: str

    def bills(self, route: str, *states: State) -> list[Bill]:
        """Return a route's invoices in these states."""
        return [_bill(document) for document in self.documents[route] if document.state in states]


def read_cloud_books(home: Home) -> CloudBooks:
    """Read both invoice routes from the store and walk its audit trail. Only after ``home.enter()``."""
    from airflow_provider_mlconnector.hooks.runtime import open_runtime

    found: dict[str, list[DocumentRecord]] = {INTO_CSI: [], INTO_JAGGAER: []}
    with open_runtime() as runtime:
        with runtime.store.unit_of_work(Actor(user="demo")) as uow:
            for route, documents in found.items():
                last = ""
                while page := uow.documents.search(route=route, limit=_PAGE, after_id=last):
                    documents.extend(page)
                    last = page[-1].id
        return CloudBooks(found, *walk_trail(runtime.store, home))


def vouchers(rows: Iterable[Row], *, by: str) -> list[Bill]:
    """Return the vouchers CSI has of ``interface``, or of ``others`` (generator and people), without deleted ones."""
    return [
        Bill(plain_key(row["VendNum"]), plain_key(row["InvNum"]), row["currency"], Decimal(row["InvAmt"]))
        for row in rows
        if (row["by"] == by or (by == "others" and row["by"] != "interface")) and row["state"] != "deleted"
    ]


def imported(rows: Iterable[Row]) -> list[Bill]:
    """Return the invoices that came into JAGGAER by its interfaces."""
    return [
        Bill(plain_key(row["supplier"]), plain_key(row["number"]), row["currency"], _signed(row["total"], row["type"]))
        for row in rows
    ]


def _bill(document: DocumentRecord) -> Bill:
    value = _signed(document.gross, document.kind)
    return Bill(plain_key(document.supplier), plain_key(document.number), document.currency, value)


def _signed(value: str, kind: str) -> Decimal:
    return -abs(Decimal(value)) if "credit" in kind.casefold() else Decimal(value)
