"""Sends cXML to one tenant: one message out, its status back (reference/jaggaer.md §4.2, §4.4).

There is no HTTP authentication: the shared secret stands inside the document. It is added when the message is sent, so
neither steps nor logs ever hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    NotAuthenticated,
    ProtocolError,
)
from airflow_provider_mlconnector.systems.jaggaer.cxml import (
    FORBIDDEN,
    UNAUTHORIZED,
    CxmlIdentity,
    CxmlRequest,
    CxmlStatus,
    envelope,
    read_response,
)
from airflow_provider_mlconnector.systems.jaggaer.cxml_contract import CxmlContract
from airflow_provider_mlconnector.systems.ports import Clock, Fence, SystemClock
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply, Transport

_ANSWERED = frozenset({400, 402, 403, 404, 405, 406, 409, 412, 413, 415, 417, 422, 450, 475, 476, 477})
"""HTTP statuses that may carry a cXML status of their own. Never a 5xx: whatever stands in it, it may be executed."""
_NO_SUCH_PLACE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
_TAKEN: Final = 200
_LONGEST_PLAIN: Final = 64


class CxmlGateway:
    """Speaks cXML to one tenant.

    Args:
        transport: HTTP client for the tenant's host.
        identity: Who sends to whom.
        contract: Paths and habits of the tenant.
        clock: Time of the messages.
        on_secret: Called with the shared secret, so that logs can be masked.
    """

    def __init__(
        self,
        transport: Transport,
        identity: CxmlIdentity,
        contract: CxmlContract,
        *,
        clock: Clock | None = None,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        self._transport = transport
        self._identity = identity
        self.contract = contract
        self._clock: Clock = clock or SystemClock()
        self._refused: NotAuthenticated | None = None
        if on_secret is not None:
            on_secret(identity.secret)

    @property
    def timeout(self) -> float:
        """Seconds one request may take in all."""
        return self._transport.timeout

    def send(self, request: CxmlRequest, *, fence: Fence) -> CxmlStatus:
        """Send a message and read its status, which took it (2xx) or refused it (4xx).

        Raises:
            AmbiguousOutcome: No such status came back: one of 5xx, none at all, or one the HTTP status contradicts.
            ConfigurationError: Nothing takes messages at this path; nothing was executed.
            NotAuthenticated: Identity or secret were refused; they are tried once. Nothing was executed.
            MLConnectorError: Any other is proof that nothing was executed.
        """
        if self._refused is not None:
            raise self._refused
        call = Call(
            "POST",
            request.path,
            Effect.WRITE,
            request.name,
            headers={"Accept": "application/xml"},
            body=envelope(request, self._identity, self.contract, now=self._clock.now()).encode(),
            content_type="application/xml",
            refusals=_ANSWERED,
        )
        try:
            reply = self._transport.send(call, fence=fence)
        except NotAuthenticated as error:
            raise self._refusal(request.name, "HTTP 401", error.request_id) from None
        status = self._status(request, reply)
        if status.code in {UNAUTHORIZED, FORBIDDEN}:
            raise self._refusal(request.name, f"status {status.code}: {status.text}", reply.request_id)
        return status

    def _status(self, request: CxmlRequest, reply: Reply) -> CxmlStatus:
        succeeded = reply.status // 100 == 2  # noqa: PLR2004 - the class of success
        if succeeded and (said := self._plain(reply.body)):
            return CxmlStatus(_TAKEN, said, plain=True)
        try:
            status = read_response(reply.body, f"the answer to {request.name}")
            if status.refused or (status.taken and succeeded):
                return status
            problem = status.words
        except ProtocolError as error:
            if reply.status in _NO_SUCH_PLACE:
                raise self._misplaced(request, reply) from None
            problem = error.message
        if not succeeded:
            problem = f"HTTP {reply.status}, and {problem}"
        msg = (
            f"connection '{self._identity.connection}': {problem}; {request.name} may have been executed and is looked"
            " up before anything else"
        )
        raise AmbiguousOutcome(msg, request_id=reply.request_id)

    def _plain(self, body: bytes) -> str:
        """Return a bare text the contract takes for success, empty for anything else."""
        text = body[: _LONGEST_PLAIN + 1].decode("ascii", errors="replace").strip()
        known = {word.casefold() for word in self.contract.plain_answers}
        return text if len(body) <= _LONGEST_PLAIN and text.casefold() in known else ""

    def _misplaced(self, request: CxmlRequest, reply: Reply) -> ConfigurationError:
        """Return the error for a path that takes nothing: told from address and method, before a body is read."""
        where = f"connection '{self._identity.connection}', field cXML URL"
        msg = (
            f"{where}: nothing takes cXML at {request.path} (HTTP {reply.status}), so {request.name} was not executed;"
            " correct cXML URL, or the path in Contract overrides"
        )
        return ConfigurationError(msg, field=where, request_id=reply.request_id)

    def _refusal(self, name: str, said: str, request_id: str | None) -> NotAuthenticated:
        msg = (
            f"connection '{self._identity.connection}': JAGGAER refused the sender of {name} ({said}); correct cXML"
            " identity, cXML buyer id and cXML shared secret; they were tried once and are not tried again"
        )
        self._refused = NotAuthenticated(msg, request_id=request_id)
        return self._refused
