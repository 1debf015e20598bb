"""IDOs of accounts payable: vouchers, distributions, posted transactions, register (reference/cloudsuite.md §5.1)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import (
    account,
    amounts,
    days,
    flags,
    po_num,
    texts,
    vend_num,
    whole,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Table

Lookup = Callable[[str, str], Callable[[Row], Any]]
"""(property that holds a key, property of the row it names) → derived property."""
Total = Callable[[Row], Decimal]
"""Sum of the distributions of the voucher a row belongs to."""


def _money() -> list[Column]:
    """Return what an unposted and a posted voucher both say of its money and dates."""
    return [
        *texts(Type=1, InvNum=22),
        *days("InvDate", "DistDate", "DueDate", "DiscDate"),
        *whole("DueDays", "DiscDays"),
        *amounts("DiscPct", "DiscAmt", "InvAmt", "PurchAmt", "NonDiscAmt", "Freight", "DutyAmt", "BrokerageAmt"),
        *amounts("InsuranceAmt", "LocFrtAmt", "MiscCharges", "SalesTax", "SalesTax_2"),
        *texts(TaxCode1=6, TaxCode2=6),
        Column("ExchRate", kind="number", default=Decimal(1)),
        *flags("FixedRate"),
        *account("ApAcct"),
        po_num(),
        *texts(GrnNum=10, Ref=30, Txt=40),
        *whole("ProxCode", "ProxDay"),
    ]


def _voucher(of_vendor: Lookup, total: Total) -> Table:
    columns = [
        vend_num(required=True),
        *whole("Voucher"),
        *_money(),
        *texts(CurrCode=3),
        Column("AptCurrCode", 3, derive=of_vendor("VendNum", "CurrCode")),
        Column("VadName", 60, derive=of_vendor("VendNum", "Name")),
        *texts(Authorizer=128, AuthStatus=1),
        *flags("PostFromPo", "PreRegister", "IncludesTax", "AutoVouchered", "Cancellation"),
        *texts(BGPostingStat=1, UbToSite=8),
        *flags("UbGenerateDistributions"),
        Column("DerDistributionTotal", kind="number", derive=total),
    ]
    return Table.of("SLAptrxs", "aptrx", "apt", ["VendNum", "Voucher"], columns)


def _distribution(of_voucher: Callable[[str], Callable[[Row], Any]], of_account: Lookup, total: Total) -> Table:
    columns = [
        vend_num(required=True),
        Column("Voucher", kind="int", required=True),
        *whole("DistSeq"),
        *account("Acct", required=True),
        *amounts("Amount", "TaxBasis"),
        *texts(TaxCode=6, TaxCodeE=6),
        *whole("TaxSystem"),
        *texts(ProjNum=10),
        *whole("TaskNum"),
        *texts(CostCode=10),
        Column("AptrxInvNum", 22, derive=of_voucher("InvNum")),
        Column("ChartDescription", 40, derive=of_account("Acct", "Description")),
        *(Column(f"ChartAccessUnit{n}", 1, derive=of_account("Acct", f"AccessUnit{n}")) for n in range(1, 5)),
        Column("DerDistributionTotal", kind="number", derive=total),
    ]
    return Table.of("SLAptrxds", "aptrxd", "apd", ["VendNum", "Voucher", "DistSeq"], columns)


def _posted(of_vendor: Lookup) -> Table:
    """Vouchers, adjustments and payments; no key is documented, and none is unique here."""
    columns = [
        vend_num(required=True),
        *whole("Voucher", "VouchSeq"),
        *_money(),
        *amounts("AmtPaid", "AmtDisc"),
        *whole("CheckNum"),
        *flags("Active", "HoldFlag"),
        Column("VendorCurrCode", 3, derive=of_vendor("VendNum", "CurrCode")),
        Column("VendaddrName", 60, derive=of_vendor("VendNum", "Name")),
    ]
    return Table.of("SLAptrxps", "aptrxp", "app", [], columns)


def _register(of_vendor: Lookup) -> Table:
    columns = [
        vend_num(required=True),
        Column("VadName", 60, derive=of_vendor("VendNum", "Name")),
        *whole("Voucher", "VouchSeq"),
        *texts(InvNum=22),
        *days("InvDate", "DistDate"),
        *texts(Type=1),
        *amounts("InvAmt", "DiscPct", "AmtPaid"),
        *texts(TermsCode=3),
        Column("ExchRate", kind="number", default=Decimal(1)),
        *flags("PreRegister", "PostFromPo"),
        *texts(ApAcct=12),
    ]
    return Table.of("SLVchHdrs", "vch_hdr", "vch", ["Voucher", "VouchSeq"], columns)


def _register_line() -> Table:
    """Order lines a posted voucher billed; the names beyond the keys are SIM."""
    columns = [
        *whole("Voucher", "VouchSeq", "Seq"),
        po_num(),
        *whole("PoLine", "PoRelease"),
        *texts(Item=30, Description=40, UM=3, GrnNum=10),
        *amounts("QtyVouchered", "Cost"),
        vend_num(),
    ]
    return Table.of("SLVchItemAlls", "vch_item", "vci", ["Voucher", "VouchSeq", "Seq"], columns)


def ap_tables(
    of_vendor: Lookup, of_account: Lookup, of_voucher: Callable[[str], Callable[[Row], Any]], total: Total
) -> list[Table]:
    """Return the empty tables; the look-ups join properties of vendors, accounts and the voucher of a distribution."""
    return [
        _voucher(of_vendor, total),
        _distribution(of_voucher, of_account, total),
        _posted(of_vendor),
        _register(of_vendor),
        _register_line(),
    ]
