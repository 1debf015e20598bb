"""Writing canonical suppliers as inputs of ``CRS620MI`` (reference/cloudsuite.md §4b, §5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.cloudsuite import texts

NAME, SEARCH = "SUNM", "ALSU"
PHONE, FAX = "PHNO", "TFNO"
TERMS, CURRENCY, TAX_ID, STATUS, COUNTRY, REGION = "TEPY", "CUCD", "VRNO", "STAT", "CSCD", "ECAR"
SIZES: Final[Mapping[str, int]] = {
    NAME: 36,
    SEARCH: 10,
    PHONE: 16,
    FAX: 16,
    TERMS: 3,
    CURRENCY: 3,
    TAX_ID: 16,
    STATUS: 2,
    COUNTRY: 3,
    REGION: 2,
}
"""Characters (§5.2); M3 refuses what is longer."""
_CAPTIONS: Final = {
    NAME: "name",
    PHONE: "telephone",
    FAX: "fax",
    TERMS: "terms",
    CURRENCY: "currency",
    TAX_ID: "tax id",
    COUNTRY: "country",
    REGION: "region",
}


def same(row: Mapping[str, Any], name: str, value: str) -> bool:
    """Tell whether a record says a value already; outer blanks say nothing."""
    return texts.unpad(row.get(name)) == value


class Writer:
    """Writes values, checking that M3 can hold them.

    Args:
        shorten: Cut names that are too long, instead of rejecting them.
        countries: ISO 3166 code → the site's own country.

    Attributes:
        notes: What was shortened or left out, for the audit.
    """

    def __init__(self, *, shorten: bool, countries: Mapping[str, str]) -> None:
        self._shorten = shorten
        self._countries = countries
        self.notes: list[str] = []

    def fields(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return inputs as they would stand in M3, empty ones left out: MI takes a blank input for none.

        Raises:
            Rejected: ``name_too_long`` or ``too_long``.
        """
        plain = {name: " ".join(text.split()) for name, text in given.items()}
        return {name: self._fitting(name, text) for name, text in plain.items() if text}

    def country(self, code: str) -> str:
        """Return the site's own country for an ISO code, the code itself where the site uses that."""
        return self._countries.get(code.strip().upper(), code)

    def _fitting(self, name: str, value: str) -> str:
        size, caption = SIZES[name], _CAPTIONS.get(name, name)
        if len(value) <= size:
            return value
        if name == SEARCH or (self._shorten and name == NAME):
            cut = value[:size].strip()
            if name == NAME:
                self.notes.append(f"{caption} shortened from {value!r} to {cut!r}")
            return cut
        code = "name_too_long" if name == NAME else "too_long"
        msg = f"{caption} {value!r} has {len(value)} characters, M3 takes {size}"
        raise Rejected(msg, code=code, field=caption)
