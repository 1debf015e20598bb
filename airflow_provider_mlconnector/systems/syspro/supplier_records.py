"""Suppliers as COMFND shows them: listed by ranges of keys, or read by key (reference/syspro.md §2.9, §4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, both, in_chunks, pages
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.reference import key_condition
from airflow_provider_mlconnector.systems.syspro.supplier_codec import ADDRESS_COLUMNS, COLUMNS, KEY, POSTAL_CODE

TABLE = "ApSupplier"
_FURTHER = (
    *("Branch", "Bank", "SupplierClass", "SupplierType", "PurchOrdAllowed", "GrnMatchReqd", "MerchGlCode"),
    *("FreightGlCode", "DefTaxCode", "PayByEft", "Nationality", "DateSuppAdded"),
)
"""Columns of ApSupplier that APSSSP knows as elements and that are read only before a change."""
Row = dict[str, str]


def supplier_query(options: SysproOptions, *, full: bool = False) -> Query:
    """Ask for suppliers: what the canonical supplier has, or everything that an update must send back."""
    return Query(TABLE, (*COLUMNS, *_FURTHER) if full else COLUMNS, all_columns=full and options.full_records)


def address_query(options: SysproOptions, *, full: bool = False) -> Query:
    """Ask for their addresses, where this site has them; the same choice."""
    return Query(options.address_table, ADDRESS_COLUMNS, all_columns=full and options.full_records)


def record_pages(client: SysproClient, options: SysproOptions) -> Iterator[list[Row]]:
    """List all suppliers with their addresses, page by page.

    Raises:
        ConfigurationError: The address table is not there.
    """
    for rows in pages(client, supplier_query(options), key=KEY):
        if not options.address_table:
            yield rows
            continue
        within = both(Condition(KEY, "GE", rows[0][KEY]), Condition(KEY, "LE", rows[-1][KEY]))
        addresses = address_query(options)
        yield _joined(rows, _shown(addresses, in_chunks(client, addresses, [within])))


def read_records(
    client: SysproClient, options: SysproOptions, keys: Sequence[str], *, full: bool = False
) -> dict[str, list[Row]]:
    """Read suppliers by key, in any spelling, with their addresses.

    Args:
        client: Logged on.
        options: Where addresses live, and whether all columns can be asked for.
        keys: The suppliers' keys.
        full: Everything that an update must send back, not only what the canonical supplier has.

    Returns:
        Normalized key → records by column; several only where two keys are spelled apart (``310`` and ``0310``).

    Raises:
        ConfigurationError: The address table, or AllColumns, is unknown at this site.
    """
    conditions = [key_condition(KEY, key) for key in dict.fromkeys(keys)]
    suppliers = supplier_query(options, full=full)
    rows = _shown(suppliers, in_chunks(client, suppliers, conditions))
    if rows and options.address_table:
        addresses = address_query(options, full=full)
        rows = _joined(rows, _shown(addresses, in_chunks(client, addresses, conditions)))
    found = by_key(rows)
    return {normal(key): found[normal(key)] for key in keys if normal(key) in found}


def read_alike(client: SysproClient, options: SysproOptions, fields: Mapping[str, str]) -> list[Row]:
    """Read suppliers that the same company may be set up as: the same tax id, or name and postal code together.

    Only spelled alike: SYSPRO compares letter by letter.

    Args:
        client: Logged on.
        options: Where addresses live.
        fields: Of the supplier in question, by element.
    """
    tax_id, name, place = (fields.get(element, "") for element in ("TaxRegnNum", "SupplierName", POSTAL_CODE))
    conditions = [Condition("TaxRegnNum", "EQ", tax_id)] if tax_id else []
    conditions += [Condition("SupplierName", "EQ", name)] if name and place else []
    rows = [row for rows in in_chunks(client, supplier_query(options), conditions) for row in rows]
    found = read_records(client, options, [row[KEY] for row in rows]) if rows else {}
    there = [row for same in found.values() for row in same]
    return [
        row for row in there if (tax_id and row["TaxRegnNum"] == tax_id) or (place and row.get(POSTAL_CODE) == place)
    ]


def by_key(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Group records by normalized key."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(normal(row[KEY]), []).append(row)
    return grouped


def _joined(suppliers: Iterable[Row], addresses: Iterable[Row]) -> list[Row]:
    """Join rows of both tables; a supplier without a row of addresses has empty ones."""
    nothing = dict.fromkeys(ADDRESS_COLUMNS, "")
    of_key = {row[KEY]: row for row in addresses}
    return [nothing | of_key.get(row[KEY], {}) | row for row in suppliers]


def _shown(query: Query, chunks: Iterable[list[Row]]) -> list[Row]:
    """Read all chunks; say what to change where SYSPRO does not show at this site what an option says."""
    try:
        return [row for chunk in chunks for row in chunk]
    except ProtocolError as error:
        if query.table == TABLE and not query.all_columns:
            raise
        field = "full_records" if query.all_columns else "address_table"
        msg = f"SYSPRO does not show {query.table}: {error.message}. If it never does here, change option {field}"
        raise ConfigurationError(msg, field=field) from error
