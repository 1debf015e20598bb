"""Orders of the ledger into the simulated tenant over real HTTP, by REST and by the XML router."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from support.flow import ShiftedClock, fresh_store
from support.into_jaggaer import FENCE, Rig, client_of, route, router_of, writes
from support.purchases import CODES, line, order, part, told

from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.orders import Order, Seen
from airflow_provider_mlconnector.sync.replay import Replay, Selection
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.order_target import JaggaerOrderTarget
from airflow_provider_mlconnector.systems.jaggaer.orders import JaggaerOrderSource
from airflow_provider_mlconnector.systems.ports import FoundState, OutcomeState, StepKind, Window

NUMBER = "7700310"
CALLS = {"j1p": "UpsertPurchaseOrder", "router": "RouterPurchaseOrders"}
WAYS = pytest.mark.parametrize("way", sorted(CALLS))


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
def options() -> dict[str, Any]:
    """Choices of the route that a test may change before the first run."""
    return {"business_unit": "PLANT1"}


@pytest.fixture
def rig(sandbox: RunningSandbox, store: Store, clock: ShiftedClock, way: str, options: dict[str, Any]) -> Rig:
    def target(client: Any) -> JaggaerOrderTarget:
        chosen = JaggaerOptions(orders_by=way, **options)  # type: ignore[arg-type]
        return JaggaerOrderTarget("jaggaer", client, chosen, router=router_of(sandbox, clock=clock))

    return Rig(sandbox, store, clock, route("purchase_order"), target, mapping=CODES)


def fault(sandbox: RunningSandbox, kind: str, call: str, **rule: Any) -> None:
    rule = {"kind": kind, "system": "jaggaer", "call": call, "times": 1, **rule}
    requests.post(f"{sandbox.url}/_sandbox/faults", json=[rule], timeout=10).raise_for_status()


def held(sandbox: RunningSandbox) -> dict[str, Any]:
    (row,) = [row for row in sandbox.app.jaggaer.ledger()["purchase_orders"] if row["number"].endswith(NUMBER)]
    found: dict[str, Any] = row
    return found


def tellings(sandbox: RunningSandbox) -> list[tuple[int, str, bool]]:
    """Return what suppliers were told: revision, event, whether it was distributed."""
    return [(state["revision"], state["event"], state["distributed"]) for state in held(sandbox)["states"]]


def arrived(sandbox: RunningSandbox, count: int) -> None:
    """Wait until the tenant has acted on what it was sent late."""
    end = time.monotonic() + 10
    while len(writes(sandbox)) < count:
        assert time.monotonic() < end, "the late commit never came"
        time.sleep(0.02)


def as_read(sandbox: RunningSandbox) -> PurchaseOrder:
    """Return the order as our own source reads it back."""
    source = JaggaerOrderSource(client_of(sandbox))
    (record,) = [record for page in source.pages(Window()) for record in page.records]
    return source.decode(source.complete(record).payload)


def changed(*lines: Any, revision: str = "2026-11-02T08:00:00", **changes: Any) -> PurchaseOrder:
    return order(*lines, revision=revision, **changes)


# --- the usual course ---------------------------------------------------------------------------------------------


@WAYS
def test_an_order_arrives_approved_in_jaggaers_codes(rig: Rig, sandbox: RunningSandbox, way: str) -> None:
    parts = (part(percent=Decimal(60)), part("5130", "20", percent=Decimal(40)))
    rig.give(order(line(), line(2, "3", "1.50", allocations=parts)))
    rig.all()
    assert rig.state(NUMBER) == "posted"
    there = as_read(sandbox)
    assert (there.number, there.supplier, there.currency, there.status) == (
        f"000{NUMBER}",
        "V00042",
        "USD",
        OrderStatus.APPROVED,
    )
    assert [(each.number, each.quantity, each.unit_price, each.unit) for each in there.lines] == [
        (1, 10, 20, "EA"),
        (2, 3, Decimal("1.5"), "EA"),
    ]
    assert [(each.account, each.cost_center, each.percent) for each in there.lines[1].allocations] == [
        ("51200", "CC10", 60),
        ("51300", "CC20", 40),
    ]
    assert there.lines[0].item == "DB-1"
    assert there.terms is not None
    assert there.terms.days == 30
    if way == "j1p":
        assert (there.terms.code, there.business_unit) == ("NET30", "PLANT1")
    assert tellings(sandbox) == [(0, "new", True)]
    assert rig.newest(NUMBER).target_reference == str(held(sandbox)["po_id"])


@WAYS
def test_a_second_run_writes_nothing(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(order())
    rig.all()
    rig.all()
    assert len(writes(sandbox)) == 1


@WAYS
def test_a_changed_order_is_the_next_revision_and_lines_no_longer_wanted_are_canceled(
    rig: Rig, sandbox: RunningSandbox
) -> None:
    rig.give(order(line(), line(2), line(3)))
    rig.all()
    rig.give(changed(line(1, "12"), line(2, "0"), line(4, "7")))
    rig.all()
    there = {each.number: each.quantity for each in as_read(sandbox).lines}
    assert there == {1: 12, 2: 0, 3: 0, 4: 7}
    assert tellings(sandbox) == [(0, "new", True), (1, "update", True)]
    rig.give(changed(line(1, "13"), line(4, "7"), revision="2026-11-03T08:00:00"))
    rig.all()
    assert tellings(sandbox)[2:] == [(2, "update", True)]
    assert rig.state(NUMBER) == "posted"


@WAYS
@pytest.mark.parametrize("how", ["header", "lines"])
def test_a_canceled_order_is_canceled_and_does_not_come_back(rig: Rig, sandbox: RunningSandbox, how: str) -> None:
    rig.give(order(line(), line(2)))
    rig.all()
    gone = changed(status=OrderStatus.CANCELED) if how == "header" else changed(line(1, "0"), line(2, "0"))
    rig.give(gone)
    rig.all()
    assert (rig.state(NUMBER), held(sandbox)["status"]) == ("posted", "Cancelled")
    rig.give(changed(status=OrderStatus.CANCELED, notes="again", revision="2026-11-03T08:00:00"))
    rig.all()
    assert rig.state(NUMBER) == "skipped"
    rig.give(changed(line(), revision="2026-11-04T08:00:00"))
    rig.all()
    assert (rig.state(NUMBER), rig.newest(NUMBER).reason_code) == ("parked", "order_closed")
    assert [event for _revision, event, _told in tellings(sandbox)] == ["new", "cancel"]


def test_what_jaggaer_does_not_keep_makes_no_revision_there(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(order())
    rig.all()
    rig.give(changed(notes="call before delivery"))
    rig.all()
    rig.give(changed(status=OrderStatus.CLOSED, revision="2026-11-03T08:00:00"))
    rig.all()
    assert rig.state(NUMBER) == "skipped"
    assert tellings(sandbox) == [(0, "new", True)]
    rig.give(changed(line(allocations=(part("5130"),)), revision="2026-11-04T08:00:00"))
    rig.all()
    assert tellings(sandbox)[1:] == [(1, "update", True)]
    assert as_read(sandbox).lines[0].allocations[0].account == "51300"


@pytest.mark.parametrize("options", [{"distribute_orders": False}])
@WAYS
def test_suppliers_are_not_told_where_the_route_says_so(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(order())
    rig.all()
    rig.give(changed(line(1, "12")))
    rig.all()
    assert [was_told for _revision, _event, was_told in tellings(sandbox)] == [False, False]


@pytest.mark.parametrize("status", [OrderStatus.CANCELED, OrderStatus.CLOSED])
def test_what_was_over_before_it_was_ever_sent_is_not_sent(
    rig: Rig, sandbox: RunningSandbox, status: OrderStatus
) -> None:
    rig.give(order(status=status))
    rig.all()
    assert rig.state(NUMBER) == "skipped"
    assert writes(sandbox) == []


# --- found is not ours --------------------------------------------------------------------------------------------


def by_hand(sandbox: RunningSandbox, document: PurchaseOrder) -> None:
    """Write an order as somebody else would, and forget about it."""
    target = JaggaerOrderTarget("jaggaer", client_of(sandbox), JaggaerOptions())
    reference = {"suppliers": None, "codes": None}
    (step,) = target.plan(told(document), reference, our_reference="OTHER").steps
    with target.session() as session:
        (outcome,) = session.post([step], fence=FENCE)
    assert outcome.state is OutcomeState.POSTED


def test_the_same_order_entered_by_hand_is_linked_and_then_kept_in_step(rig: Rig, sandbox: RunningSandbox) -> None:
    by_hand(sandbox, order(line(allocations=(part("51200", "CC10"),))))
    rig.give(order())
    rig.all()
    assert (rig.state(NUMBER), len(writes(sandbox))) == ("linked", 1)
    assert "other accounts" not in rig.newest(NUMBER).reason
    rig.give(changed(notes="nothing else"))
    rig.all()
    assert rig.state(NUMBER) == "skipped"
    rig.give(changed(line(1, "12"), revision="2026-11-03T08:00:00"))
    rig.all()
    assert rig.state(NUMBER) == "posted"
    assert tellings(sandbox)[1:] == [(1, "update", True)]


def test_an_order_entered_by_hand_with_other_codes_is_linked_and_said_and_corrected_by_the_next_revision(
    rig: Rig, sandbox: RunningSandbox
) -> None:
    by_hand(sandbox, order(line(allocations=(part("53000", "CC10"),))))
    rig.give(order())
    rig.all()
    assert rig.state(NUMBER) == "linked"
    assert "other accounts or cost centers on line 1" in rig.newest(NUMBER).reason
    rig.give(changed(notes="nothing else"))
    rig.all()
    assert as_read(sandbox).lines[0].allocations[0].account == "51200"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (order(line(1, "11")), "line 1 is 11 at 20"),
        (order(line(), line(2)), "line 2 is 10 at 20"),
        (order(supplier="V00007"), "supplier is V00007"),
        (order(currency="EUR"), "currency is EUR"),
    ],
)
def test_another_order_under_the_number_is_rejected(
    rig: Rig, sandbox: RunningSandbox, other: PurchaseOrder, said: str
) -> None:
    by_hand(sandbox, other)
    rig.give(order())
    rig.all()
    newest = rig.newest(NUMBER)
    assert (newest.state, newest.reason_code) == ("rejected", "number_already_used")
    assert said in newest.reason
    assert len(writes(sandbox)) == 1


# --- checked before it leaves -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "code", "subject"),
    [
        (order(supplier="V99999"), "supplier_unknown", "V99999"),
        (order(supplier=""), "supplier_unknown", ""),
        (order(currency="GBP"), "unmapped_currency", "GBP"),
    ],
)
def test_what_jaggaer_does_not_know_waits(
    rig: Rig, sandbox: RunningSandbox, document: PurchaseOrder, code: str, subject: str
) -> None:
    rig.give(document)
    rig.all()
    newest = rig.newest(NUMBER)
    assert (newest.state, newest.reason_code, newest.reason_subject) == ("parked", code, subject)
    assert writes(sandbox) == []


def test_accounts_and_cost_centers_must_be_active_in_the_tenants_code_lists(rig: Rig, sandbox: RunningSandbox) -> None:
    client = client_of(sandbox)
    resource = client.contract.gl_codes

    def keep(field: str, value: str, active: str, unit: str = "PLANT1") -> None:
        body = {resource.field: field, resource.value: value, resource.active: active, "businessUnit": unit}
        outer, inner = resource.items.split(".")
        answer = requests.post(
            sandbox.url + resource.upsert,
            json={outer: {inner: [body]}},
            headers={"Authorization": f"Bearer {client.tokens.token()}"},
            timeout=10,
        )
        assert answer.json()["returnCode"] in (0, "0"), answer.text

    keep("CostCenter", "CC10", "false")
    rig.give(order(line(allocations=(part("9999"),))))
    rig.all()
    assert (rig.newest(NUMBER).reason_code, rig.newest(NUMBER).reason_subject) == ("unknown_account", "9999")
    keep("Account", "9999", "true")
    rig.all()
    assert (rig.newest(NUMBER).reason_code, rig.newest(NUMBER).reason_subject) == ("inactive_cost_center", "CC10")
    keep("CostCenter", "CC10", "true")
    keep("CostCenter", "CC10", "false", unit="PLANT2")
    rig.all()
    assert rig.state(NUMBER) == "posted"


# --- what gets lost -----------------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("kind", ["reset_after", "cut_body", "html_after", "late_commit"])
@pytest.mark.parametrize("operation", ["new", "update", "cancel"])
def test_an_order_whose_answer_was_lost_is_found_and_never_sent_again(
    rig: Rig, sandbox: RunningSandbox, way: str, kind: str, operation: str
) -> None:
    documents = {"update": changed(line(1, "12")), "cancel": changed(status=OrderStatus.CANCELED)}
    if operation != "new":
        rig.give(order())
        rig.all()
    fault(sandbox, kind, CALLS[way], **({"seconds": 0.2} if kind == "late_commit" else {}))
    rig.give(documents.get(operation, order()))
    rig.all()
    if kind == "late_commit":
        arrived(sandbox, 1 if operation == "new" else 2)
        rig.clock.advance(1000)
        rig.all()
    assert rig.state(NUMBER) == "posted"
    assert [event for _revision, event, _told in tellings(sandbox)][-1] == operation
    assert len(tellings(sandbox)) == (1 if operation == "new" else 2)


@WAYS
@pytest.mark.parametrize("operation", ["new", "update"])
def test_an_order_that_may_have_reached_its_supplier_is_for_a_person(
    rig: Rig, sandbox: RunningSandbox, way: str, operation: str
) -> None:
    if operation == "update":
        rig.give(order())
        rig.all()
    before = len(writes(sandbox))
    fault(sandbox, "reset_before", CALLS[way])
    rig.give(order() if operation == "new" else changed(line(1, "12")))
    rig.all()
    for _run in range(3):
        rig.clock.advance(1800)
        rig.all()
    newest = rig.newest(NUMBER)
    assert (newest.state, newest.reason_code) == ("uncertain", "needs_a_person")
    assert "may have been told" in newest.reason
    assert len(writes(sandbox)) == before


def test_a_person_who_looked_in_jaggaer_has_the_order_sent_again(rig: Rig, sandbox: RunningSandbox) -> None:
    fault(sandbox, "reset_before", CALLS["j1p"])
    rig.give(order())
    rig.all()
    rig.clock.advance(1800)
    rig.all()
    word = Order("not in JAGGAER, and the supplier got no mail", seen=Seen.ABSENT)
    replay = Replay(rig.store, Actor(user="anna"), word, batch_id="replay.1", clock=rig.clock)
    (done,) = replay.run(replay.survey(Selection(keys=(NUMBER,))))
    assert not done.refused, done.text
    rig.all()
    assert rig.state(NUMBER) == "posted"
    assert tellings(sandbox) == [(0, "new", True)]


@WAYS
@pytest.mark.parametrize("options", [{"unclear_orders": "repeat"}])
def test_a_route_may_choose_to_repeat_what_two_looks_did_not_find(rig: Rig, sandbox: RunningSandbox, way: str) -> None:
    fault(sandbox, "reset_before", CALLS[way])
    rig.give(order())
    rig.all()
    assert (rig.state(NUMBER), writes(sandbox)) == ("uncertain", [])
    rig.clock.advance(1000)
    rig.all()
    rig.all()
    assert rig.state(NUMBER) == "posted"
    assert tellings(sandbox) == [(0, "new", True)]


@WAYS
@pytest.mark.parametrize("options", [{"distribute_orders": False}])
def test_what_reaches_nobody_is_repeated_by_itself(rig: Rig, sandbox: RunningSandbox, way: str) -> None:
    fault(sandbox, "reset_before", CALLS[way])
    rig.give(order())
    rig.all()
    rig.all()
    assert rig.state(NUMBER) == "posted"
    assert tellings(sandbox) == [(0, "new", False)]


@WAYS
def test_too_many_requests_and_a_withdrawn_token_cost_no_second_telling(
    rig: Rig, sandbox: RunningSandbox, way: str
) -> None:
    fault(sandbox, "rate_limit", CALLS[way], retry_after=1)
    if way == "j1p":
        fault(sandbox, "token_kill", CALLS[way])
    rig.give(order())
    rig.all()
    assert rig.state(NUMBER) == "posted"
    assert tellings(sandbox) == [(0, "new", True)]


def test_an_order_that_was_written_stays_written_though_its_key_cannot_be_read(
    rig: Rig, sandbox: RunningSandbox
) -> None:
    # by the router the key is read from the list afterwards
    target = JaggaerOrderTarget(
        "jaggaer",
        client_of(sandbox, clock=ShiftedClock()),
        JaggaerOptions(orders_by="router"),
        router=router_of(sandbox),
    )
    (step,) = target.plan(told(order()), {"suppliers": None, "codes": None}, our_reference="MLC1").steps
    fault(sandbox, "status", "ListPurchaseOrders", times=9)
    with target.session() as session:
        (outcome,) = session.post([step], fence=FENCE)
    assert (outcome.state, outcome.result["revision_number"]) == (OutcomeState.POSTED, 0)
    assert "key" not in outcome.result


def test_without_a_list_a_lost_answer_is_for_a_person(sandbox: RunningSandbox) -> None:
    client = client_of(sandbox, purchase_orders={"list": ""})
    target = JaggaerOrderTarget("jaggaer", client, JaggaerOptions(unclear_orders="repeat"))
    (step,) = target.plan(told(order()), {"suppliers": None, "codes": None}, our_reference="MLC1").steps
    assert step.kind is StepKind.DELTA
    with target.session() as session:
        assert session.find([step])[0].state is FoundState.ABSENT
        assert session.find([step], settling=True)[0].state is FoundState.UNKNOWN
        assert session.post([step], fence=FENCE)[0].state is OutcomeState.POSTED


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["router"])
@pytest.mark.parametrize("sandbox", [{"order_custom_fields": ["Account", "BusinessUnit"]}], indirect=True)
def test_a_custom_field_the_tenant_has_not_configured_is_named(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(order())
    rig.all()
    newest = rig.newest(NUMBER)
    assert (newest.state, newest.reason_code, newest.reason_subject) == ("parked", "custom_field_missing", "CostCenter")
    assert "have it configured there" in newest.reason
    rig.contract = {"segments": {"cost_center": ""}}
    rig.all()
    assert rig.state(NUMBER) == "posted"


@pytest.mark.parametrize("way", ["router"])
def test_segments_leave_only_where_the_contract_names_them(rig: Rig, sandbox: RunningSandbox) -> None:
    coded = part(segments={"Project": "P7", "Grant": "G1"})
    rig.contract = {"order_writes": {"custom_fields": ["Project"]}}
    rig.give(order(line(allocations=(coded,))))
    rig.all()
    assert rig.state(NUMBER) == "posted"  # Grant would have been refused
    rig.contract = {"order_writes": {"custom_fields": ["Project", "Grant"]}}
    rig.give(changed(line(1, "12", allocations=(coded,))))
    rig.all()
    assert rig.newest(NUMBER).reason_subject == "Grant"


@WAYS
def test_an_address_that_takes_no_orders_is_a_wrong_setting_and_nothing_was_done(
    rig: Rig, sandbox: RunningSandbox, way: str
) -> None:
    wrong = {
        "order_writes": {"path": "/apps/Elsewhere"},
        "purchase_orders": {"upsert": "/j1p/api/public/ji/v1/nowhere"},
    }
    rig.contract = wrong
    rig.give(order())
    with pytest.raises(ConfigurationError, match=r"Router URL|the contract's paths"):
        rig.all()
    assert rig.state(NUMBER) == "validated"
    rig.contract = {}
    rig.all()
    assert rig.state(NUMBER) == "posted"
    assert tellings(sandbox) == [(0, "new", True)]
