"""What a person does to vouchers at a CSI screen: enters, changes, deletes and pays them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import setup
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.paying import pay
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.rules_ap import SEQUENCE_STEP
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import ZERO, written
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Row

HEADER_NAMES = {
    "invoice": "InvNum", "amount": "InvAmt", "type": "Type", "invoice_date": "InvDate", "dist_date": "DistDate",
    "due_date": "DueDate", "po_num": "PoNum", "tax": "SalesTax", "freight": "Freight", "misc": "MiscCharges",
    "ref": "Ref", "text": "Txt", "stat": "BGPostingStat", "voucher": "Voucher",
}  # fmt: skip
LINE_NAMES = {
    "account": "Acct", "unit": "AcctUnit1", "unit2": "AcctUnit2", "unit3": "AcctUnit3", "unit4": "AcctUnit4",
    "amount": "Amount", "tax_code": "TaxCode", "tax_basis": "TaxBasis",
}  # fmt: skip
_APART = ("vendor", "lines", "po_lines")


class VoucherClerk(Clerk):
    """Looks after accounts payable."""

    def actions(self) -> Mapping[str, Action]:
        """Return what can be done, by kind."""
        return {
            "voucher": self._enter,
            "voucher_change": self._change,
            "voucher_delete": self._delete,
            "pay": self._pay,
        }

    def _enter(self, body: Body) -> dict[str, Any]:
        """Enter a voucher with its distributions and, for an order, what it bills of it."""
        lines = [self._values("SLAptrxds", line, LINE_NAMES, ()) for line in body["lines"]]
        values = self._header(body, lines)
        voucher = self._table("SLAptrxs").insert({"VendNum": self._vendor(body)["VendNum"]} | values, self._who())
        self._distribute(voucher, lines)
        self._bill(voucher, body)
        return self._shown(voucher)

    def _header(self, body: Body, lines: list[Row]) -> Row:
        values = self._values("SLAptrxs", body, HEADER_NAMES, _APART)
        values.setdefault("InvAmt", sum((line["Amount"] for line in lines), Decimal(0)))
        charges = sum((values.get(name) or Decimal(0) for name in ("SalesTax", "Freight", "MiscCharges")), Decimal(0))
        values.setdefault("PurchAmt", values["InvAmt"] - charges)
        if values.get("PoNum"):
            values["PoNum"] = self._row("SLPos", values["PoNum"].rjust(setup.ORDER_WIDTH))["PoNum"]
        return values

    def _distribute(self, voucher: Row, lines: list[Row]) -> None:
        for number, line in enumerate(lines, start=1):
            key = {"VendNum": voucher["VendNum"], "Voucher": voucher["Voucher"], "DistSeq": number * SEQUENCE_STEP}
            taxed = {"TaxSystem": 1} if line.get("TaxCode") else {}
            self._table("SLAptrxds").insert(key | taxed | line, self._who())

    def _bill(self, voucher: Row, body: Body) -> None:
        billed: list[Row] = [
            {
                "PoLine": int(line["line"]), "PoRelease": int(line.get("release", 0)),
                "Qty": Decimal(str(line["qty"])), "Cost": Decimal(str(line["cost"])),
            }
            for line in body.get("po_lines", [])
        ]  # fmt: skip
        if billed:
            self._books.register.billed[voucher["VendNum"], voucher["Voucher"]] = billed

    def _unposted(self, body: Body) -> Row:
        """Return an unposted voucher by its number.

        Raises:
            ValueError: If there is none.
        """
        found = self._table("SLAptrxs").matching("Voucher", int(body["voucher"]))
        if not found:
            msg = f"voucher {body['voucher']} is not among the unposted ones"
            raise ValueError(msg)
        return found[0]

    def _change(self, body: Body) -> dict[str, Any]:
        voucher = self._unposted(body)
        values = self._values("SLAptrxs", body, HEADER_NAMES, ("voucher", *_APART))
        if "lines" in body:
            lines = [self._values("SLAptrxds", line, LINE_NAMES, ()) for line in body["lines"]]
            for row in self._books.distributions(voucher):
                self._table("SLAptrxds").delete(row, self._who())
            self._distribute(voucher, lines)
        self._table("SLAptrxs").update(voucher, values, self._who())
        return self._shown(voucher)

    def _delete(self, body: Body) -> dict[str, Any]:
        voucher = self._unposted(body)
        self._table("SLAptrxs").delete(voucher, self._who())
        return {"voucher": voucher["Voucher"]}

    def _pay(self, body: Body) -> dict[str, Any]:
        """Pay a posted voucher, all that is open by default."""
        who = self._who()
        values = self._values("SLAptrxps", body, {"amount": "AmtPaid", "date": "DistDate"}, ("voucher",))
        day = values.get("DistDate") or self._books.today(who.at)
        return pay(self._books, int(body["voucher"]), values.get("AmtPaid"), day, who)

    def _shown(self, voucher: Row) -> dict[str, Any]:
        return {
            "voucher": voucher["Voucher"],
            "vend_num": voucher["VendNum"],
            "amount": written(voucher.get("InvAmt") or ZERO),
            "distributed": written(self._books.distributed(voucher)),
            "stat": voucher.get("BGPostingStat"),
        }
