"""The REST face of MI programs, version 2 (``reference/cloudsuite.md §4b``).

``GET v2/execute/{MI}/{TRN}`` with matrix or query parameters runs one transaction, ``POST v2/execute`` many in turn.
Results stand in the order of the transactions, each with ``transaction`` and ``records``, also when it failed (§6);
``errorMessage`` is on failures alone. A call as a whole fails with ``wasTerminated``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.attempts import Attempt
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import Books
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import FIELDS, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.generic import PROGRAMS
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.mi import Call, MiError, Transaction, read_inputs
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin

DEFAULT_ROWS = 100
"""``maxrecs`` where the caller does not say (§4b); 0 is all."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What applies to every transaction of a call.

    Attributes:
        company: CONO.
        division: DIVI, empty where not given.
        rows: Most records of a result; 0 is all.
        trimmed: Whether values go without the blanks after them.
        no_empty: Whether empty values are left out.
        echo: Whether results show their inputs as ``parameters``.
    """

    company: int
    division: str = ""
    rows: int = DEFAULT_ROWS
    trimmed: bool = False
    no_empty: bool = False
    echo: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One transaction of a call: its name, its inputs as texts, and the columns wanted (none: all)."""

    transaction: str
    inputs: Mapping[str, str]
    columns: tuple[str, ...] = ()


class Terminated(ValueError):
    """The call fails as a whole before anything is run."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(slots=True)
class Execution:
    """One call on its way through a program.

    Attributes:
        books: What it works on.
        attempts: Where writes are noted.
        origin: Who asks.
        name: The call's name for faults and counts.
    """

    books: Books
    attempts: list[Attempt]
    origin: Origin
    name: str

    def run(self, program: str, asked: Iterable[Asked], settings: Settings) -> Json:
        """Run transactions in turn, whatever became of those before, and return the answer.

        Raises:
            Terminated: There is no such program, or its company is not the user's.
        """
        transactions = PROGRAMS.get(program)
        if transactions is None:
            kind = "ProgramNotFound"  # SIM
            raise Terminated(kind, f"Program {program} does not exist")
        if settings.company != self.books.options.company:
            kind = "ServerReturnedNOK"
            raise Terminated(kind, f"Not authorized for company {settings.company}")
        results: list[Json] = []
        limit = self.books.options.terminate_after
        for number, each in enumerate(asked, start=1):
            results.append(self._one(program, each, settings))
            if number == limit:
                return answer(results, Terminated("Timeout", f"Terminated after {limit} transactions"))  # SIM
        return answer(results)

    def _one(self, program: str, asked: Asked, settings: Settings) -> Json:
        result: Json = {"transaction": asked.transaction}
        if settings.echo:
            result["parameters"] = dict(asked.inputs)
        transaction = PROGRAMS[program].get(asked.transaction)
        records: list[Json] = []
        failure: MiError | None = None
        if transaction is None:
            failure = MiError(f"Transaction {asked.transaction} does not exist", kind="TransactionNotFound")
        else:
            try:
                records = self._records(program, transaction, asked, settings)
            except MiError as error:
                failure = error
        if failure:
            result |= _error(failure)
        return result | {"records": records}

    def _records(self, program: str, transaction: Transaction, asked: Asked, settings: Settings) -> list[Json]:
        options = self.books.options
        adds = asked.transaction == "AddSupplier"
        required = {*transaction.required, *(options.supplier_required if adds else ())}
        ignored: list[str] = []
        rows: list[Row] = []
        reason = ""
        try:
            wanted = [name for name in transaction.inputs if name in required]
            read = read_inputs(transaction, asked.inputs, cut=options.too_long == "cut", required=wanted)
            ignored = read.ignored
            division = str(read.values.get("DIVI") or settings.division)
            call = Call(read.values, settings.company, division, self.origin)
            limit = min(filter(None, (settings.rows, options.most_rows)), default=None)
            rows = [*islice(transaction.run(self.books, call), limit)]
        except MiError as error:
            reason = str(error)
            raise
        finally:
            if transaction.writes:
                self._note(program, transaction, asked, rows, ignored, reason)
        names = asked.columns or transaction.outputs
        company: Row = {"CONO": settings.company}
        return [_record(company | row, names, settings) for row in rows]

    def _note(
        self, program: str, transaction: Transaction, asked: Asked, rows: list[Row], ignored: list[str], reason: str
    ) -> None:
        found = {name: FIELDS[name].show(value) for row in rows for name, value in row.items()}
        shown = {name: text.strip() for name, text in asked.inputs.items()} | found
        detail: Json = {"program": program, "inputs": dict(asked.inputs), "answer": found}
        self.attempts.append(
            Attempt(
                origin=self.origin,
                call=self.name,
                kind=transaction.writes,
                key="/".join(shown[name] for name in transaction.key if name in shown),
                operation=asked.transaction,
                outcome="refused" if reason else "stored",
                reason=reason,
                detail=detail | ({"ignored": ignored} if ignored else {}),
            )
        )


def answer(results: list[Json], stopped: Terminated | None = None) -> Json:
    """Return the JSON of a call; the counters are spelled as Infor does."""
    failed = sum("errorMessage" in result for result in results)
    shown: Json = {"results": results, "wasTerminated": stopped is not None}
    if stopped:
        shown |= {"terminationErrorType": stopped.kind, "terminationReason": str(stopped)}
    return shown | {"nrOfSuccessfullTransactions": len(results) - failed, "nrOfFailedTransactions": failed}


def _error(error: MiError) -> Json:
    return {
        "errorMessage": str(error),
        "errorType": error.kind,
        "errorCode": error.code,
        "errorField": error.field,
    }


def _record(row: Row, names: Iterable[str], settings: Settings) -> Json:
    record: Json = {}
    for name in names:
        if name not in FIELDS:
            continue  # SIM: a column nobody knows is passed over
        known = FIELDS[name]
        text = known.show(row.get(name))
        if not (settings.no_empty and text in ("", "0")):  # SIM: a zero counts as empty
            record[name] = text if settings.trimmed else known.pad(text)
    return record
