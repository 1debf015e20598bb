from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.invoices import attempt, invoices, keys, some

from airflow_provider_mlconnector.documents.invoice import ChargeKind, Invoice, InvoiceKind
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import dumps, loads, revision_of
from airflow_provider_mlconnector.systems.jaggaer.invoices import decode
from airflow_provider_mlconnector.systems.jaggaer.writing import encode


def record() -> dict[str, Any]:
    """The composed example of reference/jaggaer.md §2.4, row and detail in one."""
    split = {"internalName": "Account", "value": "51200", "description": "Consumables"}
    return {
        "header": {
            "invoiceId": 900101,
            "invoiceNumber": "I000101",
            "originalInvoiceNumber": "I000101",
            "supplierInvoiceNumber": "NB-7781",
            "invoiceType": "Invoice",
            "lastUpdate": "2026-01-15T10:20:30.400Z",
            "invoiceDate": "2026-01-10T00:00:00.000Z",
            "dueDate": "2026-02-09T00:00:00.000Z",
            "businessUnit": "PLANT1",
            "supplier": {"id": 7001, "name": "Northbridge Tooling", "supplierNumber": "V00042"},
            "terms": {"discount": 2, "days": 10, "type": "Net", "daysAfter": 30, "standardPaymentTermsCode": "NET30"},
            "taxCharge1": 20.0,
            "shippingCharge": 5.0,
            "miscFeeList": {"miscFee": [{"name": "Pallet", "fee": 1.5}]},
            "total": {"currency": "USD", "value": 225.0},
        },
        "lineList": {
            "invoiceLine": [
                {
                    "lineId": 5501,
                    "lineNumber": 1,
                    "poNumber": "0000000310",
                    "poLineNumber": "1",
                    "item": {"description": "Drill bits 8mm", "unitOfMeasure": {"dimension": "EA"}},
                    "quantity": 10,
                    "unitPrice": 20.0,
                    "taxable": "true",
                    "taxCharge1": 20.0,
                    "matchStatus": "Matched",
                    "splittableFieldSetGroupList": {
                        "splittableFieldSetGroup": [
                            {
                                "splittableFieldIndexSet": [
                                    {
                                        "context": "Line",
                                        "distributionType": "PercentOfPrice",
                                        "splittableFieldIndexList": {
                                            "splittableFieldIndex": [
                                                {
                                                    "splitIndex": 1,
                                                    "distributionValue": 60,
                                                    "customFieldValueList": {
                                                        "customFieldValue": [
                                                            split,
                                                            {"internalName": "CostCenter", "value": "CC10"},
                                                        ]
                                                    },
                                                },
                                                {
                                                    "splitIndex": 2,
                                                    "distributionValue": 40,
                                                    "customFieldValueList": {
                                                        "customFieldValue": [
                                                            split,
                                                            {"internalName": "CostCenter", "value": {}},
                                                        ]
                                                    },
                                                },
                                            ]
                                        },
                                    }
                                ]
                            }
                        ]
                    },
                }
            ]
        },
    }


def read(data: dict[str, Any]) -> Invoice:
    return decode(json.dumps(data).encode())


def splits(data: dict[str, Any]) -> dict[str, Any]:
    groups = data["lineList"]["invoiceLine"][0]["splittableFieldSetGroupList"]["splittableFieldSetGroup"]
    found: dict[str, Any] = groups[0]["splittableFieldIndexSet"][0]
    return found


@some
@given(invoices())
def test_any_invoice_written_as_jaggaer_writes_is_read_back_the_same(invoice: Invoice) -> None:
    assert decode(encode(invoice)) == invoice


@some
@given(invoices(least_lines=1))
def test_reading_and_writing_again_changes_no_byte(invoice: Invoice) -> None:
    written = encode(invoice)
    assert encode(decode(written)) == written


def test_the_documented_example_is_read_field_by_field() -> None:
    invoice = read(record())
    assert (invoice.source_key, invoice.number, invoice.supplier) == ("900101", "NB-7781", "V00042")
    assert invoice.kind is InvoiceKind.INVOICE
    assert invoice.original_number == ""
    assert invoice.revision == "2026-01-15T10:20:30.400000Z"
    assert str(invoice.invoice_date) == "2026-01-10"
    assert str(invoice.due_date) == "2026-02-09"
    assert invoice.gross == Decimal(225)
    assert invoice.terms is not None
    assert (invoice.terms.code, invoice.terms.days, invoice.terms.discount_days) == ("NET30", 30, 10)
    assert [(c.kind, c.amount, c.name) for c in invoice.charges] == [
        (ChargeKind.FREIGHT, Decimal(5), ""),
        (ChargeKind.MISCELLANEOUS, Decimal("1.5"), "Pallet"),
    ]
    line = invoice.lines[0]
    assert (line.amount, line.taxable, line.po_number, line.unit) == (Decimal("200.00"), True, "0000000310", "EA")
    assert [(a.account, a.cost_center, a.percent) for a in line.allocations] == [
        ("51200", "CC10", 60),
        ("51200", "", 40),
    ]


def test_numbers_are_exact_even_where_floats_are_not() -> None:
    data = record()
    raw = json.dumps(data).replace('"value": 225.0', '"value": 12345678901.17')
    raw = raw.replace('"unitPrice": 20.0', '"unitPrice": 0.1000000000000000055511151231257827')
    invoice = decode(raw.encode())
    assert invoice.gross == Decimal("12345678901.17")
    assert invoice.lines[0].unit_price == Decimal("0.1000000000000000055511151231257827")


def test_a_credit_memo_names_the_invoice_it_credits() -> None:
    data = record()
    data["header"] |= {"invoiceType": "Credit memo", "originalInvoiceNumber": "I000077"}
    invoice = read(data)
    assert (invoice.kind, invoice.original_number) == (InvoiceKind.CREDIT_MEMO, "I000077")


def test_a_credit_memo_that_names_itself_has_no_original() -> None:
    data = record()
    data["header"] |= {"invoiceType": "CREDIT  MEMO"}
    assert read(data).original_number == ""


def test_the_only_split_of_a_line_needs_no_share() -> None:
    data = record()
    entry = splits(data)
    del entry["distributionType"]
    only = entry["splittableFieldIndexList"]["splittableFieldIndex"][:1]
    del only[0]["distributionValue"]
    entry["splittableFieldIndexList"]["splittableFieldIndex"] = only
    assert [a.percent for a in read(data).lines[0].allocations] == [Decimal(100)]


def test_splits_by_amount_are_read_as_amounts() -> None:
    data = record()
    splits(data)["distributionType"] = "AmountOfPrice"
    assert [a.amount for a in read(data).lines[0].allocations] == [Decimal(60), Decimal(40)]


def test_splits_that_do_not_say_what_they_are_pass_as_percentages_only_if_they_can_be() -> None:
    data = record()
    entry = splits(data)
    del entry["distributionType"]
    assert [a.percent for a in read(data).lines[0].allocations] == [Decimal(60), Decimal(40)]
    entry["splittableFieldIndexList"]["splittableFieldIndex"][0]["distributionValue"] = 150.5
    with pytest.raises(Rejected) as caught:
        read(data)
    assert (caught.value.code, caught.value.field) == ("allocation_mismatch", "lines[0].allocations")
    assert "distributionType is empty, and the splits' values 150.5, 40 are no" in caught.value.message
    assert "state PercentOfPrice or AmountOfPrice" in caught.value.message


def test_segments_follow_the_names_of_the_tenant() -> None:
    contract = JaggaerContract.parse({"segments": {"cost_center": "Financial_Unit"}})
    data = json.dumps(record()).replace("CostCenter", "Financial_Unit").encode()
    assert decode(data, contract).lines[0].allocations[0].cost_center == "CC10"


def test_the_group_with_an_account_is_taken_among_several_structures() -> None:
    data = record()
    groups = data["lineList"]["invoiceLine"][0]["splittableFieldSetGroupList"]["splittableFieldSetGroup"]
    groups.insert(0, json.loads(json.dumps(groups[0]).replace('"Account"', '"Fund"')))
    assert read(data).lines[0].allocations[0].account == "51200"


@pytest.mark.parametrize(
    ("path", "value", "code", "words"),
    [
        (("header", "supplierInvoiceNumber"), {}, "missing_field", "the supplier's invoice number"),
        (("header", "supplier", "supplierNumber"), {}, "supplier_without_number", "Northbridge Tooling"),
        (("header", "supplier"), None, "supplier_without_number", "supplierNumber"),
        (("header", "supplier"), 5, "unreadable_field", "should be an object"),
        (("header", "invoiceDate"), "yesterday", "unreadable_field", "invoiceDate"),
        (("header", "invoiceDate"), "2026-02-30", "unreadable_field", "invoiceDate"),
        (("header", "lastUpdate"), {}, "missing_field", "last change"),
        (("header", "lastUpdate"), "soon", "unreadable_field", "lastUpdate"),
        (("header", "invoiceId"), [], "missing_field", "JAGGAER's key"),
        (("header", "invoiceType"), "Debit memo", "unknown_invoice_type", "Debit memo"),
        (("header", "total", "value"), "lots", "unreadable_field", 'value is "lots"'),
        (("header", "total", "currency"), "XQZ", "unknown_currency", "XQZ"),
        (("header", "taxCharge1"), True, "unreadable_field", "taxCharge1"),
        (("header", "terms", "days"), 1.5, "unreadable_field", "a whole number"),
        (("lineList", "invoiceLine", 0, "quantity"), {}, "missing_field", "line 1: the quantity"),
        (("lineList", "invoiceLine", 0, "quantity"), [1], "unreadable_field", "line 1: quantity"),
        (("lineList", "invoiceLine", 0, "unitPrice"), "1,5", "unreadable_field", "line 1: unitPrice"),
        (("lineList", "invoiceLine", 0, "taxable"), "maybe", "unreadable_field", "true or false"),
        (("lineList", "invoiceLine"), 7, "unreadable_field", "invoiceLine is 7"),
        (("lineList", "invoiceLine", 0), None, "unreadable_field", "line 1"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(
    path: tuple[str | int, ...], value: object, code: str, words: str
) -> None:
    data: Any = record()
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(Parked if code == "supplier_without_number" else Rejected) as caught:
        read(data)
    assert caught.value.code == code
    assert words in caught.value.message


@pytest.mark.parametrize("literal", ["1e400", "-1e400", "9" * 5000, "1e-400"])
def test_absurd_numbers_reject_the_record_and_nothing_else(literal: str) -> None:
    raw = json.dumps(record()).replace('"value": 225.0', f'"value": {literal}')
    with pytest.raises(Rejected):
        decode(raw.encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
PATHS = [
    *(("header", key) for key in record()["header"]),
    ("header", "total", "value"),
    ("header", "terms", "daysAfter"),
    ("lineList",),
    ("lineList", "invoiceLine"),
    *(("lineList", "invoiceLine", 0, key) for key in record()["lineList"]["invoiceLine"][0]),
]


@given(st.sampled_from(PATHS), json_values)
def test_no_value_anywhere_causes_anything_but_a_rejection(path: tuple[str | int, ...], value: object) -> None:
    data: Any = record()
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    invoice, code = attempt(decode, dumps(data))
    assert (invoice is None) == bool(code)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_record_are_rejected(payload: bytes) -> None:
    with pytest.raises(Rejected):
        decode(payload)


def test_a_text_cut_inside_an_emoji_or_not_in_utf8_stays_readable() -> None:
    cut = json.dumps(record()).replace("Drill bits 8mm", "Drill \\ud83d").encode()
    assert decode(cut).lines[0].description == "Drill �"
    whole = json.dumps(record()).replace("Drill bits 8mm", "A\\\\u0041 \\ud83d\\ude00 \\ude00").encode()
    assert decode(whole).lines[0].description == "A\\u0041 😀 �"
    latin = json.dumps(record()).encode().replace(b"Drill bits 8mm", b"B\xf6hrer")
    assert decode(latin).lines[0].description == "B�hrer"


whole_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.decimals(-(10**6), 10**6, places=7) | keys,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


@given(whole_json)
def test_json_is_written_and_read_back_the_same(value: object) -> None:
    assert loads(dumps(value)) == value


def test_change_stamps_sort_as_text_whatever_their_form() -> None:
    stamps = [
        "2026-01-15T10:20:30Z",
        "2026-01-15T10:20:30.4Z",
        "2026-01-15T10:20:30.400500Z",
        "2026-01-15T12:20:31+02:00",
    ]
    revisions = [revision_of(stamp) for stamp in stamps]
    assert revisions == sorted(revisions)
    assert len(set(revisions)) == 4
    assert [revision_of(bad) for bad in ({}, None, 5, "", "soon", "0001-01-01T00:00:00+05:00")] == [""] * 6


def test_ten_thousand_lines_are_read_in_about_a_second() -> None:
    data = record()
    data["lineList"]["invoiceLine"] *= 10_000
    payload = json.dumps(data).encode()
    started = time.process_time()
    invoice = decode(payload)
    spent = time.process_time() - started
    assert len(invoice.lines) == 10_000
    print(f"10,000 lines decoded in {spent:.2f} s")
    assert spent < 3, spent  # a machine shared with other tests is up to three times slower
