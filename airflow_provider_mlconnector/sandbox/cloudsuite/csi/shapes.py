"""Short ways to say what a property is, with the widths CSI gives them (reference/cloudsuite.md §5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Row

ZERO = Decimal(0)
_CENT = Decimal("0.01")


def texts(**lengths: int) -> list[Column]:
    """Return texts by name and length."""
    return [Column(name, length) for name, length in lengths.items()]


def amounts(*names: str, readonly: bool = False) -> list[Column]:
    """Return numbers of 8 places that read 0 where nothing was set; money, quantities and costs alike."""
    return [Column(name, kind="number", default=ZERO, readonly=readonly) for name in names]


def days(*names: str) -> list[Column]:
    """Return dates on the site's calendar."""
    return [Column(name, kind="date") for name in names]


def whole(*names: str) -> list[Column]:
    """Return whole numbers."""
    return [Column(name, kind="int") for name in names]


def flags(*names: str) -> list[Column]:
    """Return flags that read 0 where nothing was set."""
    return [Column(name, kind="flag", default=False) for name in names]


def vend_num(*, name: str = "VendNum", required: bool = False) -> Column:
    """Return a vendor number: right-justified in 7."""
    return Column(name, 7, pad=7, required=required)


def po_num(*, name: str = "PoNum", required: bool = False) -> Column:
    """Return an order number: prefix and zeros, 10 in all."""
    return Column(name, 10, pad=10, required=required)


def account(prefix: str, *, required: bool = False) -> list[Column]:
    """Return an account with its four unit codes, as ``ApAcct``, ``ApAcctUnit1`` and so on."""
    return [Column(prefix, 12, required=required), *(Column(f"{prefix}Unit{n}", 4) for n in range(1, 5))]


def joined(names: Iterable[str], derive: Callable[[str], Callable[[Row], Any]], **shape: Any) -> list[Column]:
    """Return derived properties; ``derive`` makes the function of each by its name."""
    return [Column(name, derive=derive(name), **shape) for name in names]


def written(value: Decimal) -> str:
    """Return a number as the oracle and answers to people show it: two decimals, or as many more as it has."""
    cents = value.quantize(_CENT)
    return format(cents if cents == value else value.normalize(), "f")
