"""GENTJL: balance, periods, warnings, authorization, and no uniqueness (reference/syspro.md §2.3)."""

from __future__ import annotations

from typing import Any

import pytest

ROOT = (
    '<?xml version="1.0" encoding="Windows-1252"?>\n'
    "<postgljournal Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' Version='8.0.105'"
    " OperatorPrimaryRole='   '>\n"
)


def test_a_posted_journal_has_the_documented_bytes(site: Any) -> None:
    assert site.gentjl(site.journal()) == ROOT + (
        "<Item>\n<Transaction>\n<Key>\n<GlYear>2024</GlYear>\n<GlPeriod>09</GlPeriod>\n<GlJournal>00872</GlJournal>\n"
        "</Key>\n<JournalDate>20240930</JournalDate>\n<NumOfEntries>00002</NumOfEntries>\n"
        "<DebitAmount>1000.00</DebitAmount>\n<CreditAmount>1000.00</CreditAmount>\n<JnlPostingType>N</JnlPostingType>\n"
        "<Jnlstatus>P</Jnlstatus>\n<Currency/>\n<Authorised>Y</Authorised>\n</Transaction>\n</Item>\n<StatusOfItems>\n"
        "<JournalsProcessed>1</JournalsProcessed>\n<JournalsInvalid/>\n<PostingsProcessed>1</PostingsProcessed>\n"
        "<PostingsInvalid/>\n</StatusOfItems>\n</postgljournal>\n "
    )


def test_the_same_journal_twice_is_posted_twice(site: Any) -> None:
    site.gentjl(site.journal())
    site.gentjl(site.journal())
    assert len(site.rows("GenJournalCtl", "GlJournal", where=site.cond("Reference", "EQ", "JAG ACCR 09"))) == 2
    assert site.ledger("gl_entries")["debit"] == "2000.00"
    assert site.outcomes() == ["posted", "posted"]


def test_validate_only_stores_nothing_and_has_no_key(site: Any) -> None:
    answer = site.gentjl(site.journal(), ValidateOnly="Y")
    assert "<JournalsProcessed>1</JournalsProcessed>" in answer
    assert "<Key>" not in answer
    assert site.ledger("gl_journals") == []
    assert site.outcomes() == ["validated"]


def test_a_journal_out_of_balance_is_refused(site: Any) -> None:
    answer = site.gentjl(site.journal(("10-5120", "10.00"), ("00-2150", "-9.99")))
    assert "<JournalDetails>\n<entryamount>\n<Value>0.01</Value>" in answer
    assert "<JournalsInvalid>1</JournalsInvalid>" in answer
    assert site.ledger("gl_journals") == []


def test_a_journal_out_of_balance_may_wait_but_not_be_posted(site: Any) -> None:
    site.gentjl(site.journal(("10-5120", "10.00"), ("00-2150", "-9.99"), PostJournal="N"))
    assert site.ledger("gl_journals")[0]["status"] == "N"
    with pytest.raises(ValueError, match="does not balance"):
        site.system.add("gl_journal_post", {"journal": 872})


@pytest.mark.parametrize(
    ("fields", "element"),
    [
        ({"PostingPeriod": "10"}, "postingperiod"),
        ({"PostingPeriod": "13"}, "postingperiod"),
        ({"PostingPeriod": "x"}, "postingperiod"),
        ({"PostingYear": "2023", "PostingPeriod": "12"}, "postingperiod"),
        ({"PostingYear": "2022"}, "postingyear"),
        ({"JournalDate": "30.09.2024"}, "journaldate"),
        ({"JournalReference": "R" * 31}, "journalreference"),
        ({"JournalType": "L"}, "journaltype"),
        ({"CancelJournal": "Y"}, "canceljournal"),
    ],
)
def test_each_rule_names_its_field(site: Any, fields: dict[str, str], element: str) -> None:
    assert f"<{element}>\n<Value>" in site.gentjl(site.journal(**fields))
    assert site.outcomes() == ["refused"]


def test_an_opened_period_of_the_previous_year_is_taken(site: Any) -> None:
    site.system.add("period", {"module": "GL", "year": 2023, "month": 12, "open": True})
    assert "<GlYear>2023</GlYear>" in site.gentjl(site.journal(PostingYear="2023", PostingPeriod="12"))
    assert site.rows("GenControl", "GlYear", "GlPeriod", "CurYrPrdStat9", "CurYrPrdStat10", "PrvYrPrdStat12") == [
        ["2024", "9", "O", "C", "O"]
    ]


def test_blank_period_type_and_date_take_the_current_ones(site: Any) -> None:
    answer = site.gentjl(site.journal(PostingPeriod="", PostingYear="", JournalType="", JournalDate="", PostJournal=""))
    assert "<GlPeriod>09</GlPeriod>" in answer
    assert "<JournalDate>20240917</JournalDate>" in answer
    assert "<Jnlstatus>P</Jnlstatus>" in answer


@pytest.mark.parametrize("code", ["10-5600", "00-2100"])
def test_codes_on_hold_and_control_accounts_are_warnings(site: Any, code: str) -> None:
    journal = site.journal((code, "5.00"), ("00-2150", "-5.00"))
    assert f"<ledgercode>\n<Value>{code}</Value>" in site.gentjl(journal, IgnoreWarnings="N")
    assert "<WarningDescription>" in site.gentjl(journal, IgnoreWarnings="W")
    assert "Warning" not in site.gentjl(journal, IgnoreWarnings="Y")
    assert site.outcomes() == ["refused", "posted", "posted"]


def test_an_unknown_code_is_an_error_whatever_is_ignored(site: Any) -> None:
    assert "<ledgercode>" in site.gentjl(site.journal(("1", "5.00"), ("00-2150", "-5.00")), IgnoreWarnings="Y")


@pytest.mark.parametrize(
    ("asked", "status", "authorized"), [("D", "N", "N"), ("", "N", "N"), ("U", "N", "N"), ("A", "P", "Y")]
)
def test_where_authorization_is_required_only_an_authorized_journal_posts(
    new_site: Any, asked: str, status: str, authorized: str
) -> None:
    site = new_site(authorize_journals=True)
    answer = site.gentjl(site.journal(AuthorizeJournal=asked))
    assert f"<Jnlstatus>{status}</Jnlstatus>\n<Currency/>\n<Authorised>{authorized}</Authorised>" in answer


@pytest.mark.parametrize(("fields", "status"), [({"PostJournal": "N"}, "N"), ({"HoldJournal": "Y"}, "H")])
def test_a_journal_not_to_be_posted_is_kept_out_of_the_ledger(site: Any, fields: dict[str, str], status: str) -> None:
    answer = site.gentjl(site.journal(**fields))
    assert f"<Jnlstatus>{status}</Jnlstatus>" in answer
    assert "<PostingsProcessed>0</PostingsProcessed>" in answer
    assert site.ledger("gl_entries")["count"] == 0


def test_several_journals_are_taken_all_or_none_by_default_and_one_by_one_if_asked(site: Any) -> None:
    items = site.journal(), site.journal(("1", "1.00"), ("00-2150", "-1.00"))
    assert "<Key>" not in site.gentjl(*items)
    answer = site.gentjl(*items, ApplyIfEntireDocumentValid="N")
    assert "<JournalsProcessed>1</JournalsProcessed>\n<JournalsInvalid>1</JournalsInvalid>" in answer
    assert "<ItemNumber>000002</ItemNumber>" in answer


def test_unknown_elements_fail_the_document_of_a_strict_site(site: Any) -> None:
    assert site.gentjl(site.journal(Surprise="1")).startswith("ERROR")
