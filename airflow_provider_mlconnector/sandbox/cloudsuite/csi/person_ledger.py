"""What a person does to the general ledger at a CSI screen: accounts, unit codes, periods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi.clerk import Action, Body, Clerk

NAMES = {
    "description": "Description", "type": "Type", "eff_date": "EffDate", "obs_date": "ObsDate",
    "access1": "AccessUnit1", "access2": "AccessUnit2", "access3": "AccessUnit3", "access4": "AccessUnit4",
}  # fmt: skip


class LedgerClerk(Clerk):
    """Looks after the chart of accounts, its unit codes and the calendar."""

    def actions(self) -> Mapping[str, Action]:
        """Return what can be done, by kind."""
        return {
            "account": self._account,
            "account_obsolete": self._obsolete,
            "unit_code": self._unit,
            "unit_code_remove": self._remove_unit,
            "account_unit": self._account_unit,
            "period": self._period,
        }

    def _account(self, body: Body) -> dict[str, Any]:
        code = str(body["account"])
        values = self._values("SLCharts", body, NAMES, ("account",))
        found = self._table("SLCharts").get(code)
        if found is None:
            access = {f"AccessUnit{n}": "A" for n in range(1, 5)}
            self._table("SLCharts").insert({"Acct": code, "Type": "E"} | access | values, self._who())
        else:
            self._table("SLCharts").update(found, values, self._who())
        return {"account": code}

    def _obsolete(self, body: Body) -> dict[str, Any]:
        who = self._who()
        day = str(body.get("date") or self._books.today(who.at))
        values = self._values("SLCharts", {"ObsDate": day}, {}, ())
        self._table("SLCharts").update(self._row("SLCharts", str(body["account"])), values, who)
        return {"account": str(body["account"]), "obs_date": day}

    def _unit(self, body: Body) -> dict[str, Any]:
        number, code = int(body.get("number", 1)), str(body["unit"])
        table = self._table(f"SLUnitcd{number}s")
        values = {"Description": str(body.get("description", code))}
        found = table.get(code)
        if found is None:
            table.insert({f"Unit{number}": code} | values, self._who())
        else:
            table.update(found, values, self._who())
        return {"unit": code, "number": number}

    def _remove_unit(self, body: Body) -> dict[str, Any]:
        number, code = int(body.get("number", 1)), str(body["unit"])
        for row in self._table(f"SLChartUnitcd{number}s").where(**{f"Unit{number}": code}):
            self._table(f"SLChartUnitcd{number}s").delete(row, self._who())
        self._table(f"SLUnitcd{number}s").delete(self._row(f"SLUnitcd{number}s", code), self._who())
        return {"unit": code, "number": number}

    def _account_unit(self, body: Body) -> dict[str, Any]:
        number, account, code = int(body.get("number", 1)), str(body["account"]), str(body["unit"])
        name = f"SLChartUnitcd{number}s"
        if body.get("remove"):
            self._table(name).delete(self._row(name, account, code), self._who())
        else:
            self._table(name).insert({"Acct": account, f"Unit{number}": code}, self._who())
        return {"account": account, "unit": code}

    def _period(self, body: Body) -> dict[str, Any]:
        year, period, closed = int(body["year"]), int(body["period"]), bool(body.get("closed", True))
        row = self._row("SLPeriods", year)
        values = self._values("SLPeriods", {f"PerClosed_{period}": closed}, {}, ())
        self._table("SLPeriods").update(row, values, self._who())
        return {"year": year, "period": period, "closed": closed}
