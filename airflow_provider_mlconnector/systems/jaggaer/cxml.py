"""cXML: the envelope around a message, and the status that answers it (reference/jaggaer.md §4.2, §4.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.cxml_contract import CxmlContract
from airflow_provider_mlconnector.systems.jaggaer.message_parts import clean, marked, money

UNAUTHORIZED, FORBIDDEN, CONFLICT = 401, 403, 409
USER_AGENT: Final = "ML Connector"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_SUCCESS, _REFUSED = 2, 4
_HUNDRED: Final = 100
_CODE_DIGITS: Final = 3


@dataclass(frozen=True)
class CxmlIdentity:
    """Who we are and whom we speak to.

    Attributes:
        connection: The connection's id, for messages.
        identity: Our own, in ``From`` and ``Sender``.
        buyer: The buyer's network id, in ``To``.
        secret: ``SharedSecret``.
    """

    connection: str
    identity: str
    buyer: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class CxmlRequest:
    """One message.

    Attributes:
        payload_id: The same for every repetition of this revision of a document, so that a repetition can be told.
        body: What stands in ``Request``.
        dtd: Address of the DTD it is valid by; empty names none.
        path: Where the tenant takes it.
        name: What logs and errors call the request.
    """

    payload_id: str
    body: xml.Element = field(repr=False)
    dtd: str
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class CxmlStatus:
    """A parsed answer.

    Attributes:
        code: ``Status@code``.
        text: ``Status@text`` and what the element holds, for people.
        plain: It was a bare text without any status, which the contract takes for one.
    """

    code: int
    text: str
    plain: bool = False

    @property
    def taken(self) -> bool:
        """Whether the message was taken (2xx); that says nothing of what becomes of it."""
        return self.code // _HUNDRED == _SUCCESS

    @property
    def refused(self) -> bool:
        """Whether it was refused for good (4xx): nothing was executed."""
        return self.code // _HUNDRED == _REFUSED

    @property
    def words(self) -> str:
        """What the receiver objected to, for people."""
        return f"JAGGAER answered cXML status {self.code}: {self.text or 'no reason given'}"


def payload_id(reference: str, contract: CxmlContract) -> str:
    """Return the ``payloadID`` of a document's revision.

    Args:
        reference: Ours: the same for every repetition of the revision, another for any other.
        contract: What stands behind it.
    """
    return f"{reference}@{contract.payload_host}"


def envelope(request: CxmlRequest, identity: CxmlIdentity, contract: CxmlContract, *, now: datetime) -> str:
    """Write a message as it is sent, shared secret included.

    Args:
        request: What to send.
        identity: Who sends it to whom.
        contract: Habits of the tenant.
        now: Time of sending (aware).
    """
    own = xml.element("Identity", clean(identity.identity))
    header = xml.element(
        "Header",
        xml.element("From", _credential(contract.domain, own)),
        xml.element("To", _credential(contract.to_domain, xml.element("Identity", clean(identity.buyer)))),
        xml.element(
            "Sender",
            _credential(
                contract.domain,
                xml.element("Identity", clean(identity.identity)),
                xml.element("SharedSecret", identity.secret),
            ),
            xml.element("UserAgent", USER_AGENT),
        ),
    )
    mode = contract.deployment or ("test" if identity.buyer.upper().endswith("-T") else "production")
    root = xml.element("cXML", header, marked("Request", {"deploymentMode": mode}, request.body))
    root.set("payloadID", request.payload_id)
    root.set("timestamp", moment(now))
    root.set(_LANG, contract.language)
    doctype = f'<!DOCTYPE cXML SYSTEM "{request.dtd}">\n' if request.dtd else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}{xml.write(root)}'


def response(status: CxmlStatus, *, payload: str, now: datetime) -> str:
    """Write a ``Response``.

    Args:
        status: Code and text; the text of a code is up to whoever answers.
        payload: Its own ``payloadID``.
        now: Time of answering (aware).
    """
    answer = marked("Status", {"code": str(status.code), "text": status.text})
    root = marked("cXML", {"payloadID": payload, "timestamp": moment(now)}, xml.element("Response", answer))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml.write(root)}'


def read_response(body: bytes, what: str) -> CxmlStatus:
    """Read the status of a ``Response``.

    Args:
        body: The bytes as received.
        what: What errors call the document.

    Raises:
        ProtocolError: It is no ``Response`` with a status of three digits.
    """
    root = xml.parse(body, encoding="utf-8", what=what)
    found = xml.child(root, "Response/Status") if xml.name(root) == "cxml" else None
    code = "" if found is None else str(found.get("code") or "").strip()
    if found is None or not (code.isascii() and code.isdigit() and len(code) == _CODE_DIGITS):
        msg = f"{what} holds no cXML status"
        raise ProtocolError(msg)
    said = (found.get("text") or "", "".join(found.itertext()))
    return CxmlStatus(int(code), ": ".join(dict.fromkeys(filter(None, (" ".join(each.split()) for each in said)))))


def moment(at: datetime) -> str:
    """Write a time the way cXML does: ISO 8601 with its zone (UTC)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def day(date_: date) -> str:
    """Write a date, for which cXML knows times only."""
    return f"{date_.isoformat()}T00:00:00+00:00"


def spoken(tag: str, text: str, contract: CxmlContract) -> xml.Element:
    """Return an element whose text has a language."""
    built = xml.element(tag, clean(text))
    built.set(_LANG, contract.language)
    return built


def sum_of(tag: str, amount: Decimal, currency: str, *more: xml.Element | None) -> xml.Element:
    """Return an element that holds ``Money``."""
    return xml.element(tag, money(amount, currency), *more)


def order_reference(number: str, contract: CxmlContract) -> xml.Element:
    """Return what an invoice or a confirmation says of its order; ``number`` may be empty.

    An order's own ``payloadID`` is asked for as well (§4.2); where nobody knows it, it stays empty, which the DTD
    allows.
    """
    payload = contract.order_payload.replace("{number}", number) if number else ""
    referred = marked("DocumentReference", {"payloadID": payload})
    return marked("OrderReference", {"orderID": number} if number else {}, referred)


def _credential(domain: str, *content: xml.Element) -> xml.Element:
    return marked("Credential", {"domain": domain}, *content)
