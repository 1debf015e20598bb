"""Invoices of purchase orders: what they cost clears what their receipts accrued, once (FINANCE §1).

A line that bills goods takes them from the open receipts of its order line, oldest first. At the receipts' own value
its cost goes to the suspense account; what it asks beyond that, or below it, to the variance account. So a cost that
was booked at the receipt is not booked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coding import BilledLine, CodedInvoice, Posting
from airflow_provider_mlconnector.documents.currency import add, round_to_minor
from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind, InvoiceLine
from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems.ports import Known
from airflow_provider_mlconnector.systems.syspro.apstin import ReceiptMatch
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import PoLines, SysproOptions
from airflow_provider_mlconnector.systems.syspro.receipts import Receipt, key_of, order_line

_SUBJECT = "PO lines"


@dataclass(frozen=True)
class Cleared:
    """An invoice ready to post: its postings as they shall be, the receipts it takes, and who takes none.

    ``unmatched`` are the numbers of the lines that cost something and take no receipt.
    """

    coded: CodedInvoice
    receipts: tuple[ReceiptMatch, ...]
    unmatched: tuple[int, ...]


def clear(
    coded: CodedInvoice,
    orders: Mapping[str, Known],
    reference: Mapping[str, Any],
    options: SysproOptions,
    *,
    supplier: str,
    foreign: bool,
) -> Cleared:
    """Match an invoice with receipts and post it accordingly.

    Args:
        coded: The invoice on its lines' own accounts.
        orders: What SYSPRO holds of the orders it bills.
        reference: Has ``receipts``, from :func:`.receipts.read_receipts`.
        options: What to do with lines of orders.
        supplier: The supplier's number in SYSPRO.
        foreign: Whether the supplier's currency is not the company's.

    Raises:
        Parked: ``po_receipt_unknown`` (the route keeps such invoices back), ``order_line_unknown``, ``order_supplier``,
            ``order_currency``, ``order_unit``, ``credit_of_receipt``, ``receipt_returned``, ``not_received``,
            ``suspense_account_missing``, ``variance_account_missing``.
    """
    lines = coded.invoice.lines
    if options.po_lines is not PoLines.RECEIPTS:
        _keep_back(coded.invoice, options)
        return Cleared(coded, (), tuple(line.number for line in lines if line.amount))
    clearing = _Clearing(coded, orders, reference["receipts"], supplier=supplier, foreign=foreign)
    taken = {place: matches for place, line in enumerate(lines) if (matches := clearing.take(place, line))}
    unmatched = tuple(line.number for place, line in enumerate(lines) if line.amount and place not in taken)
    receipts = tuple(match for matches in taken.values() for match in matches)
    if not options.receipts_accrue:
        return Cleared(coded, receipts, unmatched)
    kept = [posting for posting in coded.postings if posting.billed not in taken]
    cleared = [posting for place, matches in taken.items() for posting in _postings(coded, place, matches)]
    return Cleared(coded.model_copy(update={"postings": (*kept, *cleared)}), receipts, unmatched)


def _keep_back(invoice: Invoice, options: SysproOptions) -> None:
    line = next((line for line in invoice.lines if line.po_number), None)
    if line is None or options.po_lines is PoLines.POST:
        return
    msg = (
        f"line {line.number} of invoice {invoice.number} refers to PO {line.po_number}, and this route keeps such "
        "invoices back (po_lines: park). Post it by hand, or let the route clear receipts (po_lines: receipts)"
    )
    raise Parked(msg, code="po_receipt_unknown", field=f"lines[{line.number}].po_number", subject=_SUBJECT)


class _Clearing:
    """Takes receipts for one line after the other; what one has taken is gone for the next."""

    def __init__(
        self,
        coded: CodedInvoice,
        orders: Mapping[str, Known],
        receipts: Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        supplier: str,
        foreign: bool,
    ) -> None:
        self._invoice = coded.invoice
        self._billed = {line.place: line for line in coded.billed}
        self._orders = orders
        self._receipts = receipts
        self._supplier = supplier
        self._foreign = foreign
        self._left: dict[str, Receipt] = {}

    def take(self, place: int, line: InvoiceLine) -> list[ReceiptMatch]:
        """Return what a line takes; nothing for what bills no order, or is never received."""
        if not line.po_number or not (line.quantity or line.amount):
            return []
        billed, order = self._billed.get(place), self._orders.get(line.po_number)
        if billed is None or order is None:
            which = f"line {line.po_line}" if line.po_line else "a line"
            self._park("order_line_unknown", line, f"bills {which} of order {line.po_number}, which it does not have")
            return []
        if not billed.received:
            return []
        if self._invoice.kind is InvoiceKind.CREDIT_MEMO or line.quantity <= 0 or line.amount < 0:
            text = (
                "gives back goods of an order; what SYSPRO makes of their receipts is not documented: book it by hand"
            )
            self._park("credit_of_receipt", line, text)
        self._agree(line, order.document, billed)
        key, there = order.result["key"], str(order.result.get("lines", {}).get(str(billed.order_line), ""))
        if not there:
            text = (
                f"bills line {billed.order_line} of order {line.po_number}; which line of SYSPRO's order {key} that is "
                "is not known: book it by hand"
            )
            self._park("order_line_unknown", line, text)
        return list(self._matches(line, str(key), there))

    def _agree(self, line: InvoiceLine, order: PurchaseOrder, billed: BilledLine) -> None:
        """Check that invoice and order speak of the same thing: supplier, currency, unit."""
        ordered = next(each for each in order.lines if each.number == billed.order_line)
        if order.supplier and normal(order.supplier) != normal(self._invoice.supplier):
            self._park("order_supplier", line, f"bills order {line.po_number} of supplier {order.supplier}")
        if order.currency != self._invoice.currency:
            self._park("order_currency", line, f"bills order {line.po_number} in {order.currency}")
        if line.unit and ordered.unit and line.unit.casefold() != ordered.unit.casefold():
            text = f"bills {line.quantity:f} {line.unit} of order {line.po_number}, which was ordered in {ordered.unit}"
            self._park("order_unit", line, text)

    def _matches(self, line: InvoiceLine, order: str, order_line_number: str) -> Iterator[ReceiptMatch]:
        receipts = self._open(line, order, order_line_number)
        wanted, blur, short = line.quantity, Decimal(0), True
        for receipt in receipts:
            if receipt.is_nothing(wanted, blur):
                break
            blur += receipt.blur
            match = self._match(receipt, wanted, blur)
            self._left[key_of(receipt)] = self._reduced(receipt, match)
            yield match
            wanted -= match.quantity
            short = not receipt.is_nothing(wanted, blur)
        if short:
            total = add(receipt.quantity for receipt in receipts)
            text = (
                f"bills {line.quantity:f} of line {order_line_number} of SYSPRO's order {order}, which has {total:f} "
                "received and not invoiced yet; it is due again once the rest is received"
            )
            self._park("not_received", line, text)

    def _open(self, line: InvoiceLine, order: str, number: str) -> list[Receipt]:
        """Return the open receipts of an order line, less what this invoice has taken already."""
        rows = [Receipt.model_validate(row) for row in self._receipts.get(order_line(order, number), ())]
        current = [self._left.get(key_of(row), row) for row in rows if normal(row.supplier) == normal(self._supplier)]
        if any(row.quantity < 0 or row.value < 0 for row in current):
            self._park(
                "receipt_returned", line, f"bills SYSPRO's order {order}, which has returned goods: book it by hand"
            )
        return [row for row in current if row.quantity > 0]

    def _match(self, receipt: Receipt, wanted: Decimal, blur: Decimal) -> ReceiptMatch:
        worth = receipt.worth(foreign=self._foreign)
        rest = receipt.is_nothing(receipt.quantity - wanted, blur)
        part = worth if rest else round_to_minor(worth * wanted / receipt.quantity, self._invoice.currency)
        return ReceiptMatch(
            supplier=receipt.supplier,
            grn=receipt.grn,
            flag=receipt.flag,
            journal=receipt.journal,
            entry=receipt.entry,
            quantity=receipt.quantity if rest else wanted,
            value=part,
            # of a receipt that an earlier line of this invoice takes from, SYSPRO would not know how much is left
            whole=rest and key_of(receipt) not in self._left,
        )

    def _reduced(self, receipt: Receipt, match: ReceiptMatch) -> Receipt:
        """Return what this invoice leaves of a receipt; its values are those in the supplier's currency."""
        rest = receipt.worth(foreign=self._foreign) - match.value
        left = {"quantity": receipt.quantity - match.quantity, "value": rest, "foreign": rest}
        return receipt.model_copy(update=left)

    def _park(self, code: str, line: InvoiceLine, text: str) -> None:
        msg = f"line {line.number} of invoice {self._invoice.number} {text}"
        raise Parked(msg, code=code, field=f"lines[{line.number}].po_number", subject=line.po_number)


def _postings(coded: CodedInvoice, place: int, matches: Sequence[ReceiptMatch]) -> Iterator[Posting]:
    """Put what a line costs onto the suspense account at the receipts' value, and the difference onto the variance.

    Tax codes stay with what they tax: the goods are what most of the line's cost is taxed under.
    """
    own = [posting for posting in coded.postings if posting.billed == place]
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    taxes: defaultdict[str, Decimal] = defaultdict(Decimal)
    for posting in own:
        amounts[posting.tax_code] += posting.amount
        taxes[posting.tax_code] += posting.tax_amount
    main = max(amounts, key=lambda code: abs(amounts[code]), default=coded.tax_code)
    value = add(round_to_minor(match.value, coded.invoice.currency) for match in matches)
    amounts[main] -= value
    common = {
        "notation": own[0].notation if own else "",
        "source_lines": (coded.invoice.lines[place].number,),
        "billed": place,
    }
    if value:
        account = _account(coded.suspense_account, "suspense", coded)
        tax = taxes.pop(main, Decimal(0))
        yield Posting(gl_code=account, amount=value, tax_code=main, tax_amount=tax, **common)
    for code, amount in amounts.items():
        if amount:
            account, tax = _account(coded.variance_account, "variance", coded), taxes.pop(code, Decimal(0))
            yield Posting(gl_code=account, amount=amount, tax_code=code, tax_amount=tax, **common)


def _account(code: str, what: str, coded: CodedInvoice) -> str:
    if not code:
        msg = f"no {what} account is mapped for company {coded.company} (receipts.{what}_account)"
        raise Parked(msg, code=f"{what}_account_missing", subject=coded.company)
    return code
