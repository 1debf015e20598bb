"""Suppliers (CRS620MI) and purchase orders (PPS200MI, PPS001MI): ``reference/cloudsuite.md §4b``, §5.2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from airflow_provider_mlconnector.sandbox.cloudsuite.m3 import queries
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import SUPPLIER_ACTIVE, Books, change, stamped
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import Row
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.mi import (
    STAMPS,
    Call,
    MiError,
    MissingError,
    Transaction,
    names,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.setup import CURRENCIES, TERMS

SUPPLIER = names(
    "SUNO SUNM SUTY STAT ALSU CORG VRNO PHNO TFNO CSCD ECAR LNCD CUCD TEPY PYME TEDL MODL SUCL BUYE PRSU TINO"
)
HEAD = names("CONO DIVI PUNO SUNO PRSU ORTY PUDT DWDT BUYE FACI WHLO CUCD TEPY COAM NTAM OURR YRE1 PROJ PURC PUSL PUST")
LINE = names(
    "PUNO PNLI PNLS ITNO SITE PITD PITT ORQA CFQA RVQA IVQA PUUN PPUN PUPR LNAM DWDT CODT PUST PUSL VTCD TXID COCE"
)


def _list_suppliers(books: Books, call: Call) -> Iterator[Row]:
    """List by SUNO; LMTS gives those changed after that stamp (SIM: after, not at)."""
    low, high = call.text("FRSU"), call.text("TOSU") or "\uffff"
    since = int(call.text("LMTS") or 0)
    for number in sorted(books.suppliers):
        row = books.suppliers[number]
        if low <= number <= high and int(str(row["LMTS"])) > since:
            yield row


def _get_supplier(books: Books, call: Call) -> Iterable[Row]:
    return [_supplier(books, call)]


def _add_supplier(books: Books, call: Call) -> Iterable[Row]:
    number = call.text("SUNO")
    if number in books.suppliers:
        message = f"Supplier {number} already exists"
        raise MiError(message, "WSU0104", "SUNO")
    _check_codes(call)
    values: Row = {"SUTY": 0, "STAT": SUPPLIER_ACTIVE, "PRSU": number}
    books.suppliers[number] = stamped(values | call.values, call.origin)
    return ()


def _update_supplier(books: Books, call: Call) -> Iterable[Row]:
    """Change what is given; an absent or blank input leaves its field alone (SIM)."""
    row = _supplier(books, call)
    _check_codes(call)
    change(row, call.values, call.origin)
    return ()


def _supplier(books: Books, call: Call) -> Row:
    row = books.supplier(call.text("SUNO"))
    if row is None:
        raise MissingError(call.text("SUNO"), "SUNO")
    return row


def _check_codes(call: Call) -> None:
    """Refuse codes that are in no table of M3's (SIM: which tables are looked into)."""
    for name, known in (("CUCD", CURRENCIES), ("TEPY", TERMS)):
        if call.text(name) and call.text(name) not in known:
            raise MissingError(call.text(name), name)


def _get_head(books: Books, call: Call) -> Iterable[Row]:
    return [_head(books, call)]


def _head(books: Books, call: Call) -> Row:
    row = books.orders.get(call.text("PUNO"))
    if row is None or (call.division and row["DIVI"] != call.division):
        raise MissingError(call.text("PUNO"), "PUNO")
    return row | {"CONO": call.company}


def _lines(books: Books, call: Call) -> Iterator[Row]:
    """List the lines of an order from (PNLI, PNLS) on."""
    _head(books, call)
    start = int(call.text("PNLI") or 0), int(call.text("PNLS") or 0)
    for line in books.lines_of(call.text("PUNO")):
        if (int(str(line["PNLI"])), int(str(line["PNLS"]))) >= start:
            yield line


def _heads(books: Books, call: Call) -> Iterator[Row]:
    for number in sorted(books.orders):
        row = books.orders[number]
        if not call.division or row["DIVI"] == call.division:
            yield row | {"CONO": call.company}


def _search_head(books: Books, call: Call) -> Iterator[Row]:
    try:
        wanted = queries.search(call.text("SQRY"))
    except queries.QueryError as error:
        raise MiError(str(error), "CPF9898", "SQRY") from error
    return (row for row in _heads(books, call) if all(each.holds_for(row) for each in wanted))


def _list_heads(books: Books, call: Call) -> Iterator[Row]:
    return (row for row in _heads(books, call) if row["PURC"] == call.text("PURC"))


PROGRAMS: dict[str, dict[str, Transaction]] = {
    "CRS620MI": {
        "LstSuppliers": Transaction(_list_suppliers, names("FRSU TOSU LMTS"), outputs=("CONO", *SUPPLIER, *STAMPS)),
        "GetBasicData": Transaction(_get_supplier, ("SUNO",), ("SUNO",), ("CONO", *SUPPLIER, *STAMPS)),
        "AddSupplier": Transaction(_add_supplier, SUPPLIER, ("SUNO",), writes="supplier", key=("SUNO",)),
        "UpdSupplier": Transaction(_update_supplier, SUPPLIER, ("SUNO",), writes="supplier", key=("SUNO",)),
    },
    "PPS200MI": {
        "GetHead": Transaction(_get_head, ("PUNO",), ("PUNO",), (*HEAD, *STAMPS)),
        "LstLine": Transaction(_lines, names("PUNO PNLI PNLS"), ("PUNO",), (*LINE, *STAMPS)),
        "SearchHead": Transaction(_search_head, ("SQRY",), ("SQRY",), (*HEAD, *STAMPS)),
    },
    "PPS001MI": {
        "ListHeadBasic": Transaction(_list_heads, ("PURC",), ("PURC",), (*HEAD, *STAMPS)),
        "GetHeadBasic": Transaction(_get_head, ("PUNO",), ("PUNO",), (*HEAD, *STAMPS)),
        "LstLine": Transaction(_lines, names("PUNO PNLI PNLS"), ("PUNO",), (*LINE, *STAMPS)),
    },
}
"""Program → transaction."""
