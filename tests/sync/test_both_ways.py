"""Invoices run both ways: one that came from the other side never goes back, whatever happens (FINANCE §7)."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from support.mirror import BothWays, both_ways
from support.pipeline import Pipeline
from support.remote import Killed

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import Retriable
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.systems.ports import Eligibility, OutcomeState

SEEDS = 25
POINTS = (
    "page",
    "after_watermark",
    "validated",
    "claimed",
    "looked_up",
    "after_intent",
    "after_response",
    "after_state",
    "settled",
)
TASKS = ("extract", "plan", "validate", "post", "settle")


@pytest.fixture
def pair(pipeline: Pipeline) -> BothWays:
    """Return both routes over an empty store."""
    return both_ways(pipeline.store, pipeline.clock)


def issues(pair: BothWays, route: str) -> list[tuple[str, str]]:
    with pair.there.store.unit_of_work(Actor(user="test")) as uow:
        return [(issue.code, issue.text) for issue in uow.issues.list(route) if not issue.documents]


def crosswalk(pair: BothWays, left: str, right: str) -> list[tuple[str, str]]:
    with pair.there.store.unit_of_work(Actor(user="test")) as uow:
        return uow.crosswalk.pairs("invoice", "", left, right)


def nothing_twice(pair: BothWays) -> None:
    for side in (pair.into_a, pair.into_b):
        assert {key: count for key, count in side.there().items() if count > 1} == {}


@pytest.mark.parametrize("tells_keys", [True, False])
def test_an_invoice_brought_to_the_other_side_does_not_come_back(pair: BothWays, tells_keys: bool) -> None:
    pair.into_b.tells_keys = tells_keys
    pair.a.type_in("NB-1")
    pair.exchange(3)
    assert pair.states() == {"A1": "posted", "B1": "skipped:echo"}
    assert (pair.into_a.attempts, len(pair.into_b.attempts)) == ([], 1)
    told = pair.there.documents()["B1"]
    assert "route 'there' has brought it here: it is NB-1 (A1 at 'side_a'" in told.reason
    assert crosswalk(pair, "side_a", "side_b") == [("A1", "B1")]
    assert crosswalk(pair, "side_b", "side_a") == [("B1", "A1")]


def test_an_invoice_of_either_side_goes_to_the_other_once(pair: BothWays) -> None:
    pair.a.type_in("NB-1")
    pair.b.type_in("NB-2")
    pair.exchange(3)
    nothing_twice(pair)
    assert pair.into_a.there() == pair.into_b.there() == {"V00001|NB-1|I": 1, "V00001|NB-2|I": 1}


def test_numbers_and_suppliers_are_compared_as_people_do(pair: BothWays) -> None:
    pair.into_b.pads = True
    for number in ("310", "0000000311", "nb-1"):
        pair.a.type_in(number)
    pair.exchange(2)
    echoes = [state for key, state in pair.states().items() if key.startswith("B")]
    assert echoes == ["skipped:echo"] * 3
    assert pair.into_a.attempts == []


def test_a_credit_memo_may_have_the_number_of_an_invoice(pair: BothWays) -> None:
    pair.a.type_in("NB-1")
    pair.exchange()
    pair.b.type_in("NB-1", kind="credit_memo", original_number="NB-1")
    pair.exchange(2)
    assert pair.states()["B2"] == "posted"


def test_the_same_number_of_another_supplier_is_another_invoice(pair: BothWays) -> None:
    pair.a.type_in("NB-1")
    pair.b.type_in("NB-1", supplier="V00002")
    pair.exchange(2)
    assert pair.into_a.there() == pair.into_b.there() == {"V00001|NB-1|I": 1, "V00002|NB-1|I": 1}


# --- typed in on both sides ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("blind", [False, True])
def test_an_invoice_typed_in_on_both_sides_is_sent_by_neither_route(pair: BothWays, blind: bool) -> None:
    pair.into_a.blind = pair.into_b.blind = blind
    pair.a.type_in("NB-1")
    pair.b.type_in("NB-1")
    pair.there.clock.sleep(1)
    for route in (pair.there, pair.back):
        route.extract()
    pair.exchange(2)
    assert pair.states() == {"A1": "linked:on_both_sides", "B1": "skipped:echo"}
    assert pair.into_a.attempts == pair.into_b.attempts == []
    assert crosswalk(pair, "side_a", "side_b") == [("A1", "B1")]


def test_what_was_typed_in_there_after_validation_is_seen_before_anything_is_sent(pair: BothWays) -> None:
    pair.into_b.blind = True
    pair.a.type_in("NB-1")
    pair.there.extract()
    pair.there.plan()
    pair.there.validate()
    pair.b.type_in("NB-1")
    pair.back.extract()
    pair.there.post()
    assert pair.states()["A1"] == "linked:on_both_sides"
    pair.exchange(2)
    assert pair.states() == {"A1": "linked:on_both_sides", "B1": "skipped:echo"}
    assert pair.into_a.attempts == pair.into_b.attempts == []


def test_amounts_that_differ_are_told_and_nothing_is_sent(pair: BothWays) -> None:
    pair.a.type_in("NB-1", gross="100.00")
    pair.b.type_in("NB-1", gross="110.00")
    pair.there.clock.sleep(1)
    for route in (pair.there, pair.back):
        route.extract()
    pair.exchange(2)
    assert pair.into_a.attempts == pair.into_b.attempts == []
    assert issues(pair, "there")[0][0] == "sides_differ"
    assert "gross 100.00 here, 110.00 there" in issues(pair, "there")[0][1]
    assert "gross 110.00 here, 100.00 there" in issues(pair, "back")[0][1]


def test_our_own_write_that_a_clerk_has_changed_is_told_and_not_sent_back(pair: BothWays) -> None:
    pair.a.type_in("NB-1")
    pair.exchange()
    row = pair.into_b.ledger[0]
    pair.there.clock.sleep(3600)
    row["body"] |= {"gross": "99.00", "revision": pair.a.body()["revision"]}
    row["body"]["lines"][0] |= {"unit_price": "99.00", "amount": "99.00"}
    pair.exchange()
    assert pair.states()["B1"] == "skipped:echo"
    assert "gross 99.00 here, 100.00 there" in issues(pair, "back")[0][1]
    assert pair.into_a.attempts == []


def test_our_own_write_that_a_clerk_has_given_another_number_is_still_ours(pair: BothWays) -> None:
    pair.a.type_in("NB-1")
    pair.there.all()
    pair.into_b.ledger[0]["body"]["number"] = "NB-1 corrected"
    pair.exchange()
    assert pair.states()["B1"] == "skipped:echo"
    assert pair.into_a.attempts == []


def test_a_second_entry_of_a_number_is_for_a_person(pair: BothWays) -> None:
    pair.a.type_in("NB-1")
    pair.exchange()
    pair.b.type_in("NB-1")
    pair.exchange()
    assert pair.states() == {"A1": "posted", "B1": "skipped:echo", "B2": "parked:collision"}
    assert "two of it here" in pair.there.documents()["B2"].reason
    assert pair.into_a.attempts == []


def test_what_the_other_side_has_canceled_does_not_hold_an_invoice_back(pair: BothWays) -> None:
    pair.into_b.blind = True  # it finds no canceled invoice; whether a target does is its own business
    key = pair.b.type_in("NB-1")
    pair.back.extract()
    pair.b.typed[0]["revision"] = pair.b.body()["revision"]
    pair.b.eligibility[key] = Eligibility.CLOSED
    pair.back.all()
    assert pair.states()[key].startswith(("skipped:closed", "superseded"))
    pair.a.type_in("NB-1")
    pair.exchange()
    assert pair.states()["A1"] == "posted"


# --- on the way ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["lost_before", "lost_after", "late"])
def test_what_may_be_our_own_write_waits_until_that_is_known(pair: BothWays, ending: str) -> None:
    pair.a.type_in("NB-1")
    pair.into_b.endings = [ending]
    for task in ("extract", "plan", "validate", "post"):
        getattr(pair.there, task)()
    assert pair.states() == {"A1": "uncertain:outcome_unknown"}
    if ending == "lost_before":
        pair.b.type_in("NB-1")  # a clerk was quicker than the repetition
    pair.there.clock.sleep(25)
    pair.back.all()
    assert pair.states()["B1"] == "parked:opposite_in_flight"
    pair.there.clock.sleep(120)
    pair.exchange(2)
    linked = ending == "lost_before"
    assert pair.states() == {"A1": "linked:entered_by_hand" if linked else "posted:settled", "B1": "skipped:echo"}
    assert pair.into_a.attempts == []
    nothing_twice(pair)


def test_what_was_handed_over_and_is_not_seen_yet_is_not_sent_back(pair: BothWays) -> None:
    pair.a.type_in("NB-1")
    pair.into_b.endings, pair.into_b.booking = ["submit"], OutcomeState.SUBMITTED
    pair.there.all()
    pair.b.type_in("NB-1")  # the import has become visible in the list before the look-up saw it
    pair.back.all()
    assert pair.states() == {"A1": "submitted", "B1": "parked:opposite_in_flight"}
    pair.into_b.booking = OutcomeState.POSTED
    pair.exchange()
    assert pair.states() == {"A1": "posted:observed", "B1": "skipped:echo"}
    assert pair.into_a.attempts == []


def test_an_invoice_that_is_half_there_is_not_sent_back(pair: BothWays) -> None:
    pair.a.type_in("NB-1")
    pair.into_b.journal = True
    pair.into_b.endings = ["ok", "refuse"]
    pair.there.all()
    assert pair.states()["A1"].startswith("failed")
    pair.back.all()
    states = {key: state for key, state in pair.states().items() if key != "A1"}
    assert set(states.values()) == {"parked:opposite_in_flight"}
    assert pair.into_a.attempts == []


def test_a_dry_run_says_what_the_real_run_will_do(pair: BothWays) -> None:
    pair.a.type_in("NB-1")
    pair.there.all()
    preview = pair.back.all(preview_id="dry.1")
    assert preview.counts == {"skipped": 1}
    assert pair.states() == {"A1": "posted"}
    pair.back.all()
    assert pair.states()["B1"] == "skipped:echo"


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("victim", ["there", "back"])
def test_a_worker_killed_at_any_point_of_either_route_sends_nothing_back(
    pair: BothWays, point: str, victim: str
) -> None:
    for number in range(3):
        pair.a.type_in(f"NB-{number}")
        pair.b.type_in(f"CB-{number}")
    pair.a.type_in("X-1")
    pair.b.type_in("X-1")
    pair.into_a.endings = pair.into_b.endings = ["late"]
    line = getattr(pair, victim)
    line.dies = lambda reached: reached == point
    for other in (pair.there, pair.back, pair.there):
        for task in TASKS:
            _run(other, task)
    line.dies = lambda _point: False
    pair.there.clock.sleep(120)
    pair.exchange(4)
    nothing_twice(pair)
    assert pair.into_a.there() == pair.into_b.there()
    assert pair.there.store.verify_chain().ok


@pytest.mark.parametrize("seed", range(SEEDS))
def test_both_sides_end_with_the_same_invoices_once_each_through_any_interleaving(pair: BothWays, seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    pair.into_a.chance, pair.into_b.chance = random.Random(seed + 1000), random.Random(seed + 2000)
    pair.into_a.tells_keys, pair.into_b.tells_keys = chance.random() < 0.5, chance.random() < 0.5
    pair.into_b.pads = chance.random() < 0.5
    # where look-ups show nothing but our own writes, only the store can tell that one of them has come back
    pair.into_a.blind = pair.into_b.blind = chance.random() < 0.5
    deaths = _mortality(chance)
    pair.there.dies = pair.back.dies = deaths
    typed = 0
    for _ in range(40):
        typed += _somebody_types(pair, chance, typed)
        line = chance.choice((pair.there, pair.back))
        _run(line, chance.choice((*TASKS, "all")))
        pair.there.clock.sleep(chance.choice((0, 10, 70, 600)))
    pair.there.dies = pair.back.dies = lambda _point: False
    pair.into_a.chance = pair.into_b.chance = None
    pair.there.clock.sleep(3600)
    pair.exchange(4)
    nothing_twice(pair)
    assert pair.into_a.there() == pair.into_b.there()
    assert len(pair.into_a.there()) == typed
    on_the_way = {State.POSTING, State.UNCERTAIN, State.PARKED, State.VALIDATED, State.EXTRACTED}
    assert {doc.key: doc.state for doc in pair.there.documents().values() if doc.state in on_the_way} == {}
    assert issues(pair, "there") == issues(pair, "back") == []


def _somebody_types(pair: BothWays, chance: random.Random, typed: int) -> int:
    """Type in a new invoice on one side or both, and now and then one that the other side has already."""
    what = chance.random()
    number = f"{chance.choice(('NB-', '00'))}{typed + 100}"
    if what < 0.2 or (pair.into_a.blind and what < 0.3):
        pair.a.type_in(number)
    elif what < 0.4:
        pair.b.type_in(number)
    elif pair.into_a.blind:
        return 0
    elif what < 0.5:
        pair.a.type_in(number)
        pair.b.type_in(number)
    else:
        _type_over(pair, chance)
        return 0
    return 1


def _type_over(pair: BothWays, chance: random.Random) -> None:
    """A clerk types in what the other side has and theirs does not show, nor will by a request on its way."""
    for here, there in ((pair.into_a, pair.into_b), (pair.into_b, pair.into_a)):
        missing = sorted(there.there().keys() - here.there().keys())
        if missing and chance.random() < 0.3:
            supplier, number, _kind = chance.choice(missing).split("|")
            here.source.type_in(number, supplier=supplier)


def _mortality(chance: random.Random) -> Callable[[str], bool]:
    return lambda _point: chance.random() < 0.03


def _run(line: Pipeline, task: str) -> None:
    try:
        getattr(line, task)()
    except (Killed, Retriable):
        line.clock.sleep(5)
