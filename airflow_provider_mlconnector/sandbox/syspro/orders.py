"""The purchase orders of the company, with indexes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from airflow_provider_mlconnector.sandbox.syspro.options import SysproOptions
from airflow_provider_mlconnector.sandbox.syspro.records_po import Order

KEY_LENGTH, SHOWN_LENGTH = 15, 6


def shown(number: str) -> str:
    """Return an order or receipt number as answers show it: numeric ones trimmed to six digits (§4)."""
    return number.lstrip("0").zfill(SHOWN_LENGTH) if number.isascii() and number.isdigit() else number


class Orders:
    """Every purchase order by its stored number."""

    def __init__(self, options: SysproOptions, next_version: Callable[[], int]) -> None:
        self._options = options
        self._next_version = next_version
        self._last = 4710
        self.by_number: dict[str, Order] = {}
        self._by_customer_po: defaultdict[str, dict[str, Order]] = defaultdict(dict)
        self._by_supplier: defaultdict[str, dict[str, Order]] = defaultdict(dict)

    def key(self, text: str) -> str:
        """Return a number as stored: numeric ones padded with zeros to 15 (reference/syspro.md §4, per site)."""
        numeric = self._options.numeric_keys and text.isascii() and text.isdigit()
        return text.zfill(KEY_LENGTH) if numeric else text

    def new_number(self) -> str:
        """Return the next free system number, as stored."""
        self._last += 1
        number = self.key(str(self._last).zfill(SHOWN_LENGTH))
        return self.new_number() if number in self.by_number else number

    def get(self, text: str) -> Order | None:
        """Return the order of a number, padded or not."""
        return self.by_number.get(self.key(text))

    def put(self, order: Order) -> None:
        """Store an order, new or in place of the one under its number."""
        old = self.by_number.get(order.number)
        if old is not None:
            del self._by_customer_po[old.customer_po][old.number]
        order.version = self._next_version()
        self.by_number[order.number] = order
        self._by_customer_po[order.customer_po][order.number] = order
        self._by_supplier[order.supplier][order.number] = order

    def of_customer_po(self, text: str) -> Sequence[Order]:
        """Return the orders with this CustomerPoNumber."""
        return tuple(self._by_customer_po.get(text, {}).values())

    def of_supplier(self, key: str) -> Sequence[Order]:
        """Return a supplier's orders."""
        return tuple(self._by_supplier.get(key, {}).values())
