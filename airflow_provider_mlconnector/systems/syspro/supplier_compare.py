"""Holding a supplier of the other side against SYSPRO's: each group of fields by its owner (FINANCE §7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

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
from airflow_provider_mlconnector.systems.ports import Overruled
from airflow_provider_mlconnector.systems.syspro import supplier_codec as codec
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import Deactivate, SysproOptions

_SHOWN = 4
"""Characters of an account number that may be shown."""
Row = Mapping[str, str]


class Comparison:
    """One supplier on both sides. A group one side cannot tell (None, or no table) is left alone.

    Args:
        coded: What the other side says.
        row: What SYSPRO says.
        before: What the other side said when SYSPRO was last told, None at first contact.
        options: The route's choices.
        writer: Writes values as SYSPRO would hold them.

    Attributes:
        overruled: Differences that lose against SYSPRO.
    """

    def __init__(
        self, coded: CodedSupplier, row: Row, before: Supplier | None, options: SysproOptions, writer: codec.Writer
    ) -> None:
        self._coded = coded
        self._supplier = coded.supplier
        self._row = row
        self._before = before
        self._options = options
        self._writer = writer
        self._owners = owners(options.owners)
        self.overruled: list[Overruled] = []

    def wanted(self) -> dict[str, str]:
        """Return what SYSPRO must say, by element, of the groups the other side owns and tells.

        Raises:
            Rejected: SYSPRO cannot hold a value.
            Parked: ``bank_change`` or ``supplier_deactivated``.
        """
        self._check_payment_data()
        self._check_number()
        return {**self._name(), **self._address(), **self._contact(), **self._codes(), **self._hold()}

    def _owned(self, group: FieldGroup) -> bool:
        return self._owners[group] is Owner.JAGGAER

    def _lose(self, group: str, here: str, there: str) -> None:
        self.overruled.append(Overruled(group, here, there))

    def _check_number(self) -> None:
        key = self._row[codec.KEY]
        if normal(self._supplier.number) != normal(key):
            self._lose("number", self._supplier.number, key)

    def _name(self) -> dict[str, str]:
        there = self._row["SupplierName"]
        if not self._owned(FieldGroup.NAME):
            if _plain(self._supplier.name) != _plain(there):
                self._lose("name", self._supplier.name, there)
            return {}
        name = self._writer.text("SupplierName", self._supplier.name)
        follows = name != there and self._row["SupShortName"] == codec.short_name(there)
        return {"SupplierName": name} | ({"SupShortName": codec.short_name(name)} if follows else {})

    def _address(self) -> dict[str, str]:
        """An address is one thing: written whole once something that is said of it differs, and never erased whole."""
        address = self._supplier.address
        if address is None or codec.POSTAL_CODE not in self._row:
            return {}
        if not self._owned(FieldGroup.ADDRESS):
            there = codec.read_address(self._row, self._options.address_lines)
            if _differ(_parts(address), _parts(there)):
                self._lose("address", _one_line(address), _one_line(there))
            return {}
        wanted = self._writer.address(address)
        filled = any(value and value != self._row[element] for element, value in wanted.items())
        emptied = any(not value and self._row[element] for element, value in wanted.items())
        return wanted if filled or (emptied and any(wanted.values()) and self._address_shrank(address)) else {}

    def _address_shrank(self, now: Address) -> bool:
        before = self._before.address if self._before else None
        if before is None:
            return False
        fewer = len(now.lines) < len(before.lines)
        return fewer or any(was and not is_now for was, is_now in zip(_parts(before), _parts(now), strict=True))

    def _contact(self) -> dict[str, str]:
        """A part never filled at its owner says nothing; one that was filled and is empty now is to be emptied."""
        contact = self._supplier.contact
        if contact is None:
            return {}
        if not self._owned(FieldGroup.CONTACT):
            there = Contact(name=self._row["Contact"], email=self._row["Email"], phone=self._row["Telephone"])
            if _differ(_ways(contact), _ways(there)):
                self._lose("contact", ", ".join(_ways(contact)), ", ".join(_ways(there)))
            return {}
        wanted = self._writer.contact(contact)
        before = self._before.contact if self._before else None
        said = dict(zip(("Contact", "Email", "Telephone"), _ways(before), strict=True)) if before else {}
        return {element: value for element, value in wanted.items() if value or said.get(element)}

    def _codes(self) -> dict[str, str]:
        told = {
            "TermsCode": (FieldGroup.TERMS, self._coded.terms),
            "Currency": (FieldGroup.CURRENCY, self._coded.currency),
            "TaxRegnNum": (FieldGroup.TAX_ID, self._supplier.tax_id),
        }
        wanted = {}
        for element, (group, value) in told.items():
            there = self._row[element]
            if value is None or _code(value) == _code(there):
                continue
            if not self._owned(group):
                self._lose(group, value, there)
            elif value:
                wanted[element] = self._writer.text(element, value)
        return wanted

    def _hold(self) -> dict[str, str]:
        """SYSPRO knows no inactive suppliers: what comes nearest is the hold."""
        held, owned = self._row["OnHold"].upper() == "Y", self._owned(FieldGroup.HOLD)
        if held is not self._supplier.active or self._options.deactivate is Deactivate.IGNORE:
            return {}
        if self._supplier.active:
            if not owned:
                self._lose("hold", "active", "on hold")
            return {"OnHold": "N"} if owned else {}
        if owned or self._options.deactivate is Deactivate.HOLD:
            return {"OnHold": "Y"}
        key = self._row[codec.KEY]
        msg = f"supplier {key} {self._supplier.name} was deactivated; put it on hold in SYSPRO, or activate it again"
        raise Parked(msg, code="supplier_deactivated", subject=key)

    def _check_payment_data(self) -> None:
        """Bank and remit-to are SYSPRO's: a difference waits until it is gone, on one side or the other."""
        different = [*self._other_bank(), *self._other_remit_to()]
        if not different:
            return
        key = self._row[codec.KEY]
        msg = (
            f"supplier {key} {self._supplier.name} would be paid elsewhere: {'; '.join(different)}. Verify it with the "
            "supplier, then approve and change it in SYSPRO, or correct it at its source; it is never applied by itself"
        )
        raise Parked(msg, code="bank_change", field="bank", subject=key)

    def _other_bank(self) -> Iterable[str]:
        bank = self._supplier.bank
        there = (self._row["BankAccount"], self._row["BankBranch"])
        if bank is not None and _differ((bank.account, bank.branch), there, code_key):
            yield f"bank account {masked(bank.account)}, SYSPRO has {masked(there[0])}"

    def _other_remit_to(self) -> Iterable[str]:
        here = self._supplier.remit_to
        if here is None or codec.POSTAL_CODE not in self._row:
            return
        there = codec.read_remit_to(self._row, self._options.address_lines)
        if _differ((here.name, *_parts(here.address)), (there.name, *_parts(there.address)), name_key):
            words = [f"{which.name} {_one_line(which.address)}".strip() or "none" for which in (here, there)]
            yield f"remit-to {words[0]}, SYSPRO has {words[1]}"


def masked(account: str) -> str:
    """Return the end of an account number: enough to tell two apart, too little to pay to."""
    return f"…{account[-_SHOWN:]}" if account else "none"


def _plain(value: str) -> str:
    return " ".join(value.split())


def _code(value: str) -> str:
    return code_key(value) or value.strip()  # the currency $ has neither letters nor digits


def _differ(here: tuple[str, ...], there: tuple[str, ...], key: Callable[[str], str] = _plain) -> bool:
    """Whether something that is said here is different there; what is empty here says nothing."""
    return any(key(mine) and key(mine) != key(other) for mine, other in zip(here, there, strict=True))


def _parts(address: Address) -> tuple[str, ...]:
    return " ".join(address.lines), address.city, address.region, address.postal_code, address.country


def _one_line(address: Address) -> str:
    return ", ".join(part for part in _parts(address) if part)


def _ways(contact: Contact) -> tuple[str, str, str]:
    return contact.name, contact.email, contact.phone
