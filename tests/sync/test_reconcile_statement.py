"""The report on paper: complete, escaped, and no formula in any cell."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from airflow_provider_mlconnector.documents.reconciliation import (
    INVOICE,
    AccountBalance,
    Area,
    Figure,
    LedgerPeriod,
    Span,
)
from airflow_provider_mlconnector.sync.differences import Findings, Gap, Tally, because, unclear
from airflow_provider_mlconnector.sync.ledger_check import AccountLine
from airflow_provider_mlconnector.sync.reconcile import Reconciliation
from airflow_provider_mlconnector.sync.statement import BOM, SHOWN, safe, summary, to_csv, to_html

EVIL = '=HYPERLINK("http://evil.example","x")<script>alert(1)</script>'


def _report(*, label: str = "V00042 NB-1", count: int = 1, explained: bool = False) -> Reconciliation:
    findings = Findings()
    row = (str(Area.INVOICES), INVOICE, "2026-01", "USD")
    findings.tallies[row] = Tally(count, Decimal("1234.5") * count, 0, Decimal(0))
    say = because if explained else unclear
    for number in range(count):
        figure = Figure(
            Area.INVOICES, INVOICE, f"K{number}", f"m{number}", label, "", "USD", Decimal("1234.5"), date(2026, 1, 3)
        )
        findings.add(Gap(Area.INVOICES, figure, None), say("some_cause", f"why {label}"))
    account = AccountBalance("10-5120", label, Decimal(30), Decimal("-2.5"), Decimal(900), Decimal(870))
    return Reconciliation(
        left=f"jaggaer {label}",
        right="syspro",
        span=Span(date(2026, 1, 1), date(2026, 1, 31)),
        made_at=datetime(2026, 2, 1, 8, tzinfo=UTC),
        store="store-1",
        areas=(Area.INVOICES,),
        findings=findings,
        ledger=LedgerPeriod(2026, 1, "USD", (account,)),
        accounts=(AccountLine(account, Decimal(-30), Decimal(0), 1),),
        states={"route": {"posted": 3}},
    )


def _cells(result: Reconciliation) -> list[list[str]]:
    return list(csv.reader(io.StringIO(to_csv(result).removeprefix(BOM))))


class _Reader(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.named: set[str] = set()
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.named |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def test_the_page_is_one_file_without_script_or_anything_from_elsewhere() -> None:
    reader = _read(to_html(_report(label=EVIL)))
    assert not {"script", "link", "img", "iframe", "object", "form", "a"} & set(reader.tags)
    assert reader.named <= {"lang", "charset", "name", "content", "class"}


@pytest.mark.parametrize("label", [EVIL, "</td></table><b>&amp;", '" onload="x', "Ünïcode 株式会社 ]]>"])
def test_whatever_people_type_stands_in_the_page_as_they_typed_it(label: str) -> None:
    reader = _read(to_html(_report(label=label)))
    assert any(label in text for text in reader.said)
    assert "b" not in reader.tags


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "=1+1;", "-2+3", "@SUM(A1)"])
def test_no_text_becomes_a_formula(start: str) -> None:
    for row in _cells(_report(label=f"{start}cmd|' /C calc'!A0"))[1:]:
        for cell in row:
            is_number = cell.removeprefix("-").replace(".", "", 1).isdigit()
            assert is_number or not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")), cell


def test_numbers_stay_numbers_negative_ones_too() -> None:
    [total] = [row for row in _cells(_report()) if row[0] == "total"]
    assert total[8:13] == ["1", "0", "1234.5", "0", "1234.5"]
    [account] = [row for row in _cells(_report()) if row[0] == "account"]
    assert account[10:13] == ["-30", "32.5", "-62.5"]
    assert safe(Decimal("1E+3")) == "1000"
    assert safe(None) == ""


def test_the_csv_begins_with_the_mark_spreadsheets_need_and_every_row_has_every_column() -> None:
    text = to_csv(_report(label="Ünï"))
    assert text.startswith("\ufeffsection,")
    assert len({len(row) for row in _cells(_report(count=3))}) == 1


def test_the_csv_has_every_difference_and_the_page_says_how_many_it_leaves_out() -> None:
    result = _report(count=SHOWN + 7, explained=True)
    assert len([row for row in _cells(result) if row[0] == "difference"]) == SHOWN + 7
    assert "7 more of this cause are in the CSV" in to_html(result)


def test_the_verdict_stands_first_and_the_summary_holds_counts_only() -> None:
    assert "Unexplained: 2 — somebody must look at them." in to_html(_report(count=2))
    assert "Unexplained: 0 — every difference below has a known cause." in to_html(_report(explained=True))
    told = summary(_report(count=2))
    assert (told["unexplained"], told["differences"]) == (2, 2)
    assert told["areas"]["invoices"] == {
        "left": 2, "right": 0, "agree": 0, "by_hand": 0, "differences": 2, "unexplained": 2,
    }  # fmt: skip
    assert "1234" not in str(told)


def test_a_period_is_not_broken_at_its_hyphen_and_a_long_word_may_be() -> None:
    page = to_html(_report(label="W" * 50))
    assert page.count("<td class=p>2026-01</td>") == 2
    assert f"<td class=w>{'W' * 50}" in page
    assert ".p{white-space:nowrap}" in page


def test_amounts_have_their_currencys_decimals_and_lose_none() -> None:
    result = _report()
    row = (str(Area.INVOICES), INVOICE, "2026-01", "JPY")
    result.findings.tallies[row] = Tally(1, Decimal(4630035), 1, Decimal("4630035.5"))
    result.findings.tallies[(*row[:3], "??")] = Tally(1, Decimal(7), 1, Decimal(7))
    page = to_html(result)
    assert ">1,234.50<" in page
    assert ">4,630,035<" in page
    assert ">4,630,035.5<" in page
    assert ">7.00<" in page
