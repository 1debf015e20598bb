"""Supplier invoice batches (APS450MI, APS455MI, APS110MI) and accounting identities (CRS630MI): §4b, §5.2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from airflow_provider_mlconnector.sandbox.cloudsuite.m3 import posting
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import (
    APPROVED,
    ENTERED,
    IN_ERROR,
    MATCHING_FAILED,
    VALIDATED,
    ZERO,
    Batch,
    Books,
    change,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import Row
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.mi import (
    STAMPS,
    Call,
    MiError,
    MissingError,
    Transaction,
    names,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.setup import CURRENCIES

HEAD_INPUTS = names("DIVI IBTP SUNO SINO SPYN CUCD CUAM VTAM TEPY PYME IVDT DUDT ACDT APCD IMCD PUNO VONO CORI YRE1")
HEAD = (*names("CONO INBN"), *HEAD_INPUTS, *names("SUPA BIST IBHE IBLE MSGD YEA4"))
DIMENSIONS = names("AIT1 AIT2 AIT3 AIT4 AIT5 AIT6 AIT7")
LINE_INPUTS = (
    *names("INBN DIVI RDTP NLAM VTA1 VTCD PUNO PNLI PNLS IVQA PUUN GRPR PPUN NEPR ITNO REPN SUDO CHGT"),
    *DIMENSIONS,
)
LINE = ("TRNO", *LINE_INPUTS)
IDENTITY = names("AITP AITM TX15 TX40 AICL LCCD VFDT VTDT ACR2 ACR3 ACR4 ACR5 ACR6 ACR7")
BATCH_TYPES = ("20", "25")
"""IBTP: a normal invoice, a recode (§5.2)."""
OPEN_STATUSES = (ENTERED, IN_ERROR, MATCHING_FAILED, VALIDATED)
"""SUPA of batches that can still be changed or deleted."""


def _add_head(books: Books, call: Call) -> Iterable[Row]:
    """Enter a batch; currency, terms, payee and dates are the supplier's or the invoice's where not given (SIM)."""
    supplier = books.supplier(call.text("SUNO"))
    if supplier is None:
        raise MissingError(call.text("SUNO"), "SUNO")
    if call.text("CUCD") and call.text("CUCD") not in CURRENCIES:
        raise MissingError(call.text("CUCD"), "CUCD")
    if call.text("IBTP") and call.text("IBTP") not in BATCH_TYPES:
        message = f"Invoice batch type {call.text('IBTP')} is invalid"
        raise MiError(message, "WIB0101", "IBTP")
    defaults: Row = {
        "IBTP": BATCH_TYPES[0], "SPYN": supplier["PRSU"], "CUCD": supplier["CUCD"], "TEPY": supplier["TEPY"],
        "PYME": supplier["PYME"], "ACDT": call.values["IVDT"], "CUAM": ZERO, "VTAM": ZERO,
    }  # fmt: skip
    head = dict.fromkeys(HEAD_INPUTS) | defaults | call.values
    batch = books.new_batch(head | {"DIVI": call.division or books.options.division}, call.origin)
    return [{"INBN": batch.number}]


def _add_line(books: Books, call: Call) -> Iterable[Row]:
    batch = _open_batch(books, call)
    if call.values["RDTP"] not in posting.LINE_TYPES:
        message = f"Line type {call.values['RDTP']} is invalid"
        raise MiError(message, "WRD0101", "RDTP")
    values = dict(call.values)
    if not books.options.line_dimensions:
        values = {name: value for name, value in values.items() if name not in DIMENSIONS}
    line = posting.add_line(batch, values, call.origin)
    return [{"TRNO": line["TRNO"]}]


def _get_head(books: Books, call: Call) -> Iterable[Row]:
    return [_batch(books, call).head | {"CONO": call.company}]


def _list_lines(books: Books, call: Call) -> Iterable[Row]:
    return _batch(books, call).lines


def _list_by_payee(books: Books, call: Call) -> Iterator[Row]:
    """List the batches of a payee, from INBN on; other inputs narrow it down."""
    for batch in books.batches_of(call.text("SPYN")):
        given = [name for name in ("SUNO", "IBTP", "SUPA") if name in call.values]
        if batch.number >= int(call.text("INBN") or 0) and all(batch.head[n] == call.values[n] for n in given):
            yield batch.head | {"CONO": call.company}


def _list_by_number(books: Books, call: Call) -> Iterator[Row]:
    for batch in books.batches_of(call.text("SPYN")):
        if all(batch.head.get(name) == call.values[name] for name in ("SUNO", "SINO")):
            yield batch.head | {"CONO": call.company}


def _delete(books: Books, call: Call) -> Iterable[Row]:
    batch = _open_batch(books, call)
    books.drop_batch(batch)
    return ()


def _validate(books: Books, call: Call) -> Iterable[Row]:
    """Submit a batch: the answer is OK whatever the check finds, which its head tells (§4b)."""
    posting.validate(books, _open_batch(books, call), call.origin)
    return ()


def _approve(books: Books, call: Call) -> Iterable[Row]:
    """Approve by INBN, or by payee, supplier and invoice number; of several the last one (SIM)."""
    if "INBN" in call.values:
        found = [_batch(books, call)]
    else:
        named = {name: call.values[name] for name in ("SUNO", "SINO") if name in call.values}
        found = [
            batch
            for batch in books.batches_of(call.text("SPYN") or call.text("SUNO"))
            if "SINO" in named and all(batch.head.get(name) == value for name, value in named.items())
        ]
    if not found:
        raise MissingError(call.text("SINO"), "SINO")
    change(found[-1].head, {"BIST": APPROVED}, call.origin)
    return ()


def _open_batch(books: Books, call: Call) -> Batch:
    batch = _batch(books, call)
    if batch.status not in OPEN_STATUSES:
        message = f"Invoice batch {batch.number} has status {batch.status}"
        raise MiError(message, "WIN0105", "INBN")
    return batch


def _batch(books: Books, call: Call) -> Batch:
    number = call.values["INBN"]
    batch = books.batches.get(int(str(number)))
    if batch is None or (call.division and batch.head["DIVI"] != call.division):
        raise MissingError(number, "INBN")
    return batch


def _identities(books: Books, call: Call) -> Iterator[Row]:
    """List accounts or cost centers, from AITM on."""
    for (dimension, code), row in sorted(books.identities.items()):
        if dimension == call.values["AITP"] and code >= call.text("AITM"):
            yield row


_VALIDATE = Transaction(_validate, names("INBN DIVI"), ("INBN",), writes="invoice", key=("INBN",))
_APPROVE = Transaction(
    _approve, names("INBN DIVI SPYN SUNO SINO YEA4 AAPD APCD"), writes="invoice", key=names("INBN SUNO SINO")
)
PROGRAMS: dict[str, dict[str, Transaction]] = {
    "APS450MI": {
        "AddHead": Transaction(
            _add_head, HEAD_INPUTS, names("SUNO IVDT"), ("INBN",), writes="invoice", key=names("SUNO SINO")
        ),
        "AddLine": Transaction(
            _add_line, LINE_INPUTS, names("INBN RDTP"), ("TRNO",), writes="invoice_line", key=("INBN",)
        ),
        "GetHead": Transaction(_get_head, names("INBN DIVI"), ("INBN",), (*HEAD, *STAMPS)),
        "LstLines": Transaction(_list_lines, names("INBN DIVI"), ("INBN",), (*LINE, *STAMPS)),
        "LstInvBatchNo": Transaction(
            _list_by_payee, names("SPYN DIVI SUNO IBTP SUPA INBN"), ("SPYN",), (*HEAD, *STAMPS)
        ),
        "LstInvBySupInv": Transaction(
            _list_by_number, names("SPYN SUNO SINO DIVI"), names("SPYN SUNO SINO"), (*HEAD, *STAMPS)
        ),
        "DltInvoice": Transaction(_delete, names("INBN DIVI"), ("INBN",), writes="invoice", key=("INBN",)),
        "ApproveInvoice": _APPROVE,
    },
    # 15.1 metadata name it ValidByBatchNo, Infor's page on the flow ValidateByBatchNo
    "APS455MI": {"ValidateByBatchNo": _VALIDATE, "ValidByBatchNo": _VALIDATE},
    "APS110MI": {"ApproveInvoice": _APPROVE},
    "CRS630MI": {
        "LstAccountID": Transaction(_identities, names("AITP AITM"), ("AITP",), (*IDENTITY, *STAMPS)),
    },
}
"""Program → transaction."""
