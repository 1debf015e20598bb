"""The edge cases of the pair over HTTP, with a store: each ends in the books to the cent, or says why it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.edges import AP_CONTROL, Office, thirds
from support.flow import flow
from support.mishaps import line

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.store.records import Actor

KWD = {"  JPY: JPY": "  JPY: JPY\n  KWD: KWD"}
SECTIONS = [section for section, _name in master.COST_CENTERS.values()]
OWN_LINES = {"  miscellaneous: spread": '  miscellaneous: {gl_code: "40-5300"}'}
Open = Callable[..., Office]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the one office of a test."""
    running = []

    def start(*, mapped: dict[str, str] | None = None, **options: Any) -> Office:
        context = flow(tmp_path, **{"jaggaer": {"invoices": 0}} | options)
        running.append(context)
        return Office(context.__enter__(), tmp_path, mapped=mapped)

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def office(opened: Open) -> Office:
    return opened()


# --- amounts ---------------------------------------------------------------------------------------------------------


def test_a_credit_memo_reduces_the_invoice_posted_runs_before_it_and_nothing_else(office: Office) -> None:
    original = office.bill("ORIGINAL-1")
    assert office.run(original).state is State.POSTED
    of = office.header(original)["invoice_number"]
    credit = office.bill("CREDIT-1", line(40), total=40, invoiceType="Credit memo", originalInvoiceNumber=of)
    assert office.run(credit).state is State.POSTED, office.document(credit).reason
    assert Decimal(office.posting("ORIGINAL-1")["balance"]) == 60
    (row,) = office.invoices.ledger()["ap_transactions"]
    assert (row["type"], row["invoice"], Decimal(row["value"])) == ("C", "ORIGINAL-1", 40)
    assert (office.balance(AP_CONTROL), office.balance("20-5130")) == (-60, 60)
    before = office.attempts()
    assert office.run(credit).state is State.POSTED
    assert office.attempts() == before


def test_a_line_of_quantity_zero_books_nothing_and_harms_no_other(office: Office) -> None:
    nothing = line(55, "51200", "CC10", quantity=0)
    key = office.bill("ZERO-1", nothing, line(100))
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert office.booked("ZERO-1") == [("20-5130", 100)]


def test_an_invoice_of_nothing_but_quantity_zero_is_rejected(office: Office) -> None:
    document = office.run(office.bill("ZERO-2", line(55, quantity=0), total=0))
    assert document.state is State.REJECTED
    assert (document.reason_code, "cancel out" in document.reason) == ("nothing_to_post", True)


def test_a_split_in_three_that_does_not_divide_evenly_gives_the_rest_to_the_largest_remainder(office: Office) -> None:
    key = office.bill("THIRDS-1", line(100.01, splittableFieldSetGroupList=thirds()), total=100.01)
    assert office.run(key).state is State.POSTED, office.document(key).reason
    # 33.333333, 33.333333 and 33.343334: the cent left over is the third one's
    wanted = [("10-5120", Decimal("33.33")), ("20-5120", Decimal("33.33")), ("30-5120", Decimal("33.35"))]
    assert office.booked("THIRDS-1") == wanted


def test_yen_are_split_in_whole_yen_and_booked_at_the_rate_that_divides(office: Office) -> None:
    split = line(10_001, splittableFieldSetGroupList=thirds())
    key = office.bill("YEN-1", split, supplier="V00034", total=10_001, currency="JPY")
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert office.booked("YEN-1") == [("10-5120", 3333), ("20-5120", 3333), ("30-5120", 3335)]
    assert office.balance(AP_CONTROL) == Decimal("-66.67")  # 10,001 / 150


def test_half_a_yen_is_rejected(office: Office) -> None:
    document = office.run(office.bill("YEN-2", line(100.5), supplier="V00034", total=100.5, currency="JPY"))
    assert (document.state, document.reason_code) == (State.REJECTED, "too_many_decimals"), document.reason


def test_dinars_are_booked_with_two_decimals_and_rejected_with_three(opened: Open) -> None:
    office = opened(mapped=KWD)
    dinars = {"supplier": "V00035", "currency": "KWD"}
    sound = office.bill("DINAR-1", line(100.25), total=100.25, **dinars)
    fils = office.bill("DINAR-2", line(100.255), total=100.255, **dinars)
    assert office.run(sound).state is State.POSTED, office.document(sound).reason
    assert (office.document(fils).state, office.document(fils).reason_code) == (State.REJECTED, "third_decimal")
    assert "nothing is rounded" in office.document(fils).reason
    assert office.booked("DINAR-1") == [("20-5130", Decimal("100.25"))]
    assert office.balance(AP_CONTROL) == Decimal("-325.81")  # 100.25 × 3.25


def test_a_fixed_rate_is_left_to_syspros_own_table(office: Office) -> None:
    """No rate and no fixing is ever sent: SYSPRO takes its table's, and would refuse any other where it is fixed."""
    office.syspro("currency", currency="EUR", rate="1.25", fixed=True)
    key = office.bill("FIXED-1", supplier="V00031", currency="EUR")
    assert office.run(key).state is State.POSTED, office.document(key).reason
    posting = office.posting("FIXED-1")
    assert (posting["currency"], Decimal(posting["rate"]), Decimal(posting["value"])) == ("EUR", Decimal("1.25"), 100)
    assert (office.balance(AP_CONTROL), office.balance("20-5130")) == (-125, 125)


def test_at_an_unlinked_site_our_journal_takes_the_fixed_rate_that_ap_took(opened: Open) -> None:
    options = {"ap_gl": "not_linked", "authorize_journal": "A"}
    office = opened(syspro_site={"ap_gl": "not_linked"}, syspro=options)
    office.syspro("currency", currency="EUR", rate="1.25", fixed=True)
    key = office.bill("FIXED-2", supplier="V00031", currency="EUR")
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert (office.balance("20-5130"), office.balance("00-2150")) == (125, -125)


def test_tax_on_top_of_the_prices_is_claimed_back_and_tax_inside_them_is_told(office: Office) -> None:
    exclusive = office.bill("TAX-E", total=120, taxCharge1=20)
    inclusive = office.bill("TAX-I", line(120), total=120, taxCharge1=20)
    assert office.run(exclusive).state is State.POSTED, office.document(exclusive).reason
    assert (office.booked("TAX-E"), Decimal(office.posting("TAX-E")["tax_value"])) == ([("20-5130", 100)], 20)
    assert office.balance("00-2300") == 20
    told = office.document(inclusive)
    assert (told.state, told.reason_code) == (State.REJECTED, "total_mismatch")
    assert "leaves out the tax taxCharge1 of 20" in told.reason
    assert "or has it in its prices: state them without the tax" in told.reason
    assert [row["invoice"] for row in office.invoices.ledger()["ap_invoices"]] == ["TAX-E"]


def test_freight_and_miscellaneous_charges_stand_on_gl_lines_of_their_own(opened: Open) -> None:
    office = opened(mapped=OWN_LINES)
    fees = {"miscFee": [{"name": "Pallets", "fee": 7}, {"name": "Toll", "fee": 1.5}]}
    key = office.bill("CHARGES-1", total=121, shippingCharge=12.5, miscFeeList=fees)
    assert office.run(key).state is State.POSTED, office.document(key).reason
    booked = sorted(office.booked("CHARGES-1"))
    assert booked == [("20-5130", 100), ("20-5500", Decimal("12.5")), ("40-5300", Decimal("8.5"))]


# --- suppliers -------------------------------------------------------------------------------------------------------


def test_an_invoice_waits_for_a_supplier_that_has_no_number_yet_and_never_changed_itself(office: Office) -> None:
    new = office.jaggaer("supplier_create", companyName="Newcomer Tools", zip="18055", currency="USD")
    key = office.bill("EARLY-1", supplier={"id": 1, "name": "Newcomer Tools", "supplierNumber": {}})
    for _ in range(2):
        document = office.run(key)
        assert (document.state, document.reason_code) == (State.PARKED, "supplier_without_number")
        assert document.reason_subject == "Newcomer Tools"
    waited = len(office.events(document))
    office.run(key)
    assert len(office.events(document)) == waited, "waiting on writes no event per run"
    office.exchange()
    number = f"JAG{new['bravoId']}"
    assert office.supplier(number)["SupplierName"] == "Newcomer Tools"
    # JAGGAER shows the number; the invoice itself has not been touched, so no list brings it again
    office.change(key, supplier__supplierNumber=number, lastUpdate=document.revision)
    document = office.run(key)
    assert (document.state, document.supplier) == (State.POSTED, number), document.reason
    assert "supplier_numbered" in {event.reason_code for event in office.events(document)}
    assert len([one for one in office.invoices.documents() if one.key == key]) == 1
    assert office.posting("EARLY-1")["supplier"] == number


def test_an_invoice_whose_supplier_got_a_number_by_an_edit_is_posted_once(office: Office) -> None:
    key = office.bill("EARLY-2", supplier={"name": "Sable", "supplierNumber": {}})
    assert office.run(key).reason_code == "supplier_without_number"
    office.change(key, supplier__supplierNumber="V00002")
    assert office.run(key).state is State.POSTED, office.document(key).reason
    states = [one.state for one in office.invoices.documents() if one.key == key]
    assert sorted(states) == [State.POSTED, State.SUPERSEDED]
    assert office.posting("EARLY-2")["supplier"] == "V00002"


def test_an_invoice_that_arrives_before_its_supplier_waits_until_syspro_has_it(office: Office) -> None:
    key = office.bill("EARLY-3", supplier="V00099")
    document = office.run(key)
    assert (document.state, document.reason_code) == (State.PARKED, "supplier_unknown")
    office.exchange()
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert office.posting("EARLY-3")["supplier"] == "V00099"


def test_a_renamed_supplier_keeps_its_number_and_its_invoices(office: Office) -> None:
    before = office.bill("NAME-1")
    assert office.run(before).state is State.POSTED
    office.exchange()
    office.jaggaer("supplier_edit", number="V00001", set={"companyName": "Renamed & Söhne"})
    office.exchange(2)
    assert office.supplier("V00001")["SupplierName"] == "Renamed & Söhne"
    after = office.bill("NAME-2")
    assert office.run(after).state is State.POSTED
    assert {office.posting(number)["supplier"] for number in ("NAME-1", "NAME-2")} == {"V00001"}


def test_invoices_of_a_supplier_merged_into_another_wait_for_a_person_and_are_never_moved(office: Office) -> None:
    office.syspro("supplier_merge", supplier="V00002", into="V00003")
    gone = office.bill("MERGED-1", supplier="V00002")
    into = office.bill("MERGED-2", supplier="V00003")
    document = office.run(gone)
    assert (document.state, document.reason_code) == (State.PARKED, "supplier_on_hold")
    assert office.document(into).state is State.POSTED
    office.change(gone, supplier__supplierNumber="V00003")
    assert office.run(gone).state is State.POSTED
    assert office.posting("MERGED-1")["supplier"] == "V00003"


def test_invoices_of_a_supplier_deleted_in_syspro_wait_and_say_so(office: Office) -> None:
    office.syspro("supplier_delete", supplier="V00003")
    document = office.run(office.bill("GONE-1", supplier="V00003"))
    assert (document.state, document.reason_code) == (State.PARKED, "supplier_unknown")
    assert "V00003 does not exist in SYSPRO" in document.reason


def test_a_supplier_held_between_validation_and_posting_gets_no_invoice_until_it_is_released(office: Office) -> None:
    key = office.bill("HELD-1", supplier="V00002")
    one = office.invoices
    one.extract()
    one.plan()
    one.validate()
    assert office.document(key).state is State.VALIDATED
    office.syspro("supplier", supplier="V00002", on_hold=True)
    one.post()
    one.settle()
    one.run += 1
    assert office.document(key).state is State.PARKED
    assert "hold" in office.document(key).reason
    assert office.attempts() == {}
    assert office.run(key).reason_code == "supplier_on_hold"
    office.syspro("supplier", supplier="V00002", on_hold=False)
    assert office.run(key).state is State.POSTED
    assert office.attempts() == {"APSTIN": 1}


def test_an_order_waits_for_a_supplier_that_has_no_number_yet(office: Office) -> None:
    ordered = office.jaggaer("purchase_order", label="non_stocked")
    order = office.invoices.sandbox.app.jaggaer.ledger()["purchase_orders"][-1]
    path = "header.supplier.supplierNumber"
    office.jaggaer("purchase_order_revise", number=ordered["poNumber"], set={path: {}}, step=0)
    office.orders.all()
    document = office.document(str(ordered["poId"]), office.orders)
    assert (document.state, document.reason_code) == (State.PARKED, "supplier_without_number")
    office.jaggaer("purchase_order_revise", number=ordered["poNumber"], set={path: order["supplier"]}, step=0)
    office.orders.all()
    assert office.document(document.key, office.orders).state is State.POSTED
    (stored,) = office.invoices.ledger()["purchase_orders"]
    assert stored["supplier"] == order["supplier"]


# --- texts and keys --------------------------------------------------------------------------------------------------

AWKWARD = "Müller & Søn ]]> <b> \"q\" 'a' €"


def test_accents_ampersands_and_the_end_of_cdata_arrive_in_names_as_they_are(office: Office) -> None:
    made = office.jaggaer("supplier_create", companyName=AWKWARD, zip="1", currency="USD")
    office.exchange()
    assert office.supplier(f"JAG{made['bravoId']}")["SupplierName"] == AWKWARD


@pytest.mark.parametrize("carrier", ["get", "postld"])
def test_awkward_texts_of_lines_arrive_and_long_ones_are_cut_with_a_note(opened: Open, carrier: str) -> None:
    options = {"line_notations": True, "transport": carrier}
    office = opened(syspro=options)
    short, long = "Müller & Søn ]]> <b>", "Œuvre & Söhne ]]> " + "x" * 42
    items = [line(50, "51200", "CC10", item={"description": short}), line(50, item={"description": long})]
    key = office.bill("TEXT-1", *items)
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert [row["notation"] for row in office.posting("TEXT-1")["lines"]] == [short, long[:30]]
    told = str([event.detail for event in office.events(office.document(key))])
    assert f"GL line 2: shortened from {len(long)} to 30 characters" in told


def test_an_awkward_number_arrives_to_the_letter(office: Office) -> None:
    number = "Ä&B/]]>'7"
    assert office.run(office.bill(number)).state is State.POSTED
    assert office.booked(number) == [("20-5130", 100)]


@pytest.mark.parametrize("number", ["N-45678901234567890-A", "ŁÓDŹ-1"], ids=["21 characters", "outside cp1252"])
def test_a_number_syspro_cannot_hold_is_rejected_and_never_cut(office: Office, number: str) -> None:
    document = office.run(office.bill(number))
    assert (document.state, document.number) == (State.REJECTED, number)
    assert document.reason_code in {"number_too_long", "characters"}
    assert office.attempts() == {}


def test_a_name_of_60_characters_where_50_fit_is_rejected_by_default_and_shortened_on_request(office: Office) -> None:
    name = "Internationale Präzisionswerkzeuge & Meßtechnik Gesellschaft"
    assert len(name) == 60
    made = office.jaggaer("supplier_create", companyName=name, zip="1", currency="USD")
    office.exchange()
    document = office.document(made["bravoId"], office.suppliers)
    assert (document.state, document.reason_code) == (State.REJECTED, "name_too_long")
    assert "has 60 characters, SYSPRO takes 50" in document.reason
    office.suppliers = office.option(office.suppliers, shorten_names=True)
    office.jaggaer("supplier_edit", bravoId=made["bravoId"], set={"city": "Kiel"})
    office.exchange(2)
    document = office.document(made["bravoId"], office.suppliers)
    assert office.supplier(f"JAG{made['bravoId']}")["SupplierName"] == name[:50].strip()
    history = str([event.detail for one in office.invoices.documents() for event in office.events(one)])
    assert f"shortened from '{name}'" in history
    profiles = [row["profile"] for row in office.invoices.sandbox.app.jaggaer.ledger()["suppliers"]]
    assert name in {profile["companyName"] for profile in profiles}, "JAGGAER keeps the whole name"


# --- the ledger after accounts payable -------------------------------------------------------------------------------


def test_a_journal_refused_after_its_invoice_was_posted_resumes_alone(opened: Open) -> None:
    """At an unlinked site: the account of the contra entry is put on hold between validation and posting."""
    options = {"ap_gl": "not_linked", "authorize_journal": "A"}
    office = opened(syspro_site={"ap_gl": "not_linked"}, syspro=options)
    key = office.bill("RESUME-1")
    one = office.invoices
    one.extract()
    one.plan()
    one.validate()
    office.syspro("gl_account", gl_code="00-2150", on_hold=True)
    one.post()
    one.run += 1
    assert office.attempts() == {"APSTIN": 1}
    assert office.document(key).state is not State.POSTED
    assert office.run(key).state is not State.POSTED
    office.syspro("gl_account", gl_code="00-2150", on_hold=False)
    document = office.run(key)
    assert document.state is State.POSTED, document.reason
    assert office.attempts() == {"APSTIN": 1, "GENTJL": 1}
    assert (office.balance("20-5130"), office.balance("00-2150")) == (100, -100)


# --- codes and payments back to JAGGAER -------------------------------------------------------------------------------


def test_an_account_put_on_hold_becomes_inactive_in_jaggaer_and_active_again(office: Office) -> None:
    template = {"gl_template": "{cost_center}-{account}"}
    accounts = office.into_jaggaer("accounts", "ledger_account", source_options=template)

    def shown() -> str:
        rows = office.invoices.sandbox.app.jaggaer.ledger()["code_lists"]
        (found,) = [row for row in rows if (row["customFieldName"], row["value"]) == ("Account", "51200")]
        return str(found["active"])

    def hold(on_hold: bool) -> None:
        for section in SECTIONS:
            office.syspro("gl_account", gl_code=f"{section}-5120", on_hold=on_hold)
        accounts.all()
        accounts.run += 1

    accounts.all()
    before = shown()
    hold(on_hold=True)
    closed = shown()
    hold(on_hold=False)
    assert (before, closed, shown()) == ("true", "false", "true")
    written = len(office.invoices.sandbox.app.jaggaer.ledger()["write_attempts"])
    accounts.all()
    assert len(office.invoices.sandbox.app.jaggaer.ledger()["write_attempts"]) == written


def test_a_payment_is_told_to_jaggaer_once_and_is_no_news_about_its_invoice(opened: Open) -> None:
    office = opened(jaggaer={"invoices": 0, "payments": True})
    key = office.bill("PAID-1")
    assert office.run(key).state is State.POSTED
    payments = office.into_jaggaer("payments", "payment", options={"invoices_route": office.invoices.route.name})
    office.syspro("pay_invoice", supplier="V00001", invoice="PAID-1", value="40")
    payments.all()
    office.syspro("pay_invoice", supplier="V00001", invoice="PAID-1")
    payments.all()
    payments.all()
    told = office.invoices.sandbox.app.jaggaer.ledger()["payments"]
    assert [(str(row["invoice_id"]), Decimal(str(row["amount"]))) for row in told] == [(key, 40), (key, 60)]
    assert office.run(key).state in {State.POSTED, State.SKIPPED}
    states = {one.state for one in office.invoices.documents() if one.key == key}
    assert State.CHANGED_AFTER_POSTING not in states
    assert office.attempts() == {"APSTIN": 1}


def test_a_payment_of_what_a_clerk_typed_into_syspro_alone_waits_a_month_and_is_let_go(opened: Open) -> None:
    office = opened(jaggaer={"invoices": 0, "payments": True})
    assert office.run(office.bill("OURS-1")).state is State.POSTED
    route = office.invoices.route.name
    payments = office.into_jaggaer("payments", "payment", options={"invoices_route": route})
    office.syspro("ap_invoice", supplier="V00001", invoice="TYPED-1", value="70")
    office.syspro("pay_invoice", supplier="V00001", invoice="TYPED-1")
    payments.all()
    (waiting,) = [one for one in office.invoices.documents() if one.route == "payments"]
    assert (waiting.state, waiting.reason_code) == (State.PARKED, "invoice_unknown")
    with office.invoices.store.unit_of_work(Actor(user="test")) as uow:
        uow.watermarks.advance(route, office.invoices.clock.now() + timedelta(days=40))
    payments.all()
    (given_up,) = [one for one in office.invoices.documents() if one.route == "payments"]
    assert (given_up.state, given_up.reason_code) == (State.SKIPPED, "not_ours")
    assert "TYPED-1 of supplier" in given_up.reason
