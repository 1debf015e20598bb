"""What the generators of orders and vouchers have in common: random streams, dates, vendors and coding by label."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.setup import CURRENCIES, vend_num

PLAIN = tuple(f"V{number:05d}" for number in range(1, 31))
"""The vendors in local currency both systems have, without peculiarities."""
BY_CURRENCY = {"eur": ("V00031", "V00032"), "gbp": ("V00033",), "jpy": ("V00034",), "kwd": ("V00035",)}
"""Labels whose point is the vendor's currency."""
ACCOUNTS = tuple(account.jaggaer_code for account in master.ACCOUNTS if not account.on_hold)
CENTERS = tuple(master.COST_CENTERS)
DATE_DAYS, UPDATE_DAYS = 60, 30
"""Days before the start over which document dates and last changes are spread."""
DESCRIPTIONS = ("Drill bits 8 mm", "Fräser Ø8", "Nuts & bolts <M8>", "Site inspection", "O'Ring set", "Calibration")
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Moment:
    """When a generated document is dated, and when it last changed."""

    day: date
    changed: datetime


def mixed(seed: int, number: int, salt: int) -> int:
    """Mix (seed, number, salt) into 64 bits (splitmix64)."""
    value = (number * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03 + salt * 0x8CB92BA72F3D8DD7) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def moment(seed: int, number: int, start: datetime, salt: int, first_day: date) -> Moment:
    """Return when document ``number`` changed, to the millisecond, and its day, ``first_day`` at the earliest."""
    changed = start - timedelta(milliseconds=mixed(seed, number, salt) % (UPDATE_DAYS * 86_400_000))
    back = mixed(seed, number, salt + 1) % (DATE_DAYS - UPDATE_DAYS)
    return Moment(max((changed - timedelta(days=back)).date(), first_day), changed)


def deal(seed: int, count: int, names: Sequence[str]) -> list[str]:
    """Deal labels in turn, shuffled: from ``len(names)`` documents on every label occurs."""
    labels = list(islice(cycle(names), count))
    random.Random(seed).shuffle(labels)  # noqa: S311 - reproducible test data
    return labels


def cash(rng: random.Random, currency: str, low: int = 500, high: int = 50_000) -> Decimal:
    """Draw an amount in minor units of a currency."""
    return Decimal(rng.randint(low, high)).scaleb(-CURRENCIES[currency].places)


def vendor_of(rng: random.Random, numbers: Iterable[str]) -> str:
    """Draw a vendor and return its VendNum."""
    return vend_num(rng.choice(tuple(numbers)))
