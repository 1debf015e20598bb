"""General ledger balances, and what a person does to accounts, periods and journals."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

LINES = [{"gl_code": "10-5120", "value": "100.00"}, {"gl_code": "00-2150", "value": "-100.00"}]


def master(site: Any, code: str) -> list[str]:
    rows: list[list[str]] = site.rows(
        "GenMaster",
        "CurrentBalance",
        "PrevPerEndBal",
        "PtdDrValue",
        "PtdCrValue",
        where=site.cond("GlCode", "EQ", code),
    )
    return rows[0]


def busy(site: Any) -> None:
    """Post something of every kind, in two periods."""
    site.apstin(site.item(Invoice="A"))
    site.apstin(site.item(Invoice="OLD"), PostingPeriod="P")
    site.gentjl(site.journal(PostingPeriod="08"), site.journal(), ApplyIfEntireDocumentValid="N")
    site.system.add("pay_invoice", {"supplier": "V00001", "invoice": "A", "value": "200.00"})
    site.system.add("payment_reverse", {"supplier": "V00001", "invoice": "A"})
    site.system.add("receipt", {"purchase_order": site.ordered(("3", "7.00"))})
    site.gentjl(site.journal(HoldJournal="Y"))


def test_an_accounts_balances_are_those_of_its_posted_entries(site: Any) -> None:
    busy(site)
    posted = site.cond("EntryPosted", "EQ", "Y")
    entries = site.rows("GenJournalDetail", "GlCode", "GlPeriod", "EntryValue", where=posted)
    totals: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(), Decimal(), Decimal(), Decimal()])
    for code, period, text in entries:
        value, row = Decimal(text), totals[code]
        row[0] += value
        if int(period) < 9:
            row[1] += value
        else:
            row[2] += max(value, Decimal())
            row[3] -= min(value, Decimal())
    shown = {row[0]: [Decimal(text) for text in row[1:]] for row in site.rows(
        "GenMaster", "GlCode", "CurrentBalance", "PrevPerEndBal", "PtdDrValue", "PtdCrValue",
    )}  # fmt: skip
    assert {code: row for code, row in shown.items() if any(row)} == dict(totals)
    assert sum(row[0] for row in shown.values()) == 0


def test_genqry_and_the_table_show_the_same_balances_after_the_period_moves(site: Any) -> None:
    busy(site)
    before = master(site, "10-5120")
    site.system.add("period", {"module": "GL", "year": 2024, "month": 10, "current": True})
    assert master(site, "10-5120") == [before[0], before[0], "0.00", "0.00"]
    answer = site.query("GENQRY", "<Query><Key><LedgerCode>10-5120</LedgerCode></Key></Query>")
    assert f"<PrevPerEndBal>{before[0]}</PrevPerEndBal>" in answer
    assert f"<CurrentBalance>{before[0]}</CurrentBalance>" in answer


def test_a_held_journal_reaches_the_balances_only_when_a_person_posts_it(site: Any) -> None:
    made = site.system.add("gl_journal", {"lines": LINES, "hold": True, "reference": "BY HAND"})
    assert (made["status"], master(site, "10-5120")[0]) == ("H", "0.00")
    assert site.system.add("gl_journal_authorize", {"journal": made["journal"]})["status"] == "N"
    assert master(site, "10-5120")[0] == "0.00"
    assert site.system.add("gl_journal_post", {"journal": made["journal"]})["status"] == "P"
    assert master(site, "10-5120")[0] == "100.00"
    where = site.cond("Reference", "EQ", "BY HAND")
    assert site.rows("GenJournalCtl", "JnlStatus", "Operator", where=where) == [["P", "PERSON"]]


def test_a_cancelled_journal_stays_listed_and_is_never_posted(site: Any) -> None:
    made = site.system.add("gl_journal", {"lines": LINES, "hold": True})
    site.system.add("gl_journal_cancel", {"journal": made["journal"]})
    assert site.rows("GenJournalCtl", "JnlStatus") == [["C"]]
    for kind in ("gl_journal_post", "gl_journal_authorize", "gl_journal_cancel"):
        with pytest.raises(ValueError, match="cancelled"):
            site.system.add(kind, {"journal": made["journal"]})
    assert site.ledger("gl_entries")["count"] == 0


def test_nothing_is_posted_into_a_closed_period_until_it_is_opened_again(site: Any) -> None:
    september = {"module": "GL", "year": 2024, "month": 9}
    made = site.system.add("gl_journal", {"lines": LINES, "hold": True})
    site.system.add("period", september | {"open": False})
    with pytest.raises(ValueError, match="closed"):
        site.system.add("gl_journal_post", {"journal": made["journal"]})
    with pytest.raises(ValueError, match="closed"):
        site.system.add("gl_journal", {"lines": LINES})
    site.apstin(site.item())
    assert site.ledger("gl_entries")["count"] == 0
    site.system.add("period", september | {"open": True})
    assert len(site.system.add("gl_integration_run", {})["journals"]) == 1
    site.system.add("gl_journal_post", {"journal": made["journal"]})
    assert site.ledger("gl_entries")["debit"] == site.ledger("gl_entries")["credit"] == "1300.00"


def test_an_unbalanced_journal_can_be_held_but_not_posted(site: Any) -> None:
    made = site.system.add("gl_journal", {"lines": LINES[:1], "hold": True})
    with pytest.raises(ValueError, match="balance"):
        site.system.add("gl_journal_post", {"journal": made["journal"]})
    with pytest.raises(ValueError, match="balance"):
        site.system.add("gl_journal", {"lines": LINES[:1]})
