"""Holding a supplier of the other side against M3's: each group of fields by its owner (FINANCE §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.matching import code_key
from airflow_provider_mlconnector.documents.supplier import CodedSupplier, FieldGroup, Owner, owners
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems.cloudsuite.m3 import supplier_codec as codec
from airflow_provider_mlconnector.systems.cloudsuite.m3 import suppliers
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.cloudsuite.m3.supplier_codec import Writer
from airflow_provider_mlconnector.systems.ports import Overruled


class Comparison:
    """One supplier on both sides. What M3 does not show here (street, remit-to, bank) is left alone.

    Args:
        coded: What the other side says.
        row: What M3 says.
        options: The route's choices.
        writer: Writes values as M3 would hold them.

    Attributes:
        overruled: Differences that lose against M3.
    """

    def __init__(self, coded: CodedSupplier, row: Mapping[str, Any], options: M3Options, writer: Writer) -> None:
        self._coded = coded
        self._here = coded.supplier
        self._there = suppliers.decode(row, options)
        self._options = options
        self._writer = writer
        self._owners = owners(options.owners)
        self.overruled: list[Overruled] = []

    def wanted(self) -> dict[str, str]:
        """Return what M3 must say, by input, of the groups the other side owns and tells; nothing is emptied.

        Raises:
            Rejected: M3 cannot hold a value.
            Parked: ``supplier_deactivated``.
        """
        if comparable(self._here.number) != comparable(self._there.number):
            self._lose("number", self._here.number, self._there.number)
        return {**self._name(), **self._contact(), **self._codes(), **self._status()}

    def _owned(self, group: FieldGroup) -> bool:
        return self._owners[group] is Owner.JAGGAER

    def _lose(self, group: str, here: str, there: str) -> None:
        self.overruled.append(Overruled(group, here, there))

    def _name(self) -> dict[str, str]:
        if self._owned(FieldGroup.NAME):
            return self._writer.fields({codec.NAME: self._here.name})
        if " ".join(self._here.name.split()) != " ".join(self._there.name.split()):
            self._lose("name", self._here.name, self._there.name)
        return {}

    def _contact(self) -> dict[str, str]:
        here, there = self._here.contact, self._there.contact
        if here is None or there is None:
            return {}
        if self._owned(FieldGroup.CONTACT):
            return self._writer.fields({codec.PHONE: here.phone, codec.FAX: here.fax or ""})
        told = {"telephone": (here.phone, there.phone), "fax": (here.fax or "", there.fax or "")}
        for what, (mine, theirs) in told.items():
            if mine and mine != theirs:
                self._lose(what, mine, theirs)
        return {}

    def _codes(self) -> dict[str, str]:
        told = {
            codec.TERMS: (FieldGroup.TERMS, self._coded.terms, self._there.terms),
            codec.CURRENCY: (FieldGroup.CURRENCY, self._coded.currency, self._there.currency),
            codec.TAX_ID: (FieldGroup.TAX_ID, self._here.tax_id, self._there.tax_id),
        }
        wanted: dict[str, str] = {}
        for name, (group, here, there) in told.items():
            if here is None or there is None or code_key(here) == code_key(there):
                continue
            if not self._owned(group):
                self._lose(group, here, there)
            else:
                wanted |= self._writer.fields({name: here})
        return wanted

    def _status(self) -> dict[str, str]:
        """Whether the supplier may be used at all; it belongs to the side that decides of holds."""
        here, there, owned = self._here.active, self._there.active, self._owned(FieldGroup.HOLD)
        if here is there or (not here and self._options.deactivate == "ignore"):
            return {}
        if here:
            if not owned:
                self._lose("hold", "active", "inactive")
            return {codec.STATUS: self._options.active_supplier_statuses[0]} if owned else {}
        if owned or self._options.deactivate == "inactive":
            return {codec.STATUS: self._options.inactive_supplier_status}
        key = self._there.number
        msg = f"supplier {key} {self._here.name} was deactivated; make it inactive in M3, or activate it again"
        raise Parked(msg, code="supplier_deactivated", subject=key)
