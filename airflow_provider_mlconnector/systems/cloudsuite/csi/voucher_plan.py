"""Turning a coded invoice into a voucher's three steps: header on hold, distributions, release (FINANCE §6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coding import CodedInvoice, Posting
from airflow_provider_mlconnector.documents.currency import add, minor_unit
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems.cloudsuite.csi import checks
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.ports import StepDraft, StepKind

VOUCHER = "voucher"
DISTRIBUTIONS = "distributions"
RELEASE = "release"
INVOICE, CREDIT = "V", "C"
"""Ours: both are ``Type`` V in CSI, a credit memo with negative amounts."""
SEQUENCE_STEP = 5
"""``DistSeq`` 5, 10, 15 … (reference/cloudsuite.md §4a)."""
_LAST_SEQUENCE = 32_767
"""``DistSeq`` is an int16 (§5.1)."""
Units = tuple[str, str, str, str]


class VoucherPlanner:
    """Plans one coded invoice.

    Args:
        coded: What to post.
        reference: From :func:`~.reference.read_reference`.
        options: The connection's and the route's choices.
        our_reference: What makes the voucher findable as ours; at most 30 characters.
    """

    def __init__(
        self, coded: CodedInvoice, reference: Mapping[str, Any], options: CsiOptions, *, our_reference: str
    ) -> None:
        if not our_reference or len(our_reference) > checks.LENGTHS["Ref"]:
            msg = f"our reference must be 1 to {checks.LENGTHS['Ref']} characters: {our_reference!r}"
            raise ValueError(msg)
        self._coded = coded
        self._invoice = coded.invoice
        self._reference = reference
        self._options = options
        self._ours = our_reference
        self._notes: list[str] = []
        self._sign = -1 if self._letter == CREDIT else 1

    @property
    def _letter(self) -> str:
        return CREDIT if self._invoice.kind is InvoiceKind.CREDIT_MEMO else INVOICE

    def steps(self) -> list[StepDraft]:
        """Run every check and return the steps, in order.

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        checks.document(self._coded, self._reference, self._options)
        checks.fits("Ref", self._ours, self._reference, what="our reference")
        vendor = checks.vendor(self._invoice.supplier, self._reference)
        checks.currency(self._coded, vendor, self._options)
        if checks.hold(vendor, self._options):
            self._notes.append(f"posted although supplier {vendor['VendNum'].strip()} is on payment hold")
        checks.po_lines(self._coded, self._options)
        when, note = checks.posting_date(self._coded, self._reference, self._options)
        if note:
            self._notes.append(note)
        lines = self._lines(when)
        header = self._header(vendor, when)
        where = {"vendor": vendor["VendNum"], "number": self._invoice.number, "kind": self._letter}
        total = self._text(self._invoice.gross)
        return [
            self._step(
                VOUCHER, StepKind.CREATE, {**where, "header": header, "lines": lines}, f"voucher {self._named()}"
            ),
            self._step(
                DISTRIBUTIONS,
                StepKind.ABSOLUTE,
                {**where, "header": header, "lines": lines, "total": total},
                f"{len(lines)} distributions of voucher {self._named()}",
            ),
            self._step(
                RELEASE,
                StepKind.ABSOLUTE,
                {**where, "header": header, "lines": lines, "total": total},
                f"release voucher {self._named()}",
            ),
        ]

    def _named(self) -> str:
        kind = "credit memo " if self._letter == CREDIT else ""
        invoice = self._invoice
        return f"{kind}{invoice.supplier} {invoice.number} {invoice.currency} {self._text(invoice.gross)}"

    # --- header ----------------------------------------------------------------------------------------------------

    def _header(self, vendor: Mapping[str, Any], when: date) -> dict[str, str]:
        """Return the header's properties by name, values as :class:`~.ido.IdoClient` writes them (§5.1).

        The currency is the vendor's and is not written; neither are ExchRate and ApAcct, which CSI knows better,
        unless an option names the latter.
        """
        coded, invoice = self._coded, self._invoice
        goods = add([invoice.gross, -coded.tax_value, -coded.freight, -coded.miscellaneous])
        due = checks.due_date(coded, vendor, self._reference, is_credit=self._letter == CREDIT)
        amounts = {
            "InvAmt": invoice.gross,
            "PurchAmt": goods,
            "Freight": coded.freight,
            "MiscCharges": coded.miscellaneous,
            "SalesTax": coded.tax_value,
        }
        header = {
            "VendNum": vendor["VendNum"],
            "Type": INVOICE,
            "InvNum": invoice.number,
            "InvDate": invoice.invoice_date.isoformat(),
            "DistDate": when.isoformat(),
            "DueDate": due.isoformat(),
            "Ref": self._ours,
            "BGPostingStat": "H",
            **{name: self._text(amount) for name, amount in amounts.items()},
        }
        if coded.tax_code and coded.tax_value:
            checks.fits("TaxCode", coded.tax_code, self._reference, what="tax code")
            header["TaxCode1"] = coded.tax_code
        if self._options.ap_account:
            header["ApAcct"] = self._options.ap_account
        return header

    def _text(self, amount: Decimal) -> str:
        """Write an amount with the currency's decimals, credits negative."""
        signed = (self._sign * amount).quantize(minor_unit(self._invoice.currency))
        return f"{signed or abs(signed):f}"

    # --- distributions -----------------------------------------------------------------------------------------------

    def _lines(self, when: date) -> list[dict[str, Any]]:
        lines = [*self._cost_lines(when), *self._tax_lines(when)]
        if len(lines) * SEQUENCE_STEP > _LAST_SEQUENCE:
            msg = f"invoice {self._invoice.number} has {len(lines)} GL lines, more than a voucher can number"
            raise Parked(msg, code="too_large", subject=self._invoice.number)
        for place, line in enumerate(lines, 1):
            line["seq"] = place * SEQUENCE_STEP
        return lines

    def _cost_lines(self, when: date) -> Iterator[dict[str, Any]]:
        for posting in self._coded.postings:
            account, units = self._coding(posting)
            yield self._line(account, units, posting.amount, when)

    def _tax_lines(self, when: date) -> Iterator[dict[str, Any]]:
        """One line per tax code: the tax, under the code and with the value it is on (§5.1)."""
        taxes: dict[str, list[Posting]] = {}
        for posting in self._coded.postings:
            if posting.tax_amount:
                taxes.setdefault(posting.tax_code or self._coded.tax_code, []).append(posting)
        told = add(posting.tax_amount for postings in taxes.values() for posting in postings)
        amounts = {code: add(posting.tax_amount for posting in postings) for code, postings in taxes.items()}
        if told != self._coded.tax_value:  # not spread over the postings, so all of it is the main code's
            taxes, amounts = {self._coded.tax_code: list(self._coded.postings)}, {}
            amounts[self._coded.tax_code] = self._coded.tax_value
        for code, amount in amounts.items():
            if not amount:
                continue
            checks.fits("TaxCode", code, self._reference, what="tax code")
            line = self._line(*self._split(self._tax_account(code)), amount, when)
            basis = add(posting.amount for posting in taxes[code])
            yield line | {
                "tax_code": code,
                "tax_system": self._options.tax_system,
                "tax_basis": self._text(basis),
            }

    def _tax_account(self, code: str) -> str:
        account = self._options.tax_accounts.get(code) or self._options.tax_account
        if not account:
            msg = f"recoverable tax {code or 'without code'} has no account: set tax_account, or tax_accounts for it"
            raise Parked(msg, code="tax_account_missing", subject=code)
        return account

    def _line(self, account: str, units: Units, amount: Decimal, when: date) -> dict[str, Any]:
        checks.fits("Acct", account, self._reference, what="account")
        for unit in units:
            checks.fits("AcctUnit1", unit, self._reference, what="unit code")
        checks.units(account, units, checks.account(account, when, self._reference), self._reference)
        return {
            "account": account,
            "units": list(units),
            "unit": units[self._options.cost_center_unit - 1],
            "amount": self._text(amount),
            "currency": self._invoice.currency,
        }

    def _coding(self, posting: Posting) -> tuple[str, Units]:
        account, units = self._split(posting.gl_code)
        place = self._options.cost_center_unit - 1
        if posting.cost_center:
            units = _four((*units[:place], posting.cost_center, *units[place + 1 :]))
        return account, units

    def _split(self, code: str) -> tuple[str, Units]:
        """Split a code of the mapping into account and unit codes 1 to 4, where the site writes them as one."""
        separator = self._options.account_separator
        account, *rest = code.split(separator) if separator else [code]
        units = [unit.strip() for unit in rest]
        if len(units) > len(_NO_UNITS):
            msg = f"account code {code} has {len(units)} parts behind the account; CSI has four unit codes"
            raise Parked(msg, code="account_unfit", field="lines", subject=code)
        return account.strip(), _four((*units, *_NO_UNITS[len(units) :]))

    # --- steps -----------------------------------------------------------------------------------------------------

    def _step(self, name: str, kind: StepKind, payload: Mapping[str, Any], text: str) -> StepDraft:
        invoice = self._invoice
        key = "|".join((comparable(payload["vendor"]), comparable(invoice.number), self._letter))
        suffix = "" if name == VOUCHER else f"|{name}"
        return StepDraft(
            name=name,
            kind=kind,
            company=self._options.configuration,
            remote_reference=f"{key}{suffix}" if kind is StepKind.CREATE else f"{key}{suffix}@{self._ours}",
            our_reference=self._ours,
            payload={**payload, "notes": list(dict.fromkeys(self._notes))},
            fingerprint=self._fingerprint(payload["vendor"]),
            text="; ".join([text, *self._notes]) if name == VOUCHER else text,
        )

    def _fingerprint(self, vendor: str) -> dict[str, str]:
        invoice = self._invoice
        return {
            "supplier": comparable(vendor),
            "number": comparable(invoice.number),
            "type": self._letter,
            "currency": self._coded.currency,
            "gross": self._text(invoice.gross),
            "tax": self._text(self._coded.tax_value),
            "invoice_date": invoice.invoice_date.isoformat(),
        }


_NO_UNITS: Units = ("", "", "", "")


def _four(units: tuple[str, ...]) -> Units:
    first, second, third, fourth = units
    return first, second, third, fourth
