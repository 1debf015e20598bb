"""IDOs of master data: vendors, terms, currencies, tax codes (reference/cloudsuite.md §4a, §5.1)."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import (
    account,
    amounts,
    days,
    flags,
    texts,
    vend_num,
    whole,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Table


def _vendor_columns() -> list[Column]:
    return [
        vend_num(required=True),
        Column("Name", 60, required=True),
        *texts(VadAddr_1=50, VadAddr_2=50, VadAddr_3=50, VadAddr_4=50, VadCity=30, VadState=5, VadStateCode=5),
        *texts(VadZip=10, VadCounty=30, VadCountry=30, Contact=30, Phone=25, VadFaxNum=25),
        *texts(ExternalEmailAddr=60, InternalEmailAddr=60, InternetUrl=200),
        *texts(TermsCode=3, CurrCode=3, BankCode=3, PayType=1, Stat=1, Category=6, VendType=6),
        vend_num(name="VendRemit"),
        *texts(ShipCode=4, Fob=25, TaxRegNum1=25, TaxRegNum2=25, TaxCode1=6, TaxCode2=6),
        *account("PurAcct"),
        *flags("VadPayHold"),
        *texts(VadPayHoldReason=4, LangCode=3, Whse=4),
        *days("LastPurch", "LastPaid"),
        *amounts("PurchYtd", "PayYtd", readonly=True),
        # SIM: the reference only names the remit address as VadRAddr_*
        *texts(VadRAddr_1=50, VadRAddr_2=50, VadRAddr_3=50, VadRAddr_4=50, VadRCity=30, VadRZip=10, VadRCountry=30),
        *texts(AutoVoucherMethod=1),
    ]


def master_tables() -> list[Table]:
    """Return the empty tables. Currency and tax code properties beyond the code are SIM."""
    return [
        Table.of("SLVendors", "vendor", "ven", ["VendNum"], _vendor_columns()),
        Table.of(
            "SLTerms", "terms", "trm", ["TermsCode"],
            [Column("TermsCode", 3, required=True), *texts(Description=40), *whole("DueDays", "DiscDays", "ProxCode",
             "ProxDay"), *amounts("DiscPct"), *flags("CashOnly", "UseMultiDueDates")],
        ),
        Table.of(
            "SLCurrencyCodes", "currency", "cur", ["CurrCode"],
            [Column("CurrCode", 3, required=True), *texts(Description=40), *whole("Places"),
             *flags("RateIsDivisor"), *amounts("BuyRate")],
        ),
        Table.of(
            "SLTaxcodes", "taxcode", "tax", ["TaxSystem", "TaxCode"],
            [*whole("TaxSystem"), Column("TaxCode", 6, required=True), *texts(Description=40), *amounts("TaxRate"),
             *account("ArAcct"), *account("ApAcct")],
        ),
    ]  # fmt: skip
