from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

INVOICES = "/j1p/api/public/ji/v1/invoices"


def coding(line: Any) -> Any:
    return line["splittableFieldSetGroupList"]["splittableFieldSetGroup"][0]["splittableFieldIndexSet"][0]


def test_the_list_has_an_envelope_and_headers_only(tenant: Any) -> None:
    answer = tenant.listed()
    rows = answer.pop("jiinvoiceList")["jiinvoice"]
    assert answer == {"returnCode": 0, "returnMessage": "", "totRecords": 60, "returnedRecords": 60, "startAt": 1}
    assert len(rows) == 60
    assert all(list(row) == ["header"] for row in rows)


def test_a_tenant_may_send_lines_in_the_list(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(invoices=5, jaggaer={"list_with_lines": True})
    row = tenant.listed()["jiinvoiceList"]["jiinvoice"][0]
    assert row == tenant.detail(row["header"]["invoiceId"])


def test_pages_are_cut_by_the_server_at_a_one_based_record_offset(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(invoices=25, jaggaer={"page_size": 10})
    pages = [tenant.listed(start=start) for start in (1, 11, 21, 26)]
    assert [(p["startAt"], p["returnedRecords"], p["totRecords"]) for p in pages] == [
        (1, 10, 25),
        (11, 10, 25),
        (21, 5, 25),
        (26, 0, 25),
    ]
    ids = [row["header"]["invoiceId"] for page in pages for row in page["jiinvoiceList"]["jiinvoice"]]
    assert ids == list(range(900_001, 900_026))


def test_counts_may_come_as_text_but_the_return_code_of_ji_is_a_number(new_tenant: Callable[..., Any]) -> None:
    answer = new_tenant(invoices=3, jaggaer={"counts_as_text": True}).listed()
    assert (answer["totRecords"], answer["returnedRecords"], answer["startAt"]) == ("3", "3", "1")
    assert answer["returnCode"] == 0


def test_the_detail_has_no_envelope_and_the_header_of_the_list(tenant: Any) -> None:
    row = tenant.listed()["jiinvoiceList"]["jiinvoice"][0]
    detail = tenant.detail(row["header"]["invoiceId"])
    assert set(detail) == {"header", "lineList"}
    assert detail["header"] == row["header"]


@pytest.mark.parametrize("key", ["123", "abc", "0"])
def test_an_unknown_invoice_is_an_application_error_inside_http_200(tenant: Any, key: str) -> None:
    answer = tenant.raw("GET", f"{INVOICES}/{key}")
    assert answer.status_code == 200
    assert answer.json()["returnCode"] == 2
    assert key in answer.json()["returnMessage"]


@pytest.mark.parametrize("start", ["0", "-1", "first"])
def test_an_offset_before_the_first_record_is_an_application_error(tenant: Any, start: str) -> None:
    assert tenant.listed(start=start)["returnCode"] == 2


def test_an_unknown_filter_key_is_an_application_error_inside_http_200(tenant: Any) -> None:
    answer = tenant.raw("GET", INVOICES, params={"flt": "colour==red"})
    assert answer.status_code == 200
    assert (answer.json()["returnCode"], answer.json()["totRecords"]) == (2, 0)
    assert "colour" in answer.json()["returnMessage"]


def test_lists_filter_by_any_known_key(tenant: Any) -> None:
    headers = [row["header"] for row in tenant.listed()["jiinvoiceList"]["jiinvoice"]]
    euros = [h["invoiceId"] for h in headers if h["supplier"]["supplierNumber"] in ("V00031", "V00032")]
    assert euros
    assert tenant.ids(flt="supplierNumber=in=(V00031,V00032)") == euros
    pending = [h["invoiceId"] for h in headers if h["workflowStatus"] == "Pending"]
    assert tenant.ids(flt="WORKFLOWSTATUS==Pending") == pending
    moment = sorted(h["lastUpdate"] for h in headers)[30]
    late = [h["invoiceId"] for h in headers if h["lastUpdate"] >= moment and h["businessUnit"] == "PLANT1"]
    assert late
    assert tenant.ids(flt=f"lastUpdate>={moment};businessUnit==PLANT1") == late


def test_only_reading_is_allowed_on_invoices_and_unknown_paths_are_404(tenant: Any) -> None:
    assert tenant.raw("POST", INVOICES, json={}).status_code == 405
    assert tenant.raw("GET", "/j1p/api/public/ji/v1/receipts").status_code == 404


def test_booleans_are_words_and_nulls_are_absent(tenant: Any) -> None:
    detail = tenant.one("plain")
    line = detail["lineList"]["invoiceLine"][0]
    words = (detail["header"]["nonPOInvoice"], detail["header"]["containsNonPOLines"], line["taxable"])
    assert words == ("true", "true", "false")
    assert not {"poNumber", "poLineNumber", "taxCharge1", "extendedPrice"} & set(line)
    assert "currency" not in line
    assert None not in detail["header"].values()


def test_empty_custom_field_values_are_empty_objects(tenant: Any) -> None:
    detail = tenant.one("plain")
    note = detail["header"]["customFieldValueSetList"]["customFieldValueSet"][0]
    assert note["customFieldValueList"]["customFieldValue"] == [{"value": {}, "description": {}}]
    split = coding(detail["lineList"]["invoiceLine"][0])["splittableFieldIndexList"]["splittableFieldIndex"][0]
    assert {"internalName": "Project", "value": {}, "description": {}} in split["customFieldValueList"][
        "customFieldValue"
    ]
    assert detail["header"]["miscFeeList"] == {"miscFee": []}


def test_dates_carry_milliseconds_and_z(tenant: Any) -> None:
    header = tenant.one("plain")["header"]
    assert all(len(header[key]) == 24 and header[key].endswith("Z") for key in ("lastUpdate", "invoiceDate", "dueDate"))
    assert header["invoiceDate"].endswith("T00:00:00.000Z")


def test_purchase_order_numbers_are_zero_padded_text(tenant: Any) -> None:
    detail = tenant.one("po_lines")
    line = detail["lineList"]["invoiceLine"][0]
    assert len(line["poNumber"]) == 10
    assert line["poNumber"].isdigit()
    assert line["poLineNumber"] == "1"
    assert (detail["header"]["invoiceLineType"], detail["header"]["nonPOInvoice"]) == ("PO", "false")


def test_an_unsplit_line_shows_no_distribution(tenant: Any) -> None:
    index_set = coding(tenant.one("plain")["lineList"]["invoiceLine"][0])
    assert "distributionType" not in index_set
    assert len(index_set["splittableFieldIndexList"]["splittableFieldIndex"]) == 1


@pytest.mark.parametrize(
    ("label", "kind"),
    [("split_percent", "PercentOfPrice"), ("split_thirds", "PercentOfPrice"), ("split_amount", "AmountOfPrice")],
)
def test_splits_name_their_kind_and_sum_up(tenant: Any, label: str, kind: str) -> None:
    line = tenant.one(label)["lineList"]["invoiceLine"][0]
    index_set = coding(line)
    splits = index_set["splittableFieldIndexList"]["splittableFieldIndex"]
    assert index_set["distributionType"] == kind
    assert [split["splitIndex"] for split in splits] == list(range(1, len(splits) + 1))
    whole = 100 if kind == "PercentOfPrice" else line["quantity"] * line["unitPrice"]
    assert sum(split["distributionValue"] for split in splits) == pytest.approx(whole, abs=1e-9)


def test_an_edit_stamps_last_update_and_shows_in_list_and_detail(tenant: Any) -> None:
    tenant.control("POST", "clock", {"advance": 600})
    edit = {"system": "jaggaer", "kind": "invoice", "id": 900_005}
    changes = {"header.workflowStatus": "Rejected", "lineList.invoiceLine": []}
    result = tenant.control("POST", "documents", edit | {"set": changes})
    detail = tenant.detail(900_005)
    assert detail["header"]["workflowStatus"] == "Rejected"
    assert detail["lineList"]["invoiceLine"] == []
    assert detail["header"]["lastUpdate"] == result["lastUpdate"]
    assert tenant.ids(flt=f"lastUpdate>={result['lastUpdate']}") == [900_005]
    assert tenant.ids(flt="workflowStatus==Rejected") == [900_005]
    assert tenant.truth()["900005"]["edited"] is True


def test_an_edit_of_a_list_element_leaves_the_rest_alone(tenant: Any) -> None:
    before = tenant.one("plain")
    key = before["header"]["invoiceId"]
    change = {"lineList.invoiceLine.0.quantity": 99}
    tenant.control("POST", "documents", {"system": "jaggaer", "kind": "invoice", "id": key, "set": change})
    after = tenant.detail(key)
    assert after["lineList"]["invoiceLine"][0]["quantity"] == 99
    after["lineList"]["invoiceLine"][0]["quantity"] = before["lineList"]["invoiceLine"][0]["quantity"]
    assert after["lineList"] == before["lineList"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "invoice", "id": 1, "set": {"header.x": 1}},
        {"kind": "invoice", "id": 900_001, "set": {"header.nowhere.x": 1}},
        {"kind": "invoice", "id": 900_001, "set": {"lineList.invoiceLine.99.quantity": 1}},
        {"kind": "receipt"},
        {"kind": "invoice", "label": "no such label"},
    ],
)
def test_a_document_command_that_fits_nothing_is_refused(tenant: Any, body: dict[str, Any]) -> None:
    assert "error" in tenant.control("POST", "documents", {"system": "jaggaer", **body}, status=400)
    assert tenant.ids() == list(range(900_001, 900_061))


def test_a_whole_invoice_can_be_added(tenant: Any) -> None:
    header = {"supplierInvoiceNumber": "OWN-1", "total": {"currency": "USD", "value": 12.5}}
    body = {"header": header, "lineList": {"invoiceLine": [{"lineNumber": 1}]}}
    added = tenant.control("POST", "documents", {"system": "jaggaer", "kind": "invoice", **body})
    assert added["invoiceId"] == 900_061
    assert tenant.detail(900_061)["lineList"] == body["lineList"]
    assert tenant.ids(flt="supplierInvoiceNumber==OWN-1") == [900_061]
    assert (tenant.truth()["900061"]["label"], tenant.truth()["900061"]["gross"]) == ("added", "12.5")


def test_one_more_generated_invoice_can_arrive(tenant: Any) -> None:
    tenant.control("POST", "clock", {"advance": 60})
    added = tenant.control("POST", "documents", {"system": "jaggaer", "kind": "invoice", "label": "credit_memo"})
    detail = tenant.detail(added["invoiceId"])
    assert detail["header"]["invoiceType"] == "Credit memo"
    assert tenant.ids(flt=f"lastUpdate>={added['lastUpdate']}") == [added["invoiceId"]]


def test_a_big_invoice_has_as_many_lines_as_asked_and_a_total_that_fits(tenant: Any) -> None:
    request = {"system": "jaggaer", "kind": "big_invoice", "lines": 10_000}
    detail = tenant.detail(tenant.control("POST", "documents", request)["invoiceId"])
    lines = detail["lineList"]["invoiceLine"]
    assert len(lines) == 10_000
    assert sum(line["quantity"] * line["unitPrice"] for line in lines) == pytest.approx(
        detail["header"]["total"]["value"]
    )
    assert detail["header"]["workflowStatus"] == "Completed"


def test_ordered_by_last_update_an_edit_while_paging_shifts_the_rows(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(invoices=30, jaggaer={"page_size": 10, "order": "lastUpdate"})
    everything = tenant.ids() + tenant.ids(start=11) + tenant.ids(start=21)
    stamps = [tenant.detail(i)["header"]["lastUpdate"] for i in everything]
    assert stamps == sorted(stamps)
    first_page = tenant.ids()
    edit = {"system": "jaggaer", "kind": "invoice", "id": first_page[0], "set": {}}
    tenant.control("POST", "documents", edit)
    second_page = tenant.ids(start=11)
    assert everything[10] not in first_page + second_page  # the row a naive reader loses
    assert second_page == everything[11:21]
    assert tenant.ids(start=21)[-1] == first_page[0]


def test_ordered_by_id_an_edit_while_paging_shifts_nothing(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(invoices=30, jaggaer={"page_size": 10})
    tenant.control("POST", "documents", {"system": "jaggaer", "kind": "invoice", "id": 900_001, "set": {}})
    assert tenant.ids() + tenant.ids(start=11) + tenant.ids(start=21) == list(range(900_001, 900_031))
