"""The pairs a month can be lived with, by the name their ledger has on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from support.month_cloudsuite import CloudSuitePair
from support.month_pair import Pair
from support.month_syspro import SysproPair

PAIRS: Mapping[str, Callable[[], Pair]] = {"syspro": SysproPair, "cloudsuite": CloudSuitePair}
