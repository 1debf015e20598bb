"""COMFND: conditions, brackets, wildcards, order, limits, padding and errors (reference/syspro.md §2.9)."""

from __future__ import annotations

import dataclasses
import re
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TABLES = (
    "ApInvoice", "ApInvoicePay", "ApSupplier", "ApBranch", "ApControl", "TblApTerms", "AdmTax", "TblCurrency",
    "GenMaster", "GenControl", "GenJournalCtl", "GenJournalDetail", "ApJnlSummary", "ApJnlDistrib", "ApSupplierAddr",
    "ApBank", "PorMasterHdr", "PorMasterDetail", "InvMaster", "SalProductClass", "GrnDetails",
)  # fmt: skip


@pytest.fixture
def stocked(site: Any) -> Any:
    """Six invoices: three numbers for each of two suppliers, of 120, 240, 360."""
    for supplier, n in product(("V00001", "V00002"), (1, 2, 3)):
        body = {"supplier": supplier, "invoice": f"INV-{n}", "value": f"{n * 120}.00", "reference": f"R{n}"}
        site.system.add("ap_invoice", body)
        site.clock.advance(days=1)
    site.logon()
    return site


def _keys(site: Any, where: str) -> list[str]:
    return [f"{s[-1]}/{i[-1]}" for s, i in site.rows("ApInvoice", "Supplier", "Invoice", where=where)]


def test_an_invoice_reads_back_with_padded_numbers_and_iso_dates(stocked: Any) -> None:
    where = stocked.cond("Supplier", "EQ", "V00001") + stocked.cond("Invoice", "EQ", "INV-2", join="And")
    answer = stocked.find(
        "ApInvoice", "Supplier", "Invoice", "MthInvBal1", "InvoiceDate", "Journal", "NotificationDate", where=where,
        order=("Invoice",),
    )  # fmt: skip
    assert answer.endswith(
        "<OrderBy>\n<Column>Invoice</Column>\n</OrderBy>\n</HeaderDetails>\n<Row>\n<Supplier>V00001</Supplier>\n"
        "<Invoice>INV-2</Invoice>\n<MthInvBal1>            240.00</MthInvBal1>\n<InvoiceDate>2024-09-18</InvoiceDate>\n"
        "<Journal>           432</Journal>\n<NotificationDate>0000-00-00</NotificationDate>\n</Row>\n"
        "<RowsReturned>       1</RowsReturned>\n</ApInvoice>\n "
    )


def test_no_rows_is_a_count_of_zero_and_no_row(site: Any) -> None:
    answer = site.find("ApInvoice", "Invoice", where=site.cond("Supplier", "EQ", "NOBODY"))
    assert "<Row>" not in answer
    assert "<RowsReturned>       0</RowsReturned>" in answer


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("EQ", [2]), ("NE", [1, 3]), ("GT", [3]), ("GE", [2, 3]), ("LT", [1]), ("LE", [1, 2])],
)
@pytest.mark.parametrize(
    ("column", "value"), [("Invoice", "INV-2"), ("OrigInvValue", "240"), ("InvoiceDate", "2024-09-18")]
)
def test_every_condition_works_on_text_numbers_and_dates(
    stocked: Any, column: str, value: str, condition: str, expected: list[int]
) -> None:
    where = stocked.cond("Supplier", "EQ", "V00001") + stocked.cond(column, condition, value, join="And")
    assert _keys(stocked, where) == [f"1/{n}" for n in expected]


def test_a_blank_and_or_is_and_and_and_binds_before_or(stocked: Any) -> None:
    c = stocked.cond
    where = c("Invoice", "EQ", "INV-3") + c("Supplier", "EQ", "V00001", join="Or") + c("Invoice", "EQ", "INV-1")
    assert sorted(_keys(stocked, where)) == ["1/1", "1/3", "2/3"]


def test_brackets_group(stocked: Any) -> None:
    c = stocked.cond
    where = (
        c("Invoice", "EQ", "INV-3", before="((")
        + c("Invoice", "EQ", "INV-1", join="Or", after=")")
        + c("Supplier", "EQ", "V00002", join="And", after=")")
    )
    assert sorted(_keys(stocked, where)) == ["2/1", "2/3"]


def test_many_keys_joined_by_or_are_found_in_one_query(stocked: Any) -> None:
    c = stocked.cond
    where = "".join(
        c("Supplier", "EQ", s, join="Or", before="(") + c("Invoice", "EQ", i, join="And", after=")")
        for s, i in (("V00002", "INV-3"), ("V00001", "INV-1"), ("V00002", "INV-3"), ("V00009", "INV-1"))
    )
    assert sorted(_keys(stocked, where)) == ["1/1", "2/3"]


@pytest.mark.parametrize(
    ("pattern", "expected"), [("INV-?", 6), ("*-2", 2), ("?NV*3", 2), ("INV", 0), ("inv-1", 0), ("%", 0), ("INV_1", 0)]
)
def test_like_knows_star_and_question_mark_and_nothing_else(stocked: Any, pattern: str, expected: int) -> None:
    assert len(_keys(stocked, stocked.cond("Invoice", "LIKE", pattern))) == expected


def test_order_by_several_columns_and_return_rows_make_pages(stocked: Any) -> None:
    pages = [
        stocked.rows("ApInvoice", "Invoice", "Supplier", order=("Invoice", "Supplier"), rows="2", where=where)
        for where in ("", stocked.cond("Invoice", "GT", "INV-1"))
    ]
    assert pages == [[["INV-1", "V00001"], ["INV-1", "V00002"]], [["INV-2", "V00001"], ["INV-2", "V00002"]]]


def test_the_syspro_8_sequence_orders_descending(stocked: Any) -> None:
    sequence = '<Sequence><Column Name="OrigInvValue" Orderby="D"/></Sequence>'
    assert stocked.rows("ApInvoice", "Invoice", extra=sequence, rows="1") == [["INV-3"]]


@pytest.mark.parametrize("table", TABLES)
def test_every_table_gives_all_its_columns(stocked: Any, table: str) -> None:
    stocked.apstin(stocked.item(TransactionCode="C", Invoice="INV-1", Supplier="V00001"))
    stocked.system.add("purchase_order", {"supplier": "V00001", "lines": [{"stock_code": "A100", "qty": 1}]})
    stocked.system.add("receipt", {"purchase_order": "4711"})
    answer = stocked.find(table, extra="<AllColumns>Y</AllColumns>", rows="3")
    names = re.findall(r"<Column>(\w+)</Column>", answer)
    first = answer.split("<Row>\n")[1].split("</Row>")[0]
    assert [re.match(r"<(\w+)", line).group(1) for line in first.splitlines()] == names  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("table", "column", "where"),
    [
        ("apinvoice", "Invoice", ("Invoice", "EQ", "x")),
        ("ApInvoice", "invoice", ("Invoice", "EQ", "x")),
        ("ApInvoice", "Invoice", ("INVOICE", "EQ", "x")),
        ("ApInvoice", "Invoice", ("Invoice", "=", "x")),
        ("ApInvoice", "Invoice", ("OrigInvValue", "EQ", "much")),
        ("ApInvoice", "Invoice", ("InvoiceDate", "GE", "17/09/2024")),
    ],
)
def test_wrong_names_conditions_and_values_are_errors_as_text(
    site: Any, table: str, column: str, where: tuple[str, ...]
) -> None:
    assert site.find(table, column, where=site.cond(*where)).startswith("ERROR: ")


@pytest.mark.parametrize(("before", "after"), [("(", ""), ("", ")"), ("((((", "))))"), ("[", "]")])
def test_unmatched_too_many_or_other_brackets_are_errors(site: Any, before: str, after: str) -> None:
    where = site.cond("Invoice", "EQ", "x", before=before, after=after)
    assert site.find("ApInvoice", "Invoice", where=where).startswith("ERROR: Brackets")


def test_at_least_one_column_is_needed(site: Any) -> None:
    assert site.find("ApInvoice").startswith("ERROR: At least one column")


def test_unknown_elements_are_refused_only_by_a_strict_site(new_site: Any) -> None:
    for strict in (True, False):
        answer = new_site(strict=strict).find("ApBranch", "Branch", extra="<Joins/>")
        assert answer.startswith("ERROR") is strict


def test_numeric_suppliers_are_stored_padded_and_whether_comfnd_pads_is_an_option(new_site: Any) -> None:
    for pads in (False, True):
        site = new_site(comfnd_pads=pads)
        site.apstin(site.item(Supplier="4711"))
        found = [
            site.rows("ApInvoice", "Supplier", where=site.cond("Supplier", "EQ", key))
            for key in ("4711", "0" * 11 + "4711")
        ]
        assert found == [[["0" * 11 + "4711"]] if pads else [], [["0" * 11 + "4711"]]]


def test_a_journal_is_found_by_its_reference_and_its_lines_by_number(site: Any) -> None:
    site.gentjl(site.journal())
    where = site.cond("Reference", "EQ", "JAG ACCR 09")
    [[journal, *rest]] = site.rows("GenJournalCtl", "GlJournal", "JnlStatus", "DebitAmount", "Operator", where=where)
    assert rest == ["P", "1000.00", "MLCONN"]
    lines = site.rows("GenJournalDetail", "GlCode", "EntryValue", where=site.cond("GlJournal", "EQ", journal))
    assert lines == [["10-5120", "1000.00"], ["00-2150", "-1000.00"]]


_INDEXED = st.sampled_from([("Supplier", "V00001"), ("Supplier", "V00002"), ("Invoice", "INV-1"), ("Invoice", "INV-3")])
_EXPRESSIONS = st.lists(st.tuples(st.sampled_from(["And", "Or"]), _INDEXED), min_size=1, max_size=4)


@given(expressions=_EXPRESSIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_indexed_look_ups_find_what_a_full_scan_finds(
    stocked: Any, expressions: list[tuple[str, tuple[str, str]]]
) -> None:
    # the site is only read, so that examples may share it
    def keys(condition: str) -> list[str]:
        where = "".join(stocked.cond(name, condition, value, join=join) for join, (name, value) in expressions)
        return sorted(_keys(stocked, where))

    # LIKE without wildcards is equality that no index serves
    assert keys("EQ") == keys("LIKE")


@pytest.mark.parametrize("joined", [False, True])
def test_invoices_are_found_by_number_alone_without_looking_at_all_rows(
    stocked: Any, monkeypatch: pytest.MonkeyPatch, joined: bool
) -> None:
    where = stocked.cond("Invoice", "EQ", "INV-1", before="(")
    where += stocked.cond("Invoice", "EQ", "INV-2", join="Or", after=")")
    if joined:  # an index on the first column must not hide the narrower one
        where += stocked.cond("Supplier", "EQ", "V00001", join="And")
    wanted = _keys(stocked, where)

    def scanned() -> Any:
        raise AssertionError("all rows were read")

    table = stocked.system._tables["ApInvoice"]
    monkeypatch.setitem(stocked.system._tables, "ApInvoice", dataclasses.replace(table, rows=scanned))
    assert sorted(_keys(stocked, where)) == sorted(wanted)
    assert len(wanted) == (2 if joined else 4)
