"""What an MI program is made of: transactions, what they are given, and how they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import Books
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import FIELDS, InputError, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin

STAMPS = ("RGDT", "LMDT", "LMTS", "CHNO", "CHID")
"""Change stamps every row shows."""
ErrorType = Literal["ServerReturnedNOK", "TransactionNotFound", "MandatoryInputFieldNotFound", "InputFieldTooLong"]


class MiError(ValueError):
    """A transaction fails; the text is ``errorMessage`` (SIM: texts and codes, but for those of the reference)."""

    def __init__(self, message: str, code: str = "", name: str = "", kind: ErrorType = "ServerReturnedNOK") -> None:
        super().__init__(message)
        self.code, self.field, self.kind = code, name, kind


class MissingError(MiError):
    """What a field names does not exist; words and form of the code are those of the failure in §4b."""

    def __init__(self, value: object, name: str) -> None:
        super().__init__(f"{FIELDS[name].words} {value} does not exist", f"W{name[:2]}0103", name)


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction as it was asked for.

    Attributes:
        values: Inputs with a value, by field.
        company: CONO.
        division: DIVI of the call or of an input; empty where neither was given.
        origin: Who asks.
    """

    values: Row
    company: int
    division: str
    origin: Origin

    @property
    def now(self) -> datetime:
        """The moment of the call."""
        return self.origin.at

    def text(self, name: str) -> str:
        """Return an input as text; an absent one is empty."""
        return str(self.values.get(name) or "")


Run = Callable[[Books, Call], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction of a program.

    Attributes:
        run: Does it; returns rows, one for a Get, or raises :class:`MiError`.
        inputs: Fields it takes.
        required: Those it asks for.
        outputs: Fields it answers, in order.
        writes: What kind of record it writes; empty for one that only reads.
        key: Fields, of the inputs or of the answer, that name the record written.
    """

    run: Run
    inputs: tuple[str, ...]
    required: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    writes: str = ""
    key: tuple[str, ...] = ()


@dataclass(slots=True)
class Inputs:
    """Inputs as they were read: values, and names the transaction does not take, which are passed over (SIM)."""

    values: Row = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


def names(text: str) -> tuple[str, ...]:
    """Return field names written with blanks between them."""
    return tuple(text.split())


def read_inputs(transaction: Transaction, given: Mapping[str, str], *, cut: bool, required: Iterable[str]) -> Inputs:
    """Check and convert inputs.

    Raises:
        MiError: A required one is missing, or one is too long or no value of its field.
    """
    read = Inputs()
    for name, text in given.items():
        if name not in transaction.inputs:
            read.ignored.append(name)
            continue
        known = FIELDS[name]
        if len(text.rstrip()) > known.width:
            if not cut:
                message = f"Input field {name} is longer than {known.width}"
                raise MiError(message, "", name, "InputFieldTooLong")
            text = text[: known.width]  # noqa: PLW2901 - the same input, as far as the record has room
        try:
            value = known.read(text)
        except InputError as error:
            raise MiError(str(error), "WNU0101", name) from error
        if value is not None:
            read.values[name] = value
    for name in required:
        if name not in read.values:
            message = f"{FIELDS[name].words} must be entered"
            raise MiError(message, "", name, "MandatoryInputFieldNotFound")
    return read
