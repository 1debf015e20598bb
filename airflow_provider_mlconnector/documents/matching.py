"""First contact: which supplier of the other side is this one (FINANCE §7). Pure, and the same for both directions."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from airflow_provider_mlconnector.documents.supplier import Supplier
from airflow_provider_mlconnector.errors import Parked

AMBIGUOUS = "supplier_ambiguous"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A supplier of the other side; ``key`` is its key there, ``number`` the ERP's (the same thing in an ERP)."""

    key: str
    number: str = ""
    name: str = ""
    postal_code: str = ""
    tax_id: str = ""

    def __str__(self) -> str:
        return f"{self.key} {self.name}".strip()


def name_key(name: str) -> str:
    """Return what is compared of a name: no case, accents, blanks or punctuation (``G.m.b.H.`` is ``GmbH``)."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in plain if char.isalnum() or char == "&")


def code_key(code: str) -> str:
    """Return what is compared of a tax id or postal code: its letters and digits."""
    return "".join(char for char in unicodedata.normalize("NFKC", code).upper() if char.isalnum())


class Matcher:
    """All suppliers of the other side, indexed once for many look-ups.

    Args:
        candidates: All of them, those on hold included: they are suppliers too.
        normal: The form in which two ERP numbers are compared.
    """

    def __init__(self, candidates: Iterable[Candidate], *, normal: Callable[[str], str]) -> None:
        self._normal = normal
        self._numbers: dict[str, list[Candidate]] = {}
        self._tax_ids: dict[str, list[Candidate]] = {}
        self._names: dict[tuple[str, str], list[Candidate]] = {}
        for candidate in candidates:
            if candidate.number.strip():
                self._numbers.setdefault(normal(candidate.number), []).append(candidate)
            if tax_id := code_key(candidate.tax_id):
                self._tax_ids.setdefault(tax_id, []).append(candidate)
            where = name_key(candidate.name), code_key(candidate.postal_code)
            if all(where):
                self._names.setdefault(where, []).append(candidate)

    def match(self, supplier: Supplier, *, key: str, taken: Mapping[str, str]) -> Candidate | None:
        """Return the other side's supplier that this one is: by ERP number, else tax id, else name and postal code.

        Args:
            supplier: One that is not linked yet.
            key: Its key at its source.
            taken: Links known: key of the other side → key at the source.

        Returns:
            None when the other side does not know it.

        Raises:
            Parked: ``supplier_ambiguous``: several may be meant, number and tax id mean different ones, or the one
                meant is linked to another supplier (two were merged into one).
        """
        by_number = self._numbers.get(self._normal(supplier.number), []) if supplier.number else []
        by_tax_id = self._tax_ids.get(code_key(supplier.tax_id or ""), [])
        if by_number:
            if by_tax_id and not any(candidate in by_tax_id for candidate in by_number):
                why = "its number means another one than its tax id"
                raise _ambiguous(supplier, key, [*by_number, *by_tax_id], why)
            return _only(supplier, key, by_number, taken, f"number {supplier.number}")
        if by_tax_id:
            return _only(supplier, key, by_tax_id, taken, f"tax id {supplier.tax_id}")
        postal_code = supplier.address.postal_code if supplier.address else ""
        by_name = self._names.get((name_key(supplier.name), code_key(postal_code)), [])
        return _only(supplier, key, by_name, taken, "name and postal code") if by_name else None

    def numbered(self, number: str) -> Sequence[Candidate]:
        """Return those that have an ERP number, in any spelling of it."""
        return self._numbers.get(self._normal(number), [])


def _only(
    supplier: Supplier, key: str, found: Sequence[Candidate], taken: Mapping[str, str], evidence: str
) -> Candidate:
    if len(found) > 1:
        raise _ambiguous(supplier, key, found, f"its {evidence} fits {len(found)} of them")
    other = taken.get(found[0].key, key)
    if other != key:
        raise _ambiguous(supplier, key, found, f"its {evidence} means one that is linked to {other} already")
    return found[0]


def _ambiguous(supplier: Supplier, key: str, found: Sequence[Candidate], why: str) -> Parked:
    names = "; ".join(str(candidate) for candidate in found)
    text = (
        f"it is not clear which supplier {supplier.name} ({key}) is on the other side: {why} ({names}). Give it the "
        "ERP number of the right one, or merge the doubles"
    )
    return Parked(text, code=AMBIGUOUS, field="number", subject=", ".join(candidate.key for candidate in found))
