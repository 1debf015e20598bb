"""GrnDetails of APSTIN: which receipts an invoice takes, and how much of each (reference/syspro.md §2.1).

What SYSPRO refuses here is not recorded (SIM): a receipt that is not there or not told apart from others, and more than
is left of it. It does not compare the values with the invoice's: the ledger lines are the sender's to supply.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.documents import children
from airflow_provider_mlconnector.sandbox.syspro.fields import Fields, Findings
from airflow_provider_mlconnector.sandbox.syspro.receipts import GRN_SOURCE, Match, Receipt

QUANTITY_SCALE = 6
TAG = "GrnDetails"
Taken = Mapping[str, Decimal]
"""Quantities that earlier parts of the same document take, by GrnDetailKey."""


class GrnCheck:
    """Reads the ``GrnDetails`` of one item."""

    def __init__(self, item: etree._Element, *, books: Books, supplier: str, findings: Findings, taken: Taken) -> None:
        self._item = item
        self._books = books
        self._supplier = supplier
        self._findings = findings
        self._taken = dict(taken)

    def matches(self) -> tuple[Match, ...]:
        """Return what the item takes of which receipts; what cannot be taken is a finding."""
        found = []
        for number, element in enumerate(children(self._item, TAG), 1):
            f = Fields(element, self._findings, oversize=self._books.options.oversize, at=(TAG, number))
            receipt = self._receipt(f)
            match = None if receipt is None else self._match(receipt, f)
            if match is not None:
                found.append(match)
                self._taken[match.receipt.key] = self._taken.get(match.receipt.key, Decimal()) + match.quantity
        return tuple(found)

    def _receipt(self, f: Fields) -> Receipt | None:
        """Return the one receipt that is meant: by GrnDetailKey, which is ignored once GrnSupplier is given (§2.1)."""
        supplier, whole = f.text("GrnSupplier"), f.text("GrnDetailKey")
        if whole and not supplier:
            receipt = self._books.receipts.keyed(whole)
            candidates = [] if receipt is None else [receipt]
        else:
            key = self._books.supplier_key(supplier) or self._supplier
            candidates = [row for row in self._books.receipts.noted(key, f.text("GrnGrn")) if _is_meant(row, f)]
        if len(candidates) == 1:
            return candidates[0]
        named = "GrnDetailKey" if whole and not supplier else "GrnGrn"
        f.findings.fail("grn_ambiguous" if candidates else "grn_missing", named, f.text(named), f.at)
        return None

    def _match(self, receipt: Receipt, f: Fields) -> Match | None:
        left = receipt.outstanding - self._taken.get(receipt.key, Decimal())
        if left <= 0:
            f.findings.fail("grn_matched", "GrnGrn", f.text("GrnGrn"), f.at)
            return None
        kind = f.choice("GrnMatchType", "PUO", "U")
        if kind == "O":
            return Match(receipt, left, receipt.outstanding_value, full=True)
        value = f.amount("GrnPartialMatchValue" if kind == "P" else "GrnMatchValue")
        if value is None:
            f.needed("GrnPartialMatchValue" if kind == "P" else "GrnMatchValue")
            return None
        if kind == "U":
            return Match.of(receipt, left, value, full=True)
        quantity = f.number("GrnPartialMatchQuantity", QUANTITY_SCALE)
        if quantity is None or not 0 < quantity <= left:
            sent = f.text("GrnPartialMatchQuantity")
            f.findings.fail("grn_quantity", "GrnPartialMatchQuantity", sent, f.at)
            return None
        return Match.of(receipt, quantity, value, full=quantity == left)


def _is_meant(row: Receipt, f: Fields) -> bool:
    """Whether a line of the note agrees with whatever else of its key is given."""
    flag, journal, entry = f.text("GrnFlag"), f.text("GrnJournal"), f.text("GrnEntry")
    return (
        flag in {"", GRN_SOURCE}
        and (not journal or _number(journal) == row.journal)
        and (not entry or _number(entry) == row.entry)
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1
