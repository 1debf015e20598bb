"""Documents of the ledger in the other side's codes: the maps read backwards (FINANCE §4).

As a code list does, a document names a code that is not mapped by the ledger's own name, unless that means another code
there. But where a list can hold several names of one code, a document must choose, and that is a person's to settle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from airflow_provider_mlconnector.documents.invoice import Allocation, Invoice, InvoiceLine, PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.documents.translated import TranslatedInvoice, TranslatedOrder
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.mapping.model import CodeMap, MappingSet, look_back, look_up


def translate_order(order: PurchaseOrder, mapping: MappingSet, *, version: int) -> TranslatedOrder:
    """Put an order of the ledger into the other side's codes; codes with effective dates are those of the order date.

    What is canceled, the order or a line, needs no codes to be taken back: its accounts are left out.

    Args:
        order: As the ledger states it.
        mapping: The code maps, whose targets are the ledger's codes.
        version: Which version of the mapping this is; kept for the audit.

    Raises:
        Parked: A code cannot be named, and is the subject: ``unmapped_currency``, ``unmapped_terms``, ``unmapped_unit``
            (not in the map, or the target of several codes), ``ambiguous_account``, ``ambiguous_cost_center`` (it has
            several names), ``code_clash`` (it has none, and its own means another code).
    """
    names = _Names(mapping, order.order_date)
    canceled = order.status is OrderStatus.CANCELED
    changes: dict[str, Any] = {"lines": tuple(_order_line(line, names, canceled=canceled) for line in order.lines)}
    if not canceled:
        changes |= {"currency": names.only(mapping.currencies, order.currency, "currency")}
        changes |= {"terms": _terms(order.terms, names)}
    return TranslatedOrder(order=order.model_copy(update=changes), mapping_version=version)


def translate_invoice(invoice: Invoice, mapping: MappingSet, *, version: int) -> TranslatedInvoice:
    """Put an invoice of the ledger into the other side's codes, those of its accounting date, else of its own.

    Args:
        invoice: As the ledger states it.
        mapping: The code maps, whose targets are the ledger's codes.
        version: Which version of the mapping this is; kept for the audit.

    Raises:
        Parked: As :func:`translate_order`.
        Rejected: It is not sound in itself (:func:`~...documents.validation.check_invoice`).
    """
    names = _Names(mapping, invoice.accounting_date or invoice.invoice_date)
    changes = {
        "currency": names.only(mapping.currencies, invoice.currency, "currency"),
        "terms": _terms(invoice.terms, names),
        "lines": tuple(_invoice_line(line, names) for line in invoice.lines),
    }
    translated = invoice.model_copy(update=changes)
    check_invoice(translated)  # in the translated currency, whose decimals the amounts must fit
    return TranslatedInvoice(invoice=translated, mapping_version=version)


@dataclass(slots=True)
class _Names:
    """Names codes once per document; thousands of lines share few of them."""

    mapping: MappingSet
    day: date
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    def only(self, codes: CodeMap, code: str, what: str) -> str:
        """Return the one code that means a code of the ledger."""
        found = look_back(codes, code, self.day)
        if len(found) == 1:
            return found[0]
        if found:
            text = f"{what} {code} of the ledger stands for {_listed(found)}: one of them must go"
        else:
            text = f"{what} {code} of the ledger is no target of the mapping on {self.day}"
        raise Parked(text, code=f"unmapped_{what}", subject=code)

    def account(self, code: str) -> str:
        return self._named(self.mapping.accounts, code, "account")

    def cost_center(self, code: str) -> str:
        return self._named(self.mapping.cost_centers.map, code, "cost center")

    def unit(self, code: str) -> str:
        """Return the unit's code; a mapping without units takes them as they are."""
        return self.only(self.mapping.units, code, "unit") if code and self.mapping.units else code

    def _named(self, codes: CodeMap, code: str, what: str) -> str:
        if not code:
            return ""
        if (what, code) not in self._known:
            self._known[what, code] = self._name(codes, code, what)
        return self._known[what, code]

    def _name(self, codes: CodeMap, code: str, what: str) -> str:
        found = look_back(codes, code, self.day)
        if len(found) == 1:
            return found[0]
        if found:
            msg = f"{what} {code} of the ledger has the names {_listed(found)}: the mapping must leave it one"
            raise Parked(msg, code=f"ambiguous_{what.replace(' ', '_')}", subject=code)
        meant = look_up(codes, code, self.day)
        if meant is None:
            return code
        msg = (
            f"{what} {code} of the ledger is not mapped, and on the other side {code} means {meant}: map it to another"
            " name"
        )
        raise Parked(msg, code="code_clash", subject=code)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))


def _terms(terms: PaymentTerms | None, names: _Names) -> PaymentTerms | None:
    if terms is None or not terms.code:
        return terms
    return terms.model_copy(update={"code": names.only(names.mapping.terms, terms.code, "terms")})


def _order_line(line: OrderLine, names: _Names, *, canceled: bool) -> OrderLine:
    if canceled or line.is_canceled:
        return line.model_copy(update={"allocations": (), "unit": ""})
    return line.model_copy(update={"allocations": _allocations(line.allocations, names), "unit": names.unit(line.unit)})


def _invoice_line(line: InvoiceLine, names: _Names) -> InvoiceLine:
    return line.model_copy(update={"allocations": _allocations(line.allocations, names), "unit": names.unit(line.unit)})


def _allocations(parts: Sequence[Allocation], names: _Names) -> tuple[Allocation, ...]:
    return tuple(
        part.model_copy(
            update={"account": names.account(part.account), "cost_center": names.cost_center(part.cost_center)}
        )
        for part in parts
    )
