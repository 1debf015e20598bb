"""What M3 does with suppliers, orders and supplier invoices, up to the ledger."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox.cloudsuite.test_m3_execute import M3

from airflow_provider_mlconnector.sandbox.cloudsuite.m3 import queries
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import FIELDS, InputError
from airflow_provider_mlconnector.sandbox.journal import JournaledApp

NEW = {
    "SUNO": "N00001", "SUNM": "Newly Made", "SUTY": "0", "CSCD": "US", "LNCD": "GB", "SUCL": "GEN", "TEDL": "EXW",
    "MODL": "TRK", "CUCD": "USD", "TEPY": "N30", "PYME": "CHK",
}  # fmt: skip
LINE = {"RDTP": "8", "NLAM": "100.00", "AIT1": "51200", "AIT2": "CC10"}


@pytest.fixture
def m3() -> M3:
    return M3()


def enter(m3: M3, *lines: dict[str, str], **head: str) -> str:
    """Enter a batch and return its number."""
    record = {"SUNO": "V00001", "IVDT": "20260301", "SINO": "NB-1", "CUAM": "120.00", "VTAM": "20.00"} | head
    number = m3.one("APS450MI", "AddHead", **record)["INBN"]
    for line in lines or (LINE,):
        m3.one("APS450MI", "AddLine", INBN=number, **line)
    return number


def head(m3: M3, number: str) -> dict[str, str]:
    return m3.one("APS450MI", "GetHead", INBN=number)


def validated(m3: M3, number: str) -> tuple[str, str]:
    """Validate a batch and return its status and message."""
    m3.one("APS455MI", "ValidateByBatchNo", INBN=number)
    found = head(m3, number)
    return found["SUPA"], found["MSGD"]


def accounts(m3: M3) -> list[tuple[str, str, str]]:
    return [(line["account"], line["cost_center"], line["amount"]) for line in m3.books["gl_lines"]]


# Suppliers


def test_suppliers_are_those_jaggaer_knows_by_the_same_numbers(m3: M3) -> None:
    rows = {row["SUNO"]: row for row in m3.rows("CRS620MI", "LstSuppliers")}
    assert (rows["V00042"]["STAT"], rows["V00001"]["STAT"], rows["V00031"]["CUCD"]) == ("90", "20", "EUR")
    assert "4711" in rows
    assert "V00099" not in rows
    assert rows["V00001"]["TINO"] == "TX0000001"


def test_a_supplier_needs_what_the_tenant_asks_for_and_can_be_read_at_once(m3: M3) -> None:
    for name in NEW:
        wanting = {key: value for key, value in NEW.items() if key != name}
        assert m3.refusal("CRS620MI", "AddSupplier", **wanting)[:2] == ("MandatoryInputFieldNotFound", name)
    m3.one("CRS620MI", "AddSupplier", **NEW)
    found = m3.one("CRS620MI", "GetBasicData", SUNO="N00001")
    assert (found["SUNM"], found["STAT"], found["CHNO"], found["CHID"]) == ("Newly Made", "20", "1", "ml_service")
    assert m3.refusal("CRS620MI", "AddSupplier", **NEW)[2] == "Supplier N00001 already exists"
    assert [attempt["outcome"] for attempt in m3.writes].count("stored") == 1


def test_an_update_changes_what_is_given_and_moves_the_stamps(m3: M3) -> None:
    before = m3.one("CRS620MI", "GetBasicData", SUNO="V00001")
    m3.later(60)
    m3.one("CRS620MI", "UpdSupplier", SUNO="V00001", SUNM="Renamed", VRNO="", CSCD=" ")
    after = m3.one("CRS620MI", "GetBasicData", SUNO="V00001")
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"SUNM", "LMTS", "CHNO", "CHID"}
    assert (after["CHNO"], after["LMDT"]) == ("2", "20260302")


def test_changed_after_a_stamp_is_what_a_person_did_since(m3: M3) -> None:
    newest = max(int(row["LMTS"]) for row in m3.rows("CRS620MI", "LstSuppliers"))
    assert m3.rows("CRS620MI", "LstSuppliers", LMTS=str(newest)) == []
    m3.person("m3_supplier", number="P00001", name="Typed In")
    m3.person("m3_supplier_edit", number="V00002", set={"SUNM": "Renamed"})
    m3.person("m3_supplier_block", number="V00003")
    rows = m3.rows("CRS620MI", "LstSuppliers", LMTS=str(newest))
    assert [(row["SUNO"], row["SUNM"], row["STAT"]) for row in rows] == [
        ("P00001", "Typed In", "20"), ("V00002", "Renamed", "20"), ("V00003", "Quill Office 3", "90"),
    ]  # fmt: skip
    assert m3.writes == []


def test_a_range_of_suppliers_has_both_its_ends(m3: M3) -> None:
    rows = m3.rows("CRS620MI", "LstSuppliers", FRSU="V00003", TOSU="V00005")
    assert [row["SUNO"] for row in rows] == ["V00003", "V00004", "V00005"]


# Orders


def test_orders_are_read_by_number_by_search_and_by_requester() -> None:
    m3 = M3(orders=16)
    found = m3.rows("PPS200MI", "SearchHead", SQRY="SUNO:V0* AND PUST:[20 TO 50] CUCD:USD")
    assert found
    assert all("20" <= row["PUST"] <= "50" and row["CUCD"] == "USD" for row in found)
    assert m3.rows("PPS200MI", "SearchHead", SQRY='PUNO:"2000003"')[0]["PUSL"] == "15"
    assert len(m3.rows("PPS001MI", "ListHeadBasic", PURC="BUYER1")) == 16
    assert m3.rows("PPS001MI", "ListHeadBasic", PURC="NOBODY") == []
    assert m3.rows("PPS001MI", "GetHeadBasic", PUNO="2000001") == m3.rows("PPS200MI", "GetHead", PUNO="2000001")
    assert m3.refusal("PPS200MI", "GetHead", PUNO="9")[2] == "Purchase order number 9 does not exist"
    assert m3.refusal("PPS200MI", "SearchHead", SQRY="NONE:1")[2] == "Field NONE does not exist"
    assert m3.refusal("PPS200MI", "SearchHead", SQRY="what")[1] == "SQRY"


def test_every_kind_of_order_shows_in_lines_statuses_and_total() -> None:
    m3 = M3(orders=8)
    states = {}
    for row in m3.rows("PPS200MI", "SearchHead", SQRY="CONO:100"):
        lines = m3.rows("PPS200MI", "LstLine", PUNO=row["PUNO"])
        states[row["PUNO"]] = (row["PUSL"], row["PUST"])
        assert Decimal(row["NTAM"]) == sum(Decimal(line["LNAM"]) for line in lines)
        assert (min(line["PUST"] for line in lines), max(line["PUST"] for line in lines)) == states[row["PUNO"]]
    assert list(states.values()) == [
        ("20", "20"), ("20", "20"), ("15", "15"), ("20", "75"), ("75", "75"), ("20", "99"), ("20", "20"), ("99", "99"),
    ]  # fmt: skip


def test_lines_can_be_read_from_one_on() -> None:
    m3 = M3(orders=1)
    numbers = [row["PNLI"] for row in m3.rows("PPS200MI", "LstLine", PUNO="2000001")]
    assert numbers[:2] == ["1", "2"]
    assert [row["PNLI"] for row in m3.rows("PPS001MI", "LstLine", PUNO="2000001", PNLI="2")] == numbers[1:]


def test_people_order_change_receive_and_cancel(m3: M3) -> None:
    lines = [{"quantity": 10, "price": "2.50"}, {"quantity": 1, "price": 7, "item": "A100"}]
    number = m3.person("m3_order", supplier="V00001", unit="PLANT2", planned=True, lines=lines)["PUNO"]
    first = m3.rows("PPS200MI", "GetHead", PUNO=number)[0]
    assert (first["NTAM"], first["DIVI"], first["PUSL"]) == ("32.00", "BBB", "15")
    m3.person("m3_order_release", number=number)
    m3.later(5)
    m3.person("m3_order_line", number=number, line=1, quantity=4, price="3.00")
    m3.person("m3_order_receive", number=number, line=1, quantity=1)
    m3.person("m3_order_cancel", number=number, line=2)
    second = m3.rows("PPS200MI", "GetHead", PUNO=number)[0]
    shown = [(row["ORQA"], row["RVQA"], row["PUST"]) for row in m3.rows("PPS200MI", "LstLine", PUNO=number)]
    assert shown == [("4", "1", "50"), ("1", "0", "99")]
    assert (second["NTAM"], int(second["LMTS"]) > int(first["LMTS"])) == ("19.00", True)
    m3.person("m3_order_cancel", number=number)
    assert m3.rows("PPS200MI", "GetHead", PUNO=number)[0]["PUSL"] == "99"


def test_a_division_sees_its_own(m3: M3) -> None:
    number = m3.person("m3_order", supplier="V00001", unit="PLANT2", lines=[{"quantity": 1, "price": 1}])["PUNO"]
    assert m3.rows("PPS200MI", "GetHead", PUNO=number, divi="BBB")
    assert "errorMessage" in m3.get("PPS200MI", "GetHead", PUNO=number, divi="AAA")["results"][0]


# Invoices


def test_a_batch_becomes_a_voucher_once_it_is_validated_and_posted(m3: M3) -> None:
    number = enter(m3, CORI="ours-1")
    found = head(m3, number)
    assert [found[name] for name in ("SUPA", "BIST", "SPYN", "CUCD", "ACDT", "CORI", "CUAM")] == [
        "10", "0", "V00001", "USD", "20260301", "ours-1", "120.00",
    ]  # fmt: skip
    assert validated(m3, number) == ("20", "")
    assert accounts(m3) == []
    assert m3.person("m3_post") == {"posted": [int(number)]}
    posted = head(m3, number)
    assert (posted["SUPA"], posted["YEA4"], int(posted["VONO"]) > 0) == ("90", "2026", True)
    assert accounts(m3) == [("21000", "", "-120.00"), ("23000", "", "20.00"), ("51200", "CC10", "100.00")]
    line = m3.books["gl_lines"][0]
    assert (line["by"], line["person"], line["number"], line["date"]) == ("ml_service", False, "NB-1", "2026-03-01")
    assert m3.books["balanced"]
    for transaction in ("AddLine", "DltInvoice"):
        assert m3.refusal("APS450MI", transaction, INBN=number, RDTP="8")[1] == "INBN"


def test_the_same_invoice_number_is_taken_as_often_as_it_comes(m3: M3) -> None:
    numbers = [enter(m3), enter(m3)]
    assert [validated(m3, number)[0] for number in numbers] == ["20", "20"]
    m3.person("m3_post")
    assert [row["SINO"] for row in m3.books["invoices"]] == ["NB-1", "NB-1"]
    assert len(m3.books["gl_lines"]) == 6
    rows = m3.rows("APS450MI", "LstInvBySupInv", SPYN="V00001", SUNO="V00001", SINO="NB-1")
    assert [row["INBN"] for row in rows] == numbers


def test_a_second_one_may_be_refused_where_m3_looks_for_it() -> None:
    m3 = M3(unique_invoices=True)
    first, second = enter(m3), enter(m3)
    assert validated(m3, first)[0] == "20"
    m3.person("m3_post")
    assert validated(m3, second) == ("15", "Supplier invoice number NB-1 already exists")
    assert validated(m3, enter(m3, SINO="NB-2"))[0] == "20"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"NLAM": "99.99"}, "Lines and VAT of 119.99 differ from the amount 120.00"),
        ({"AIT1": "56000"}, "Accounting identity 56000 of dimension 1 does not exist or is blocked"),
        ({"AIT1": "99999"}, "Accounting identity 99999 of dimension 1 does not exist or is blocked"),
        ({"AIT1": "57000"}, "Accounting identity 57000 of dimension 1 is not valid on 20260301"),
        ({"AIT1": "57500"}, "Accounting identity 57500 of dimension 1 is not valid on 20260301"),
        ({"AIT2": "CC80"}, "Accounting identity CC80 of dimension 2 does not exist or is blocked"),
        ({"AIT2": ""}, "Account 51200 requires dimension 2"),
    ],
)
def test_what_cannot_be_posted_is_entered_but_not_validated(m3: M3, changes: dict[str, str], words: str) -> None:
    number = enter(m3, LINE | changes)
    assert validated(m3, number) == ("15", words[:78])
    found = head(m3, number)
    assert (found["IBHE"], found["IBLE"]) == (("1", "0") if "NLAM" in changes else ("0", "1"))
    assert m3.person("m3_post") == {"posted": []}
    assert "error" in m3.control(
        "POST", "documents", {"system": "cloudsuite", "kind": "m3_post", "batch": number}, status=400
    )


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"SUNO": "S999"}, "SUNO"),
        ({"CUCD": "XXX"}, "CUCD"),
        ({"IBTP": "99"}, "IBTP"),
        ({"IVDT": "20261301"}, "IVDT"),
        ({"IVDT": ""}, "IVDT"),
        ({"CUAM": "1.2345"}, "CUAM"),
        ({"SINO": "N" * 25}, "SINO"),
    ],
)
def test_a_head_that_names_what_is_not_there_is_refused(m3: M3, record: dict[str, str], field: str) -> None:
    assert m3.refusal("APS450MI", "AddHead", **{"SUNO": "V00001", "IVDT": "20260301", **record})[1] == field
    assert m3.books["invoices"] == []


def test_a_blocked_supplier_and_a_closed_period_show_at_validation() -> None:
    m3 = M3(closed_until="20260228")
    assert validated(m3, enter(m3, SUNO="V00042"))[1] == "Supplier V00042 is not active"
    closed = enter(m3, ACDT="20260228")
    assert validated(m3, closed)[1] == "Accounting date 20260228 is in a closed period"
    assert validated(m3, enter(m3, ACDT="20260301"))[0] == "20"


def test_a_batch_corrected_by_another_line_is_entered_again(m3: M3) -> None:
    number = enter(m3, LINE | {"NLAM": "60.00"})
    assert validated(m3, number)[0] == "15"
    assert m3.one("APS450MI", "AddLine", INBN=number, **(LINE | {"NLAM": "40.00"}))["TRNO"] == "2"
    assert head(m3, number)["SUPA"] == "10"
    assert validated(m3, number)[0] == "20"
    assert [row["NLAM"] for row in m3.rows("APS450MI", "LstLines", INBN=number)] == ["60.00", "40.00"]


def test_a_billed_order_line_must_be_received_and_is_billed_once(m3: M3) -> None:
    order = m3.person("m3_order", supplier="V00001", lines=[{"quantity": 10, "price": 10, "item": "A100"}])["PUNO"]
    line = {"RDTP": "1", "NLAM": "100.00", "PUNO": order, "PNLI": "1", "IVQA": "10"}
    number = enter(m3, line)
    assert validated(m3, number)[0] == "78"
    assert head(m3, number)["MSGD"].startswith("Invoiced quantity 10 of")
    m3.person("m3_order_receive", number=order, line=1, quantity=10)
    assert validated(m3, number)[0] == "20"
    m3.person("m3_post")
    assert ("22000", "", "100.00") in accounts(m3)
    assert m3.rows("PPS200MI", "LstLine", PUNO=order)[0]["IVQA"] == "10"
    assert validated(m3, enter(m3, line, SINO="NB-2"))[0] == "78"
    assert validated(m3, enter(m3, line, SINO="NB-3", SUNO="V00002"))[0] == "78"
    assert validated(m3, enter(m3, line | {"PNLI": "2"}, SINO="NB-4"))[0] == "78"


def test_charges_and_credits_keep_their_sign(m3: M3) -> None:
    lines = [LINE | {"NLAM": "-90.00"}, {"RDTP": "2", "NLAM": "-10.00"}]
    number = enter(m3, *lines, CUAM="-120.00", VTAM="-20.00")
    assert validated(m3, number)[0] == "20"
    m3.person("m3_post")
    assert accounts(m3) == [
        ("21000", "", "120.00"), ("23000", "", "-20.00"), ("51200", "CC10", "-90.00"), ("55000", "", "-10.00"),
    ]  # fmt: skip
    assert m3.refusal("APS450MI", "AddLine", INBN=enter(m3), RDTP="7")[1] == "RDTP"


def test_without_dimensions_on_lines_the_clearing_account_takes_them() -> None:
    m3 = M3(line_dimensions=False)
    validated(m3, enter(m3))
    m3.person("m3_post")
    assert ("21500", "", "100.00") in accounts(m3)


def test_the_job_posts_by_itself_after_its_time_and_not_what_waits_for_approval() -> None:
    m3 = M3(post_after=600, approval=True)
    first, second = enter(m3), enter(m3, SINO="NB-2")
    assert (validated(m3, first)[0], validated(m3, second)[0]) == ("20", "20")
    m3.one("APS110MI", "ApproveInvoice", SPYN="V00001", SUNO="V00001", SINO="NB-1")
    m3.later(599)
    assert head(m3, first)["SUPA"] == "20"
    m3.later(2)
    assert (head(m3, first)["SUPA"], head(m3, second)["SUPA"]) == ("90", "20")
    m3.one("APS450MI", "ApproveInvoice", INBN=second)
    assert head(m3, second)["SUPA"] == "90"


def test_a_batch_not_yet_posted_can_be_deleted_by_program_or_person(m3: M3) -> None:
    first, second = enter(m3), enter(m3)
    m3.one("APS450MI", "DltInvoice", INBN=first)
    m3.person("m3_invoice_delete", batch=second)
    assert m3.books["invoices"] == []
    assert m3.refusal("APS450MI", "GetHead", INBN=first)[2] == f"Invoice batch number {first} does not exist"


def test_batches_are_listed_by_payee_and_narrowed_down(m3: M3) -> None:
    person = m3.person(
        "m3_invoice", supplier="V00001", number="BY-HAND", post=True,
        lines=[{"account": "51200", "cost_center": "CC10", "amount": "10.00"}],
    )  # fmt: skip
    number = enter(m3)
    enter(m3, SUNO="V00002")
    rows = m3.rows("APS450MI", "LstInvBatchNo", SPYN="V00001")
    assert [(row["INBN"], row["SINO"]) for row in rows] == [(str(person["INBN"]), "BY-HAND"), (number, "NB-1")]
    assert [row["INBN"] for row in m3.rows("APS450MI", "LstInvBatchNo", SPYN="V00001", SUPA="90")] == [
        str(person["INBN"])
    ]
    assert [row["INBN"] for row in m3.rows("APS450MI", "LstInvBatchNo", SPYN="V00001", INBN=number)] == [number]
    assert m3.refusal("APS450MI", "LstInvBatchNo", SUNO="V00001")[1] == "SPYN"
    assert [line["person"] for line in m3.books["gl_lines"]] == [True, True]


def test_generated_invoices_are_in_every_state_and_the_ledger_balances() -> None:
    m3 = M3(invoices=8)
    assert [row["SUPA"] for row in m3.books["invoices"]] == ["10", "20", "90", "90"] * 2
    assert any(row["CUAM"].startswith("-") for row in m3.books["invoices"])
    assert m3.books["balanced"]
    assert all(row["person"] for row in m3.books["invoices"])


# Accounts and generic programs


def test_accounts_and_cost_centers_are_listed_by_dimension(m3: M3) -> None:
    found = {row["AITM"]: row for row in m3.rows("CRS630MI", "LstAccountID", AITP="1")}
    assert (found["51200"]["LCCD"], found["56000"]["LCCD"], found["57000"]["VTDT"]) == ("0", "1", "20251231")
    assert [row["AITM"] for row in m3.rows("CRS630MI", "LstAccountID", AITP="2", AITM="CC30")] == [
        "CC30", "CC40", "CC80",
    ]  # fmt: skip
    m3.person("m3_identity", dimension=2, code="CC90", set={"TX40": "New", "LCCD": "1"})
    assert m3.rows("CRS630MI", "LstAccountID", AITP="2", AITM="CC90")[0]["TX40"] == "New"
    assert m3.refusal("CRS630MI", "LstAccountID")[1] == "AITP"


def test_a_table_is_selected_from_with_names_and_separator(m3: M3) -> None:
    query = "IDSUNO, IDSUNM from CIDMAS where IDCUCD = 'EUR' and IDLMTS > 0"
    rows = m3.rows("EXPORTMI", "Select", QERY=query, SEPC=";", HDRS="1")
    assert [row["REPL"] for row in rows] == ["IDSUNO;IDSUNM", "V00031;Rheintal Chemie", "V00032;Seine Instruments"]
    flat = m3.rows("EXPORTMI", "Select", QERY="IDSUNO,IDSTAT,IDCUCD from CIDMAS where IDSUNO = 'V00031'")
    assert flat[0]["REPL"] == "V00031    20EUR"
    number = enter(m3)
    (found,) = m3.rows("EXPORTMI", "Select", QERY="E5INBN from FAPIBH where E5SUPA = 10", SEPC="#")
    assert found["REPL"] == f"INBN {number}"
    (line,) = m3.rows("EXPORTMI", "Select", QERY=f"E6NLAM,E6AIT1 from FAPIBL where E6INBN = {number}", SEPC=",")
    assert line["REPL"] == "100.00,51200"
    assert m3.rows("EXPORTMI", "Select", QERY="IDCONO from CIDMAS where IDCONO = 100 and IDSUNO = 'V00031'", SEPC=";")
    assert not m3.rows("EXPORTMI", "Select", QERY="IDSUNO from CIDMAS where IDCONO = 200", SEPC=";")


@pytest.mark.parametrize(
    "query",
    [
        "IDSUNO from NOWHERE",
        "XXSUNO from CIDMAS",
        "IDSUNO",
        "IDSUNO from CIDMAS where IDSUNO like 'V'",
        "IDSUNO from CIDMAS where IDLMDT > 'noday'",
        "IDSUNO from CIDMAS where IDSUNO = 'a' IDSUNO = 'b'",
        ",".join(["IDSUNM"] * 40) + " from CIDMAS",
    ],
)
def test_a_query_that_is_not_understood_is_refused(m3: M3, query: str) -> None:
    assert m3.refusal("EXPORTMI", "Select", QERY=query, SEPC="")[1] == "QERY"


# What outlives the process, and the codec


def test_a_restart_brings_back_what_was_written_by_get_and_by_post(tmp_path: Path) -> None:
    def started() -> Any:
        return JournaledApp(tmp_path / "journal", seed=1, invoices=0, cloudsuite={"m3": {"orders": 2}})

    m3 = M3(app=started())
    number = enter(m3)
    m3.get("APS455MI", "ValidByBatchNo", INBN=number)
    m3.person("m3_post")
    before = m3.books
    assert before["gl_lines"]
    assert started().cloudsuite.ledger()["m3"] == before


@given(st.decimals(min_value="-1e9", max_value="1e9", places=3))
def test_an_amount_is_read_as_it_was_shown(amount: Decimal) -> None:
    known = FIELDS["NLAM"]
    assert known.read(known.pad(known.show(amount))) == amount


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=36))
def test_a_text_is_read_as_it_was_shown_but_for_blanks_around_it(text: str) -> None:
    known = FIELDS["SUNM"]
    assert (known.read(known.pad(known.show(text))) or "") == text.strip()


@given(st.dates())
def test_a_date_is_read_as_it_was_shown(day: Any) -> None:
    known = FIELDS["IVDT"]
    if day.year >= 1000:
        assert known.read(known.pad(known.show(day))) == day


@pytest.mark.parametrize("text", ["1e3", "NaN", "Infinity", "1.2345", "--1", "0x1"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        FIELDS["NLAM"].read(text)


@given(st.text(max_size=60))
def test_a_search_query_is_understood_or_refused(text: str) -> None:
    try:
        found = queries.search(text)
    except queries.QueryError:
        return
    assert all(each.field in FIELDS for each in found)
