"""Combined journals for GENTJL: what is planned, what is parked, and how large a request gets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.syspro_samples import account_row, coded, reference

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.journal import CombinedJournal, EntryLine, JournalMember, OpenEntry
from airflow_provider_mlconnector.errors import ConfigurationError, Parked
from airflow_provider_mlconnector.systems.ports import StepDraft, StepKind
from airflow_provider_mlconnector.systems.syspro.batches import journal_of
from airflow_provider_mlconnector.systems.syspro.client import SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.journal_parts import Part, in_company_currency
from airflow_provider_mlconnector.systems.syspro.journals import SysproJournalTarget
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.target import SysproTarget
from airflow_provider_mlconnector.systems.transport import Transport

CLEARING = "00-2150"


def client() -> SysproClient:
    transport = Transport("https://erp.test:31002/SYSPROWCFService/Rest", system="SYSPRO")
    return SysproClient(transport, SysproCredentials("MLConn", "p", "EDU1"))


def options(**chosen: Any) -> SysproOptions:
    return SysproOptions(**({"company": "EDU1", "ap_gl": "not_linked", "journals": "combined"} | chosen))


def member(number: int, *amounts: str, foreign: bool = False, **changes: Any) -> JournalMember:
    values: dict[str, Any] = {
        "company": "EDU1",
        "branch": "10",
        "year": 2026,
        "period": 11,
        "entry_date": date(2026, 11, 10),
        "kind": InvoiceKind.INVOICE,
        "supplier": "V00001",
        "number": f"NB-{number}",
        "posted_as": f"NB-{number}",
        "reference": f"MLC{number:016d}",
        "currency": "EUR" if foreign else "$",
        "foreign": foreign,
        "lines": tuple(
            EntryLine(gl_code=("10-5120", "20-5130")[n % 2], amount=Decimal(amount), source_lines=(n + 1,))
            for n, amount in enumerate(amounts or ("100.00",))
        ),
        "clearing_account": CLEARING,
    }
    return JournalMember(document=f"{number:032x}", source_key=str(number), entry=OpenEntry(**values | changes))


def journal(*members: JournalMember, **changes: Any) -> CombinedJournal:
    values: dict[str, Any] = {
        "source_key": "EDU1|2026/11|10|0001",
        "number": "2026/11 branch 10 no. 1",
        "company": "EDU1",
        "branch": "10",
        "year": 2026,
        "period": 11,
        "journal_date": date(2026, 11, 10),
        "members": members or (member(1),),
    }
    return CombinedJournal(**values | changes)


def steps(document: CombinedJournal, known: dict[str, Any] | None = None, **chosen: Any) -> Sequence[StepDraft]:
    target = SysproJournalTarget("syspro_default", client(), options(**chosen))
    known = json.loads(json.dumps(known or reference()))
    return target.plan(document, known, our_reference="MLC0123456789ABCDEF").steps


def test_a_journal_becomes_one_delta_step_that_balances_and_survives_json() -> None:
    (step,) = steps(journal(member(1, "100.00", "20.00"), member(2, "-5.00", "30.00")))
    assert (step.name, step.kind, step.our_reference) == ("gl_journal", StepKind.DELTA, "MLC0123456789ABCDEF-1")
    assert step.remote_reference == "GL|EDU1|2026/11|10|0001|1-2"
    booked = json.loads(json.dumps(step.payload))["journal"]
    assert booked["authorize"] == "D"
    assert [(line["code"], line["amount"], line["reference"]) for line in booked["lines"]] == [
        ("10-5120", "100.00", "NB-1"),
        ("20-5130", "20.00", "NB-1"),
        ("10-5120", "-5.00", "NB-2"),
        ("20-5130", "30.00", "NB-2"),
        (CLEARING, "-145.00", ""),
    ]
    assert booked["lines"][1]["comment"] == "V00001 $ 20.00 line 2"
    assert step.fingerprint == {"reference": "MLC0123456789ABCDEF-1", "debit": "150.00"}


def test_what_does_not_fit_one_url_is_cut_into_whole_documents() -> None:
    many = journal(*(member(n, "10.00", "20.00", "30.00") for n in range(1, 41)))
    cut = steps(many)
    assert len(cut) > 1
    assert len(steps(many, transport="postld")) == 1
    seen = [line.reference for step in cut for line in journal_of(step).lines if line.reference]
    assert seen == [f"NB-{n}" for n in range(1, 41) for _line in range(3)]
    for step in cut:
        assert sum(line.amount for line in journal_of(step).lines) == 0
    assert len({step.our_reference for step in cut}) == len({step.remote_reference for step in cut}) == len(cut)


def test_cut_anew_a_step_never_passes_for_one_with_other_documents() -> None:
    many = journal(*(member(n, "10.00", "20.00", "30.00") for n in range(1, 41)))
    by_url = {step.remote_reference for step in steps(many)}
    assert by_url.isdisjoint(step.remote_reference for step in steps(many, transport="postld"))


@pytest.mark.parametrize(
    ("changes", "known", "code"),
    [
        ({"company": "EDU2"}, None, "company"),
        ({"period": 12}, None, "period_future"),
        ({"period": 5}, None, "period_closed"),
        ({"members": (member(1, clearing_account="00-2100"),)}, None, "control_account"),
        ({"members": (member(1, clearing_account="99-9999"),)}, None, "account_unknown"),
        ({"members": (member(1, lines=(EntryLine(gl_code="10-5600", amount=Decimal(1)),)),)}, None, "account_on_hold"),
        ({"members": (member(1, *["1.00"] * 60),)}, None, "too_large"),
    ],
)
def test_what_keeps_a_journal_back(changes: dict[str, Any], known: dict[str, Any] | None, code: str) -> None:
    with pytest.raises(Parked) as raised:
        steps(journal(**changes), known)
    assert raised.value.code == code


def test_only_gls_own_periods_count_for_a_journal() -> None:
    known = reference()
    known["calendar"]["ap_flags"] = ["C", "C", "C"]
    assert len(steps(journal(), known)) == 1


def test_a_closed_period_may_be_booked_into_the_current_one_where_the_route_says_so() -> None:
    (step,) = steps(journal(period=5), closed_period="current_open")
    assert (step.payload["journal"]["year"], step.payload["journal"]["period"]) == (2026, 11)
    assert step.payload["notes"] == ["posted to GL's current period 2026/11: 2026/05 is closed"]


def test_where_ap_is_linked_no_journal_of_ours_is_ever_made() -> None:
    with pytest.raises(ConfigurationError, match="would book them twice"):
        SysproJournalTarget("syspro_default", client(), SysproOptions(company="EDU1"))
    with pytest.raises(ValueError, match="for sites with ap_gl: not_linked"):
        SysproOptions(company="EDU1", journals="combined")


@pytest.mark.parametrize(("not_found", "minutes", "may"), [(1, 60, False), (2, 10, False), (2, 15, True)])
def test_a_journal_is_sent_again_only_after_a_second_look(not_found: int, minutes: int, may: bool) -> None:
    target = SysproJournalTarget("syspro_default", client(), options())
    (step,) = steps(journal())
    assert target.may_repost(step, not_found=not_found, minutes_since_first=minutes) is may


def test_an_invoice_leaves_an_open_entry_instead_of_a_journal() -> None:
    target = SysproTarget("syspro_default", client(), options())
    (step,) = target.plan(coded(tax="20.00", tax_code="A"), reference(), our_reference="ML-1").steps
    entry = OpenEntry.model_validate(json.loads(json.dumps(step.payload))["ledger"])
    assert [(line.gl_code, line.amount) for line in entry.lines][-1] == ("00-2300", Decimal("20.00"))
    assert sum(line.amount for line in entry.lines) == Decimal("245.00")
    assert (entry.clearing_account, entry.year, entry.period, entry.branch) == (CLEARING, 2026, 11, "10")


def test_an_open_entry_of_a_credit_is_reversed_and_names_what_it_credits() -> None:
    target = SysproTarget("syspro_default", client(), options())
    credit = coded("CM-1", kind=InvoiceKind.CREDIT_MEMO, amounts=("25.00",))
    (step,) = target.plan(credit, reference(), our_reference="ML-1").steps
    entry = OpenEntry.model_validate(step.payload["ledger"])
    assert ([line.amount for line in entry.lines], entry.number, entry.posted_as) == (
        [Decimal("-25.00")],
        "CM-1",
        "NB-7781",
    )


def test_an_invoice_on_an_account_no_journal_may_use_waits_before_it_is_posted() -> None:
    known = reference()
    known["accounts"][CLEARING] = account_row(CLEARING, control="Y")
    with pytest.raises(Parked) as raised:
        SysproTarget("syspro_default", client(), options()).plan(coded(), known, our_reference="ML-1")
    assert raised.value.code == "control_account"


CENTS = st.integers(min_value=1, max_value=5_000_000).map(lambda n: Decimal(n) / 100)


@settings(max_examples=60, deadline=None)
@given(
    documents=st.lists(st.tuples(st.lists(CENTS, min_size=1, max_size=5), st.booleans()), min_size=1, max_size=6),
    rate=st.decimals(min_value=Decimal("0.01"), max_value=200, places=6),
    divide=st.booleans(),
)
def test_whatever_the_rates_a_journal_balances_and_clears_what_ap_has(
    documents: list[tuple[list[Decimal], bool]], rate: Decimal, divide: bool
) -> None:
    members = [member(n, *map(str, amounts), foreign=foreign) for n, (amounts, foreign) in enumerate(documents, 1)]
    (step,) = steps(journal(*members), transport="postld")
    parts = [Part.model_validate(part) for part in step.payload["parts"]]
    rates = {place: (rate, divide) for place, part in enumerate(parts) if part.foreign}
    booked = in_company_currency(journal_of(step), parts, rates)
    assert sum(line.amount for line in booked.lines) == 0
    factor = 1 / rate if divide else rate
    owed = sum(
        (
            (sum(amounts, Decimal(0)) * (factor if foreign else 1)).quantize(Decimal("0.01"), "ROUND_HALF_UP")
            for amounts, foreign in documents
        ),
        Decimal(0),
    )
    cleared = -sum((line.amount for line in booked.lines if line.code == CLEARING), Decimal(0))
    # 1 / rate is cut to 28 digits here, so that a tie may fall the other way once per document
    assert abs(cleared - owed) <= Decimal("0.01") * sum(foreign for _, foreign in documents)
