"""Holding a supplier of the other side against CSI's vendor: each group of fields by its owner (FINANCE §7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.matching import code_key, name_key
from airflow_provider_mlconnector.documents.supplier import (
    Address,
    CodedSupplier,
    Contact,
    FieldGroup,
    Owner,
    Supplier,
    owners,
)
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems.cloudsuite.csi import suppliers, values
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendor_codec import CONTACT, Writer, same
from airflow_provider_mlconnector.systems.ports import Overruled

ACTIVE, INACTIVE = "A", "I"
Row = Mapping[str, Any]


class Comparison:
    """One supplier on both sides. A group one side cannot tell is left alone; the bank CSI never shows is one.

    Args:
        coded: What the other side says.
        row: What CSI says; holds only the properties this version has.
        before: What the other side said when CSI was last told, None at first contact.
        options: The route's choices.
        writer: Writes values as CSI would hold them.

    Attributes:
        overruled: Differences that lose against CSI.
    """

    def __init__(
        self, coded: CodedSupplier, row: Row, before: Supplier | None, options: CsiOptions, writer: Writer
    ) -> None:
        self._coded = coded
        self._here = coded.supplier
        self._row = row
        self._there = suppliers.decode(row)
        self._before = before
        self._options = options
        self._writer = writer
        self._owners = owners(options.owners)
        self.overruled: list[Overruled] = []

    def wanted(self) -> dict[str, str]:
        """Return what CSI must say, by property, of the groups the other side owns and tells.

        Raises:
            Rejected: CSI cannot hold a value.
            Parked: ``bank_change`` or ``supplier_deactivated``.
        """
        self._check_remit_to()
        if comparable(self._here.number) != comparable(self._there.number):
            self._lose("number", self._here.number, self._there.number)
        return {**self._name(), **self._address(), **self._contact(), **self._codes(), **self._status(), **self._hold()}

    def _owned(self, group: FieldGroup) -> bool:
        return self._owners[group] is Owner.JAGGAER

    def _lose(self, group: str, here: str, there: str) -> None:
        self.overruled.append(Overruled(group, here, there))

    def _name(self) -> dict[str, str]:
        if self._owned(FieldGroup.NAME):
            return self._writer.fields({"Name": self._here.name})
        if _plain(self._here.name) != _plain(self._there.name):
            self._lose("name", self._here.name, self._there.name)
        return {}

    def _address(self) -> dict[str, str]:
        """An address is one thing: written whole once something that is said of it differs, and never erased whole."""
        here, there = self._here.address, self._there.address
        if here is None or there is None:
            return {}
        if not self._owned(FieldGroup.ADDRESS):
            if _differ(self._parts(here), _parts(there)):
                self._lose("address", _one_line(here), _one_line(there))
            return {}
        wanted = self._writer.address(here)
        filled = any(value and not same(self._row, name, value) for name, value in wanted.items())
        emptied = any(not value and not same(self._row, name, "") for name, value in wanted.items())
        return wanted if filled or (emptied and any(wanted.values()) and self._address_shrank(here)) else {}

    def _address_shrank(self, now: Address) -> bool:
        before = self._before.address if self._before else None
        if before is None:
            return False
        pairs = zip(_parts(before), _parts(now), strict=True)
        return len(now.lines) < len(before.lines) or any(was and not is_now for was, is_now in pairs)

    def _contact(self) -> dict[str, str]:
        """A part never filled at its owner says nothing; one that was filled and is empty now is to be emptied."""
        here, there = self._here.contact, self._there.contact
        if here is None or there is None:
            return {}
        if not self._owned(FieldGroup.CONTACT):
            if _differ(_ways(here), _ways(there)):
                self._lose("contact", ", ".join(_ways(here)), ", ".join(_ways(there)))
            return {}
        before = self._before.contact if self._before else None
        said = dict(zip(CONTACT, _ways(before), strict=True)) if before else {}
        return {name: value for name, value in self._writer.contact(here).items() if value or said.get(name)}

    def _codes(self) -> dict[str, str]:
        told = {
            "TermsCode": (FieldGroup.TERMS, self._coded.terms, self._there.terms),
            "CurrCode": (FieldGroup.CURRENCY, self._coded.currency, self._there.currency),
            "TaxRegNum1": (FieldGroup.TAX_ID, self._here.tax_id, self._there.tax_id),
        }
        wanted: dict[str, str] = {}
        for name, (group, here, there) in told.items():
            if here is None or there is None or code_key(here) == code_key(there):
                continue
            if not self._owned(group):
                self._lose(group, here, there)
            elif here:
                wanted |= self._writer.fields({name: here})
        return wanted

    def _status(self) -> dict[str, str]:
        """Whether the vendor may be used at all; it belongs to the side that decides of holds.

        JAGGAER knows no holds: what CSI holds is inactive there, by our own hand.
        """
        here, there, owned = self._here.active, self._there.active, self._owned(FieldGroup.HOLD)
        if here is there or (
            not here and (self._options.deactivate == "ignore" or (self._there.on_hold and not owned))
        ):
            return {}
        if here:
            if not owned:
                self._lose("hold", "active", "inactive")
            return {"Stat": ACTIVE} if owned else {}
        if owned or self._options.deactivate == "inactive":
            return {"Stat": INACTIVE}
        key = self._there.number
        msg = f"supplier {key} {self._here.name} was deactivated; make it inactive in CSI, or activate it again"
        raise Parked(msg, code="supplier_deactivated", subject=key)

    def _hold(self) -> dict[str, str]:
        here, there = self._here.on_hold, self._there.on_hold
        if here is None or there is None or here is there:
            return {}
        if self._owned(FieldGroup.HOLD):
            return {"VadPayHold": values.flag_text(here)}
        words = {True: "on hold", False: "not on hold"}
        self._lose("hold", words[here], words[there])
        return {}

    def _check_remit_to(self) -> None:
        """Where payments go is CSI's: a difference waits until it is gone, on one side or the other."""
        here, there = self._here.remit_to, self._there.remit_to
        if here is None or there is None:
            return
        if not _differ((here.name, *self._parts(here.address)), (there.name, *_parts(there.address)), name_key):
            return
        key = self._there.number
        words = [f"{which.name} {_one_line(which.address)}".strip() or "none" for which in (here, there)]
        msg = (
            f"supplier {key} {self._here.name} would be paid elsewhere: remit-to {words[0]}, CSI has {words[1]}. Check "
            "with the supplier, then change it in CSI or correct it at its source; it is never applied by itself"
        )
        raise Parked(msg, code="bank_change", field="bank", subject=key)

    def _parts(self, address: Address) -> tuple[str, ...]:
        """Return the other side's address with the country as this site writes it."""
        return _parts(address.model_copy(update={"country": self._writer.country(address.country)}))


def _plain(value: str) -> str:
    return " ".join(value.split())


def _differ(here: tuple[str, ...], there: tuple[str, ...], key: Callable[[str], str] = _plain) -> bool:
    """Whether something that is said here is different there; what is empty here says nothing."""
    return any(key(mine) and key(mine) != key(other) for mine, other in zip(here, there, strict=True))


def _parts(address: Address) -> tuple[str, ...]:
    return " ".join(address.lines), address.city, address.region, address.postal_code, address.country


def _one_line(address: Address) -> str:
    return ", ".join(part for part in _parts(address) if part)


def _ways(contact: Contact) -> tuple[str, str, str, str]:
    return contact.name, contact.email, contact.phone, contact.fax or ""
