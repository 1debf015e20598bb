"""What a person does to suppliers at a SYSPRO screen."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro import apsssp
from airflow_provider_mlconnector.sandbox.syspro.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.syspro.fields import Findings
from airflow_provider_mlconnector.sandbox.syspro.supplier_fields import ELEMENTS, REMIT_EMAIL, with_defaults

SHORT_NAMES = {
    "name": "SupplierName",
    "currency": "Currency",
    "branch": "Branch",
    "terms": "TermsCode",
    "on_hold": "OnHold",
    "grn_match_required": "GrnMatchReqd",
    "orders_allowed": "PurchOrdAllowed",
    "tax_number": "TaxRegnNum",
}
"""Short names for the fields changed most; every other field goes by its element's name."""
_FIELDS = {element.name for element in ELEMENTS} | {REMIT_EMAIL}


class SupplierClerk(Clerk):
    """Looks after the supplier master."""

    def actions(self) -> dict[str, Action]:
        """Return what can be done, by name."""
        return {"supplier": self._supplier, "supplier_merge": self._merge, "supplier_delete": self._delete}

    def _supplier(self, body: Body) -> dict[str, object]:
        """Change a supplier (a new name renames it), or add it with the site's usual values."""
        key = self._key(body["supplier"])
        stored = self._books.suppliers.get(key)
        before = stored.fields if stored else self._usual(key)
        fields = with_defaults(before | self._given(body))
        findings = Findings("Y")
        apsssp.check_fields(self._books, fields, findings)
        if findings.errors:
            raise ValueError(findings.reason())
        self._books.put_supplier(key, fields, self._origin)
        return {"supplier": key}

    def _usual(self, name: str) -> dict[str, str]:
        return {
            "SupplierName": name, "Currency": master.LOCAL_CURRENCY, "Branch": "10", "TermsCode": "30", "Bank": "1",
            "GrnMatchReqd": "N", "DateSuppAdded": self._origin.at.date().isoformat(),
        }  # fmt: skip

    def _given(self, body: Body) -> dict[str, str]:
        """Return the fields a body names.

        Raises:
            ValueError: If it names anything else.
        """
        named = {SHORT_NAMES.get(name, name): value for name, value in body.items() if name != "supplier"}
        unknown = named.keys() - _FIELDS
        if unknown:
            msg = f"unknown supplier fields: {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        return {name: _text(value) for name, value in named.items()}

    def _merge(self, body: Body) -> dict[str, object]:
        """Let ``into`` take the place of ``supplier``, which is put on hold, or deleted if ``delete`` is given."""
        old, new = self._stored_supplier(body["supplier"]), self._stored_supplier(body["into"])
        if body.get("delete"):
            return {**self._delete(body), "into": new.key}
        fields = {"OnHold": "Y", "PurchOrdAllowed": "N", "UserField1": f"Replaced by {new.key}"}
        self._books.put_supplier(old.key, old.fields | fields, self._origin)
        return {"supplier": old.key, "into": new.key}

    def _delete(self, body: Body) -> dict[str, object]:
        gone = self._stored_supplier(body["supplier"])
        if self._books.supplier_in_use(gone.key):
            msg = f"supplier {gone.key} has transactions"
            raise ValueError(msg)
        self._books.remove_supplier(gone.key, self._origin)
        return {"supplier": gone.key}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    return str(value)
