"""Bytes, paths, encodings and limits of the simulated service (reference/syspro.md §1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests

from airflow_provider_mlconnector.sandbox.server import serving

BASE = "/SYSPROWCFService/Rest"
ROOT_ATTRIBUTES = (
    "Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' Version='8.0.105'"
    " OperatorPrimaryRole='   '"
)
COMFND = "<Query><TableName>ApBranch</TableName><Columns><Column>Branch</Column></Columns></Query>"


def test_every_answer_is_an_octet_stream_of_status_200_even_a_failed_logon(site: Any) -> None:
    for answer in (site.get("/GetVersion"), site.get("/Logoff", UserId="nobody")):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["server"] == "Microsoft-HTTPAPI/2.0"


def test_a_business_object_answer_has_the_recorded_bytes(site: Any) -> None:
    body = site.get("/Query/Query", UserId=site.user_id, BusinessObject="COMFND", XmlIn=COMFND).content
    assert body == (
        b'<?xml version="1.0" encoding="Windows-1252"?>\n'
        b"<ApBranch " + ROOT_ATTRIBUTES.encode() + b">\n<HeaderDetails>\n<TableName>ApBranch</TableName>\n<Columns>\n"
        b"<Column>Branch</Column>\n</Columns>\n<OrderBy/>\n</HeaderDetails>\n<Row>\n<Branch>10</Branch>\n</Row>\n"
        b"<Row>\n<Branch>20</Branch>\n</Row>\n<RowsReturned>       2</RowsReturned>\n</ApBranch>\n "
    )


@pytest.mark.parametrize("path", ["/logon", "/LOGON", "/Utilities/Logon", "/utilities/LOGON"])
def test_the_path_of_logon_is_taken_in_any_case_and_also_below_utilities(site: Any, path: str) -> None:
    answer = site.request("GET", f"/sysprowcfservice/REST{path}", params=_logon_parameters(site))
    assert len(answer.content) == 36


def _logon_parameters(site: Any) -> dict[str, str]:
    known = site.system.credentials()
    return {
        "operator": known["login"],
        "OPERATORPASSWORD": known["password"],
        "CompanyId": known["extra"]["company_id"],
        "companypassword": known["extra"]["company_password"],
    }


@pytest.mark.parametrize("blank", ["+", "%20"])
def test_plus_and_percent_20_are_both_a_blank(site: Any, blank: str) -> None:
    xml = quote(COMFND.replace("<Query>", "<Query >"), safe="").replace("%20", blank)
    user_id = site.user_id.replace(" ", blank)
    answer = site.request("GET", f"{BASE}/Query/Query?UserId={user_id}&BusinessObject=COMFND&XmlIn={xml}")
    assert b"<RowsReturned>       2</RowsReturned>" in answer.content


def test_the_session_key_is_taken_with_and_without_its_trailing_blanks(site: Any) -> None:
    for user_id in (site.user_id, site.user_id.rstrip()):
        assert "<LocalCurrencyCode>$</LocalCurrencyCode>" in site.text("/GetLogonProfile", UserId=user_id)


def test_a_document_of_letters_inside_cp1252_comes_back_as_cp1252_bytes(site: Any) -> None:
    site.apstin(site.item(TransactionReference="Möbel – 5 €"))
    body = site.get(
        "/Query/Query", UserId=site.user_id, BusinessObject="COMFND",
        XmlIn="<Query><TableName>ApInvoice</TableName><Columns><Column>Reference</Column></Columns></Query>",
    ).content  # fmt: skip
    assert "<Reference>Möbel – 5 €</Reference>".encode("cp1252") in body


def test_characters_outside_cp1252_become_question_marks(site: Any) -> None:
    site.apstin(site.item(Invoice="Łódź-1", TransactionReference="東京"))
    assert site.rows("ApInvoice", "Invoice", "Reference") == [["?ód?-1", "??"]]


def test_markup_in_values_is_escaped_on_the_way_back(site: Any) -> None:
    site.apstin(site.item(TransactionReference="A & B <C>"))
    assert "<Reference>A &amp; B &lt;C&gt;</Reference>" in site.find("ApInvoice", "Reference")


def test_a_request_line_over_the_limit_is_refused_with_an_html_414(new_site: Any) -> None:
    site = new_site(url_limit=2000)
    answer = site.get("/Query/Query", UserId=site.user_id, BusinessObject="COMFND", XmlIn="x" * 2000)
    assert (answer.status_code, answer.headers["content-type"]) == (414, "text/html; charset=us-ascii")
    assert b"HTTP Error 414. The request URL is too long." in answer.content


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/Nowhere", 404), ("POST", "/Logon", 405), ("GET", "/Transaction/PostLD", 405), ("GET", "/Logoff", 400)],
)
def test_a_malformed_request_gets_an_html_page_of_the_http_stack(
    site: Any, method: str, path: str, status: int
) -> None:
    answer = site.request(method, BASE + path)
    assert answer.status_code == status
    assert answer.text.startswith("<!DOCTYPE HTML")


def test_missing_xml_parameters_count_as_empty(site: Any) -> None:
    answer = site.text(
        "/Transaction/Post", UserId=site.user_id, BusinessObject="APSTIN", XmlIn=site.document(site.item())
    )
    assert "<ItemsProcessed>1</ItemsProcessed>" in answer


def test_a_declared_encoding_inside_the_query_string_is_ignored(site: Any) -> None:
    declared = '<?xml version="1.0" encoding="Windows-1252"?>\n' + COMFND
    assert "<RowsReturned>       2</RowsReturned>" in site.query("COMFND", declared)


@pytest.mark.parametrize(
    "xml",
    [
        "<Query><TableName>",
        "",
        '<!DOCTYPE Query [<!ENTITY a "ApBranch">]><Query><TableName>&a;</TableName></Query>',
        '<!DOCTYPE Query SYSTEM "file:///etc/passwd"><Query><TableName>ApBranch</TableName></Query>',
    ],
)
def test_broken_xml_and_document_types_are_refused_as_text(site: Any, xml: str) -> None:
    assert site.query("COMFND", xml).startswith("ERROR: Unable to load the XML document")


@pytest.mark.parametrize("method", ["Query", "Post"])
def test_an_unknown_or_unlicensed_business_object_raises_100000(new_site: Any, method: str) -> None:
    site = new_site(unlicensed=("APSQRY", "GENTJL"))
    call = site.query if method == "Query" else (lambda name, xml: site.post(name, "", xml))
    for name in ("NOSUCH", "APSQRY", "GENTJL", "APSTIN" if method == "Query" else "COMFND"):
        assert call(name, "<Query/>") == "ERROR: e.net exception raised: 100000"


def _post_ld(site: Any, business_object: str, parameters: str, xml: str) -> str:
    return (
        '<TransactionPostLD xmlns="http://SYSPROWcfService">'
        f"<UserId>{site.user_id}</UserId><BusinessObject>{business_object}</BusinessObject>"
        f"<XmlParameters><![CDATA[{parameters}]]></XmlParameters><XmlIn><![CDATA[{xml}]]></XmlIn></TransactionPostLD>"
    )


def test_post_ld_posts_what_is_too_long_for_a_url(site: Any) -> None:
    lines = [("10-5120", "1.00", "Z")] * 1000
    xml = site.document(site.item(*lines, TransactionValue="1000.00", TaxValue="0"))
    body = _post_ld(site, "APSTIN", site.parameters(), xml)
    answer = site.request(
        "POST", f"{BASE}/Transaction/PostLD", content=body.encode(), headers={"content-type": "application/xml"}
    )
    assert answer.headers["content-type"] == "application/octet-stream"
    assert b"<ItemsProcessed>1</ItemsProcessed>" in answer.content
    assert len(site.ledger("ap_invoices")[0]["lines"]) == 1000


@pytest.mark.parametrize(
    "body", ["", "<x/>", '<TransactionPostLD xmlns="http://SYSPROWcfService"><UserId/></TransactionPostLD>']
)
def test_another_body_than_post_ld_is_refused_with_400(site: Any, body: str) -> None:
    assert site.request("POST", f"{BASE}/Transaction/PostLD", content=body.encode()).status_code == 400


def test_a_site_before_syspro_8_has_no_post_ld(new_site: Any) -> None:
    assert new_site(post_ld=False).request("POST", f"{BASE}/Transaction/PostLD").status_code == 404


def test_calls_are_named_for_fault_plans_without_reading_the_body(site: Any) -> None:
    name = site.system.call_name
    assert name(f"{BASE}/logon", {}) == "Logon"
    assert name(f"{BASE}/Query/Query", {"businessobject": "comfnd"}) == "Query:COMFND"
    assert name(f"{BASE}/Transaction/Post", {"BusinessObject": "GENTJL"}) == "Post:GENTJL"
    assert name(f"{BASE}/Transaction/PostLD", {}) == "PostLD"


def test_over_real_http_the_bytes_are_the_same_and_requests_carry_the_servers_number() -> None:
    with serving(seed=3) as sandbox:
        known = requests.get(f"{sandbox.url}/_sandbox/credentials", timeout=10).json()["syspro"]
        parameters = {"Operator": known["login"], "OperatorPassword": "wrong"} | {
            "CompanyId": known["extra"]["company_id"],
            "CompanyPassword": known["extra"]["company_password"],
        }
        answer = requests.get(f"{sandbox.url}{BASE}/Logon", params=parameters, timeout=10)
        assert answer.content == b"ERROR: Invalid operator password"
        assert (answer.status_code, answer.headers["Server"]) == (200, "Microsoft-HTTPAPI/2.0")
        ledger = requests.get(f"{sandbox.url}/_sandbox/ledger", timeout=10).json()["syspro"]
        assert [record["request_no"] for record in ledger["logons"]] == [1]
        long = requests.get(f"{sandbox.url}{BASE}/Logon", params={"XmlIn": "x" * 20000}, timeout=10)
        assert long.status_code == 414
