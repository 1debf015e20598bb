"""Writing canonical suppliers as properties of ``SLVendors`` (reference/cloudsuite.md §5.1)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from airflow_provider_mlconnector.documents.supplier import Address, Contact
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.cloudsuite.csi import values

KEY: Final = "VendNum"
LINES: Final = ("VadAddr_1", "VadAddr_2", "VadAddr_3", "VadAddr_4")
SIZES: Final[Mapping[str, int]] = {
    "Name": 60,
    **dict.fromkeys(LINES, 50),
    "VadCity": 30,
    "VadState": 5,
    "VadStateCode": 5,
    "VadZip": 10,
    "VadCountry": 30,
    "Contact": 30,
    "Phone": 25,
    "VadFaxNum": 25,
    "ExternalEmailAddr": 60,
    "TermsCode": 3,
    "CurrCode": 3,
    "BankCode": 3,
    "TaxRegNum1": 25,
}
"""Characters; the tenant's own ``/info`` wins."""
CONTACT: Final = ("Contact", "ExternalEmailAddr", "Phone", "VadFaxNum")
_SHORTENED: Final = frozenset({"Name", "Contact", "VadCity", *LINES})
"""What the option ``shorten_names`` may cut: half an e-mail address or telephone number is a wrong one."""
_CAPTIONS: Final = {
    "Name": "name",
    **dict.fromkeys(LINES, "address"),
    "VadCity": "city",
    "VadState": "region",
    "VadStateCode": "region",
    "VadZip": "postal code",
    "VadCountry": "country",
    "Contact": "contact",
    "Phone": "telephone",
    "VadFaxNum": "fax",
    "ExternalEmailAddr": "e-mail address",
    "TermsCode": "terms",
    "CurrCode": "currency",
    "TaxRegNum1": "tax id",
}


def same(row: Mapping[str, Any], name: str, value: str) -> bool:
    """Tell whether a record says a value already; outer blanks say nothing."""
    return values.unpad(row.get(name)) == value


class Writer:
    """Writes values, checking that CSI can hold them.

    Args:
        shorten: Cut what is too long and may be cut, instead of rejecting it.
        lengths: The tenant's own lengths.
        known: Properties that this version has and that can be written; others are left out.
        countries: ISO 3166 code → the site's own country.

    Attributes:
        notes: What was shortened or left out, for the audit.
    """

    def __init__(
        self, *, shorten: bool, lengths: Mapping[str, int], known: AbstractSet[str], countries: Mapping[str, str]
    ) -> None:
        self._shorten = shorten
        self._lengths = lengths
        self._known = known
        self._countries = countries
        self.notes: list[str] = []

    def fields(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the properties this version has, as they would stand in CSI.

        Raises:
            Rejected: ``name_too_long`` or ``too_long``.
        """
        for name in given:
            if name not in self._known and given[name]:
                self.notes.append(f"{_CAPTIONS.get(name, name)} is not kept by this version of CSI")
        return {
            name: self._fitting(name, " ".join(text.split())) for name, text in given.items() if name in self._known
        }

    def contact(self, contact: Contact) -> dict[str, str]:
        """Return the properties of a contact."""
        told = dict(zip(CONTACT, (contact.name, contact.email, contact.phone, contact.fax), strict=True))
        return self.fields({name: text for name, text in told.items() if text is not None})

    def address(self, address: Address) -> dict[str, str]:
        """Return all properties of an address.

        Raises:
            Rejected: ``too_long``, also when the street takes more lines than there are.
        """
        street = self._broken(address.lines)
        lines = dict(zip(LINES, [*street, *[""] * (len(LINES) - len(street))], strict=True))
        state = "VadState" if "VadState" in self._known else "VadStateCode"
        place = {
            "VadCity": address.city,
            state: address.region,
            "VadZip": address.postal_code,
            "VadCountry": self.country(address.country),
        }
        return self.fields(lines | place)

    def country(self, code: str) -> str:
        """Return the site's own country for an ISO code, the code itself where the site uses that."""
        return self._countries.get(code.strip().upper(), code)

    def _broken(self, lines: Iterable[str]) -> list[str]:
        """Return the lines of a street, broken anew where they are too long or too many."""
        given = [" ".join(line.split()) for line in lines if line.strip()]
        size = self._size(LINES[0])
        if len(given) > len(LINES) or any(len(line) > size for line in given):
            given = textwrap.wrap(", ".join(given), size, break_long_words=False, break_on_hyphens=False)
        if len(given) > len(LINES):
            given = [*given[: len(LINES) - 1], " ".join(given[len(LINES) - 1 :])]
        return given

    def _size(self, name: str) -> int:
        return self._lengths.get(name) or SIZES.get(name, 1000)

    def _fitting(self, name: str, value: str) -> str:
        size, caption = self._size(name), _CAPTIONS.get(name, name)
        if len(value) <= size:
            return value
        if self._shorten and name in _SHORTENED:
            cut = value[:size].strip()
            self.notes.append(f"{caption} shortened from {value!r} to {cut!r}")
            return cut
        code = "name_too_long" if name == "Name" else "too_long"
        msg = f"{caption} {value!r} has {len(value)} characters, CSI takes {size}"
        raise Rejected(msg, code=code, field=caption)
