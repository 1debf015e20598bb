"""Programs on programs and tables: MRS001MI (field metadata) and EXPORTMI (``reference/cloudsuite.md §4b``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from airflow_provider_mlconnector.sandbox.cloudsuite.m3 import payables, purchasing, queries
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import Books
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import FIELDS, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.mi import (
    STAMPS,
    Call,
    MiError,
    MissingError,
    Transaction,
    names,
)

Table = tuple[str, tuple[str, ...], Callable[[Books], Iterable[Row]]]
TABLES: Mapping[str, Table] = {
    "CIDMAS": ("ID", (*purchasing.SUPPLIER, *STAMPS), lambda books: books.suppliers.values()),
    "MPHEAD": ("IA", (*purchasing.HEAD, *STAMPS), lambda books: books.orders.values()),
    "MPLINE": ("IB", (*purchasing.LINE, *STAMPS), lambda books: books.all_lines()),
    "FAPIBH": ("E5", (*payables.HEAD, *STAMPS), lambda books: (each.head for each in books.batches.values())),
    "FAPIBL": (
        "E6", (*payables.LINE, *STAMPS), lambda books: (line for each in books.batches.values() for line in each.lines),
    ),
    "FCHACC": ("EA", (*payables.IDENTITY, *STAMPS), lambda books: books.identities.values()),
}  # fmt: skip
"""Table → prefix of its columns, its fields, its rows."""
_WITH_NAMES = ("*", "#")


def _export(books: Books, call: Call) -> Iterator[Row]:
    """Select from one table; SEPC between values, none giving fixed columns; HDRS 1 puts the names first."""
    try:
        wanted = queries.select(call.text("QERY"))
        prefix, known, rows = TABLES[wanted.table]
        conditions = [queries.condition(_field(n, prefix, known), op, value) for n, op, value in wanted.conditions]
    except queries.QueryError as error:
        raise MiError(str(error), "CPF9898", "QERY") from error
    except KeyError as error:
        raise MissingError(wanted.table, "QERY") from error
    fields = [_field(name, prefix, known) for name in wanted.columns]
    separator = call.text("SEPC")
    company: Row = {"CONO": call.company}
    if call.values.get("HDRS") == 1:
        yield _reply(list(wanted.columns), fields, separator)
    for row in rows(books):
        if all(each.holds_for(row | company) for each in conditions):
            yield _reply([FIELDS[name].show((row | company).get(name)) for name in fields], fields, separator)


def _field(column: str, prefix: str, known: tuple[str, ...]) -> str:
    name = column.removeprefix(prefix)
    if not column.startswith(prefix) or name not in (*known, "CONO"):  # every table begins with its company
        message = f"Column {column} does not exist"
        raise MiError(message, "CPF9898", "QERY")
    return name


def _reply(texts: list[str], fields: list[str], separator: str) -> Row:
    if not separator:
        reply = "".join(FIELDS[name].pad(text) for name, text in zip(fields, texts, strict=True))
    elif separator in _WITH_NAMES:
        reply = separator.join(f"{name} {text}" for name, text in zip(fields, texts, strict=True))
    else:
        reply = separator.join(texts)
    if len(reply) > FIELDS["REPL"].width:
        message = f"A row of {len(reply)} characters is longer than {FIELDS['REPL'].width}"
        raise MiError(message, "CPF9898", "QERY")
    return {"REPL": reply}


def _field_info(books: Books, call: Call) -> Iterator[Row]:  # noqa: ARG001 - one face for all transactions
    """List the fields of a transaction, inputs or outputs by TRTP, with the place each has in a record."""
    transaction = PROGRAMS.get(call.text("MINM"), {}).get(call.text("TRNM"))
    if transaction is None:
        asked = f"{call.text('MINM')} {call.text('TRNM')}"
        raise MissingError(asked, "TRNM")
    position = 16  # SIM: after the name of the transaction
    for name in transaction.outputs if call.text("TRTP") == "O" else transaction.inputs:
        known = FIELDS[name]
        yield {
            "FLNM": name, "FLDS": known.words, "FRPO": position, "TOPO": position + known.width - 1,
            "LENG": known.width, "FLDP": known.decimals, "TYPE": known.kind, "MAND": int(name in transaction.required),
        }  # fmt: skip
        position += known.width


PROGRAMS: dict[str, dict[str, Transaction]] = {
    **purchasing.PROGRAMS,
    **payables.PROGRAMS,
    "EXPORTMI": {"Select": Transaction(_export, names("SEPC HDRS QERY"), ("QERY",), ("REPL",))},
    "MRS001MI": {
        "LstAdtFieldInf": Transaction(
            _field_info,
            names("MINM TRNM TRTP"),
            names("MINM TRNM TRTP"),
            names("FLNM FLDS FRPO TOPO LENG FLDP TYPE MAND"),
        )
    },
}
"""Every program."""
