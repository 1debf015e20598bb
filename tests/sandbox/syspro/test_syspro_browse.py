"""COMBRW, COMFCH, GENQST and GENQ08 (reference/syspro.md §2.6, §2.9)."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree


def browse(site: Any, name: str = "ApSupplier", **parts: str) -> Any:
    fields = "".join(f"<{key}>{value}</{key}>" for key, value in parts.items())
    xml_in = f"<Browse><BrowseName>{name}</BrowseName>{fields}</Browse>"
    answer = site.text("/Query/Browse", UserId=site.user_id, XmlIn=xml_in)
    return answer if answer.startswith("ERROR") else etree.fromstring(answer.encode("cp1252"))


def keys(page: Any) -> list[str]:
    return [row.findtext("Supplier/Value") for row in page.iterfind("Row")]


def fetch(site: Any, table: str, *key: str) -> str:
    names = ("Key", "OptionalKey1", "OptionalKey2")
    parts = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, key, strict=False))
    xml_in = f"<Fetch><TableName>{table}</TableName>{parts}</Fetch>"
    text: str = site.text("/Query/Fetch", UserId=site.user_id, XmlIn=xml_in)
    return text


def test_a_browse_pages_forward_by_the_next_key_until_fwd_is_false(site: Any) -> None:
    seen, start, condition = [], "", "GE"
    while True:
        page = browse(site, StartAtKey=start, StartCondition=condition, ReturnRows="7")
        seen += keys(page)
        marks = {element.tag: element.text for element in page.find("NextPrevKey")}
        assert (marks["PrevKey"], marks["NextKey"]) == (keys(page)[0], keys(page)[-1])
        start, condition = marks["NextKey"], "GR"
        if marks["Fwd"] == "False":
            break
    assert seen == sorted(row["supplier"] for row in site.ledger("suppliers"))
    assert marks["Back"] == "True"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("GE", ["V00003", "V00004"]), ("GR", ["V00004", "V00005"]), ("", ["V00003", "V00004"]),
        ("EF", ["V00001", "V00002"]), ("LE", ["V00002", "V00003"]),
    ],
)  # fmt: skip
def test_the_start_condition_says_which_way_the_page_lies(site: Any, condition: str, expected: list[str]) -> None:
    assert keys(browse(site, StartAtKey="V00003", StartCondition=condition, ReturnRows="2")) == expected


def test_a_browse_without_a_row_count_gives_the_servers_and_a_filter_narrows_it(site: Any) -> None:
    assert len(keys(browse(site))) == 25
    one = "<ColumnFilterName>Currency</ColumnFilterName><ColumnFilterValue>EUR</ColumnFilterValue>"
    assert keys(browse(site, Filter=one)) == ["V00031", "V00032"]


def test_browse_details_choose_the_columns_and_their_headings(site: Any) -> None:
    column = "<Column><ColumnName>SupplierName</ColumnName><ColumnDescription>Name</ColumnDescription></Column>"
    page = browse(site, "Unknown", BrowseDetails=f"<TableName>ApSupplier</TableName><Title>All</Title>{column}")
    assert page.findtext("Title") == "All"
    assert [child.tag for child in page.find("Row")] == ["SupplierName"]
    assert [element.text for element in page.iterfind("HeaderDetails/Header")] == ["Name"]
    assert page.findtext("Row/SupplierName/DataType") == "A"


@pytest.mark.parametrize("name", ["Unknown", "ApInvoice", "ApControl"])
def test_a_browse_that_is_not_configured_is_an_error(site: Any, name: str) -> None:
    assert browse(site, name).startswith("ERROR: Browse")


def test_a_fetch_gives_all_columns_of_one_row_and_null_dates_as_zeros(site: Any) -> None:
    answer = fetch(site, "ApSupplier", "V00031")
    assert "<ApSupplier Language=" in answer
    assert "<SupplierName>Rheintal Chemie</SupplierName>" in answer
    assert "<LastPurchDate>0000-00-00</LastPurchDate>" in answer
    assert answer.count("<CurrentBalance>              0.00</CurrentBalance>") == 1


def test_a_fetch_takes_the_rest_of_a_longer_key_from_the_optional_ones(site: Any) -> None:
    site.system.add("ap_invoice", {"supplier": "V00001", "invoice": "A", "value": "5.00"})
    assert "<Invoice>A</Invoice>" in fetch(site, "ApInvoice", "V00001", "A")
    assert fetch(site, "ApInvoice", "V00001", "B").startswith("ERROR: Key")
    site.system.add("purchase_order", {"supplier": "V00001", "lines": [{"stock_code": "A100", "qty": "2"}]})
    assert "<MStockCode>A100</MStockCode>" in fetch(site, "PorMasterDetail", "0" * 11 + "4711", "1")


def test_a_fetch_of_a_table_that_has_no_key_is_an_error(site: Any) -> None:
    assert fetch(site, "ApControl", "CTL").startswith("ERROR: Table")


def test_browse_and_fetch_can_be_missing_from_the_licence(new_site: Any) -> None:
    site = new_site(unlicensed=("COMBRW", "COMFCH"))
    for answer in (browse(site), fetch(site, "ApSupplier", "V00001")):
        assert answer == "ERROR: e.net exception raised: 100000"


# The ledger's structure


def structure(site: Any, **option: str) -> dict[str, list[tuple[str, str]]]:
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in option.items())
    answer = site.query("GENQST", f"<Query><Option>{fields}</Option></Query>")
    root = etree.fromstring(answer.encode("cp1252"))
    return {
        section.findtext("SectionNumber"): [
            (item.findtext("SectionCode"), item.findtext("IsValidSection")) for item in section.iterfind("Item")
        ]
        for section in root.iterfind("Section")
    }


def test_genqst_lists_cost_centers_and_accounts_as_sections(site: Any) -> None:
    sections = structure(site)
    assert sections["1"] == [(code, "Y") for code in ("00", "10", "20", "30", "40")]
    assert ("5120", "Y") in sections["2"]
    assert structure(site, Section="2", Parent="00")["2"][0] == ("2100", "Y")


def test_closed_cost_centers_and_held_accounts_show_only_as_invalid(site: Any) -> None:
    site.system.add("gl_section", {"section": "40", "closed": True})
    assert ("40", "Y") not in structure(site, Section="1")["1"]
    everything = structure(site, IncludeInvalid="Y")
    assert ("40", "N") in everything["1"]
    assert ("5600", "N") in everything["2"]
    assert site.query("GENQST", "<Query><Option><Section>7</Section></Option></Query>").startswith("ERROR: ")


def test_genq08_lists_accounts_by_type_and_code(site: Any) -> None:
    def codes(option: str = "", where: str = "") -> list[str]:
        answer = site.query("GENQ08", f"<Query><Option>{option}</Option><Filter>{where}</Filter></Query>")
        return [part.partition("<")[0] for part in answer.split("<GlCode>")[1:]]

    assert codes("<IncludeLiabilities>Y</IncludeLiabilities>") == ["00-2100", "00-2150", "00-2200"]
    assert codes(where='<GlCode FilterType="S" FilterValue="10-5120"/>') == ["10-5120"]
    assert codes(where='<GlCode FilterType="R" FilterValue="10-5120,10-5210"/>') == ["10-5120", "10-5130", "10-5210"]
    assert len(codes()) == len(site.rows("GenMaster", "GlCode"))
