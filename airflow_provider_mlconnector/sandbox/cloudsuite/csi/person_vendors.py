"""What a person does to vendors at a CSI screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.setup import vend_num

NAMES = {
    "name": "Name", "currency": "CurrCode", "terms": "TermsCode", "tax_number": "TaxRegNum1", "street": "VadAddr_1",
    "city": "VadCity", "postal_code": "VadZip", "country": "VadCountry", "email": "ExternalEmailAddr",
    "phone": "Phone", "bank": "BankCode", "hold": "VadPayHold", "hold_reason": "VadPayHoldReason",
}  # fmt: skip


class VendorClerk(Clerk):
    """Looks after the vendor master."""

    def actions(self) -> Mapping[str, Action]:
        """Return what can be done, by kind."""
        return {"vendor": self._vendor_put, "vendor_merge": self._merge, "vendor_delete": self._delete}

    def _vendor_put(self, body: Body) -> dict[str, Any]:
        """Change a vendor (a new name renames it), or add it."""
        number = vend_num(str(body["vendor"]))
        values = self._values("SLVendors", body, NAMES, ("vendor", "active"))
        if "active" in body:
            values["Stat"] = "A" if body["active"] else "I"
        found = self._table("SLVendors").get(number)
        if found is None:
            usual = {"Name": number.strip(), "TermsCode": "N30"}
            self._table("SLVendors").insert({"VendNum": number} | usual | values, self._who())
        else:
            self._table("SLVendors").update(found, values, self._who())
        return {"vendor": number}

    def _merge(self, body: Body) -> dict[str, Any]:
        """Let ``into`` take the place of ``vendor``, which is inactive from now on."""
        old, new = self._vendor(body), self._row("SLVendors", vend_num(str(body["into"])))
        note = f"Replaced by {new['VendNum'].strip()}"
        self._table("SLVendors").update(old, {"Stat": "I", "VadAddr_4": note}, self._who())
        return {"vendor": old["VendNum"], "into": new["VendNum"]}

    def _delete(self, body: Body) -> dict[str, Any]:
        gone = self._vendor(body)
        self._table("SLVendors").delete(gone, self._who())
        return {"vendor": gone["VendNum"]}
