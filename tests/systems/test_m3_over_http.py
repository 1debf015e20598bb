"""M3 over real HTTP against the simulated company: its books are the judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.csi_sandbox import CsiSite
from support.dialects import FENCE, START, carried_out, listed, m3_coded, m3_options, site

from airflow_provider_mlconnector.documents.invoice import InvoiceKind, InvoiceLine
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.documents.supplier import Address, CodedSupplier, Contact, NewSupplier, Supplier
from airflow_provider_mlconnector.errors import AmbiguousOutcome, MLConnectorError, Parked, Rejected
from airflow_provider_mlconnector.systems.cloudsuite.m3.batches import M3BatchTarget
from airflow_provider_mlconnector.systems.cloudsuite.m3.ledger import M3AccountSource, M3CostCenterSource
from airflow_provider_mlconnector.systems.cloudsuite.m3.orders import M3OrderSource
from airflow_provider_mlconnector.systems.cloudsuite.m3.probing import probe
from airflow_provider_mlconnector.systems.cloudsuite.m3.suppliers import M3SupplierSource
from airflow_provider_mlconnector.systems.cloudsuite.m3.vendors import M3SupplierTarget
from airflow_provider_mlconnector.systems.ports import (
    NO_CONTEXT,
    Context,
    Eligibility,
    FoundState,
    Links,
    OutcomeState,
    StepDraft,
    Window,
)

OURS = "MLC0123456789ABCDEF"
WRITES = (1, 5, 6)
"""Which of a step's calls by POST is the one that writes; those before it look up what is there."""
LOST = ("reset_before", "reset_after", "cut_body", "html_after", "status")


@pytest.fixture(scope="module")
def running() -> Iterator[CsiSite]:
    with site() as there:
        yield there


@pytest.fixture(params=["200", "400"])
def company(running: CsiSite, request: pytest.FixtureRequest) -> Iterator[CsiSite]:
    """M3 as at the start, with either status for failures."""
    running.control("reset", {"cloudsuite": {"m3": {**FRESH, "mi_errors": request.param}}})
    yield running
    running.control("faults", method="DELETE")


FRESH = {
    "orders": 0,
    "most_rows": 0,
    "terminate_after": 0,
    "line_dimensions": True,
    "approval": False,
    "closed_until": "",
}


def reset(site: CsiSite, **m3: Any) -> None:
    site.control("reset", {"cloudsuite": {"m3": {**FRESH, **m3}}})


def lose(site: CsiSite, kind: str, *, nth: int) -> None:
    """Lose the n-th call by POST from now on, before or after it has been executed."""
    site.fault(call="M3Execute", kind=kind, nth=nth, **({"code": 504} if kind == "status" else {}))


def acts(site: CsiSite, kind: str, **body: Any) -> Any:
    """Let somebody do something at a screen; a list shows what was done before it was asked for."""
    done = site.person(kind, **body)
    site.control("clock", {"advance": 2})
    return done


def books(site: CsiSite) -> Any:
    return site.ledger()["m3"]


# --- sources -----------------------------------------------------------------------------------------------------


def orders(site: CsiSite, **options: Any) -> M3OrderSource:
    return M3OrderSource("m3", site.gateway(), m3_options(**options))


@pytest.mark.parametrize("most_rows", [0, 20])
def test_every_order_supplier_and_code_is_read_whatever_an_answer_holds_at_most(
    company: CsiSite, most_rows: int
) -> None:
    reset(company, orders=130, most_rows=most_rows)
    held, gateway = books(company), company.gateway()
    own = {order["PUNO"]: order for order in held["purchase_orders"] if order["DIVI"] == "AAA"}
    found = {
        record.key: orders(company).decode(record.payload) for record in listed(orders(company)) if eligible(record)
    }
    released = {key for key, order in own.items() if any(line["PUST"] >= "20" for line in order["lines"])}
    assert found.keys() == released
    for key, order in found.items():
        wanted = [line for line in own[key]["lines"] if line["PUST"] >= "20"]
        assert [(line.number, line.amount) for line in order.lines if not line.is_canceled] == [
            (int(line["PNLI"]), Decimal(line["LNAM"])) for line in wanted if line["PUST"] != "99"
        ]
    suppliers = {record.key for record in listed(M3SupplierSource("m3", gateway, m3_options()))}
    assert suppliers == {row["SUNO"] for row in held["suppliers"]}
    for source, dimension in ((M3AccountSource, "1"), (M3CostCenterSource, "2")):
        codes = {record.key for record in listed(source("m3", gateway, m3_options()))}
        assert codes == {row["AITM"] for row in held["identities"] if row["AITP"] == dimension}


def eligible(record: Any) -> bool:
    return bool(record.eligibility is Eligibility.ELIGIBLE)


@pytest.mark.parametrize("line_changes", ["export", "head"])
def test_what_people_do_with_an_order_is_a_later_revision_in_the_next_window(
    company: CsiSite, line_changes: str
) -> None:
    lines = [{"quantity": "3", "price": "12.50", "cost_center": "CC10"}, {"quantity": "2", "price": "1.00"}]
    number = acts(company, "m3_order", supplier="V00001", lines=lines)["PUNO"]
    before = one(company, number, line_changes=line_changes)
    assert (before.status, before.supplier, before.currency, before.lines[0].quantity) == (
        OrderStatus.APPROVED,
        "V00001",
        "USD",
        Decimal(3),
    )
    assert before.lines[0].allocations[0].cost_center == "CC10"
    company.control("clock", {"advance": 86_400 * 3})
    since = orders(company).remote_time() - timedelta(hours=1)
    assert number not in {record.key for record in listed(orders(company), Window(start=since))}
    acts(company, "m3_order_line", number=number, line=1, quantity="5")
    assert number in {record.key for record in listed(orders(company, line_changes=line_changes), Window(start=since))}
    after = one(company, number)
    assert after.lines[0].quantity == Decimal(5)
    assert after.revision > before.revision
    acts(company, "m3_order_cancel", number=number, line=2)
    assert [line.is_canceled for line in one(company, number).lines] == [False, True]
    acts(company, "m3_order_cancel", number=number)
    assert one(company, number).status is OrderStatus.CANCELED


def one(site: CsiSite, number: str, **options: Any) -> PurchaseOrder:
    source = orders(site, **options)
    (record,) = [record for record in listed(source) if record.key == number]
    return source.decode(record.payload)


def test_a_planned_order_waits_and_what_changes_after_the_window_belongs_to_the_next(company: CsiSite) -> None:
    number = acts(company, "m3_order", supplier="V00001", planned=True, lines=[{"quantity": "1", "price": "2"}])["PUNO"]
    (record,) = [record for record in listed(orders(company)) if record.key == number]
    assert record.eligibility is Eligibility.NOT_ELIGIBLE
    assert "planned" in record.status_text
    early = Window(end=record.changed_at)
    assert number not in {record.key for record in listed(orders(company), early)}


def test_a_status_nobody_explained_and_a_price_that_fits_nothing_are_for_a_person(company: CsiSite) -> None:
    number = acts(company, "m3_order", supplier="V00001", lines=[{"quantity": "1", "price": "2"}])["PUNO"]
    source = orders(company, order_statuses=("20",), closed_statuses=())
    acts(company, "m3_order_receive", number=number, line=1, quantity="1")
    (record,) = [record for record in listed(source) if record.key == number]
    with pytest.raises(Parked, match="neither an ordered nor an ended one"):
        source.decode(record.payload)


def test_accounts_close_by_their_dates_and_by_being_blocked(company: CsiSite) -> None:
    company.person("m3_identity", dimension=1, code="51200", set={"LCCD": "1"})
    company.person("m3_identity", dimension=2, code="CC10", set={"VTDT": "20261119"})
    source = M3AccountSource("m3", company.gateway(), m3_options())
    codes = {record.key: source.decode(record.payload) for record in listed(source)}
    assert (codes["51200"].active, codes["51300"].active) == (False, True)
    centers = M3CostCenterSource("m3", company.gateway(), m3_options())
    assert {record.key: record.status_text for record in listed(centers)}["CC10"] == "blocked, or outside its dates"
    gone = centers.withdrawn(listed(centers)[1].payload)
    assert centers.withdrawn(gone) == gone
    assert not centers.decode(gone).active


def test_suppliers_changed_since_a_moment_include_that_moment(company: CsiSite) -> None:
    source = M3SupplierSource("m3", company.gateway(), m3_options())
    company.control("clock", {"advance": 3600})
    acts(company, "m3_supplier_edit", number="V00001", set={"PHNO": "555 0100"})
    everything = {record.key: record for record in listed(source)}
    changed = everything["V00001"].changed_at
    company.control("clock", {"advance": 60})
    since = [record.key for record in listed(source, Window(start=changed))]
    assert since == ["V00001"]
    assert listed(source, Window(start=changed + timedelta(milliseconds=1))) == []
    supplier = source.decode(everything["V00001"].payload)
    assert supplier.contact is not None
    assert supplier.contact.phone == "555 0100"
    assert supplier.address is None


# --- invoices ----------------------------------------------------------------------------------------------------


def target(site: CsiSite, **options: Any) -> M3BatchTarget:
    return M3BatchTarget("m3", site.gateway(), m3_options(**options))


def planned(site: CsiSite, number: str = "NB-7781", *, options: dict[str, Any] | None = None, **changes: Any) -> Any:
    """Return a target, an open session of it and the steps of an invoice."""
    into = target(site, **(options or {}))
    with into.session() as session:
        reference = session.read_reference(suppliers=(), accounts=())
        plan = into.plan(m3_coded(number, **changes), reference, our_reference=OURS)
        return into, session, list(plan.steps)


def batch(site: CsiSite, number: str = "NB-7781") -> Any:
    (found,) = [row for row in books(site)["invoices"] if row["SINO"] == number]
    return found


def test_an_invoice_is_entered_coded_validated_and_seen_posted(company: CsiSite) -> None:
    _into, session, steps = planned(company, tax="45.00")
    assert [step.name for step in steps] == ["invoice_batch", "batch_lines", "batch_validation"]
    assert [found.state for found in session.find(steps)] == [FoundState.ABSENT] * 3
    outcomes = carried_out(session, steps)
    assert [outcome.state for outcome in outcomes] == [OutcomeState.POSTED, OutcomeState.POSTED, OutcomeState.ACCEPTED]
    entered = batch(company)
    assert (entered["CORI"], Decimal(entered["CUAM"]), Decimal(entered["VTAM"])) == (OURS, 270, 45)
    coded = [(line["AIT1"], line["AIT2"], Decimal(line["NLAM"])) for line in entered["lines"]]
    assert coded == [("51200", "CC10", 100), ("51300", "CC10", Decimal("75.5")), ("52100", "CC10", Decimal("49.5"))]
    accepted = [(steps[-1], outcomes[-1].result)]
    assert [outcome.state for outcome in session.observe(accepted)] == [OutcomeState.ACCEPTED]
    company.person("m3_post")
    (posted,) = session.observe(accepted)
    assert (posted.state, posted.result["gl_status"]) == (OutcomeState.POSTED, "booked")
    assert posted.result["voucher"]
    assert [found.state for found in session.find(steps, settling=True)] == [FoundState.OURS] * 3
    assert books(company)["balanced"]


def test_a_credit_memo_is_negative_and_no_twin_of_its_invoice(company: CsiSite) -> None:
    _into, session, steps = planned(company)
    carried_out(session, steps)
    _into, session, credit = planned(company, kind=InvoiceKind.CREDIT_MEMO)
    assert session.find(credit[:1])[0].state is FoundState.ABSENT
    assert carried_out(session, credit)[-1].state is OutcomeState.ACCEPTED
    totals = sorted(Decimal(row["CUAM"]) for row in books(company)["invoices"])
    assert totals == [-225, 225]


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_lost_answer_is_looked_up_and_nothing_is_there_twice(company: CsiSite, kind: str, place: int) -> None:
    _into, session, steps = planned(company)
    carried_out(session, steps[:place])
    lose(company, kind, nth=WRITES[place])
    with pytest.raises(AmbiguousOutcome):
        session.post([steps[place]], fence=FENCE)
    company.control("faults", method="DELETE")
    into, session, steps = planned(company)
    for step in steps[place:]:
        (found,) = session.find([step], settling=True)
        if found.state is FoundState.ABSENT:
            if step.name == "invoice_batch":  # the only step that may not be repeated: prove why it need not be
                assert not [row for row in books(company)["invoices"] if row["SINO"] == "NB-7781"]
                assert not into.may_repost(step, not_found=2, minutes_since_first=60)
            else:
                assert into.may_repost(step, not_found=1, minutes_since_first=0)
            session.post([step], fence=FENCE)
    entered = batch(company)
    assert [Decimal(line["NLAM"]) for line in entered["lines"]] == [100, Decimal("75.5"), Decimal("49.5")]
    assert entered["SUPA"] == "20"


def test_a_call_broken_off_half_way_is_completed_line_by_line(company: CsiSite) -> None:
    reset(company, terminate_after=2)
    _into, session, steps = planned(company, amounts=("50.00", "50.00", "50.00"), accounts=("51200",))
    carried_out(session, steps[:1])
    with pytest.raises(AmbiguousOutcome, match="broke APS450MI AddLine off"):
        session.post([steps[1]], fence=FENCE)
    assert len(batch(company)["lines"]) == 2
    assert session.find([steps[1]], settling=True)[0].state is FoundState.ABSENT
    assert carried_out(session, steps[1:])[-1].state is OutcomeState.ACCEPTED
    assert len(batch(company)["lines"]) == 3


def test_an_invoice_of_more_lines_than_can_be_proven_to_be_there_is_left_to_a_person(running: CsiSite) -> None:
    reset(running)
    _into, session, steps = planned(running, amounts=("1.00",) * 130, accounts=("51200",))
    lines = carried_out(session, steps[:2])[-1]
    assert (lines.code, lines.parked, len(batch(running)["lines"])) == ("lines_cut_off", True, 130)
    assert carried_out(session, steps[1:])[-1].code == "lines_cut_off"
    assert (batch(running)["SUPA"], len(batch(running)["lines"])) == ("10", 130)


def test_an_invoice_typed_in_by_hand_is_found_and_another_one_of_the_number_too(company: CsiSite) -> None:
    line = {"account": "51200", "cost_center": "CC10", "amount": "225.00"}
    company.person("m3_invoice", supplier="V00001", number="NB-7781", lines=[line], date="2026-11-10")
    _into, session, steps = planned(company)
    assert session.find(steps[:1])[0].state is FoundState.SAME_NOT_OURS
    _into, session, other = planned(company, amounts=("1.00",))
    found = session.find(other[:1])[0]
    assert (found.state, "CUAM 225" in found.detail) == (FoundState.DIFFERENT, True)
    identified = target(company).identify(
        supplier="V00001",
        number="nb-7781",
        kind=InvoiceKind.INVOICE,
        currency="USD",
        gross=Decimal(225),
        document_date=date(2026, 11, 10),
    )
    assert session.find([identified])[0].state is FoundState.SAME_NOT_OURS


def test_a_person_who_adds_a_line_keeps_the_batch_from_being_validated(company: CsiSite) -> None:
    _into, session, steps = planned(company)
    carried_out(session, steps[:2])
    session._mi.write_one(
        "APS450MI",
        "AddLine",
        {"INBN": batch(company)["INBN"], "RDTP": "8", "NLAM": "1.00", "AIT1": "51200"},
        effect="write",
    )
    (outcome,) = session.post([steps[2]], fence=FENCE)
    assert (outcome.state, outcome.code, outcome.parked) == (OutcomeState.REFUSED, "lines_differ", True)
    assert batch(company)["SUPA"] == "10"


def test_a_version_that_takes_no_account_on_lines_never_gets_a_batch_validated(company: CsiSite) -> None:
    reset(company, line_dimensions=False)
    _into, session, steps = planned(company)
    outcomes = carried_out(session, steps)
    assert [outcome.code for outcome in outcomes[1:]] == ["dimensions_not_taken"] * 2
    assert batch(company)["SUPA"] == "10"
    _into, session, steps = planned(company, "NB-2", options={"account_input": ""})
    assert carried_out(session, steps)[-1].state is OutcomeState.ACCEPTED


def test_what_validation_finds_is_told_and_the_step_can_be_repeated(company: CsiSite) -> None:
    _into, session, steps = planned(company)
    company.person("m3_identity", dimension=1, code="51200", set={"LCCD": "1"})
    refused = carried_out(session, steps)[-1]
    assert (refused.state, refused.code, "errors in lines" in refused.text) == (
        OutcomeState.REFUSED,
        "validation_errors",
        True,
    )
    company.person("m3_identity", dimension=1, code="51200", set={"LCCD": "0"})
    assert session.find(steps[2:], settling=True)[0].state is FoundState.ABSENT
    assert carried_out(session, steps[1:])[-1].state is OutcomeState.ACCEPTED


def test_a_closed_period_is_m3s_to_refuse(company: CsiSite) -> None:
    reset(company, closed_until="20261130")
    _into, session, steps = planned(company)
    assert carried_out(session, steps)[-1].code == "validation_errors"


def test_a_batch_is_approved_where_the_site_wants_that(company: CsiSite) -> None:
    reset(company, approval=True)
    _into, session, steps = planned(company, options={"approve": True})
    outcome = carried_out(session, steps)[-1]
    company.person("m3_post")
    assert session.observe([(steps[-1], outcome.result)])[0].state is OutcomeState.POSTED


def test_the_validation_of_older_versions_is_found_by_its_own_name(company: CsiSite) -> None:
    _into, session, steps = planned(company, options={"validation": ("NoSuchValidation", "ValidByBatchNo")})
    assert carried_out(session, steps)[-1].state is OutcomeState.ACCEPTED
    _into, session, steps = planned(company, "NB-2", options={"validation": "NoSuchValidation"})
    assert carried_out(session, steps)[-1].code == "validation_missing"


def test_a_batch_deleted_before_it_was_posted_is_told(company: CsiSite) -> None:
    _into, session, steps = planned(company)
    outcome = carried_out(session, steps)[-1]
    company.person("m3_invoice_delete", batch=outcome.result["batch"])
    (gone,) = session.observe([(steps[-1], outcome.result)])
    assert (gone.state, gone.code) == (OutcomeState.REFUSED, "thrown_out")
    assert carried_out(session, steps[1:2])[0].code == "batch_deleted"


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"supplier": "V09999"}, Parked, "supplier_unknown"),
        ({"supplier": "V00042"}, Parked, "supplier_inactive"),
        ({"company": "200"}, Parked, "company"),
        ({"accounts": ("59999",)}, Parked, "account_unknown"),
        ({"accounts": ("51200",), "when": date(1999, 12, 31)}, Parked, "account_closed"),
        ({"tax_code": "VAT20"}, Parked, "tax_code_unfit"),
        ({"number": "N" * 25}, Rejected, "number_too_long"),
        ({"amounts": ("1.005",)}, Rejected, "decimals"),
        ({"amounts": ("10000000000000.00",)}, Rejected, "amount_too_large"),
        ({"amounts": ("0.00",)}, Rejected, "not_positive"),
    ],
)
def test_what_m3_cannot_take_is_said_before_anything_is_sent(
    running: CsiSite, changes: dict[str, Any], error: type[MLConnectorError], code: str
) -> None:
    reset(running)
    with pytest.raises(error) as caught:
        planned(running, **changes)
    assert getattr(caught.value, "code", "") == code


def test_the_number_4711_of_a_supplier_is_found_however_it_is_padded(running: CsiSite) -> None:
    reset(running)
    _into, session, steps = planned(running, supplier="000000000004711")
    assert carried_out(session, steps)[-1].state is OutcomeState.ACCEPTED
    assert batch(running)["SUNO"] == "4711"


def test_a_received_order_line_is_left_to_m3s_own_matching(running: CsiSite) -> None:
    reset(running)
    line = InvoiceLine(number=1, quantity=Decimal(1), unit_price=Decimal(225), amount=Decimal(225), po_number="2000001")
    with pytest.raises(Parked, match="accrues"):
        planned(running, invoice={"lines": (line,)})
    _into, _session, steps = planned(running, invoice={"lines": (line,)}, options={"po_lines": "post"})
    assert steps


# --- suppliers ---------------------------------------------------------------------------------------------------


def supplier_steps(
    site: CsiSite,
    *,
    key: str = "J1",
    context: Context | None = None,
    options: dict[str, Any] | None = None,
    **changes: Any,
) -> Any:
    base: dict[str, Any] = {
        "source_key": key,
        "revision": "1",
        "name": "Quarry & Sons",
        "tax_id": "TX9",
        "active": True,
    }
    base |= {"address": Address(lines=("1 Mill Rd",), country="US"), "contact": Contact(phone="555 0199")}
    supplier = Supplier(**{**base, **changes})
    coded = CodedSupplier(supplier=supplier, currency="USD", terms="N30", new=NewSupplier(), mapping_version=1)
    into = M3SupplierTarget("m3", site.gateway(), m3_options(**(options or {})))
    with into.session() as session:
        reference = session.read_reference(suppliers=(), accounts=())
        plan = into.plan(coded, reference, our_reference="REV1", context=context or replace(NO_CONTEXT, key=key))
        return session, plan


def held(site: CsiSite, number: str) -> Any:
    return next((row for row in books(site)["suppliers"] if row["SUNO"] == number), None)


def test_a_new_supplier_is_set_up_with_what_the_site_requires_and_read_back(company: CsiSite) -> None:
    session, plan = supplier_steps(company)
    assert "address is not taken over" in plan.steps[0].text
    (outcome,) = session.post(plan.steps, fence=FENCE)
    assert (outcome.state, outcome.result) == (OutcomeState.POSTED, {"key": "J1"})
    row = held(company, "J1")
    told = {"SUNM": "Quarry & Sons", "VRNO": "TX9", "PHNO": "555 0199", "CSCD": "US", "STAT": "20", "SUCL": "GEN"}
    assert {name: row[name] for name in told} == told
    assert session.find(plan.steps, settling=True)[0].state is FoundState.OURS
    assert session.post(plan.steps, fence=FENCE)[0].state is OutcomeState.DUPLICATE


def test_a_supplier_that_lacks_required_inputs_is_refused_with_a_hint(company: CsiSite) -> None:
    session, plan = supplier_steps(company, options={"new_supplier": {}})
    (outcome,) = session.post(plan.steps, fence=FENCE)
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "supplier_refused")
    assert "new_supplier" in outcome.text
    assert held(company, "J1") is None


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_for_a_supplier_is_settled_by_reading(company: CsiSite, kind: str) -> None:
    session, plan = supplier_steps(company)
    lose(company, kind, nth=1)
    with pytest.raises(AmbiguousOutcome):
        session.post(plan.steps, fence=FENCE)
    company.control("faults", method="DELETE")
    (found,) = session.find(plan.steps, settling=True)
    assert (found.state is FoundState.OURS) == (held(company, "J1") is not None)
    if found.state is FoundState.ABSENT:
        session.post(plan.steps, fence=FENCE)
    assert [row["SUNO"] for row in books(company)["suppliers"]].count("J1") == 1


def linked(number: str) -> Context:
    return Context(key="J1", links=Links(by_source={"J1": number}, by_target={number: "J1"}))


def test_only_what_jaggaer_owns_is_changed_and_the_rest_is_told(company: CsiSite) -> None:
    changes = {"number": "V00001", "name": "Alpine Renamed", "tax_id": "TX-OTHER"}
    session, plan = supplier_steps(company, context=linked("V00001"), **changes)
    assert {lost.field for lost in plan.overruled} == {"tax_id"}
    before = held(company, "V00001")
    assert session.find(plan.steps)[0].state is FoundState.ABSENT
    assert session.post(plan.steps, fence=FENCE)[0].state is OutcomeState.POSTED
    after = held(company, "V00001")
    changed = {name for name in after if after[name] != before[name]} - {"LMDT", "LMTS", "CHNO", "CHID"}
    assert changed == {"SUNM", "PHNO"}
    _session, again = supplier_steps(company, context=linked("V00001"), **changes)
    assert again.steps == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "V00001", "active": False}, "supplier_deactivated"),
        ({"name": "Alpine Reagents 1", "tax_id": ""}, "supplier_ambiguous"),
        ({"key": "MUCHTOOLONG1"}, "number_unfit"),
    ],
)
def test_what_a_person_must_decide_about_a_supplier_is_parked(
    running: CsiSite, changes: dict[str, Any], code: str
) -> None:
    reset(running)
    with pytest.raises(Parked) as caught:
        supplier_steps(running, **changes)
    assert caught.value.code == code


def test_a_name_too_long_is_rejected_or_shortened_by_choice(running: CsiSite) -> None:
    reset(running)
    with pytest.raises(Rejected, match="M3 takes 36"):
        supplier_steps(running, name="N" * 37)
    _session, plan = supplier_steps(running, name="N" * 37, options={"shorten_names": True})
    assert plan.steps[0].payload["fields"]["SUNM"] == "N" * 36


def test_a_supplier_unknown_and_inactive_is_nothing_to_write_and_a_linked_one_gone_is_parked(running: CsiSite) -> None:
    reset(running)
    _session, plan = supplier_steps(running, active=False)
    assert (plan.steps, "unknown in M3" in plan.reason) == ((), True)
    with pytest.raises(Parked, match="no longer in"):
        supplier_steps(running, context=linked("GONE"))


# --- connection test ---------------------------------------------------------------------------------------------


def test_the_connection_test_runs_every_read_and_says_what_is_missing(running: CsiSite) -> None:
    reset(running)
    found = list(probe(running.gateway(), m3_options()))
    assert [finding.message for finding in found if not finding.ok or finding.warning] == []
    (only,) = probe(running.gateway(), m3_options(company=""))
    assert (only.ok, "field Company" in only.message) == (False, True)
    wrong = list(probe(running.gateway(), m3_options(company="999")))
    assert not all(finding.ok for finding in wrong)
    elsewhere = list(probe(running.gateway(), m3_options(company="999"), frozenset({"nothing"})))
    assert all(finding.ok for finding in elsewhere)
    (coding,) = [
        finding for finding in probe(running.gateway(), m3_options(account_input="")) if finding.name == "coding"
    ]
    assert coding.warning
    assert START.tzinfo is UTC


def test_a_step_is_posted_alone(running: CsiSite) -> None:
    reset(running)
    _into, session, steps = planned(running)
    cut: list[StepDraft] = [step for some in session.batches(steps) for step in some]
    assert cut == steps
    assert [outcome.state for outcome in session.rehearse(steps)] == [OutcomeState.POSTED] * 3
    assert not [row for row in books(running)["invoices"] if row["SINO"] == "NB-7781"]


# --- reads under faults ------------------------------------------------------------------------------------------

READS = {
    "M3Execute PPS200MI SearchHead": M3OrderSource,
    "M3Execute EXPORTMI Select": M3OrderSource,
    "M3Execute": M3OrderSource,  # heads and lines, many in one call
    "M3Execute CRS620MI LstSuppliers": M3SupplierSource,
    "M3Execute CRS630MI LstAccountID": M3AccountSource,
}


@pytest.mark.parametrize("kind", ["status", "cut_body", "reset_before"])
@pytest.mark.parametrize("call", READS)
def test_a_read_is_repeated_and_a_broken_one_is_never_a_short_list(running: CsiSite, call: str, kind: str) -> None:
    reset(running, orders=30)
    made = READS[call]("m3", running.gateway(), m3_options())
    since = Window(start=made.remote_time() - timedelta(days=40))
    whole = [record.key for record in listed(made, since)]
    running.fault(call=call, kind=kind, nth=1, **({"code": 503} if kind == "status" else {}))
    again = [record.key for record in listed(made, since)]
    assert running.running.app.faults.rules[0].hits == 1
    running.control("faults", method="DELETE")
    assert again == whole
    assert whole


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_lost_approval_is_repeated_and_a_lost_update_of_a_supplier_too(company: CsiSite, kind: str) -> None:
    reset(company, approval=True)
    _into, session, steps = planned(company, options={"approve": True})
    carried_out(session, steps[:2])
    lose(company, kind, nth=WRITES[2] + 1)
    with pytest.raises(AmbiguousOutcome):
        session.post(steps[2:], fence=FENCE)
    company.control("faults", method="DELETE")
    assert session.find(steps[2:], settling=True)[0].state is FoundState.ABSENT
    assert carried_out(session, steps[2:])[0].state is OutcomeState.ACCEPTED
    suppliers, plan = supplier_steps(company, context=linked("V00001"), number="V00001", name="Alpine Renamed")
    lose(company, kind, nth=1)
    assert suppliers.post(plan.steps, fence=FENCE)[0].state is OutcomeState.POSTED
    assert company.running.app.faults.rules[0].hits == 1
    assert held(company, "V00001")["SUNM"] == "Alpine Renamed"
