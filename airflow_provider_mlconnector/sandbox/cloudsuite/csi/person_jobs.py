"""What people let run over many rows at a CSI site: posting, purging, and jobs that touch everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.posting import post
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.register import Gone

PURGED = ("SLAptrxps", "SLVchHdrs", "SLVchItemAlls")


class JobClerk(Clerk):
    """Runs the site's utilities."""

    def actions(self) -> Mapping[str, Action]:
        """Return what can be done, by kind."""
        return {"post_vouchers": self._post, "voucher_purge": self._purge, "touch": self._touch}

    def _post(self, body: Body) -> dict[str, Any]:
        only = {int(number) for number in body["vouchers"]} if "vouchers" in body else None
        return {"posted": post(self._books, self._who(), only)}

    def _purge(self, body: Body) -> dict[str, Any]:
        """Take a posted voucher out of posted transactions and register; the ledger and the oracle keep it."""
        number, who = int(body["voucher"]), self._who()
        if not self._table("SLAptrxps").matching("Voucher", number):
            msg = f"voucher {number} is not posted"
            raise ValueError(msg)
        for ido in PURGED:
            for row in self._table(ido).matching("Voucher", number):
                self._books.register.gone[ido].append(Gone(dict(row), [], who))
                self._table(ido).delete(row, who, checked=False)
        return {"voucher": number}

    def _touch(self, body: Body) -> dict[str, Any]:
        """Move the change stamps of every row of an IDO, as direct SQL does (reference/cloudsuite.md §4a)."""
        table, who = self._table(str(body["ido"])), self._who()
        for row in [*table]:
            table.update(row, {}, who, checked=False)
        return {"ido": table.ido, "rows": len(table)}
