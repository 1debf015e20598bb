"""Invoices JAGGAER holds: found by supplier, number and type, compared by what its list shows (FINANCE §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.fields import Place, at, is_empty
from airflow_provider_mlconnector.systems.jaggaer.lists import Listing, Row, having
from airflow_provider_mlconnector.systems.jaggaer.names import as_documented
from airflow_provider_mlconnector.systems.jaggaer.rows import amount_text, day, scalar
from airflow_provider_mlconnector.systems.jaggaer.writing import KIND_WORDS
from airflow_provider_mlconnector.systems.ports import Found, FoundState, StepDraft

LIST: Final = "invoice list"


class HeldInvoices:
    """Looks invoices up.

    A filter knows equality only: a number is asked for as it is, in upper case and without leading zeros, so one that
    people typed with other blanks or zeros is not found.

    Args:
        client: For the tenant.
    """

    def __init__(self, client: JaggaerClient) -> None:
        self._client = client
        self._resource = client.contract.invoices

    def find(self, steps: Sequence[StepDraft], *, settling: bool) -> list[Found]:
        """Compare each invoice with what the list shows under its number; one request for many."""
        if not steps:
            return []
        rows = self._rows([step.payload["number"] for step in steps])
        return [self._found(step, rows.get(_place(step), []), settling=settling) for step in steps]

    def _rows(self, numbers: Sequence[str]) -> dict[tuple[str, str], list[Row]]:
        forms = dict.fromkeys(form for number in numbers for form in (number.strip(), comparable(number)))
        listing = Listing(self._resource.list, self._resource.items, LIST, self._resource.extra_filter)
        found: dict[tuple[str, str], list[Row]] = {}
        for given in having(self._client, listing, self._resource.number_filter, list(forms)):
            row = as_documented(given, self._resource)
            header = at(row, "header")
            supplier, number = (
                scalar(at(header, "supplier.supplierNumber")),
                scalar(at(header, "supplierInvoiceNumber")),
            )
            found.setdefault((comparable(supplier), comparable(number)), []).append(row)
        return found

    def _found(self, step: StepDraft, rows: Sequence[Row], *, settling: bool) -> Found:
        number = step.payload["number"]
        if not rows:
            return Found(FoundState.ABSENT, f"invoice {number} is not in JAGGAER's list")
        word = KIND_WORDS[InvoiceKind(step.payload["kind"])]
        alike = [row for row in rows if _word(row) == word.lower()]
        if not alike:
            text = (
                f"JAGGAER has {number} of this supplier as {scalar(at(rows[0], 'header.invoiceType'))}, not as {word}"
            )
            # it may be refused for that, but it is another document
            return Found(FoundState.UNKNOWN if settling else FoundState.ABSENT, text)
        compared = [(row, _differences(step.fingerprint, row)) for row in alike]
        row, differences = min(compared, key=lambda pair: len(pair[1]))
        key = scalar(at(row, self._resource.id))
        result = {"key": key} if key else {}
        if differences:
            return Found(FoundState.DIFFERENT, f"{number} in JAGGAER: {'; '.join(differences)}", result)
        # nothing of JAGGAER's says who entered an invoice; before the first attempt it was not we
        state = FoundState.OURS if settling else FoundState.SAME_NOT_OURS
        return Found(state, f"invoice {number} is in JAGGAER's list", result)


def _place(step: StepDraft) -> tuple[str, str]:
    return comparable(step.payload["supplier"]), comparable(step.payload["number"])


def _word(row: Row) -> str:
    return " ".join(scalar(at(row, "header.invoiceType")).lower().split())


def _differences(told: Mapping[str, str], row: Row) -> list[str]:
    """Return what a row says otherwise, in words; what the list does not show is not compared."""
    header = at(row, "header")
    found = []
    currency, gross = scalar(at(header, "total.currency")), at(header, "total.value")
    amount = _amount(gross)
    if amount is None or (not is_empty(gross) and amount != Decimal(told["gross"])):
        found.append(f"its total is {amount_text(gross) or 'unreadable'}, not {told['gross']}")
    if currency and currency != told.get("currency", currency):
        found.append(f"its currency is {currency}, not {told['currency']}")
    dated = day(scalar(at(header, "invoiceDate")))
    if dated is not None and dated.isoformat() != told["invoice_date"]:
        found.append(f"it is dated {dated}, not {told['invoice_date']}")
    return found


def _amount(value: object) -> Decimal | None:
    """Return an amount, 0 for none, None for one that cannot be read."""
    try:
        return Place({"value": value}, "total").number("value")
    except Rejected:
        return None
