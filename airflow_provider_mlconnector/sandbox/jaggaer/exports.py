"""Messages JAGGAER would push to a buyer's endpoint or folder, as files: ``POST /_sandbox/exports``.

Takes ``{"since"?: ISO time with zone, "kinds"?: [...], "fault"?: "unescaped_ampersand"}`` and answers ``{"now",
"files": [{"name", "kind", "key", "content"}]}``, the contents being texts that may be no XML under the fault. Kinds:

* ``purchase_order``: one PurchaseOrderMessage per state an order went through since then, so that every revision is a
  file of its own and a test may deliver them in any order;
* ``invoice``: one BuyerInvoiceExportMessage per invoice updated since then, as it is now;
* ``supplier``: one SupplierSyncMessage per supplier changed since then, with what TSM knows of it;
* ``cxml_order``, only where asked for: one cXML OrderRequest per state of an order, as the supplier is sent it (§4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lxml import etree

from airflow_provider_mlconnector.sandbox.jaggaer import cxml_forms, invoice_xml, order_xml, tsm, wire, xmlio
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_FAULT = "unescaped_ampersand"


class Record(NamedTuple):
    """What goes into one message: its key, the name of its version, its moment, and the element itself."""

    key: str
    version: str
    moment: datetime
    content: etree._Element


def export(books: Books, body: dict[str, Any]) -> dict[str, Any]:
    """Return the files of one export.

    Raises:
        ValueError: An unknown kind or fault, or a time without zone.
    """
    since = datetime.fromisoformat(body["since"]) if body.get("since") else _BEGINNING
    fault, kinds = body.get("fault"), body.get("kinds", list(_ROOTS))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if since.tzinfo is None or unknown or fault not in (None, _FAULT):
        message = f"an export takes a time with zone, kinds of {', '.join(KINDS)} and the fault {_FAULT}"
        raise ValueError(message)
    files = [_file(books, kind, record, fault) for kind in kinds for record in KINDS[kind](books, since)]
    return {"now": books.clock.now().isoformat(), "files": files}


def _file(books: Books, kind: str, record: Record, fault: str | None) -> dict[str, str]:
    key, version, _, content = record
    root, name = content, content.tag
    if kind in _ROOTS:
        name = _ROOTS[kind]
        root = _message(books, kind, record)
    text = xmlio.serialize(root).decode()
    if fault == _FAULT:
        text = text.replace("&amp;", "&")
    return {"name": f"{name}-{version}.xml", "kind": kind, "key": key, "content": text}


def _message(books: Books, kind: str, record: Record) -> etree._Element:
    _, version, moment, content = record
    root = etree.Element(_ROOTS[kind], version="1.0")
    header = {
        # the same record in the same version has the same id, however often it is exported
        "MessageId": f"export-{kind}-{version}",
        "Timestamp": wire.timestamp(moment),
        "Authentication": {"Identity": "JAGGAER", "SharedSecret": books.options.router_secret},
    }
    root.append(xmlio.build("Header", header))
    root.append(content)
    return root


def _orders(books: Books, since: datetime) -> Iterator[Record]:
    for history in books.orders.history().values():
        for index, state in enumerate(history):
            if state.at < since:
                continue
            header = state.document["header"]
            version = f"{header['poNumber']}-{index}-r{header['revisionNumber']}"
            content = order_xml.encode(state.document, state.event, distributed=state.distributed)
            yield Record(header["poNumber"], version, state.at, content)


def _cxml_orders(books: Books, since: datetime) -> Iterator[Record]:
    for history in books.orders.history().values():
        for index, state in enumerate(history):
            if state.at >= since:
                header = state.document["header"]
                version = f"{header['poNumber']}-{index}-r{header['revisionNumber']}"
                yield Record(header["poNumber"], version, state.at, cxml_forms.order_request(books, index, state))


def _invoices(books: Books, since: datetime) -> Iterator[Record]:
    for invoice_id in books.invoices.matching(f"lastUpdate>={wire.timestamp(since)}"):
        invoice = books.invoices.get(invoice_id)
        assert invoice is not None  # noqa: S101 - it was just found
        header = invoice["header"]
        moment = datetime.fromisoformat(header["lastUpdate"])
        version = f"{header['invoiceNumber']}-{moment:%Y%m%d%H%M%S%f}"
        yield Record(header["invoiceNumber"], version, moment, invoice_xml.encode(invoice))


def _suppliers(books: Books, since: datetime) -> Iterator[Record]:
    for row in books.suppliers:
        if row.changed >= since and row.profile.get("type") == "SELLER":
            content = etree.Element("SupplierRequestMessage")
            content.append(tsm.encode(row))
            version = f"{row.bravo_id}-{row.changed:%Y%m%d%H%M%S%f}"
            yield Record(row.number, version, row.changed, content)


_ROOTS = {
    "purchase_order": "PurchaseOrderMessage",
    "invoice": "BuyerInvoiceExportMessage",
    "supplier": "SupplierSyncMessage",
}
KINDS: dict[str, Callable[[Books, datetime], Iterator[Record]]] = {
    "purchase_order": _orders,
    "invoice": _invoices,
    "supplier": _suppliers,
    "cxml_order": _cxml_orders,
}
"""Kind → what of it there is to export since a moment."""
