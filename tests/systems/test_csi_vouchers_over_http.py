"""Invoices, vouchers and vendors against the simulated site, over real HTTP: its books are the judge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from support.csi_samples import OpenFence
from support.csi_sandbox import CsiSite
from support.syspro_samples import coded as coded_invoice

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.documents.supplier import (
    Address,
    CodedSupplier,
    Contact,
    NewSupplier,
    Supplier,
)
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import AmbiguousOutcome, MLConnectorError, Parked
from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.systems.cloudsuite.csi.invoices import CsiInvoiceSource
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendors import CsiVendorTarget
from airflow_provider_mlconnector.systems.cloudsuite.csi.vouchers import CsiVoucherTarget
from airflow_provider_mlconnector.systems.ports import (
    Context,
    Eligibility,
    FoundState,
    OutcomeState,
    Plan,
    SourceRecord,
    StepDraft,
    Window,
)

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
OURS = "MLC0123456789ABCDEF"
SUPPLIER = "V00001"
LOST = ("reset_before", "reset_after", "cut_body", "html_after", "status")


@pytest.fixture(scope="module")
def running() -> Iterator[CsiSite]:
    with serving(seed=7, start=START, cloudsuite={"logins_per_minute": 0, "tokens_per_day": 0}) as sandbox:
        yield CsiSite(sandbox)


@pytest.fixture
def site(running: CsiSite) -> Iterator[CsiSite]:
    running.control("reset", {"cloudsuite": {"csi": {"vouchers": 0, "auto_voucher": True}, "absent": []}})
    yield running
    running.control("faults", method="DELETE")


def coded(number: str = "NB-7781", *, unit: str = "CC10", **changes: Any) -> CodedInvoice:
    base: dict[str, Any] = {"supplier": SUPPLIER, "accounts": ("51200", "52100", "53000"), "currency": ("USD", "USD")}
    invoice = coded_invoice(number, **{**base, "company": "ACME_TST_MAIN", **changes})
    postings = tuple(posting.model_copy(update={"cost_center": unit}) for posting in invoice.postings)
    return invoice.model_copy(update={"postings": postings})


class Run:
    """One session with the site, as the pipeline would drive it."""

    def __init__(self, site: CsiSite, **choices: Any) -> None:
        self.site = site
        self.target = CsiVoucherTarget("csi_default", site.gateway(), site.options(tax_account="23000", **choices))
        self.session = self.target.session().__enter__()

    def steps(self, invoice: CodedInvoice | None = None) -> Sequence[StepDraft]:
        reference = json.loads(json.dumps(self.session.read_reference(suppliers=(), accounts=())))
        return self.target.plan(invoice or coded(), reference, our_reference=OURS).steps

    def post(self, steps: Sequence[StepDraft]) -> list[OutcomeState]:
        """Look up and send each step; what is found is not sent."""
        states = []
        for step in steps:
            (found,) = self.session.find([step])
            if found.state is FoundState.OURS:
                states.append(found.stands)
                continue
            assert found.state is FoundState.ABSENT, found
            (outcome,) = self.session.post([step], fence=OpenFence())
            states.append(outcome.state)
            assert outcome.state is not OutcomeState.REFUSED, outcome
        return states


def ours(site: CsiSite) -> list[dict[str, Any]]:
    """Vouchers that carry our reference, as the oracle has them."""
    return [row for row in site.ledger()["vouchers"] if row["Ref"] == OURS]


def clean(site: CsiSite) -> None:
    """No voucher of ours was ever exposed to posting before it was whole, and the ledger balances."""
    books = site.ledger()
    assert books["exposed"] == []
    assert books["violations"] == []


DONE = [OutcomeState.POSTED, OutcomeState.POSTED, OutcomeState.ACCEPTED]


# --- vouchers ------------------------------------------------------------------------------------------------------


def test_an_invoice_goes_all_the_way_into_the_ledger(site: CsiSite) -> None:
    run = Run(site)
    steps = run.steps(coded(tax="20.00", tax_code="VAT05"))
    assert run.post(steps) == DONE
    (result,) = [found.result for found in run.session.find([steps[2]])]
    assert [outcome.state for outcome in run.session.observe([(steps[2], result)])] == [OutcomeState.ACCEPTED]
    site.person("post_vouchers")
    (booked,) = run.session.observe([(steps[2], result)])
    assert booked.state is OutcomeState.POSTED
    (voucher,) = ours(site)
    lines = {(line["Acct"], line["AcctUnit1"]): float(line["DomAmount"]) for line in voucher["gl"]}
    costs = {key: amount for key, amount in lines.items() if key[0] != "21000"}
    assert costs == {
        ("51200", "CC10"): 100.0,
        ("52100", "CC10"): 75.5,
        ("53000", "CC10"): 49.5,
        ("23000", None): 20.0,
    }
    site.person("voucher_purge", voucher=int(voucher["Voucher"]))
    assert [outcome.state for outcome in run.session.observe([(steps[2], result)])] == [OutcomeState.POSTED]
    clean(site)


def test_a_credit_memo_is_booked_the_other_way_round(site: CsiSite) -> None:
    run = Run(site)
    assert run.post(run.steps(coded("CM-1", kind=InvoiceKind.CREDIT_MEMO))) == DONE
    site.person("post_vouchers")
    (voucher,) = ours(site)
    assert float(voucher["InvAmt"]) == -225
    clean(site)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize(("ido", "step"), [("SLAptrxs", 0), ("SLAptrxds", 1), ("SLAptrxs", 2)])
def test_whatever_is_lost_on_the_way_there_is_one_whole_voucher_in_the_end(
    site: CsiSite, kind: str, ido: str, step: int
) -> None:
    run = Run(site)
    steps = run.steps()
    run.post(steps[:step])
    site.fault(kind=kind, call=f"CsiUpdate {ido}", nth=2 if ido == "SLAptrxds" else 1, times=1)
    with pytest.raises(AmbiguousOutcome):
        run.post(steps[step : step + 1])
    site.control("faults", method="DELETE")
    site.person("post_vouchers")
    again = Run(site)
    (found,) = again.session.find(steps[step : step + 1], settling=True)
    if step == 0 and found.state is FoundState.ABSENT:
        assert kind in {"reset_before", "status"}
        assert not ours(site)
        return
    *before, last = again.post(steps)
    assert before == DONE[:2]
    assert last in {OutcomeState.ACCEPTED, OutcomeState.POSTED}
    site.person("post_vouchers")
    (voucher,) = ours(site)
    assert (voucher["state"], float(voucher["InvAmt"]), len(voucher["gl"])) == ("posted", 225.0, 4)
    clean(site)


@pytest.mark.parametrize("call", ["CsiLoad SLAptrxs", "CsiLoad SLAptrxps", "CsiLoad SLVchHdrs", "CsiLoad SLAptrxds"])
def test_a_failing_read_writes_nothing_and_the_next_run_goes_on(site: CsiSite, call: str) -> None:
    run = Run(site)
    steps = run.steps()
    run.post(steps[:1])
    site.fault(kind="status", call=call, code=500)
    with pytest.raises(MLConnectorError):
        run.session.find(steps[1:2])
    site.control("faults", method="DELETE")
    assert Run(site).post(steps) == DONE
    clean(site)


def test_a_voucher_typed_in_by_hand_is_linked_before_and_after_posting(site: CsiSite) -> None:
    lines = [{"account": "51200", "amount": "225.00", "unit": "CC10"}]
    site.person("voucher", vendor=SUPPLIER, invoice="NB-7781", lines=lines, invoice_date="2026-11-10")
    run = Run(site)
    header = run.steps()[0]
    assert run.session.find([header])[0].state is FoundState.SAME_NOT_OURS
    site.person("post_vouchers")
    assert run.session.find([header])[0].state is FoundState.SAME_NOT_OURS


@pytest.mark.parametrize(("typed", "sent"), [("0000000310", "310"), ("310", "00310"), ("nb-7781", "NB-7781")])
def test_a_number_typed_in_another_spelling_is_the_same_one(site: CsiSite, typed: str, sent: str) -> None:
    lines = [{"account": "51200", "amount": "225.00", "unit": "CC10"}]
    site.person("voucher", vendor=SUPPLIER, invoice=typed, lines=lines, invoice_date="2026-11-10")
    run = Run(site)
    header = run.steps(coded(sent))[0]
    assert run.session.find([header])[0].state is FoundState.SAME_NOT_OURS


def test_a_person_editing_our_voucher_stops_the_release(site: CsiSite) -> None:
    run = Run(site)
    steps = run.steps()
    run.post(steps[:2])
    (voucher,) = ours(site)
    site.person("voucher_change", voucher=int(voucher["Voucher"]), lines=[{"account": "51200", "amount": "225.00"}])
    (outcome,) = run.session.post([steps[2]], fence=OpenFence())
    assert (outcome.state, outcome.parked) == (OutcomeState.REFUSED, True)
    site.person("post_vouchers")
    assert ours(site)[0]["state"] == "unposted"
    clean(site)


def test_a_voucher_deleted_by_a_person_is_told(site: CsiSite) -> None:
    run = Run(site)
    steps = run.steps()
    assert run.post(steps) == DONE
    (found,) = run.session.find([steps[2]])
    (voucher,) = ours(site)
    site.person("voucher_delete", voucher=int(voucher["Voucher"]))
    (outcome,) = run.session.observe([(steps[2], found.result)])
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "thrown_out")


def test_where_csi_does_not_number_vouchers_we_do(site: CsiSite) -> None:
    site.control("reset", {"cloudsuite": {"csi": {"auto_voucher": False, "vouchers": 25}}})
    taken = {int(row["Voucher"]) for row in site.ledger()["vouchers"]}
    run = Run(site)
    assert run.post(run.steps()) == DONE
    (voucher,) = ours(site)
    assert int(voucher["Voucher"]) == max(taken) + 1
    clean(site)


def test_a_site_that_shows_no_reference_of_posted_vouchers_still_sees_ours_booked(site: CsiSite) -> None:
    site.control("reset", {"cloudsuite": {"absent": ["SLAptrxps.Ref", "SLAptrxps.SalesTax"]}})
    run = Run(site)
    steps = run.steps()
    assert run.post(steps) == DONE
    (found,) = run.session.find([steps[2]])
    site.person("post_vouchers")
    assert run.session.observe([(steps[2], found.result)])[0].state is OutcomeState.POSTED
    assert run.session.find([steps[0]], settling=True)[0].state is FoundState.UNKNOWN
    clean(site)


def test_rules_of_the_chart_are_obeyed_before_anything_is_sent(site: CsiSite) -> None:
    run = Run(site)
    site.person("account_obsolete", account="51200", date="2026-11-01")
    with pytest.raises(Parked, match="51200 is obsolete"):
        run.steps()
    with pytest.raises(Parked, match="requires unit code 1"):
        run.steps(coded(accounts=("52100",), unit=""))
    site.person("period", year=2026, period=11)
    with pytest.raises(Parked, match="is closed"):
        run.steps(coded(accounts=("52100",)))
    assert not ours(site)


# --- invoices ------------------------------------------------------------------------------------------------------


def listed(site: CsiSite, window: Window | None = None) -> list[SourceRecord]:
    reader = CsiInvoiceSource("csi_default", site.gateway(), site.options(tax_account="23000"))
    return [record for page in reader.pages(window or Window()) for record in page.records]


def decode(site: CsiSite, record: SourceRecord) -> Invoice:
    return CsiInvoiceSource("csi_default", site.gateway(), site.options()).decode(record.payload)


def test_generated_vouchers_are_listed_once_each_and_sound_whatever_their_stage(site: CsiSite) -> None:
    site.control("reset", {"cloudsuite": {"csi": {"vouchers": 60}}})
    site.control("clock", {"advance": 60})
    books = {
        f"{row['VendNum'].strip()}|{row['Voucher']}": row for row in site.ledger()["vouchers"] if row["Type"] == "V"
    }
    records = {record.key: record for record in listed(site)}
    assert set(books) <= set(records)
    sound = 0
    for key, record in records.items():
        if record.eligibility is not Eligibility.ELIGIBLE:
            continue
        invoice = decode(site, record)
        check_invoice(invoice)
        assert invoice.gross == abs(float(books[key]["InvAmt"])) or float(invoice.gross) == abs(
            float(books[key]["InvAmt"])
        )
        assert invoice.number == books[key]["InvNum"]
        sound += 1
    assert sound > len(records) / 2


def test_posting_changes_nothing_of_a_voucher_and_hides_none(site: CsiSite) -> None:
    lines = [
        {"account": "51200", "amount": "80.00", "unit": "CC10"},
        {"account": "52100", "amount": "20.00", "unit": "CC20"},
        {"account": "23000", "amount": "20.00", "tax_code": "VAT05", "tax_basis": "100.00"},
    ]
    site.person("voucher", vendor=SUPPLIER, invoice="HAND-1", lines=lines, tax="20.00", invoice_date="2026-11-18")
    site.control("clock", {"advance": 60})
    (before,) = listed(site)
    invoice = decode(site, before)
    assert [(line.amount, line.allocations[0].cost_center) for line in invoice.lines] == [(80, "CC10"), (20, "CC20")]
    assert [tax.amount for tax in invoice.taxes] == [20]
    site.person("post_vouchers")
    site.control("clock", {"advance": 60})
    (after,) = listed(site)
    assert (after.key, after.payload) == (before.key, before.payload)
    site.person("pay", voucher=int(before.key.rpartition("|")[2]))
    site.control("clock", {"advance": 60})
    (paid,) = listed(site)
    assert (paid.eligibility, paid.payload) == (Eligibility.PAID, before.payload)


def test_our_own_voucher_is_listed_under_the_key_we_kept_of_it(site: CsiSite) -> None:
    run = Run(site)
    steps = run.steps()
    assert run.post(steps) == DONE
    (found,) = run.session.find([steps[2]])
    site.control("clock", {"advance": 60})
    assert [record.key for record in listed(site)] == [found.result["key"]]


# --- vendors -------------------------------------------------------------------------------------------------------


def supplier(**changes: Any) -> CodedSupplier:
    base: dict[str, Any] = {
        "source_key": "990017",
        "revision": "1",
        "name": "Brand New Bolts",
        "currency": "USD",
        "tax_id": "TX9990017",
        "address": Address(lines=("1 Mill Rd",), city="Leeds", postal_code="LS1 1AA", country="US"),
        "contact": Contact(name="Kim Sales", email="ap@bolts.example", phone="0113 1"),
    }
    new = NewSupplier(terms="N30", currency="USD", bank="BK1")
    return CodedSupplier(
        supplier=Supplier(**{**base, **changes}), currency="USD", terms=None, new=new, mapping_version=1
    )


class Vendors:
    """One session with the site's vendors."""

    def __init__(self, site: CsiSite) -> None:
        self.target = CsiVendorTarget("csi_default", site.gateway(), site.options())
        self.session = self.target.session().__enter__()

    def plan(self, coded: CodedSupplier, context: Context) -> Plan:
        reference = json.loads(json.dumps(self.session.read_reference(suppliers=(), accounts=())))
        return self.target.plan(coded, reference, our_reference=OURS, context=context)


def vendor(site: CsiSite, number: str) -> dict[str, Any]:
    (row,) = [row for row in site.ledger()["suppliers"] if row["VendNum"].strip() == number]
    return dict(row)


def test_a_new_supplier_is_set_up_and_a_change_of_it_written_under_its_lock(site: CsiSite) -> None:
    vendors = Vendors(site)
    planned = vendors.plan(supplier(), Context(key="990017"))
    assert planned.key == "990017"
    (outcome,) = vendors.session.post(planned.steps, fence=OpenFence())
    assert outcome.state is OutcomeState.POSTED
    assert outcome.result == {"key": "990017"}
    row = vendor(site, "990017")
    assert (row["Name"], row["VadZip"], row["TermsCode"]) == ("Brand New Bolts", "LS1 1AA", "N30")
    again = vendors.plan(supplier(), Context(key="990017"))
    assert (again.steps, again.key) == ((), "990017")
    site.person("vendor", vendor="990017", hold=True)
    renamed = vendors.plan(supplier(name="Brand New Bolts Inc"), Context(key="990017"))
    (outcome,) = vendors.session.post(renamed.steps, fence=OpenFence())
    assert outcome.state is OutcomeState.POSTED
    assert vendor(site, "990017")["Name"] == "Brand New Bolts Inc"


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_vendor_is_settled_and_set_up_once(site: CsiSite, kind: str) -> None:
    vendors = Vendors(site)
    (step,) = vendors.plan(supplier(), Context(key="990017")).steps
    site.fault(kind=kind, call="CsiUpdate SLVendors", times=1)
    with pytest.raises(AmbiguousOutcome):
        vendors.session.post([step], fence=OpenFence())
    (found,) = vendors.session.find([step], settling=True)
    if found.state is FoundState.ABSENT:
        assert vendors.session.post([step], fence=OpenFence())[0].state is OutcomeState.POSTED
    else:
        assert found.state is FoundState.OURS
    assert vendor(site, "990017")["Name"] == "Brand New Bolts"
