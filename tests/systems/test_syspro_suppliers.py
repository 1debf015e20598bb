"""What a supplier means for SYSPRO: matched, compared owner by owner, planned, written as SYSPRO can hold it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_mlconnector.documents.supplier import (
    Address,
    BankAccount,
    CodedSupplier,
    Contact,
    NewSupplier,
    RemitTo,
    Supplier,
)
from airflow_provider_mlconnector.errors import AmbiguousOutcome, DocumentError, Parked, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Context, Known, Links, OutcomeState, Plan, StepKind
from airflow_provider_mlconnector.systems.syspro import apsssp
from airflow_provider_mlconnector.systems.syspro import supplier_codec as codec
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.supplier_plan import Directory, SupplierPlanner
from airflow_provider_mlconnector.systems.syspro.supplier_records import by_key
from airflow_provider_mlconnector.systems.syspro.supplier_session import differences, merge

LAYOUT = SysproOptions(company="EDU1").address_lines
NEW = NewSupplier(branch="10", bank="1", terms="30", currency="$")
ROW = {
    **dict.fromkeys((*codec.COLUMNS, *codec.ADDRESS_COLUMNS), ""),
    "Supplier": "V00001",
    "SupplierName": "Northbridge Tooling",
    "SupShortName": "Northbridge Tooling",
    "Telephone": "0113 1",
    "Contact": "Kim Sales",
    "Email": "ap@north.example",
    "Currency": "$",
    "TermsCode": "30",
    "OnHold": "N",
    "TaxRegnNum": "GB1",
    "BankAccount": "001000000001",
    "BankBranch": "Central",
    "SupAddr1": "1 Mill Rd",
    "SupAddr3": "Leeds",
    "SupPostalCode": "LS1 1AA",
    "RemitName": "Northbridge Treasury",
    "RemitAddr1": "9 Bank St",
    "RemitPostalCode": "LS2 2BB",
}
SAME: dict[str, Any] = {
    "number": "V00001",
    "name": "Northbridge Tooling",
    "currency": "USD",
    "tax_id": "GB1",
    "address": Address(lines=("1 Mill Rd",), city="Leeds", postal_code="LS1 1AA"),
    "contact": Contact(name="Kim Sales", email="ap@north.example", phone="0113 1"),
}


def supplier(**fields: Any) -> Supplier:
    return Supplier(**{"source_key": "48001", "revision": "2", **SAME} | fields)


def plan(
    document: Supplier | None = None,
    *rows: dict[str, str],
    known: Supplier | None = None,
    links: Links | None = None,
    new: NewSupplier = NEW,
    codes: tuple[str | None, str | None] = ("$", "30"),
    ours: str = "MLC1",
    **options: Any,
) -> Plan:
    reference = {"suppliers": by_key(rows), "branches": ["10", "20"], "terms": ["30", "60"]}
    document = document or supplier()
    currency, terms = codes
    coded = CodedSupplier(supplier=document, currency=currency, terms=terms, new=new, mapping_version=1)
    context = Context(
        key=document.source_key,
        known=Known("1", known, {"key": "V00001"}) if known else None,
        links=links or Links(),
    )
    directory = Directory(json.loads(json.dumps(reference)))
    settings = SysproOptions(company="EDU1", **options)
    return SupplierPlanner(coded, directory, settings, our_reference=ours, context=context).plan()


def fields_of(planned: Plan) -> dict[str, str]:
    (step,) = planned.steps
    fields: dict[str, str] = step.payload["fields"]
    return fields


def stuck(*args: Any, **more: Any) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        plan(*args, **more)
    return caught.value


# --- the same, or changed -------------------------------------------------------------------------------------------


def test_what_says_the_same_on_both_sides_is_linked_and_not_written() -> None:
    planned = plan(supplier(), ROW)
    assert (planned.steps, planned.key, planned.overruled) == ((), "V00001", ())


@pytest.mark.parametrize(
    ("change", "written"),
    [
        ({"name": "Northbridge Tools"}, {"SupplierName": "Northbridge Tools", "SupShortName": "Northbridge Tools"}),
        ({"contact": Contact(name="Lou", email="ap@north.example", phone="0113 1")}, {"Contact": "Lou"}),
        ({"address": Address(lines=("2 Mill Rd",), city="Leeds", postal_code="LS1 1AA")}, {"SupAddr1": "2 Mill Rd"}),
    ],
)
def test_groups_the_source_owns_are_written(change: dict[str, Any], written: dict[str, str]) -> None:
    planned = plan(supplier(**change), ROW)
    (step,) = planned.steps
    assert {name: value for name, value in step.payload["fields"].items() if ROW[name] != value} == written
    assert (step.kind, step.payload["supplier"], planned.overruled) == (StepKind.ABSOLUTE, "V00001", ())
    assert dict(step.fingerprint) == step.payload["fields"]
    assert all(name in step.text for name in written)


def test_a_repetition_of_a_revision_has_a_reference_of_its_own() -> None:
    changed = supplier(name="Northbridge Tools")
    links = Links({"48001": "V00001"})
    first, again = (plan(changed, ROW, ours=ours, links=links).steps[0].remote_reference for ours in ("MLC1", "MLC2"))
    assert first != again


def test_two_suppliers_that_meet_the_same_one_of_syspros_collide() -> None:
    one, other = supplier(name="One"), supplier(name="Other", source_key="48002")
    first, second = (plan(which, ROW, ours=which.source_key).steps[0] for which in (one, other))
    assert (first.remote_reference, first.kind) == (second.remote_reference, second.kind)


@pytest.mark.parametrize(
    ("change", "codes", "field", "here", "there"),
    [
        ({"tax_id": "GB2"}, ("$", "30"), "tax_id", "GB2", "GB1"),
        ({}, ("EUR", "30"), "currency", "EUR", "$"),
        ({}, ("$", "60"), "terms", "60", "30"),
        ({"number": ""}, ("$", "30"), "number", "", "V00001"),
    ],
)
def test_groups_syspro_owns_are_not_written_and_the_loss_is_told(
    change: dict[str, Any], codes: tuple[str, str], field: str, here: str, there: str
) -> None:
    planned = plan(supplier(**change), ROW, codes=codes, links=Links({"48001": "V00001"}))
    assert (planned.steps, planned.key) == ((), "V00001")
    assert [(lost.field, lost.here, lost.there) for lost in planned.overruled] == [(field, here, there)]


def test_what_the_source_cannot_tell_is_neither_compared_nor_written() -> None:
    silent = supplier(address=None, contact=None, tax_id=None, currency=None)
    assert plan(silent, ROW, codes=(None, None)).overruled == ()
    assert plan(silent, ROW, codes=(None, None)).steps == ()


@pytest.mark.parametrize("group", ["name", "address", "contact", "terms", "currency", "tax_id"])
def test_the_owner_of_a_group_can_be_chosen(group: str) -> None:
    other = supplier(
        name="Northbridge Tools", address=Address(city="York"), contact=Contact(email="x@y.example"), tax_id="GB2"
    )
    for owner in ("erp", "jaggaer"):
        planned = plan(other, ROW, codes=("EUR", "60"), owners={group: owner})
        assert (group in {lost.field for lost in planned.overruled}) is (owner == "erp")
        column = {"name": "SupplierName", "address": "SupAddr3", "contact": "Email", "terms": "TermsCode",
                  "currency": "Currency", "tax_id": "TaxRegnNum"}[group]  # fmt: skip
        assert (column in fields_of(planned)) is (owner == "jaggaer")


@pytest.mark.parametrize("group", ["bank", "remit_to"])
def test_payment_data_can_never_be_the_sources(group: str) -> None:
    with pytest.raises(ValidationError, match="never applied by itself"):
        SysproOptions(company="EDU1", owners={group: "jaggaer"})


def test_what_the_source_never_filled_erases_nothing_and_what_it_emptied_does() -> None:
    bare = supplier(contact=Contact(email="ap@north.example"), address=Address(lines=("1 Mill Rd",), city="Leeds"))
    assert plan(bare, ROW).steps == ()
    assert plan(bare, ROW, known=bare).steps == ()
    planned = plan(bare, ROW, known=supplier())
    changed = {name: value for name, value in fields_of(planned).items() if ROW[name] != value}
    assert changed == {"Telephone": "", "Contact": "", "SupPostalCode": ""}


def test_an_address_is_written_whole_and_never_erased_whole() -> None:
    moved = supplier(address=Address(lines=("5 Kai",), city="Rostock", country="DE"))
    assert fields_of(plan(moved, ROW | {"SupAddr4": "West Yorkshire"})) == {
        "SupAddr1": "5 Kai", "SupAddr2": "", "SupAddr3": "Rostock", "SupAddr4": "", "SupAddr5": "DE",
        "SupPostalCode": "", "SupplierName": "Northbridge Tooling", "Contact": "Kim Sales",
        "Telephone": "0113 1", "Email": "ap@north.example",
    }  # fmt: skip
    assert plan(supplier(address=Address()), ROW, known=supplier()).steps == ()


def test_a_short_name_of_its_own_survives_a_renaming() -> None:
    renamed = supplier(name="Northbridge Tools")
    assert "SupShortName" not in fields_of(plan(renamed, ROW | {"SupShortName": "NBT"}))


# --- payment data, hold ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"bank": BankAccount(account="99 8877 6655")}, "…6655"),
        ({"bank": BankAccount(account="001000000001", branch="Elsewhere")}, "…0001"),
        ({"remit_to": RemitTo(name="Evil Treasury")}, "Evil Treasury"),
        ({"remit_to": RemitTo(name="Northbridge Treasury", address=Address(city="Lagos"))}, "Lagos"),
    ],
)
def test_other_payment_data_waits_for_a_person_and_is_never_applied(change: dict[str, Any], shown: str) -> None:
    error = stuck(supplier(name="Northbridge Tools", **change), ROW)
    assert (type(error), error.code, error.subject) == (Parked, "bank_change", "V00001")
    assert shown in error.message
    assert "99 8877 6655" not in error.message
    assert ROW["BankAccount"] not in error.message


def test_the_same_payment_data_in_another_spelling_is_no_change() -> None:
    same = supplier(
        bank=BankAccount(account="0010-0000 0001", branch="CENTRAL"),
        remit_to=RemitTo(name="Northbridge Treasury", address=Address(lines=("9 Bank St",), postal_code="LS22BB")),
    )
    assert plan(same, ROW).steps == ()
    assert plan(supplier(bank=BankAccount(), remit_to=RemitTo()), ROW).steps == ()


HELD = ROW | {"OnHold": "Y"}


def test_a_deactivated_supplier_is_parked_held_or_ignored_as_the_route_says() -> None:
    gone = supplier(active=False)
    error = stuck(gone, ROW)
    assert (type(error), error.code, error.subject) == (Parked, "supplier_deactivated", "V00001")
    assert fields_of(plan(gone, ROW, deactivate="hold"))["OnHold"] == "Y"
    assert plan(gone, ROW, deactivate="ignore").steps == ()
    assert fields_of(plan(gone, ROW, owners={"hold": "jaggaer"}))["OnHold"] == "Y"


@pytest.mark.parametrize("deactivate", ["park", "hold", "ignore"])
def test_inactive_there_and_on_hold_here_agree(deactivate: str) -> None:
    planned = plan(supplier(active=False), HELD, deactivate=deactivate)
    assert (planned.steps, planned.overruled) == ((), ())


def test_a_hold_is_not_lifted_from_outside_unless_its_owner_is_there() -> None:
    planned = plan(supplier(), HELD)
    assert planned.steps == ()
    assert [(lost.field, lost.here, lost.there) for lost in planned.overruled] == [("hold", "active", "on hold")]
    assert fields_of(plan(supplier(), HELD, owners={"hold": "jaggaer"}))["OnHold"] == "N"


# --- which one it is ------------------------------------------------------------------------------------------------


def test_a_link_counts_more_than_number_tax_id_and_name() -> None:
    other = ROW | {"Supplier": "V00002", "SupplierName": "Other", "TaxRegnNum": "GB9"}
    planned = plan(supplier(), ROW, other, links=Links({"48001": "V00002"}, {"V00002": "48001"}))
    assert planned.key == "V00002"


@pytest.mark.parametrize("change", [{"number": "v00001"}, {"number": ""}, {"number": "", "tax_id": None}])
def test_an_unlinked_supplier_is_matched_by_number_tax_id_or_name_and_postal_code(change: dict[str, Any]) -> None:
    assert plan(supplier(**change), ROW).key == "V00001"


def test_two_merged_into_one_are_for_a_person() -> None:
    error = stuck(supplier(), ROW, links=Links({"48077": "V00001"}, {"V00001": "48077"}))
    assert (type(error), error.code) == (Parked, "supplier_ambiguous")
    assert "48077" in error.message


def test_a_double_merged_at_its_source_asks_nobody_any_more() -> None:
    planned = plan(supplier(active=False), ROW, links=Links({"48077": "V00001"}, {"V00001": "48077"}))
    assert (planned.steps, planned.key) == ((), "")


def test_one_deleted_in_syspro_is_parked_while_it_is_active_at_its_source() -> None:
    links = Links({"48001": "V00001"})
    error = stuck(supplier(), links=links)
    assert (type(error), error.code, error.subject) == (Parked, "supplier_deleted", "V00001")
    assert plan(supplier(active=False), links=links).steps == ()


def test_an_inactive_supplier_syspro_never_had_is_not_set_up() -> None:
    planned = plan(supplier(active=False))
    assert (planned.steps, planned.key) == ((), "")


def test_padded_numbers_are_one_supplier() -> None:
    row = ROW | {"Supplier": "000000000004711"}
    assert plan(supplier(number="4711"), row).key == "000000000004711"
    assert plan(supplier(number="4711"), row).overruled == ()


# --- new ------------------------------------------------------------------------------------------------------------


def test_a_new_supplier_gets_its_own_number_or_the_policys() -> None:
    own, given = plan(supplier(number="V7")), plan(supplier(number=""))
    assert (own.key, own.steps[0].remote_reference, own.steps[0].kind) == ("V7", "SUP|V7", StepKind.CREATE)
    assert given.key == "JAG48001"
    assert plan(supplier(number=""), supplier_number="S-{key}").key == "S-48001"


@pytest.mark.parametrize("template", ["JAG", "{key}{key}", "{key}{n}"])
def test_a_numbering_policy_must_name_the_key_once(template: str) -> None:
    with pytest.raises(ValidationError, match="key"):
        SysproOptions(company="EDU1", supplier_number=template)


@pytest.mark.parametrize("number", ["V0000000000000001", "V 1", "V\u0151"])
def test_a_number_syspro_cannot_hold_is_rejected_and_never_cut(number: str) -> None:
    error = stuck(supplier(number=number))
    assert (type(error), error.code) == (Rejected, "number_unfit")
    error = stuck(supplier(number="", source_key="1234567890123"))
    assert (type(error), error.code) == (Parked, "number_unfit")


def test_the_policys_number_is_never_shared_but_recognized() -> None:
    foreign = ROW | {"Supplier": "JAG48001", "SupplierName": "Somebody", "TaxRegnNum": "", "SupPostalCode": ""}
    error = stuck(supplier(number=""), foreign)
    assert (type(error), error.code, error.subject) == (Parked, "number_taken", "JAG48001")
    ours = foreign | {"SupplierName": "Northbridge Tooling"}
    assert plan(supplier(number=""), ours).key == "JAG48001"


def test_a_new_supplier_is_told_what_syspro_would_default_wrongly() -> None:
    fields = fields_of(plan(supplier()))
    assert {name: fields[name] for name in ("GrnMatchReqd", "OnHold", "PurchOrdAllowed", "Branch", "Bank")} == {
        "GrnMatchReqd": "N", "OnHold": "N", "PurchOrdAllowed": "Y", "Branch": "10", "Bank": "1",
    }  # fmt: skip
    assert fields_of(plan(supplier(), new=NEW.model_copy(update={"grn_match_required": True})))["GrnMatchReqd"] == "Y"
    assert (fields["Currency"], fields["TermsCode"]) == ("$", "30")
    defaults = fields_of(plan(supplier(), codes=(None, "")))
    assert (defaults["Currency"], defaults["TermsCode"]) == ("$", "30")


def test_payment_data_of_a_new_supplier_is_left_to_syspros_people_and_noted() -> None:
    planned = plan(supplier(bank=BankAccount(account="99887766"), remit_to=RemitTo(name="N")))
    (step,) = planned.steps
    assert not {"BankAccount", "BankBranch", "RemitName"} & step.payload["fields"].keys()
    assert "bank account is not taken over" in step.text
    assert "remit-to is not taken over" in step.text
    assert "99887766" not in json.dumps(step.payload) + step.text


@pytest.mark.parametrize(
    ("new", "codes", "code", "subject"),
    [
        ({"bank": ""}, ("$", "30"), "supplier_defaults", "suppliers.bank"),
        ({"terms": ""}, ("$", None), "supplier_defaults", "suppliers.terms"),
        ({"branch": "99"}, ("$", "30"), "branch_unknown", "99"),
        ({}, ("$", "77"), "terms_unknown", "77"),
    ],
)
def test_a_gap_in_the_mapping_parks_new_suppliers_and_names_it(
    new: dict[str, str], codes: tuple[str, str | None], code: str, subject: str
) -> None:
    error = stuck(supplier(), new=NEW.model_copy(update=new), codes=codes)
    assert (type(error), error.code, error.subject) == (Parked, code, subject)


# --- what SYSPRO can hold ------------------------------------------------------------------------------------------


def test_a_name_of_60_characters_is_rejected_or_shortened_with_a_note() -> None:
    long = "Northbridge Precision Tooling and Castings (Holdings) Limited"
    error = stuck(supplier(name=long), ROW)
    assert (type(error), error.code, error.field) == (Rejected, "name_too_long", "name")
    planned = plan(supplier(name=long), ROW, shorten_names=True)
    assert fields_of(planned)["SupplierName"] == long[:50].strip()
    assert f"name shortened from {long!r}" in planned.steps[0].text
    assert planned.steps[0].payload["notes"]


def test_a_shortened_name_coming_back_is_nothing_to_write() -> None:
    long = "Northbridge Precision Tooling and Castings (Holdings) Limited"
    stored = ROW | {"SupplierName": long[:50].strip()}
    assert plan(supplier(name=long), stored, shorten_names=True).steps == ()


@pytest.mark.parametrize(
    "change",
    [
        {"contact": Contact(email="x" * 256)},
        {"contact": Contact(phone="1" * 21)},
        {"address": Address(postal_code="1" * 11)},
    ],
)
@pytest.mark.parametrize("shorten", [True, False])
def test_what_would_be_wrong_if_cut_is_always_rejected(change: dict[str, Any], shorten: bool) -> None:
    error = stuck(supplier(**change), ROW, shorten_names=shorten)
    assert (type(error), error.code) == (Rejected, "too_long")


def test_other_alphabets_are_rejected_in_names_and_reduced_with_a_note_in_free_text() -> None:
    error = stuck(supplier(name="Северный мост"), ROW)
    assert (type(error), error.code) == (Rejected, "characters")
    planned = plan(supplier(contact=Contact(name="Erdős Pál")), ROW)
    assert fields_of(planned)["Contact"] == "Erdos Pál"
    assert "'ő'" in planned.steps[0].text


def test_a_street_too_long_for_one_line_is_broken_into_the_lines_there_are() -> None:
    writer = codec.Writer(shorten=False, layout=LAYOUT)
    long = "Building 7 of the Old Foundry Works, 112 Upper Canal Street West"
    broken = writer.address(Address(lines=(long,)))
    assert (broken["SupAddr1"], broken["SupAddr2"]) == (
        "Building 7 of the Old Foundry Works, 112",
        "Upper Canal Street West",
    )
    three = writer.address(Address(lines=("Hall 1", "Gate B", "2 Quay")))
    assert (three["SupAddr1"], three["SupAddr2"]) == ("Hall 1, Gate B, 2 Quay", "")
    with pytest.raises(Rejected):
        writer.address(Address(lines=(long, long)))


WORDS = st.from_regex(r"[A-Za-zÀ-ÿ0-9&<>'][A-Za-zÀ-ÿ0-9&<>'\]. -]{0,30}[A-Za-zÀ-ÿ0-9>]", fullmatch=True).map(
    lambda text: " ".join(text.split())
)
ADDRESSES = st.builds(
    Address,
    lines=st.lists(WORDS, max_size=2).map(tuple),
    city=WORDS | st.just(""),
    region=WORDS | st.just(""),
    postal_code=WORDS.map(lambda text: text[:10].strip()),
    country=st.sampled_from(["", "DE", "US"]),
)
LAYOUTS = st.permutations(["line", "line", "city", "region", "country"]).map(tuple)


@given(ADDRESSES, LAYOUTS)
def test_an_address_written_in_any_layout_is_read_back_the_same(address: Address, layout: tuple[str, ...]) -> None:
    written = codec.Writer(shorten=False, layout=layout).address(address)
    assert codec.read_address(written, layout) == address


@given(ADDRESSES, WORDS, WORDS, st.emails().filter(lambda text: not xml.offending(text)))
def test_our_own_write_compares_equal_whatever_is_in_it(address: Address, name: str, contact: str, email: str) -> None:
    document = supplier(name=name, address=address, contact=Contact(name=contact, email=email), number="N1")
    fields = fields_of(plan(document))
    stored = {**dict.fromkeys(ROW, ""), "Supplier": "N1", **fields}
    again = plan(document, stored, links=Links({"48001": "N1"}))
    assert (again.steps, again.overruled) == ((), ())
    assert codec.decode(stored, LAYOUT).address == address


@given(WORDS, WORDS)
def test_markup_characters_survive_the_document(name: str, contact: str) -> None:
    call = apsssp.setup_call("Add", "N1", {"Contact": contact, "SupplierName": f"{name} ]]> & <"})
    item = xml.parse(call.document.encode("cp1252"))[0]
    assert [xml.name(child) for child in item] == ["key", "suppliername", "contact"]
    assert (xml.text(item, "SupplierName"), xml.text(item, "Contact")) == (f"{name} ]]> & <", contact)


def test_elements_leave_in_the_schemas_order_and_unknown_ones_not_at_all() -> None:
    call = apsssp.setup_call("Update", "N1", {"Email": "e", "SupplierName": "n", "Bank": "1"}, validate_only=True)
    item = xml.parse(call.document.encode())[0]
    assert [xml.name(child) for child in item] == ["key", "suppliername", "bank", "email"]
    assert "<ValidateOnly>Y</ValidateOnly>" in call.parameters
    assert (call.path, call.effect) == ("/Setup/Update", "read")
    with pytest.raises(ValueError, match="TimeStamp"):
        apsssp.setup_call("Update", "N1", {"TimeStamp": "1"})


def test_an_update_sends_back_what_was_read_and_leaves_out_what_was_empty() -> None:
    row = ROW | {"UserField1": "kept", "CurrentBalance": "99.00", "TimeStamp": "0x1"}
    sent = merge(row, {"Telephone": "", "SupplierName": "New"})
    assert (sent["SupplierName"], sent["Telephone"], sent["UserField1"]) == ("New", "", "kept")
    assert not {"Supplier", "CurrentBalance", "TimeStamp", "SupAddr2"} & sent.keys()
    assert differences(sent, row | {"Telephone": "", "SupplierName": "New"}) == []
    assert differences({"BankAccount": "001000000009"}, ROW) == ["BankAccount …0001, wanted …0009"]


# --- answers --------------------------------------------------------------------------------------------------------


def answer(item: str, read: int = 1, invalid: int = 0, root: str = "setupapsupplier") -> xml.Element:
    counters = f"<RecordsRead>{read}</RecordsRead><RecordsInvalid>{invalid}</RecordsInvalid>"
    return xml.parse(f"<{root}>{item}<StatusOfItems>{counters}</StatusOfItems></{root}>".encode())


KEY = "<key><supplier>N1</supplier></key>"


def refused(field: str, value: str, text: str = "not found") -> str:
    inner = f"<Value>{value}</Value><ErrorNumber>1</ErrorNumber><ErrorDescription>{text}</ErrorDescription>"
    return f"<item>{KEY}<{field}>{inner}</{field}></item>"


def test_an_answer_without_objection_is_no_refusal_with_or_without_an_item() -> None:
    assert apsssp.read_refusal(answer(f"<item>{KEY}</item>"), "N1") is None
    assert apsssp.read_refusal(answer(""), "N1") is None


@pytest.mark.parametrize(
    ("field", "code", "parked"),
    [
        ("supplier", "supplier", True),
        ("termscode", "terms", True),
        ("TermsCode", "terms", True),
        ("bank", "bank", True),
        ("suppliername", "suppliername", False),
    ],
)
def test_a_refusal_is_told_by_its_field_in_any_case(field: str, code: str, parked: bool) -> None:
    outcome = apsssp.read_refusal(answer(refused(field, "X"), invalid=1), "N1")
    assert outcome is not None
    assert (outcome.state, outcome.code, outcome.parked) == (OutcomeState.REFUSED, code, parked)
    assert outcome.text == "not found"


@pytest.mark.parametrize(
    "root",
    [
        answer("", invalid=1),
        answer("<item><key><supplier>OTHER</supplier></key></item>"),
        answer(f"<item>{KEY}</item><item>{KEY}</item>", read=2),
        answer(f"<item>{KEY}</item>", root="postapinvoice"),
    ],
)
def test_an_answer_that_settles_nothing_leaves_the_write_open(root: xml.Element) -> None:
    with pytest.raises(AmbiguousOutcome):
        apsssp.read_refusal(root, "N1")


def test_a_supplier_without_a_name_is_rejected_by_its_key() -> None:
    with pytest.raises(Rejected, match="V00001") as caught:
        codec.decode(ROW | {"SupplierName": " "}, LAYOUT)
    assert caught.value.code == "name_missing"


@pytest.mark.parametrize(
    "lines", [("line",) * 4, ("city", "city", "line", "line", "line"), ("zip", *("line",) * 4), ("city",) * 5]
)
def test_an_address_layout_names_each_part_once(lines: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        SysproOptions(company="EDU1", address_lines=lines)
