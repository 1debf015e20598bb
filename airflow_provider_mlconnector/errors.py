"""Every error of the package, sorted by what to do next.

The class decides the recovery, never the text. A message says what happened, to which document or connection field,
and what to do next; the remote's request id is part of it where there is one. No message ever holds a URL, a body or
a secret.

```
MLConnectorError
├── Retriable            try again later, by itself
│   ├── RateLimited      … after ``retry_after`` seconds
│   └── Unavailable      … when the remote, the store or a lease is back
├── NotAuthenticated     renew once, then stop: accounts lock
├── AmbiguousOutcome     a write may or may not have happened: settle by look-up
├── DocumentError        one document, never the batch
│   ├── Rejected         a cause inside the document: a person corrects it at the source
│   ├── Parked           a cause outside it: due again on every run
│   └── Refused          the target said no: reason kept, replayable
├── ConfigurationError   stop at once and name the field to correct
├── ProtocolError        the remote answered what we do not understand: keep the bytes, stop
├── StaleClaim           another worker holds or has finished this work: leave it alone
└── TrailAltered         the audit trail was edited: keep the database as it is and find out by whom
```
"""

from __future__ import annotations

__all__ = [
    "AmbiguousOutcome",
    "ConfigurationError",
    "DocumentError",
    "MLConnectorError",
    "NotAuthenticated",
    "Parked",
    "ProtocolError",
    "RateLimited",
    "Refused",
    "Rejected",
    "Retriable",
    "StaleClaim",
    "TrailAltered",
    "Unavailable",
]


class MLConnectorError(Exception):
    """Base of all errors of this package.

    Args:
        message: What happened, to what, what to do next.
        request_id: The remote's or our own correlation id of the call, appended to the text when present.
    """

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        self.message = message
        self.request_id = request_id
        super().__init__(f"{message} (request {request_id})" if request_id else message)


class Retriable(MLConnectorError):
    """Nothing is wrong with the input: the same step may simply be run again later."""


class RateLimited(Retriable):
    """The remote (or our own limiter on its behalf) asks to slow down.

    Args:
        retry_after: Seconds to wait before the next call, None when the remote named none.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after


class Unavailable(Retriable):
    """The remote, the store or a lease cannot be had right now, and nothing was executed."""


class NotAuthenticated(MLConnectorError):
    """Credentials or session refused. A session is renewed once; a refused password is never tried twice."""


class AmbiguousOutcome(MLConnectorError):
    """A write left us without a parsed business answer: it may have been executed (FINANCE §5)."""


class DocumentError(MLConnectorError):
    """Something about one document. Never stops the others.

    Args:
        message: For a person of the trade, in words of the trade.
        code: Stable short code such as ``total_mismatch``; groups documents into one issue per cause.
        field: The canonical field concerned, such as ``lines[2].allocations``.
        subject: What the cause is about (an account, a supplier), so that one issue covers all documents that share it.
        remote_text: The remote's own words, when it was the remote that objected.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        field: str | None = None,
        subject: str | None = None,
        remote_text: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.code = code
        self.field = field
        self.subject = subject
        self.remote_text = remote_text


class Rejected(DocumentError):
    """The cause is inside the document (bad totals, missing field): it waits for a person."""


class Parked(DocumentError):
    """The cause is outside the document (unmapped code, unknown supplier, closed period): due again on every run."""


class Refused(DocumentError):
    """The target read the document and said no."""


class ConfigurationError(MLConnectorError):
    """A connection, route, mapping or setting is wrong. Fails at once and names the field.

    Args:
        field: What to correct, such as ``connection 'syspro_default', field Company``.
    """

    def __init__(self, message: str, *, field: str | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.field = field


class ProtocolError(MLConnectorError):
    """The remote answered something this package does not understand.

    Args:
        evidence: The bytes received (within the transport's size limit), kept for the audit, never shown in the text.
    """

    def __init__(self, message: str, *, evidence: bytes = b"", request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.evidence = evidence


class StaleClaim(MLConnectorError):
    """Fenced: the claim or lease this worker held has expired or was taken over. It must not send or write any more."""


class TrailAltered(MLConnectorError):
    """The audit trail or its anchor does not hold.

    Args:
        seq: The first event known not to hold, None where only its absence is known.
    """

    def __init__(self, message: str, *, seq: int | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.seq = seq
