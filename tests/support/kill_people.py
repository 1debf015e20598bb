"""People at the systems of a seed of real kills: they enter documents, some of which will wait for a person."""

from __future__ import annotations

import random

from support.chaos_sites import Site
from support.cloudsuite import CloudFlow, Pair, example_route
from support.flow import ShiftedClock
from support.mishaps import line

from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store import Store

_CODES = (("51200", "CC10"), ("51300", "CC20"), ("51300", "CC10"))
_SUPPLIERS = ("V00001", "V00002")
WAITS = "unmapped_account"
"""A kind of invoice that parks until somebody maps its account: what a replay can always take up."""


class People:
    """Who types into both systems of a seed.

    Attributes:
        waiting: Key of the invoice that is parked for good, empty where there is none.
    """

    def __init__(self, seed: int, site: Site, sandbox: RunningSandbox, store: Store) -> None:
        self._rng = random.Random(f"people {seed}")
        self._site, self._app = site, sandbox.app
        self.waiting = ""
        self._pair = Pair(CloudFlow(sandbox, store, ShiftedClock(), example_route("invoices_in")))

    def begin(self) -> None:
        """Enter what the business begins with: about half of it, and an invoice nobody has mapped."""
        if self._site.bills:
            self.waiting = self._pair.bill("NB-0", line(12.5, account="59999", center="CC10"), total=12.5)
        elif self._site.routes[0].document == "invoice":
            self.waiting = str(self._app.jaggaer.add("invoice", {"label": WAITS})["invoiceId"])
        self._enter(range(self._site.bills // 2 + 1), range(self._site.vouchers // 2))

    def go_on(self) -> None:
        """Enter the rest."""
        self._enter(
            range(self._site.bills // 2 + 1, self._site.bills), range(self._site.vouchers // 2, self._site.vouchers)
        )

    def _enter(self, bills: range, vouchers: range) -> None:
        for place in bills if self._site.bills else ():
            drawn = self._lines()
            lines = [line(cents / 100, account=code, center=center) for cents, code, center in drawn]
            total = sum(cents for cents, *_codes in drawn) / 100
            self._pair.bill(f"NB-{place + 1}", *lines, supplier=self._rng.choice(_SUPPLIERS), total=total)
        for place in vouchers:
            drawn = self._lines()
            rows = [{"account": code, "unit": unit, "amount": f"{cents / 100:.2f}"} for cents, code, unit in drawn]
            self._pair.enter(f"CV-{place + 1}", *rows, vendor=self._rng.choice(_SUPPLIERS))
        if vouchers:
            self._pair.post_vouchers()

    def _lines(self) -> list[tuple[int, str, str]]:
        count = self._rng.randint(1, 3)
        return [(self._rng.randint(100, 90_000), *self._rng.choice(_CODES)) for _ in range(count)]
