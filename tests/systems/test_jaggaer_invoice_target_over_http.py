"""Invoices of the ledger into the simulated tenant over real HTTP, by the JSON import and by the XML router."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from support.flow import ShiftedClock, fresh_store
from support.into_jaggaer import FENCE, Rig, client_of, cxml_of, route, router_of, writes
from support.purchases import CODES, invoice, invoice_line, part, told

from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, InvoiceKind, Tax
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.systems.jaggaer.invoice_target import JaggaerInvoiceTarget
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.ports import NOT_SEEN, FoundState, OutcomeState, StepDraft, Window

KEY, NUMBER = "V00042|1001", "XN-7781"
CALLS = {"j1p": "ImportInvoice", "router": "RouterInvoices", "cxml": "CxmlInvoice"}
WAYS = pytest.mark.parametrize("way", sorted(CALLS))
OCR = {"invoice_writes": {"path": "/apps/Router/BuyerInvoiceOcrImport"}}
"""Where the simulated router takes invoices; every customer's own (reference/jaggaer.md §3.1)."""


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serving(seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, request: pytest.FixtureRequest) -> RunningSandbox:
    """Return a tenant as new, with the settings a test asks for."""
    options = {"jaggaer": getattr(request, "param", {})}
    requests.post(f"{running.url}/_sandbox/reset", json=options, timeout=10).raise_for_status()
    requests.delete(f"{running.url}/_sandbox/faults", timeout=10).raise_for_status()
    return running


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def store(tmp_path: Path, clock: ShiftedClock) -> Iterator[Store]:
    with fresh_store(tmp_path / "store.db", clock) as opened:
        yield opened


@pytest.fixture
def way() -> str:
    return "j1p"


@pytest.fixture
def rig(sandbox: RunningSandbox, store: Store, clock: ShiftedClock, way: str) -> Rig:
    def target(client: Any) -> JaggaerInvoiceTarget:
        chosen = JaggaerOptions(invoices_by=way, business_unit="PLANT1")  # type: ignore[arg-type]
        ways: dict[str, Any] = {"router": router_of(sandbox, clock=clock), "cxml": cxml_of(sandbox, clock=clock)}
        return JaggaerInvoiceTarget("jaggaer", client, chosen, **ways)

    return Rig(sandbox, store, clock, route("invoice"), target, contract=OCR, mapping=CODES)


def fault(sandbox: RunningSandbox, kind: str, call: str, **rule: Any) -> None:
    rule = {"kind": kind, "system": "jaggaer", "call": call, "times": 1, **rule}
    requests.post(f"{sandbox.url}/_sandbox/faults", json=[rule], timeout=10).raise_for_status()


def calm(sandbox: RunningSandbox) -> None:
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=10).raise_for_status()


def as_read(sandbox: RunningSandbox) -> Invoice:
    """Return the invoice as our own source reads it back."""
    source = JaggaerInvoiceSource(client_of(sandbox))
    (record,) = [record for page in source.pages(Window()) for record in page.records]
    return source.decode(source.complete(record).payload)


def issues(rig: Rig) -> list[str]:
    with rig.store.unit_of_work(Actor(user="test")) as uow:
        return [issue.text for issue in uow.issues.list(rig.route.name)]


def step_of(target: JaggaerInvoiceTarget, document: Invoice) -> StepDraft:
    (step,) = target.plan(told(document), {"suppliers": None, "codes": None}, our_reference="OTHER").steps
    return step


def by_hand(sandbox: RunningSandbox, document: Invoice) -> None:
    """Import an invoice as somebody else would, and forget about it."""
    target = JaggaerInvoiceTarget("jaggaer", client_of(sandbox), JaggaerOptions())
    with target.session() as session:
        (outcome,) = session.post([step_of(target, document)], fence=FENCE)
    assert outcome.state is OutcomeState.SUBMITTED


def full() -> Invoice:
    """Return an invoice with everything an import can carry by either way."""
    amounts = (part("5120", "10", amount=Decimal("1.00")), part("5130", "20", amount=Decimal("3.50")))
    percents = (part(percent=Decimal(60)), part(center="20", percent=Decimal(40)))
    return invoice(
        invoice_line(1, po_number="0000000310", po_line="1", allocations=percents),
        invoice_line(2, "3", "1.50", allocations=amounts, charges=(charge("freight", "1.00"),)),
        charges=(charge("freight", "4.00"), charge("handling", "2.00"), charge("miscellaneous", "0.50")),
        taxes=(Tax(code="ST", amount=Decimal("20.00")), Tax(code="CT", amount=Decimal("1.25"))),
        accounting_date=date(2026, 11, 3),
        gross=Decimal("233.25"),
    )


def charge(kind: str, amount: str) -> Charge:
    return Charge(kind=ChargeKind(kind), amount=Decimal(amount))


# --- the usual course ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["j1p", "router"])
def test_an_invoice_arrives_to_the_cent_in_jaggaers_codes(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(full())
    rig.all()
    assert rig.state(KEY) == "posted"
    there = as_read(sandbox)
    assert (there.kind, there.number, there.supplier, there.currency, there.gross) == (
        InvoiceKind.INVOICE,
        NUMBER,
        "V00042",
        "USD",
        Decimal("233.25"),
    )
    assert (there.invoice_date, there.due_date) == (date(2026, 11, 2), date(2026, 12, 2))
    assert {(each.kind, each.amount) for each in there.charges} == {
        (ChargeKind.FREIGHT, Decimal("5.00")),
        (ChargeKind.HANDLING, Decimal("2.50")),
    }
    assert sorted(tax.amount for tax in there.taxes) == [Decimal("1.25"), Decimal("20.00")]
    first, second = there.lines
    assert (first.po_number, first.po_line, first.quantity, first.unit_price) == ("0000000310", "1", 10, 20)
    assert [(each.account, each.cost_center, each.percent) for each in first.allocations] == [
        ("51200", "CC10", 60),
        ("51200", "CC20", 40),
    ]
    assert [(each.account, each.cost_center, each.amount) for each in second.allocations] == [
        ("51200", "CC10", Decimal(1)),
        ("51300", "CC20", Decimal("3.5")),
    ]
    assert rig.newest(KEY).target_reference == there.source_key


@WAYS
def test_a_second_run_imports_nothing(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(invoice())
    rig.all()
    rig.all()
    assert len(writes(sandbox)) == 1


@WAYS
def test_a_credit_memo_stays_one_and_needs_no_original(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(invoice(kind=InvoiceKind.CREDIT_MEMO))
    rig.all()
    assert rig.state(KEY) == "posted"
    assert (as_read(sandbox).kind, as_read(sandbox).gross) == (InvoiceKind.CREDIT_MEMO, 200)


def test_a_discount_has_a_place_in_the_json_import_only(rig: Rig, sandbox: RunningSandbox) -> None:
    discounted = invoice(charges=(charge("discount", "10.00"),), gross=Decimal("190.00"))
    rig.give(discounted)
    rig.all()
    assert (rig.state(KEY), as_read(sandbox).gross) == ("posted", 190)
    by_router = JaggaerOptions(invoices_by="router")
    rig.target = lambda client: JaggaerInvoiceTarget("jaggaer", client, by_router, router=router_of(sandbox))
    rig.give(discounted.model_copy(update={"source_key": "2", "number": "XN-2"}))
    rig.all()
    newest = rig.newest("2")
    assert (newest.state, newest.reason_code) == ("parked", "total_not_reproducible")
    assert "lines 200.00 = 200.00, and has no place for discount 10.00, but the total is 190.00" in newest.reason


# --- submitted is not posted --------------------------------------------------------------------------------------


def unseen(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide imported invoices from the list, as while an import waits in JAGGAER."""
    whole = rig.target

    def without_rows(client: Any) -> Any:
        target = whole(client)
        monkeypatch.setattr(client, "list_page", hiding(client.list_page))
        return target

    def hiding(list_page: Any) -> Any:
        def shown(path: str, *arguments: Any, **options: Any) -> Any:
            page = list_page(path, *arguments, **options)
            if path.endswith("/invoices"):
                return type(page)([], 0, 0, page.date)
            return page

        return shown

    rig.target = without_rows


@WAYS
def test_an_import_is_submitted_until_the_list_shows_it(
    rig: Rig, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rig.target
    unseen(rig, monkeypatch)
    rig.give(invoice())
    rig.all()
    assert rig.state(KEY) == "submitted"
    rig.clock.advance(3600)
    rig.all()
    assert (rig.state(KEY), issues(rig)) == ("submitted", [])
    rig.target = whole
    rig.all()
    assert rig.state(KEY) == "posted"
    assert len(writes(sandbox)) == 1


def test_an_import_that_is_never_seen_is_for_a_person_and_stays_submitted(
    rig: Rig, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen(rig, monkeypatch)
    rig.give(invoice())
    rig.all()
    rig.clock.advance(25 * 3600)
    rig.all()
    newest = rig.newest(KEY)
    assert (newest.state, newest.reason_code) == ("submitted", NOT_SEEN)
    assert "among imports that failed" in newest.reason
    assert len(issues(rig)) == 1
    assert len(writes(sandbox)) == 1


def test_an_import_that_jaggaer_reads_otherwise_is_told(rig: Rig) -> None:
    # a tenant that calls total and sums otherwise than the contract says drops them
    names = {"total": "unknownTotal", "freight": "unknownFreight"}
    rig.contract = {"invoice_writes": {"fields": names}}
    rig.give(invoice(charges=(charge("freight", "5.00"),), gross=Decimal("205.00")))
    rig.all()
    newest = rig.newest(KEY)
    assert (newest.state, newest.reason_code) == ("failed", "not_as_sent")
    assert "its total is 200" in newest.reason
    assert "not 205.00" in newest.reason


# --- found is not ours --------------------------------------------------------------------------------------------


def test_the_same_invoice_entered_by_hand_is_linked(rig: Rig, sandbox: RunningSandbox) -> None:
    by_hand(sandbox, invoice())
    rig.give(invoice())
    rig.all()
    newest = rig.newest(KEY)
    assert (newest.state, newest.reason_code, len(writes(sandbox))) == ("linked", "entered_by_hand", 1)
    assert newest.target_reference == as_read(sandbox).source_key


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (invoice(invoice_line(1, "5")), "its total is 100"),
        (invoice(currency="EUR"), "its currency is EUR"),
        (invoice(invoice_date=date(2026, 10, 1)), "it is dated 2026-10-01"),
    ],
)
def test_another_invoice_under_the_number_is_rejected(
    rig: Rig, sandbox: RunningSandbox, other: Invoice, said: str
) -> None:
    by_hand(sandbox, other)
    rig.give(invoice())
    rig.all()
    newest = rig.newest(KEY)
    assert (newest.state, newest.reason_code) == ("rejected", "number_already_used")
    assert said in newest.reason
    assert len(writes(sandbox)) == 1


@pytest.mark.parametrize("sandbox", [{"ocr_unique": "supplier"}], indirect=True)
def test_a_credit_memo_under_the_number_of_an_invoice_is_for_a_person_once_refused(
    rig: Rig, sandbox: RunningSandbox
) -> None:
    by_hand(sandbox, invoice())
    rig.give(invoice(kind=InvoiceKind.CREDIT_MEMO))
    rig.all()
    newest = rig.newest(KEY)
    assert newest.state == "parked"
    assert "as Invoice, not as Credit memo" in newest.reason


def test_the_number_of_another_supplier_is_another_invoice(rig: Rig, sandbox: RunningSandbox) -> None:
    by_hand(sandbox, invoice(supplier="V00007"))
    rig.give(invoice())
    rig.all()
    assert (rig.state(KEY), len(writes(sandbox))) == ("posted", 2)


def test_what_the_store_shows_of_an_invoice_is_enough_to_look_it_up(sandbox: RunningSandbox) -> None:
    by_hand(sandbox, invoice())
    target = JaggaerInvoiceTarget("jaggaer", client_of(sandbox), JaggaerOptions())

    def look(gross: str) -> FoundState:
        draft = target.identify(
            supplier=" v00042 ",
            number=NUMBER.lower(),
            kind=InvoiceKind.INVOICE,
            currency="$",
            gross=Decimal(gross),
            document_date=date(2026, 11, 2),
        )
        with target.session() as session:
            return session.find([draft])[0].state

    assert (look("200.00"), look("200.01")) == (FoundState.SAME_NOT_OURS, FoundState.DIFFERENT)


# --- what gets lost -----------------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("kind", ["reset_after", "cut_body", "html_after"])
def test_an_invoice_whose_answer_was_lost_is_found(rig: Rig, sandbox: RunningSandbox, way: str, kind: str) -> None:
    fault(sandbox, kind, CALLS[way])
    rig.give(invoice())
    rig.all()
    assert rig.state(KEY) == "posted"
    assert len(writes(sandbox)) == 1


@WAYS
@pytest.mark.parametrize("kind", ["reset_before", "status"])
def test_an_invoice_nobody_knows_about_is_never_imported_again_by_itself(
    rig: Rig, sandbox: RunningSandbox, way: str, kind: str
) -> None:
    fault(sandbox, kind, CALLS[way])
    rig.give(invoice())
    rig.all()
    for _run in range(3):
        rig.clock.advance(30 * 3600)
        rig.all()
    assert (rig.state(KEY), writes(sandbox)) == ("uncertain", [])


@WAYS
def test_an_import_that_comes_late_is_found_late(rig: Rig, sandbox: RunningSandbox, way: str) -> None:
    fault(sandbox, "late_commit", CALLS[way], seconds=0.2)
    rig.give(invoice())
    rig.all()
    end = time.monotonic() + 10
    while not writes(sandbox):
        assert time.monotonic() < end, "the late commit never came"
        time.sleep(0.02)
    rig.clock.advance(1000)
    rig.all()
    assert rig.state(KEY) == "posted"
    assert len(writes(sandbox)) == 1


@WAYS
def test_too_many_requests_and_a_withdrawn_token_cost_no_second_import(
    rig: Rig, sandbox: RunningSandbox, way: str
) -> None:
    fault(sandbox, "rate_limit", CALLS[way], retry_after=1)
    if way == "j1p":
        fault(sandbox, "token_kill", CALLS[way])
    rig.give(invoice())
    rig.all()
    assert rig.state(KEY) == "posted"
    assert len(writes(sandbox)) == 1


def test_a_list_that_cannot_be_read_stops_the_run_before_anything_is_sent(rig: Rig, sandbox: RunningSandbox) -> None:
    fault(sandbox, "status", "ListInvoices", times=99)
    rig.give(invoice())
    with pytest.raises(Exception, match="answered HTTP 503"):
        rig.all()
    assert (rig.state(KEY), writes(sandbox)) == ("validated", [])
    calm(sandbox)
    rig.all()
    assert rig.state(KEY) == "posted"


# --- refusals -----------------------------------------------------------------------------------------------------


def test_the_tenants_other_casing_is_a_setting(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.contract = {"invoice_writes": {"prefix": "invoiceOCR"}}
    rig.give(full())
    rig.all()
    assert (rig.state(KEY), as_read(sandbox).gross) == ("posted", Decimal("233.25"))


@WAYS
def test_an_address_that_takes_no_invoices_is_a_wrong_setting_and_nothing_was_done(
    rig: Rig, sandbox: RunningSandbox, way: str
) -> None:
    rig.contract = {
        "invoice_writes": {"path": "/apps/Elsewhere"},
        "invoices": {"create": "/j1p/api/public/ji/v1/nowhere"},
        "cxml": {"invoices": "/apps/Elsewhere"},
    }
    rig.give(invoice())
    with pytest.raises(ConfigurationError, match=r"Router URL|cXML URL|the contract's paths"):
        rig.all()
    assert rig.state(KEY) == "validated"
    rig.contract = OCR
    rig.all()
    assert (rig.state(KEY), len(writes(sandbox))) == ("posted", 1)


@WAYS
def test_a_refusal_is_told_in_jaggaers_words_and_can_be_replayed(rig: Rig, sandbox: RunningSandbox, way: str) -> None:
    target = rig.fresh()
    step = step_of(target, invoice(supplier="V99999"))  # type: ignore[arg-type]
    with target.session() as session:
        (outcome,) = session.post([step], fence=FENCE)
    assert outcome.state is OutcomeState.REFUSED
    assert "V99999" in outcome.text
    assert writes(sandbox) == []
