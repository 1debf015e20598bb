"""The native XML router: one message out, its status back (reference/jaggaer.md §3.1 to §3.4).

There is no HTTP authentication: identity and shared secret stand inside the document. They are added when it is sent,
so neither steps nor logs ever hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    NotAuthenticated,
    ProtocolError,
)
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Clock, Fence, SystemClock
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply, Transport

OK, UNAUTHORIZED, FORBIDDEN, NOT_ACCEPTABLE = "200", "401", "403", "406"
_ANSWERED = frozenset({400, 403, 404, 405, 406, 409, 413, 415, 422})
"""HTTP statuses that may carry the router's own answer (§3.3)."""
_NO_SUCH_PLACE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True)
class RouterCredentials:
    """Who we are to the router.

    Attributes:
        connection: The connection's id, for messages.
        identity: ``Authentication/Identity``.
        secret: ``Authentication/SharedSecret``.
    """

    connection: str
    identity: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Message:
    """One message of one kind.

    Attributes:
        root: Root element (``SupplierSyncMessage``).
        version: Its version attribute.
        message_id: Deterministic per record and revision, so that a repetition can be recognized (§2.8).
        body: What follows the header.
        path: Where the router takes this kind of message.
        name: What logs and errors call the request.
    """

    root: str
    version: str
    message_id: str
    body: xml.Element = field(repr=False)
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Status:
    """The router's parsed answer.

    Attributes:
        code: ``StatusCode`` as text.
        text: ``StatusText`` and the messages of ``Errors``, for people.
        errors: What was said of single records: keys of the record in question → messages.
        said: ``StatusText`` alone.
    """

    code: str
    text: str
    errors: Mapping[str, Sequence[str]]
    said: str = ""

    @property
    def words(self) -> str:
        """What the router objected to, for people."""
        said = "; ".join(dict.fromkeys(text for texts in self.errors.values() for text in texts)) or self.text
        return f"the XML router answered status {self.code}: {said or 'no reason given'}"


class XmlRouter:
    """Speaks to the router of one tenant.

    Args:
        transport: HTTP client for the router's host.
        credentials: Identity and shared secret.
        clock: Time of the header.
        on_secret: Called with the shared secret, so that logs can be masked.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: RouterCredentials,
        *,
        clock: Clock | None = None,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._clock: Clock = clock or SystemClock()
        self._refused: NotAuthenticated | None = None
        if on_secret is not None:
            on_secret(credentials.secret)

    @property
    def timeout(self) -> float:
        """Seconds one request may take in all."""
        return self._transport.timeout

    def send(self, message: Message, *, effect: Effect, fence: Fence) -> Status:
        """Send a message and read its status.

        Raises:
            AmbiguousOutcome: No status of this kind of message came back.
            ConfigurationError: Nothing takes messages at this path; nothing was executed.
            NotAuthenticated: Identity or secret were refused; they are tried once. Nothing was executed.
            MLConnectorError: Any other is proof that nothing was executed.
        """
        if self._refused is not None:
            raise self._refused
        call = Call(
            "POST",
            message.path,
            effect,
            message.name,
            headers={"Accept": "application/xml"},
            body=self._document(message),
            content_type="application/xml",
            # a repeatable message is repeated by the transport after 500, as after any trouble of the server
            refusals=_ANSWERED | {HTTPStatus.INTERNAL_SERVER_ERROR} if effect is Effect.WRITE else _ANSWERED,
        )
        try:
            reply = self._transport.send(call, fence=fence)
        except NotAuthenticated as error:
            raise self._refusal(message.name, "HTTP 401", error.request_id) from None
        status = self._status(message, reply)
        if status.code in {UNAUTHORIZED, FORBIDDEN}:
            raise self._refusal(message.name, f"status {status.code}: {status.text}", reply.request_id)
        return status

    def _document(self, message: Message) -> bytes:
        header = xml.element(
            "Header",
            xml.element("MessageId", message.message_id),
            xml.element("Timestamp", _stamp(self._clock.now())),
            xml.element(
                "Authentication",
                xml.element("Identity", self._credentials.identity),
                xml.element("SharedSecret", self._credentials.secret),
            ),
        )
        root = xml.element(message.root, header, message.body)
        root.set("version", message.version)
        return (_DECLARATION + xml.write(root)).encode()

    def _status(self, message: Message, reply: Reply) -> Status:
        try:
            root = xml.parse(reply.body, encoding="utf-8", what=f"the router's answer to {message.name}")
            found = next((item for item in root.iter() if xml.name(item) == "status"), None)
            code = "" if found is None else xml.text(found, "StatusCode")
            if xml.name(root) == message.root.lower() and found is not None and code:
                said = " ".join(xml.text(found, "StatusText").split())
                return Status(code, _words(found), _errors(root), said)
            problem = "the router's answer has no StatusCode"
        except ProtocolError as error:
            problem = error.message
        if reply.status in _NO_SUCH_PLACE:
            raise self._misplaced(message, reply)
        if reply.status != HTTPStatus.OK:
            problem = f"HTTP {reply.status}, and {problem}"
        msg = (
            f"connection '{self._credentials.connection}': {problem}; {message.name} may have been executed and is"
            " looked up before anything else"
        )
        raise AmbiguousOutcome(msg, request_id=reply.request_id)

    def _misplaced(self, message: Message, reply: Reply) -> ConfigurationError:
        """Return the error for a path where no router is.

        FINANCE §5 takes any unparsed end of a write as unknown. These two are proof all the same: 404 and 405 are
        decided from address and method, before anything reads the body, and a router that has read a message answers
        in XML of its own, whatever it thinks of it. A gateway that has handed the message on and lost it says 502 or
        504, which stay unknown.
        """
        where = f"connection '{self._credentials.connection}', field Router URL"
        msg = (
            f"{where}: nothing takes messages at {message.path} (HTTP {reply.status}), so {message.name} was not"
            " executed; correct Router URL, or the path in Contract overrides"
        )
        return ConfigurationError(msg, field=where, request_id=reply.request_id)

    def _refusal(self, name: str, said: str, request_id: str | None) -> NotAuthenticated:
        msg = (
            f"connection '{self._credentials.connection}': the XML router refused {name} ({said}); correct Router"
            " identity and Router shared secret; they were tried once and are not tried again"
        )
        self._refused = NotAuthenticated(msg, request_id=request_id)
        return self._refused


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _words(status: xml.Element) -> str:
    said = [xml.text(status, "StatusText"), *(_flat(item) for item in status.iter("ErrorMessage"))]
    return "; ".join(dict.fromkeys(filter(None, said)))


def _errors(root: xml.Element) -> dict[str, list[str]]:
    """Collect what was said of single records; texts come padded with white space (§3.4)."""
    return _supplier_errors(root) | _order_errors(root)


def _order_errors(root: xml.Element) -> dict[str, list[str]]:
    """Collect ``ObjectErrors`` by PO number, those of lines with the line in front (§3.2)."""
    found: dict[str, list[str]] = {}
    for ref in root.iter("PurchaseOrderRef", "PurchaseOrderLineRef"):
        line = ref.get("linenumber")
        said = [_flat(item) for item in ref.iter("ErrorMessage")]
        texts = [f"line {line}: {text}" if line else text for text in said if text]
        found.setdefault(str(ref.get("ponumber") or ""), []).extend(texts)
    return found


def _supplier_errors(root: xml.Element) -> dict[str, list[str]]:
    """Collect ``SupplierErrors`` by the keys of their ``SupplierRef``."""
    found: dict[str, list[str]] = {}
    for errors in root.iter("SupplierErrors"):
        ref = xml.child(errors, "SupplierRef")
        keys = [] if ref is None else [key for item in ref if (key := xml.text(item))]
        messages = [_with_place(item) for item in errors.iter("ErrorMessage")]
        for key in keys or [""]:
            found.setdefault(key, []).extend(filter(None, messages))
    return found


def _with_place(message: xml.Element) -> str:
    """Return a message, with the part of the record it is about in front (``AddressErrors`` → ``Address``)."""
    parent = message.getparent()
    part = xml.name(parent)
    said = _flat(message)
    if part == "suppliererrors" or not said:
        return said
    return f"{str(parent.tag).removesuffix('Errors')}: {said}"


def _flat(item: xml.Element) -> str:
    return " ".join((item.text or "").split())
