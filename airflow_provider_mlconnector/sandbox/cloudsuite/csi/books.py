"""The site's books: the tables behind the IDOs, what joins them, and what happened that no table shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Row
from airflow_provider_mlconnector.sandbox.cloudsuite.csi import methods, oracle, person, rules
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.filling import Filling
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.posting import post
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.register import Register
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.tables_ap import ap_tables
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.tables_gl import gl_tables
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.tables_master import master_tables
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.tables_po import po_tables
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import Method, PersonAction, Site
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Table

JOB = "BGTASKMAN"
"""User name of background jobs (SIM)."""


class CsiBooks:
    """Everything the site holds, an ``IdoBooks`` for the IDO service.

    Attributes:
        site: What all products of the tenant share.
        options: Switches of these books.
        tables: By IDO.
        methods: By (IDO, method).
        register: Numbers, origins, and what was deleted or went wrong.
        start: The second of the last reset; generated documents are dated relative to it.
    """

    def __init__(self, site: Site, options: CsiOptions | None = None) -> None:
        self.site = site
        self.options = options or CsiOptions(**site.options.csi)
        self._zone = ZoneInfo(site.options.time_zone)
        self.start = site.start
        self.tables: dict[str, Table] = {table.ido: table for table in self._tables()}
        self.register = Register()
        self._filling = Filling(self)
        self._filling.fill()
        rules.install(self)
        self.methods: Mapping[tuple[str, str], Method] = methods.of(self)
        self._persons = person.actions(self)
        self._due = self.start

    # What the IDO service asks for

    def tick(self) -> None:
        """Post what was due for posting since the last tick, as of each due moment."""
        if not self.options.post_every_minutes:
            return
        now, every = self.site.now(), timedelta(minutes=self.options.post_every_minutes)
        while self._due + every <= now:
            self._due += every
            post(self, Origin(self._due, JOB, person=True))

    def ledger(self) -> dict[str, Any]:
        """Return the books for the oracle; see :mod:`oracle`."""
        return oracle.ledger(self)

    def persons(self) -> Mapping[str, PersonAction]:
        """Return what people can do, by kind; see :mod:`person`."""
        return self._persons

    def truth(self) -> dict[str, Any]:
        """Return the label of each generated order, voucher and vendor: ``{"orders": {PoNum: label}, …}``."""
        return self._filling.truth()

    # What the parts of the books share

    def today(self, at: datetime | None = None) -> date:
        """Return the day on the site's calendar."""
        return (at or self.site.now()).astimezone(self._zone).date()

    def vendor(self, number: str) -> Row | None:
        """Return a vendor by VendNum, padded or not."""
        return self.tables["SLVendors"].get(number)

    def rate(self, currency: str) -> Decimal:
        """Return what multiplies a currency into the local one; 1 where it is unknown."""
        row = self.tables["SLCurrencyCodes"].get(currency)
        return row["BuyRate"] if row else Decimal(1)

    def distributions(self, voucher: Row) -> list[Row]:
        """Return the distributions of an unposted voucher, or of the one a distribution belongs to, by DistSeq."""
        rows = self.tables["SLAptrxds"].matching("Voucher", voucher["Voucher"])
        return sorted(
            (row for row in rows if row["VendNum"] == voucher["VendNum"]), key=lambda row: int(row["DistSeq"])
        )

    def distributed(self, voucher: Row) -> Decimal:
        """Return their sum."""
        return sum((row.get("Amount") or Decimal(0) for row in self.distributions(voucher)), Decimal(0))

    def order_lines(self, po_num: str) -> list[Row]:
        """Return the lines of an order with their releases, in order."""
        rows = self.tables["SLPoItems"].matching("PoNum", po_num)
        return sorted(rows, key=lambda row: (row["PoLine"], row.get("PoRelease", 0)))

    def period_open(self, day: date) -> bool:
        """Whether a day is in a period of the calendar that is not closed."""
        for year in self.tables["SLPeriods"]:
            for number in range(1, 14):
                start, end = year.get(f"PerStart_{number}"), year.get(f"PerEnd_{number}")
                if start and end and start <= day <= end:
                    return not (year.get("Closed") or year.get(f"PerClosed_{number}"))
        return False

    # Joins

    def _tables(self) -> list[Table]:
        vendors, orders, chart = self._join("SLVendors"), self._join("SLPos"), self._join("SLCharts")
        return [
            *master_tables(),
            *gl_tables(chart),
            *po_tables(vendors, orders),
            *ap_tables(vendors, chart, self._of_voucher, self.distributed),
        ]

    def _join(self, ido: str) -> Callable[[str, str], Callable[[Row], Any]]:
        """Return what makes derived properties of the row a key property names."""

        def joined(key: str, name: str) -> Callable[[Row], Any]:
            def value(row: Row) -> Any:  # noqa: ANN401 - whatever the property holds
                found = self.tables[ido].get(row[key]) if row.get(key) else None
                return found.get(name) if found else None

            return value

        return joined

    def _of_voucher(self, name: str) -> Callable[[Row], Any]:
        def value(row: Row) -> Any:  # noqa: ANN401 - whatever the property holds
            found = self.tables["SLAptrxs"].get(row["VendNum"], row["Voucher"])
            return found.get(name) if found else None

        return value
