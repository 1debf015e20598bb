"""APSSSP: set up, change and delete suppliers through Setup/Add, Setup/Update, Setup/Delete (reference/syspro.md §2.4).

What nobody has recorded: which elements must be filled (here the foreign keys and the name), what an omitted or an
empty element of an update does (two options), and when a supplier in use may be deleted (here: never).
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro import sim_texts, wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.documents import check, children, choice, load
from airflow_provider_mlconnector.sandbox.syspro.fields import Fields, Findings
from airflow_provider_mlconnector.sandbox.syspro.records import Origin, Supplier, WriteAttempt
from airflow_provider_mlconnector.sandbox.syspro.supplier_fields import (
    DOCUMENT,
    ELEMENTS,
    NEEDED,
    PARAMETER_DOCUMENT,
    Element,
    with_defaults,
)
from airflow_provider_mlconnector.sandbox.syspro.wire import leaf, node

ROOT = "SetupApSupplier"
SUPPLIER_SIZE = 15
EXPENSE_TYPES = "AE"
"""Account types a supplier's merchandise and freight codes may have; others give the documented warning (SIM)."""
Method = Literal["Add", "Update", "Delete"]


@dataclass(frozen=True, slots=True)
class _Parameters:
    ignore_warnings: str = "N"
    entire: bool = True
    validate_only: bool = False


@dataclass(slots=True)
class _Result:
    """One item: the key as sent, what is wrong, and the fields to store (None when refused)."""

    sent: str
    key: str
    findings: Findings
    fields: dict[str, str] | None
    applied: bool = False


def setup(books: Books, *, method: Method, xml_parameters: str, xml_in: str, origin: Origin) -> str:
    """Check and apply a document of suppliers; every item is recorded as a write attempt of type ``method``.

    Raises:
        EnetError: If a document does not match its schema.
    """
    parameters = _read_parameters(xml_parameters, strict=books.options.strict)
    document = load(xml_in, ROOT)
    if books.options.strict:
        check(document, DOCUMENT)
    results: list[_Result] = []
    for item in children(document, "Item"):
        earlier = {result.key for result in results if result.fields is not None}
        results.append(_checked(books, method, item, Findings(parameters.ignore_warnings), earlier, origin))
    if not parameters.validate_only and (not parameters.entire or all(r.fields is not None for r in results)):
        for result in results:
            if result.fields is not None:
                _apply(books, method, result.key, result.fields, origin)
                result.applied = True
    for result in results:
        books.attempts.append(_attempt(result, method, origin, dry_run=parameters.validate_only))
    return wire.answer(ROOT.lower(), _content(results), books.options.version)


def _read_parameters(text: str, *, strict: bool) -> _Parameters:
    if not text.strip():
        return _Parameters()
    root = load(text, ROOT)
    if strict:
        check(root, PARAMETER_DOCUMENT)
    given = root.find("Parameters")
    return _Parameters(
        ignore_warnings=choice(given, "IgnoreWarnings", "NYW", "N"),
        entire=choice(given, "ApplyIfEntireDocumentValid", "YN", "Y") == "Y",
        validate_only=choice(given, "ValidateOnly", "YN", "N") == "Y",
    )


# Checks


def _checked(
    books: Books, method: Method, item: etree._Element, findings: Findings, earlier: Container[str], origin: Origin
) -> _Result:
    key_element = item.find("Key")
    keys = Fields(
        etree.Element("Key") if key_element is None else key_element, findings, oversize=books.options.oversize
    )
    sent = keys.needed("Supplier", SUPPLIER_SIZE)
    key = books.supplier_key(sent)
    stored = books.suppliers.get(key)
    if method == "Add" and sent and (stored is not None or key in earlier):
        findings.fail("duplicate_key", "Supplier", sent, table="ApSupplier")
    elif method != "Add" and sent and stored is None:
        findings.fail("supplier_missing", "Supplier", sent)
    fields: dict[str, str] = {}
    if method == "Delete":
        if stored is not None and books.supplier_in_use(key):
            findings.fail("supplier_in_use", "Supplier", sent)
    else:
        fields = _fields(books, Fields(item, findings, oversize=books.options.oversize), item, stored)
        if method == "Add":
            fields["DateSuppAdded"] = fields["DateSuppAdded"] or origin.at.date().isoformat()
        check_fields(books, fields, findings)
    return _Result(sent, key, findings, None if findings.errors else fields)


def _fields(books: Books, f: Fields, item: etree._Element, stored: Supplier | None) -> dict[str, str]:
    """Return every field as it would be stored: of an update, merged into what is there as the options say (SIM)."""
    before = stored.fields if stored else {}
    fields = dict(before)
    for element in ELEMENTS:
        present = item.find(element.name) is not None
        value = _value(element, f) if present else ""
        keeps = books.options.update_empty if present else books.options.update_omitted
        if value or keeps == "blank":
            fields[element.name] = value
    return with_defaults(fields)


def _value(element: Element, f: Fields) -> str:
    value = f.text(element.name, element.size)
    if value and element.allowed and value not in element.allowed:
        f.findings.fail("choice", element.name, value)
    if element.kind == "amount":
        f.amount(element.name)
    if element.kind == "date" and value:
        f.day(element.name, sim_texts.NO_DATE)
    return value


def check_fields(books: Books, fields: dict[str, str], findings: Findings) -> None:
    """Hold a whole supplier to the tables it refers to.

    Findings:
        A blank name or foreign key, one that is in no table, an unknown tax or ledger code; as a warning, a ledger code
        of the wrong account type (§2.0).
    """
    for name in NEEDED:
        if not fields[name]:
            findings.fail("blank", name, "")
    known: dict[str, tuple[str, Container[str]]] = {
        "Branch": ("branch_missing", master.BRANCHES),
        "TermsCode": ("terms_missing", books.terms_days),
        "Bank": ("bank_missing", master.BANKS),
        "Currency": ("currency_missing", books.currencies),
        "DefTaxCode": ("tax_code", books.tax_rates),
        "MerchGlCode": ("ledger_missing", books.accounts),
        "FreightGlCode": ("ledger_missing", books.accounts),
    }
    for name, (error, table) in known.items():
        if fields[name] and fields[name] not in table:
            findings.fail(error, name, fields[name])
    for name in ("MerchGlCode", "FreightGlCode"):
        account = books.accounts.get(fields[name])
        if account is not None and account.type not in EXPENSE_TYPES:
            findings.warn("ledger_type", name, fields[name])


# Applying, and the answer


def _apply(books: Books, method: Method, key: str, fields: dict[str, str], origin: Origin) -> None:
    if method == "Delete":
        books.remove_supplier(key, origin)
    else:
        books.put_supplier(key, fields, origin)


def _attempt(result: _Result, method: Method, origin: Origin, *, dry_run: bool) -> WriteAttempt:
    outcome: Literal["posted", "refused", "validated"] = "posted" if result.applied else "refused"
    reason = result.findings.reason()
    if result.fields is not None and dry_run:
        outcome = "validated"
    elif result.fields is not None and not result.applied:
        reason = sim_texts.ITEM_ERRORS["document_rejected"][1]
    return WriteAttempt(
        origin=origin, bo="APSSSP", supplier=result.sent, invoice="", type=method, value="", outcome=outcome,
        reason=reason, validate_only=dry_run, key=result.key,
    )  # fmt: skip


def _content(results: list[_Result]) -> str:
    """Return the items, the key echoed whatever came of them, and the counters, unpadded."""
    items = "".join(
        node(
            "item",
            node("key", leaf("supplier", result.sent)) + result.findings.errors_xml() + result.findings.warnings_xml(),
        )
        for result in results
    )
    invalid = sum(result.fields is None for result in results)
    return items + node("StatusOfItems", leaf("RecordsRead", str(len(results))) + leaf("RecordsInvalid", str(invalid)))
