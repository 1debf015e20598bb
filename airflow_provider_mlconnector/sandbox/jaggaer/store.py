"""The tenant's invoices: generated ones on demand, edited and added ones kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.generator import Generator
from airflow_provider_mlconnector.sandbox.jaggaer import fiql, recipes, wire
from airflow_provider_mlconnector.sandbox.jaggaer.draft import Draft
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, Shape, edited

_CACHED_FILTERS = 8


class InvoiceStore:
    """Answers lists and details over the generator and an overlay of documents changed since."""

    shape = Shape(("jiinvoiceList", "jiinvoice"))

    def __init__(self, generator: Generator, *, order: str, with_lines: bool = False) -> None:
        self._generator, self._order, self._with_lines = generator, order, with_lines
        self._overlay: dict[int, Document] = {}
        self._labels: dict[int, str] = {}
        self._hidden: set[int] = set()
        self._generated: dict[str, list[int]] = {}
        self._views: dict[str, list[int]] = {}
        self._numbers: dict[str, dict[int, None]] | None = None

    def get(self, invoice_id: int) -> Document | None:
        """Return the detail of one invoice, or None."""
        if invoice_id in self._overlay:
            return self._overlay[invoice_id]
        return wire.document(self._generator.draft(invoice_id)) if invoice_id in self._generator.ids else None

    def header(self, invoice_id: int) -> Document:
        """Return the header of an invoice known to exist."""
        if invoice_id in self._overlay:
            header: Document = self._overlay[invoice_id]["header"]
            return header
        return wire.header(self._generator.draft(invoice_id))

    def row(self, invoice_id: int, query: Mapping[str, str]) -> Document:  # noqa: ARG002 - one face for all lists
        """Return a list row: the header, or the whole document where the tenant's lists have lines."""
        if self._with_lines:
            return self.get(invoice_id) or {}
        return {"header": self.header(invoice_id)}

    def matching(self, filter_text: str) -> Sequence[int]:
        """Return the ids of listed invoices that match ``flt``, in list order.

        Raises:
            fiql.FilterError: The filter cannot be understood.
        """
        if filter_text not in self._views:
            if len(self._views) >= _CACHED_FILTERS:
                self._views.clear()
                self._generated.clear()
            self._views[filter_text] = self._view(filter_text)
        return self._views[filter_text]

    def hide_first(self, count: int, filter_text: str) -> None:
        """Take the first ``count`` matching rows out of every list, as an archive run while a client pages."""
        self._hidden.update(self.matching(filter_text)[:count])
        self._views.clear()

    def touch_first(self, count: int, filter_text: str, moment: datetime) -> None:
        """Save the first ``count`` matching rows anew, as somebody may while a client pages: only the stamp changes."""
        for invoice_id in self.matching(filter_text)[:count]:
            self.edit(invoice_id, {}, moment)

    def edit(self, invoice_id: int, changes: dict[str, Any], now: datetime) -> Document:
        """Set dotted paths (digits index lists) in one invoice and stamp ``lastUpdate``; return its header.

        Raises:
            ValueError: Unknown invoice, or a path that does not lead into the document.
        """
        found = self.get(invoice_id)
        if found is None:
            message = f"no invoice {invoice_id}"
            raise ValueError(message)
        document = edited(found, {"header.lastUpdate": wire.timestamp(now), **changes})
        self._keep(invoice_id, document, self._labels.get(invoice_id))
        header: Document = document["header"]
        return header

    def add(self, body: Document, now: datetime, label: str = "added") -> Document:
        """Add an invoice given in wire form; id, JAGGAER number and lastUpdate are filled in where absent."""
        header = dict(body["header"])
        invoice_id = int(header.setdefault("invoiceId", self.next_id()))
        header.setdefault("invoiceNumber", wire.number(invoice_id))
        header.setdefault("originalInvoiceNumber", header["invoiceNumber"])
        header.setdefault("lastUpdate", wire.timestamp(now))
        document = {"header": header, "lineList": body.get("lineList", {"invoiceLine": []})}
        self._keep(invoice_id, document, label)
        return header

    def generate(self, label: str, now: datetime, *, lines: int | None = None) -> Document:
        """Add one more invoice made by the recipe ``label``, or a sound one with ``lines`` lines."""
        invoice_id = self.next_id()
        draft = self._generator.draft(invoice_id, label) if lines is None else self._generator.big(invoice_id, lines)
        draft.last_update = now
        document = wire.document(draft)
        self._keep(invoice_id, document, label)
        header: Document = document["header"]
        return header

    def take(self, drafts: Iterable[Draft]) -> None:
        """Take further invoices in; their ids are those of ``next_id`` and up."""
        for draft in drafts:
            self._keep(draft.id, wire.document(draft), draft.label)

    def numbered(self, number: str) -> Iterable[int]:
        """Return the ids of invoices that have a supplierInvoiceNumber now; indexed at the first call."""
        if self._numbers is None:
            self._numbers = {}
            for invoice_id in (*self._generator.ids, *self._overlay):
                self._index(invoice_id, self._numbers)
        found = self._numbers.get(number, ())
        return [i for i in found if self.header(i).get("supplierInvoiceNumber") == number]

    def truth(self) -> dict[str, dict[str, Any]]:
        """Return, per invoice id, what was generated and what the tenant now shows."""
        rows = {str(i): _truth(self._generator.draft(i)) for i in self._generator.ids if i not in self._overlay}
        for invoice_id, document in self._overlay.items():
            label = self._labels.get(invoice_id) or self._generator.label(invoice_id)
            rows[str(invoice_id)] = _truth_of_document(document, label) | {"edited": invoice_id in self._generator.ids}
        return rows

    def next_id(self) -> int:
        """Return the id of the next invoice to come."""
        return max(self._generator.ids.stop, wire.FIRST_ID, *(known + 1 for known in self._overlay), 0)

    def _keep(self, invoice_id: int, document: Document, label: str | None) -> None:
        self._overlay[invoice_id] = document
        if label:
            self._labels[invoice_id] = label
        if self._numbers is not None:
            self._index(invoice_id, self._numbers)
        self._views.clear()

    def _index(self, invoice_id: int, numbers: dict[str, dict[int, None]]) -> None:
        numbers.setdefault(str(self.header(invoice_id).get("supplierInvoiceNumber")), {})[invoice_id] = None

    def _view(self, filter_text: str) -> list[int]:
        clauses = fiql.parse(filter_text)
        if filter_text not in self._generated:
            ids = self._candidates(clauses)
            self._generated[filter_text] = [i for i in ids if self._generated_matches(i, clauses)]
        changed = [
            i
            for i, document in self._overlay.items()
            if all(clause.holds_for(document["header"]) for clause in clauses)
        ]
        view = [i for i in self._generated[filter_text] if i not in self._overlay] + changed
        view = [i for i in view if i not in self._hidden]
        return sorted(view, key=self._last_update if self._order == "lastUpdate" else None)

    def _candidates(self, clauses: tuple[fiql.Clause, ...]) -> Iterable[int]:
        """Return the generated ids worth testing: a filter by one supplierInvoiceNumber goes by the index."""
        for clause in clauses:
            if (clause.key, clause.op) == ("supplierInvoiceNumber", "=="):
                return [i for i in self.numbered(str(clause.values[0])) if i in self._generator.ids]
        return self._generator.ids

    def _generated_matches(self, invoice_id: int, clauses: tuple[fiql.Clause, ...]) -> bool:
        """Decide by the cheap fields first; build the invoice only for what they leave open."""
        cheap = self._generator.statuses(invoice_id)
        rest = []
        for clause in clauses:
            if clause.key not in cheap:
                rest.append(clause)
            elif not clause.matches(cheap[clause.key]):
                return False
        if not rest:
            return True
        header = wire.header(self._generator.draft(invoice_id))
        return all(clause.holds_for(header) for clause in rest)

    def _last_update(self, invoice_id: int) -> tuple[datetime, int]:
        if invoice_id in self._overlay:
            return fiql.moment(self._overlay[invoice_id]["header"]["lastUpdate"]), invoice_id
        return self._generator.last_update(invoice_id), invoice_id


def _truth(draft: Draft) -> dict[str, Any]:
    return {
        "label": draft.label,
        "kind": "credit_memo" if draft.type == "Credit memo" else "invoice",
        "good": draft.label in recipes.GOOD,
        "currency": draft.currency,
        "gross": str(draft.total),
        "supplier": None if "supplierNumber" in draft.empty else draft.supplier.number,
        "number": None if "supplierInvoiceNumber" in draft.empty else draft.number,
        "invoice_date": draft.invoice_date.isoformat(),
        "invoice_number": wire.number(draft.id),
        "original": draft.original,
        "edited": False,
    }


def _truth_of_document(document: Document, label: str) -> dict[str, Any]:
    header = document["header"]
    total, supplier = header.get("total", {}), header.get("supplier", {})
    credit = header.get("invoiceType") == "Credit memo"
    return {
        "label": label,
        "kind": "credit_memo" if credit else "invoice",
        "good": label in recipes.GOOD if label in recipes.RECIPES else None,
        "currency": total.get("currency"),
        "gross": str(Decimal(str(total["value"]))) if "value" in total else None,
        "supplier": supplier.get("supplierNumber") or None,
        "number": header.get("supplierInvoiceNumber") or None,
        "invoice_date": str(header.get("invoiceDate", ""))[:10] or None,
        "invoice_number": header.get("invoiceNumber"),
        "original": header.get("originalInvoiceNumber") if credit else None,
    }
