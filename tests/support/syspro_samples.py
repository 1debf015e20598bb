"""Coded invoices and reference data for tests of the SYSPRO side; amounts and codes fit the sandbox's master data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coding import CodedInvoice, Posting
from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind, InvoiceLine

COMPANY = "EDU1"
ACCOUNTS = ("10-5120", "20-5130", "30-5210", "10-5600", "00-2100", "00-2150", "00-2300")


def coded(
    number: str = "NB-7781",
    *,
    supplier: str = "V00001",
    amounts: tuple[str, ...] = ("100.00", "75.50", "49.50"),
    tax: str = "0.00",
    tax_code: str = "Z",
    kind: InvoiceKind = InvoiceKind.INVOICE,
    currency: tuple[str, str] = ("USD", "$"),
    when: date = date(2026, 11, 10),
    accounts: tuple[str, ...] = ACCOUNTS[:3],
    invoice: Mapping[str, Any] | None = None,
    **extra: Any,
) -> CodedInvoice:
    """Return a coded invoice of as many GL lines as ``amounts``; ``invoice`` and ``extra`` override fields."""
    values = [Decimal(amount) for amount in amounts]
    gross = sum(values, Decimal(0)) + Decimal(tax)
    line = InvoiceLine(number=1, quantity=Decimal(1), unit_price=gross, amount=gross)
    header = {
        "kind": kind,
        "source_key": f"key-{number}",
        "source_number": "PI-000123",
        "revision": "1",
        "number": number,
        "supplier": supplier,
        "invoice_date": when,
        "due_date": date(2026, 12, 10),
        "currency": currency[0],
        "gross": gross,
        "lines": (line,),
        "original_number": "NB-7781" if kind is InvoiceKind.CREDIT_MEMO else "",
        **(invoice or {}),
    }
    postings = tuple(
        Posting(
            gl_code=accounts[n % len(accounts)],
            amount=value,
            tax_code=tax_code,
            tax_amount=Decimal(0),
            notation="Reagents",
        )
        for n, value in enumerate(values)
    )
    fields = {
        "invoice": Invoice(**header),
        "company": COMPANY,
        "branch": "10",
        "currency": currency[1],
        "terms_code": "30",
        "tax_code": tax_code,
        "tax_value": Decimal(tax),
        "freight": Decimal(0),
        "miscellaneous": Decimal(0),
        "postings": postings,
        "clearing_account": "00-2150",
        "mapping_version": 1,
        **extra,
    }
    return CodedInvoice(**fields)


def supplier_row(number: str = "V00001", **changes: str) -> dict[str, str]:
    """Return an ApSupplier row as read_reference gives it."""
    return {
        "Supplier": number,
        "SupplierName": "Northbridge Tooling 1",
        "Branch": "10",
        "Currency": "$",
        "TermsCode": "30",
        "OnHold": "N",
        "GrnMatchReqd": "N",
        "DefTaxCode": "",
    } | changes


def account_row(code: str, *, on_hold: str = "N", control: str = "N", analysis: str = "N") -> dict[str, str]:
    """Return a GenMaster row as read_reference gives it."""
    return {
        "GlCode": code,
        "Description": "",
        "AccountType": "E",
        "ControlAccFlag": control,
        "AccOnHldFlag": on_hold,
        "AnalysisRequired": analysis,
    }


def reference(**changes: Any) -> dict[str, Any]:
    """Return reference data: calendar months of 2026, GL and AP in period 11, periods 1 to 8 closed."""
    accounts = {code: account_row(code) for code in ACCOUNTS}
    accounts["10-5600"] = account_row("10-5600", on_hold="Y")
    accounts["00-2100"] = account_row("00-2100", control="Y")
    ends = ("01-31", "02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31")
    return {
        "profile": {"localcurrencycode": "$"},
        "suppliers": {"V00001": [supplier_row()]},
        "accounts": accounts,
        "branches": {"10": {"Branch": "10"}, "20": {"Branch": "20"}},
        "terms": {"30": {"TermsCode": "30", "DueDays": "30"}},
        "receipts": {},
        "taxes": {"Z": {"TaxCode": "Z", "ApTaxGlCode": ""}, "A": {"TaxCode": "A", "ApTaxGlCode": "00-2300"}},
        "calendar": {
            "gl": [2026, 11],
            "ends": [f"2026-{end}" for end in ends],
            "current": ["C"] * 8 + [""] * 4,
            "previous": ["C"] * 12,
            "ap": [2026, 11],
            "ap_flags": ["O", "O", "O"],
        },
    } | changes
