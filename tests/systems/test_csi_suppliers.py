"""CSI's vendors as a source: by the change of the vendor or of its address, in the canonical form."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from support.csi_lists import NOW, CsiLists, options

from airflow_provider_mlconnector.documents.supplier import Address, Contact, RemitTo, Supplier
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.cloudsuite.csi.suppliers import CsiSupplierSource
from airflow_provider_mlconnector.systems.ports import Eligibility, SourceRecord, Window

VENDOR = {
    "VendNum": " V00042",
    "Name": "Northwind Bolts GmbH",
    "Stat": "A",
    "CurrCode": "EUR",
    "TermsCode": "N30",
    "TaxRegNum1": "DE123456789",
    "Contact": "Ada Example",
    "Phone": "+49 30 1234",
    "ExternalEmailAddr": "ap@northwind.example",
    "VadFaxNum": None,
    "VadAddr_1": "Hafenstr. 1",
    "VadAddr_2": None,
    "VadAddr_3": "Haus B",
    "VadCity": "Hamburg",
    "VadState": "HH",
    "VadZip": "20095",
    "VadCountry": "Germany",
    "VadPayHold": "0",
    "VadRName": "Northwind Factoring",
    "VadRAddr_1": "PO Box 7",
    "VadRCity": "Berlin",
    "BankCode": "B1",
}


def listed(fake: CsiLists, window: Window | None = None, **choices: Any) -> list[SourceRecord]:
    reader = CsiSupplierSource("csi_default", fake, options(**choices))
    return [record for page in reader.pages(window or Window()) for record in page.records]


def decoded(fake: CsiLists) -> Supplier:
    fake.later(seconds=1)
    (record,) = listed(fake)
    return CsiSupplierSource("csi_default", fake, options()).decode(record.payload)


def changed(record: SourceRecord) -> datetime:
    assert record.changed_at is not None
    return record.changed_at


def test_a_vendor_comes_across_with_everything_it_says() -> None:
    fake = CsiLists()
    fake.put("SLVendors", **VENDOR)
    supplier = decoded(fake)
    assert (supplier.source_key, supplier.number, supplier.name) == ("V00042", "V00042", "Northwind Bolts GmbH")
    assert (supplier.active, supplier.on_hold, supplier.currency, supplier.terms) == (True, False, "EUR", "N30")
    assert supplier.tax_id == "DE123456789"
    assert supplier.address == Address(
        lines=("Hafenstr. 1", "Haus B"), city="Hamburg", region="HH", postal_code="20095", country="Germany"
    )
    assert supplier.contact == Contact(name="Ada Example", email="ap@northwind.example", phone="+49 30 1234", fax="")
    assert supplier.remit_to == RemitTo(name="Northwind Factoring", address=Address(lines=("PO Box 7",), city="Berlin"))
    assert supplier.bank is None  # BankCode is the bank we pay from


def test_what_a_version_does_not_show_is_not_told_and_what_is_null_is_empty() -> None:
    lacking = ("TaxRegNum1", "VadPayHold", "Contact", "Phone", "ExternalEmailAddr", "VadFaxNum", "Stat", "VendRemit")
    address = tuple(name for name in VENDOR if name.startswith("Vad") or name == "BankCode")
    remit = ("VadRAddr_1", "VadRAddr_2", "VadRCity", "VadRState", "VadRZip", "VadRCountry", "VadRName")
    more = ("VadAddr_4", "VadStateCode", "VadPayHoldReason", "VadRecordDate")
    fake = CsiLists(without={"SLVendors": (*lacking, *address, *remit, *more)})
    fake.put("SLVendors", VendNum="     42", Name="Plain", CurrCode=None, TermsCode=None)
    supplier = decoded(fake)
    assert (supplier.number, supplier.active, supplier.on_hold) == ("42", True, None)
    assert (supplier.currency, supplier.terms, supplier.tax_id) == ("", "", None)
    assert (supplier.address, supplier.contact, supplier.remit_to) == (None, None, None)


def test_the_state_is_read_under_the_name_this_version_has_for_it() -> None:
    fake = CsiLists(without={"SLVendors": ("VadState",)})
    fake.put("SLVendors", **{**{k: v for k, v in VENDOR.items() if k != "VadState"}, "VadStateCode": "BE"})
    address = decoded(fake).address
    assert address is not None
    assert address.region == "BE"


def test_another_vendor_that_is_paid_instead_is_named() -> None:
    fake = CsiLists()
    fake.put("SLVendors", VendNum=" V00042", Name="Northwind", VendRemit=" V00077")
    assert decoded(fake).remit_to == RemitTo(name="vendor V00077", address=Address())


def test_inactive_vendors_and_those_on_hold_are_told_too() -> None:
    fake = CsiLists()
    fake.put("SLVendors", VendNum="     41", Name="Gone", Stat="I")
    fake.put("SLVendors", VendNum="     42", Name="Held", Stat="A", VadPayHold="1", VadPayHoldReason="audit")
    fake.later(seconds=1)
    gone, held = listed(fake)
    assert {gone.eligibility, held.eligibility} == {Eligibility.ELIGIBLE}
    assert (gone.status_text, held.status_text) == ("status I", "active, payments on hold (audit)")
    assert (gone.summary.kind, held.summary.kind) == ("inactive", "active")
    reader = CsiSupplierSource("csi_default", fake, options())
    assert [reader.decode(one.payload).active for one in (gone, held)] == [False, True]
    assert reader.decode(held.payload).on_hold is True


def test_only_what_changed_in_the_window_is_listed_in_the_order_of_change() -> None:
    fake = CsiLists()
    for number in range(7):
        fake.put("SLVendors", VendNum=f"      {number}", Name=f"vendor {number}")
        fake.later(minutes=1)
    start = fake.now
    for number in (5, 1, 3):
        fake.change("SLVendors", f"VendNum = '      {number}'", Name="renamed")
        fake.later(minutes=1)
    found = listed(fake, Window(start=start, end=fake.now), page_size=2)
    assert [record.key for record in found] == ["5", "1", "3"]
    assert [changed(record) for record in found] == sorted(changed(record) for record in found)
    assert CsiSupplierSource("csi_default", fake, options()).ordered_by_change


def test_a_vendor_changed_while_the_list_is_read_is_left_to_the_next_window() -> None:
    fake = CsiLists()
    for number in range(4):
        fake.put("SLVendors", VendNum=f"      {number}", Name=f"vendor {number}")
    end = fake.later(minutes=1)

    def rename(name: str) -> None:
        if "bookmark" in fake.queries[-1]:
            fake.later(seconds=1)
            fake.change("SLVendors", "VendNum = '      3'", Name="renamed")

    fake.before = rename
    assert [one.key for one in listed(fake, Window(start=NOW, end=end), page_size=2)] == ["0", "1", "2"]
    fake.before = None
    fake.later(minutes=1)
    assert [one.key for one in listed(fake, Window(start=end))] == ["3"]


def test_a_vendor_is_listed_when_only_its_address_changed() -> None:
    fake = CsiLists()
    fake.put("SLVendors", VendNum="     42", Name="Northwind", VadCity="Berlin", VadRecordDate="20261110 12:00:00.000")
    fake.put("SLVendors", VendNum="     43", Name="Other", VadRecordDate="20261110 12:00:00.000")
    start = fake.later(hours=1)
    fake._db.execute(  # the address is a row of another table: the vendor's own stamp stays
        "UPDATE vendor SET VadCity = 'Hamburg', VadRecordDate = '20261110 13:00:01.000' WHERE VendNum = '     42'"
    )
    fake.later(minutes=1)
    (record,) = listed(fake, Window(start=start))
    assert (record.key, changed(record).isoformat()) == ("42", "2026-11-10T13:00:01+00:00")


def test_a_version_without_a_stamp_of_addresses_is_asked_one_list() -> None:
    fake = CsiLists(without={"SLVendors": ("VadRecordDate",)})
    fake.put("SLVendors", VendNum="     42", Name="Northwind")
    fake.later(minutes=1)
    assert len(listed(fake, Window(start=NOW, end=fake.now))) == 1
    assert [name for name in fake.requests if name.startswith("load")] == ["load SLVendors"]


def test_a_vendor_is_a_new_revision_only_if_something_of_it_changed() -> None:
    """Every purchase and payment moves the stamp of the row: the store numbers revisions by content."""
    fake = CsiLists()
    fake.put("SLVendors", VendNum="     42", Name="Northwind")
    fake.later(minutes=1)
    (before,) = listed(fake)
    fake.change("SLVendors", "1=1", LangCode="DE")
    fake.later(minutes=1)
    (touched,) = listed(fake)
    fake.change("SLVendors", "1=1", Name="Southwind")
    fake.later(minutes=1)
    (renamed,) = listed(fake)
    assert {one.revision for one in (before, touched, renamed)} == {""}
    assert changed(before) < changed(touched) < changed(renamed)
    assert before.payload == touched.payload != renamed.payload


def test_a_vendor_without_a_stamp_is_listed_where_all_are() -> None:
    fake = CsiLists()
    fake.put("SLVendors", VendNum="     42", Name="Northwind")
    fake._db.execute("UPDATE vendor SET RecordDate = NULL")
    fake.later(minutes=1)
    (record,) = listed(fake)
    assert (record.key, record.changed_at) == ("42", None)


@pytest.mark.parametrize(("number", "name", "field"), [("     42", " ", "Name"), ("  ", "Northwind", "VendNum")])
def test_a_vendor_without_number_or_name_is_refused(number: str, name: str, field: str) -> None:
    fake = CsiLists()
    fake.put("SLVendors", VendNum=number, Name=name)
    with pytest.raises(Rejected) as caught:
        decoded(fake)
    assert (caught.value.code, caught.value.field) == ("missing_field", field)
