"""Vouchers through the whole pipeline: workers die and answers get lost anywhere, and there is one whole voucher."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.csi_samples import csi, options
from support.fake_csi import FakeCsi, Fault
from support.pipeline import Pipeline
from support.remote import FakeClock, FakeSource, Killed, invoice
from support.stores import upgraded

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.mappings import MappingText
from airflow_provider_mlconnector.systems.cloudsuite.csi.vouchers import CsiVoucherTarget

MAPPING = MappingText(
    origin="test",
    text="""
business_units:
  PLANT1: {company: ACME_TST_MAIN}
currencies: {USD: USD}
accounts: {"51200": "51200", "51300": "51300"}
cost_centers:
  mode: analysis
  analysis_category: unit
  map: {CC10: "100", CC20: "200"}
""",
)
WRITES = ("update SLAptrxs", "update SLAptrxds", "update SLAptrxds", "update SLAptrxs")
"""Of one invoice of two lines: header, distributions, release."""


class Site:
    """A pipeline into a configuration in memory, which watches that no half voucher can be posted."""

    def __init__(self, store: Store, clock: FakeClock, **choices: Any) -> None:
        self.fake = csi()
        self.fake.timeout = 30.0  # claims of these tests live for a minute
        self.target: Any = CsiVoucherTarget("ledger", self.fake, options(**choices))
        self.pipeline = Pipeline(store, clock, FakeSource(clock=clock), self.target, mapping=MAPPING)
        self.pipeline.source.put(body())
        self.fake.before = self.watch
        self.writes = 0

    def watch(self, name: str) -> None:
        """At every request, released vouchers are whole."""
        for row in self.fake.rows("SLAptrxs", "BGPostingStat = 'A'"):
            lines = self.fake.rows("SLAptrxds", f"Voucher = {row['Voucher']}")
            assert sum(line["Amount"] for line in lines) == row["InvAmt"], f"a half voucher before {name}"

    def run(self) -> dict[str, State]:
        """One DAG run, later than the last one's claims."""
        self.pipeline.clock.sleep(3600)
        self.pipeline.all()
        return self.pipeline.states()

    def dies_in(self, error: BaseException, nth: int, act: str) -> None:
        """The worker is gone in the middle of its ``nth`` write, before or after it was carried out."""
        name = WRITES[nth]
        place = WRITES[: nth + 1].count(name)
        self.fake.faults.append(Fault(name, act, place, error=error))

    def whole(self) -> None:
        """There is exactly one voucher, complete."""
        (row,) = self.fake.rows("SLAptrxs") or self.fake.rows("SLAptrxps")
        assert row["InvAmt"] == 100
        if self.fake.rows("SLAptrxs"):
            lines = [(line["DistSeq"], line["Acct"], line["AcctUnit1"]) for line in self.fake.rows("SLAptrxds")]
            assert lines == [(5, "51200", "100"), (10, "51300", "200")]


def body(key: str = "NB-1", **changes: Any) -> dict[str, Any]:
    lines = [
        {
            "number": number,
            "quantity": "1",
            "unit_price": amount,
            "amount": amount,
            "allocations": [{"account": account, "cost_center": center, "percent": "100"}],
        }
        for number, (amount, account, center) in enumerate((("60.00", "51200", "CC10"), ("40.00", "51300", "CC20")), 1)
    ]
    return invoice(key, **{"supplier": "V00042", "due_date": "2026-12-10", "lines": lines, **changes})


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    stores: list[Store] = []

    def new(**choices: Any) -> Site:
        clock = FakeClock()
        path = tmp_path / f"store{len(stores)}.db"
        store = Store.open(f"sqlite:///{path}", KeyRing.derive("test-only"), clock=clock)
        upgraded(store)
        stores.append(store)
        return Site(store, clock, **choices)

    yield new
    for store in stores:
        store.close()


def reason(site: Site) -> str:
    return site.pipeline.documents()["NB-1"].reason


def test_an_invoice_is_accepted_when_released_and_posted_when_the_ledger_has_it(make: Callable[..., Site]) -> None:
    site = make()
    assert site.run() == {"NB-1": State.ACCEPTED}
    site.whole()
    site.fake.post_vouchers()
    assert site.run() == {"NB-1": State.POSTED}
    assert "GL booked" in site.pipeline.documents()["NB-1"].target_reference
    with site.pipeline.store.unit_of_work(Actor(user="test")) as uow:
        assert uow.crosswalk.right("invoice", "", "src", "ledger", ["NB-1"]) == {"NB-1": "V00042|501"}


def test_a_second_run_waits_and_sends_nothing(make: Callable[..., Site]) -> None:
    site = make()
    site.run()
    before = [name for name in site.fake.requests if name.startswith("update")]
    assert site.run() == {"NB-1": State.ACCEPTED}
    assert [name for name in site.fake.requests if name.startswith("update")] == before == list(WRITES)


def test_a_dry_run_writes_nothing(make: Callable[..., Site]) -> None:
    site = make()
    site.pipeline.all(preview_id="preview1")
    assert not [name for name in site.fake.requests if name.startswith("update")]
    assert site.run() == {"NB-1": State.ACCEPTED}


@pytest.mark.parametrize("act", ["raise", "raise_after"])
@pytest.mark.parametrize("nth", range(len(WRITES)))
def test_a_worker_that_dies_in_any_write_leaves_no_half_voucher_and_no_second_one(
    make: Callable[..., Site], nth: int, act: str
) -> None:
    site = make()
    site.dies_in(Killed(), nth, act)
    with pytest.raises(Killed):
        site.run()
    site.fake.post_vouchers()
    states = {site.run()["NB-1"]}
    if (nth, act) == (0, "raise"):
        assert states == {State.UNCERTAIN}  # nobody knows whether the header is still on its way: a person looks
        assert not site.fake.rows("SLAptrxs")
        return
    assert states <= {State.ACCEPTED, State.POSTED}
    site.whole()


@pytest.mark.parametrize("act", ["lost_before", "lost_after"])
@pytest.mark.parametrize("nth", range(len(WRITES)))
def test_an_answer_lost_anywhere_is_settled(make: Callable[..., Site], nth: int, act: str) -> None:
    site = make()
    name = WRITES[nth]
    site.fake.faults.append(Fault(name, act, WRITES[: nth + 1].count(name)))
    state = site.run()["NB-1"]  # the sensor of the same run settles it
    if (nth, act) == (0, "lost_before"):
        assert state is State.UNCERTAIN
        assert not site.fake.rows("SLAptrxs")
        return
    assert state is State.ACCEPTED
    site.whole()


def test_a_site_may_let_a_second_look_be_enough(make: Callable[..., Site]) -> None:
    site = make(voucher_repost="second_look")
    site.fake.faults.append(Fault(WRITES[0], "lost_before"))
    assert site.run() == {"NB-1": State.UNCERTAIN}
    assert site.run() == {"NB-1": State.ACCEPTED}
    site.whole()


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("looked_up", 2),
        ("after_intent", 1),
        ("after_intent", 2),
        ("after_intent", 3),
        ("after_response", 1),
        ("after_state", 3),
    ],
)
def test_a_worker_that_dies_between_the_steps_resumes_where_it_was(
    make: Callable[..., Site], point: str, nth: int
) -> None:
    site = make()
    seen = [0]

    def dies(here: str) -> bool:
        seen[0] += here == point
        return here == point and seen[0] == nth

    site.pipeline.dies = dies
    try:
        first = site.run()
    except Killed:
        first = {}
    site.pipeline.dies = lambda _point: False
    assert first or seen[0] == nth
    states = {site.run()["NB-1"]}
    if (point, nth) == ("after_intent", 1):
        assert states == {State.UNCERTAIN}
        assert not site.fake.rows("SLAptrxs")
        return
    assert states == {State.ACCEPTED}
    site.whole()


def test_a_refused_distribution_fails_and_is_finished_once_its_cause_is_gone(make: Callable[..., Site]) -> None:
    site = make()
    site.fake.faults.append(Fault("update SLAptrxds", "refuse", 2, words="Account is not valid"))
    assert site.run() == {"NB-1": State.FAILED}
    assert "voucher 501 stays on hold" in reason(site)
    site.fake.post_vouchers()
    assert len(site.fake.rows("SLAptrxs")) == 1


def test_a_voucher_changed_by_a_person_is_parked_and_released_once_it_is_changed_back(
    make: Callable[..., Site],
) -> None:
    site = make()
    watch = site.fake.before
    changed: list[str] = []

    def person(name: str) -> None:
        assert watch is not None
        watch(name)
        if name == "update SLAptrxds" and not changed:
            changed.append(name)
            site.fake.change("SLAptrxs", "1=1", InvAmt=101)

    site.fake.before = person
    assert site.run() == {"NB-1": State.PARKED}
    assert "InvAmt 101 there, 100.00 here" in reason(site) or "add up to" in reason(site)
    assert site.run() == {"NB-1": State.PARKED}
    site.fake.change("SLAptrxs", "1=1", InvAmt=100)
    assert site.run() == {"NB-1": State.ACCEPTED}
    site.whole()


def test_one_typed_in_by_hand_is_linked_and_one_deleted_after_release_fails(make: Callable[..., Site]) -> None:
    site = make()
    row = {"VendNum": " V00042", "Voucher": 9, "Type": "V", "InvNum": "NB-1", "InvDate": "20261110 00:00:00.000"}
    site.fake.put("SLAptrxps", **row, InvAmt=100)
    site.pipeline.source.put(body("NB-2"))
    assert site.run() == {"NB-1": State.LINKED, "NB-2": State.ACCEPTED}
    site.fake.delete("SLAptrxs")
    assert site.run()["NB-2"] is State.FAILED
    assert site.run()["NB-2"] is State.FAILED
    assert not site.fake.rows("SLAptrxs")


def test_an_invoice_of_more_lines_than_a_claim_allows_is_gone_on_with_by_key(make: Callable[..., Site]) -> None:
    site = make()
    watch = site.fake.before

    def slow(name: str) -> None:
        assert watch is not None
        watch(name)
        if name == "update SLAptrxds":
            site.pipeline.clock.sleep(25)  # two of them outlive what a claim of a minute leaves a request

    site.fake.before = slow
    lines = [body()["lines"][0] | {"number": n, "allocations": [_coding(n)]} for n in range(1, 6)]
    site.pipeline.source.put(body("NB-1", lines=lines, gross="300.00"))
    states = [site.run()["NB-1"] for _ in range(4)]
    assert states[-1] is State.ACCEPTED
    assert [row["DistSeq"] for row in site.fake.rows("SLAptrxds")] == [5, 10, 15, 20]


def _coding(number: int) -> dict[str, Any]:
    account, center = (("51200", "51300")[number % 2], ("CC10", "CC20")[number // 3])
    return {"account": account, "cost_center": center, "percent": "100"}


def test_many_invoices_go_in_waves_of_steps(make: Callable[..., Site]) -> None:
    site = make()
    site.pipeline.source.put(*(body(f"NB-{number}") for number in range(2, 8)))
    assert set(site.run().values()) == {State.ACCEPTED}
    assert len(site.fake.rows("SLAptrxs")) == 7
    assert len(site.fake.rows("SLAptrxds")) == 14


def test_what_two_workers_would_number_alike_waits_for_the_lease(make: Callable[..., Site]) -> None:
    site = make(voucher_numbering="max_plus_one")
    site.pipeline.source.put(body("NB-2"))
    assert set(site.run().values()) == {State.ACCEPTED}
    assert [row["Voucher"] for row in site.fake.rows("SLAptrxs")] == [1, 2]


def test_the_fake_sees_a_half_voucher(make: Callable[..., Site]) -> None:
    site = make()
    fake: FakeCsi = site.fake
    fake.hold_kept = False
    with pytest.raises(AssertionError, match="a half voucher"):
        site.run()
