"""APSTRI: register AP invoices that await approval (reference/syspro.md §2.2). There is no dry run.

A second registration under one key is refused like a second invoice, by the same option (SIM: not recorded).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from lxml import etree

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro import wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.documents import Sequence, check, children, choice, load, text_of
from airflow_provider_mlconnector.sandbox.syspro.fields import Fields, Findings
from airflow_provider_mlconnector.sandbox.syspro.records import Origin, RegisteredInvoice, Supplier, WriteAttempt
from airflow_provider_mlconnector.sandbox.syspro.wire import leaf, node

ROOT = "PostApRegisterInvoice"
SUPPLIER_SIZE, INVOICE_SIZE, BRANCH_SIZE, REFERENCE_SIZE = 15, 20, 10, 30
ORDERS = 20
_ITEM = Sequence(
    names=(
        "Supplier", "Branch", "Invoice", "InvoiceValue", "DiscountBasis", "DiscountableValue",
        "DiscountPercentageValue", "Reference", "InvoiceDate", "DueDate", "DiscountDate", "ExchRateAtEntry",
        "AuthorisingPerson", "Buyer", "DateInvoiceSent", "Department", "FollowUpDate", "Narration", "eSignature",
        "Orders", "TransactionType",
    ),
    mandatory=frozenset({"Supplier", "Invoice"}),
    nested={"Orders": Sequence(names=("PurchaseOrder",), repeated=frozenset({"PurchaseOrder"}))},
)  # fmt: skip
_DOCUMENT = Sequence(
    names=("Item",), mandatory=frozenset({"Item"}), repeated=frozenset({"Item"}), nested={"Item": _ITEM}
)
_PARAMETER_DOCUMENT = Sequence(
    names=("Parameters",),
    mandatory=frozenset({"Parameters"}),
    nested={"Parameters": Sequence(names=("IgnoreWarnings", "DefaultDiscountDate", "DefaultDueDate"))},
)


@dataclass(slots=True)
class _Result:
    item: etree._Element
    findings: Findings
    stored: RegisteredInvoice | None


def post(books: Books, *, xml_parameters: str, xml_in: str, origin: Origin) -> str:
    """Register the items, each on its own; every one is recorded as a write attempt.

    Raises:
        EnetError: If a document does not match its schema.
    """
    ignore = _ignore_warnings(xml_parameters, strict=books.options.strict)
    document = load(xml_in, ROOT)
    if books.options.strict:
        check(document, _DOCUMENT)
    results = []
    for item in children(document, "Item"):
        findings = Findings(ignore)
        row = _checked(books, item, findings, origin)
        result = _Result(item, findings, None if row is None else books.register(row))
        results.append(result)
        books.attempts.append(_attempt(result, origin))
    content = "".join(_item(number, result) for number, result in enumerate(results, 1))
    return wire.answer(ROOT.lower(), content, books.options.version)


def _ignore_warnings(text: str, *, strict: bool) -> str:
    if not text.strip():
        return "N"
    root = load(text, ROOT)
    if strict:
        check(root, _PARAMETER_DOCUMENT)
    return choice(root.find("Parameters"), "IgnoreWarnings", "NYW", "N")


def _checked(books: Books, item: etree._Element, findings: Findings, origin: Origin) -> RegisteredInvoice | None:
    f = Fields(item, findings, oversize=books.options.oversize)
    supplier = _supplier(books, f)
    invoice = f.needed("Invoice", INVOICE_SIZE)
    branch = f.text("Branch", BRANCH_SIZE)
    if branch and branch not in master.BRANCHES:
        findings.fail("branch_missing", "Branch", branch)
    value = f.amount("InvoiceValue") or 0
    invoice_date = f.day("InvoiceDate", origin.at.date())
    days = books.terms_days.get(supplier.terms, 0) if supplier else 0
    due_date = f.day("DueDate", invoice_date + timedelta(days=days))
    reference = f.text("Reference", REFERENCE_SIZE)
    if supplier is not None and invoice and books.options.uniqueness:
        _uniqueness(books, supplier, invoice, findings)
    if findings.errors or supplier is None:
        return None
    return RegisteredInvoice(
        supplier=supplier.key, invoice=invoice, value=value, invoice_date=invoice_date, due_date=due_date,
        branch=branch or supplier.branch, reference=reference, origin=origin, orders=_orders(books, item),
    )  # fmt: skip


def _supplier(books: Books, f: Fields) -> Supplier | None:
    sent = f.needed("Supplier", SUPPLIER_SIZE)
    supplier = books.suppliers.get(books.supplier_key(sent))
    if supplier is None and sent:
        f.findings.fail("supplier_missing", "Supplier", sent)
    elif supplier is not None and supplier.on_hold:
        f.findings.warn("supplier_on_hold", "Supplier", sent)
    return supplier


def _uniqueness(books: Books, supplier: Supplier, invoice: str, findings: Findings) -> None:
    if books.invoices_under(supplier.key, invoice):
        findings.fail("invoice_exists", "Invoice", invoice, supplier=supplier.key)
    elif (supplier.key, invoice) in books.registered:
        findings.fail("invoice_registered", "Invoice", invoice, supplier=supplier.key)


def _orders(books: Books, item: etree._Element) -> tuple[str, ...]:
    """Return the purchase orders an item names, at most twenty; that they exist is not checked."""
    found = [(element.text or "").strip() for element in item.iterfind("Orders/PurchaseOrder")]
    return tuple(books.orders.key(number) for number in found[:ORDERS] if number)


def _attempt(result: _Result, origin: Origin) -> WriteAttempt:
    outcome: Literal["posted", "refused"] = "refused" if result.stored is None else "posted"
    return WriteAttempt(
        origin=origin, bo="APSTRI", supplier=text_of(result.item, "Supplier"),
        invoice=text_of(result.item, "Invoice"), type=text_of(result.item, "TransactionType") or "I",
        value=text_of(result.item, "InvoiceValue"), outcome=outcome, reason=result.findings.reason(),
        reference=text_of(result.item, "Reference"),
    )  # fmt: skip


def _item(number: int, result: _Result) -> str:
    """Return one item: its key, without any counters behind; the shape of failing ones is APSTIN's (SIM)."""
    if result.stored is None:
        return node("Item", result.findings.errors_xml() + leaf("ItemNumber", f"{number:06d}"))
    key = (
        leaf("Supplier", text_of(result.item, "Supplier"))
        + leaf("Invoice", result.stored.invoice)
        + leaf("TransactionType", text_of(result.item, "TransactionType") or "I")
        + leaf("EntryNumber", f"{result.stored.entry:03d}")
    )
    return node("Item", node("Key", key) + result.findings.warnings_xml())
