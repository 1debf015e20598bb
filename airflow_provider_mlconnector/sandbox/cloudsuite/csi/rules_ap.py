"""What is checked and filled in when vouchers and their distributions are written; all of it SIM but the keys."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import setup
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.coding import coding_flaw
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.register import Gone
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import ZERO, written
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Row, Write

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

ADJUSTMENT = "A"
STATES = {"Type": ("V", ADJUSTMENT), "BGPostingStat": ("A", "H", "E"), "AuthStatus": ("F", "A", "M")}
"""Values of the reference (§5.1)."""
SEQUENCE_STEP = 5
"""Distance of DistSeq where the caller gives none; clients seen count 5, 10, 15 (§4a)."""


class VoucherRules:
    """Rules of ``SLAptrxs``."""

    def __init__(self, books: CsiBooks) -> None:
        self._books = books

    def before(self, write: Write) -> str | None:
        """Number and complete a new voucher; refuse what no voucher may be."""
        if write.action == "delete":
            return None
        if write.action == "insert":
            if text := self._numbered(write):
                return text
            self._complete(write)
        elif "CurrCode" in write.changes:
            write.changes["CurrCode"] = write.row.get("CurrCode")
        return self._flaw(write.changes)

    def after(self, write: Write) -> None:
        """Let the distributions of a deleted voucher go with it, and keep both for the oracle."""
        if write.action == "insert":
            self._books.register.voucher = max(self._books.register.voucher, write.row["Voucher"])
        if write.action != "delete":
            _note_exposure(self._books, write.row, write)
            return
        parts = self._books.distributions(write.row)
        gone = Gone(dict(write.row), [dict(row) for row in parts], write.origin)
        self._books.register.gone["SLAptrxs"].append(gone)
        for row in parts:
            self._books.tables["SLAptrxds"].delete(row, write.origin, checked=False)

    def _numbered(self, write: Write) -> str | None:
        """Give a number, or check the one given: an adjustment's is that of a posted voucher, any other's is new."""
        books, changes = self._books, write.changes
        number = changes.get("Voucher")
        if not number:
            if not books.options.auto_voucher or changes.get("Type") == ADJUSTMENT:
                return "Voucher must be entered on IDO SLAptrxs"
            changes["Voucher"] = books.register.next_voucher()
            return None
        posted = books.tables["SLVchHdrs"].matching("Voucher", number)
        if changes.get("Type") == ADJUSTMENT:
            of_vendor = any(row["VendNum"] == changes.get("VendNum") for row in posted)
            return None if of_vendor else f"Voucher {number} is not posted for this vendor"
        taken = posted or books.tables["SLAptrxs"].matching("Voucher", number)
        return f"Voucher {number} already exists" if taken else None

    def _complete(self, write: Write) -> None:
        """Fill in what was left out: state, dates by the vendor's terms, currency and rate, the AP account."""
        books, changes = self._books, write.changes
        vendor = books.vendor(changes.get("VendNum") or "") or {}
        # the currency is the vendor's, whatever was sent
        changes["CurrCode"] = vendor.get("CurrCode")
        usual: Row = {
            "Type": "V", "BGPostingStat": books.options.posting_default, "AuthStatus": "M",
            "ExchRate": books.rate(vendor.get("CurrCode") or ""), "ApAcct": setup.AP_CONTROL,
            "InvDate": books.today(write.origin.at),
        }  # fmt: skip
        changes.update({name: value for name, value in usual.items() if changes.get(name) in (None, "")})
        terms = books.tables["SLTerms"].get(vendor.get("TermsCode") or "") or {}
        days, invoiced = terms.get("DueDays", 0), changes["InvDate"]
        later: Row = {"DistDate": invoiced, "DueDays": days}
        if isinstance(invoiced, date):
            later["DueDate"] = invoiced + timedelta(days=days)
        changes.update({name: value for name, value in later.items() if changes.get(name) is None})

    def _flaw(self, changes: Row) -> str | None:
        for name, allowed in STATES.items():
            if changes.get(name) not in (None, "", *allowed):
                return f"{name} {changes[name]!r} is not valid on IDO SLAptrxs"
        if changes.get("ExchRate") is not None and changes["ExchRate"] <= 0:
            return "ExchRate must be greater than 0 on IDO SLAptrxs"
        return None


class DistributionRules:
    """Rules of ``SLAptrxds``."""

    def __init__(self, books: CsiBooks) -> None:
        self._books = books

    def before(self, write: Write) -> str | None:
        """Refuse a distribution without its unposted voucher and, where the site says so, with bad coding."""
        if write.action == "delete":
            return None
        row = write.row | write.changes
        vouchers = self._books.tables["SLAptrxs"].matching("Voucher", row.get("Voucher"))
        if not any(voucher["VendNum"] == row.get("VendNum") for voucher in vouchers):
            return f"Voucher {row.get('Voucher')} of {row.get('VendNum')!r} does not exist on IDO SLAptrxs"
        if write.action == "insert" and not row.get("DistSeq"):
            taken = [each["DistSeq"] for each in self._books.distributions(row)]
            write.changes["DistSeq"] = max(taken, default=0) + SEQUENCE_STEP
        return self._coding(row) if self._books.options.check_distributions else None

    def after(self, write: Write) -> None:
        """Note a voucher that is ready for posting while its distributions are still being written."""
        voucher = self._books.tables["SLAptrxs"].get(write.row["VendNum"], write.row["Voucher"])
        if voucher is not None:
            _note_exposure(self._books, voucher, write)

    def _coding(self, row: Row) -> str | None:
        voucher = self._books.tables["SLAptrxs"].get(row["VendNum"], row["Voucher"]) or {}
        return coding_flaw(self._books, row, voucher.get("DistDate"))


def _note_exposure(books: CsiBooks, voucher: Row, write: Write) -> None:
    """Remember that an interface left a voucher ready for posting with other distributions than its amount."""
    if write.origin.person or voucher.get("BGPostingStat") != "A":
        return
    total = books.distributed(voucher)
    if total != (voucher.get("InvAmt") or 0):
        key = {"vend_num": voucher["VendNum"], "voucher": voucher["Voucher"], "inv_num": voucher.get("InvNum")}
        figures = {"amount": written(voucher.get("InvAmt") or ZERO), "distributed": written(total)}
        at = {"request_no": write.origin.request_no, "at": write.origin.at.isoformat()}
        books.register.exposed.append(key | figures | at)
