"""What a purchase order becomes for SYSPRO, without any SYSPRO."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.orders import MAPPING, coded, known, line, order, order_reference, split
from support.syspro_samples import supplier_row

from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import DocumentError, Parked, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Context, Known, Plan, StepDraft, StepKind
from airflow_provider_mlconnector.systems.syspro.client import REST_PATH, SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.order_session import add_call
from airflow_provider_mlconnector.systems.syspro.order_steps import (
    ChangedOrder,
    NewOrder,
    canceled_order,
    changed_order,
    new_order,
)
from airflow_provider_mlconnector.systems.syspro.orders import SysproOrderTarget
from airflow_provider_mlconnector.systems.transport import Transport

OURS = "MLC0123456789ABCDEF"


def target(**options: Any) -> SysproOrderTarget:
    client = SysproClient(
        Transport("http://127.0.0.1:9" + REST_PATH, system="SYSPRO", allow_http=True),
        SysproCredentials(operator="X", password="", company="EDU1"),
    )
    return SysproOrderTarget("syspro", client, SysproOptions(company="EDU1", **options))


def plan(
    purchase_order: PurchaseOrder,
    before: Known | None = None,
    *,
    reference: Mapping[str, Any] | None = None,
    text: str = MAPPING,
    **options: Any,
) -> Plan:
    return target(**options).plan(
        coded(purchase_order, text),
        reference or order_reference(),
        our_reference=OURS,
        context=Context("700310", before),
    )


def step(*arguments: Any, **options: Any) -> StepDraft:
    (only,) = plan(*arguments, **options).steps
    return only


def added(*arguments: Any, **options: Any) -> NewOrder:
    return new_order(step(*arguments, **options))


def changed(*arguments: Any, **options: Any) -> ChangedOrder:
    return changed_order(step(*arguments, **options))


def objection(*arguments: Any, **options: Any) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        plan(*arguments, **options)
    return caught.value


# --- new orders ----------------------------------------------------------------------------------------------------


def test_where_syspro_numbers_orders_its_own_number_is_left_open_and_ours_stands_in_the_customer_po() -> None:
    draft = step(order())
    new = new_order(draft)
    assert (draft.kind, draft.remote_reference) == (StepKind.DELTA, "PO|310")
    assert (new.head.number, new.head.customer_po) == ("", "0000000310/89ABCDEF")
    assert new.head.due == date(2026, 12, 4)


def test_where_orders_are_numbered_by_hand_the_sources_number_is_the_key() -> None:
    draft = step(order(), po_numbering="manual")
    assert draft.kind is StepKind.CREATE
    assert new_order(draft).head.number == "0000000310"


def test_a_number_too_long_to_stand_beside_our_reference_leaves_the_room_to_it() -> None:
    assert added(order(number="P" * 21)).head.customer_po == "P" * 21 + "/89ABCDEF"
    assert added(order(number="P" * 22)).head.customer_po == OURS


def test_a_stock_code_makes_a_stocked_line_and_anything_else_a_non_stocked_one() -> None:
    stocked, other, nameless = added(order(line(), line(2, item="DB-8"), line(3, item=""))).lines
    assert (stocked.stocked, stocked.stock_code, stocked.warehouse) == (True, "A100", "MN")
    assert (stocked.ledger_code, stocked.product_class, stocked.description) == ("", "", "")
    assert (other.stocked, other.stock_code, other.warehouse) == (False, "DB-8", "")
    assert (other.ledger_code, other.product_class) == ("10-5120", "GEN")
    assert nameless.stock_code == "NON-STOCKED"


def test_a_stock_code_is_found_in_any_case_and_sent_as_syspro_spells_it() -> None:
    assert added(order(line(item="a100"))).lines[0].stock_code == "A100"


def test_a_catalog_number_too_long_for_a_stock_code_goes_to_the_catalog_field() -> None:
    (item,) = added(order(line(item="C" * 31))).lines
    assert (item.stock_code, item.catalog) == ("NON-STOCKED", "C" * 31)
    assert objection(order(line(item="C" * 51))).code == "too_long"


def test_sixty_characters_where_fifty_fit_are_shortened_and_the_whole_text_is_noted() -> None:
    text = "Calibrated torque wrench 40-200 Nm, case & certificate, 1 pc"
    draft = step(order(line(item="", description=text)))
    assert new_order(draft).lines[0].description == text[:50].strip()
    assert text in draft.text
    assert "shortened to 50" in draft.payload["notes"][0 if "shortened" in draft.payload["notes"][0] else 1]


def test_characters_syspro_cannot_hold_are_replaced_in_texts_and_noted_and_refused_in_keys() -> None:
    draft = step(order(line(item="", description="Łódź 東京 bearing")))
    assert new_order(draft).lines[0].description == "?ódz ?? bearing"
    assert any("東" in note for note in draft.payload["notes"])
    assert objection(order(number="東-1")).code == "characters"
    assert objection(order(line(item="東-1"))).code == "characters"


def test_accents_ampersands_and_the_end_of_cdata_arrive_as_they_are() -> None:
    text = 'Fräser & Bohrer <Ø8> "Café" ]]> 10er'
    new = added(order(line(item="", description=text)))
    call = add_call(new, SysproOptions(company="EDU1"))
    root = xml.parse(call.document.encode("cp1252"))
    assert xml.text(root, "Orders/OrderDetails/StockLine/StockDescription") == text


def test_freight_is_one_line_and_each_other_charge_a_line_of_its_own() -> None:
    charges = (
        Charge(kind=ChargeKind.FREIGHT, amount=Decimal("3.50")),
        Charge(kind=ChargeKind.HANDLING, amount=Decimal("2.00"), name="Crane"),
        Charge(kind=ChargeKind.FREIGHT, amount=Decimal("1.50")),
        Charge(kind=ChargeKind.MISCELLANEOUS, amount=Decimal(0)),
    )
    written = added(order(charges=charges)).charges
    assert [(c.freight, c.amount, c.description) for c in written] == [
        (True, Decimal("5.00"), ""),
        (False, Decimal("2.00"), "Crane"),
    ]


def test_a_line_canceled_before_the_order_left_is_left_out() -> None:
    assert [item.number for item in added(order(line(), line(2, quantity="0"), line(3))).lines] == [1, 3]


@pytest.mark.parametrize(
    "dead",
    [
        order(status=OrderStatus.CANCELED),
        order(status=OrderStatus.CLOSED),
        order(line(quantity="0"), line(2, quantity="0")),
    ],
)
def test_what_ended_before_it_ever_left_writes_nothing(dead: PurchaseOrder) -> None:
    nothing = plan(dead)
    assert (list(nothing.steps), nothing.key) == ([], "")
    assert "before it was ever sent" in nothing.reason


def test_a_line_over_several_accounts_is_parked_or_put_on_the_largest_and_noted() -> None:
    divided = order(line(item="", allocations=split(("CC10", "30"), ("CC20", "40"), ("CC10", "30"))))
    error = objection(divided)
    assert (error.code, type(error)) == ("line_split", Parked)
    draft = step(divided, po_split="largest")
    assert new_order(draft).lines[0].ledger_code == "10-5120"
    assert "20-5120 40" in draft.text
    # what goes into stock has no account of its own
    assert added(order(line(allocations=split(("CC10", "30"), ("CC20", "70"))))).lines[0].ledger_code == ""


def test_a_line_without_account_is_right_for_stock_and_rejected_for_anything_else() -> None:
    assert added(order(line(allocations=()))).lines[0].stocked
    error = objection(order(line(item="", allocations=())))
    assert (error.code, type(error)) == ("missing_account", Rejected)


def test_a_price_of_nothing_is_sent_as_meant_and_noted() -> None:
    draft = step(order(line(price="0")))
    assert any("costs nothing" in note for note in draft.payload["notes"])
    call = add_call(new_order(draft), SysproOptions(company="EDU1"))
    assert "<AllowZeroPrice>Y</AllowZeroPrice>" in call.parameters
    assert "<AllowZeroPrice>N</AllowZeroPrice>" in add_call(added(order()), SysproOptions(company="EDU1")).parameters


@pytest.mark.parametrize(("currency", "price"), [("JPY", "1250"), ("KWD", "1.235"), ("KWD", "0.00001")])
def test_prices_of_any_currency_are_kept_to_the_last_decimal(currency: str, price: str) -> None:
    reference = order_reference(suppliers={"V00001": [supplier_row(Currency=currency, PurchOrdAllowed="Y")]})
    new = added(order(line(price=price), currency=currency), reference=reference)
    assert new.foreign
    assert f"<Price>{Decimal(price):f}</Price>" in add_call(new, SysproOptions(company="EDU1")).document


def on_supplier(**changes: str) -> dict[str, Any]:
    return order_reference(suppliers={"V00001": [supplier_row(**{"PurchOrdAllowed": "Y"} | changes)]})


@pytest.mark.parametrize(
    ("changes", "reference", "kind", "code"),
    [
        ({"lines": (line(price="1.000001"),)}, None, Rejected, "too_many_decimals"),
        ({"lines": (line(quantity="1.0000001"),)}, None, Rejected, "too_many_decimals"),
        ({"lines": (line(quantity="-1"),)}, None, Rejected, "negative_quantity"),
        ({"lines": (line(price="-1"),)}, None, Rejected, "negative_unit_price"),
        ({"lines": (line(price="1e11"),)}, None, Rejected, "limit_exceeded"),
        ({"lines": (line(), line())}, None, Rejected, "duplicate_line"),
        ({"charges": (Charge(kind="discount", amount=Decimal(5)),)}, None, Rejected, "order_discount"),
        ({"charges": (Charge(kind="freight", amount=Decimal("1.005")),)}, None, Rejected, "third_decimal"),
        ({"currency": "KWD", "lines": (line(amount=Decimal("1.235")),)}, None, Rejected, "third_decimal"),
        ({"number": "P" * 31}, None, Rejected, "number_too_long"),
        ({"supplier": "V00002"}, None, Parked, "supplier_unknown"),
        ({"supplier": ""}, None, Parked, "supplier_without_number"),
        ({"currency": "EUR"}, None, Parked, "supplier_currency"),
        ({}, on_supplier(OnHold="Y"), Parked, "supplier_on_hold"),
        ({}, on_supplier(PurchOrdAllowed="N"), Parked, "orders_not_allowed"),
        ({}, order_reference(branches={}), Parked, "branch_unknown"),
        ({}, order_reference(taxes={}), Parked, "tax_code_unknown"),
        ({"terms": PaymentTerms(code="NET60")}, order_reference(terms={}), Parked, "terms_unknown"),
        ({"lines": (line(item=""),)}, order_reference(accounts={}), Parked, "account_unknown"),
        ({"lines": (line(item=""),)}, order_reference(stock=["NON-STOCKED"]), Parked, "non_stocked_code"),
    ],
)
def test_what_keeps_an_order_back_is_named(
    changes: dict[str, Any], reference: dict[str, Any] | None, kind: type[DocumentError], code: str
) -> None:
    error = objection(order(**changes), reference=reference)
    assert (error.code, type(error)) == (code, kind)


@pytest.mark.parametrize(("account", "code"), [("5600", "account_on_hold"), ("2100", "control_account")])
def test_an_account_on_hold_or_a_control_account_keeps_a_line_back(account: str, code: str) -> None:
    text = MAPPING.replace('"51200": "5120"', f'"51200": "{account}"').replace('CC20: "20"', 'CC20: "00"')
    center = "CC20" if account == "2100" else "CC10"
    error = objection(order(line(item="", allocations=split((center, "100")))), text=text)
    assert (error.code, type(error)) == (code, Parked)


def test_an_order_without_lines_or_without_product_class_is_kept_back() -> None:
    empty = order().model_copy(update={"lines": ()})
    assert objection(empty).code == "no_lines"
    assert objection(order(line(item="")), text=MAPPING.replace("product_class: GEN, ", "")).code == (
        "product_class_missing"
    )


def test_another_companys_order_is_kept_back() -> None:
    text = MAPPING.replace('PLANT1: {company: EDU1, branch: "10"}', "PLANT1: {company: EDU2}")
    assert objection(order(), text=text).code == "company"


def test_an_order_too_large_for_one_request_names_the_way_out() -> None:
    many = order(*(line(number, item="", description="Pipette tips 200 ul") for number in range(1, 60)))
    error = objection(many)
    assert (error.code, "postld" in error.message) == ("too_large", True)
    assert len(added(many, transport="postld").lines) == 59


# --- revisions -----------------------------------------------------------------------------------------------------


def test_only_the_lines_that_differ_are_sent_as_they_shall_be() -> None:
    before = order(line(), line(2, item=""), line(3))
    after = order(line(), line(2, quantity="7", item=""), line(3, quantity="0"), line(4), revision=2)
    draft = step(after, known(before))
    change = changed_order(draft)
    assert (draft.kind, draft.remote_reference) == (StepKind.ABSOLUTE, "PO|310@00002@2026-11-20T10:00:00Z")
    assert change.key == "000000000004711"
    assert [(item.number, item.quantity) for item in change.lines] == [(2, 7), (4, 10)]
    assert (change.canceled, change.crosswalk, change.held) == ((3,), {"1": "1", "2": "2", "3": "3"}, (1, 2, 3))
    assert (change.due, change.terms, change.charges) == (None, None, None)


def test_a_new_due_date_changes_the_order_and_the_lines_that_follow_it() -> None:
    lines = (line(requested_date=None), line(2, requested_date=date(2026, 12, 4)))
    before, after = order(*lines, due_date=date(2026, 12, 1)), order(*lines, revision=1, due_date=date(2026, 12, 9))
    change = changed(after, known(before))
    assert change.due == date(2026, 12, 9)
    assert [(item.number, item.due) for item in change.lines] == [(1, date(2026, 12, 9))]


def test_terms_and_charges_change_alone() -> None:
    freight = Charge(kind=ChargeKind.FREIGHT, amount=Decimal(5))
    before = order(terms=PaymentTerms(code="NET30"), charges=(freight,))
    change = changed(order(revision=1, terms=PaymentTerms(code="NET60")), known(before))
    assert (change.lines, change.terms, change.charges) == ((), "60", ())


def test_what_syspro_does_not_keep_writes_nothing() -> None:
    nothing = plan(order(revision=1, requester="buyer2", notes="call first"), known(order()))
    assert (list(nothing.steps), nothing.key) == ([], "000000000004711")


def test_a_canceled_order_is_canceled_whatever_else_is_wrong_with_it() -> None:
    dead = order(status=OrderStatus.CANCELED, revision=1, currency="GBP")
    draft = step(dead, known(order()), reference=order_reference(suppliers={}))
    assert (draft.name, draft.kind) == ("po_cancel", StepKind.ABSOLUTE)
    assert canceled_order(draft).key == "000000000004711"


def test_an_order_whose_last_line_is_canceled_is_canceled() -> None:
    assert step(order(line(quantity="0"), revision=1), known(order())).name == "po_cancel"


def test_a_closed_order_still_brings_its_last_change() -> None:
    closed = order(line(quantity="9"), status=OrderStatus.CLOSED, revision=1)
    assert [item.quantity for item in changed(closed, known(order())).lines] == [9]
    assert not plan(order(status=OrderStatus.CLOSED, revision=1), known(order())).steps


@pytest.mark.parametrize(
    ("after", "before", "kind", "code"),
    [
        (order(supplier="V00002", revision=1), known(order()), Parked, "supplier_changed"),
        (order(currency="EUR", revision=1), known(order()), Parked, "currency_changed"),
        (order(line(), revision=1), known(order(line(), line(2))), Rejected, "line_missing"),
        (order(revision=2), known(order(status=OrderStatus.CANCELED, revision=1)), Parked, "order_closed"),
        (order(line(quantity="9"), revision=1), known(order(), key=""), Parked, "order_unlinked"),
    ],
)
def test_a_revision_syspro_cannot_follow_is_kept_back(
    after: PurchaseOrder, before: Known, kind: type[DocumentError], code: str
) -> None:
    error = objection(after, before)
    assert (error.code, type(error)) == (code, kind)


# --- sending again -------------------------------------------------------------------------------------------------


def test_an_order_syspro_numbers_is_sent_again_only_after_two_looks_at_a_proven_site() -> None:
    site = target()
    draft = step(order())

    def again(looks: int, minutes: float) -> bool:
        return site.may_repost(draft, not_found=looks, minutes_since_first=minutes)

    assert not again(5, 60)
    site.observe_reference(draft.name, proven=True)
    assert [again(1, 60), again(2, 14), again(2, 15)] == [False, False, True]
    site.observe_reference(draft.name, proven=False)
    assert not again(5, 60)


def test_an_order_under_our_number_and_a_change_may_be_sent_again_at_once() -> None:
    for draft in (step(order(), po_numbering="manual"), step(order(line(quantity="9"), revision=1), known(order()))):
        assert target().may_repost(draft, not_found=1, minutes_since_first=0)


# --- the wire ------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="cp1252", exclude_categories=("Cc", "Cs")), max_size=50).map(str.strip)
FIGURES = st.decimals(Decimal("0.00001"), Decimal(9999999999), places=5, allow_nan=False)


@given(TEXTS, FIGURES, st.decimals(Decimal("0.000001"), Decimal(99999999), places=6, allow_nan=False))
def test_texts_prices_and_quantities_come_off_the_wire_as_they_went_on(
    text: str, price: Decimal, quantity: Decimal
) -> None:
    wanted = line(item="", description=text, unit_price=price, quantity=quantity, amount=Decimal(1))
    call = add_call(added(order(wanted)), SysproOptions(company="EDU1"))
    stock_line = xml.child(xml.parse(call.document.encode("cp1252")), "Orders/OrderDetails/StockLine")
    read = {name: xml.text(stock_line, name) for name in ("StockDescription", "Price", "OrderQty")}
    assert read["StockDescription"] == text
    assert (Decimal(read["Price"]), Decimal(read["OrderQty"])) == (price, quantity)


def test_the_parameters_store_for_real_and_let_no_warning_pass() -> None:
    call = add_call(added(order()), SysproOptions(company="EDU1"))
    for said in ("ValidateOnly>N", "IgnoreWarnings>N", "AllowNonStockItems>S", "AllowBlankLedgerCode>N", "Status>4"):
        assert f"<{said}</" in call.parameters
    rehearsal = add_call(added(order()), SysproOptions(company="EDU1"), rehearsal=True)
    assert "<ValidateOnly>Y</ValidateOnly>" in rehearsal.parameters
