"""AP voucher posting: vouchers become posted transactions, register and ledger lines (reference/cloudsuite.md §4a).

The job takes unposted vouchers whose BGPostingStat is A, never H. Only there does CSI look whether the distributions
are the invoice's amount (SIM); a voucher it meets with anything else is a violation in the oracle, whether the job
then refuses it (marked E) or, by option, books what is there.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import setup
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.coding import coding_flaw
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.rules_ap import ADJUSTMENT
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import written
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Row

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

READY, HELD, FAILED = "A", "H", "E"
LOCAL_CENT = Decimal("0.01")
_POSTED = (
    "VendNum", "Voucher", "Type", "InvNum", "InvDate", "DistDate", "DueDate", "DiscDate", "DueDays", "DiscDays",
    "DiscPct", "DiscAmt", "InvAmt", "PurchAmt", "NonDiscAmt", "Freight", "DutyAmt", "BrokerageAmt", "InsuranceAmt",
    "LocFrtAmt", "MiscCharges", "SalesTax", "SalesTax_2", "TaxCode1", "TaxCode2", "ExchRate", "FixedRate", "ApAcct",
    "ApAcctUnit1", "ApAcctUnit2", "ApAcctUnit3", "ApAcctUnit4", "PoNum", "GrnNum", "Ref", "Txt",
)  # fmt: skip
_REGISTERED = (
    "VendNum", "Voucher", "Type", "InvNum", "InvDate", "DistDate", "InvAmt", "DiscPct", "ExchRate", "PreRegister",
    "PostFromPo", "ApAcct",
)  # fmt: skip


def post(books: CsiBooks, origin: Origin, only: set[int] | None = None) -> list[int]:
    """Post every voucher that is ready (of ``only``) and return the numbers of those posted."""
    ready = books.tables["SLAptrxs"].matching("BGPostingStat", READY)
    chosen = [row for row in ready if not row.get("InWorkflow") and (only is None or row["Voucher"] in only)]
    return [
        row["Voucher"]
        for row in sorted(chosen, key=lambda row: (row["Voucher"], row["VendNum"]))
        if _post_one(books, row, origin)
    ]


def _post_one(books: CsiBooks, voucher: Row, origin: Origin) -> bool:
    parts = books.distributions(voucher)
    total, amount = books.distributed(voucher), voucher.get("InvAmt") or Decimal(0)
    closed = books.options.check_periods and not books.period_open(voucher["DistDate"])
    half = total != amount
    refused = closed or (half and not books.options.post_unbalanced)
    if half:
        what = "offered" if refused else "posted"
        _violation(
            books, voucher, origin, f"half voucher {what}", f"InvAmt {written(amount)}, distributions {written(total)}"
        )
    if refused:
        books.tables["SLAptrxs"].update(voucher, {"BGPostingStat": FAILED}, origin, checked=False)
        return False
    maker = books.register.maker(voucher)
    for part in parts:
        flaw = coding_flaw(books, part, voucher.get("DistDate"))
        if flaw and maker and not maker.person:
            _violation(books, voucher, origin, "bad coding posted", flaw)
    _move(books, voucher, parts, origin)
    return True


def _violation(books: CsiBooks, voucher: Row, origin: Origin, kind: str, detail: str) -> None:
    maker = books.register.maker(voucher)
    books.register.violations.append(
        {
            "kind": kind,
            "vend_num": voucher["VendNum"],
            "voucher": voucher["Voucher"],
            "inv_num": voucher.get("InvNum"),
            "detail": detail,
            "at": origin.at.isoformat(),
            "request_no": maker.request_no if maker else 0,
        }
    )


def _move(books: CsiBooks, voucher: Row, parts: list[Row], origin: Origin) -> None:
    """Write everything a posted voucher leaves, and take it out of the unposted ones."""
    sequence = next_sequence(books, voucher) if voucher.get("Type") == ADJUSTMENT else 0
    key = (voucher["VendNum"], voucher["Voucher"], sequence)
    billed = books.register.billed.pop(key[:2], [])
    books.register.posted[key] = ([dict(part) for part in parts], books.register.maker(voucher))
    write_posted(books, voucher, sequence, origin)
    write_ledger(books, voucher, parts, origin, sequence=sequence)
    bill(books, voucher, billed, origin, sequence)
    for part in parts:
        books.tables["SLAptrxds"].delete(part, origin, checked=False)
    books.tables["SLAptrxs"].delete(voucher, origin, checked=False)


def next_sequence(books: CsiBooks, voucher: Row) -> int:
    """Return the next VouchSeq of a posted voucher."""
    rows = books.tables["SLAptrxps"].matching("Voucher", voucher["Voucher"])
    return 1 + max((row["VouchSeq"] for row in rows if row["VendNum"] == voucher["VendNum"]), default=-1)


def write_posted(books: CsiBooks, voucher: Row, sequence: int, origin: Origin) -> None:
    """Write the posted transaction and the register's header."""
    numbered: Row = {"VouchSeq": sequence}
    vendor = books.vendor(voucher["VendNum"]) or {}
    kept = {name: voucher[name] for name in _POSTED if voucher.get(name) is not None}
    books.tables["SLAptrxps"].insert(kept | numbered | {"Active": True}, origin, checked=False)
    kept = {name: voucher[name] for name in _REGISTERED if voucher.get(name) is not None}
    terms = {"TermsCode": vendor.get("TermsCode")}
    books.tables["SLVchHdrs"].insert(kept | numbered | terms, origin, checked=False)


def write_ledger(books: CsiBooks, voucher: Row, parts: list[Row], origin: Origin, *, sequence: int = 0) -> None:
    """Debit the distributions and credit accounts payable, in local currency by the voucher's rate."""
    ap = {"Acct": voucher.get("ApAcct") or setup.AP_CONTROL} | {
        f"AcctUnit{n}": voucher[f"ApAcctUnit{n}"] for n in range(1, 5) if voucher.get(f"ApAcctUnit{n}")
    }
    lines = [_coded(part) | {"ForAmount": part.get("Amount") or Decimal(0)} for part in parts]
    total = sum((line["ForAmount"] for line in lines), Decimal(0))
    common: Row = {
        "VendNum": voucher["VendNum"], "Voucher": voucher["Voucher"], "VouchSeq": sequence,
        "InvNum": voucher.get("InvNum"), "CurrCode": voucher.get("CurrCode"), "FromId": "AP Dist",
        "ExchRate": voucher.get("ExchRate") or Decimal(1),
    }  # fmt: skip
    day = voucher.get("DistDate") or books.today(origin.at)
    journal(books, [*lines, ap | {"ForAmount": -total}], common, day, f"APV {voucher['Voucher']}", origin)


def journal(books: CsiBooks, lines: list[Row], common: Row, day: date, ref: str, origin: Origin) -> None:
    """Write ledger lines that balance: the last takes what rounding to local cents leaves."""
    rate, rest = common["ExchRate"], Decimal(0)
    period = _period_of(day)
    for line in lines:
        amount = (line["ForAmount"] * rate).quantize(LOCAL_CENT)
        amount = -rest if line is lines[-1] else amount
        rest += amount
        number = books.register.next_transaction()
        row = common | line | period | {"TransNum": number, "TransDate": day, "Ref": ref, "DomAmount": amount}
        books.tables["SLLedgers"].insert(row, origin, checked=False)


def _period_of(day: date) -> Row:
    """Return the fiscal period of a day: the months of the calendar year (SIM)."""
    return {"ControlPrefix": "AP", "ControlYear": day.year, "ControlPeriod": day.month}


def _coded(part: Row) -> Row:
    return {name: part[name] for name in ("Acct", *(f"AcctUnit{n}" for n in range(1, 5))) if part.get(name)}


def bill(books: CsiBooks, voucher: Row, billed: list[Row], origin: Origin, sequence: int) -> None:
    """Write the register's order lines, and count what they bill at order and receipts."""
    for number, line in enumerate(billed, start=1):
        _write_billed(books, voucher, line, number, origin, sequence)
        ordered = books.tables["SLPoItems"].get(voucher["PoNum"], line["PoLine"], line["PoRelease"])
        if ordered is None:
            continue
        vouchered = (ordered.get("QtyVoucher") or Decimal(0)) + line["Qty"]
        books.tables["SLPoItems"].update(ordered, {"QtyVoucher": vouchered}, origin, checked=False)


def _write_billed(books: CsiBooks, voucher: Row, line: Row, number: int, origin: Origin, sequence: int = 0) -> None:
    """Write one order line of the register."""
    key = (voucher["PoNum"], line["PoLine"], line["PoRelease"])
    ordered: Any = books.tables["SLPoItems"].get(*key) or {}
    row: Row = {
        "Voucher": voucher["Voucher"], "VouchSeq": sequence, "Seq": number, "VendNum": voucher["VendNum"],
        "PoNum": key[0], "PoLine": key[1], "PoRelease": key[2], "QtyVouchered": line["Qty"], "Cost": line["Cost"],
    } | {name: ordered[name] for name in ("Item", "Description", "UM") if ordered.get(name)}  # fmt: skip
    books.tables["SLVchItemAlls"].insert(row, origin, checked=False)
