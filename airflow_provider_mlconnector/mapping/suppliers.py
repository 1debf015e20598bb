"""A supplier coded for the other side: terms and currency replaced by the target's codes (FINANCE §7)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from airflow_provider_mlconnector.documents.supplier import CodedSupplier, NewSupplier, Supplier
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.mapping.model import CodeMap, MappingSet, look_back, look_up


def code_supplier(
    supplier: Supplier, mapping: MappingSet, *, version: int, reverse: bool = False, on: date | None = None
) -> CodedSupplier:
    """Fill in the target's codes. What the source does not tell (None) or tells as empty stays so.

    Args:
        supplier: As its source knows it.
        mapping: The code maps, and what new suppliers get in the ledger.
        version: Which version of the mapping this is; kept for the audit.
        reverse: The source is the ledger: the maps are read backwards.
        on: The day on which codes must hold; master data has no date of its own, so the present day when None.

    Raises:
        Parked: ``unmapped_currency`` or ``unmapped_terms``, with the code as subject: not in the map or, read
            backwards, the target of several codes.
    """
    day = on or datetime.now(UTC).date()
    coder = _backward if reverse else _forward
    return CodedSupplier(
        supplier=supplier,
        currency=coder(mapping.currencies, supplier.currency, "currency", day)
        if supplier.currency
        else supplier.currency,
        terms=coder(mapping.terms, supplier.terms, "terms", day) if supplier.terms else supplier.terms,
        new=NewSupplier(**mapping.suppliers.model_dump(by_alias=False)),
        mapping_version=version,
    )


def _forward(codes: CodeMap, code: str, what: str, day: date) -> str:
    found = look_up(codes, code, day)
    if found is None:
        raise _unmapped(what, code, f"{what} {code} is not mapped")
    return found


def _backward(codes: CodeMap, code: str, what: str, day: date) -> str:
    found = look_back(codes, code, day)
    if not found:
        raise _unmapped(what, code, f"{what} {code} of the ledger is no target of the mapping")
    if len(found) > 1:
        raise _unmapped(what, code, f"{what} {code} of the ledger stands for {', '.join(found)}: one of them must go")
    return found[0]


def _unmapped(what: str, code: str, text: str) -> Parked:
    return Parked(text, code=f"unmapped_{what}", subject=code)
