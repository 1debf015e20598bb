"""The XML router of JAGGAER Indirect (``reference/jaggaer.md §3``): suppliers, purchase orders, invoices.

``POST /apps/Router/TSMSupplierXMLImport`` (SupplierSyncMessage), ``/apps/Router/POXMLImport`` (PurchaseOrderMessage)
and ``options.ocr_path`` (BuyerInvoiceOcrMessage), in whatever content type. Credentials stand in the message. The
answer is HTTP 200 with a StatusCode in the same kind of message: 200; 401 for an unknown identity, 403 for a wrong
secret; 406 for what is wrong with single documents; 500 for what cannot be parsed or breaks the document type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jaggaer import imports, ocr_forms, order_api, order_xml, tsm, xmlio
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books
from airflow_provider_mlconnector.sandbox.jaggaer.listing import RefusedError
from airflow_provider_mlconnector.sandbox.jaggaer.tsm_dtd import SUPPLIER_DTD

OK, UNAUTHORIZED, FORBIDDEN, NOT_ACCEPTABLE, BROKEN = 200, 401, 403, 406, 500
_HEADER_DTD = xmlio.document_type(xmlio.HEADER_MODELS, {})


class Outcome(NamedTuple):
    """StatusCode, StatusText, and what stands beside ``Status`` in the answer."""

    code: int
    words: str
    beside: list[etree._Element]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of message: its root, the element its answer is under, and what is done with it."""

    call: str
    root: str
    answer: str
    receive: Callable[[Books, Request, etree._Element, str], Outcome]


async def answer(books: Books, request: Request, call: str) -> Response:
    """Take one message and answer it."""
    endpoint = ENDPOINTS[call]
    message_id = ""
    try:
        root = xmlio.read(await request.body())
        message_id = xmlio.text(root, "Header/MessageId")
        outcome = _admit(books, root, endpoint) or endpoint.receive(books, request, root, message_id)
    except xmlio.XmlError as error:
        outcome = Outcome(BROKEN, str(error), [])
    code, words, beside = outcome
    if code not in (OK, NOT_ACCEPTABLE):
        fields = {"by": "router", "call": call, "kind": "message", "key": "", "operation": endpoint.root}
        books.attempt(request, **fields, outcome="refused", reason=f"{code} {words}", message_id=message_id)
    body = etree.Element(endpoint.answer)
    errors = [_error(endpoint, words)] if code != OK else []
    body.append(xmlio.status(code, words, errors))
    body.extend(beside)
    shown = xmlio.message(endpoint.root, books.clock.now(), request.state.request_no, body, related=message_id)
    if books.options.padded_texts:
        xmlio.pad(shown)
    return xmlio.response(shown)


def _admit(books: Books, root: etree._Element, endpoint: Endpoint) -> Outcome | None:
    """Refuse another kind of message, a broken header, or a sender we do not know."""
    header = root.find("Header")
    if root.tag != endpoint.root or header is None:
        message = f"A {endpoint.root} with a Header is needed, not {root.tag}"
        raise xmlio.XmlError(message)
    xmlio.check(header, _HEADER_DTD)
    if xmlio.text(header, "Authentication/Identity") != books.options.router_identity:
        return Outcome(UNAUTHORIZED, "Unauthorized", [])
    if xmlio.text(header, "Authentication/SharedSecret") != books.options.router_secret:
        return Outcome(FORBIDDEN, "Forbidden", [])
    return None


def _error(endpoint: Endpoint, words: str) -> etree._Element:
    if endpoint.call == "RouterSuppliers":
        return xmlio.build("ErrorMessage", words, type="Error")
    return xmlio.build("Error", {"ErrorMessage": words})


def _suppliers(books: Books, request: Request, root: etree._Element, message_id: str) -> Outcome:
    elements = root.findall("SupplierRequestMessage/Supplier")
    sound, violation = _sound(root, elements, earlier=books.options.tsm_stops_at_violation)
    received = tsm.receive(books, sound)
    for sent in received:
        books.attempt(
            request,
            by="router",
            call="RouterSuppliers",
            kind="supplier",
            key=sent.label,
            operation=sent.done or "UPSERT",
            outcome="refused" if not sent.done else "stored",
            reason="; ".join(each.message for each in sent.findings),
            message_id=message_id,
        )
    if violation:
        raise xmlio.XmlError(violation)
    stored = sum(1 for sent in received if sent.done)
    counts = f"documents attempted: {len(received)}, completed: {stored}, successful without warnings: {stored}"
    faulty = [tsm.errors_of(sent) for sent in received if sent.findings]
    if faulty:
        return Outcome(NOT_ACCEPTABLE, f"Not Acceptable - {counts}", faulty)
    return Outcome(OK, f"OK - {counts}", [])


def _sound(root: etree._Element, elements: list[etree._Element], *, earlier: bool) -> tuple[list[etree._Element], str]:
    """Return the suppliers that were read before the first that breaks the document type, and how it does."""
    for index, element in enumerate(elements):
        try:
            xmlio.check(element, SUPPLIER_DTD)
        except xmlio.XmlError as error:
            return (elements[:index] if earlier else []), str(error)
    xmlio.check(root, SUPPLIER_DTD)
    return elements, ""


def _orders(books: Books, request: Request, root: etree._Element, message_id: str) -> Outcome:
    xmlio.check(root, order_xml.ORDER_DTD)
    errors = []
    for element in root.iterfind("PurchaseOrder"):
        head = element.find("POHeader")
        kind = "" if head is None else head.get("type", "")
        number, problem = xmlio.text(element, "POHeader/PONumber"), ""
        revision = xmlio.text(element, "POHeader/RevisionNumber") or "0"
        try:
            _check_custom_fields(books, element)
            order = order_xml.decode(element)
            order_api.store(
                books, order, order_xml.OPERATIONS.get(kind, kind), by="router", request_no=request.state.request_no
            )
        except RefusedError as error:
            problem = str(error)
            content = {"@ponumber": number, "Error": {"@type": "Error", "ErrorMessage": problem}}
            errors.append(xmlio.build("PurchaseOrderRef", content))
        books.attempt(
            request,
            by="router",
            call="RouterPurchaseOrders",
            kind="purchase_order",
            key=number,
            operation=kind or "new",
            outcome="refused" if problem else "stored",
            reason=problem,
            message_id=message_id,
            detail={"revision": int(revision) if revision.isdecimal() else revision},
        )
    if not errors:
        return Outcome(OK, "success", [])
    beside = etree.Element("ObjectErrors")
    beside.extend(errors)
    return Outcome(NOT_ACCEPTABLE, "failure", [beside])


def _check_custom_fields(books: Books, order: etree._Element) -> None:
    for name in order_xml.custom_fields(order):
        if name not in books.options.order_custom_fields:
            message = f"No custom field found for the purchase order document configuration ({name})"
            raise RefusedError(message)


def _invoices(books: Books, request: Request, root: etree._Element, message_id: str) -> Outcome:
    xmlio.check(root, ocr_forms.OCR_DTD)
    problems = []
    for element in root.iterfind("BuyerInvoiceOcr"):
        attempt: dict[str, Any] = {
            "by": "router",
            "call": "RouterInvoices",
            "kind": "invoice",
            "key": ocr_forms.key_of(
                xmlio.text(element, "BuyerInvoiceHeader/Supplier/SupplierNumber"),
                xmlio.text(element, "BuyerInvoiceHeader/SupplierInvoiceNumber"),
            ),
            "operation": "CREATE",
            "message_id": message_id,
        }
        try:
            sent = ocr_forms.from_xml(element)
            stored = imports.store(books, sent, request.state.request_no, by="router")
        except RefusedError as error:
            problems.append(str(error))
            books.attempt(request, **attempt, outcome="refused", reason=str(error))
        else:
            books.attempt(request, **attempt, outcome="stored", detail={"invoice_id": stored["invoiceId"]})
    if problems:
        return Outcome(NOT_ACCEPTABLE, "; ".join(problems), [])
    return Outcome(OK, "success", [])


ENDPOINTS: dict[str, Endpoint] = {
    each.call: each
    for each in (
        Endpoint("RouterSuppliers", "SupplierSyncMessage", "SupplierResponseMessage", _suppliers),
        Endpoint("RouterPurchaseOrders", "PurchaseOrderMessage", "ResponseMessage", _orders),
        Endpoint("RouterInvoices", "BuyerInvoiceOcrMessage", "ResponseMessage", _invoices),
    )
}
"""Call name → endpoint."""
PATHS: dict[str, str] = {
    "/apps/Router/TSMSupplierXMLImport": "RouterSuppliers",
    "/apps/Router/POXMLImport": "RouterPurchaseOrders",
}
"""Documented path → call; the invoices' is ``options.ocr_path``."""
