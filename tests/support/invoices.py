"""Canonical invoices for tests: one builder for single cases, hypothesis strategies for any."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.documents.currency import EXACT, add, minor_unit, round_to_minor
from airflow_provider_mlconnector.documents.invoice import (
    Allocation,
    Charge,
    ChargeKind,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    PaymentTerms,
    Tax,
)
from airflow_provider_mlconnector.errors import DocumentError

some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties of whole invoices: they are large, and machines that run the tests are shared."""
A = TypeVar("A")
R = TypeVar("R")
TAX_NAMES = ("taxCharge1", "taxCharge2")


def attempt(step: Callable[[A], R], argument: A) -> tuple[R | None, str]:
    """Return the step's result and "", or None and the code of its objection; any other error passes through."""
    try:
        return step(argument), ""
    except DocumentError as error:
        return None, error.code


def allocation(account: str = "51200", cost_center: str = "CC10", **share: Any) -> Allocation:
    """One allocation; bears the whole line unless ``percent`` or ``amount`` says otherwise."""
    share = {key: Decimal(str(value)) for key, value in share.items()} or {"percent": Decimal(100)}
    return Allocation(account=account, cost_center=cost_center, **share)


def line(amount: str | int = "100.00", *, currency: str = "USD", **fields: Any) -> InvoiceLine:
    """One line of quantity 1."""
    value = Decimal(amount)
    base = {"number": 1, "quantity": Decimal(1), "unit_price": value, "amount": round_to_minor(value, currency)}
    return InvoiceLine(**{"allocations": (allocation(),), **base, **fields})


def invoice(*lines: InvoiceLine, gross: str | int | None = None, **fields: Any) -> Invoice:
    """An invoice over ``lines``; the total is their sum unless given."""
    total = add(item.amount for item in lines) if gross is None else Decimal(gross)
    base: dict[str, Any] = {
        "kind": InvoiceKind.INVOICE,
        "source_key": "900101",
        "source_number": "I000101",
        "revision": "2026-01-15T10:20:30.400000Z",
        "number": "NB-7781",
        "supplier": "V00042",
        "business_unit": "PLANT1",
        "invoice_date": date(2026, 1, 10),
        "currency": "USD",
    }
    numbered = tuple(item.model_copy(update={"number": n + 1}) for n, item in enumerate(lines))
    return Invoice(**{**base, "gross": total, "lines": numbered, **fields})


# --- any invoice ---------------------------------------------------------------------------------------------------

_letters = st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
texts = st.text(st.one_of(_letters, st.just(" ")), max_size=20).map(str.strip)
keys = texts.filter(bool)
days = st.dates(date(1990, 1, 1), date(2099, 12, 31))
currencies = st.sampled_from(["USD", "EUR", "GBP", "JPY", "KWD"])
revisions = st.datetimes(datetime(1990, 1, 1)).map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))  # noqa: DTZ001 - hypothesis wants it so


@cache
def amounts(currency: str, *, least: int = -99_999_999, most: int = 99_999_999) -> st.SearchStrategy[Decimal]:
    unit = minor_unit(currency)
    return st.integers(least, most).map(lambda units: EXACT.multiply(Decimal(units), unit))


@cache
def nonzero(currency: str, *, most: int = 9_999_999) -> st.SearchStrategy[Decimal]:
    return amounts(currency, least=-most, most=most).filter(bool)


@cache
def taxes(currency: str) -> st.SearchStrategy[tuple[Tax, ...]]:
    """At most one tax per slot, in the order of the slots."""
    slots = [st.none() | nonzero(currency).map(lambda a, name=name: Tax(amount=a, code=name)) for name in TAX_NAMES]
    return st.tuples(*slots).map(lambda found: tuple(tax for tax in found if tax))


@cache
def line_charges(currency: str) -> st.SearchStrategy[tuple[Charge, ...]]:
    kinds = (ChargeKind.FREIGHT, ChargeKind.HANDLING, ChargeKind.DISCOUNT)
    slots = [st.none() | nonzero(currency).map(lambda a, k=kind: Charge(kind=k, amount=a)) for kind in kinds]
    return st.tuples(*slots).map(lambda found: tuple(charge for charge in found if charge))


@st.composite
def header_charges(draw: st.DrawFn, currency: str) -> tuple[Charge, ...]:
    fees = draw(
        st.lists(
            st.builds(Charge, kind=st.just(ChargeKind.MISCELLANEOUS), amount=nonzero(currency), name=texts), max_size=2
        )
    )
    return (*draw(line_charges(currency)), *fees)


@st.composite
def allocations(draw: st.DrawFn, amount: Decimal, currency: str) -> tuple[Allocation, ...]:
    """Sound allocations of ``amount``: none, percentages that add up to 100, or amounts that add up to it."""
    count = draw(st.integers(0, 4))
    if not count:
        return ()
    if draw(st.booleans()):
        parts = draw(st.lists(amounts(currency, least=-10_000, most=10_000), min_size=count - 1, max_size=count - 1))
        shares = [{"amount": part} for part in [*parts, EXACT.subtract(amount, add(parts))]]
    else:
        cuts = sorted(draw(st.lists(st.integers(0, 1_000_000), min_size=count - 1, max_size=count - 1)))
        steps = [after - before for before, after in zip([0, *cuts], [*cuts, 1_000_000], strict=True)]
        shares = [{"percent": Decimal(step).scaleb(-4)} for step in steps]
    return tuple(draw(_allocation(share)) for share in shares)


@st.composite
def _allocation(draw: st.DrawFn, share: dict[str, Decimal]) -> Allocation:
    account, center = draw(texts), draw(texts)
    others = draw(st.dictionaries(keys.filter(lambda k: k not in {"Account", "CostCenter"}), texts, max_size=2))
    segments = {"Account": account, "CostCenter": center, **others}
    return Allocation(account=account, cost_center=center, segments=segments, **share)


@st.composite
def invoice_lines(draw: st.DrawFn, currency: str, number: int) -> InvoiceLine:
    quantity = draw(st.decimals(-10_000, 10_000, places=3))
    price = draw(st.decimals(-10_000, 10_000, places=4))
    amount = round_to_minor(EXACT.multiply(quantity, price), currency)
    return InvoiceLine(
        number=number,
        description=draw(texts),
        quantity=quantity,
        unit_price=price,
        unit=draw(texts),
        amount=amount,
        taxable=draw(st.sampled_from([None, True, False])),
        taxes=draw(taxes(currency)),
        charges=draw(line_charges(currency)),
        allocations=draw(allocations(amount, currency)),
        po_number=draw(texts),
        po_line=draw(texts),
        match_status=draw(texts),
    )


@st.composite
def invoices(draw: st.DrawFn, *, least_lines: int = 0, sound: bool = False) -> Invoice:
    """Any invoice; a sound one has a total that is the sum of all its parts, header charges being additional."""
    currency = draw(currencies)
    count = draw(st.integers(least_lines, 4))
    lines = tuple(draw(invoice_lines(currency, n + 1)) for n in range(count))
    charges, header_taxes = draw(header_charges(currency)), draw(taxes(currency))
    total = _total(lines, charges, header_taxes)
    if sound and total < 0:
        charges = (*charges, Charge(kind=ChargeKind.MISCELLANEOUS, amount=-2 * total))
    kind = draw(st.sampled_from(InvoiceKind))
    source_number = draw(texts)
    is_credit = kind is InvoiceKind.CREDIT_MEMO
    return Invoice(
        kind=kind,
        source_key=draw(keys),
        source_number=source_number,
        revision=draw(revisions),
        number=draw(keys),
        original_number=draw(texts.filter(lambda text: text != source_number)) if is_credit else "",
        supplier=draw(keys),
        supplier_name=draw(texts),
        business_unit=draw(texts),
        invoice_date=draw(days),
        due_date=draw(st.none() | days),
        accounting_date=draw(st.none() | days),
        currency=currency,
        gross=abs(total) if sound else draw(amounts(currency)),
        terms=draw(terms),
        taxes=header_taxes,
        charges=charges,
        lines=lines,
        notes=draw(texts),
    )


terms = st.none() | st.builds(
    PaymentTerms,
    code=texts,
    days=st.none() | st.integers(0, 365),
    discount_percent=st.none() | st.decimals(0, 99, places=2),
    discount_days=st.none() | st.integers(0, 90),
).filter(lambda t: t != PaymentTerms())


def _total(lines: tuple[InvoiceLine, ...], charges: tuple[Charge, ...], header_taxes: tuple[Tax, ...]) -> Decimal:
    everything = [*charges, *(charge for item in lines for charge in item.charges)]
    signed = [-c.amount if c.kind is ChargeKind.DISCOUNT else c.amount for c in everything]
    tax = [t.amount for t in (*header_taxes, *(t for item in lines for t in item.taxes))]
    return add([*(item.amount for item in lines), *signed, *tax])
