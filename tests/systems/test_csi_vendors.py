"""What a supplier means for CSI: matched, compared owner by owner, written under a lock and read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.csi_samples import OpenFence, csi, options
from support.fake_csi import FakeCsi, Fault, Ido

from airflow_provider_mlconnector.documents.supplier import (
    Address,
    BankAccount,
    CodedSupplier,
    Contact,
    NewSupplier,
    RemitTo,
    Supplier,
)
from airflow_provider_mlconnector.errors import AmbiguousOutcome, DocumentError, Parked, Rejected, Unavailable
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendor_codec import SIZES, Writer
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendors import CsiVendorTarget
from airflow_provider_mlconnector.systems.ports import (
    Context,
    Found,
    FoundState,
    Known,
    Links,
    Outcome,
    OutcomeState,
    Plan,
    StepDraft,
    StepKind,
)

NEW = NewSupplier(branch="", bank="BK1", terms="30", currency="USD")
ROW = {
    "VendNum": " V00042",
    "Name": "Northwind Bolts GmbH",
    "CurrCode": "USD",
    "TermsCode": "30",
    "Stat": "A",
    "VadPayHold": "0",
    "Contact": "Kim Sales",
    "Phone": "0113 1",
    "ExternalEmailAddr": "ap@north.example",
    "TaxRegNum1": "DE1",
    "VadAddr_1": "1 Mill Rd",
    "VadCity": "Leeds",
    "VadZip": "LS1 1AA",
    "VadCountry": "Germany",
}
SAME: dict[str, Any] = {
    "source_key": "4711",
    "revision": "1",
    "number": "V00042",
    "name": "Northwind Bolts GmbH",
    "currency": "USD",
    "tax_id": "DE1",
    "address": Address(lines=("1 Mill Rd",), city="Leeds", postal_code="LS1 1AA", country="DE"),
    "contact": Contact(name="Kim Sales", email="ap@north.example", phone="0113 1"),
}
LINKED = Context(key="4711", links=Links({"4711": "V00042"}, {"V00042": "4711"}))


def site(**changes: Any) -> FakeCsi:
    """A configuration whose vendor V00042 is ``ROW``."""
    fake = csi()
    fake.delete("SLVendors")
    fake.put("SLVendors", **{**ROW, **changes})
    return fake


def target(fake: FakeCsi, **choices: Any) -> CsiVendorTarget:
    return CsiVendorTarget("csi_default", fake, options(**{"countries": {"DE": "Germany"}, **choices}))


def coded(**changes: Any) -> CodedSupplier:
    supplier = Supplier(**{**SAME, **changes})
    terms = changes.get("terms")
    return CodedSupplier(supplier=supplier, currency=supplier.currency, terms=terms, new=NEW, mapping_version=1)


def plan(
    change: CodedSupplier | dict[str, Any], fake: FakeCsi | None = None, context: Context = LINKED, **choices: Any
) -> Plan:
    there = target(fake or site(), **choices)
    with there.session() as session:
        reference = json.loads(json.dumps(session.read_reference(suppliers=(), accounts=())))
    wanted = coded(**change) if isinstance(change, dict) else change
    return there.plan(wanted, reference, our_reference="MLC0123", context=context)


def written(planned: Plan) -> dict[str, str]:
    """Properties of the only step."""
    (step,) = planned.steps
    fields: dict[str, str] = step.payload["fields"]
    return fields


def find(fake: FakeCsi, step: StepDraft, *, settling: bool = False) -> Found:
    with target(fake).session() as session:
        (found,) = session.find([step], settling=settling)
    return found


def post(fake: FakeCsi, step: StepDraft) -> Outcome:
    with target(fake).session() as session:
        (batch,) = session.batches([step])
        (outcome,) = session.post(batch, fence=OpenFence())
    return outcome


UNLINKED = Context(key="4711")
RENAMED = {"name": "Northwind Fasteners GmbH"}


# --- comparing -----------------------------------------------------------------------------------------------------


def test_what_says_the_same_on_both_sides_is_linked_and_not_written() -> None:
    planned = plan({}, context=UNLINKED)
    assert (planned.steps, planned.key, planned.overruled) == ((), "V00042", ())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (RENAMED, {"Name": "Northwind Fasteners GmbH"}),
        ({"contact": Contact(name="Lee", email="ap@north.example", phone="0113 1")}, {"Contact": "Lee"}),
        ({"address": Address(lines=("2 Mill Rd",), city="Leeds", postal_code="LS1 1AA")}, {"VadAddr_1": "2 Mill Rd"}),
    ],
)
def test_groups_the_source_owns_are_written(change: dict[str, Any], expected: dict[str, str]) -> None:
    planned = plan(change)
    (step,) = planned.steps
    assert (step.name, step.kind) == ("vendor_update", StepKind.ABSOLUTE)
    assert expected.items() <= step.payload["fields"].items()
    assert not {"TermsCode", "CurrCode", "BankCode", "VadRAddr_1", "Stat"} & set(step.payload["fields"])


def test_a_repetition_of_a_revision_has_a_reference_of_its_own_and_first_contact_claims_the_vendor() -> None:
    assert plan(RENAMED).steps[0].remote_reference == "SUP|V00042|MLC0123"
    assert plan(RENAMED, context=UNLINKED).steps[0].remote_reference == "SUP|V00042"


@pytest.mark.parametrize(
    ("change", "group"),
    [
        ({"terms": "60"}, "terms"),
        ({"currency": "EUR"}, "currency"),
        ({"tax_id": "DE2"}, "tax_id"),
        ({"number": "V00099"}, "number"),
        ({"on_hold": True}, "hold"),
    ],
)
def test_groups_csi_owns_are_not_written_and_the_loss_is_told(change: dict[str, Any], group: str) -> None:
    planned = plan(change)
    assert planned.steps == ()
    assert [lost.field for lost in planned.overruled] == [group]


def test_the_owner_of_a_group_can_be_chosen_and_never_of_payment_data() -> None:
    assert (
        written(plan({"terms": "30", "tax_id": "DE2"}, owners={"tax_id": "jaggaer"}))
        == {"TaxRegNum1": "DE2"} | _unchanged()
    )
    assert plan(RENAMED, owners={"name": "erp"}).overruled[0].field == "name"
    with pytest.raises(ValidationError):
        options(owners={"remit_to": "jaggaer"})


def test_terms_csi_does_not_have_are_told_before_anything_is_sent() -> None:
    with pytest.raises(Parked, match="CSI has no terms 99"):
        plan({"terms": "99"}, owners={"terms": "jaggaer"})


def test_what_the_source_never_filled_erases_nothing_and_what_it_emptied_does() -> None:
    silent = Contact(name="Kim Sales", email="", phone="0113 1")
    assert plan({"contact": silent}).steps == ()
    known = Context(key="4711", known=Known("0", Supplier(**SAME), {"key": "V00042"}), links=LINKED.links)
    assert written(plan({"contact": silent}, context=known))["ExternalEmailAddr"] == ""


def test_an_address_is_written_whole_and_never_erased_whole() -> None:
    assert plan({"address": Address()}).steps == ()
    fields = written(plan({"address": Address(lines=("9 New Rd",), city="York", country="DE")}))
    assert (fields["VadAddr_1"], fields["VadCity"], fields["VadZip"], fields["VadCountry"]) == (
        "9 New Rd",
        "York",
        "",
        "Germany",
    )


def test_another_remit_to_waits_for_a_person_and_is_never_applied() -> None:
    elsewhere = RemitTo(address=Address(lines=("1 Offshore Rd",)))
    with pytest.raises(Parked, match="would be paid elsewhere") as raised:
        plan({"remit_to": elsewhere, **RENAMED}, site(VadRAddr_1="9 Bank St"))
    assert raised.value.code == "bank_change"
    assert written(
        plan({"remit_to": RemitTo(address=Address(lines=("9 BANK ST",))), **RENAMED}, site(VadRAddr_1="9 Bank St"))
    )


def test_a_bank_account_is_never_written() -> None:
    assert plan({"bank": BankAccount(account="DE99 1234")}).steps == ()


def test_a_deactivated_supplier_is_parked_made_inactive_or_ignored_as_the_route_says() -> None:
    with pytest.raises(Parked, match="make it inactive in CSI"):
        plan({"active": False})
    assert written(plan({"active": False}, deactivate="inactive")) == {"Stat": "I"} | _unchanged()
    assert plan({"active": False}, deactivate="ignore").steps == ()
    assert plan({"active": False}, site(Stat="I")).steps == ()


@pytest.mark.parametrize("rule", ["park", "inactive", "ignore"])
def test_a_vendor_on_hold_whom_jaggaer_therefore_shows_as_inactive_stays_as_it_is(rule: str) -> None:
    assert plan({"active": False}, site(VadPayHold="1"), deactivate=rule).steps == ()


def _unchanged() -> dict[str, str]:
    """What a change names beside what it changes: the groups its source owns."""
    return {"Name": ROW["Name"], "Contact": "Kim Sales", "ExternalEmailAddr": "ap@north.example", "Phone": "0113 1"}


def test_an_inactive_vendor_is_not_activated_from_outside_unless_its_owner_is_there() -> None:
    planned = plan({}, site(Stat="I"))
    assert (planned.steps, planned.overruled[0].there) == ((), "inactive")
    assert written(plan({}, site(Stat="I"), owners={"hold": "jaggaer"}))["Stat"] == "A"


def test_a_version_without_a_property_neither_compares_nor_writes_it() -> None:
    fake = site()
    known = fake.idos["SLVendors"]
    fake.idos["SLVendors"] = Ido(known.base, known.keys, tuple(n for n in known.names if n != "Contact"), known.lengths)
    assert plan({"contact": Contact(name="Other", email="ap@north.example", phone="0113 1")}, fake).steps == ()


# --- matching ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{}, {"number": "", "tax_id": "de-1"}, {"number": "", "tax_id": None, "name": "NORTHWIND BOLTS G.m.b.H."}],
)
def test_an_unlinked_supplier_is_matched_by_number_tax_id_or_name_and_postal_code(change: dict[str, Any]) -> None:
    assert plan(change, context=UNLINKED).key == "V00042"


def test_two_vendors_it_could_be_are_for_a_person() -> None:
    fake = site()
    fake.put("SLVendors", **{**ROW, "VendNum": " V00050", "TaxRegNum1": "DE1"})
    with pytest.raises(Parked) as raised:
        plan({"number": ""}, fake, UNLINKED)
    assert raised.value.code == "supplier_ambiguous"


def test_a_vendor_linked_to_another_supplier_is_not_taken() -> None:
    taken = Context(key="4711", links=Links({"1": "V00042"}, {"V00042": "1"}))
    with pytest.raises(Parked, match="linked to 1 already"):
        plan({}, context=taken)


def test_one_deleted_in_csi_is_parked_while_it_is_active_at_its_source() -> None:
    fake = site()
    fake.delete("SLVendors")
    with pytest.raises(Parked, match="no longer in CSI"):
        plan({}, fake)
    assert plan({"active": False}, fake).reason.startswith("inactive at its source")


# --- new vendors ---------------------------------------------------------------------------------------------------


def new(**changes: Any) -> tuple[FakeCsi, Plan]:
    fake = csi()
    fake.delete("SLVendors")
    return fake, plan({"number": "", **changes}, fake, UNLINKED)


def test_a_new_supplier_is_set_up_with_its_codes_and_read_back() -> None:
    fake, planned = new(bank=BankAccount(account="DE99 1234"))
    (step,) = planned.steps
    assert (step.name, step.kind, step.remote_reference) == ("vendor_add", StepKind.CREATE, "SUP|4711")
    assert "bank account is not taken over" in step.text
    assert find(fake, step).state is FoundState.ABSENT
    assert post(fake, step).result == {"key": "4711"}
    (row,) = fake.rows("SLVendors")
    assert (row["VendNum"], row["Name"], row["TermsCode"], row["CurrCode"], row["BankCode"], row["Stat"]) == (
        "   4711",
        "Northwind Bolts GmbH",
        "30",
        "USD",
        "BK1",
        "A",
    )
    assert row["VadCountry"] == "Germany"
    assert find(fake, step, settling=True).state is FoundState.OURS
    assert find(fake, step).state is FoundState.SAME_NOT_OURS


def test_its_own_number_counts_more_than_the_policys() -> None:
    assert new(number="V00099")[1].key == "V00099"
    fake = csi()
    fake.delete("SLVendors")
    assert plan({"number": ""}, fake, UNLINKED, supplier_number="J{key}").key == "J4711"


@pytest.mark.parametrize(
    ("change", "choices", "kind", "code"),
    [
        ({"number": "V1234567"}, {}, Rejected, "number_unfit"),
        ({"number": "V 1"}, {}, Rejected, "number_unfit"),
        ({}, {"supplier_number": "JAGG{key}"}, Parked, "number_unfit"),
        ({"name": "N" * 61}, {}, Rejected, "name_too_long"),
        ({"contact": Contact(phone="1" * 26)}, {"shorten_names": True}, Rejected, "too_long"),
        ({"terms": "99"}, {}, Parked, "terms_unknown"),
    ],
)
def test_what_csi_cannot_hold_is_refused_and_never_cut(
    change: dict[str, Any], choices: dict[str, Any], kind: type[DocumentError], code: str
) -> None:
    fake = csi()
    fake.delete("SLVendors")
    with pytest.raises(kind) as raised:
        plan({"number": "", **change}, fake, UNLINKED, **choices)
    assert raised.value.code == code


def test_names_are_shortened_only_where_the_route_says_so_and_that_is_noted() -> None:
    fake = csi()
    fake.delete("SLVendors")
    (step,) = plan({"number": "", "name": "N" * 61}, fake, UNLINKED, shorten_names=True).steps
    assert step.payload["fields"]["Name"] == "N" * 60
    assert "name shortened" in step.text


def test_a_gap_in_the_mapping_parks_new_suppliers_and_names_it() -> None:
    fake = csi()
    fake.delete("SLVendors")
    bare = coded(number="").model_copy(update={"new": NewSupplier()})
    with pytest.raises(Parked, match=r"suppliers\.terms"):
        plan(bare, fake, UNLINKED)


def test_the_policys_number_is_never_shared_but_recognized() -> None:
    fake = site(VendNum="   4711", TaxRegNum1="FR9", VadZip="X")
    assert plan({"number": "", "tax_id": ""}, fake, UNLINKED).key == "4711"
    with pytest.raises(Parked, match="CSI has another supplier 4711"):
        plan({"number": "", "tax_id": "", "name": "Someone Else"}, fake, UNLINKED)


# --- writing -------------------------------------------------------------------------------------------------------


def test_a_change_names_only_what_differs_and_leaves_the_rest_alone() -> None:
    fake = site(VendRemit="V00007", BankCode="BK9")
    (step,) = plan(RENAMED, fake).steps
    assert find(fake, step).state is FoundState.ABSENT
    assert post(fake, step) == Outcome(OutcomeState.POSTED, result={"key": "V00042"})
    (row,) = fake.rows("SLVendors")
    assert {name: row[name] for name in ROW} == ROW | {"Name": "Northwind Fasteners GmbH"}
    assert (row["VendRemit"], row["BankCode"]) == ("V00007", "BK9")
    assert find(fake, step).state is FoundState.OURS


def test_an_emptied_value_is_set_to_null() -> None:
    fake = site()
    known = Context(key="4711", known=Known("0", Supplier(**SAME), {"key": "V00042"}), links=LINKED.links)
    (step,) = plan({"contact": Contact(name="Kim Sales", phone="0113 1")}, fake, known).steps
    assert post(fake, step).state is OutcomeState.POSTED
    assert fake.rows("SLVendors")[0]["ExternalEmailAddr"] is None


def test_what_somebody_changed_meanwhile_is_read_again_and_kept() -> None:
    fake = site()
    (step,) = plan(RENAMED, fake).steps
    touched: list[str] = []

    def person(name: str) -> None:
        if name == "update SLVendors" and not touched:
            touched.append(name)
            fake.change("SLVendors", "1=1", VadPayHold="1")

    fake.before = person
    assert post(fake, step).state is OutcomeState.POSTED
    (row,) = fake.rows("SLVendors")
    assert (row["Name"], row["VadPayHold"]) == ("Northwind Fasteners GmbH", "1")


def test_a_vendor_changed_again_and_again_waits_for_the_next_run() -> None:
    fake = site()
    (step,) = plan(RENAMED, fake).steps
    fake.before = lambda name: (
        fake.change("SLVendors", "1=1", VadPayHoldReason=name) if name == "update SLVendors" else None
    )
    outcome = post(fake, step)
    assert (outcome.code, outcome.parked) == ("supplier_busy", True)


def test_a_refusal_keeps_csis_words_and_a_deletion_is_told() -> None:
    fake = site()
    (step,) = plan(RENAMED, fake).steps
    fake.faults.append(Fault("update SLVendors", "refuse", words="Name is not valid"))
    outcome = post(fake, step)
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "supplier_refused")
    assert "Name is not valid" in outcome.text
    fake.delete("SLVendors")
    assert (post(fake, step).code, post(fake, step).parked) == ("supplier_deleted", True)


@pytest.mark.parametrize("act", ["lost_before", "lost_after"])
def test_a_lost_answer_is_settled_by_reading_back_and_repeating_is_safe(act: str) -> None:
    for fake, planned in (new(), _update()):
        (step,) = planned.steps
        fake.faults.append(Fault("update SLVendors", act))
        with pytest.raises(AmbiguousOutcome):
            post(fake, step)
        found = find(fake, step, settling=True)
        assert found.state is (FoundState.OURS if act == "lost_after" else FoundState.ABSENT)
        if act == "lost_before":
            assert target(fake).may_repost(step, not_found=1, minutes_since_first=0)
            assert post(fake, step).state is OutcomeState.POSTED
        assert len(fake.rows("SLVendors")) == 1


def _update() -> tuple[FakeCsi, Plan]:
    fake = site()
    return fake, plan(RENAMED, fake)


def test_a_number_taken_meanwhile_is_a_duplicate_to_be_compared() -> None:
    fake, planned = new()
    (step,) = planned.steps
    fake.put("SLVendors", VendNum="   4711", Name="Someone Else", CurrCode="USD")
    assert post(fake, step).state is OutcomeState.DUPLICATE
    found = find(fake, step, settling=True)
    assert found.state is FoundState.DIFFERENT
    assert "Someone Else" in found.detail


def test_a_failure_before_the_write_is_proof_and_one_after_it_is_not() -> None:
    fake = site()
    (step,) = plan(RENAMED, fake).steps
    fake.faults.append(Fault("load SLVendors", "raise", 1, error=Unavailable("gone")))
    with pytest.raises(Unavailable):
        post(fake, step)
    fake.faults.append(Fault("load SLVendors", "raise", 2, error=Unavailable("gone")))
    with pytest.raises(AmbiguousOutcome, match="written, but"):
        post(fake, step)
    assert find(fake, step, settling=True).state is FoundState.OURS


def test_csi_setting_something_else_than_told_is_seen() -> None:
    fake = site()
    (step,) = plan(RENAMED, fake).steps

    def trigger(name: str) -> None:
        if name == "load SLVendors" and fake.rows("SLVendors", "Name LIKE '%Fasteners%'"):
            fake.change("SLVendors", "1=1", Name="NORTHWIND FASTENERS")

    fake.before = trigger
    assert post(fake, step).code == "not_taken"


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12)


@given(st.lists(TEXT.filter(bool), max_size=4), TEXT, TEXT, TEXT)
def test_an_address_of_any_content_fits_or_is_rejected_and_loses_nothing(
    lines: list[str], city: str, region: str, postal_code: str
) -> None:
    writer = Writer(shorten=False, lengths={}, known=frozenset(SIZES), countries={})
    given_address = Address(lines=tuple(lines), city=city, region=region, postal_code=postal_code)
    try:
        fields = writer.address(given_address)
    except Rejected as error:
        assert error.code == "too_long"  # noqa: PT017 - either it fits, or it is told
        assert len(region) > SIZES["VadState"] or len(postal_code) > SIZES["VadZip"]
        return
    assert [fields[name] for name in ("VadAddr_1", "VadAddr_2", "VadAddr_3", "VadAddr_4") if fields[name]] == lines
    assert (fields["VadCity"], fields["VadState"], fields["VadZip"]) == (city, region, postal_code)


@given(st.lists(st.text("abc ", min_size=1, max_size=70).filter(str.strip), max_size=8))
def test_a_street_is_broken_into_the_lines_there_are_without_losing_a_word(lines: list[str]) -> None:
    writer = Writer(shorten=False, lengths={}, known=frozenset(SIZES), countries={})
    try:
        fields = writer.address(Address(lines=tuple(lines)))
    except Rejected as error:
        assert error.code == "too_long"  # noqa: PT017 - either it fits, or it is told
        return
    kept = " ".join(fields[f"VadAddr_{number}"] for number in range(1, 5)).replace(",", " ").split()
    assert kept == " ".join(lines).split()
    assert all(len(text) <= SIZES[name] for name, text in fields.items())
