"""Which business object answers what, and the record of documents refused before any of them saw an item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import (
    apsssp,
    apstin,
    apstri,
    browse,
    comfnd,
    gentjl,
    gl_structure,
    po_queries,
    portoi,
    queries,
    wire,
)
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.documents import text_of
from airflow_provider_mlconnector.sandbox.syspro.records import Origin, WriteAttempt
from airflow_provider_mlconnector.sandbox.syspro.tables import Table
from airflow_provider_mlconnector.sandbox.syspro.wire import EnetError

Query = Callable[[Books, str], str]
TableQuery = Callable[[Books, Mapping[str, Table], str], str]
Write = Callable[..., str]
"""Takes the books, ``xml_parameters``, ``xml_in`` and ``origin``; returns the answer."""
TABLE_QUERIES: dict[str, TableQuery] = {"COMFND": comfnd.find, "COMBRW": browse.browse, "COMFCH": browse.fetch}
"""What reads any table. COMBRW and COMFCH have calls of their own, which imply them (§1.1)."""
_QUERIES: dict[str, Query] = {
    "GENQGL": queries.ledger_code,
    "GENQRY": queries.ledger_query,
    "APSQRY": queries.supplier_query,
    "GENQST": gl_structure.structure,
    "GENQ08": gl_structure.account_list,
    "PORQRY": po_queries.order_query,
    "PORQPO": po_queries.order_list,
}
_WRITES: dict[tuple[str, str], Write] = {
    ("Post", "APSTIN"): apstin.post,
    ("Post", "APSTRI"): apstri.post,
    ("Post", "GENTJL"): gentjl.post,
    ("Post", "PORTOI"): portoi.post,
    ("SetupAdd", "APSSSP"): partial(apsssp.setup, method="Add"),
    ("SetupUpdate", "APSSSP"): partial(apsssp.setup, method="Update"),
    ("SetupDelete", "APSSSP"): partial(apsssp.setup, method="Delete"),
}
SETUP_PREFIX = "Setup"
_TYPES = ("TransactionCode", "OrderActionType", "JournalType", "TransactionType")
_VALUES = ("TransactionValue", "InvoiceValue")
_REFERENCES = ("TransactionReference", "JournalReference", "CustomerPoNumber", "Reference")


def query(books: Books, tables: Mapping[str, Table], name: str, xml_in: str) -> str:
    """Answer a query business object.

    Raises:
        EnetError: If the site does not have it, or it refuses the question.
    """
    if name in TABLE_QUERIES:
        return TABLE_QUERIES[name](books, tables, xml_in)
    if name not in _QUERIES:
        raise EnetError(wire.NOT_LICENSED)
    return _QUERIES[name](books, xml_in)


def write(books: Books, call: str, name: str, *, xml_parameters: str, xml_in: str, origin: Origin) -> str:
    """Let a setup or transaction business object do its work; ``call`` is ``Post`` or ``SetupAdd`` and so on.

    Raises:
        EnetError: If the site does not have it, or it refuses the document as a whole.
    """
    if (call, name) not in _WRITES:
        raise EnetError(wire.NOT_LICENSED)
    return _WRITES[call, name](books, xml_parameters=xml_parameters, xml_in=xml_in, origin=origin)


def refused(call: str, name: str, xml_in: str, origin: Origin, reason: str) -> Iterator[WriteAttempt]:
    """Yield the write attempts of a document refused as a whole: one per item that can be made out."""
    items: list[etree._Element | None] = [None]
    with suppress(EnetError):  # what is no XML still was an attempt
        root = wire.read_xml(xml_in)
        items = [*root.iterchildren("Item", "Orders")] or items
    for item in items:
        yield WriteAttempt(
            origin=origin, bo=name.upper(), supplier=text_of(item, ".//Supplier"), invoice=text_of(item, "Invoice"),
            type=call.removeprefix(SETUP_PREFIX) if call.startswith(SETUP_PREFIX) else _first(item, _TYPES),
            value=_first(item, _VALUES), outcome="refused", reason=reason, reference=_first(item, _REFERENCES),
            key=text_of(item, ".//PurchaseOrder") if item is not None and item.tag == "Orders" else "",
        )  # fmt: skip


def _first(item: etree._Element | None, names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := text_of(item, f".//{name}"))), "")
