"""The cXML receiver for suppliers (``reference/jaggaer.md §3.1``, §4): invoices and confirmations.

``POST /apps/Router/CXMLInvoiceImport`` takes an InvoiceDetailRequest, ``/apps/Router/CXMLReceive`` a
ConfirmationRequest. The credentials stand in ``Sender``; the answer is ``cXML/Response/Status`` in HTTP 200, the code
telling what became of it: 200; 400 for what is no such message or is not for this buyer, 401 for an unknown sender or
a wrong secret, 406 for what breaks the document type or names what is not there, 409 for an invoice number that is
taken, 450 for what is not implemented. Names of calls: CxmlInvoice, CxmlConfirmation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jaggaer import cxml_forms, imports, ocr_forms, wire, xmlio
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books
from airflow_provider_mlconnector.sandbox.jaggaer.cxml_dtd import CXML_DTD
from airflow_provider_mlconnector.sandbox.jaggaer.listing import RefusedError

INVOICES, CONFIRMATIONS = "/apps/Router/CXMLInvoiceImport", "/apps/Router/CXMLReceive"
PATHS = {INVOICES: "CxmlInvoice", CONFIRMATIONS: "CxmlConfirmation"}
"""Path → call."""
_BODIES = {"CxmlInvoice": "InvoiceDetailRequest", "CxmlConfirmation": "ConfirmationRequest"}
_KINDS = {"CxmlInvoice": "invoice", "CxmlConfirmation": "confirmation"}
OK, BAD, UNAUTHORIZED, NOT_ACCEPTABLE, CONFLICT, NOT_IMPLEMENTED = 200, 400, 401, 406, 409, 450
_WORDS = {
    OK: "OK",
    BAD: "Bad Request",
    UNAUTHORIZED: "Unauthorized",
    NOT_ACCEPTABLE: "Not Acceptable",
    CONFLICT: "Conflict",
    NOT_IMPLEMENTED: "Not Implemented",
}


class StatusError(ValueError):
    """A message is answered by another code than 200; the text is what stands in ``Status``."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Receiver:
    """What the receiver remembers: confirmations, and the payloadIDs of invoices it has booked."""

    books: Books
    confirmations: list[dict[str, Any]] = field(default_factory=list)
    booked: set[str] = field(default_factory=set)

    async def answer(self, request: Request, call: str) -> Response:
        """Take one message and answer it."""
        root: etree._Element | None = None
        code, text, detail = OK, "", {}
        try:
            root = _read(await request.body())
            self._admit(root, call)
            if call == "CxmlInvoice":
                detail = self._invoice(root, request.state.request_no)
            else:
                detail = self._confirmation(root, request.state.request_no)
        except StatusError as error:
            code, text = error.code, str(error)
        self._note(request, call, root, code, text, detail)
        return self._response(request, code, text)

    def _admit(self, root: etree._Element, call: str) -> None:
        """Refuse another kind of message, an unknown sender, another buyer, or a broken structure."""
        options = self.books.options
        sender, to = root.find("Header/Sender/Credential"), root.find("Header/To/Credential")
        if root.tag != "cXML" or sender is None or root.find(f"Request/{_BODIES[call]}") is None:
            raise StatusError(BAD, f"A {_BODIES[call]} with a Sender is needed")
        known = (sender.get("domain"), xmlio.text(sender, "Identity")) == (options.cxml_domain, options.cxml_identity)
        if not known or xmlio.text(sender, "SharedSecret") != options.cxml_secret:
            raise StatusError(UNAUTHORIZED, "The sender is unknown or its shared secret is wrong")
        if to is None or xmlio.text(to, "Identity") != options.cxml_buyer:
            raise StatusError(BAD, f"The message is not for {options.cxml_buyer}")  # SIM: the code
        try:
            xmlio.check(root, CXML_DTD)
        except xmlio.XmlError as error:
            raise StatusError(NOT_ACCEPTABLE, str(error)) from error

    def _invoice(self, root: etree._Element, request_no: int) -> dict[str, Any]:
        options, payload = self.books.options, root.get("payloadID", "")
        head = root.find("Request/InvoiceDetailRequest/InvoiceDetailRequestHeader")
        if head is not None and head.get("operation") == "delete":
            raise StatusError(NOT_IMPLEMENTED, "Invoices are not deleted")  # SIM
        if payload in self.booked and options.cxml_same_payload != "book":
            if options.cxml_same_payload == "ok":
                return {"repeated": True}
            raise StatusError(CONFLICT, f"Payload {payload} has been processed")
        try:
            orders = cxml_forms.order_references(root)
            self._check_orders(orders)
            sent = cxml_forms.invoice(self.books, root)
            stored = imports.store(self.books, sent, request_no, by="cxml")
        except RefusedError as error:
            taken = str(error).startswith("112(")
            raise StatusError(CONFLICT if taken else NOT_ACCEPTABLE, str(error)) from error
        self.booked.add(payload)
        return {"invoice_id": stored["invoiceId"], "payload_id": payload}

    def _confirmation(self, root: etree._Element, request_no: int) -> dict[str, Any]:
        head = root.find("Request/ConfirmationRequest/ConfirmationHeader")
        assert head is not None  # noqa: S101 - the DTD saw to it
        orders = cxml_forms.order_references(root)
        for number, _ in orders:
            if self.books.orders.by_number(number) is None:
                raise StatusError(NOT_ACCEPTABLE, f"There is no order {number}")
        self.confirmations.append(
            {
                "order": orders[0][0],
                "type": head.get("type"),
                "confirm_id": head.get("confirmID", ""),
                "operation": head.get("operation", "new"),
                "lines": [cxml_forms.confirmed(item) for item in root.iter("ConfirmationItem")],
                "at": self.books.clock.now().isoformat(),
                "request_no": request_no,
            }
        )
        return {"payload_id": root.get("payloadID", "")}

    def _check_orders(self, orders: list[tuple[str, str]]) -> None:
        """Hold references to orders against those exported, where the tenant does (``options.cxml_order_check``)."""
        if not self.books.options.cxml_order_check:
            return
        for number, payload in orders:
            order = self.books.orders.by_number(number)
            known = [] if order is None else cxml_forms.payload_ids(self.books, int(order["header"]["poId"]))
            if payload not in known:
                raise StatusError(NOT_ACCEPTABLE, f"There is no order {number} of payload {payload}")

    def _note(
        self, request: Request, call: str, root: etree._Element | None, code: int, text: str, detail: dict[str, Any]
    ) -> None:
        supplier, number, operation = "", "", "new"
        if root is not None:
            supplier, number, operation = cxml_forms.named(self.books, root)
        self.books.attempt(
            request,
            by="router",
            call=call,
            kind=_KINDS[call],
            key=ocr_forms.key_of(supplier, number),
            operation=operation,
            outcome="stored" if code == OK else "refused",
            reason="" if code == OK else f"{code} {text}",
            message_id="" if root is None else root.get("payloadID", ""),
            detail=detail,
        )

    def _response(self, request: Request, code: int, text: str) -> Response:
        options, now = self.books.options, self.books.clock.now()
        http = code if options.cxml_http_status else 200
        if code == OK and options.cxml_plain_success:
            return Response("SUCCESS", http, media_type="text/plain")
        root = etree.Element("cXML")
        root.set("payloadID", f"{int(now.timestamp())}.{request.state.request_no}@jaggaer.example")
        root.set("timestamp", wire.timestamp(now))
        status = etree.SubElement(etree.SubElement(root, "Response"), "Status", code=str(code), text=_WORDS[code])
        status.text = text or None
        return Response(xmlio.serialize(root), http, media_type="text/xml")


def _read(body: bytes) -> etree._Element:
    try:
        return xmlio.read(body)
    except xmlio.XmlError as error:
        raise StatusError(NOT_ACCEPTABLE, str(error)) from error
