"""Pairing figures of two sides: whatever is missing, extra or different is named, and every total adds up."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.documents.reconciliation import CREDIT_MEMO, INVOICE, Area, Figure, Span
from airflow_provider_mlconnector.sync.differences import (
    TWICE,
    Difference,
    Gap,
    Matcher,
    Row,
    Tally,
    because,
    difference_lines,
    differing,
)

SPAN = Span(date(2026, 1, 1), date(2026, 3, 31))
FIRST = date(2025, 12, 20)
OURS = "OURS"


def _figure(number: int, rng: random.Random) -> Figure:
    return Figure(
        area=Area.INVOICES,
        kind=INVOICE,
        key=f"K{number}",
        match=f"S{number % 7}|N{number}|invoice",
        label=f"S{number % 7} N{number}",
        currency=rng.choice(("USD", "EUR")),
        amount=Decimal(rng.randrange(1, 10_000)).scaleb(-2),
        day=FIRST + timedelta(days=rng.randrange(120)),
        owed=None,
    )


def _other_side(figure: Figure) -> Figure:
    return replace(figure, key=f"R-{figure.key}", reference=f"{OURS}-{figure.key}")


def _compared(left: Sequence[Figure], right: Sequence[Figure]) -> tuple[list[Gap], dict[Row, Tally]]:
    matcher = Matcher(Area.INVOICES, span=SPAN, ours=OURS)
    for figure in left:
        matcher.add(figure)
    gaps = [gap for figure in right for gap in matcher.meet(figure)]
    return gaps + list(matcher.rest()), matcher.tallies


def _adds_up(gaps: Sequence[Gap], tallies: dict[Row, Tally]) -> None:
    """Left minus right is what the differences say, in number and amount, on every line of totals."""
    lines: dict[Row, list[Difference]] = defaultdict(list)
    for gap in gaps:
        for line in difference_lines(gap, because("any", "")):
            lines[line.row].append(line)
    for row in tallies.keys() | lines.keys():
        tally = tallies.get(row, Tally())
        amount = sum((line.left or Decimal(0)) - (line.right or Decimal(0)) for line in lines[row])
        count = sum((line.left is not None) - (line.right is not None) for line in lines[row])
        assert tally.left_sum - tally.right_sum == amount, row
        assert tally.left_count - tally.right_count == count, row


@pytest.mark.parametrize("seed", range(40))
def test_every_missing_extra_or_different_one_is_named_in_any_order_and_totals_add_up(seed: int) -> None:
    rng = random.Random(seed)
    both = [_figure(number, rng) for number in range(60)]
    missing = {figure.key for figure in rng.sample(both, 5)}
    changed = {figure.key for figure in rng.sample([f for f in both if f.key not in missing], 6)}
    changes = [
        lambda f: replace(f, amount=f.amount + Decimal("0.01")),
        lambda f: replace(f, currency="GBP"),
        lambda f: replace(f, day=f.day + timedelta(days=1)),
        lambda f: replace(f, amount=-f.amount, currency="JPY"),
    ]
    extra = [replace(_figure(number, rng), match=f"S9|X{number}|invoice") for number in range(100, 104)]
    right = [_other_side(figure) for figure in both if figure.key not in missing]
    right = [rng.choice(changes)(f) if f.key.removeprefix("R-") in changed else f for f in right]
    right += [_other_side(figure) for figure in extra]
    right = [figure for figure in right if SPAN.holds(figure.day)]
    left = list(both)
    rng.shuffle(left)
    rng.shuffle(right)

    gaps, tallies = _compared(left, right)

    inside = {figure.key for figure in both if SPAN.holds(figure.day)}
    shown = {figure.key.removeprefix("R-") for figure in right}
    only_left = {gap.left.key for gap in gaps if gap.left and gap.right is None}
    only_right = {gap.right.key for gap in gaps if gap.right and gap.left is None}
    different = {gap.left.key for gap in gaps if gap.left and gap.right}
    assert only_left == inside - shown
    assert only_right == {f"R-{figure.key}" for figure in extra if SPAN.holds(figure.day)}
    assert different == changed & shown
    _adds_up(gaps, tallies)
    agreeing = inside & shown - changed
    assert sum(tally.agree for tally in tallies.values()) == len(agreeing)


def test_two_equal_sides_leave_nothing_to_name() -> None:
    rng = random.Random(1)
    left = [_figure(number, rng) for number in range(30)]
    gaps, tallies = _compared(left, [_other_side(figure) for figure in left if SPAN.holds(figure.day)])
    assert gaps == []
    assert all((tally.left_count, tally.left_sum) == (tally.right_count, tally.right_sum) for tally in tallies.values())


def _one(**changes: object) -> Figure:
    base = Figure(Area.INVOICES, INVOICE, "K1", "S1|N1|invoice", "S1 N1", "N1", "USD", Decimal(100), date(2026, 2, 1))
    return replace(base, **changes)  # type: ignore[arg-type]


def test_another_currency_is_missing_on_one_line_of_totals_and_extra_on_the_other() -> None:
    gaps, tallies = _compared([_one()], [_one(key="R1", currency="EUR")])
    lines = difference_lines(gaps[0], because("any", ""))
    assert [(line.row[3], line.left, line.right) for line in lines] == [
        ("USD", Decimal(100), None),
        ("EUR", None, Decimal(100)),
    ]
    _adds_up(gaps, tallies)


def test_a_credit_is_known_by_our_reference_and_counts_in_the_month_of_its_own_date() -> None:
    matcher = Matcher(Area.INVOICES, span=SPAN, ours=OURS)
    matcher.add(_one(kind=CREDIT_MEMO, match="S1|CR1|credit_memo"))
    there = _one(kind=CREDIT_MEMO, key="R1", match="S1|N1#2|credit_memo", day=None, booked=date(2026, 4, 9))
    assert list(matcher.meet(there, left_key="K1")) == []
    assert list(matcher.rest()) == []
    [(row, tally)] = matcher.tallies.items()
    assert row[2] == "2026-02"
    assert (tally.left_count, tally.right_count, tally.agree) == (1, 1, 1)


def test_a_second_credit_under_one_reference_is_named_as_such() -> None:
    matcher = Matcher(Area.INVOICES, span=SPAN)
    matcher.add(_one(kind=CREDIT_MEMO, match="S1|CR1|credit_memo"))
    there = _one(kind=CREDIT_MEMO, key="R1", match="S1|N1#2|credit_memo", day=None, booked=date(2026, 2, 9))
    twin = replace(there, key="R2", match="S1|N1#3|credit_memo")
    assert list(matcher.meet(there, left_key="K1")) == []
    [gap] = matcher.meet(twin, left_key="K1")
    assert (gap.left, gap.right, gap.what) == (None, twin, (TWICE,))


def test_what_is_not_approved_is_listed_but_counts_nowhere() -> None:
    gaps, tallies = _compared([_one(counted=False, status="workflowStatus Pending")], [])
    [line] = difference_lines(gaps[0], because("any", ""))
    assert (line.left, line.right) == (None, None)
    assert tallies == {}


def test_what_is_dated_outside_the_period_on_both_sides_is_of_another_report() -> None:
    outside = _one(day=date(2025, 12, 31))
    gaps, tallies = _compared([outside], [replace(outside, key="R1")])
    assert (gaps, tallies) == ([], {})


def test_what_is_dated_inside_the_period_on_one_side_only_is_named() -> None:
    gaps, tallies = _compared([_one(day=date(2025, 12, 31))], [_one(key="R1", day=date(2026, 1, 1))])
    [gap] = gaps
    assert "dated 2025-12-31 and 2026-01-01" in gap.what
    _adds_up(gaps, tallies)


def test_linked_keys_belong_together_whatever_their_numbers() -> None:
    matcher = Matcher(Area.SUPPLIERS, links={"000310": "B17"})
    matcher.add(_supplier("B17", "", name="Anvil & Sons"))
    matcher.add(_supplier("B18", "310", name="Somebody else"))
    assert list(matcher.meet(_supplier("000310", "310", name="ANVIL & SONS"))) == []
    assert [gap.left.key for gap in matcher.rest() if gap.left] == ["B18"]


def test_a_field_only_one_side_tells_is_not_compared() -> None:
    here = _supplier("B1", "1", name="Anvil")
    there = _supplier("1", "1", name="Anvil", terms="30")
    assert differing(here, there) == []
    assert differing(_supplier("B1", "1", name="Anvil", terms="60"), there) == ["terms 60 and 30"]


def _supplier(key: str, match: str, **facts: str) -> Figure:
    return Figure(Area.SUPPLIERS, "supplier", key, match, key, facts=tuple(facts.items()))


def test_what_is_owed_is_compared_where_both_sides_say_it() -> None:
    gaps, tallies = _compared(
        [_one(owed=Decimal(100)), _one(key="K2", match="S1|N2|invoice", owed=Decimal(100))],
        [
            _one(key="R1", owed=Decimal(40), paid=Decimal(60)),
            _one(key="R2", match="S1|N2|invoice", owed=Decimal("100.00"), paid=Decimal(0)),
        ],
    )
    [gap] = gaps
    assert (gap.area, gap.what) == (Area.BALANCES, ("owed 100 and 40",))
    _adds_up(gaps, tallies)
