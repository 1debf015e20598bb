"""What MI REST answers, and what its refusals mean (reference/cloudsuite.md §4b).

A failure of one transaction stands in its result, under HTTP 200 or 400 alike; a call that failed as a whole says
``wasTerminated``, and what it had done by then stays done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    ProtocolError,
    Refused,
    Unavailable,
)
from airflow_provider_mlconnector.systems.call import Effect, Reply
from airflow_provider_mlconnector.systems.json import UnreadableJson, loads

Row = Mapping[str, str]
"""One record: every value is a text, trailing blanks removed."""
_NOK = "ServerReturnedNOK"
"""The program ran and said no; every other type says that it did not get that far."""
NOT_RUN: Final = "not_run"
"""Code of a refusal by the interface itself: the program did not run."""
_NOT_THERE = "0103"
"""Ending of the message ids that say that a record does not exist."""
_NOT_ALLOWED = re.compile(
    r"not authori[sz]ed|no authori[sz]ation|permission (denied|missing)|not licensed", re.IGNORECASE
)
_TIMED_OUT = re.compile(r"time[d]?[ -]?out", re.IGNORECASE)
_BUSY = re.compile(r"time[d]?[ -]?out|temporar|unavailable|overload", re.IGNORECASE)
"""Real texts are not public: keywords sort them, and none of them may hit what M3 says of a single document."""
_OK = 200


class _Result(msgspec.Struct, rename="camel"):
    transaction: str
    records: list[dict[str, str | None]] | None = None
    error_message: str | None = None
    error_type: str | None = None
    error_code: str | None = None
    error_field: str | None = None


class _Body(msgspec.Struct, rename="camel"):
    results: list[_Result] | None = None
    was_terminated: bool = False
    termination_error_type: str | None = None
    termination_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a transaction failed, in M3's words; ``field`` is the input objected to, where M3 names one."""

    words: str
    kind: str
    code: str
    field: str

    @property
    def ran(self) -> bool:
        """Whether the program itself objected; else it is missing, or was called wrongly."""
        return self.kind == _NOK

    @property
    def not_there(self) -> bool:
        """Whether it says that the record does not exist."""
        return self.ran and self.code.endswith(_NOT_THERE)

    def error(self, name: str, where: str, *, request_id: str) -> Refused | ConfigurationError | AmbiguousOutcome:
        """Return what a refused write means: proof that nothing was written, unless M3 itself ran out of time."""
        text = f"M3 refused {name}: {self}"
        if _TIMED_OUT.search(self.words):
            return AmbiguousOutcome(f"{where}: {text}", request_id=request_id)
        if _NOT_ALLOWED.search(self.words):
            msg = f"{where}: {text}; give the user behind the service account this transaction in M3"
            return ConfigurationError(msg, field=f"{where}, service account", request_id=request_id)
        return Refused(
            text,
            code="refused" if self.ran else NOT_RUN,
            field=self.field or None,
            remote_text=str(self),
            request_id=request_id,
        )

    def __str__(self) -> str:
        told = " ".join(part for part in (self.code, self.field) if part)
        return f"{self.words} ({told})" if told else self.words


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one transaction: its records, or why it failed."""

    rows: tuple[Row, ...]
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Results in the order of the transactions.

    Attributes:
        results: One per transaction.
        date: The remote's clock when it answered (aware, UTC), None if unknown.
        request_id: Ours, for the audit.
    """

    results: tuple[Result, ...]
    date: datetime | None
    request_id: str


def read(reply: Reply, transactions: Sequence[str], *, name: str, where: str, effect: Effect) -> Answer:
    """Return the results of a call, one per transaction.

    Raises:
        AmbiguousOutcome: A write whose answer cannot be read, or was broken off: some of it may have been executed.
        ProtocolError: A read likewise.
        ConfigurationError: M3 broke a read off as a whole; its reason is told.
        Unavailable: It did for want of time or room.
    """
    body = _decoded(reply)
    if body is not None and body.was_terminated:
        reason = body.termination_reason or body.termination_error_type or "no reason given"
        text = f"{where}: M3 broke {name} off: {reason}"
        if effect is not Effect.READ:
            text += "; what it had done by then is looked up first"
            raise AmbiguousOutcome(text, request_id=reply.request_id)
        if _BUSY.search(reason):
            raise Unavailable(text, request_id=reply.request_id)
        raise ConfigurationError(text, field=f"{where}, M3", request_id=reply.request_id)
    results = (body.results or []) if body is not None else []
    told = [one.transaction for one in results] == list(transactions)
    if told and reply.status != _OK and all(one.error_message is None for one in results):
        told = False
    if not told:
        text = f"{where}: {name} was not answered with a result per transaction (HTTP {reply.status})"
        if effect is not Effect.READ:
            text += "; it may have been executed"
            raise AmbiguousOutcome(text, request_id=reply.request_id)
        raise ProtocolError(text, evidence=reply.body, request_id=reply.request_id)
    return Answer(tuple(_result(one) for one in results), reply.date, reply.request_id)


def _decoded(reply: Reply) -> _Body | None:
    try:
        body: _Body = loads(reply.body, _Body)
    except UnreadableJson:
        return None
    return body


def _result(one: _Result) -> Result:
    if one.error_message is not None:
        refusal = Refusal(
            one.error_message.strip() or "no reason given",
            (one.error_type or "").strip(),
            (one.error_code or "").strip(),
            (one.error_field or "").strip(),
        )
        return Result((), refusal)
    return Result(tuple({name: (text or "").rstrip() for name, text in row.items()} for row in one.records or ()))
