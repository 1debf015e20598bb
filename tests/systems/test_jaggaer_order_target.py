"""What an order of the ledger becomes on the wire, and what is planned of it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.into_jaggaer import FENCE
from support.purchases import line, order, part, told

from airflow_provider_mlconnector.documents.invoice import Allocation, Charge, ChargeKind, PaymentTerms, Tax
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import AmbiguousOutcome, Parked, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.exports import order_record
from airflow_provider_mlconnector.systems.jaggaer.fields import at, dumps
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.order_json import order_body
from airflow_provider_mlconnector.systems.jaggaer.order_plan import OrderPlanner
from airflow_provider_mlconnector.systems.jaggaer.order_senders import RouterOrders
from airflow_provider_mlconnector.systems.jaggaer.order_steps import Operation, OrderStep, order_step
from airflow_provider_mlconnector.systems.jaggaer.order_xml import order_message
from airflow_provider_mlconnector.systems.jaggaer.orders import decode
from airflow_provider_mlconnector.systems.jaggaer.resources import ExportContract
from airflow_provider_mlconnector.systems.jaggaer.router import Message, Status
from airflow_provider_mlconnector.systems.ports import Context, Known, OutcomeState, Plan

KNOWS = {"suppliers": None, "codes": None}
STAMP = "2026-11-01T08:00:00.000Z"


def planned(document: PurchaseOrder, *, known: Known | None = None, by_router: bool = False, **options: Any) -> Plan:
    contract = JaggaerContract.parse(options.pop("contract", None))
    planner = OrderPlanner(contract, JaggaerOptions(**options), by_router)
    return planner.plan(told(document), KNOWS, ours="MLC1", context=Context(document.source_key, known))


def step_of(document: PurchaseOrder, **options: Any) -> OrderStep:
    (draft,) = planned(document, **options).steps
    return order_step(draft)


def held(document: PurchaseOrder, revision_number: int = 0) -> Known:
    step = step_of(document)
    result = {"key": "700001", "revision_number": revision_number, "digest": step.digest}
    return Known(document.revision, document, result)


def sent(step: OrderStep, **contract: Any) -> tuple[dict[str, Any], str]:
    """Return the JSON record and the XML message of a revision."""
    parsed = JaggaerContract.parse(contract)
    body: dict[str, Any] = json.loads(dumps(order_body(step, parsed)))
    return body, xml.write(order_message(step, parsed, message_id="m").body)


# --- codecs -------------------------------------------------------------------------------------------------------

texts = (
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=30)
    .map(str.strip)
    .filter(bool)
)
codes = st.text("ABCDEFGHIJ0123456789-", min_size=1, max_size=12)
quantities = st.decimals("0.001", 999_999, places=3)
prices = st.decimals("-9999", "99999", places=5)


@st.composite
def splits(draw: st.DrawFn) -> tuple[Allocation, ...]:
    """Return splits by percentage; a code stands in all of them or in none, as a line's codes do."""
    count = draw(st.integers(1, 3))
    shares = (
        [Decimal(100)]
        if count == 1
        else [*([Decimal("0.5")] * (count - 1)), Decimal(100) - Decimal("0.5") * (count - 1)]
    )
    with_center = draw(st.booleans())
    return tuple(
        Allocation(account=draw(codes), cost_center=draw(codes) if with_center else "", percent=share)
        for share in shares
    )


@st.composite
def lines(draw: st.DrawFn, number: int) -> OrderLine:
    quantity, price = draw(quantities), draw(prices)
    return line(
        number,
        str(quantity),
        str(price),
        item=draw(st.one_of(st.just(""), codes)),
        description=draw(texts),
        unit=draw(st.sampled_from(["EA", "KG", "L"])),
        taxable=draw(st.sampled_from([None, True, False])),
        allocations=draw(st.one_of(st.just(()), splits())),
    )


@st.composite
def orders(draw: st.DrawFn) -> PurchaseOrder:
    numbers = draw(st.lists(st.integers(1, 9999), min_size=1, max_size=4, unique=True))
    return order(
        *(draw(lines(number)) for number in numbers),
        supplier_name=draw(texts),
        requester=draw(st.one_of(st.just(""), codes)),
        terms=draw(st.sampled_from([None, PaymentTerms(days=30)])),
    )


def compared(document: PurchaseOrder) -> dict[str, Any]:
    told_of = document.model_dump(exclude={"source_key", "revision", "revision_number", "total", "business_unit"})
    for each in told_of["lines"]:
        each.pop("amount")
        for share in each["allocations"]:
            share.pop("segments")
    return told_of


@given(orders())
def test_the_json_of_an_order_reads_back_as_the_order(document: PurchaseOrder) -> None:
    record = order_body(step_of(document), JaggaerContract())
    record["header"] |= {"poId": 1, "lastUpdate": STAMP}
    assert compared(decode(dumps(record))) == compared(document)


@given(orders())
def test_the_message_of_an_order_reads_back_as_the_order(document: PurchaseOrder) -> None:
    message = order_message(step_of(document), JaggaerContract(), message_id="m")
    element = xml.parse(xml.write(message.body).encode(), encoding="utf-8")
    record = order_record(element, STAMP, ExportContract())
    assert compared(decode(dumps(record))) == compared(document)


def test_an_orders_json_is_the_record_the_reference_proposes() -> None:
    body, _ = sent(
        step_of(
            order(
                line(taxes=(Tax(code="T", amount=Decimal("2.50")),)),
                charges=(
                    Charge(kind=ChargeKind.FREIGHT, amount=Decimal("5.00")),
                    Charge(kind=ChargeKind.MISCELLANEOUS, amount=Decimal("1.00"), name="Crating"),
                ),
                total=Decimal("208.50"),
            ),
            business_unit="PLANT1",
        )
    )
    header = body["header"]
    assert (header["poNumber"], header["status"], header["workflowStatus"]) == ("7700310", "Approved", "Completed")
    assert (header["businessUnit"], header["currency"], header["distributeRevision"]) == ("PLANT1", "USD", "true")
    assert header["supplier"] == {"supplierNumber": "V00042", "name": "Northbridge Tooling"}
    assert header["total"] == {"currency": "USD", "value": 208.5}
    assert (header["shippingCharge"], header["miscFeeList"]) == (5, {"miscFee": [{"name": "Crating", "fee": 1}]})
    (only,) = body["lineList"]["poLine"]
    assert (only["lineNumber"], only["quantity"], only["unitPrice"], only["taxCharge1"]) == (1, 10, 20, 2.5)
    assert only["requestedDeliveryDate"] == "2026-12-04T00:00:00.000Z"


def test_names_and_words_are_the_tenants() -> None:
    words = {"approved": {"state": "OK"}, "distribute": "header.mail.send"}
    body, _ = sent(step_of(order()), order_writes=words, purchase_orders={"revision": "header.rev"})
    assert (body["header"]["state"], body["header"]["mail"], body["header"]["rev"]) == ("OK", {"send": "true"}, 0)
    assert "status" not in body["header"]
    body, _ = sent(step_of(order()), order_writes={"distribute": ""})
    assert "distributeRevision" not in body["header"]


def test_an_orders_message_says_new_by_saying_nothing_and_never_holds_the_secret() -> None:
    _, written = sent(step_of(order(line(allocations=(part("51200", "CC10", amount=Decimal("200.00")),)))))
    root = xml.parse(written.encode(), encoding="utf-8")
    header = xml.child(root, "POHeader")
    assert header.get("type") is None
    assert [xml.name(each) for each in header][:3] == ["revisionnumber", "distributerevision", "ponumber"]
    values = xml.child(root, "POLine/CustomFieldValueSet")
    assert (values.get("name"), values.get("distributiontype")) == ("Account", "AmountOfPrice")
    assert dict(xml.child(values, "CustomFieldValue").attrib) == {"distributionvalue": "200.00", "splitindex": "1"}
    assert "SharedSecret" not in written


def test_what_a_message_cannot_carry_is_told() -> None:
    document = order(
        line(taxes=(Tax(code="T", amount=Decimal("2.50")),)),
        charges=(Charge(kind=ChargeKind.FREIGHT, amount=Decimal("5.00")),),
        terms=PaymentTerms(code="NET30"),
    )
    (draft,) = planned(document, by_router=True).steps
    assert [note.removeprefix("PurchaseOrderMessage has no place for ") for note in draft.payload["notes"]] == [
        "the terms code NET30",
        "freight 5.00",
        "tax 2.50 of line 1",
    ]
    assert planned(document).steps[0].payload["notes"] == []


def test_characters_xml_cannot_carry_become_blanks() -> None:
    _, written = sent(step_of(order(line(description="Drill\x0bbits\n<8mm> & \ud7ff"))))
    assert (
        xml.text(xml.parse(written.encode(), encoding="utf-8"), "POLine/Item/Description")
        == "Drill bits <8mm> & \ud7ff"
    )


# --- plans --------------------------------------------------------------------------------------------------------


def test_a_revision_is_one_more_than_jaggaer_holds() -> None:
    assert step_of(order()).revision_number == 0
    assert step_of(order(revision_number=4)).revision_number == 4
    step = step_of(order(line(1, "11"), revision="2"), known=held(order(), revision_number=7))
    assert (step.operation, step.revision_number) == (Operation.UPDATE, 8)


def test_each_revision_has_a_reference_of_its_own_and_the_first_is_the_number() -> None:
    first = planned(order(number="0000000310")).steps[0]
    assert first.remote_reference == "PO|310"
    later = planned(order(line(1, "11"), revision="2026-11-02"), known=held(order())).steps[0]
    assert later.remote_reference == "PO|7700310@2026-11-02"


def test_lines_that_vanished_or_were_canceled_are_taken_back_once() -> None:
    before = order(line(1), line(2), line(3, "0"))
    step = step_of(order(line(1), line(3, "0"), line(4, "0"), revision="2"), known=held(before))
    assert [(each.number, each.quantity) for each in step.order.lines] == [(1, 10), (2, 0)]
    (gone,) = [each for each in step.order.lines if each.is_canceled]
    assert (gone.unit, gone.allocations) == ("", ())


@pytest.mark.parametrize(
    ("document", "known", "code"),
    [
        (order(supplier="V00007", revision="2"), order(), "supplier_changed"),
        (order(number="7700311", revision="2"), order(), "number_changed"),
        (order(revision="2"), order(status=OrderStatus.CANCELED), "order_closed"),
    ],
)
def test_what_no_revision_can_say_is_for_a_person(document: PurchaseOrder, known: PurchaseOrder, code: str) -> None:
    result = {"key": "700001", "revision_number": 0}
    with pytest.raises(Parked) as raised:
        planned(document, known=Known("1", known, result))
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (order().model_copy(update={"lines": ()}), "no_lines"),
        (order(line(1), line(1)), "duplicate_line"),
        (order(currency="XXZ"), "unknown_currency"),
        (order(line(allocations=(part(amount=Decimal("200.001")),))), "too_many_decimals"),
    ],
)
def test_what_is_no_order_is_refused(document: PurchaseOrder, code: str) -> None:
    with pytest.raises(Rejected) as raised:
        planned(document)
    assert raised.value.code == code


@pytest.mark.parametrize("entry", [None, {"number": "V00042", "name": "N", "active": False}])
def test_a_supplier_jaggaer_does_not_know_or_use_waits(entry: dict[str, Any] | None) -> None:
    planner = OrderPlanner(JaggaerContract(), JaggaerOptions(), by_router=False)
    reference = {"suppliers": {"V00042": entry} if entry else {}, "codes": None}
    with pytest.raises(Parked) as raised:
        planner.plan(told(order()), reference, ours="MLC1", context=Context())
    assert raised.value.code == ("supplier_inactive" if entry else "supplier_unknown")


def test_the_supplier_goes_by_jaggaers_spelling() -> None:
    planner = OrderPlanner(JaggaerContract(), JaggaerOptions(), by_router=False)
    reference = {"suppliers": {"V00042": {"number": "v00042", "name": "Ours", "active": True}}, "codes": None}
    (draft,) = planner.plan(told(order()), reference, ours="MLC1", context=Context()).steps
    assert (order_step(draft).order.supplier, order_step(draft).order.supplier_name) == ("v00042", "Ours")


# --- answers of the router ----------------------------------------------------------------------------------------


class Answering:
    """A router that answers one status."""

    def __init__(self, status: Status) -> None:
        self.status = status

    def send(self, message: Message, **_how: Any) -> Status:
        assert message.root == "PurchaseOrderMessage"
        return self.status


class Tenant:
    """A client of which only the contract is asked."""

    contract = JaggaerContract()


def answered(code: str, said: str, **errors: list[str]) -> Any:
    router = Answering(Status(code, said, errors, said))
    sender = RouterOrders(Tenant(), router)  # type: ignore[arg-type]
    return sender.send(step_of(order()), message_id="m", fence=FENCE)


def test_success_is_the_word_whatever_its_case() -> None:
    assert answered("200", "Success").state is OutcomeState.POSTED


def test_errors_beside_a_success_are_a_refusal_in_the_routers_words() -> None:
    outcome = answered("200", "success", **{"7700310": ["line 1: no such commodity"]})
    assert (outcome.state, outcome.subject) == (OutcomeState.REFUSED, "7700310")
    assert "line 1: no such commodity" in outcome.text
    assert answered("406", "failed").code == "router_406"


def test_neither_success_nor_error_is_looked_up() -> None:
    with pytest.raises(AmbiguousOutcome, match="neither success nor an error"):
        answered("200", "queued")


def test_a_missing_custom_field_waits_for_the_tenant() -> None:
    text = "No custom field found with the name in document configuration (Fund)"
    outcome = answered("406", "failed", **{"7700310": [text]})
    assert (outcome.code, outcome.subject, outcome.parked) == ("custom_field_missing", "Fund", True)


def test_a_canceled_order_is_a_header_in_xml_and_empty_lines_in_json() -> None:
    step = step_of(order(status=OrderStatus.CANCELED, revision="2"), known=held(order()))
    body, written = sent(step)
    root = xml.parse(written.encode(), encoding="utf-8")
    assert xml.child(root, "POHeader").get("type") == "cancel"
    assert xml.child(root, "POLine") is None
    assert at(body, "header.status") == "Cancelled"
    assert [each["quantity"] for each in body["lineList"]["poLine"]] == [0]
