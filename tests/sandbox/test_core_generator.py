from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.sandbox.generator import Generator
from airflow_provider_mlconnector.sandbox.jaggaer import recipes, wire
from airflow_provider_mlconnector.sandbox.master import SUPPLIERS

START = datetime(2026, 6, 30, 15, 45, 12, tzinfo=UTC)
CHARGES = ("taxCharge1", "taxCharge2", "shippingCharge", "handlingCharge", "discountAmount")
DIGITS = {"JPY": 0, "KWD": 3}
SUPPLIER = {supplier.number: supplier for supplier in SUPPLIERS}


def generator(seed: int = 1, count: int = 60, mix: Literal["all", "good"] = "all", **options: Any) -> Generator:
    return Generator(seed=seed, count=count, start=START, mix=mix, **options)


def documents(made: Generator) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for invoice_id in made.ids:
        found.setdefault(made.label(invoice_id), []).append(wire.document(made.draft(invoice_id)))
    return found


def money(value: Any) -> Decimal:
    return Decimal(str(value))


def readings(document: dict[str, Any]) -> int:
    """Count the readings that reproduce the total: each header charge is alone, repeated or additional."""
    header, lines = document["header"], document["lineList"]["invoiceLine"]
    goods = sum((money(line["quantity"]) * money(line["unitPrice"]) for line in lines), Decimal(0))
    choices = []
    for name in CHARGES:
        top = money(header.get(name, 0))
        below = sum((money(line.get(name, 0)) for line in lines), Decimal(0))
        sign = -1 if name == "discountAmount" else 1
        amounts = {top + below} | ({top} if top == below else set())
        choices.append([sign * amount for amount in amounts])
    unit = Decimal(1).scaleb(-DIGITS.get(header["total"]["currency"], 2))
    totals = [(goods + sum(choice)).quantize(unit, ROUND_HALF_UP) for choice in product(*choices)]
    return totals.count(money(header["total"]["value"]))


@pytest.mark.parametrize("seed", range(1, 6))
def test_sixty_invoices_show_every_label(seed: int) -> None:
    labels = Counter(documents(generator(seed)).keys())
    assert set(labels) == set(recipes.RECIPES)


def test_about_an_eighth_of_many_invoices_is_bad() -> None:
    made = generator(count=5_000)
    labels = Counter(made.label(invoice_id) for invoice_id in made.ids)
    assert sum(labels[label] for label in recipes.BAD) == 600
    assert min(labels.values()) >= 20


def test_the_good_mix_has_only_good_ones_and_as_many_credit_memos_as_asked() -> None:
    made = generator(count=1_050, mix="good", credit_memos=50)
    labels = Counter(made.label(invoice_id) for invoice_id in made.ids)
    assert set(labels) == set(recipes.GOOD) - recipes.OUTSIDE_GOOD_MIX
    assert labels["credit_memo"] == 50


def test_more_credit_memos_than_invoices_cannot_be() -> None:
    with pytest.raises(ValueError, match="credit memos"):
        generator(count=50, mix="good", credit_memos=50)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 70), mix=st.sampled_from(["all", "good"]))
def test_the_same_seed_makes_the_same_invoices(seed: int, count: int, mix: Literal["all", "good"]) -> None:
    one, other = generator(seed, count, mix), generator(seed, count, mix)
    # asked in another order, since each is a function of seed and id
    assert [one.draft(i) for i in one.ids] == [other.draft(i) for i in reversed(other.ids)][::-1]


@pytest.mark.parametrize("seed", range(1, 9))
def test_every_good_total_has_exactly_one_reading(seed: int) -> None:
    for label, found in documents(generator(seed, 400)).items():
        if label in recipes.GOOD:
            assert [readings(document) for document in found] == [1] * len(found), label


@pytest.mark.parametrize(("label", "count"), [("charge_neither", 0), ("charge_ambiguous", 2), ("total_off", 0)])
def test_bad_totals_have_no_reading_or_two(label: str, count: int) -> None:
    for seed in range(1, 6):
        assert {readings(document) for document in documents(generator(seed, 400))[label]} == {count}


def test_other_bad_labels_are_bad_for_their_own_reason_alone() -> None:
    for label, found in documents(generator(count=400)).items():
        if label in recipes.BAD and label not in ("no_lines", "charge_neither", "charge_ambiguous", "total_off"):
            assert {readings(document) for document in found} == {1}, label


def test_amounts_have_no_more_decimals_than_their_currency() -> None:
    for label, found in documents(generator(count=600)).items():
        for document in found:
            total = document["header"]["total"]
            exponent = money(total["value"]).normalize().as_tuple().exponent
            assert isinstance(exponent, int)
            assert -exponent <= DIGITS.get(total["currency"], 2), label
            assert total["value"] > 0


def test_each_bad_label_shows_its_defect() -> None:
    found = {label: made[0] for label, made in documents(generator()).items()}
    header = {label: document["header"] for label, document in found.items()}
    assert found["no_lines"]["lineList"] == {"invoiceLine": []}
    assert len(header["number_too_long"]["supplierInvoiceNumber"]) == 25
    for text in (
        header["not_cp1252_number"]["supplierInvoiceNumber"],
        found["not_cp1252_text"]["lineList"]["invoiceLine"][0]["item"]["description"],
    ):
        with pytest.raises(UnicodeEncodeError):
            text.encode("cp1252")
    assert header["unknown_currency"]["total"]["currency"] == "XQZ"
    assert header["currency_mismatch"]["total"]["currency"] == "EUR"
    assert SUPPLIER[header["currency_mismatch"]["supplier"]["supplierNumber"]].currency == "USD"
    assert header["empty_number"]["supplierInvoiceNumber"] == {}
    assert header["empty_supplier"]["supplier"]["supplierNumber"] == {}
    assert header["unmapped_business_unit"]["businessUnit"] == "PLANT9"
    assert header["supplier_unknown"]["supplier"]["supplierNumber"] == "V00099"
    assert header["supplier_on_hold"]["supplier"]["supplierNumber"] == "V00042"
    assert header["receipt_required"]["supplier"]["supplierNumber"] == "V00043"
    assert (header["pending"]["workflowStatus"], header["paid"]["paymentStatus"]) == ("Pending", "Paid")
    assert header["cancelled"]["workflowStatus"] == "Cancelled"
    assert date.fromisoformat(header["before_cut_over"]["invoiceDate"][:10]) < START.date() - timedelta(days=399)
    assert header["kwd"]["total"]["currency"] == "KWD"
    assert money(header["kwd"]["total"]["value"]).as_tuple().exponent == -3
    for label, code in (("unmapped_account", "59999"), ("account_on_hold", "56000"), ("unmapped_cost_center", "CC99")):
        assert code in str(found[label]["lineList"]["invoiceLine"][-1]["splittableFieldSetGroupList"])


def test_good_text_fits_cp1252_and_good_numbers_fit_twenty_characters() -> None:
    made = generator(count=800, mix="good")
    numbers = set()
    for invoice_id in made.ids:
        draft = made.draft(invoice_id)
        "".join([draft.number, draft.supplier.name, *(line.description for line in draft.lines)]).encode("cp1252")
        assert len(draft.number) <= 20
        numbers.add((draft.supplier.number, draft.number))
    assert len(numbers) == 800


def test_thirds_leave_a_remainder() -> None:
    for document in documents(generator(count=400))["split_thirds"]:
        (line,) = document["lineList"]["invoiceLine"]
        assert (money(line["unitPrice"]) * 100) % 3 == 1


def test_a_credit_memo_refers_to_an_earlier_sound_invoice_of_its_supplier() -> None:
    made = generator(count=1_050, mix="good", credit_memos=50)
    by_number = {wire.number(invoice_id): made.draft(invoice_id) for invoice_id in made.ids}
    credited: Counter[str] = Counter()
    for draft in by_number.values():
        if draft.type != "Credit memo":
            assert wire.header(draft)["originalInvoiceNumber"] == wire.number(draft.id)
            continue
        assert draft.original is not None
        original = by_number[draft.original]
        assert (original.id, original.type) < (draft.id, "J")
        assert original.supplier == draft.supplier
        assert original.currency == draft.currency
        assert original.invoice_date <= draft.invoice_date
        assert original.number != draft.number
        assert draft.total > 0
        credited[draft.original] += 1
        assert draft.total * credited[draft.original] <= original.total


def test_foreign_suppliers_invoice_in_their_own_currency() -> None:
    found = documents(generator(count=300))
    for label in ("eur", "gbp", "jpy", "kwd", "credit_memo", "plain", "padded_supplier"):
        for document in found[label]:
            header = document["header"]
            assert header["total"]["currency"] == SUPPLIER[header["supplier"]["supplierNumber"]].currency
    assert found["padded_supplier"][0]["header"]["supplier"]["supplierNumber"] == "000000000004711"


def test_dates_are_spread_over_the_days_before_the_clocks_start() -> None:
    made = generator(count=2_000, mix="good", credit_memos=0)
    updates = [made.last_update(invoice_id) for invoice_id in made.ids]
    days = [made.draft(invoice_id).invoice_date for invoice_id in made.ids]
    assert START - timedelta(days=30) <= min(updates) < START - timedelta(days=29)
    assert START - timedelta(days=1) < max(updates) <= START
    assert (START - timedelta(days=60)).date() <= min(days) <= (START - timedelta(days=58)).date()
    assert all(day <= update.date() for day, update in zip(days, updates, strict=True))


@pytest.mark.parametrize("start", [datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2027, 1, 1, 9, tzinfo=UTC)])
def test_good_invoices_fall_into_the_last_three_months(start: datetime) -> None:
    made = Generator(seed=1, count=1_000, start=start, mix="good")
    months = {(day.year, day.month) for day in (made.draft(invoice_id).invoice_date for invoice_id in made.ids)}
    present = start.year * 12 + start.month
    assert {present - (year * 12 + month) for year, month in months} <= {0, 1, 2}


def test_statuses_known_without_building_are_those_of_the_header() -> None:
    made = generator(count=300)
    for invoice_id in made.ids:
        cheap, header = made.statuses(invoice_id), wire.header(made.draft(invoice_id))
        assert cheap | {"lastUpdate": wire.timestamp(cheap["lastUpdate"])} == {key: header[key] for key in cheap}


def test_a_hundred_thousand_invoices_cost_little_memory() -> None:
    tracemalloc.start()
    try:
        made = generator(count=100_000, mix="good")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(made.ids) == 100_000
    assert kept < 2_000_000
